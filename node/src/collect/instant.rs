//! Times as files write them, made into instants. A local time that the clocks show twice, or skip, is refused.

use super::form::Form;
use super::zone::{Zone, is_offset, unit_of_count, zone_of};
use ambit_ledger::{Time, TimeError, has_sixtieth_second};
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// How a time is written.
#[derive(Clone, Debug)]
pub(super) struct TimeForm {
    /// `None` where the map does not say: then only RFC 3339 is beyond doubt.
    pub(super) zone: Option<Zone>,
    /// Absent where the map does not say: then times are written as RFC 3339 or ISO 8601 has them.
    pub(super) format: Option<Form>,
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
        let counts = self.format.as_ref().map(Form::as_str);
        if let Some(nanos) = counts.and_then(unit_of_count) {
            return self.read_count(text, nanos);
        }
        let is_sixtieth = match &self.format {
            Some(format) => has_sixtieth_second(text, |text| {
                let parsed = strtime::parse(format.as_str(), text).ok()?;
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

    /// A count of units of so many nanoseconds.
    fn read_count(&self, text: &str, nanos: u32) -> Result<Time, InstantError> {
        if matches!(self.zone, Some(Zone::Of(_))) {
            return Err(unreadable(
                "a count since 1970 is of UTC, while the map sets a zone: leave `zone` out",
            ));
        }
        let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let is_count = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_count(whole) || !is_count(part) {
            return Err(unreadable(format!(
                "`{text}` is no count since 1970 such as 1777622400000"
            )));
        }
        let counted = whole.parse::<i64>().ok();
        let counted = counted.and_then(|count| count.checked_mul(i64::from(nanos)));
        // What is finer than a nanosecond is cut off, as everywhere.
        let digits = part.bytes().map(|digit| i64::from(digit - b'0'));
        let (finer, _) = digits.fold((0, i64::from(nanos)), |(sum, unit), digit| {
            (sum + digit * unit / 10, unit / 10)
        });
        let instant = counted.and_then(|counted| counted.checked_add(finer));
        instant
            .ok_or(TimeError::OutOfRange)
            .and_then(Time::try_from)
            .map_err(out_of_range)
    }

    fn read_standard(&self, text: &str) -> Result<Time, InstantError> {
        let carries_offset = text.parse::<jiff::Timestamp>().is_ok();
        match (&self.zone, carries_offset) {
            (None | Some(Zone::InValue), true) => text.parse().map_err(|error| match error {
                TimeError::NotRfc3339 { source, .. } => not_an_instant(text, &source),
                error => out_of_range(error),
            }),
            (Some(Zone::Of(_)), true) => Err(unreadable(format!(
                "the time `{text}` carries its own offset, while the map sets a zone: set zone = \"in-value\""
            ))),
            (zone, false) => {
                let civil = civil(text).ok_or_else(|| {
                    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
                    let number = if is_number {
                        "; a count since 1970 is read by \"%s\" (seconds), \"epoch-milliseconds\", \"epoch-microseconds\" or \
                         \"epoch-nanoseconds\", and the day numbers of spreadsheets are not: have them written as dates"
                    } else {
                        ""
                    };
                    unreadable(format!(
                        "`{text}` is no time such as 2026-05-01T08:00:00: set `format` in `[time]` if it is written otherwise{number}"
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

    fn read_formatted(&self, text: &str, form: &Form) -> Result<Time, InstantError> {
        let format = form.as_str();
        let parsed = strtime::parse(format, text).map_err(|error| {
            unreadable(format!(
                "`{text}` is no time of the form `{format}`: {error}{}",
                form.hint()
            ))
        })?;
        if let Some(wrong) = form.wrong_digits(text) {
            return Err(unreadable(format!(
                "`{text}` is no time of the form `{format}`: {wrong}"
            )));
        }
        if parsed.offset().is_some_and(|offset| !is_offset(offset)) {
            return Err(out_of_range(TimeError::Offset(text.to_owned())));
        }
        if form.says_offset_and_zone() && parsed.iana_time_zone().is_none() {
            return Err(unreadable(format!(
                "`{text}` names no zone beside its offset, while the form `{format}` does"
            )));
        }
        let carries_offset = parsed.offset().is_some()
            || parsed.iana_time_zone().is_some()
            || parsed.timestamp().is_some();
        match (&self.zone, carries_offset) {
            (None | Some(Zone::InValue), true) => match zone_in(&parsed, text)? {
                Some(zone) => place_formatted(&parsed, form, &zone, text),
                None => instant_of(&parsed, text)?.try_into().map_err(out_of_range),
            },
            (Some(Zone::Of(_)), true) => Err(unreadable(format!(
                "the form `{format}` carries an offset, while the map sets a zone: set zone = \"in-value\""
            ))),
            (None, false) => Err(InstantError::NoZone),
            (Some(Zone::InValue), false) => Err(unreadable(format!(
                "the form `{format}` carries no offset, while the map says that values do"
            ))),
            (Some(Zone::Of(zone)), false) => place_formatted(&parsed, form, zone, text),
        }
    }
}

/// The zone that a value names instead of an offset.
fn zone_in(parsed: &BrokenDownTime, text: &str) -> Result<Option<TimeZone>, InstantError> {
    match parsed.iana_time_zone() {
        Some(name) if parsed.offset().is_none() => zone_of(name).map(Some).ok_or_else(|| {
            unreadable(format!(
                "`{text}` names the zone `{name}`, which the IANA time zone database does not"
            ))
        }),
        _ => Ok(None),
    }
}

/// A local time as a form has it; a date stands for the start of its day, also where the clocks skip midnight.
fn place_formatted(
    parsed: &BrokenDownTime,
    form: &Form,
    zone: &TimeZone,
    text: &str,
) -> Result<Time, InstantError> {
    let civil = civil_of(parsed, text)?;
    if !form.is_of_date() {
        return place(civil, zone, text);
    }
    let start = civil.date().to_zoned(zone.clone());
    let start = start.and_then(|day| day.start_of_day());
    let start = start.map_err(|error| not_an_instant(text, &error))?;
    start.timestamp().try_into().map_err(out_of_range)
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
            format: given(format).map(Form::new),
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
                "",
                "epoch-milliseconds",
                "1777629601600",
                "2026-05-01T10:00:01.6Z",
            ),
            (
                "in-value",
                "epoch-milliseconds",
                "1777629601600.25",
                "2026-05-01T10:00:01.60025Z",
            ),
            (
                "",
                "epoch-microseconds",
                "1777629601600001",
                "2026-05-01T10:00:01.600001Z",
            ),
            (
                "",
                "epoch-nanoseconds",
                "1777629601600000001",
                "2026-05-01T10:00:01.600000001Z",
            ),
            (
                "in-value",
                "%F %T %Q",
                "2026-05-01 08:00:00 Europe/Berlin",
                "2026-05-01T06:00:00Z",
            ),
            (
                "in-value",
                "%F %T%:Q",
                "2026-05-01 08:00:00+02:00",
                "2026-05-01T06:00:00Z",
            ),
            (
                "in-value",
                "%F %T%:z[%Q]",
                "2026-05-01 08:00:00+02:00[Europe/Berlin]",
                "2026-05-01T06:00:00Z",
            ),
            (
                "America/Sao_Paulo",
                "%F",
                "2018-11-04",
                "2018-11-04T03:00:00Z",
            ),
            ("America/Havana", "%F", "2023-11-05", "2023-11-05T04:00:00Z"),
            (
                "in-value",
                "%H%M%S %z %F",
                "013000 +0200 2026-05-01",
                "2026-04-30T23:30:00Z",
            ),
            (
                "in-value",
                "%F %T%:::z",
                "2026-05-01 08:00:00+02",
                "2026-05-01T06:00:00Z",
            ),
            (
                "UTC",
                "%F %T%.f",
                "2026-05-01 8:00:00",
                "2026-05-01T08:00:00Z",
            ),
            (
                "UTC",
                "%Y%m%d%H%M%S%f",
                "202605010800005",
                "2026-05-01T08:00:00.5Z",
            ),
            ("UTC", "%Y%j", "2026121", "2026-05-01T00:00:00Z"),
            (
                "UTC",
                "%F %T:%3f",
                "2026-05-01 08:00:00:006",
                "2026-05-01T08:00:00.006Z",
            ),
            (
                "UTC",
                "%Y%m%d%H%M%S%3f",
                "20260501080000600",
                "2026-05-01T08:00:00.6Z",
            ),
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
            ("UTC", "%F %T:%3f", "2026-05-01 08:00:00:6", "other digits"),
            (
                "UTC",
                "%F %T:%3f",
                "2026-05-01 08:00:00:6001",
                "other digits",
            ),
            (
                "UTC",
                "%Y%m%d %H%M%S:%3f",
                "20260501 080500:5",
                "other digits",
            ),
            ("UTC", "%Y%m%d %H%M%S", "20260501 11500", "other digits"),
            ("UTC", "%Y%m%d %H%M", "20260501 130", "other digits"),
            ("UTC", "%Y%m%d", "2026111", "other digits"),
            ("UTC", "%d%m%y", "11126", "other digits"),
            ("UTC", "%I%M%p %F", "115PM 2026-05-01", "other digits"),
            (
                "in-value",
                "%H%M %z %F",
                "130 +0200 2026-05-01",
                "other digits",
            ),
            ("UTC", "%d.%m.%y", "01.05.6", "`%y` reads two"),
            ("UTC", "%d.%m.%Y", "01.05.26", "`%y` reads two"),
            ("UTC", "%d.%m.%y %H", "1. 5.2010", "other digits"),
            ("UTC", "%d.%m.%y %H:%M", "01.05.2008: 30", "other digits"),
            (
                "in-value",
                "%F %T %Q",
                "2026-05-01 08:00:00 CET",
                "names the zone `CET`",
            ),
            ("UTC", "%m/%d/%y %H", "05/01/2010", "other digits"),
            (
                "in-value",
                "%F %T%z",
                "2026-05-01 08:00:00+2400",
                "a day or more",
            ),
            ("in-value", "", "2026-05-01T08:00:00+25:59", "a day or more"),
            (
                "in-value",
                "%F %T%z",
                "2026-05-01 08:00:00+02:00",
                "`%:z` +02:00",
            ),
            (
                "in-value",
                "%F %T%:z[%Q]",
                "2026-05-01 08:00:00+02:00[+0500]",
                "names no zone",
            ),
            (
                "in-value",
                "%F %T %Q",
                "2026-05-01 08:00:00 Nowhere/City",
                "names the zone `Nowhere/City`",
            ),
            (
                "in-value",
                "%F %T %Q",
                "2026-10-25 02:30:00 Europe/Berlin",
                "happened twice",
            ),
            (
                "UTC",
                "%F %T %Q",
                "2026-05-01 08:00:00 Europe/Berlin",
                "carries an offset",
            ),
            ("", "epoch-milliseconds", "1.7776E+12", "no count"),
            (
                "",
                "epoch-nanoseconds",
                "9223372036854775808",
                "1970 to 2199",
            ),
            ("", "", "1777629601600", "epoch-milliseconds"),
            ("", "%s", "1777629601600", "epoch-milliseconds"),
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
