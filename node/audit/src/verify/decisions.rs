//! Decisions: recorded, made with the layers in force, true when used, and about the class they are used for.

use super::Audit;
use super::fault::{At, Checks, Fault};
use super::in_force::Edition;
use super::instants::{ISSUE_DELAY_SECONDS_MAX, earliest_for};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{Action, Decided, Decision, Digest, Inquiry, Time};
use ambit_policy::ReplayError;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What was decided, by digest and by class.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// Each with the entry that it is first recorded in.
    by_digest: BTreeMap<Digest, (At, Rc<Decision>)>,
    by_class: BTreeMap<Digest, Vec<(At, Rc<Decision>)>>,
    /// Those that name the class of their own inquiry.
    named: BTreeSet<Digest>,
    /// The first entry that records or uses a decision in each stretch of what judges.
    used: BTreeMap<(usize, Digest), At>,
}

impl Decisions {
    /// Notes that an entry uses a decision, in a stretch in which nothing that judges was replaced.
    fn note_use(&mut self, at: At, stretch: usize, digest: Digest) {
        self.used.entry((stretch, digest)).or_insert(at);
    }

    /// For each stretch of what judges, every decision that was used in it, with the first entry that does.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (At, &Rc<Decision>)> {
        self.used.iter().filter_map(|((_, digest), at)| {
            let (_, decision) = self.by_digest.get(digest)?;
            Some((*at, decision))
        })
    }

    /// All of them, in the order of the ledger.
    pub(crate) fn in_order(&self) -> Vec<(At, Rc<Decision>)> {
        let mut decisions: Vec<_> = self
            .by_digest
            .values()
            .map(|(at, decision)| (*at, Rc::clone(decision)))
            .collect();
        decisions.sort_by_key(|(at, _)| at.index);
        decisions
    }

    /// Takes a decision in. Nothing that policies read tells one of its class from another but the clock: where two
    /// are true at one instant, they say the same.
    fn take(&mut self, at: At, decision: &Decision) -> Checks {
        let digest = decision.digest();
        if self.by_digest.contains_key(&digest) {
            return Ok(());
        }
        let decision = Rc::new(decision.clone());
        self.by_digest.insert(digest, (at, Rc::clone(&decision)));
        let others = self.by_class.entry(decision.class_key).or_default();
        let contradicted = others
            .iter()
            .find(|(_, other)| overlap(other, &decision) && other.verdicts != decision.verdicts)
            .map(|(at, _)| at.index);
        others.push((at, decision));
        contradicted.map_or(Ok(()), |index| {
            let how = format!(
                "of the same class, and true at the same time, is the one of entry {index}"
            );
            Err(Rule::DecisionContradicts.broken(how))
        })
    }
}

/// Whether two decisions are said to be true at one instant.
fn overlap(one: &Decision, other: &Decision) -> bool {
    let begins_in = |one: &Decision, other: &Decision| {
        other.true_until.is_none_or(|until| one.true_from < until)
    };
    begins_in(one, other) && begins_in(other, one)
}

