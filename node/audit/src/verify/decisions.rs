//! Decisions: recorded, made with the layers in force, true when used, and about the class they are used for.

use super::Audit;
use super::state::{At, Checks, Edition, Fault};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{Action, Decided, Decision, Digest, Inquiry, Layer, LayerProfile, Time};
use ambit_policy::{ReplayError, Taxonomies};
use std::rc::Rc;

/// The most seconds between signing a disclosure, or taking an observation in, and the entry that records
/// it. A commit waits for no more than a disk; anything longer would let a node date things back to when a
/// lease still ran.
pub const ISSUE_DELAY_SECONDS_MAX: u32 = 600;

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
        let is_timely = decision.now <= at.time && decision.is_true_at(decision.now);
        let checked = Rule::DecisionTime.check(is_timely, || {
            format!(
                "judged at {}, recorded at {}, said to be true from {}",
                decision.now, at.time, decision.true_from
            )
        });
        self.note(at, checked);
        self.decisions
            .entry(decision.digest())
            .or_insert_with(|| (at, Rc::new(decision.clone())));
    }

    /// The decision of this digest, for this action, if it was made with the layers now in force.
    pub(super) fn decision(
        &self,
        digest: &Digest,
        action: Action,
        edition: &Edition,
    ) -> Checks<Rc<Decision>> {
        let (_, decision) = self
            .decisions
            .get(digest)
            .ok_or_else(|| Rule::DecisionUnknown.broken(format!("decision {digest}")))?;
        Rule::DecisionClass.check(decision.inquiry.action == action, || {
            format!("decision {digest} is about another action")
        })?;
        let mut profiles: Vec<LayerProfile> = self
            .profiles
            .iter()
            .filter(|(layer, _)| **layer != Layer::Partnership)
            .map(|(layer, profile)| LayerProfile {
                layer: *layer,
                profile: *profile,
            })
            .collect();
        profiles.push(LayerProfile {
            layer: Layer::Partnership,
            profile: edition.terms.profile,
        });
        profiles.sort();
        Rule::DecisionLayers.check(decision.profiles == profiles, || {
            format!("decision {digest} names other profiles")
        })?;
        let taxonomies = self.taxonomies.as_ref().map(|(digest, _)| *digest);
        Rule::DecisionLayers.check(Some(decision.taxonomies) == taxonomies, || {
            format!("decision {digest} names other taxonomies")
        })?;
        Rule::DecisionLayers.check(Some(decision.schema) == self.schema, || {
            format!("decision {digest} names another schema")
        })?;
        Ok(Rc::clone(decision))
    }

    /// One of the inquiries must be of the decision's class.
    pub(super) fn check_class(&mut self, decision: &Decision, inquiries: &[Inquiry]) -> Checks {
        let bundle = self.bundle;
        for inquiry in inquiries {
            let key = self
                .replayer
                .class_key(decision, inquiry, |digest| {
                    bundle.blob(digest).map(<[u8]>::to_vec)
                })
                .map_err(|error| replay_fault(&error, Rule::Unchecked))?;
            if key == decision.class_key {
                return Ok(());
            }
        }
        Err(Rule::DecisionClass.broken(format!(
            "decision {} is of the class {}, which this is not in",
            decision.digest(),
            decision.class_key
        )))
    }

    pub(super) fn taxonomies_in_force(&self) -> Checks<Taxonomies> {
        match &self.taxonomies {
            Some((_, Some(taxonomies))) => Ok(taxonomies.clone()),
            Some((digest, None)) => {
                Err(Rule::Unchecked.broken(format!("the taxonomies {digest} are not at hand")))
            }
            None => Err(Rule::DecisionLayers.broken("no taxonomies are in force")),
        }
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

/// The earliest instant that something recorded here may have been done at.
pub(super) fn earliest_for(at: At) -> Time {
    let nanos = i64::from(ISSUE_DELAY_SECONDS_MAX) * 1_000_000_000;
    Time::try_from(at.time.as_nanos() - nanos).unwrap_or(Time::EARLIEST)
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
