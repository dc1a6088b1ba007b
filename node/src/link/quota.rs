//! What one member may bring in a day. It is counted with the inbox that it comes to, so that no restart forgets it.

use ambit_ledger::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What may come from one member under one agreement on one day in UTC. More waits at the sender until the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Bytes of statements and readings.
    pub bytes_a_day: u64,
    /// Observations, whatever became of them.
    pub observations_a_day: u64,
    /// Of how many different kinds, as far as policies see: each is judged by itself.
    pub classes_a_day: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            bytes_a_day: 10 * 1024 * 1024 * 1024,
            observations_a_day: 5_000_000,
            classes_a_day: 10_000,
        }
    }
}

/// What came on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// Bytes of statements and readings.
    pub bytes: u64,
    /// Observations, what was withdrawn included.
    pub observations: u64,
    /// What had to be judged by itself.
    pub classes: u64,
}

/// The same, of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BroughtOn {
    /// The start of the day.
    pub day: Time,
    /// What came.
    pub brought: Brought,
}

impl BroughtOn {
    /// With what came now: on the same day beside what was there, on a later one alone.
    #[must_use]
    pub fn and(before: Option<Self>, brought: Brought, now: Time) -> Self {
        let day = now.start_of_day();
        match before {
            Some(before) if before.day >= day => Self {
                day: before.day,
                brought: Brought {
                    bytes: before.brought.bytes.saturating_add(brought.bytes),
                    observations: before
                        .brought
                        .observations
                        .saturating_add(brought.observations),
                    classes: before.brought.classes.saturating_add(brought.classes),
                },
            },
            Some(_) | None => Self { day, brought },
        }
    }

    /// Why no more may come on this day; nothing where more may.
    #[must_use]
    pub fn beyond(&self, quota: &Quota, now: Time) -> Option<Beyond> {
        if self.day < now.start_of_day() {
            return None;
        }
        let Brought {
            bytes,
            observations,
            classes,
        } = self.brought;
        let limits = [
            ("observations", observations, quota.observations_a_day),
            ("bytes", bytes, quota.bytes_a_day),
            (
                "kinds of observations that policies tell apart",
                classes,
                quota.classes_a_day,
            ),
        ];
        let (what, _, most) = limits.into_iter().find(|(_, count, most)| count >= most)?;
        let until = self.day.plus_days(1);
        Some(Beyond { what, most, until })
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    what: &'static str,
    most: u64,
    until: Time,
}

impl fmt::Display for Beyond {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, most, until } = self;
        write!(
            formatter,
            "it brought as much as one member may on one day under one agreement, {most} {what}: more is taken from {until}; \
             [quotas] in node.toml says how much may come"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_counted_by_itself_and_never_an_earlier_one() {
        let quota = Quota {
            observations_a_day: 3,
            ..Quota::default()
        };
        let one = Brought {
            bytes: 10,
            observations: 2,
            classes: 1,
        };
        let evening = at("2026-05-01T23:59:59Z");
        let first = BroughtOn::and(None, one, evening);
        assert_eq!(first.beyond(&quota, evening), None);
        let second = BroughtOn::and(Some(first), one, evening);
        assert_eq!(second.brought.observations, 4);
        let told = second.beyond(&quota, evening).unwrap().to_string();
        assert!(told.contains("3 observations"), "{told}");
        assert!(told.contains("from 2026-05-02T00:00:00Z"), "{told}");
        let morning = at("2026-05-02T00:00:00Z");
        assert_eq!(second.beyond(&quota, morning), None);
        assert_eq!(
            BroughtOn::and(Some(second), one, morning).brought,
            one,
            "the day before is over"
        );
        // A clock that is put back gives nobody a second day.
        let next = BroughtOn::and(Some(second), one, morning);
        let back = BroughtOn::and(Some(next), one, evening);
        assert_eq!((back.day, back.brought.observations), (morning, 4));
        assert!(back.beyond(&quota, evening).is_some());
    }

    #[test]
    fn each_limit_counts() {
        let day = at("2026-05-01T00:00:00Z");
        let quota = Quota {
            bytes_a_day: 5,
            observations_a_day: 5,
            classes_a_day: 5,
        };
        for number in 0..3 {
            let mut counts = [4_u64; 3];
            let of = |[bytes, observations, classes]: [u64; 3]| Brought {
                bytes,
                observations,
                classes,
            };
            assert_eq!(
                BroughtOn::and(None, of(counts), day).beyond(&quota, day),
                None
            );
            counts[number] = 5;
            assert!(
                BroughtOn::and(None, of(counts), day)
                    .beyond(&quota, day)
                    .is_some()
            );
        }
    }
}
