//! Admit: the inbound enforcement point and its driver.
//!
//! ```text
//! link ─▶ what waits ─ verify ─ judge with this node's own layers ─▶ one commit ─▶ acknowledgement
//! ```
//!
//! It must never take in what it could not verify to the last byte, and never reject what it merely could not decide.

mod ahead;
mod item;
mod settle;

pub(crate) use ahead::{Ahead, verify_ahead};
pub use item::{Admission, Incoming, Verified, admit, verify};
pub(crate) use settle::{Refusals, Settling, Waiting, grounds, refusal_writes};
