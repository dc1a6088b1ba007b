//! Instants as the formats hold them: whole nanoseconds since 1970-01-01T00:00:00Z, leap seconds smeared.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC: nanoseconds since the Unix epoch, from 1970 to the last whole millisecond of 2199.
///
/// The bound is checked wherever one is parsed, so that no policy's date arithmetic can overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Why a number or a text is no [`Time`].
#[derive(Debug, thiserror::Error)]
pub enum TimeError {
    /// Before 1970 or after 2199.
    #[error("time is outside the years 1970 to 2199")]
    OutOfRange,
    /// A second that no clock here shows: whoever takes it for the one before moves it unseen.
    #[error(
        "`{0}` has a sixtieth second, which no clock here can show: write the instant that is meant"
    )]
    SixtiethSecond(String),
    /// An offset from UTC that no place has and RFC 3339, section 5.6, does not allow.
    #[error("`{0}` has an offset from UTC of a day or more: write the one that is meant")]
    Offset(String),
    /// Not an RFC 3339 instant.
    #[error("`{text}` is not an RFC 3339 instant such as 2026-05-01T08:00:00Z")]
    NotRfc3339 {
        /// What was read.
        text: String,
        /// What the parser says.
        #[source]
        source: jiff::Error,
    },
}

/// The largest offset from UTC that RFC 3339, section 5.6, can write, to the minute, in seconds.
pub const OFFSET_SECONDS_MAX: i32 = 86_400 - 60;

const NANOS_PER_MILLI: i64 = 1_000_000;
const NANOS_PER_MINUTE: i64 = 60_000_000_000;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EARLIEST: Self = Self(0);
    /// The last millisecond of 2199: a whole one, so that what is cut off at it may stand in terms.
    pub const LATEST: Self = Self(7_258_118_400_000_000_000 - NANOS_PER_MILLI);

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down: the resolution of policies.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0 / NANOS_PER_MILLI
    }

    /// From milliseconds since the epoch.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`].
    pub fn from_millis(millis: i64) -> Result<Self, TimeError> {
        millis
            .checked_mul(NANOS_PER_MILLI)
            .ok_or(TimeError::OutOfRange)?
            .try_into()
    }

    /// Whether it is a whole millisecond: the finest that terms name, because policies read no finer.
    #[must_use]
    pub const fn is_whole_millis(self) -> bool {
        self.0 % NANOS_PER_MILLI == 0
    }

    /// The whole millisecond it lies in.
    #[must_use]
    pub const fn start_of_millis(self) -> Self {
        Self(self.0 - self.0 % NANOS_PER_MILLI)
    }

    /// The minute of UTC it lies in, counted from the epoch.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0 / NANOS_PER_MINUTE
    }

    /// The start of its UTC day.
    #[must_use]
    pub const fn start_of_day(self) -> Self {
        Self(self.0 - self.0 % NANOS_PER_DAY)
    }

    /// This many days of 86,400 seconds later, at most [`Time::LATEST`].
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(
            i64::from(days)
                .saturating_mul(NANOS_PER_DAY)
                .saturating_add(self.0)
                .min(Self::LATEST.0),
        )
    }

    /// This many seconds later, at most [`Time::LATEST`].
    #[must_use]
    pub fn plus_seconds(self, seconds: u32) -> Self {
        Self(
            (i64::from(seconds) * 1_000_000_000)
                .saturating_add(self.0)
                .min(Self::LATEST.0),
        )
    }

    /// This many seconds earlier, at least [`Time::EARLIEST`].
    #[must_use]
    pub fn minus_seconds(self, seconds: u32) -> Self {
        Self(
            self.0
                .saturating_sub(i64::from(seconds) * 1_000_000_000)
                .max(Self::EARLIEST.0),
        )
    }

    /// How many whole days can be added before [`Time::LATEST`] cuts them off.
    #[must_use]
    pub fn days_left(self) -> u32 {
        u32::try_from((Self::LATEST.0 - self.0) / NANOS_PER_DAY).unwrap_or(u32::MAX)
    }

    /// The whole days from `earlier` to here, rounded up; zero where `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> u32 {
        let nanos = (self.0 - earlier.0).max(0);
        u32::try_from(nanos.div_euclid(NANOS_PER_DAY) + i64::from(nanos % NANOS_PER_DAY != 0))
            .unwrap_or(u32::MAX)
    }
}

impl TryFrom<i64> for Time {
    type Error = TimeError;
    fn try_from(nanos: i64) -> Result<Self, TimeError> {
        if (Self::EARLIEST.0..=Self::LATEST.0).contains(&nanos) {
            Ok(Self(nanos))
        } else {
            Err(TimeError::OutOfRange)
        }
    }
}

