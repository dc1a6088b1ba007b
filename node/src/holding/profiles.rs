//! The profiles in force, and what a person must know of them.

use crate::partnership::Governance;
use ambit_ledger::{Digest, Layer, Name, Time};
use ambit_policy::shipped_with;
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
