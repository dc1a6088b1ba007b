//! What a sender wants done, and what it is given to send.

use super::{Control, Divergence, Frame};
use ambit_ledger::{Digest, RefusalCode, Salt};

/// What a sender wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderOutput {
    /// Send this frame.
    Send(Frame),
    /// Answer with [`Sender::supply_bodies`](super::Sender::supply_bodies): what was sent under these sequence numbers, both included.
    NeedBodies {
        /// The first.
        from: u64,
        /// The last.
        upto: u64,
    },
    /// Answer with [`Sender::supply_item`](super::Sender::supply_item): judge this item again now. Only here, and after the withdrawal is committed,
    /// does an item become a tombstone; so what was sent is known ever after.
    NeedItem {
        /// Its sequence number.
        seq: u64,
    },
    /// Both ends agree on the past; the recipient has everything up to here.
    Opened {
        /// The recipient's cursor.
        cursor: u64,
    },
    /// The recipient's store is another one than the one that acknowledged: everything goes again.
    StartsOver {
        /// The new store's incarnation.
        incarnation: Salt,
    },
    /// The recipient has another edition of the partnership. Control messages pass, items wait for a link opened when both
    /// have the same.
    EditionDiffers {
        /// This node's edition.
        own: Digest,
        /// The recipient's.
        theirs: Digest,
    },
    /// The recipient committed up to here.
    Acked {
        /// The last sequence number committed.
        upto: u64,
    },
    /// The recipient refused an item or set it aside, or, with 0, a frame.
    Rejected {
        /// The item.
        seq: u64,
        /// Why.
        code: RefusalCode,
    },
    /// Verify this statement, hand it to [`Sender::acknowledge`](super::Sender::acknowledge), commit the result, then tell
    /// [`Sender::acknowledgement_committed`](super::Sender::acknowledgement_committed).
    Acknowledgement {
        /// The statement.
        statement: Vec<u8>,
    },
    /// A message about the partnership.
    Control(Control),
    /// What the recipient did not take with this code may be offered again: judge it anew. Where that was gone through
    /// before, the recipient only makes sure.
    Again {
        /// The code.
        code: RefusalCode,
        /// The last sequence number that this is about.
        upto: u64,
    },
    /// There is no version that both speak. The link stopped.
    NoCommonVersion,
    /// The recipient does not answer. Said once; items wait until it does.
    Stalled,
    /// The link stopped for good.
    Diverged(Divergence),
}

/// What goes out under a sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// An observation under a disclosure.
    Item {
        /// The observation's statement.
        observation: Vec<u8>,
        /// The disclosure's statement.
        disclosure: Vec<u8>,
        /// The readings block.
        readings: Vec<u8>,
        /// Whether that is packed, as [`Sender::takes_packed`](super::Sender::takes_packed) allows.
        is_packed: bool,
        /// Statements to check it by, at most [`EVIDENCE_STATEMENTS_MAX`](super::EVIDENCE_STATEMENTS_MAX).
        evidence: Vec<Vec<u8>>,
    },
    /// The disclosure was taken back, and that is committed.
    Tombstone,
}
