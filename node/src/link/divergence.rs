//! What shows that two nodes no longer agree on what a link carried.

use ambit_ledger::RefusalCode;

/// The two ends disagree on the past. Sending more would only widen it, so the link stops; a person has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The answer is about another partnership.
    #[error("the recipient answered for another partnership")]
    AnotherPartnership,
    /// The recipient claims more than was ever in the outbox.
    #[error(
        "the recipient took {cursor} items and the outbox holds {last}: this node's database went back in time"
    )]
    SenderWentBack {
        /// The recipient's cursor.
        cursor: u64,
        /// The last sequence number in the outbox.
        last: u64,
    },
    /// The sender knows less than it once confirmed.
    #[error(
        "the sender knows acknowledgements up to {acknowledged} and once confirmed {confirmed}: its database went back in time"
    )]
    SenderForgot {
        /// What the sender knows.
        acknowledged: u64,
        /// What it confirmed.
        confirmed: u64,
    },
    /// The recipient has less than it signed for.
    #[error(
        "the recipient took {cursor} items and signed for {acknowledged}: its database went back in time"
    )]
    RecipientWentBack {
        /// The recipient's cursor.
        cursor: u64,
        /// What it signed for.
        acknowledged: u64,
    },
    /// The recipient goes by a store again that another one of its followed.
    #[error(
        "the recipient answers with a store that another one followed: its database went back in time"
    )]
    StoreCameBack,
    /// The sender knows a later store of this node than this one.
    #[error(
        "the sender has heard from another store of this node since it confirmed {confirmed} items of this one: this node's database went back in time"
    )]
    OwnStoreCameBack {
        /// What it confirmed.
        confirmed: u64,
    },
    /// The recipient is further ahead than anything unacknowledged may be.
    #[error(
        "the recipient took {cursor} items, more than may follow the {acknowledged} acknowledged"
    )]
    Unacknowledged {
        /// The recipient's cursor.
        cursor: u64,
        /// What it signed for.
        acknowledged: u64,
    },
    /// The chains over what was sent differ.
    #[error("the chains over what was sent differ at {upto}")]
    Chain {
        /// The sequence number they were compared at.
        upto: u64,
    },
    /// This node does not have what it sent.
    #[error("this node cannot say what it sent from {from} to {upto}")]
    OwnBodies {
        /// The first sequence number asked for.
        from: u64,
        /// The last.
        upto: u64,
    },
    /// Something is acknowledged that was not sent, or less than before.
    #[error("the recipient acknowledges {upto}, which lies outside what is under way")]
    AckOutOfRange {
        /// What it acknowledges.
        upto: u64,
    },
    /// The recipient is at another place of the link.
    #[error("the recipient refuses {seq} as `{code}`: it is at another place of the link")]
    OutOfStep {
        /// The sequence number refused.
        seq: u64,
        /// The code.
        code: RefusalCode,
    },
}

impl Divergence {
    /// How a sender that found it says so to the recipient: up to which sequence number it refuses what the recipient has,
    /// and as what.
    #[must_use]
    pub const fn refusal(&self) -> (u64, RefusalCode) {
        match self {
            Self::SenderWentBack { cursor, .. } => (*cursor, RefusalCode::Skipped),
            Self::RecipientWentBack { cursor, .. } => (*cursor, RefusalCode::Replayed),
            Self::SenderForgot { confirmed, .. } | Self::OwnStoreCameBack { confirmed } => {
                (*confirmed, RefusalCode::Skipped)
            }
            Self::StoreCameBack => (0, RefusalCode::Replayed),
            Self::Unacknowledged { cursor, .. } => (*cursor, RefusalCode::Skipped),
            Self::AnotherPartnership => (0, RefusalCode::ChainBroken),
            Self::Chain { upto } | Self::OwnBodies { upto, .. } | Self::AckOutOfRange { upto } => {
                (*upto, RefusalCode::ChainBroken)
            }
            Self::OutOfStep { seq, .. } => (*seq, RefusalCode::ChainBroken),
        }
    }
}

/// Whether a sender refuses with this code because it found a [`Divergence`]. A frame without a place is another matter.
#[must_use]
pub const fn is_of_divergence(code: RefusalCode) -> bool {
    is_out_of_step(code) && !matches!(code, RefusalCode::Unexpected)
}

/// The codes by which the link itself refuses an item, as against what was judged of it: the item was not taken.
pub(super) const fn is_out_of_step(code: RefusalCode) -> bool {
    matches!(
        code,
        RefusalCode::Unexpected
            | RefusalCode::Replayed
            | RefusalCode::Skipped
            | RefusalCode::ChainBroken
    )
}
