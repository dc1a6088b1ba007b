//! The lexical forms of the XML Schema data types (XSD 1.0 Part 2, to which IDTA-01001 refers) as the metamodel uses them:
//! whether a text is one. Values are never converted, and blanks around a value are not stripped: what does not match is
//! reported as written.

use crate::value_type::DataTypeDefXsd;

/// Whether `text` is in the lexical space of `value_type`, a name like `xs:double`. No text matches a name that is
/// none of [`DataTypeDefXsd`].
///
/// Of infinities and not-a-number, `INF`, `-INF` and `NaN` match `xs:double` and `xs:float`. Bounded integers are
/// checked for their bounds, dates for the days of their month, texts for characters that XML has not. A number too
/// large for its type to hold, such as `1e400`, does match: see [`is_representable`].
#[must_use]
pub fn lexical_matches(value_type: &str, text: &str) -> bool {
    value_type
        .parse()
        .is_ok_and(|value_type| matches_type(value_type, text))
}

pub(crate) fn matches_type(value_type: DataTypeDefXsd, text: &str) -> bool {
    use DataTypeDefXsd as Xsd;
    match value_type {
        Xsd::AnyUri | Xsd::String => text.chars().all(is_xml_character),
        Xsd::Base64Binary => is_base64(text),
        Xsd::HexBinary => {
            text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        Xsd::Boolean => matches!(text, "true" | "false" | "1" | "0"),
        Xsd::Decimal => whole(text, decimal),
        Xsd::Double | Xsd::Float => matches!(text, "INF" | "-INF" | "NaN") || whole(text, floating),
        Xsd::Byte => integer_within(text, i8::MIN.into(), i8::MAX.into()),
        Xsd::Short => integer_within(text, i16::MIN.into(), i16::MAX.into()),
        Xsd::Int => integer_within(text, i32::MIN.into(), i32::MAX.into()),
        Xsd::Long => integer_within(text, i64::MIN.into(), i64::MAX.into()),
        Xsd::UnsignedByte => integer_within(text, 0, u8::MAX.into()),
        Xsd::UnsignedShort => integer_within(text, 0, u16::MAX.into()),
        Xsd::UnsignedInt => integer_within(text, 0, u32::MAX.into()),
        Xsd::UnsignedLong => integer_within(text, 0, u64::MAX.into()),
        Xsd::Integer => sign_of_integer(text).is_some(),
        Xsd::PositiveInteger => sign_of_integer(text) == Some(Sign::Positive),
        Xsd::NegativeInteger => sign_of_integer(text) == Some(Sign::Negative),
        Xsd::NonNegativeInteger => {
            matches!(sign_of_integer(text), Some(Sign::Zero | Sign::Positive))
        }
        Xsd::NonPositiveInteger => {
            matches!(sign_of_integer(text), Some(Sign::Zero | Sign::Negative))
        }
        Xsd::Date => whole(text, date),
        Xsd::DateTime => whole(text, |at| {
            date_without_zone(at)?;
            at.eat("T")?;
            time(at)
        }),
        Xsd::Time => whole(text, time),
        Xsd::GYear => whole(text, |at| year(at).and_then(|_| zone(at))),
        Xsd::GYearMonth => whole(text, |at| year_month(at).and_then(|_| zone(at))),
        Xsd::GMonth => whole(text, |at| month(at).and_then(|_| zone(at))),
        Xsd::GMonthDay => whole(text, |at| {
            let month = month(at)?;
            at.eat("-")?;
            day_of(at, Leap(true), month)?;
            zone(at)
        }),
        Xsd::GDay => whole(text, |at| {
            at.eat("---")?;
            at.two_digits(1, 31)?;
            zone(at)
        }),
        Xsd::Duration => whole(text, duration),
    }
}

/// Whether a value of `value_type` can hold the number that `text` is. A double or float holds neither `1e400`, which
/// would become infinite, nor `1e-400`, which would become zero; every other type holds what is in its lexical space.
#[must_use]
pub fn is_representable(value_type: DataTypeDefXsd, text: &str) -> bool {
    let (is_finite, is_zero) = match value_type {
        DataTypeDefXsd::Double => text
            .parse::<f64>()
            .map_or((false, false), |number| (number.is_finite(), number == 0.0)),
        DataTypeDefXsd::Float => text
            .parse::<f32>()
            .map_or((false, false), |number| (number.is_finite(), number == 0.0)),
        _ => return true,
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_written_as_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    matches!(text, "INF" | "-INF" | "NaN") || (is_finite && is_zero == is_written_as_zero)
}

/// Whether it is a character of XML 1.0, of which alone the metamodel's texts consist (IDTA-01001, constraint AASd-130).
#[must_use]
pub fn is_xml_character(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..
    )
}

/// What is left to read of a text. Every reading step answers `None` when the text does not go on as it should.
struct Cursor<'text> {
    left: &'text str,
}

