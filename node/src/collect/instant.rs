//! Times as files write them, made into instants. A local time that the clocks show twice, or skip, is refused.

use ambit_ledger::{Time, TimeError, has_sixtieth_second};
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Where the offset from UTC comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Each value carries its own.
    InValue,
    /// A zone of the IANA time zone database, or a fixed offset.
    Of(TimeZone),
}

/// How a time is written.
#[derive(Clone, Debug)]
pub(super) struct TimeForm {
    /// `None` where the map does not say: then only RFC 3339 is beyond doubt.
    pub(super) zone: Option<Zone>,
    /// As `strptime` has it.
    pub(super) format: Option<String>,
}

/// Why a text names no zone or instant.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// Nobody knows it.
    #[error(
        "`zone` is `{0}`: it must be a name of the IANA time zone database such as Europe/Berlin, an offset such as +01:00, or \"in-value\""
    )]
    Unknown(String),
    /// The time of a whole file is no instant.
    #[error("`at` in `[time]` is no instant; write it as RFC 3339, such as 2026-05-01T08:00:00Z")]
    Fixed(#[source] TimeError),
}

impl std::str::FromStr for Zone {
    type Err = ZoneError;
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        if text == "in-value" {
            return Ok(Self::InValue);
        }
        let offset = strtime::parse("%:z", text)
            .ok()
            .and_then(|parsed| parsed.offset());
        match offset {
            Some(offset) => Ok(Self::Of(TimeZone::fixed(offset))),
            None => TimeZone::get(text)
                .map(Self::Of)
                .map_err(|_| ZoneError::Unknown(text.to_owned())),
        }
    }
}

/// How far the clock of a source may be ahead of this node's, in seconds: as far as those of two honest nodes.
pub const AHEAD_SECONDS_MAX: u32 = crate::clock::APART_SECONDS_MAX;

/// What was observed cannot lie after now; taken in, it would stay the latest value until its time comes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{at} is more than {AHEAD_SECONDS_MAX} seconds after now, {now}, and nothing is observed before it happens: mend the time, the zone it is read in, or the clock that is wrong"
)]
pub struct AheadError {
    at: Time,
    now: Time,
}

/// Refuses an observed time that is later than `now` by more than [`AHEAD_SECONDS_MAX`].
///
/// # Errors
/// [`AheadError`].
pub fn check_ahead(at: Time, now: Time) -> Result<(), AheadError> {
    if at > now.plus_seconds(AHEAD_SECONDS_MAX) {
        return Err(AheadError { at, now });
    }
    Ok(())
}

/// Why a time in a file is no instant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InstantError {
    /// It would be one if the map said the zone.
    NoZone,
    /// It has the form of one, and is none, for this reason.
    Refused(String),
    /// It has not, for this reason.
    Unreadable(String),
}

impl TimeForm {
    /// The instant that a text names.
    pub(super) fn read(&self, text: &str) -> Result<Time, InstantError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(unreadable("the time is empty"));
        }
        let is_sixtieth = match &self.format {
            Some(format) => has_sixtieth_second(text, |text| {
                let parsed = strtime::parse(format, text).ok()?;
                let read = (
                    parsed.timestamp(),
                    parsed.subsec_nanosecond(),
                    parsed.to_datetime().ok(),
                );
                // What is neither is no time, and has no seconds.
                (read.0.is_some() || read.2.is_some()).then_some(read)
            }),
            None => has_sixtieth_second(text, |text| {
                let read = (text.parse::<jiff::Timestamp>().ok(), civil(text));
                (read.0.is_some() || read.1.is_some()).then_some(read)
            }),
        };
        if is_sixtieth {
            return Err(InstantError::Refused(format!(
                "`{text}` has a sixtieth second, which no clock here can show: write the instant that is meant"
            )));
        }
        match &self.format {
            Some(format) => self.read_formatted(text, format),
            None => self.read_standard(text),
        }
    }

    fn read_standard(&self, text: &str) -> Result<Time, InstantError> {
        let carries_offset = text.parse::<jiff::Timestamp>().is_ok();
        // Beside an offset there may be a zone: the two say the same.
        if carries_offset
            && text.contains('[')
            && let Err(error) = text.parse::<jiff::Zoned>()
        {
            return Err(not_an_instant(text, &error));
        }
        match (&self.zone, carries_offset) {
            (None | Some(Zone::InValue), true) => text.parse().map_err(out_of_range),
            (Some(Zone::Of(_)), true) => Err(unreadable(format!(
                "the time `{text}` carries its own offset, while the map sets a zone: set zone = \"in-value\""
            ))),
            (zone, false) => {
                let civil = civil(text).ok_or_else(|| {
                    unreadable(format!(
                        "`{text}` is no time such as 2026-05-01T08:00:00: set `format` in `[time]` if it is written otherwise"
                    ))
                })?;
                match zone {
                    None => Err(InstantError::NoZone),
                    Some(Zone::InValue) => Err(unreadable(format!(
                        "the time `{text}` carries no offset, while the map says it does"
                    ))),
                    Some(Zone::Of(zone)) => place(civil, zone, text),
                }
            }
        }
    }

    fn read_formatted(&self, text: &str, format: &str) -> Result<Time, InstantError> {
        let parsed = strtime::parse(format, text).map_err(|error| {
            unreadable(format!(
                "`{text}` is no time of the form `{format}`: {error}"
            ))
        })?;
        let carries_offset = parsed.offset().is_some() || parsed.timestamp().is_some();
        match (&self.zone, carries_offset) {
            (None | Some(Zone::InValue), true) => {
                instant_of(&parsed, text)?.try_into().map_err(out_of_range)
            }
            (Some(Zone::Of(_)), true) => Err(unreadable(format!(
                "the form `{format}` carries an offset, while the map sets a zone: set zone = \"in-value\""
            ))),
            (None, false) => Err(InstantError::NoZone),
            (Some(Zone::InValue), false) => Err(unreadable(format!(
                "the form `{format}` carries no offset, while the map says that values do"
            ))),
            (Some(Zone::Of(zone)), false) => place(civil_of(&parsed, text)?, zone, text),
        }
    }
}

