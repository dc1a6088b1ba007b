//! The lexical forms of the XML Schema data types (XSD 1.1 Part 2) as the metamodel uses them: whether a text is one.
//! Values are never converted, and blanks around a value are not stripped: what does not match is reported as written.

use crate::value_type::DataTypeDefXsd;

/// Whether `text` is in the lexical space of `value_type`, a name like `xs:double`. No text matches a name that is
/// none of [`DataTypeDefXsd`].
///
/// Of infinities and not-a-number, `INF`, `-INF` and `NaN` match `xs:double` and `xs:float`. Bounded integers are
/// checked for their bounds, dates for the days of their month.
#[must_use]
pub fn lexical_matches(value_type: &str, text: &str) -> bool {
    value_type
        .parse()
        .is_ok_and(|value_type| matches_type(value_type, text))
}

pub(crate) fn matches_type(value_type: DataTypeDefXsd, text: &str) -> bool {
    use DataTypeDefXsd as Xsd;
    match value_type {
        Xsd::AnyUri | Xsd::String => true,
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
            day_of(at, true, month)?;
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

/// Four digits or more, no leading zero beyond four. Kept as text: XML Schema sets no bound.
fn year<'text>(at: &mut Cursor<'text>) -> Option<&'text str> {
    let _sign = at.eat("-");
    let digits = at.some_digits()?;
    (digits.len() == 4 || (digits.len() > 4 && !digits.starts_with('0'))).then_some(digits)
}

fn year_month<'text>(at: &mut Cursor<'text>) -> Option<(&'text str, u8)> {
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
    let (year, month) = year_month(at)?;
    at.eat("-")?;
    day_of(at, leap(year), month)?;
    Some(())
}

fn leap(year: &str) -> bool {
    // The last four digits decide, and there are at least four.
    let tail = year
        .len()
        .checked_sub(4)
        .and_then(|start| year.get(start..));
    tail.and_then(|digits| digits.parse::<u16>().ok())
        .is_some_and(|year| {
            (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
        })
}

fn day_of(at: &mut Cursor<'_>, leap: bool, month: u8) -> Option<u8> {
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

fn is_base64(text: &str) -> bool {
    let mut characters = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|byte| *byte != b' ') {
        characters += 1;
        match byte {
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'+' | b'/' => {}
            other if other.is_ascii_alphanumeric() => {}
            _ => return false,
        }
    }
    characters.is_multiple_of(4) && padding <= 2
}

#[cfg(test)]
mod tests {
    use super::lexical_matches;

    fn check(value_type: &str, accepted: &[&str], rejected: &[&str]) {
        for text in accepted {
            assert!(lexical_matches(value_type, text), "{value_type} {text:?}");
        }
        for text in rejected {
            assert!(!lexical_matches(value_type, text), "{value_type} {text:?}");
        }
    }

    #[test]
    fn booleans_and_numbers() {
        check(
            "xs:boolean",
            &["true", "false", "1", "0"],
            &["True", "", "yes", " true", "2"],
        );
        check(
            "xs:integer",
            &["0", "-0", "+7", "007", &"9".repeat(60)],
            &["", "+", "1.0", "1e3", "--1", "٣"],
        );
        check(
            "xs:int",
            &["2147483647", "-2147483648", "+1", "0000000000000001"],
            &["2147483648", "1.5", "UNAVAILABLE"],
        );
        check("xs:byte", &["127", "-128"], &["128", "-129"]);
        check("xs:short", &["32767"], &["32768"]);
        check(
            "xs:long",
            &["-9223372036854775808"],
            &["9223372036854775808"],
        );
        check("xs:unsignedByte", &["255", "-0"], &["256", "-1"]);
        check("xs:unsignedShort", &["65535"], &["65536"]);
        check("xs:unsignedInt", &["4294967295"], &["4294967296"]);
        check(
            "xs:unsignedLong",
            &["18446744073709551615"],
            &["18446744073709551616"],
        );
        check("xs:positiveInteger", &["1", "+1"], &["0", "-1"]);
        check("xs:negativeInteger", &["-1"], &["0", "1", "-0"]);
        check("xs:nonNegativeInteger", &["0", "-0", "5"], &["-5"]);
        check("xs:nonPositiveInteger", &["0", "+0", "-5"], &["5"]);
        check(
            "xs:decimal",
            &["1", "-1.23", ".5", "5.", "+0.0", "0061707"],
            &["", ".", "1e3", "INF", "1,5", "1.2.3"],
        );
        for floating in ["xs:double", "xs:float"] {
            check(
                floating,
                &[
                    "1.5",
                    "-1E4",
                    "12.78e-2",
                    "INF",
                    "-INF",
                    "NaN",
                    ".5e+3",
                    "373.320060",
                ],
                &["", "+INF", "inf", "nan", "1e", "e3", "0x10", " 1", "1 "],
            );
        }
    }

    #[test]
    fn dates_and_times() {
        check(
            "xs:dateTime",
            &[
                "2017-05-19T11:22:33Z",
                "2017-05-19T11:22:33.1234567Z",
                "2000-02-29T24:00:00",
                "-0001-01-01T00:00:00+14:00",
                "12017-05-19T11:22:33-05:30",
            ],
            &[
                "2017-05-19",
                "2017-5-19T11:22:33Z",
                "2017-02-29T00:00:00",
                "1900-02-29T00:00:00",
                "2017-05-19T24:00:01",
                "2017-05-19T24:00:00.1",
                "2017-05-19T11:22",
                "2017-05-19T11:22:33.",
                "2017-05-19T11:22:60",
                "2017-05-19 11:22:33",
                "2017-05-19T11:22:33+14:01",
                "017-05-19T11:22:33",
                "02017-05-19T11:22:33",
                "2017-05-19T1ü:22:33",
            ],
        );
        check(
            "xs:date",
            &["2017-05-19", "2016-02-29Z", "2017-05-19-05:00"],
            &["2017-04-31", "2017-13-01", "2017-00-10", "2017-05-19T"],
        );
        check(
            "xs:time",
            &["14:23:00", "14:23:00.527634Z"],
            &["25:00:00", "14:23"],
        );
        check("xs:gYear", &["2000", "2000+03:00"], &["00", "2000-"]);
        check("xs:gYearMonth", &["2000-01"], &["2000-13", "2000"]);
        check("xs:gMonth", &["--04", "--04+03:00"], &["-04", "--13"]);
        check("xs:gDay", &["---04"], &["---32", "--04"]);
        check("xs:gMonthDay", &["--02-29"], &["--02-30", "--04-31"]);
        check(
            "xs:duration",
            &["P30D", "-P1Y2M3DT1H", "PT1H5M0S", "PT0.5S", "P1M", "PT1M"],
            &[
                "", "P", "PT", "P1DT", "P1S", "PT1D", "P1M1Y", "PT.5S", "PT1H.5S", "PT1S1.5S",
                "PT1.S", "PT1.5H", "P1.5D", "1D",
            ],
        );
    }

    #[test]
    fn texts_and_bytes() {
        check("xs:string", &["", "anything"], &[]);
        check("xs:anyURI", &["", "urn:example:1"], &[]);
        check("xs:hexBinary", &["", "6b75", "6B"], &["6", "6g"]);
        check(
            "xs:base64Binary",
            &["", "aGVsbG8=", "aGVs bG8="],
            &["aGVsbG8", "a===", "aG=s", "aGV*"],
        );
        check("double", &[], &["1.5"]);
        check("xs:dateTimeStamp", &[], &["2017-05-19T11:22:33Z"]);
    }
}
