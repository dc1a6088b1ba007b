//! How far the instants in statements may be from the time of the entry that records them.

use super::fault::{At, Checks};
use crate::rule::Rule;
use ambit_ledger::{OrganizationId, PartnershipTerms, Time};
use ambit_policy::CLOCKS_APART_SECONDS_MAX;

/// The most seconds between signing a disclosure, or taking an observation in, and the entry that records
/// it. A commit waits for no more than a disk; anything longer would let a node date things back to when a
/// lease still ran.
pub(super) const ISSUE_DELAY_SECONDS_MAX: u32 = 600;

/// The earliest instant that something recorded here may have been done at.
pub(super) fn earliest_for(at: At) -> Time {
    at.time.minus_seconds(ISSUE_DELAY_SECONDS_MAX)
}

/// The latest instant, by another clock, of what is recorded here.
pub(super) fn latest_for(at: At) -> Time {
    at.time.plus_seconds(CLOCKS_APART_SECONDS_MAX)
}

/// What a ledger's own organization signs, it records at once: dated back or ahead, it would verify by a key that is not good
/// when it is recorded.
pub(super) fn check_made_here(rule: Rule, at: At, signed_at: Time) -> Checks {
    rule.check((earliest_for(at)..=at.time).contains(&signed_at), || {
        format!(
            "the ledger's own organization signed at {signed_at}, recorded at {}",
            at.time
        )
    })
}

/// Nobody answers terms before they are declared, as far as clocks may be apart: dated back, an answer would verify by a key
/// that had ended.
pub(super) fn check_after(
    rule: Rule,
    member: &OrganizationId,
    at: Time,
    terms: &PartnershipTerms,
) -> Checks {
    let latest = at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
    rule.check(terms.declared_at <= latest, || {
        format!(
            "`{member}` answered at {at}, and the terms were declared at {}",
            terms.declared_at
        )
    })
}
