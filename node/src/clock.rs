//! The clock: the one place that asks the system for the time of day.

use ambit_ledger::Time;

/// The time of day in UTC.
///
/// A system clock before 1970 or after 2199 reads as the nearest instant that formats can hold; the ledger's
/// time never goes back all the same.
#[must_use]
pub fn now() -> Time {
    let now = jiff::Timestamp::now();
    Time::try_from(now).unwrap_or(if now < jiff::Timestamp::UNIX_EPOCH {
        Time::EARLIEST
    } else {
        Time::LATEST
    })
}