impl<'text> Cursor<'text> {
    fn eat(&mut self, expected: &str) -> Option<()> {
        self.left = self.left.strip_prefix(expected)?;
        Some(())
    }

    fn eat_any(&mut self, choices: &[&str]) -> Option<()> {
        choices.iter().find_map(|choice| self.eat(choice))
    }

    /// The digits from here on; there may be none.
    fn digits(&mut self) -> &'text str {
        let end = self
            .left
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(self.left.len());
        let (digits, left) = self.left.split_at(end);
        self.left = left;
        digits
    }

    fn some_digits(&mut self) -> Option<&'text str> {
        Some(self.digits()).filter(|digits| !digits.is_empty())
    }

    fn two_digits(&mut self, least: u8, most: u8) -> Option<u8> {
        let (digits, left) = self.left.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.left = left;
        digits
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
    }
}

fn whole<T>(text: &str, read: impl FnOnce(&mut Cursor<'_>) -> Option<T>) -> bool {
    let mut cursor = Cursor { left: text };
    read(&mut cursor).is_some() && cursor.left.is_empty()
}

fn decimal(at: &mut Cursor<'_>) -> Option<()> {
    let _sign = at.eat_any(&["+", "-"]);
    let before = at.digits();
    let after = match at.eat(".") {
        Some(()) => at.digits(),
        None => "",
    };
    (!before.is_empty() || !after.is_empty()).then_some(())
}

fn floating(at: &mut Cursor<'_>) -> Option<()> {
    decimal(at)?;
    if at.eat_any(&["e", "E"]).is_some() {
        let _sign = at.eat_any(&["+", "-"]);
        at.some_digits()?;
    }
    Some(())
}

#[derive(PartialEq, Eq)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

fn sign_of_integer(text: &str) -> Option<Sign> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if digits.bytes().all(|digit| digit == b'0') {
        Sign::Zero
    } else if text.starts_with('-') {
        Sign::Negative
    } else {
        Sign::Positive
    })
}

fn integer_within(text: &str, least: i128, most: i128) -> bool {
    sign_of_integer(text).is_some()
        && text
            .parse::<i128>()
            .is_ok_and(|number| (least..=most).contains(&number))
}

/// Four digits or more, no leading zero beyond four; there is no year zero. Whether it is a leap year: XML Schema sets
/// no bound on years, and the last four digits decide.
fn year(at: &mut Cursor<'_>) -> Option<Leap> {
    let is_before_christ = at.eat("-").is_some();
    let digits = at.some_digits()?;
    let has_form = digits.len() == 4 || (digits.len() > 4 && !digits.starts_with('0'));
    if !has_form || digits.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let tail = digits
        .len()
        .checked_sub(4)
        .and_then(|start| digits.get(start..))?;
    let tail: u16 = tail.parse().ok()?;
    // The year before 1 is -1, a leap year as every fourth before it.
    let year = if is_before_christ {
        (tail + 10_000) - 1
    } else {
        tail
    };
    Some(Leap(
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400),
    ))
}

/// Whether a year has a 29 February.
#[derive(Clone, Copy)]
struct Leap(bool);

