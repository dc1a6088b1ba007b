//! Agree: how something comes into force here. Partnerships declared, accepted and declined, by this node or by another
//! member; profiles; issuers, and what they attest of organizations; a clock that a person confirmed.
//!
//! Nothing here is trusted because a file says so: every member's root fingerprint is compared out of band before its
//! signatures count.

mod accept;
mod attest;
mod attesting;
mod card;
mod clock;
mod declare;
mod decline;
mod difference;
mod enact;
mod error;
mod issuer;
mod limits;
mod profile;
mod proposal;
mod record;
mod timely;
mod whole;

pub use accept::AcceptProposal;
pub use attest::{Attest, AttestError, TakeAttestation};
pub use attesting::{AttestationState, Attesting, ListAttestations};
pub use card::{GetCard, card_addresses};
pub use clock::AcceptClock;
pub use declare::DeclarePartnership;
pub use decline::DeclineProposal;
pub use difference::{DIFFERENCE_HINT, Difference};
pub use enact::EnactError;
pub use error::PartnerError;
pub use issuer::{Issuer, IssuerError, ListIssuers, PinIssuer, UnpinIssuer};
pub use profile::{ActivateError, ActivateProfile, Activated, check_activation};
pub use proposal::{DeclinedBy, Proposal, ReviewProposal, WriteInvitation};
pub use timely::{Anew, PastError};

#[cfg(test)]
mod tests;
