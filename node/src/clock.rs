//! The clock: the one place that asks the system for the time of day, and the bounds within which it is believed.
//!
//! A ledger's time never goes back. So one entry under a clock that is far ahead would move it there for good, and
//! under a clock that is far behind everything would be judged at the last entry's time for as long as that takes. In
//! both cases nothing is judged and nothing recorded. This module must never mend a clock by itself.

use ambit_ledger::Time;
use std::time::{Duration, Instant};

/// So far may the clock be behind the last entry, which then counts as now: machines that keep time by NTP differ by
/// less than a second, those set by hand by some minutes. No agreement is fine enough for five minutes to matter.
pub const BEHIND_MAX: Duration = Duration::from_secs(5 * 60);

/// How far two clocks that are both right by this measure may be apart, in seconds: those of two honest nodes, or of a
/// source and its node. Five minutes as well, for the same reason; audits hold ledgers to it.
pub const APART_SECONDS_MAX: u32 = ambit_policy::CLOCKS_APART_SECONDS_MAX;

/// So far may the clock be past the last entry before a person has to confirm it. A node at work records something
/// every day, one that is kept for its ledger at least once a year; a clock that is wrong after a reset is mostly
/// decades off.
pub const QUIET_DAYS_MAX: u32 = 366;

/// So much more than has passed by the monotonic clock may the clock advance while a node runs. Machines that sleep
/// stop the monotonic clock, so it has to cover the longest sleep of a machine that is in use: a month.
pub const STEP_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// 2026-01-01T00:00:00Z in milliseconds: the year of this version. A clock before it was never set.
const RELEASED_MILLIS: i64 = 1_767_225_600_000;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The clock cannot be believed, so nothing is judged and nothing recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It is behind the ledger.
    #[error(
        "the clock says {now}, which is {behind} before the ledger's last entry at {last}; set the clock right, then \
         try again (if it was wrong when that entry was written, wait until the clock has passed it; an older backup is \
         a second history of the ledger, and provable)",
        behind = span(*now, *last)
    )]
    Behind {
        /// What the clock says.
        now: Time,
        /// The last entry's time.
        last: Time,
    },
    /// It is far past the ledger, and nobody has confirmed it.
    #[error(
        "the clock says {now}, which is {ahead} after the ledger's last entry at {last}, and an entry under a wrong \
         clock cannot be taken back; set the clock right, or confirm it with `ambit clock accept`",
        ahead = span(*last, *now)
    )]
    Ahead {
        /// What the clock says.
        now: Time,
        /// The last entry's time, or the last that was confirmed.
        last: Time,
    },
    /// It went forward by far more than the time that passed.
    #[error(
        "the clock says {now}, which is {ahead} more than has passed since it was read last (by that it would be \
         {expected}); set the clock right, or, where the machine slept for so long, confirm it with `ambit clock accept`",
        ahead = span(*expected, *now)
    )]
    Stepped {
        /// What the clock says.
        now: Time,
        /// What it would say if it had kept pace with the monotonic clock.
        expected: Time,
    },
    /// It is past the end of all times that formats hold, so that what is recorded now would be the last.
    #[error(
        "the clock says that it is past {latest}, where time ends here; set the clock right, then try again",
        latest = Time::LATEST
    )]
    PastEnd,
    /// It is before the year of this version.
    #[error(
        "the clock says {now}, which is before this program was made; set the clock right, then try again"
    )]
    Unset {
        /// What the clock says.
        now: Time,
    },
}

/// The time of day in UTC.
///
/// A system clock before 1970 or after 2199 reads as the nearest instant that formats can hold; [`check`] refuses
/// either.
#[must_use]
pub fn now() -> Time {
    let now = jiff::Timestamp::now();
    Time::try_from(now).unwrap_or(if now < jiff::Timestamp::UNIX_EPOCH {
        Time::EARLIEST
    } else {
        Time::LATEST
    })
}

