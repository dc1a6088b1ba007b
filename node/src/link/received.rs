//! What comes of the frames that a recipient gets, and why it does not take a link or an outcome.

use super::divergence::is_out_of_step;
use super::{Control, Frame};
use ambit_ledger::{ItemBody, Outcome, RefusalCode};

/// What one frame comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Judge this item; then [`Receiver::resolve`](super::Receiver::resolve). What nobody can decide now is set aside. While this
    /// node's clock cannot be believed it stays unresolved, and no more credit is given.
    Take(IncomingItem),
    /// The sender took this item back: resolve it as [`Outcome::Noted`] in its turn.
    Withdrawn {
        /// Its sequence number.
        seq: u64,
    },
    /// Send this; the state is as before.
    Reply(Frame),
    /// It is kept for the next item.
    Kept,
    /// The sender committed the signed acknowledgement up to here.
    Confirmed {
        /// The last sequence number it covers.
        upto: u64,
        /// Send this, where it is there.
        reply: Option<Frame>,
    },
    /// A message about the partnership.
    Control(Control),
    /// The sender refused a frame.
    Rejected {
        /// 0: a recipient sends no items.
        seq: u64,
        /// Why.
        code: RefusalCode,
    },
}

/// An item in its place on the link, not verified and not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingItem {
    /// Its sequence number.
    pub seq: u64,
    /// The observation's statement.
    pub observation: Vec<u8>,
    /// The disclosure's statement.
    pub disclosure: Vec<u8>,
    /// The readings block.
    pub readings: Vec<u8>,
    /// Statements that came ahead of it, to check it by.
    pub evidence: Vec<Vec<u8>>,
    /// What the chains hold of it.
    pub body: ItemBody,
}

/// Why a link is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The Hello is for another partnership than the parties given.
    #[error("failed to accept a link: its hello is for another partnership")]
    AnotherPartnership,
    /// There is no version that both speak.
    #[error(
        "failed to accept a link: it takes a newer version, or an older one, than this program speaks"
    )]
    NoCommonVersion,
}

/// Why an outcome cannot be that of the oldest item pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nothing is pending.
    #[error("failed to resolve an item: none is pending")]
    NothingPending,
    /// A tombstone is noted, and only a tombstone is.
    #[error("failed to resolve {0}: a tombstone is noted, an item admitted, refused or set aside")]
    Kind(u64),
    /// The code is one by which the link refuses a frame, or a refusal where it sets aside, or the other way.
    #[error("failed to resolve {0} as `{1}`: that code says something else of an item")]
    Code(u64, RefusalCode),
}

/// With which code an item was not taken.
pub(super) fn untaken(
    (seq, body): (u64, ItemBody),
    outcome: Outcome,
) -> Result<Option<RefusalCode>, ResolveError> {
    match (body, outcome) {
        (ItemBody::Item { .. }, Outcome::Refused(code))
            if code.is_set_aside() || is_out_of_step(code) =>
        {
            Err(ResolveError::Code(seq, code))
        }
        (ItemBody::Item { .. }, Outcome::SetAside(code)) if !code.is_set_aside() => {
            Err(ResolveError::Code(seq, code))
        }
        (ItemBody::Item { .. }, Outcome::Refused(code) | Outcome::SetAside(code)) => Ok(Some(code)),
        (ItemBody::Item { .. }, Outcome::Admitted) | (ItemBody::Tombstone, Outcome::Noted) => {
            Ok(None)
        }
        (ItemBody::Item { .. }, Outcome::Noted)
        | (ItemBody::Tombstone, Outcome::Admitted | Outcome::Refused(_) | Outcome::SetAside(_)) => {
            Err(ResolveError::Kind(seq))
        }
    }
}
