//! What this ledger's organization took in from others, and what it refused.

use super::Audit;
use super::decisions::check_true_around;
use super::disclosures::{check_facts, check_is_direct, only_decision};
use super::fault::{At, Checks};
use super::instants::{earliest_for, latest_for};
use super::keys::unverified;
use super::preparation::{Claim, ObservationClaim, Statements};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{
    Action, Admitted, Digest, Disclosure, Observation, ObservationId, OrganizationId,
    PartnershipId, Refused, SetAside, Verdict,
};
use ambit_policy::{CLOCKS_APART_SECONDS_MAX, check_scope, inquiry_for_admission};
use std::collections::{BTreeMap, BTreeSet};

/// What was taken in.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The last number of each sender.
    taken: BTreeMap<(PartnershipId, OrganizationId), u64>,
    admitted: BTreeSet<(Digest, ObservationId)>,
}

impl Audit<'_> {
    pub(super) fn admitted(&mut self, at: At, body: &Admitted, statements: Statements) {
        self.report.checked_mut().admitted += 1;
        let checked = self.check_slot(at, body.slot);
        self.note(at, checked);
        self.name_evidence(at, &body.evidence);
        let checked = self.check_admitted(at, body, statements);
        self.note(at, checked);
    }

    fn check_admitted(&mut self, at: At, body: &Admitted, statements: Statements) -> Checks {
        let disclosure = statements
            .disclosure
            .unwrap_or_else(|| Claim::disclosure(&body.disclosure, &self.keys.known.ring));
        let observed = statements.observation.unwrap_or_else(|| {
            let issued_at = disclosure.issued_at().unwrap_or(at.time);
            let ring = &self.keys.known.ring;
            ObservationClaim::of(&body.observation, issued_at, self.bundle, ring)
        });
        let verified = self.verified(at, disclosure.verified).and_then(|_| {
            let verified = self.verified(at, observed.claim.verified);
            verified.map(drop)
        });
        // First what later entries depend on, and what is no stray even where it does not verify.
        if let Ok(observation) = &observed.claim.said
            && (verified.is_ok() || observed.readings.is_some())
        {
            let readings = self.name_readings(observation.id(), observed.readings);
            self.note(at, readings);
        }
        verified?;
        let disclosure = disclosure.said.map_err(|error| unverified(&error))?;
        let observation = observed.claim.said.map_err(|error| unverified(&error))?;
        let sequence = self.take_sequence(body, &disclosure);
        self.note(at, sequence);
        let is_past = check_past(at, &observation);
        self.note(at, is_past);
        let is_plain = check_facts(observation.facts());
        self.note(at, is_plain);
        let is_new = self
            .inbox
            .admitted
            .insert((disclosure.edition, observation.id()));
        Rule::AdmissionTwice.check(is_new, || {
            format!("observation {} came before", observation.id())
        })?;
        self.check_admitted_parties(&disclosure, &observation)?;
        self.check_admission(at, body, &disclosure, &observation)
    }

    fn take_sequence(&mut self, body: &Admitted, disclosure: &Disclosure) -> Checks {
        let key = (disclosure.partnership.clone(), disclosure.discloser.clone());
        let last = self.inbox.taken.entry(key).or_insert(0);
        let previous = *last;
        *last = previous.max(body.seq);
        Rule::Sequence.check(previous < body.seq, || {
            format!(
                "{} follows {previous} from `{}`",
                body.seq, disclosure.discloser
            )
        })
    }

    fn check_admitted_parties(&self, disclosure: &Disclosure, observation: &Observation) -> Checks {
        let (id, facts) = (observation.id(), observation.facts());
        Rule::AdmissionObservation.check(disclosure.observation == id, || {
            format!(
                "the disclosure is of {}, the observation is {id}",
                disclosure.observation
            )
        })?;
        Rule::AdmissionParties.check(disclosure.recipient == self.own, || {
            format!("the disclosure is for `{}`", disclosure.recipient)
        })?;
        check_is_direct(disclosure)?;
        let discloser = &disclosure.discloser;
        Rule::ObservationIssuer.check(
            facts.issuer == *discloser && facts.owner == *discloser,
            || {
                format!(
                    "`{}` signed it and `{}` owns it, and `{discloser}` discloses it",
                    facts.issuer, facts.owner
                )
            },
        )
    }

    fn check_admission(
        &mut self,
        at: At,
        body: &Admitted,
        disclosure: &Disclosure,
        observation: &Observation,
    ) -> Checks {
        let edition = self.edition_in_force(&disclosure.partnership, Rule::AdmissionEdition)?;
        Rule::AdmissionEdition.check(edition.digest == disclosure.edition, || {
            format!(
                "it names {}, in force is {}",
                disclosure.edition, edition.digest
            )
        })?;
        let discloser = &disclosure.discloser;
        let is_other_member = edition.terms.member(discloser).is_some() && *discloser != self.own;
        Rule::AdmissionParties.check(is_other_member, || {
            format!("`{discloser}` is no other member")
        })?;
        let ends = edition.ends();
        Rule::AdmissionEdition.check(disclosure.issued_at < ends, || {
            format!(
                "issued at {}; the agreement or its lease ended at {ends}",
                disclosure.issued_at
            )
        })?;
        Rule::AdmissionTime.check(disclosure.issued_at <= latest_for(at), || {
            format!(
                "issued at {}, taken in at {}",
                disclosure.issued_at, at.time
            )
        })?;
        let latest = disclosure.issued_at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
        let declared_at = edition.terms.declared_at;
        Rule::AdmissionTime.check(declared_at <= latest, || {
            format!(
                "issued at {}, under terms declared at {declared_at}",
                disclosure.issued_at
            )
        })?;
        let observed_to = observation.facts().observed_to;
        Rule::AdmissionTime.check(observed_to <= latest, || {
            format!(
                "issued at {}, and observed until {observed_to}",
                disclosure.issued_at
            )
        })?;
        let taxonomies = self.in_force.taxonomies()?;
        check_scope(
            &edition.terms,
            &disclosure.scope,
            disclosure.issued_at,
            &taxonomies,
        )
        .map_err(|error| Rule::AdmissionScope.broken(error_chain(&error)))?;
        let own = self
            .parties(&edition, &self.own, earliest_for(at)..=at.time)
            .ok_or_else(|| Rule::AdmissionParties.broken("this organization is no member"))?;

        let digest = only_decision(&body.decisions)?;
        let decision = self.decision(at, digest, Action::Admit, &edition)?;
        let inquiries: Vec<_> = own
            .iter()
            .map(|own| {
                inquiry_for_admission(
                    observation.facts(),
                    &disclosure.scope,
                    own,
                    &edition.agreement,
                    discloser,
                    0,
                    disclosure.issued_at,
                )
            })
            .collect();
        self.check_class(digest, &decision, &inquiries)?;
        check_true_around(&decision, at)?;
        let verdict = decision.verdict();
        Rule::DecisionVerdict.check(verdict == Verdict::Admissible, || {
            format!("decision {digest} says *{verdict}*")
        })
    }

    pub(super) fn refused(&mut self, at: At, body: &Refused) {
        let checked = self.report.checked_mut();
        checked.refused = checked.refused.saturating_add(body.count);
        let is_refusal = Rule::Refusal.check(!body.code.is_set_aside(), || {
            format!("`{}` sets aside, and refuses nothing", body.code)
        });
        self.note(at, is_refusal);
        let checked = check_counted(body.count, &body.digests);
        self.note(at, checked);
    }

    /// What comes again: it is no refusal, and is not counted as one.
    pub(super) fn set_aside(&mut self, at: At, body: &SetAside) {
        let is_no_refusal = Rule::Refusal.check(body.code.is_set_aside(), || {
            format!("`{}` is a refusal, and sets nothing aside", body.code)
        });
        self.note(at, is_no_refusal);
        let checked = check_counted(body.count, &body.digests);
        self.note(at, checked);
    }
}

/// Nothing was observed that had not come yet by the clock here, as far as clocks may be apart.
pub(super) fn check_past(at: At, observation: &Observation) -> Checks {
    let observed_to = observation.facts().observed_to;
    Rule::ObservationAhead.check(observed_to <= latest_for(at), || {
        format!("observed until {observed_to}, recorded at {}", at.time)
    })
}

fn check_counted(count: u64, digests: &[Digest]) -> Checks {
    let named = u64::try_from(digests.len()).unwrap_or(u64::MAX);
    let is_named = named > 0 && named <= count;
    Rule::Refusal.check(is_named, || format!("{count} are counted, {named} named"))
}