/// The instant at which something is judged and recorded: the clock's, or the last entry's where the clock is behind
/// it by no more than [`BEHIND_MAX`].
///
/// `last` is the last entry's time, `accepted` what a person confirmed last, `now` what the clock says, and `expected`
/// what it would say had it kept pace with the monotonic clock; absent where the node does not run.
///
/// # Errors
/// [`ClockError`] where the clock is past the end of time, further behind, more than [`QUIET_DAYS_MAX`] days past both `last` and
/// `accepted`, or more than [`STEP_MAX`] past `expected`.
pub fn check(
    last: Time,
    accepted: Option<Time>,
    now: Time,
    expected: Option<Time>,
) -> Result<Time, ClockError> {
    check_end(now)?;
    if plus(now, BEHIND_MAX) < last {
        return Err(ClockError::Behind { now, last });
    }
    let known = accepted.map_or(last, |accepted| accepted.max(last));
    if now > known.plus_days(QUIET_DAYS_MAX) {
        return Err(ClockError::Ahead { now, last: known });
    }
    if let Some(expected) = expected.filter(|expected| now > plus(*expected, STEP_MAX)) {
        return Err(ClockError::Stepped { now, expected });
    }
    Ok(now.max(last))
}

/// Whether a ledger may begin at this instant: there is nothing yet to hold it against but this program's own year.
///
/// # Errors
/// [`ClockError::Unset`], [`ClockError::PastEnd`].
pub fn check_first(now: Time) -> Result<(), ClockError> {
    check_end(now)?;
    if now.as_millis() < RELEASED_MILLIS {
        return Err(ClockError::Unset { now });
    }
    Ok(())
}

/// A clock past the last instant reads as that, and nothing could come after an entry under it.
fn check_end(now: Time) -> Result<(), ClockError> {
    if now == Time::LATEST {
        return Err(ClockError::PastEnd);
    }
    Ok(())
}

/// A reading of the clock that was believed, and when that was by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    at: Time,
    read: Instant,
}

impl Anchor {
    /// The clock says so now, and is believed.
    #[must_use]
    pub fn new(at: Time) -> Self {
        Self {
            at,
            read: Instant::now(),
        }
    }

    /// What the clock would say now.
    #[must_use]
    pub fn expected(&self) -> Time {
        plus(self.at, self.read.elapsed())
    }
}

/// So much later, at most [`Time::LATEST`].
fn plus(time: Time, span: Duration) -> Time {
    time.plus_seconds(u32::try_from(span.as_secs()).unwrap_or(u32::MAX))
}

