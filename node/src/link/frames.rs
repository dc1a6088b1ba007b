//! The frames of a link: each one deterministic CBOR item. What decodes is well-formed, and nothing more is known of it.

use super::item::Item;
use super::packed::unpack_readings;
use ambit_ledger::{CodecError, Digest, PartnershipId, RefusalCode, Salt, decode_within, encode};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The most bytes one frame holds: 256 KiB, an item's three parts at their largest (3 × 65,535 bytes) with room to spare.
pub const FRAME_BYTES_MAX: usize = 262_144;

/// How many statements of evidence may come ahead of one item: a chain of disclosures at its longest, a mandate, a
/// derivation, and certificates for each.
pub const EVIDENCE_STATEMENTS_MAX: usize = 32;

/// Since which version items may come with packed readings.
pub(super) const PACKED_SINCE: u16 = 3;

/// One frame. Append-only: the numbers of variants and fields are on the wire. Number 11 is kept for a chunk of an
/// attachment. A frame or a field of a higher number is of a newer version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Frame {
    /// Opens a link, and answers.
    Hello {
        /// What the speaker knows.
        hello: Hello,
    },
    /// An observation under a disclosure.
    Item {
        /// Its sequence number in the outbox, from 1.
        seq: u64,
        /// The chain over bodies after this item.
        chain: Digest,
        /// The observation's statement.
        #[serde(with = "serde_bytes")]
        observation: Vec<u8>,
        /// The disclosure's statement.
        #[serde(with = "serde_bytes")]
        disclosure: Vec<u8>,
        /// The readings block.
        #[serde(with = "serde_bytes")]
        readings: Vec<u8>,
    },
    /// A disclosure that was taken back before it was sent; no reason is given.
    Tombstone {
        /// Its sequence number in the outbox.
        seq: u64,
        /// The chain over bodies after it.
        chain: Digest,
    },
    /// From the recipient: committed up to here. From the sender: the signed acknowledgement up to here is committed.
    Ack {
        /// The last sequence number covered.
        upto: u64,
        /// The chain over bodies there.
        chain: Digest,
    },
    /// The sender may send this many more.
    Credit {
        /// How many items, tombstones included.
        items: u32,
    },
    /// An item or a frame was not taken.
    Reject {
        /// The item; 0 for a frame that is none.
        seq: u64,
        /// Why: a refusal, or that it was set aside.
        code: RefusalCode,
    },
    /// The recipient's signed, cumulative acknowledgement.
    Acknowledgement {
        /// The statement.
        #[serde(with = "serde_bytes")]
        statement: Vec<u8>,
    },
    /// What members of a partnership say about the partnership itself; from either side.
    Control {
        /// What it is.
        kind: ControlKind,
        /// The statement. It is verified by whoever takes it up.
        #[serde(with = "serde_bytes")]
        statement: Vec<u8>,
    },
    /// What it takes to check the next item beyond what every member has: the disclosures before it, a mandate.
    Evidence {
        /// The sequence number of that item.
        seq: u64,
        /// The statements, at most [`EVIDENCE_STATEMENTS_MAX`].
        statements: Vec<ByteBuf>,
    },
    /// From the recipient: what it did not take with this code may be offered again, for its grounds have changed. It
    /// may come more than once, since what says so may be lost.
    Again {
        /// The code.
        code: RefusalCode,
        /// The last sequence number that this is about.
        upto: u64,
    },
    /// An item whose readings are packed, since version 3.
    PackedItem {
        /// Its sequence number in the outbox, from 1.
        seq: u64,
        /// The chain over bodies after this item.
        chain: Digest,
        /// The observation's statement.
        #[serde(with = "serde_bytes")]
        observation: Vec<u8>,
        /// The disclosure's statement.
        #[serde(with = "serde_bytes")]
        disclosure: Vec<u8>,
        /// The readings block, as [`pack_readings`](super::pack_readings) packs it.
        #[serde(with = "serde_bytes")]
        readings: Vec<u8>,
    },
}

/// How many fields each kind of frame has, by its number.
const FIELDS: [u64; 11] = [1, 5, 2, 2, 1, 2, 1, 2, 2, 2, 5];
/// How many fields a [`Hello`] has.
const HELLO_FIELDS: u64 = 8;

/// Which versions of the frames a speaker reads and writes, from `least` to `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// The oldest.
    pub least: u16,
    /// The newest.
    pub most: u16,
}

impl Versions {
    /// Those of this program.
    pub const OWN: Self = Self { least: 2, most: 3 };

    /// The newest that both speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u16> {
        let newest = self.most.min(other.most);
        (newest >= self.least.max(other.least)).then_some(newest)
    }
}

/// What a speaker knows of a link when it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Which versions it speaks.
    pub versions: Versions,
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Which edition of it the speaker has.
    pub edition: Digest,
    /// The incarnation of the speaker's store.
    pub incarnation: Salt,
    /// The incarnation of the other store, as the speaker last knew it; absent where it never heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_incarnation: Option<Salt>,
    /// From the opener: the last sequence number with a signed acknowledgement. In the answer: the last one committed.
    pub cursor: u64,
    /// The chain over bodies at the cursor; absent where the opener knows no incarnation to start it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Digest>,
    /// How many items may come; 0 from the opener.
    pub credit: u32,
}

