//! Why: what would be said now, of one observation for one organization, and what the ledger says was done.

use super::held::{Found, InspectError};
use super::recorded::{Outcome, Recorded};
use super::unasked::Unasked;
use crate::failure::Failure;
use crate::node::{Ask, Counterpart, InForce, Node};
use crate::partnership::{Partnership, Standing};
use crate::release;
use ambit_ledger::{
    Decision, Facts, Footprint, Inquiry, Layer, LayerVerdict, Name, ObservationId, OrganizationId,
    PartnershipId, Purpose, PurposeVerdict, Time, Verdict,
};
use ambit_policy::{FailedPart, Layers, NearMiss, near_misses, no_limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The answer for one observation, one organization and one partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The observation.
    pub observation: ObservationId,
    /// The organization asked about.
    pub to: OrganizationId,
    /// Under which partnership.
    pub partnership: PartnershipId,
    /// The answer now, over all purposes.
    pub verdict: Verdict,
    /// How the agreement stands.
    pub state: Standing,
    /// What the ledger says was done; absent where nothing was done yet.
    pub recorded: Option<Recorded>,
    /// Whether it was withheld on grounds that are no longer in force, so that it may be offered again.
    pub may_be_offered: bool,
    /// The answer for each purpose.
    pub purposes: Vec<PurposeAnswer>,
    /// Why nothing was asked of the layers.
    pub unasked: Option<Unasked>,
    /// What its facts name as the licence it may move under, if they name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Name>,
}

/// The answer for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurposeAnswer {
    /// The purpose.
    pub purpose: Purpose,
    /// The answer.
    pub verdict: Verdict,
    /// The layers that did not admit.
    pub layers: Vec<LayerAnswer>,
    /// Why the question could not be put.
    pub errors: Vec<String>,
}

/// A layer that did not admit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerAnswer {
    /// The layer.
    pub layer: Layer,
    /// Its answer.
    pub verdict: Verdict,
    /// The policies that determined it; none where no policy permits it.
    pub policies: Vec<DeterminingPolicy>,
    /// How many more determined it, and are not named in what was recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnamed: u64,
    /// Evaluation errors.
    pub errors: Vec<String>,
    /// The policies that said no, did not say yes, or could not say, with the parts that failed.
    pub near_misses: Vec<PolicyAnswer>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A policy that applied, beside others that erred or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeterminingPolicy {
    /// Its id.
    pub policy: String,
    /// Whether it forbids; else it permits.
    pub forbids: bool,
}

/// A policy that did not admit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyAnswer {
    /// Its id.
    pub policy: String,
    /// What it said.
    pub says: Says,
    /// The error that left it undecided.
    pub error: Option<String>,
    /// The parts of its conditions that are not as they would have to be, with the values they saw.
    pub failed: Vec<FailedPart>,
    /// Whether it asks for the licence that the facts name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_for_licence: bool,
    /// What else it asks to be attested.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub asks_for: BTreeSet<String>,
}

/// What a policy that did not admit said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// It forbids, and applies.
    Forbidden,
    /// It permits, and does not apply.
    NotPermitted,
    /// It ended in an error.
    Undecided,
}

/// Judges one observation for one organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskWhy {
    /// The start of its id.
    pub id: String,
    /// The organization.
    pub to: OrganizationId,
}

impl Ask for AskWhy {
    type Answer = Vec<Why>;

    fn answer(self, node: &Node, now: Time) -> Result<Vec<Why>, Failure> {
        Ok(node.why(&self.id, &self.to, now)?)
    }
}

impl Node {
    /// Judges one of this node's own observations for another member now, without recording anything. One
    /// answer for each partnership with that member.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn why(
        &self,
        prefix: &str,
        to: &OrganizationId,
        now: Time,
    ) -> Result<Vec<Why>, InspectError> {
        let found = self.find(prefix)?;
        if *to == self.settings().organization.id {
            return Err(InspectError::Itself(to.clone()));
        }
        let answers = self.why_of(&found, Some(to), now)?;
        if answers.is_empty() {
            let governance = self.governance();
            let known = governance.signed().map(|(_, member)| member).collect();
            return Err(InspectError::no_partnership(to, &known));
        }
        Ok(answers)
    }

    /// The answers for one member, or for every member of every partnership that all have signed.
    pub(super) fn why_of(
        &self,
        found: &Found,
        to: Option<&OrganizationId>,
        now: Time,
    ) -> Result<Vec<Why>, InspectError> {
        let now = self.reading_instant(now);
        let in_force = self.judging();
        in_force
            .signed()
            .filter(|other| to.is_none_or(|to| to == other.organization()))
            .map(|other| why_under(&in_force, other, found, now))
            .collect()
    }
}

