//! Profiles: putting another Cedar text in force for one of this node's own layers.

use super::enact::EnactError;
use crate::clock::ClockError;
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Changing, Node};
use crate::partnership::Standing;
use crate::release::JudgedAgain;
use crate::store::{BoxKey, StoreError, Write};
use ambit_ledger::{Body, Digest, Layer, Name, ProfileActivated, Time};
use ambit_policy::{CheckedProfile, ProfileError, check_profile, schema_digest, schema_text};
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
    /// What waits to be sent cannot be counted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not put in force.
    #[error(transparent)]
    Enact(#[from] EnactError),
    /// The clock cannot be believed.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl From<ActivateError> for Failure {
    fn from(error: ActivateError) -> Self {
        let kind = match &error {
            ActivateError::Clock(_) => FailureKind::TryAgain,
            ActivateError::Profile(_)
            | ActivateError::Findings(_)
            | ActivateError::Layer(_)
            | ActivateError::Store(_)
            | ActivateError::Enact(_) => FailureKind::Failed,
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

/// A profile that is in force, and what was judged otherwise under it at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// What was observed before and is answered otherwise now. What is answered as before, such as what stays withheld by the
    /// same layers, is in none of its numbers.
    pub judged_again: JudgedAgain,
    /// How much waited to be sent when it came into force. That is judged again only when it goes.
    #[serde(default)]
    pub waiting: u64,
}

impl Ask for ActivateProfile {
    type Answer = Activated;

    fn answer(self, node: &Node, now: Time) -> Result<Activated, Failure> {
        Ok(node.activate_profile_anyway(self.layer, &self.text, self.anyway, now)?)
    }
}

/// Checks what can be said of a profile without a node: whether it may be put in force for a layer, and whether it hardly
/// does what is meant.
///
/// # Errors
/// [`ActivateError::Layer`] and, unless somebody says why, [`ActivateError::Findings`].
pub fn check_activation(checked: &CheckedProfile, is_anyway: bool) -> Result<(), ActivateError> {
    let layer = checked.profile.layer();
    if matches!(layer, Layer::Sticky | Layer::Partnership) {
        return Err(ActivateError::Layer(layer));
    }
    if checked.findings.is_empty() || is_anyway {
        return Ok(());
    }
    let findings = checked.findings.iter().map(ToString::to_string);
    Err(ActivateError::Findings(
        findings.collect::<Vec<_>>().join("; "),
    ))
}

impl Node {
    /// Puts a profile in force for one of this node's own layers, and judges again what was undecided or withheld.
    /// Returns the profile's digest. The same text again changes nothing.
    ///
    /// # Errors
    /// Any [`ActivateError`]; but for [`EnactError::CatchUp`] nothing was recorded then.
    pub fn activate_profile(
        &self,
        layer: Layer,
        text: &str,
        now: Time,
    ) -> Result<Digest, ActivateError> {
        let activated = self.activate_profile_anyway(layer, text, None, now)?;
        Ok(activated.digest)
    }

    /// The same for a profile that hardly does what is meant, where somebody says why it is meant so.
    fn activate_profile_anyway(
        &self,
        layer: Layer,
        text: &str,
        anyway: Option<Name>,
        now: Time,
    ) -> Result<Activated, ActivateError> {
        let now = self.instant(now)?;
        let changing = self.changing();
        let checked = check_profile(layer, text, changing.layers().taxonomies())?;
        check_activation(&checked, anyway.is_some())?;
        // A reason is recorded only where one was needed.
        let anyway = anyway.filter(|_| !checked.findings.is_empty());
        let digest = checked.profile.digest();
        let is_in_force = changing
            .layers()
            .profiles()
            .any(|other| other.layer() == layer && other.digest() == digest);
        let waiting = self.waiting_for_all(&changing, now)?;
        let writes = if is_in_force {
            Vec::new()
        } else {
            vec![
                Write::Blob(schema_text().as_bytes().to_vec()),
                Write::Blob(text.as_bytes().to_vec()),
                Write::Entry(Body::ProfileActivated(ProfileActivated {
                    layer,
                    profile: digest,
                    schema: schema_digest(),
                    anyway,
                })),
            ]
        };
        let judged_again = self.enact(changing, writes, now)?;
        Ok(Activated {
            layer,
            digest,
            judged_again,
            waiting,
        })
    }

    /// How much of what was released waits, for all members together.
    fn waiting_for_all(&self, changing: &Changing<'_>, now: Time) -> Result<u64, StoreError> {
        let mut waiting = 0;
        for (partnership, recipient) in changing.signed() {
            if partnership.standing(now) != Standing::Ended {
                let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
                let outbox = self.store().outbox(&outbox);
                waiting += self.waiting(outbox.as_ref())?.released;
            }
        }
        Ok(waiting)
    }
}
