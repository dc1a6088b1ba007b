//! Profiles: putting another Cedar text in force for one of this node's own layers.

use crate::clock::ClockError;
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Node, actor};
use crate::partnership::GovernanceError;
use crate::release::ObserveError;
use crate::store::{Commit, StoreError, Write};
use ambit_ledger::{Body, Digest, Layer, Name, ProfileActivated, Time};
use ambit_policy::{ProfileError, check_profile, schema_digest, schema_text};
use serde::{Deserialize, Serialize};

/// A profile cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// The text is a profile that hardly does what is meant.
    #[error("{0}; if it is meant so, put it in force with `--anyway --reason TEXT`")]
    Findings(String),
    /// The text is no profile.
    #[error("the profile cannot be used")]
    Profile(#[from] ProfileError),
    /// The layer is not the operator's to change.
    #[error(
        "the layer `{0}` is not this node's own: sticky has the same text at every node, partnership is rendered from the terms that were signed"
    )]
    Layer(Layer),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in force cannot be read.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// What was undecided or withheld cannot be judged again.
    #[error(
        "the profile is in force, but what was undecided or withheld could not be judged again"
    )]
    Judge(#[source] ObserveError),
}

impl From<ActivateError> for Failure {
    fn from(error: ActivateError) -> Self {
        let kind = match &error {
            ActivateError::Clock(_) => FailureKind::TryAgain,
            ActivateError::Profile(_)
            | ActivateError::Findings(_)
            | ActivateError::Layer(_)
            | ActivateError::Store(_)
            | ActivateError::Governance(_)
            | ActivateError::Judge(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

/// Puts a profile in force for one of this node's own layers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivateProfile {
    /// The layer.
    pub layer: Layer,
    /// Its Cedar text.
    pub text: String,
    /// Why it is put in force although it admits nothing, or stops nothing where it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anyway: Option<Name>,
}

impl Ask for ActivateProfile {
    type Answer = Digest;

    fn answer(self, node: &Node, now: Time) -> Result<Digest, Failure> {
        Ok(node.activate_profile_anyway(self.layer, &self.text, self.anyway, now)?)
    }
}

impl Node {
    /// Puts a profile in force for one of this node's own layers, and judges again what was undecided or withheld.
    /// Returns the profile's digest. The same text again changes nothing.
    ///
    /// # Errors
    /// Any [`ActivateError`]; but for [`ActivateError::Judge`] nothing was recorded then.
    pub fn activate_profile(
        &self,
        layer: Layer,
        text: &str,
        now: Time,
    ) -> Result<Digest, ActivateError> {
        self.activate_profile_anyway(layer, text, None, now)
    }

    /// The same for a profile that hardly does what is meant, where somebody says why it is meant so.
    fn activate_profile_anyway(
        &self,
        layer: Layer,
        text: &str,
        anyway: Option<Name>,
        now: Time,
    ) -> Result<Digest, ActivateError> {
        if matches!(layer, Layer::Sticky | Layer::Partnership) {
            return Err(ActivateError::Layer(layer));
        }
        let governance = self.governance();
        let checked = check_profile(layer, text, governance.layers().taxonomies())?;
        let findings = checked.findings.iter().map(ToString::to_string);
        let findings = findings.collect::<Vec<_>>().join("; ");
        if !findings.is_empty() && anyway.is_none() {
            return Err(ActivateError::Findings(findings));
        }
        // A reason is recorded only where one was needed.
        let anyway = anyway.filter(|_| !findings.is_empty());
        let digest = checked.profile.digest();
        let is_in_force = governance
            .layers()
            .profiles()
            .any(|other| other.layer() == layer && other.digest() == digest);
        if is_in_force {
            return Ok(digest);
        }
        let now = self.instant(now)?;
        {
            // Nothing is judged under the old profile and committed after the new one.
            let _releasing = self.releasing_lock();
            let _changing = self.changing();
            self.store().commit(Commit {
                actor: actor("operator"),
                reason: None,
                now,
                writes: vec![
                    Write::Blob(schema_text().as_bytes().to_vec()),
                    Write::Blob(text.as_bytes().to_vec()),
                    Write::Entry(Body::ProfileActivated(ProfileActivated {
                        layer,
                        profile: digest,
                        schema: schema_digest(),
                        anyway,
                    })),
                ],
            })?;
            self.reload()?;
        }
        self.catch_up(now).map_err(ActivateError::Judge)?;
        Ok(digest)
    }
}
