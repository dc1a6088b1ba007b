//! How editions of a partnership follow one another.

use super::Audit;
use super::fault::Checks;
use crate::rule::Rule;
use ambit_ledger::{PartnershipEdition, PartnershipTerms, Time};
use ambit_policy::CLOCKS_APART_SECONDS_MAX;

impl Audit<'_> {
    pub(super) fn check_succession(
        &self,
        body: &PartnershipEdition,
        terms: &PartnershipTerms,
    ) -> Checks {
        let rule = Rule::EditionChain;
        rule.check((terms.edition == 1) == terms.previous.is_empty(), || {
            format!(
                "edition {} must name the one before, and the first none",
                terms.edition
            )
        })?;
        let Some(previous) = self.in_force.active(&body.partnership) else {
            return Rule::Unchecked.check(terms.edition <= 1, || {
                format!(
                    "edition number {} is the first here; what it follows cannot be checked",
                    terms.edition
                )
            });
        };
        let number = self
            .in_force
            .known(&previous)
            .map(|known| known.terms.edition);
        let is_next = previous == body.edition
            || number.is_none_or(|number| number.checked_add(1) == Some(terms.edition));
        rule.check(is_next, || {
            format!(
                "edition number {} does not follow the one in force",
                terms.edition
            )
        })?;
        rule.check(
            terms.previous.contains(&previous) || previous == body.edition,
            || format!("edition {previous} is in force"),
        )?;
        let strange = terms
            .previous
            .iter()
            .find(|named| self.in_force.known(named).is_none());
        Rule::Unchecked.check(strange.is_none(), || {
            let strange = strange.map(ToString::to_string).unwrap_or_default();
            format!("it follows edition {strange} too, which this ledger lacks")
        })?;
        self.check_declared_after(terms)?;
        self.check_complete(terms)
    }

    /// What an edition follows was complete, and none of it was replaced by another that it follows.
    fn check_complete(&self, terms: &PartnershipTerms) -> Checks {
        let rule = Rule::EditionChain;
        for named in &terms.previous {
            rule.check(self.in_force.declined(named).is_none(), || {
                format!("it follows edition {named}, which was declined")
            })?;
            let mut others = terms.previous.iter().filter(|other| *other != named);
            let replaced_by = others.find(|other| {
                let other = self.in_force.known(other);
                other.is_some_and(|other| other.terms.previous.contains(named))
            });
            rule.check(replaced_by.is_none(), || {
                let other = replaced_by.map(ToString::to_string).unwrap_or_default();
                format!("it follows edition {named}, which edition {other} had replaced")
            })?;
        }
        let mut named = terms.previous.iter();
        let incomplete = named.find(|named| !self.in_force.has_begun(named));
        Rule::Unchecked.check(incomplete.is_none(), || {
            let incomplete = incomplete.map(ToString::to_string).unwrap_or_default();
            format!("it follows edition {incomplete}, which is complete in no entry above")
        })
    }

    /// An edition names the terms it follows, which nobody knew before they were declared: dated back, it could be signed by keys
    /// that had ended. It is held against all that it goes back to, so that no chain of them drifts.
    fn check_declared_after(&self, terms: &PartnershipTerms) -> Checks {
        let latest = terms.declared_at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
        let declared = self.declared_latest(terms);
        Rule::EditionChain.check(declared <= latest, || {
            format!(
                "declared at {}, and one that it goes back to at {declared}",
                terms.declared_at
            )
        })
    }

    /// When the last of all editions was declared that terms go back to, and they themselves.
    pub(super) fn declared_latest(&self, terms: &PartnershipTerms) -> Time {
        let followed = terms.previous.iter();
        let followed = followed.filter_map(|named| self.in_force.known(named));
        let declared = followed.map(|known| known.declared);
        declared.fold(terms.declared_at, Time::max)
    }
}
