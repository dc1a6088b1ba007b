//! Entries of the ledger: what a node did, in order, each with a nonce so that its leaf hash can't be guessed.

use crate::codec::{self, CodecError};
use crate::decision::{Decision, Layer};
use crate::digest::{Digest, DisclosureId, ObservationId, Salt};
use crate::keys::Fingerprint;
use crate::names::{Jurisdiction, Name, OrganizationId, PartnershipId};
use crate::refusal::RefusalCode;
use crate::terms::Limits;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// One entry. Its leaf is the hash of its encoding (RFC 9162 §2.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Random.
    pub nonce: Salt,
    /// The number of a [`Kind`]; others are kept and are incomplete evidence.
    pub kind: u32,
    /// When, by the node's clock; never before the entry above.
    pub time: Time,
    /// Who caused it, by an opaque id; never a person's name.
    pub actor: Name,
    /// Why, where a person gave a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
    /// The encoding of the kind's body.
    pub body: ByteBuf,
}

/// Numbers the kinds of entry, and ties the ones written here to their bodies.
macro_rules! kinds {
    ($($(#[$doc:meta])* $number:literal $kind:ident $label:literal $(=> $body:ident)?;)*) => {
        /// What an entry records. Append-only: the number is in the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The number in the ledger.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$kind => $number,)* }
            }

            /// The kind of this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$kind),)* _ => None }
            }

            /// The name in tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $label,)* }
            }
        }

        /// The body of an entry.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Body {
            $($(#[doc = concat!("The body of *", $label, "*.")] $kind($body),)?)*
            /// Of a kind whose body this version does not read: incomplete evidence, not an error.
            Unread {
                /// The kind's number.
                kind: u32,
                /// The body's bytes.
                bytes: Vec<u8>,
            },
        }

        impl Body {
            /// The kind's number.
            #[must_use]
            pub fn kind(&self) -> u32 {
                match self {
                    $($(Self::$kind($body { .. }) => $number,)?)*
                    Self::Unread { kind, .. } => *kind,
                }
            }

            /// The body's bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $($(Self::$kind(body) => codec::encode::<$body>(body),)?)*
                    Self::Unread { bytes, .. } => bytes.clone(),
                }
            }

            /// Reads the body of an entry.
            ///
            /// # Errors
            /// [`CodecError`] where the body is not of its kind's shape.
            pub fn decode(kind: u32, bytes: &[u8]) -> Result<Self, CodecError> {
                match kind {
                    $($($number => codec::decode::<$body>(bytes).map(Self::$kind),)?)*
                    _ => Ok(Self::Unread { kind, bytes: bytes.to_vec() }),
                }
            }
        }
    };
}

kinds! {
    /// The ledger begins.
    1 Opened "opened" => Opened;
    /// The root certifies a key.
    2 KeyCertified "key certified" => KeyCertified;
    /// A key replaces another.
    3 KeyRotated "key rotated";
    /// A key is no longer good.
    4 KeyRevoked "key revoked";
    /// An edition of a partnership is proposed, signed or in force.
    5 PartnershipEdition "partnership edition" => PartnershipEdition;
    /// A partnership ends.
    6 PartnershipDissolved "partnership dissolved";
    /// A layer's profile comes into force.
    7 ProfileActivated "profile activated" => ProfileActivated;
    /// The taxonomies come into force.
    8 TaxonomyActivated "taxonomy activated" => TaxonomyActivated;
    /// This node made an observation.
    9 Observed "observed" => Observed;
    /// A class of observations was judged.
    10 Decided "decided" => Decided;
    /// An observation was put into a recipient's outbox.
    11 Disclosed "disclosed" => Disclosed;
    /// An observation was withheld from a recipient.
    12 Withheld "withheld" => Withheld;
    /// A disclosure was taken back before it left.
    13 Withdrawn "withdrawn" => Withdrawn;
    /// An observation was taken in.
    14 Admitted "admitted" => Admitted;
    /// What a peer sent was refused.
    15 Refused "refused" => Refused;
    /// A recipient acknowledged.
    16 Acknowledged "acknowledged" => Acknowledged;
    /// Data was used.
    17 Used "used";
    /// The owner set limits.
    18 LimitsSet "limits set" => LimitsSet;
    /// Retention was judged.
    19 Retained "retained";
    /// A legal hold began.
    20 Held "held";
    /// A legal hold ended.
    21 ReleasedFromHold "released from hold";
    /// Readings were erased.
    22 Erased "erased";
    /// A recipient attests an erasure.
    23 ErasureAttested "erasure attested";
    /// A label was taken off derived data.
    24 Declassified "declassified";
    /// An earlier observation was corrected.
    25 Corrected "corrected";
    /// A person signed.
    26 ElectronicSignature "electronic signature";
    /// A peer's checkpoint was seen.
    27 PeerCheckpoint "peer checkpoint";
    /// Something went wrong.
    28 Incident "incident";
    /// A member declined an edition.
    29 PartnershipDeclined "partnership declined" => PartnershipDeclined;
}

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

