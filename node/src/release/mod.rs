//! Release: the outbound enforcement point and its driver.
//!
//! ```text
//! draft ─ sign ─▶ observation ─ judge for each recipient ─▶ one commit ─▶ outboxes
//!                                 ▲ again when what is in force changed, and when the frame is written
//! ```
//!
//! Bytes for a peer exist only in its outbox, and only after the decision that lets them out was recorded. Nothing here
//! may hand out a disclosure on its way around that.

mod acknowledging;
mod again;
mod catch_up;
mod disclose;
mod hand_over;
mod observe;
mod offer;
mod offering;
mod run;
mod signing;

pub(crate) use acknowledging::{UnreliableError, record_acknowledgement, verify_acknowledgement};
pub(crate) use again::offer_again;
pub use catch_up::JudgedAgain;
pub use disclose::{Release, SignError, Signed, judge_for, sign};
pub(crate) use hand_over::{HandOverError, bodies, outgoing_some};
pub use observe::{NewObservation, Observe, ObserveError, ObserveReport, RecipientOutcome};
pub use offer::{Offer, OfferError, Offered};
