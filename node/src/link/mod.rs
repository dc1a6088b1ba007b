//! The outbox protocol `/ambit/link/2`: one outbox, from the node that opened the link to the node that accepted it.
//!
//! ```text
//! sender                                   recipient
//!   Hello (what it knows)            ──▶
//!                                    ◀──   Hello (cursor, chain, credit)
//!   Evidence, Item, Tombstone        ──▶   judged, committed
//!                                    ◀──   Reject, Ack, Credit          after that commit
//!                                    ◀──   Acknowledgement              signed, over what is committed
//!   Ack                              ──▶   after the acknowledgement is committed here
//!                                    ◀──   Again                        what was not taken, up to there, may be now
//!   Reject (seq, code)               ──▶   why the link ends             where the sender finds that the two disagree
//! ```
//!
//! What must hold here:
//! * An item is taken once and in order, whatever is cut, repeated or restarted: the recipient's cursor decides.
//! * Both ends compute the chains over bodies and outcomes by themselves. Where they part, the link stops and says so.
//! * A recipient forgets a refusal only when the sender confirmed the signed acknowledgement that states it, so a lost
//!   frame never leaves the two with outcomes they cannot agree on.
//! * What the recipient cannot decide is set aside: it holds up nothing behind it, and comes again.
//! * A recipient asks again for nothing but what the sender confirmed to know of, and repeats on every link what it asked
//!   for before; a sender passes over what it went through. So an ask is not lost, and counts once.
//! * Readings go packed where both speak version 3, and are read as if they had not been.
//! * What only a newer version knows is said to be so, and nobody is to blame for it.
//! * Every queue has a limit that the other side cannot raise.
//!
//! This room must never read a clock, open a socket, touch the store, judge, or sign: what it needs is an argument, what it
//! wants is an output. Its driver commits before it speaks.

mod arrived;
mod asking;
mod divergence;
mod frames;
mod item;
mod packed;
mod progress;
mod quota;
mod received;
mod receiver;
mod sender;
mod state;
#[cfg(test)]
mod tests;
mod wanted;

pub use arrived::Arrived;
pub use asking::Asks;
pub use divergence::{Divergence, is_of_divergence};
pub use frames::{
    Control, ControlKind, EVIDENCE_STATEMENTS_MAX, FRAME_BYTES_MAX, Frame, FrameError, Hello,
    UnknownControl, Versions,
};
pub use packed::{pack_readings, unpack_readings};
pub use progress::AcknowledgementError;
pub use quota::{Beyond, Brought, BroughtOn, Quota};
pub use received::{AcceptError, IncomingItem, Received, ResolveError};
pub use receiver::{Accepted, Receiver};
pub use sender::Sender;
pub use state::{AcknowledgementReach, Asked, Inbox, Untaken, untaken_since};
pub use wanted::{Outgoing, SenderOutput};

use ambit_ledger::{Chain, Digest, OrganizationId, PartnershipId, Salt};

/// How many items a recipient lets come beyond what it committed, so that the next are on their way while it commits.
pub const CREDIT_ITEMS: u32 = 128;

/// How many items may go beyond the last signed acknowledgement that both sides have. It bounds the bodies a sender keeps
/// and the refusals a recipient keeps: with the longest names, an inbox that refused them all is one record of 6 KiB.
pub const UNACKNOWLEDGED_ITEMS_MAX: u64 = 256;

/// After how many items a recipient signs even though more are coming. A quarter of what may be unacknowledged, so that
/// the signature is back before the sender has to stop.
pub const ACKNOWLEDGEMENT_ITEMS: u64 = 64;

/// How long a recipient waits until it asks again for what it did not take with one code and what only time mends: an
/// hour.
pub const ASK_AGAIN_SECONDS: u32 = 3_600;

/// How many asks for one code may follow each other at once, where the grounds change each time: an issuer pinned, some
/// statements of its taken in, a licence corrected. Each has the sender judge all of it again.
pub const ASKS_AT_ONCE: u32 = 16;

/// In how many seconds another of those is earned: so long at most does a person wait who changed much at once.
pub const ASK_EARNED_SECONDS: u32 = 60;

/// After how many seconds without an answer a sender says that it is stalled, and stops. A recipient commits in
/// milliseconds; a minute covers a slow disk, a busy policy engine and a slow line together.
pub const STALLED_AFTER_SECONDS: u32 = 60;

/// Whose outbox a link carries, to whom, under which edition of which agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// Under which agreement.
    pub partnership: PartnershipId,
    /// Which edition of it this node has.
    pub edition: Digest,
    /// Whose outbox.
    pub sender: OrganizationId,
    /// For whom.
    pub recipient: OrganizationId,
}

impl Parties {
    /// Where both chains start, for one incarnation of the recipient's store.
    fn start(&self, incarnation: &Salt) -> Chain {
        Chain::start(
            &self.partnership,
            &self.sender,
            &self.recipient,
            incarnation,
        )
    }
}
