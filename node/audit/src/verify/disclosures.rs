//! What this ledger's organization observed, and for each recipient: disclosed or withheld.

use super::Audit;
use super::admissions::check_past;
use super::decisions::expired;
use super::fault::{At, Checks};
use super::in_force::Edition;
use super::instants::earliest_for;
use super::keys::unverified;
use super::preparation::{Claim, ObservationClaim, Statements};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{
    Action, Digest, Disclosed, Disclosure, Facts, Inquiry, Observation, ObservationId, Observed,
    OfferedAgain, OrganizationId, Party, StatementError, Time, Verdict, Withheld, encode,
};
use ambit_policy::{
    CLOCKS_APART_SECONDS_MAX, Unchecked, check_scope, check_within_limits, inquiry_for_disclosure,
    limits_in_force, scope_for, unchecked_in_disclosure, unchecked_in_facts,
};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// An own observation.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) index: u64,
    pub(super) observation: Observation,
}

impl Audit<'_> {
    pub(super) fn observed(&mut self, at: At, body: &Observed, statements: Statements) {
        self.report.checked_mut().observations += 1;
        let claim = statements.observation.unwrap_or_else(|| {
            ObservationClaim::of(
                &body.observation,
                at.time,
                self.bundle,
                &self.keys.known.ring,
            )
        });
        let checked = self.check_observed(at, claim);
        self.note(at, checked);
        let checked = self.check_slot(at, body.slot);
        self.note(at, checked);
    }

    fn check_observed(&mut self, at: At, observed: ObservationClaim) -> Checks {
        let ObservationClaim { claim, readings } = observed;
        // Also of one that does not verify: what follows from it is no fault of its own.
        let verified = self.verified(at, claim.verified).map(drop);
        let observation = match claim.said {
            Ok(observation) => observation,
            Err(error) => return verified.and(Err(unverified(&error))),
        };
        let is_named = verified.is_ok() || readings.is_some();
        self.note(at, verified);
        let id = observation.id();
        let issuer = &observation.facts().issuer;
        Rule::ObservationIssuer.check(*issuer == self.own, || format!("`{issuer}` signed it"))?;
        let owner = &observation.facts().owner;
        let is_own = Rule::ObservationIssuer.check(*owner == self.own, || {
            format!("`{owner}` owns it, and `{issuer}` observed it as its own")
        });
        self.note(at, is_own);
        let is_plain = check_facts(observation.facts());
        self.note(at, is_plain);
        let is_past = check_past(at, &observation);
        self.note(at, is_past);
        let recorded = Recorded {
            index: at.index,
            observation,
        };
        let recorded = Rc::new(recorded);
        let said = self.first_saying(id, &recorded.observation);
        let is_first = self.observed.insert(id, recorded).is_none();
        Rule::ObservationTwice.check(is_first, || format!("observation {id}"))?;
        let is_news = Rule::ObservationTwice.check(said == id, || {
            format!("observation {id} says what {said} says, under another signature")
        });
        self.note(at, is_news);
        self.own_observations.push(at, id);
        if is_named {
            self.name_readings(id, readings)?;
        }
        Ok(())
    }

    /// The first observation that says the same: whoever holds the key can sign one statement in more ways than one, and
    /// each is another id.
    fn first_saying(&mut self, id: ObservationId, observation: &Observation) -> ObservationId {
        let facts = observation.facts();
        let first = *self.by_readings.entry(facts.readings).or_insert(id);
        if first == id {
            return id;
        }
        // Only now is it worth encoding them: no honest node has readings twice.
        if let Some(recorded) = self.observed.get(&first) {
            let said = Digest::of(&encode(recorded.observation.facts()));
            self.by_facts.entry(said).or_insert(first);
        }
        *self
            .by_facts
            .entry(Digest::of(&encode(facts)))
            .or_insert(id)
    }

    pub(super) fn disclosed(&mut self, at: At, body: &Disclosed, statements: Statements) {
        self.disclosed_as(at, body, statements, None);
    }

    /// For the first time, or in place of what is offered again.
    pub(super) fn disclosed_as(
        &mut self,
        at: At,
        body: &Disclosed,
        statements: Statements,
        again: Option<&OfferedAgain>,
    ) {
        self.report.checked_mut().disclosures += 1;
        self.name_evidence(at, &body.evidence);
        let claim = statements
            .disclosure
            .unwrap_or_else(|| Claim::disclosure(&body.disclosure, &self.keys.known.ring));
        match claim.said {
            Ok(disclosure) => {
                let checked = self.enqueue(at, body, &disclosure, again);
                self.note(at, checked);
                let checked = self.check_disclosed(at, claim.verified, &disclosure);
                self.note(at, checked);
            }
            Err(error) => self.note(at, Err(unverified(&error))),
        }
    }

    fn check_disclosed(
        &mut self,
        at: At,
        verified: Result<(), StatementError>,
        disclosure: &Disclosure,
    ) -> Checks {
        self.verified(at, verified)?;
        let id = disclosure.observation;
        Rule::DisclosureParties.check(disclosure.discloser == self.own, || {
            format!("`{}` discloses", disclosure.discloser)
        })?;
        check_is_direct(disclosure)?;
        let edition = self.edition_in_force(&disclosure.partnership, Rule::DisclosureEdition)?;
        Rule::DisclosureEdition.check(edition.digest == disclosure.edition, || {
            format!(
                "it names {}, in force is {}",
                disclosure.edition, edition.digest
            )
        })?;
        let recorded = self.recorded(id)?;
        let facts = recorded.observation.facts();
        Rule::DisclosureParties.check(facts.owner == self.own, || {
            format!("the data is owned by `{}`", facts.owner)
        })?;
        let issued_at = disclosure.issued_at;
        let parties = self.recipients(&edition, &disclosure.recipient, issued_at..=issued_at)?;
        let is_timely = (earliest_for(at)..=at.time).contains(&issued_at);
        Rule::DisclosureTime.check(is_timely, || {
            format!("issued at {issued_at}, recorded at {}", at.time)
        })?;
        let latest = issued_at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
        Rule::DisclosureTime.check(facts.observed_to <= latest, || {
            format!(
                "issued at {issued_at}, and observed until {}",
                facts.observed_to
            )
        })?;
        let begun = self.in_force.since(&disclosure.partnership);
        if let Some(begun) = begun.filter(|begun| issued_at < begun.start_of_millis()) {
            let how = format!("issued at {issued_at}, and in force only from {begun}");
            return Err(Rule::DisclosureEdition.broken(how));
        }
        let ends = edition.ends();
        Rule::DisclosureEdition.check(issued_at < ends, || {
            format!("issued at {issued_at}; the agreement or its lease ended at {ends}")
        })?;
        let taxonomies = self.in_force.taxonomies()?;
        check_scope(&edition.terms, &disclosure.scope, issued_at, &taxonomies)
            .map_err(|error| Rule::DisclosureScope.broken(error_chain(&error)))?;
        let limits = self.in_force.limits();
        let limits = limits_in_force(limits.iter(), facts, &taxonomies)
            .ok_or_else(|| Rule::DisclosureLimits.broken("no limits cover the observation"))?;
        check_within_limits(&disclosure.scope, limits, &taxonomies)
            .map_err(|error| Rule::DisclosureLimits.broken(error_chain(&error)))?;

        let digest = only_decision(&disclosure.decisions)?;
        let decision = self.decision(at, digest, Action::Disclose, &edition)?;
        Rule::DecisionExpired.check(decision.is_true_at(issued_at), || {
            expired(&decision, issued_at)
        })?;
        let ask = |party: &Party| {
            let mut inquiry = inquiry_for_disclosure(
                facts,
                &disclosure.scope,
                party,
                &edition.agreement,
                Some(limits),
                issued_at,
            );
            // Asked for were more purposes, perhaps, than were admitted.
            let asked = &decision.inquiry.scope.purposes;
            if inquiry.scope.purposes != *asked {
                inquiry.scope.purposes.clone_from(asked);
            }
            inquiry
        };
        let inquiries: Vec<Inquiry> = parties.iter().map(ask).collect();
        self.check_class(digest, &decision, &inquiries)?;
        let admitted = decision.admitted();
        let is_admitted = !admitted.is_empty() && admitted == disclosure.scope.purposes;
        Rule::DisclosurePurposes.check(is_admitted, || {
            format!(
                "admitted were {admitted:?}, disclosed for {:?}",
                disclosure.scope.purposes
            )
        })
    }

    pub(super) fn withheld(&mut self, at: At, body: &Withheld) {
        self.report.checked_mut().withheld += 1;
        let outbox = self.outboxes.of(&body.partnership, &body.recipient);
        if let Some(recorded) = self.observed.get(&body.observation) {
            outbox.judge(recorded.index, &self.own_observations);
        }
        let stands = outbox.withhold(body.observation);
        self.note(at, stands);
        let checked = self.check_withheld(at, body);
        self.note(at, checked);
    }

    fn check_withheld(&mut self, at: At, body: &Withheld) -> Checks {
        let edition = self.edition_in_force(&body.partnership, Rule::DisclosureEdition)?;
        let recorded = self.recorded(body.observation)?;
        let facts = recorded.observation.facts();
        let earliest = earliest_for(at);
        let parties = self.recipients(&edition, &body.recipient, earliest..=at.time)?;
        let taxonomies = self.in_force.taxonomies()?;
        let limits = self.in_force.limits();
        let limits = limits_in_force(limits.iter(), facts, &taxonomies);
        let mut inquiries: Vec<Inquiry> = limits.map_or_else(Vec::new, |limits| {
            // The scope follows from the day on which it was judged, which may end before the commit.
            let is_another_day = earliest.start_of_day() != at.time.start_of_day();
            std::iter::once(at.time)
                .chain(is_another_day.then_some(earliest))
                .flat_map(|when| {
                    let recipient = &body.recipient;
                    let scope =
                        scope_for(&edition.terms, limits, facts, recipient, &taxonomies, when);
                    let agreement = &edition.agreement;
                    let ask = |party: &Party| {
                        inquiry_for_disclosure(facts, &scope, party, agreement, Some(limits), when)
                    };
                    parties.iter().map(ask).collect::<Vec<_>>()
                })
                .collect()
        });
        let Some(digest) = &body.decision else {
            let is_uncovered = inquiries
                .iter()
                .all(|inquiry| inquiry.scope.purposes.is_empty());
            return Rule::WithheldUnasked.check(is_uncovered && !body.undecided, || {
                "the limits in force cover it, and nothing was asked".to_owned()
            });
        };
        let decision = self.decision(at, digest, Action::Disclose, &edition)?;
        // With onward hops, whom it names besides the recipient follows from what was decided of each.
        let members = edition.terms.member_ids();
        let asked = &decision.inquiry.scope;
        for inquiry in &mut inquiries {
            if inquiry.scope.onward_hops > 0 && asked.recipients.is_subset(&members) {
                inquiry.scope.recipients.clone_from(&asked.recipients);
            }
            if inquiry.scope.onward_hops > 0
                && !asked.purposes.is_empty()
                && asked.purposes.is_subset(&inquiry.scope.purposes)
            {
                inquiry.scope.purposes.clone_from(&asked.purposes);
            }
        }
        let verdict = decision.verdict();
        let is_said = match verdict {
            Verdict::Admissible => false,
            Verdict::Withheld => !body.undecided,
            Verdict::Undecided => body.undecided,
        };
        Rule::DecisionVerdict.check(is_said, || format!("decision {digest} says *{verdict}*"))?;
        super::decisions::check_true_around(&decision, at)?;
        self.check_class(digest, &decision, &inquiries)
    }

    /// Statements by which more than its owner's own disclosure would be checked.
    pub(super) fn name_evidence(&mut self, at: At, evidence: &BTreeSet<Digest>) {
        for digest in evidence {
            self.name_blob(at, digest);
        }
        let checked = Rule::Unchecked.check(evidence.is_empty(), || {
            "this version does not check evidence beside a disclosure".to_owned()
        });
        self.note(at, checked);
    }

    pub(super) fn recorded(&self, id: ObservationId) -> Checks<Rc<Recorded>> {
        let recorded = self.observed.get(&id);
        recorded
            .map(Rc::clone)
            .ok_or_else(|| Rule::DisclosureObservation.broken(format!("observation {id}")))
    }

    /// Another member as policies may have read it within a span of time.
    pub(super) fn recipients(
        &self,
        edition: &Edition,
        recipient: &OrganizationId,
        within: RangeInclusive<Time>,
    ) -> Checks<Vec<Party>> {
        self.parties(edition, recipient, within)
            .filter(|_| *recipient != self.own)
            .ok_or_else(|| {
                Rule::DisclosureParties.broken(format!("`{recipient}` is no other member"))
            })
    }
}

/// The one decision that data which was not derived is judged by.
pub(super) fn only_decision(decisions: &BTreeSet<Digest>) -> Checks<&Digest> {
    let mut decisions = decisions.iter();
    match (decisions.next(), decisions.next()) {
        (Some(digest), None) => Ok(digest),
        (None, _) => Err(Rule::DecisionUnknown.broken("it names none")),
        (Some(_), Some(_)) => Err(Rule::Unchecked.broken(Unchecked::Derived.to_string())),
    }
}

/// Whether its owner discloses all of what it made itself: nothing else is made by this version, or checked by it.
pub(super) fn check_is_direct(disclosure: &Disclosure) -> Checks {
    unless(unchecked_in_disclosure(disclosure))
}

/// Whether an observation stands by itself: nothing else is made by this version, or checked by it.
pub(super) fn check_facts(facts: &Facts) -> Checks {
    unless(unchecked_in_facts(facts))
}

fn unless(unchecked: Option<Unchecked>) -> Checks {
    unchecked.map_or(Ok(()), |what| Err(Rule::Unchecked.broken(what.to_string())))
}
