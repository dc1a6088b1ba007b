//! What of an agreement's terms has passed, so that nothing can be disclosed under it any more.
//!
//! Signatures do not say so: all members may have signed what is over.

use ambit_ledger::{PartnershipTerms, Time};

/// The end that has passed. Where several have, the one that nothing but a new agreement mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The agreement ended.
    Ended {
        /// When.
        at: Time,
    },
    /// Its lease ran out.
    LeaseRanOut {
        /// When.
        at: Time,
    },
}

/// What has passed by now.
#[must_use]
pub fn passed(terms: &PartnershipTerms, now: Time) -> Option<Passed> {
    if terms.until <= now {
        return Some(Passed::Ended { at: terms.until });
    }
    (terms.lease_until <= now).then_some(Passed::LeaseRanOut {
        at: terms.lease_until,
    })
}