/// The instant of what carries an offset, or counts seconds.
fn instant_of(parsed: &BrokenDownTime, text: &str) -> Result<jiff::Timestamp, InstantError> {
    let failed = |error: jiff::Error| not_an_instant(text, &error);
    if let Some(seconds) = parsed.timestamp() {
        let nanos = i64::from(parsed.subsec_nanosecond().unwrap_or_default());
        // Before 1970 the seconds are counted backwards, and the fraction too.
        let nanos = if text.starts_with('-') { -nanos } else { nanos };
        return seconds
            .checked_add(jiff::SignedDuration::from_nanos(nanos))
            .map_err(failed);
    }
    match parsed.iana_time_zone() {
        // Beside an offset there may be a zone: the two say the same.
        Some(_) => parsed
            .to_zoned()
            .map(|zoned| zoned.timestamp())
            .map_err(failed),
        None => parsed.to_timestamp().map_err(failed),
    }
}

/// A date and a time of day in ISO 8601, parted by `T` or a space, without offset. A date alone says no time of day.
fn civil(text: &str) -> Option<DateTime> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"-:.,Tt ".contains(&byte));
    if plain && text.contains(':') {
        text.parse().ok()
    } else {
        None
    }
}

fn civil_of(parsed: &BrokenDownTime, text: &str) -> Result<DateTime, InstantError> {
    parsed
        .to_datetime()
        .map_err(|error| not_an_instant(text, &error))
}

fn place(civil: DateTime, zone: &TimeZone, text: &str) -> Result<Time, InstantError> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let name = zone.iana_name().unwrap_or("this zone");
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous
            .unambiguous()
            .map_err(|error| not_an_instant(text, &error))?
            .try_into()
            .map_err(out_of_range),
        AmbiguousOffset::Fold { before, after } => Err(InstantError::Refused(format!(
            "the local time `{text}` happened twice in {name}, at offsets {before} and {after}: write the offset"
        ))),
        AmbiguousOffset::Gap { .. } => Err(InstantError::Refused(format!(
            "the local time `{text}` never was in {name}: the clocks went forward over it"
        ))),
    }
}

fn unreadable(reason: impl Into<String>) -> InstantError {
    InstantError::Unreadable(reason.into())
}

fn not_an_instant(text: &str, error: &jiff::Error) -> InstantError {
    unreadable(format!("`{text}` is no instant: {error}"))
}

