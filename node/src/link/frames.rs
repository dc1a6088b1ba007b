//! The frames of a link: each one deterministic CBOR item. What decodes is well-formed, and nothing more is known of it.

use ambit_ledger::{CodecError, Digest, PartnershipId, RefusalCode, Salt, decode_within, encode};
use serde::{Deserialize, Serialize};

/// The most bytes one frame holds: 256 KiB, an item's three parts at their largest (3 × 65,535 bytes) with room to spare.
pub const FRAME_BYTES_MAX: usize = 262_144;

/// One frame. Append-only: the numbers of variants and fields are on the wire.
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
    /// An item or a frame was refused.
    Reject {
        /// The item; 0 for a frame that is none.
        seq: u64,
        /// Why.
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
        /// The message.
        message: Control,
    },
}

/// What a speaker knows of a link when it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
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

/// A message about a partnership. Its statement is verified by whoever takes it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Control {
    /// A member signed an edition.
    Signature {
        /// The manifest statement.
        #[serde(with = "serde_bytes")]
        statement: Vec<u8>,
    },
    /// A member declined an edition.
    Declined {
        /// The decline statement.
        #[serde(with = "serde_bytes")]
        statement: Vec<u8>,
    },
}

/// Bytes that are no frame, or a frame that is too large.
#[derive(Debug, thiserror::Error)]
#[error("failed to read or write a frame")]
pub struct FrameError(#[from] CodecError);

impl FrameError {
    /// The code that refuses it.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self.0 {
            CodecError::TooLarge { .. } => RefusalCode::TooLarge,
            // The codec may learn to tell more cases apart; all of them mean bytes that are not our encoding.
            _ => RefusalCode::NotCanonical,
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
            return Err(FrameError(CodecError::TooLarge {
                size: bytes.len(),
                limit: FRAME_BYTES_MAX,
            }));
        }
        Ok(bytes)
    }

    /// Reads one frame from outside.
    ///
    /// # Errors
    /// [`FrameError`] for anything but the one encoding of a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        Ok(decode_within(bytes, FRAME_BYTES_MAX)?)
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
        }
    }
}