/// Where an edition of a partnership stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditionStage {
    /// Some members have signed. Nothing is sent.
    Proposed,
    /// All members have signed.
    Active,
}

/// An edition of a partnership is proposed, signed or in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipEdition {
    /// The agreement.
    pub partnership: PartnershipId,
    /// SHA-256 of the terms, a blob.
    pub edition: Digest,
    /// Where it stands.
    pub stage: EditionStage,
    /// SHA-256 of the signatures known, blobs, ascending.
    pub signatures: Vec<Digest>,
    /// The root fingerprints that were compared for the other members, ascending by organization.
    pub roots: Vec<ComparedRoot>,
    /// SHA-256 of the rendered Cedar text, a blob.
    pub profile: Digest,
}

/// A root key's fingerprint that someone compared out of band.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedRoot {
    /// Whose root.
    pub organization: OrganizationId,
    /// Its fingerprint.
    pub root: Fingerprint,
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
}

/// The taxonomies come into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxonomyActivated {
    /// SHA-256 of the taxonomies, a blob.
    pub taxonomies: Digest,
}

/// This node made an observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The statement.
    pub observation: ByteBuf,
    /// The key slot its readings are sealed with.
    pub slot: u64,
    /// What it was imported from, as a keyed digest, so that a second import of the same adds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Digest>,
}

/// A class of observations was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The decision. Its digest names it.
    pub decision: Decision,
}

/// An observation was put into a recipient's outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The statement.
    pub disclosure: ByteBuf,
    /// Its sequence number in the outbox, from 1.
    pub seq: u64,
}

/// An observation was withheld from a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The observation.
    pub observation: ObservationId,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// From whom.
    pub recipient: OrganizationId,
    /// SHA-256 of the decision; absent where no limits cover the observation, so nothing was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Digest>,
    /// Whether the decision was *undecided*; it is judged again when its inputs change.
    pub undecided: bool,
}

/// A disclosure was taken back before it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The disclosure.
    pub disclosure: DisclosureId,
    /// The observation it was of.
    pub observation: ObservationId,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Whose outbox.
    pub recipient: OrganizationId,
    /// Its sequence number there.
    pub seq: u64,
    /// SHA-256 of the decision that took it back; absent where the agreement itself was no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Digest>,
    /// Whether that decision was *undecided*; the observation is judged again when its inputs change.
    pub undecided: bool,
}

/// An observation was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The observation's statement.
    pub observation: ByteBuf,
    /// The disclosure's statement.
    pub disclosure: ByteBuf,
    /// SHA-256 of the decision to admit it.
    pub decision: Digest,
    /// Its sequence number on the link.
    pub seq: u64,
    /// The key slot its readings are sealed with.
    pub slot: u64,
}

/// What a peer sent was refused. One entry for all that a commit group refused of one peer with one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Who sent it.
    pub sender: OrganizationId,
    /// On which partnership's link.
    pub partnership: PartnershipId,
    /// Why.
    pub code: RefusalCode,
    /// How many.
    pub count: u64,
    /// SHA-256 of what was sent, the first of them.
    pub digests: Vec<Digest>,
}

/// A recipient acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// The statement.
    pub acknowledgement: ByteBuf,
}

/// The owner set limits for a kind of observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSet {
    /// The limits.
    pub limits: Limits,
}

/// A member declined an edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipDeclined {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The statement.
    pub decline: ByteBuf,
}

impl Entry {
    /// An entry with this body.
    #[must_use]
    pub fn new(nonce: Salt, time: Time, actor: Name, reason: Option<Name>, body: &Body) -> Self {
        Self {
            nonce,
            kind: body.kind(),
            time,
            actor,
            reason,
            body: ByteBuf::from(body.encode()),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry from outside.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes)
    }

    /// Reads its body.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn body(&self) -> Result<Body, CodecError> {
        Body::decode(self.kind, &self.body)
    }
}