fn year_month(at: &mut Cursor<'_>) -> Option<(Leap, u8)> {
    let year = year(at)?;
    at.eat("-")?;
    Some((year, at.two_digits(1, 12)?))
}

/// A month of no year, `--04`.
fn month(at: &mut Cursor<'_>) -> Option<u8> {
    at.eat("--")?;
    at.two_digits(1, 12)
}

fn date(at: &mut Cursor<'_>) -> Option<()> {
    date_without_zone(at)?;
    zone(at)
}

fn date_without_zone(at: &mut Cursor<'_>) -> Option<()> {
    let (leap, month) = year_month(at)?;
    at.eat("-")?;
    day_of(at, leap, month)?;
    Some(())
}

fn day_of(at: &mut Cursor<'_>, Leap(leap): Leap, month: u8) -> Option<u8> {
    let days = match (month, leap) {
        (2, true) => 29,
        (2, false) => 28,
        (4 | 6 | 9 | 11, true | false) => 30,
        (_, true | false) => 31,
    };
    at.two_digits(1, days)
}

/// A time of day and its time zone; 24:00:00 is the end of the day.
fn time(at: &mut Cursor<'_>) -> Option<()> {
    let end_of_day = at.eat("24:00:00").is_some();
    if !end_of_day {
        at.two_digits(0, 23)?;
        at.eat(":")?;
        at.two_digits(0, 59)?;
        at.eat(":")?;
        at.two_digits(0, 59)?;
    }
    if at.eat(".").is_some() {
        let fraction = at.some_digits()?;
        if end_of_day && fraction.bytes().any(|digit| digit != b'0') {
            return None;
        }
    }
    zone(at)
}

/// A time zone, which may be absent.
fn zone(at: &mut Cursor<'_>) -> Option<()> {
    if at.eat("Z").is_some() || at.left.is_empty() {
        return Some(());
    }
    at.eat_any(&["+", "-"])?;
    if at.eat("14:00").is_some() {
        return Some(());
    }
    at.two_digits(0, 13)?;
    at.eat(":")?;
    at.two_digits(0, 59)?;
    Some(())
}

fn duration(at: &mut Cursor<'_>) -> Option<()> {
    let _sign = at.eat("-");
    at.eat("P")?;
    let days = parts(at, &["Y", "M", "D"])?;
    if at.eat("T").is_none() {
        return days.then_some(());
    }
    parts(at, &["H", "M", "S"])?.then_some(())
}

/// Numbers followed by the designators, in that order, each at most once; whether there was any. Only seconds may have
/// a fraction, and they are last.
fn parts(at: &mut Cursor<'_>, designators: &[&str]) -> Option<bool> {
    let mut any = false;
    let mut designators = designators.iter();
    while at.some_digits().is_some() {
        if at.eat(".").is_some() {
            at.some_digits()?;
            designators.find(|designator| **designator == "S")?;
            at.eat("S")?;
        } else {
            designators.find(|designator| at.eat(designator).is_some())?;
        }
        any = true;
    }
    Some(any)
}

/// Groups of four characters, the last one padded, with single spaces between characters only. The bits that padding
/// leaves over are zero, so that no two texts are the same bytes but for their spaces.
fn is_base64(text: &str) -> bool {
    let is_spaced = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    let characters: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let is_of_64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let (digits, padding) = match characters.as_slice() {
        [digits @ .., b'=', b'='] => (digits, 2),
        [digits @ .., b'='] => (digits, 1),
        digits => (digits, 0),
    };
    let is_last_in = |choices: &[u8]| digits.last().is_some_and(|last| choices.contains(last));
    let leaves_no_bits = match padding {
        2 => is_last_in(b"AQgw"),
        1 => is_last_in(b"AEIMQUYcgkosw048"),
        _ => true,
    };
    !is_spaced
        && leaves_no_bits
        && digits.iter().all(is_of_64)
        && characters.len().is_multiple_of(4)
}

#[cfg(test)]
mod tests;