fn why_under(
    in_force: &InForce<'_>,
    to: Counterpart<'_>,
    found: &Found,
    now: Time,
) -> Result<Why, InspectError> {
    let facts = found.observation.facts();
    let partnership = to.partnership();
    let terms = partnership.terms();
    let observation = found.observation.id();
    let unasked = if facts.issuer != *in_force.organization() {
        Some(Unasked::NotOwn {
            origin: facts.issuer.clone(),
        })
    } else if partnership.standing(now) == Standing::Ended {
        Some(Unasked::Ended { ended: terms.until })
    } else {
        None
    };
    let released = match &unasked {
        Some(_) => release::Release::unasked(),
        // Nothing that is decided here is committed, so nothing is remembered.
        None => release::judge_for(&mut in_force.deciding(), to, facts, now)?,
    };
    let decision = released.judgement.map(|judgement| judgement.decision);
    let mut recorded = in_force.node().recorded(&observation, &to.outbox())?;
    let state = partnership.standing(now);
    if let Some(answer) = recorded
        .as_mut()
        .and_then(|recorded| recorded.answer.as_mut())
    {
        // Nothing goes under what is over.
        answer.comes_again &= !state.is_over();
        answer.is_kept_back &= !state.is_over();
    }
    let is_kept = recorded
        .as_ref()
        .is_some_and(|recorded| recorded.outcome != Outcome::Disclosed);
    Ok(Why {
        observation,
        to: to.organization().clone(),
        partnership: terms.partnership.clone(),
        verdict: released.verdict,
        state,
        may_be_offered: is_kept && released.verdict == Verdict::Admissible,
        recorded,
        licence: facts.export_control.licence.clone(),
        unasked: unasked.or_else(|| {
            let taxonomies = in_force.layers().taxonomies();
            let missed = no_limits(in_force.limits(), facts, &terms.purposes, taxonomies);
            missed.filter(|_| decision.is_none()).map(Unasked::NoLimits)
        }),
        purposes: decision.map_or_else(Vec::new, |decision| {
            purposes(partnership, &decision, facts, now)
        }),
    })
}

fn purposes(
    partnership: &Partnership,
    decision: &Decision,
    facts: &Facts,
    now: Time,
) -> Vec<PurposeAnswer> {
    // A decision may have been recorded for another observation of the class: only observed time differs.
    let inquiry = Inquiry {
        footprint: Footprint::from(facts),
        ..decision.inquiry.clone()
    };
    let misses = near_misses(partnership.layers(), &inquiry, now);
    let verdicts = decision.verdicts.iter();
    verdicts
        .map(|verdict| answer(partnership.layers(), verdict, &misses))
        .collect()
}

fn answer(layers: &Layers, verdict: &PurposeVerdict, misses: &[NearMiss]) -> PurposeAnswer {
    let determining = |said: &LayerVerdict| {
        let profile = layers
            .profiles()
            .find(|profile| profile.layer() == said.layer);
        let policies = said.determining.iter().map(|policy| DeterminingPolicy {
            policy: policy.clone(),
            forbids: profile.and_then(|profile| profile.is_forbid(policy)) == Some(true),
        });
        policies.collect()
    };
    let near_misses = |layer: Layer| {
        misses
            .iter()
            .filter(|miss| miss.purpose == verdict.purpose && miss.layer == layer)
            .map(|miss| {
                let mut profiles = layers.profiles();
                let profile = profiles.find(|profile| profile.layer() == layer);
                let asked = profile.map(|profile| profile.asks_for(&miss.policy));
                let asked = asked.unwrap_or_default();
                (miss, asked)
            })
            .map(|(miss, asked)| PolicyAnswer {
                policy: miss.policy.clone(),
                asks_for_licence: asked.licence,
                asks_for: asked.attestations,
                says: match (&miss.error, miss.forbids) {
                    (Some(_), _) => Says::Undecided,
                    (None, true) => Says::Forbidden,
                    (None, false) => Says::NotPermitted,
                },
                error: miss.error.clone(),
                failed: miss.failed.clone(),
            })
            .collect()
    };
    PurposeAnswer {
        purpose: verdict.purpose.clone(),
        verdict: verdict.verdict,
        layers: verdict
            .layers
            .iter()
            .filter(|layer| layer.verdict != Verdict::Admissible)
            .map(|layer| LayerAnswer {
                layer: layer.layer,
                verdict: layer.verdict,
                policies: determining(layer),
                unnamed: layer.unnamed.map_or(0, |unnamed| unnamed.count),
                errors: layer.errors.clone(),
                near_misses: near_misses(layer.layer),
            })
            .collect(),
        errors: verdict.errors.clone(),
    }
}