impl Audit<'_> {
    pub(super) fn decided(&mut self, at: At, body: &Decided) {
        self.report.checked_mut().decisions += 1;
        let decision = &body.decision;
        for digest in [&decision.schema, &decision.taxonomies, &decision.slice] {
            self.name_blob(at, digest);
        }
        for named in &decision.profiles {
            self.name_blob(at, &named.profile);
        }
        let is_timely = decision.now <= at.time
            && at.time <= decision.now.plus_seconds(ISSUE_DELAY_SECONDS_MAX)
            && decision.is_true_at(decision.now);
        let checked = Rule::DecisionTime.check(is_timely, || {
            format!(
                "judged at {}, recorded at {}, said to be true from {}",
                decision.now, at.time, decision.true_from
            )
        });
        self.note(at, checked);
        let is_by_what_is = self.in_force.names_own_layers(&decision.profiles)
            && Some(decision.taxonomies) == self.in_force.taxonomies_digest()
            && Some(decision.schema) == self.in_force.schema();
        let checked = Rule::DecisionLayers.check(is_by_what_is, || {
            "it was recorded while other layers, taxonomies or another schema were in force"
                .to_owned()
        });
        self.note(at, checked);
        let missing = self.in_force.missing_layers();
        let checked = Rule::DecisionLayers.check(missing.is_empty(), || {
            let missing: Vec<&str> = missing.iter().map(|layer| layer.name()).collect();
            format!("nothing was ever put in force for {}", missing.join(", "))
        });
        self.note(at, checked);
        let checked = self.check_attested(decision);
        self.note(at, checked);
        let checked = self.decisions.take(at, decision);
        self.note(at, checked);
        let stretch = self.in_force.stretch();
        self.decisions.note_use(at, stretch, decision.digest());
    }

    /// The decision of this digest, for this action, if it was made with the layers now in force.
    pub(super) fn decision(
        &mut self,
        at: At,
        digest: &Digest,
        action: Action,
        edition: &Edition,
    ) -> Checks<Rc<Decision>> {
        let (_, decision) = self
            .decisions
            .by_digest
            .get(digest)
            .ok_or_else(|| Rule::DecisionUnknown.broken(format!("decision {digest}")))?;
        Rule::DecisionClass.check(decision.inquiry.action == action, || {
            format!("decision {digest} is about another action")
        })?;
        let profiles = self.in_force.profiles(edition);
        Rule::DecisionLayers.check(decision.profiles == profiles, || {
            format!("decision {digest} names other profiles")
        })?;
        let taxonomies = self.in_force.taxonomies_digest();
        Rule::DecisionLayers.check(Some(decision.taxonomies) == taxonomies, || {
            format!("decision {digest} names other taxonomies")
        })?;
        Rule::DecisionLayers.check(Some(decision.schema) == self.in_force.schema(), || {
            format!("decision {digest} names another schema")
        })?;
        let decision = Rc::clone(decision);
        let stretch = self.in_force.stretch();
        self.decisions.note_use(at, stretch, *digest);
        Ok(decision)
    }

    /// One of the inquiries must be of the decision's class.
    pub(super) fn check_class(
        &mut self,
        digest: &Digest,
        decision: &Decision,
        inquiries: &[Inquiry],
    ) -> Checks {
        let bundle = self.bundle;
        let lookup = |digest: &Digest| bundle.blob(digest).map(Cow::into_owned);
        let unchecked = |error: ReplayError| replay_fault(&error, Rule::Unchecked);
        if !self.decisions.named.contains(digest) {
            let key = self.replayer.class_key(decision, lookup);
            let key = key.map_err(unchecked)?;
            Rule::DecisionClass.check(key == decision.class_key, || {
                format!(
                    "decision {digest} names the class {}, and its own is {key}",
                    decision.class_key
                )
            })?;
            self.decisions.named.insert(*digest);
        }
        for inquiry in inquiries {
            let is_of_class = self.replayer.is_of_class(decision, inquiry, lookup);
            if is_of_class.map_err(unchecked)? {
                return Ok(());
            }
        }
        Err(Rule::DecisionClass.broken(format!(
            "decision {digest} is of the class {}, which this is not in",
            decision.class_key
        )))
    }
}

/// The decision must be true at some instant between signing or taking in, and recording.
pub(super) fn check_true_around(decision: &Decision, at: At) -> Checks {
    let earliest = earliest_for(at);
    let is_true =
        decision.true_from <= at.time && decision.true_until.is_none_or(|until| earliest < until);
    Rule::DecisionExpired.check(is_true, || expired(decision, at.time))
}

pub(super) fn expired(decision: &Decision, when: Time) -> String {
    let until = decision
        .true_until
        .map_or_else(|| "for ever".to_owned(), |until| format!("to {until}"));
    format!(
        "decision {} is true from {} {until}, and was used at {when}",
        decision.digest(),
        decision.true_from
    )
}

/// What is missing is `missing`; what is recorded and unfit is a fault of the ledger.
pub(crate) fn replay_fault(error: &ReplayError, missing: Rule) -> Fault {
    let rule = match error {
        ReplayError::MissingBlob(_) | ReplayError::Engine { .. } | ReplayError::Schema(_) => {
            missing
        }
        ReplayError::BlobDigest { .. }
        | ReplayError::Taxonomies(..)
        | ReplayError::Text(_)
        | ReplayError::ProfileOrder => Rule::BlobShape,
        ReplayError::ClassKey { .. }
        | ReplayError::Slice { .. }
        | ReplayError::Interval { .. }
        | ReplayError::Verdict { .. } => Rule::ReplayDiffers,
    };
    rule.broken(error_chain(error))
}
