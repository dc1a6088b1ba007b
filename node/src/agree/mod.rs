//! Agree: what a person at this node agrees to. Partnerships declared, accepted and declined; profiles and limits put in
//! force.
//!
//! Nothing here is trusted because a file says so: every member's root fingerprint is compared out of band before its
//! signatures count.

mod error;
mod limits;
mod profile;
mod propose;
mod record;

pub use error::PartnerError;
pub use profile::ActivateError;
pub use propose::Proposal;
