//! Why: what would be said now, of one observation for one organization, and what the ledger says was done.

use super::{InspectError, Node};
use crate::release;
use crate::store::BoxKey;
use ambit_ledger::{
    Body, Layer, ObservationId, OrganizationId, PartnershipId, Purpose, Time, Verdict,
};
use serde::{Deserialize, Serialize};

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
    /// What the ledger says was done: `disclosed`, `withheld`, or nothing yet.
    pub recorded: Option<String>,
    /// The entry that says so.
    pub entry: Option<u64>,
    /// The answer for each purpose.
    pub purposes: Vec<PurposeAnswer>,
    /// Why nothing was asked of the layers.
    pub unasked: Option<String>,
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
    /// The policies that forbade it; none where no policy permits it.
    pub policies: Vec<String>,
    /// Evaluation errors.
    pub errors: Vec<String>,
}

impl Node {
    /// Judges one of this node's own observations for another member now, without recording anything.
    ///
    /// # Errors
    /// Any [`InspectError`].
    pub fn why(
        &self,
        prefix: &str,
        to: &OrganizationId,
        now: Time,
    ) -> Result<Vec<Why>, InspectError> {
        let now = self.instant(now);
        let found = self.find(prefix)?;
        let governance = self.governance();
        let mut answers = Vec::new();
        for (partnership, recipient) in governance.recipients() {
            if recipient != to {
                continue;
            }
            let facts = found.observation.facts();
            let is_own = facts.issuer == *governance.organization();
            let released = if is_own {
                release::judge_for(
                    &self.store,
                    &self.decisions,
                    &governance,
                    partnership,
                    recipient,
                    facts,
                    now,
                )?
            } else {
                release::Release::unasked()
            };
            let id = partnership.terms().partnership.clone();
            let observation = found.observation.id();
            let entry = self
                .store
                .outcome_for(&observation, &BoxKey::new(&id, recipient))?;
            let recorded = match entry {
                Some(index) => self
                    .store
                    .entry(index)?
                    .map(|recorded| match recorded.body {
                        Body::Disclosed(_) => "disclosed".to_owned(),
                        _ => "withheld".to_owned(),
                    }),
                None => None,
            };
            let decision = released.judgement.map(|judgement| judgement.decision);
            answers.push(Why {
                observation,
                to: to.clone(),
                partnership: id,
                verdict: released.verdict,
                recorded,
                entry,
                unasked: decision
                    .is_none()
                    .then(|| if is_own { UNASKED } else { NOT_OWN }.to_owned()),
                purposes: decision.map_or_else(Vec::new, |decision| {
                    decision.verdicts.iter().map(answer).collect()
                }),
            });
        }
        if answers.is_empty() {
            return Err(InspectError::NoPartnership(to.clone()));
        }
        Ok(answers)
    }
}

const UNASKED: &str = "no limits of the owner cover this program, this class of data and any purpose of the \
                       partnership, so no layer was asked";

const NOT_OWN: &str =
    "it is held from another organization, and this node passes nothing on, so no layer was asked";

fn answer(verdict: &ambit_ledger::PurposeVerdict) -> PurposeAnswer {
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
                policies: layer.determining.clone(),
                errors: layer.errors.clone(),
            })
            .collect(),
        errors: verdict.errors.clone(),
    }
}
