//! What a node does by itself from time to time: one list, with what it is, how often, and on which thread.
//!
//! A room does its work; here is only said when. Nothing that the work needs is decided here.

mod list;

pub use list::{Work, WorkError, run, works};
