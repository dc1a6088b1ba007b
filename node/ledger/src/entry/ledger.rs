//! Bodies about the ledger itself: whose it is, its keys, what is in force, what went wrong.

use crate::codec::is_unset;
use crate::decision::Layer;
use crate::digest::Digest;
use crate::keys::Fingerprint;
use crate::names::{Jurisdiction, Name, OrganizationId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The ledger begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Whose ledger it is.
    pub organization: OrganizationId,
    /// The organization's name.
    pub name: Name,
    /// Its seat.
    pub seat: Jurisdiction,
    /// Its root key.
    pub root: Fingerprint,
    /// The program that wrote it, and its version.
    pub software: Name,
}

/// The root certifies a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCertified {
    /// The statement.
    pub certificate: ByteBuf,
}

/// A layer's profile comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileActivated {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of its Cedar text, a blob.
    pub profile: Digest,
    /// SHA-256 of the Cedar schema, a blob.
    pub schema: Digest,
    /// Why a person put it into force against the check's advice; absent where the check had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anyway: Option<Name>,
}

/// The taxonomies come into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxonomyActivated {
    /// SHA-256 of the taxonomies, a blob.
    pub taxonomies: Digest,
}

/// A key replaces another: the root certifies the one and ends the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotated {
    /// The statement that certifies the new key.
    pub certificate: ByteBuf,
    /// The statement that certifies the old key again, with an end.
    pub ended: ByteBuf,
}

/// A key ends: its root certifies it again, with an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRevoked {
    /// The statement.
    pub certificate: ByteBuf,
    /// Whether the key is believed to be in others' hands.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub compromised: bool,
}

/// A person signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElectronicSignature {
    /// The statement.
    pub signature: ByteBuf,
}

/// A peer's checkpoint was seen, and perhaps cosigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerCheckpoint {
    /// Whose ledger.
    pub organization: OrganizationId,
    /// The signed note (C2SP tlog-checkpoint), with this node's cosignature where it gave one.
    pub note: String,
    /// Whether the ledger was seen to have grown from the checkpoint seen before.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub is_consistent: bool,
}

/// Something went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// What, by a name that versions give.
    pub what: Name,
    /// Whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Name>,
    /// SHA-256 of what shows it, blobs or statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
}

/// Another version of the program writes the ledger from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareChanged {
    /// The program and its version before.
    pub from: Name,
    /// From here on.
    pub to: Name,
}

/// A person accepted a clock that the node did not believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockAccepted {
    /// The last instant that was believed.
    pub believed: Time,
    /// The instant that was accepted.
    pub accepted: Time,
}