impl From<Time> for i64 {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl TryFrom<jiff::Timestamp> for Time {
    type Error = TimeError;
    fn try_from(timestamp: jiff::Timestamp) -> Result<Self, TimeError> {
        i64::try_from(timestamp.as_nanosecond())
            .map_err(|_| TimeError::OutOfRange)?
            .try_into()
    }
}

impl std::str::FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if has_sixtieth_second(text, |text| text.parse::<jiff::Timestamp>().ok()) {
            return Err(TimeError::SixtiethSecond(text.to_owned()));
        }
        let failed = |source| TimeError::NotRfc3339 {
            text: text.to_owned(),
            source,
        };
        let instant = text.parse::<jiff::Timestamp>().map_err(failed)?;
        // Beside an offset there may be a zone (RFC 9557): the two say the same.
        if text.contains('[') {
            text.parse::<jiff::Zoned>().map_err(failed)?;
        }
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(failed)?;
        let offset = pieces.to_numeric_offset();
        if offset.is_some_and(|offset| offset.seconds().abs() > OFFSET_SECONDS_MAX) {
            return Err(TimeError::Offset(text.to_owned()));
        }
        instant.try_into()
    }
}

impl std::fmt::Display for Time {
    /// RFC 3339 in UTC with as many fractional digits as it needs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let timestamp =
            jiff::Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| std::fmt::Error)?;
        write!(formatter, "{timestamp}")
    }
}

impl Serialize for Time {
    /// A number in CBOR, RFC 3339 where the format is for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let nanos = i64::deserialize(deserializer)?;
            nanos.try_into().map_err(D::Error::custom)
        }
    }
}

/// Whether a text has a sixtieth second where it is read as a time: what reads it takes it for the fifty-ninth, and so says the
/// same of both.
#[must_use]
pub fn has_sixtieth_second<T: PartialEq>(text: &str, read: impl Fn(&str) -> Option<T>) -> bool {
    let mut places = text.match_indices("60").peekable();
    if places.peek().is_none() {
        return false;
    }
    let Some(as_it_is) = read(text) else {
        return false;
    };
    places.any(|(at, _)| {
        let (before, after) = text.split_at(at);
        let after = after.strip_prefix("60").unwrap_or(after);
        read(&format!("{before}59{after}")).as_ref() == Some(&as_it_is)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_a_text_and_ledgers_hold_a_number() {
        let time: Time = "2026-05-01T08:00:00.5Z".parse().unwrap();
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(text, "\"2026-05-01T08:00:00.5Z\"");
        assert_eq!(serde_json::from_str::<Time>(&text).unwrap(), time);
        assert!(serde_json::from_str::<Time>("1777622400500000000").is_err());
        let bytes = crate::encode(&time);
        assert_eq!(bytes, crate::encode(&time.as_nanos()));
        assert_eq!(crate::decode::<Time>(&bytes).unwrap(), time);
    }

    #[test]
    fn seven_fractional_digits_survive() {
        let time: Time = "2017-02-01T17:42:26.1875001Z".parse().unwrap();
        assert_eq!(time.to_string(), "2017-02-01T17:42:26.1875001Z");
        assert_eq!(time.as_millis(), 1_485_970_946_187);
        assert_eq!(time.start_of_day().to_string(), "2017-02-01T00:00:00Z");
    }

    #[test]
    fn bounds_are_checked() {
        assert!("1969-12-31T23:59:59Z".parse::<Time>().is_err());
        assert!("2200-01-01T00:00:00Z".parse::<Time>().is_err());
        assert_eq!(Time::LATEST.to_string(), "2199-12-31T23:59:59.999Z");
        assert!("2026-05-01 08:00".parse::<Time>().is_err());
        assert!("2023-12-11T11:31:60Z".parse::<Time>().is_err());
        for text in ["2026-05-01T08:00:00+24:00", "2026-05-01T08:00:00-25:59"] {
            let refused = text.parse::<Time>();
            assert!(matches!(refused, Err(TimeError::Offset(_))), "{text}");
        }
        let zoned = "2026-05-01T08:00:00+02:00[Europe/Berlin]".parse::<Time>();
        assert_eq!(zoned.unwrap().to_string(), "2026-05-01T06:00:00Z");
        assert!(
            "2026-05-01T08:00:00+09:00[Europe/Berlin]"
                .parse::<Time>()
                .is_err()
        );
        assert!("2026-05-01T08:00:00+23:59".parse::<Time>().is_ok());
        assert!("2016-12-31T23:59:60Z".parse::<Time>().is_err());
        assert!("20161231T235960Z".parse::<Time>().is_err());
        assert!("2016-12-31T235960+01:00".parse::<Time>().is_err());
        assert!("2060-06-06T08:06:06.060606060Z".parse::<Time>().is_ok());
        assert!("2199-12-31T23:59:59.999000001Z".parse::<Time>().is_err());
        assert_eq!(Time::LATEST.plus_days(9), Time::LATEST);
        let whole: Time = "2026-05-01T08:00:00.5Z".parse().unwrap();
        assert!(whole.plus_days(u32::MAX).is_whole_millis());
        assert!(whole.plus_seconds(u32::MAX).is_whole_millis());
    }

    #[test]
    fn days_left_are_those_that_are_not_cut_off() {
        let time: Time = "2026-05-01T08:00:00Z".parse().unwrap();
        let left = time.days_left();
        assert!(time.plus_days(left) < Time::LATEST);
        assert_eq!(time.plus_days(left + 1), Time::LATEST);
    }

    #[test]
    fn days_round_up() {
        let day = Time::EARLIEST.plus_days(10);
        assert_eq!(day.days_since(Time::EARLIEST), 10);
        assert_eq!(day.days_since(Time::EARLIEST.plus_seconds(1)), 10);
        assert_eq!(Time::EARLIEST.days_since(day), 0);
    }
}
