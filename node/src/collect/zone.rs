//! Where the offset from UTC comes from of times as files write them: a zone of the map, each value, or a count that needs none.

use ambit_ledger::{OFFSET_SECONDS_MAX, TimeError};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

/// Where the offset from UTC comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Each value carries its own.
    InValue,
    /// A zone of the IANA time zone database, or a fixed offset.
    Of(TimeZone),
}

/// What counts since 1970 in units smaller than seconds are called, and how many nanoseconds a unit is.
const COUNTS: [(&str, u32); 3] = [
    ("epoch-milliseconds", 1_000_000),
    ("epoch-microseconds", 1_000),
    ("epoch-nanoseconds", 1),
];

/// How many nanoseconds a unit is, of a form that counts them.
pub(super) fn unit_of_count(format: &str) -> Option<u32> {
    let mut counts = COUNTS.iter();
    counts
        .find(|(name, _)| *name == format)
        .map(|(_, nanos)| *nanos)
}

/// Why a text names no zone or instant.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// Nobody knows it.
    #[error(
        "`zone` is `{0}`: it must be a name of the IANA time zone database with a place, such as Europe/Berlin, an offset such as +01:00, or \"in-value\""
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
        let zone = match offset {
            Some(offset) if is_offset(offset) => Some(TimeZone::fixed(offset)),
            Some(_) => None,
            None => zone_of(text),
        };
        zone.map(Self::Of)
            .ok_or_else(|| ZoneError::Unknown(text.to_owned()))
    }
}

/// Whether an offset is of less than a day, as RFC 3339 has them.
pub(super) fn is_offset(offset: Offset) -> bool {
    offset.seconds().abs() <= OFFSET_SECONDS_MAX
}

/// The zone of a name as the IANA time zone database has them for places. Its names without a place are short for one offset to
/// whoever writes them, and for summer time too in the database, such as CET; or they mean the machine's own, or none.
pub fn zone_of(name: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(name).ok()?;
    let is_of_place = name.contains('/') && !zone.is_unknown();
    (is_of_place || UTC.contains(&name)).then_some(zone)
}

/// What UTC is called in it without a place.
const UTC: [&str; 5] = ["UTC", "UCT", "GMT", "Universal", "Zulu"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_are_none() {
        for zone in [
            "+25:00",
            "-24:00",
            "Etc/Unknown",
            "Nowhere/City",
            "",
            "CET",
            "EST",
            "localtime",
            "Factory",
        ] {
            assert!(zone.parse::<Zone>().is_err(), "{zone}");
        }
        for zone in ["+23:59", "UTC", "GMT", "Etc/UTC", "Europe/Berlin"] {
            assert!(zone.parse::<Zone>().is_ok(), "{zone}");
        }
    }
}