/// What a statement about a partnership is. Append-only: the number is on the wire; one that this version does not
/// know is kept as it is, and ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum ControlKind {
    /// A member signed an edition: the manifest statement.
    Signature,
    /// A member declined an edition: the decline statement.
    Declined,
    /// A number that a later version gives a meaning.
    Unknown(UnknownControl),
}

/// The number of a kind that this version does not know. Only [`ControlKind::from`] makes one, so that a kind has one
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownControl(u16);

impl From<u16> for ControlKind {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Signature,
            1 => Self::Declined,
            _ => Self::Unknown(UnknownControl(number)),
        }
    }
}

impl From<ControlKind> for u16 {
    fn from(kind: ControlKind) -> Self {
        match kind {
            ControlKind::Signature => 0,
            ControlKind::Declined => 1,
            ControlKind::Unknown(UnknownControl(number)) => number,
        }
    }
}

/// A message about a partnership, on its way to whoever takes it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What it is.
    pub kind: ControlKind,
    /// The statement.
    pub statement: Vec<u8>,
}

impl From<Control> for Frame {
    fn from(Control { kind, statement }: Control) -> Self {
        Self::Control { kind, statement }
    }
}

/// Bytes that this version does not read as a frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// They are no frame, or a frame that is too large.
    #[error("failed to read or write a frame")]
    Codec(#[from] CodecError),
    /// Readings that are not packed as they say, or larger than any once they are unpacked.
    #[error("failed to read a frame: its readings cannot be unpacked")]
    Packed,
    /// A frame, or a field in one, that only a newer version knows.
    #[error("failed to read a frame: it is of a newer version")]
    Newer,
}

impl FrameError {
    /// The code that refuses it.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::Newer => RefusalCode::NewerVersion,
            Self::Codec(CodecError::TooLarge { .. }) => RefusalCode::TooLarge,
            // The codec may learn to tell more cases apart; all of them mean bytes that are not our encoding.
            Self::Codec(_) | Self::Packed => RefusalCode::NotCanonical,
        }
    }
}

impl Frame {
    /// Its bytes.
    ///
    /// # Errors
    /// [`FrameError`] where they are more than [`FRAME_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let bytes = encode(self);
        if bytes.len() > FRAME_BYTES_MAX {
            let error = CodecError::TooLarge {
                size: bytes.len(),
                limit: FRAME_BYTES_MAX,
            };
            return Err(error.into());
        }
        Ok(bytes)
    }

    /// Reads one frame from outside.
    ///
    /// # Errors
    /// [`FrameError`] for anything but the one encoding of a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        match decode_within(bytes, FRAME_BYTES_MAX) {
            // Well-formed, and not what it would be in this version.
            Err(CodecError::Shape(_)) if is_newer(bytes).unwrap_or(false) => Err(FrameError::Newer),
            read => Ok(read?),
        }
    }

    /// The same with readings as they are, so that nobody else has to know of packed ones.
    ///
    /// # Errors
    /// [`FrameError::Packed`].
    pub fn unpacked(self) -> Result<Self, FrameError> {
        let Self::PackedItem {
            seq,
            chain,
            observation,
            disclosure,
            readings,
        } = self
        else {
            return Ok(self);
        };
        Ok(Self::Item {
            seq,
            chain,
            observation,
            disclosure,
            readings: unpack_readings(&readings).ok_or(FrameError::Packed)?,
        })
    }

    /// Its kind, for output that must not show what it carries.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Item { .. } => "item",
            Self::Tombstone { .. } => "tombstone",
            Self::Ack { .. } => "ack",
            Self::Credit { .. } => "credit",
            Self::Reject { .. } => "reject",
            Self::Acknowledgement { .. } => "acknowledgement",
            Self::Control { .. } => "control",
            Self::Evidence { .. } => "evidence",
            Self::Again { .. } => "again",
            Self::PackedItem { .. } => "packed item",
        }
    }
}

/// Whether a well-formed item is a frame with a number that this version does not know: of its kind, or of a field.
/// Nothing where it is no frame of any version.
fn is_newer(bytes: &[u8]) -> Option<bool> {
    let mut frame = Item::read(bytes)?.into_map()?;
    let (kind, fields) = frame.next()?;
    if frame.next().is_some() {
        return None;
    }
    let Some(known) = FIELDS.get(usize::try_from(kind).ok()?) else {
        return Some(true);
    };
    let mut hello = None;
    for (field, value) in fields.into_map()? {
        if field >= *known {
            return Some(true);
        }
        hello = Some(value).filter(|_| kind == 0);
    }
    let mut fields = hello?.into_map()?;
    Some(fields.any(|(field, _)| field >= HELLO_FIELDS))
}