fn out_of_range(error: TimeError) -> InstantError {
    InstantError::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: &str, format: &str, text: &str) -> Result<String, InstantError> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let form = TimeForm {
            zone: given(zone).map(|zone| zone.parse().unwrap()),
            format: given(format),
        };
        form.read(text).map(|time| time.to_string())
    }

    #[test]
    fn what_has_no_seconds_has_no_sixtieth_one() {
        for text in ["1777629600", "20260501100000", "06.06.2026 10:00 Nr. 60"] {
            let Err(InstantError::Unreadable(why)) = read("", "", text) else {
                panic!("{text}");
            };
            assert!(why.contains("set `format`"), "{why}");
        }
        for text in ["1777629601.600", "1777629601.160", "1777629660.606060"] {
            assert!(read("", "%s%.f", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn times_that_are_read() {
        for (zone, format, text, expected) in [
            (
                "",
                "",
                "2017-02-01T17:42:26.1875001Z",
                "2017-02-01T17:42:26.1875001Z",
            ),
            (
                "in-value",
                "",
                "2026-05-01T08:00:00+02:00",
                "2026-05-01T06:00:00Z",
            ),
            ("UTC", "", "2026-05-01 08:00", "2026-05-01T08:00:00Z"),
            (
                "+05:30",
                "",
                "2026-05-01T08:00:00,25",
                "2026-05-01T02:30:00.25Z",
            ),
            (
                "Europe/Berlin",
                "",
                "2026-07-01T08:00:00",
                "2026-07-01T06:00:00Z",
            ),
            (
                "Europe/Berlin",
                "",
                "2026-01-01T08:00:00",
                "2026-01-01T07:00:00Z",
            ),
            (
                "Europe/Berlin",
                "%d.%m.%Y %H:%M:%S",
                "01.07.2026 08:00:00",
                "2026-07-01T06:00:00Z",
            ),
            (
                "America/New_York",
                "%Y-%m-%d",
                "2017-07-11",
                "2017-07-11T04:00:00Z",
            ),
            (
                "in-value",
                "%d/%m/%Y %H:%M %:z",
                "01/05/2026 08:00 -04:00",
                "2026-05-01T12:00:00Z",
            ),
            ("", "%s", "1485970946", "2017-02-01T17:42:26Z"),
            ("", "%s%.f", "1485970946.25", "2017-02-01T17:42:26.25Z"),
            ("", "%s.%f", "1485970946.1", "2017-02-01T17:42:26.1Z"),
            (
                "UTC",
                "%Y-%m-%d %H:%M:%S:%f",
                "2023-12-11 08:00:00:600",
                "2023-12-11T08:00:00.6Z",
            ),
            (
                "UTC",
                "%Y-%m-%d %I:%M %p",
                "2023-12-11 01:30 PM",
                "2023-12-11T13:30:00Z",
            ),
            (
                "in-value",
                "",
                "2023-12-11T11:31:00+01:00[Europe/Berlin]",
                "2023-12-11T10:31:00Z",
            ),
        ] {
            assert_eq!(read(zone, format, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn times_that_are_refused() {
        for (zone, format, text, expected) in [
            ("Europe/Berlin", "", "2026-10-25T02:30:00", "happened twice"),
            ("Europe/Berlin", "", "2026-03-29T02:30:00", "never was"),
            (
                "Europe/Berlin",
                "",
                "2026-03-29T02:30:00Z",
                "its own offset",
            ),
            ("in-value", "", "2026-03-29T02:30:00", "no offset"),
            ("UTC", "", "2026-05-01", "no time such as"),
            ("UTC", "", "1/5/2026 8:00", "no time such as"),
            ("UTC", "", "", "empty"),
            ("UTC", "", "2023-12-11T11:31:60", "a sixtieth second"),
            ("in-value", "", "2023-12-11T113160Z", "a sixtieth second"),
            ("in-value", "", "20231211T113160Z", "a sixtieth second"),
            ("UTC", "%Y%m%d%H%M%S", "20231211113160", "a sixtieth second"),
            (
                "UTC",
                "%F %H.%M.%S",
                "2023-12-11 11.31.60",
                "a sixtieth second",
            ),
            (
                "in-value",
                "",
                "2023-12-11T11:31:00+09:00[Europe/Berlin]",
                "is no instant",
            ),
            (
                "in-value",
                "%F %H:%M %:z %Q",
                "2023-07-11 11:31 +01:00 Europe/Berlin",
                "is no instant",
            ),
            ("in-value", "", "2016-12-31T23:59:60Z", "a sixtieth second"),
            (
                "UTC",
                "%d.%m.%Y %H:%M:%S",
                "11.12.2023 11:31:60",
                "a sixtieth second",
            ),
            ("UTC", "", "1969-12-31T23:00:00", "1970 to 2199"),
            ("UTC", "%d.%m.%Y", "31.02.2026", "no instant"),
            ("UTC", "%d.%m.%Y", "2026-02-01", "of the form"),
            ("in-value", "%d.%m.%Y", "01.02.2026", "no offset"),
            (
                "UTC",
                "%Y-%m-%d %:z",
                "2026-02-01 +01:00",
                "carries an offset",
            ),
        ] {
            match read(zone, format, text) {
                Err(InstantError::Refused(reason) | InstantError::Unreadable(reason)) => {
                    assert!(reason.contains(expected), "{text}: {reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for format in ["", "%Y-%m-%dT%H:%M:%S"] {
            assert_eq!(
                read("", format, "2026-05-01T08:00:00"),
                Err(InstantError::NoZone)
            );
        }
    }
}
