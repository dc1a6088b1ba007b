//! The profiles in force, and what a person must know of them.

use super::held::InspectError;
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Node};
use crate::partnership::Governance;
use crate::store::StoreError;
use ambit_ledger::{Digest, Layer, Name, Time};
use ambit_policy::{shipped, shipped_with};
use serde::{Deserialize, Serialize};

/// The profile of one of this node's own layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileStatus {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of its Cedar text.
    pub profile: Digest,
    /// The version of the program it came with; absent where it is an operator's own.
    pub shipped_with: Option<String>,
    /// Since when it is in force.
    pub since: Time,
    /// Why it was put in force although it hardly does what is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anyway: Option<Name>,
    /// Why it cannot judge; until it is replaced, all is undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// The text that is in force for a layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowProfile {
    /// The layer.
    pub layer: Layer,
}

/// The text of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileText {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of the text.
    pub profile: Digest,
    /// Its Cedar policies.
    pub text: String,
}

/// A layer has no one text.
#[derive(Debug, thiserror::Error)]
pub enum ShowProfileError {
    /// Each agreement has its own.
    #[error(
        "the layer `partnership` has a text for each agreement, rendered from the terms that were signed; show another layer"
    )]
    Rendered,
    /// It cannot be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
}

impl From<ShowProfileError> for Failure {
    fn from(error: ShowProfileError) -> Self {
        match error {
            ShowProfileError::Rendered => Self::new(FailureKind::Usage, &error),
            ShowProfileError::Inspect(error) => error.into(),
        }
    }
}

impl Ask for ShowProfile {
    type Answer = ProfileText;

    fn answer(self, node: &Node, _: Time) -> Result<ProfileText, Failure> {
        Ok(node.profile_text(self.layer)?)
    }
}

impl Node {
    /// The text that is in force for one of this node's own layers.
    ///
    /// # Errors
    /// Any [`ShowProfileError`].
    pub fn profile_text(&self, layer: Layer) -> Result<ProfileText, ShowProfileError> {
        let governance = self.governance();
        let mut activated = governance.activated();
        let (_, activated) = activated
            .find(|(other, _)| *other == layer)
            .ok_or(ShowProfileError::Rendered)?;
        let profile = activated.profile;
        let blob = self.store().blob(&profile).map_err(InspectError::from)?;
        let text = blob
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(StoreError::Damaged("the text of a profile is missing"))
            .map_err(InspectError::from)?;
        Ok(ProfileText {
            layer,
            profile,
            text,
        })
    }
}

/// The text that came with this program for a layer.
///
/// # Errors
/// [`ShowProfileError::Rendered`].
pub fn shipped_text(layer: Layer) -> Result<ProfileText, ShowProfileError> {
    let profile = shipped(layer).ok_or(ShowProfileError::Rendered)?;
    Ok(ProfileText {
        layer,
        profile: profile.digest(),
        text: profile.text().to_owned(),
    })
}

/// The profiles in force, ascending by layer.
pub(super) fn profiles(governance: &Governance) -> Vec<ProfileStatus> {
    let broken = |layer: Layer| {
        let mut broken = governance.layers().broken();
        let broken = broken.find(|broken| broken.layer() == layer)?;
        Some(broken.error().to_string())
    };
    let profiles = governance
        .activated()
        .map(|(layer, activated)| ProfileStatus {
            layer,
            profile: activated.profile,
            shipped_with: shipped_with(layer, &activated.profile).map(str::to_owned),
            since: activated.at,
            anyway: activated.anyway.clone(),
            broken: broken(layer),
        });
    profiles.collect()
}