/// How long it is from one instant to a later one, in the largest unit that is not zero and the next one.
fn span(from: Time, to: Time) -> String {
    let nanos = to.as_nanos().saturating_sub(from.as_nanos()).max(0);
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or_default();
    let (days, hours) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS / 3_600);
    let minutes = seconds % 3_600 / 60;
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (1, _, _) => format!("1 day {hours} h"),
        (_, _, _) => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 24 * 60 * 60;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn last() -> Time {
        at("2026-05-01T08:00:00Z")
    }

    #[test]
    fn a_clock_a_little_behind_reads_as_the_last_entry() {
        for (now, read) in [
            ("2026-05-01T07:55:00Z", "2026-05-01T08:00:00Z"),
            ("2026-05-01T08:00:00Z", "2026-05-01T08:00:00Z"),
            ("2026-05-01T08:00:01Z", "2026-05-01T08:00:01Z"),
        ] {
            assert_eq!(check(last(), None, at(now), None), Ok(at(read)), "{now}");
        }
    }

    #[test]
    fn a_clock_further_behind_is_refused() {
        let now = at("2026-05-01T07:54:59Z");
        // Neither what was confirmed before nor the monotonic clock says otherwise.
        for (accepted, expected) in [(None, None), (Some(last()), Some(now))] {
            let error = check(last(), accepted, now, expected).unwrap_err();
            assert_eq!(error, ClockError::Behind { now, last: last() });
        }
        let hour = at("2026-05-01T07:00:00Z");
        let told = check(last(), None, hour, None).unwrap_err().to_string();
        assert!(told.contains("2026-05-01T07:00:00Z"), "{told}");
        assert!(told.contains("1 h 0 min before the ledger's last entry at 2026-05-01T08:00:00Z"));
        assert!(told.contains("set the clock right"), "{told}");
        // To go back in the ledger would be a fork of it.
        assert!(
            told.contains("wait until the clock has passed it"),
            "{told}"
        );
        assert!(!told.contains("restore"), "{told}");
    }

    #[test]
    fn a_clock_far_past_the_last_entry_wants_a_word() {
        let now = last().plus_days(QUIET_DAYS_MAX);
        assert_eq!(check(last(), None, now, None), Ok(now));
        let late = now.plus_seconds(1);
        let error = check(last(), None, late, None).unwrap_err();
        let expected = ClockError::Ahead {
            now: late,
            last: last(),
        };
        assert_eq!(error, expected);
        let told = error.to_string();
        assert!(told.contains("2027-05-02T08:00:01Z"), "{told}");
        assert!(told.contains("366 days after the ledger's last entry at 2026-05-01T08:00:00Z"));
        assert!(told.contains("`ambit clock accept`"), "{told}");
        // Once it is confirmed it goes on from there, and no further.
        assert_eq!(check(last(), Some(late), late, None), Ok(late));
        let later = late.plus_days(QUIET_DAYS_MAX);
        assert_eq!(check(last(), Some(late), later, None), Ok(later));
        assert!(check(last(), Some(late), later.plus_seconds(1), None).is_err());
        // What was confirmed long ago takes nothing back.
        assert!(check(last(), Some(Time::EARLIEST), late, None).is_err());
    }

    #[test]
    fn a_clock_that_leaps_while_a_node_runs_is_refused() {
        let expected = last().plus_days(3);
        // A machine that slept for a night, or a month.
        for seconds in [0, DAY / 2, 31 * DAY] {
            let now = expected.plus_seconds(seconds);
            assert_eq!(check(last(), None, now, Some(expected)), Ok(now));
        }
        let now = expected.plus_seconds(31 * DAY + 1);
        let error = check(last(), None, now, Some(expected)).unwrap_err();
        assert_eq!(error, ClockError::Stepped { now, expected });
        assert!(error.to_string().contains("31 days more than has passed"));
        assert!(error.to_string().contains("`ambit clock accept`"));
        // Where nothing runs there is nothing to hold it against.
        assert_eq!(check(last(), None, now, None), Ok(now));
        // A step back that stays past the ledger changes nothing in it.
        let back = last().plus_days(1);
        assert_eq!(check(last(), None, back, Some(expected)), Ok(back));
    }

    #[test]
    fn a_ledger_begins_in_the_year_of_the_program_at_the_earliest() {
        assert_eq!(check_first(at("2026-01-01T00:00:00Z")), Ok(()));
        let now = at("2025-12-31T23:59:59Z");
        assert_eq!(check_first(now), Err(ClockError::Unset { now }));
        assert!(check_first(Time::EARLIEST).is_err());
    }

    #[test]
    fn nothing_is_recorded_at_the_end_of_time() {
        assert_eq!(check_first(Time::LATEST), Err(ClockError::PastEnd));
        // Whatever the ledger says, and whoever confirmed it.
        for last in [last(), Time::LATEST] {
            let checked = check(last, Some(Time::LATEST), Time::LATEST, Some(Time::LATEST));
            assert_eq!(checked, Err(ClockError::PastEnd));
        }
        let told = ClockError::PastEnd.to_string();
        assert!(told.contains("past 2199-12-31T23:59:59"), "{told}");
        assert!(told.contains("set the clock right"), "{told}");
    }

    #[test]
    fn an_anchor_keeps_pace_with_the_monotonic_clock() {
        let anchor = Anchor::new(last());
        let expected = anchor.expected();
        assert!(expected >= last() && expected < last().plus_days(1));
    }

    #[test]
    fn spans_are_told_in_two_units() {
        for (seconds, text) in [
            (59, "59 s"),
            (360, "6 min 0 s"),
            (3 * 3_600 + 60, "3 h 1 min"),
            (DAY + 7_200, "1 day 2 h"),
            (40 * DAY, "40 days"),
        ] {
            assert_eq!(span(last(), last().plus_seconds(seconds)), text);
        }
    }
}
