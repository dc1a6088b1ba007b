//! Times as people write them in filters.

use ambit_ledger::{Time, TimeError, has_sixtieth_second};
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Why a text is no time to filter by.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterTimeError {
    /// None of the forms.
    #[error(
        "it is no time such as 2026-05-01T08:00:00Z, 2026-05-01T08:00+02:00 or 2026-05-01T08:00[Europe/Berlin], and no date such as 2026-05-01"
    )]
    Form,
    /// Not a time that an observation can be of.
    #[error(transparent)]
    Range(#[from] TimeError),
}

/// The instant that a text names: with the offset or the zone it says, or a date for the start of its day, in UTC where
/// it says neither.
pub(super) fn start_of(text: &str) -> Result<Time, FilterTimeError> {
    if has_sixtieth_second(text, instant_of) {
        return Err(TimeError::SixtiethSecond(text.to_owned()).into());
    }
    let instant = instant_of(text).or_else(|| start_of_day(text));
    Ok(instant.ok_or(FilterTimeError::Form)?.try_into()?)
}

fn instant_of(text: &str) -> Option<jiff::Timestamp> {
    let instant = text.parse::<jiff::Timestamp>().ok();
    // A zone that contradicts its offset is none.
    if instant.is_some() && !text.contains('[') {
        return instant;
    }
    Some(text.parse::<Zoned>().ok()?.timestamp())
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
            "today",
        ] {
            assert!(
                matches!(start_of(text), Err(FilterTimeError::Form)),
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
