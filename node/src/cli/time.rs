//! Times as people write them in filters.

use crate::collect::zone_of;
use ambit_ledger::{OFFSET_SECONDS_MAX, Time, TimeError, has_sixtieth_second};
use jiff::civil::Date;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Disambiguation, Offset, TimeZone};

/// Why a text is no time to filter by.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterTimeError {
    /// None of the forms.
    #[error(
        "it is no time such as 2026-05-01T08:00:00Z, 2026-05-01T08:00+02:00 or 2026-05-01T08:00[Europe/Berlin], and no date such as 2026-05-01"
    )]
    Form,
    /// A local time that the clocks showed twice, or skipped.
    #[error(
        "the clocks of that zone showed the local time twice or skipped it: write its offset, such as 2026-10-25T02:30+01:00"
    )]
    Clocks,
    /// Not a time that an observation can be of.
    #[error(transparent)]
    Range(#[from] TimeError),
}

/// The instant that a text names: with the offset or the zone it says, or a date for the start of its day, in UTC where
/// it says neither.
pub(super) fn start_of(text: &str) -> Result<Time, FilterTimeError> {
    match text.parse::<Time>() {
        Ok(instant) => return Ok(instant),
        // A zone that contradicts its offset is none.
        Err(TimeError::NotRfc3339 { .. }) if text.parse::<jiff::Timestamp>().is_err() => {}
        Err(TimeError::NotRfc3339 { .. }) => return Err(FilterTimeError::Form),
        Err(error) => return Err(error.into()),
    }
    if has_sixtieth_second(text, in_zone) {
        return Err(TimeError::SixtiethSecond(text.to_owned()).into());
    }
    let instant = in_zone(text).or_else(|| start_of_day(text));
    let Some(instant) = instant else {
        let zoned = text.parse::<jiff::Zoned>().ok();
        let is_known =
            zoned.is_some_and(|zoned| zoned.time_zone().iana_name().and_then(zone_of).is_some());
        return Err(if is_known {
            FilterTimeError::Clocks
        } else {
            FilterTimeError::Form
        });
    };
    Ok(instant.try_into()?)
}

/// A local time beside the name of its zone.
fn in_zone(text: &str) -> Option<jiff::Timestamp> {
    let parser = DateTimeParser::new().disambiguation(Disambiguation::Reject);
    let zoned = parser.parse_zoned(text).ok()?;
    zone_of(zoned.time_zone().iana_name()?)?;
    Some(zoned.timestamp())
}

/// `2026-05-01`, `2026-05-01Z` and `2026-05-01+02:00`, as XML Schema writes dates.
fn start_of_day(text: &str) -> Option<jiff::Timestamp> {
    const DATE_BYTES: usize = "2026-05-01".len();
    let (date, zone) = text.split_at_checked(DATE_BYTES)?;
    let date: Date = date.parse().ok()?;
    let offset = match zone {
        "" | "Z" => Offset::UTC,
        offset => jiff::fmt::strtime::parse("%:z", offset).ok()?.offset()?,
    };
    if offset.seconds().abs() > OFFSET_SECONDS_MAX {
        return None;
    }
    let start = date.to_zoned(TimeZone::fixed(offset)).ok()?;
    Some(start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates_that_are_read() {
        for (text, expected) in [
            ("2017-03-01T08:00:00Z", "2017-03-01T08:00:00Z"),
            ("2017-03-01T08:00:00+02:00", "2017-03-01T06:00:00Z"),
            ("2017-03-01 08:00-05:00", "2017-03-01T13:00:00Z"),
            ("2017-03-01T08:00[Europe/Berlin]", "2017-03-01T07:00:00Z"),
            ("2017-03-01", "2017-03-01T00:00:00Z"),
            ("2017-03-01Z", "2017-03-01T00:00:00Z"),
            ("2017-03-01+02:00", "2017-02-28T22:00:00Z"),
            (
                "2026-10-25T02:30+01:00[Europe/Berlin]",
                "2026-10-25T01:30:00Z",
            ),
        ] {
            assert_eq!(start_of(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn times_that_are_refused() {
        for text in [
            "",
            "2017-03-01T08:00:00",
            "2017-03",
            "1.3.2017",
            "2017-02-30",
            "2017-03-01T08:00+09:00[Europe/Berlin]",
            "2017-03-01T08:00[Nowhere/City]",
            "2017-03-01T08:00[CET]",
            "2017-03-01T08:00[Etc/Unknown]",
            "2017-03-01+25:00",
            "today",
        ] {
            assert!(
                matches!(start_of(text), Err(FilterTimeError::Form)),
                "{text}"
            );
        }
        for text in [
            "2026-10-25T02:30[Europe/Berlin]",
            "2026-03-29T02:30[Europe/Berlin]",
        ] {
            assert!(
                matches!(start_of(text), Err(FilterTimeError::Clocks)),
                "{text}"
            );
        }
        for text in ["2016-12-31T23:59:60Z", "2016-12-31T235960+01:00"] {
            let told = start_of(text).unwrap_err().to_string();
            assert!(told.contains("a sixtieth second"), "{told}");
        }
        assert!(matches!(
            start_of("1969-01-01"),
            Err(FilterTimeError::Range(_))
        ));
    }
}
