//! Entries of the ledger: what a node did, in order, each with a nonce so that its leaf hash can't be guessed.

mod agreement;
mod holding;
mod ledger;
mod transfer;

pub use agreement::{
    ActHeard, ActMade, AttestationRecorded, CardConfirmed, CardSeen, ComparedRoot, EditionStage,
    EquivocationProved, GrantRecorded, IssuerPinned, MandateRecorded, MemberJoined,
    PartnershipDeclined, PartnershipDissolved, PartnershipEdition, PartnershipSetAside,
    PatternEnded, PatternOpened, PatternSigned,
};
pub use holding::{
    Corrected, Declassified, DeriveDecided, Derived, Erased, ErasedItem, ErasureAttested,
    ErasureRule, Held, Label, ReleasedFromHold, RetainDecided, RetainOutcome, Retained, UseDecided,
    Used,
};
pub use ledger::{
    ClockAccepted, ElectronicSignature, Incident, KeyCertified, KeyRevoked, KeyRotated, Opened,
    PeerCheckpoint, ProfileActivated, SoftwareChanged, TaxonomyActivated,
};
pub use transfer::{
    Acknowledged, Admitted, Decided, Disclosed, LimitsSet, Observed, OfferedAgain, OnwardNoted,
    OutboxEnded, Refused, SetAside, Withdrawal, Withdrawn, Withheld,
};

use crate::codec::{self, CodecError};
use crate::digest::Salt;
use crate::names::Name;
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

