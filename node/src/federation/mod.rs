//! The federation: keeps the mesh told whom to admit, and a link in each direction for every other member
//! of every partnership.
//!
//! It joins rooms and decides nothing: what may leave is `release`'s to say, what comes in is `admit`'s, in
//! which order `link`'s. One peer's trouble must never hold up another's link.

mod control;
mod driver;
mod inbound;
mod inboxes;
mod members;
mod outbound;
mod reading;
#[cfg(test)]
mod tests;
mod trouble;
mod turned_away;

pub use driver::{Federation, Upkeep};