/// Numbers and names the kinds of entry. Each has a body of its own name. Those in use are apart from those that are
/// only laid, so that readers need not name what nobody writes.
macro_rules! kinds {
    (
        in use { $($(#[$doc:meta])* $number:literal $kind:ident $label:literal;)* }
        laid { $($(#[$laid_doc:meta])* $laid_number:literal $laid_kind:ident $laid_label:literal;)* }
    ) => {
        /// What an entry records. Append-only: the number is in the ledger, and a body never gains a field: with one
        /// it is another kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
            $($(#[$laid_doc])* $laid_kind,)*
        }

        impl Kind {
            /// All of them, by number. The numbers have no gap.
            pub fn all() -> impl Iterator<Item = Self> {
                (1..).map_while(Self::from_number)
            }

            /// The number in the ledger.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$kind => $number,)* $(Self::$laid_kind => $laid_number,)* }
            }

            /// The kind of this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$kind),)*
                    $($laid_number => Some(Self::$laid_kind),)*
                    _ => None,
                }
            }

            /// Whether nodes of this version write it and act on it.
            #[must_use]
            pub const fn is_in_use(self) -> bool {
                match self { $(Self::$kind => true,)* $(Self::$laid_kind => false,)* }
            }

            /// The name in tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $label,)* $(Self::$laid_kind => $laid_label,)* }
            }
        }

        /// The body of an entry.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Body {
            $(#[doc = concat!("The body of *", $label, "*.")] $kind($kind),)*
            /// Of a kind that nothing acts on yet.
            Laid(Laid),
            /// Of a number that this version does not know: incomplete evidence, not an error.
            Unread {
                /// The kind's number.
                kind: u32,
                /// The body's bytes.
                bytes: Vec<u8>,
            },
        }

        /// The body of an entry of a kind that has its shape and number, and that this version neither writes nor acts
        /// on. A kind that comes into use becomes one of [`Body`]'s own, and whoever reads entries has to answer it.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Laid {
            $(#[doc = concat!("The body of *", $laid_label, "*.")] $laid_kind($laid_kind),)*
        }

        impl Body {
            /// The kind's number.
            #[must_use]
            pub fn kind(&self) -> u32 {
                match self {
                    $(Self::$kind(_) => $number,)*
                    $(Self::Laid(Laid::$laid_kind(_)) => $laid_number,)*
                    Self::Unread { kind, .. } => *kind,
                }
            }

            /// The body's bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$kind(body) => codec::encode::<$kind>(body),)*
                    $(Self::Laid(Laid::$laid_kind(body)) => codec::encode::<$laid_kind>(body),)*
                    Self::Unread { bytes, .. } => bytes.clone(),
                }
            }

            /// Reads the body of an entry.
            ///
            /// # Errors
            /// [`CodecError`] where the body is not of its kind's shape.
            pub fn decode(kind: u32, bytes: &[u8]) -> Result<Self, CodecError> {
                match kind {
                    $($number => codec::decode::<$kind>(bytes).map(Self::$kind),)*
                    $($laid_number => codec::decode::<$laid_kind>(bytes).map(Laid::$laid_kind).map(Self::Laid),)*
                    _ => Ok(Self::Unread { kind, bytes: bytes.to_vec() }),
                }
            }
        }
    };
}

kinds! {
    in use {
        /// The ledger begins.
        1 Opened "opened";
        /// The root certifies a key.
        2 KeyCertified "key certified";
        /// An edition of a partnership is proposed, signed or in force.
        5 PartnershipEdition "partnership edition";
        /// A layer's profile comes into force.
        7 ProfileActivated "profile activated";
        /// The taxonomies come into force.
        8 TaxonomyActivated "taxonomy activated";
        /// This node made an observation.
        9 Observed "observed";
        /// A class of observations was judged for a transfer.
        10 Decided "decided";
        /// An observation was put into a recipient's outbox.
        11 Disclosed "disclosed";
        /// An observation was withheld from a recipient.
        12 Withheld "withheld";
        /// A disclosure was taken back before it left.
        13 Withdrawn "withdrawn";
        /// An observation was taken in.
        14 Admitted "admitted";
        /// What a peer sent was refused.
        15 Refused "refused";
        /// A recipient acknowledged.
        16 Acknowledged "acknowledged";
        /// The owner set limits.
        18 LimitsSet "limits set";
        /// A member declined an edition.
        29 PartnershipDeclined "partnership declined";
        /// An issuer's root was pinned, or no longer is.
        34 IssuerPinned "issuer pinned";
        /// An attestation was taken in.
        35 AttestationRecorded "attestation recorded";
        /// What a peer sent was set aside.
        38 SetAside "set aside";
        /// What was not taken was offered again.
        39 OfferedAgain "offered again";
    }
    laid {
        /// A key replaces another.
        3 KeyRotated "key rotated";
        /// A key ends.
        4 KeyRevoked "key revoked";
        /// A partnership is dissolved.
        6 PartnershipDissolved "partnership dissolved";
        /// Data was used.
        17 Used "used";
        /// Retention was judged of what is held.
        19 Retained "retained";
        /// A legal hold began.
        20 Held "held";
        /// A legal hold ended.
        21 ReleasedFromHold "released from hold";
        /// Readings were erased.
        22 Erased "erased";
        /// A holder attests an erasure.
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
        /// This node did something to an agreement by itself.
        30 ActMade "act made";
        /// Another member did.
        31 ActHeard "act heard";
        /// A member's card was seen.
        32 CardSeen "card seen";
        /// A person confirmed what changed on a card.
        33 CardConfirmed "card confirmed";
        /// A grant was taken in.
        36 GrantRecorded "grant recorded";
        /// A mandate was given or taken in.
        37 MandateRecorded "mandate recorded";
        /// A class of what is held was judged for retention.
        40 RetainDecided "retain decided";
        /// Inputs of one class were judged for a derivation.
        41 DeriveDecided "derive decided";
        /// A class of what is held was judged for a use.
        42 UseDecided "use decided";
        /// An observation was derived.
        43 Derived "derived";
        /// The program changed.
        44 SoftwareChanged "software changed";
        /// A person accepted the clock.
        45 ClockAccepted "clock accepted";
        /// What waited in an outbox was taken back at once.
        46 OutboxEnded "outbox ended";
        /// This node set a partnership aside for itself, or took it up again.
        47 PartnershipSetAside "partnership set aside";
        /// A member joined by an agreement's own rule.
        48 MemberJoined "member joined";
        /// A coordination pattern was signed.
        49 PatternSigned "pattern signed";
        /// A coordination pattern opened.
        50 PatternOpened "pattern opened";
        /// An opening of a coordination pattern ended.
        51 PatternEnded "pattern ended";
        /// Someone signed two things of which he may sign one.
        52 EquivocationProved "equivocation proved";
        /// Who got an observation from this node passed it on.
        53 OnwardNoted "onward noted";
    }
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
