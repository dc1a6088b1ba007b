//! One cell: a value of a declared type, or the quality that says why there is none.

use ambit_aas::{DataTypeDefXsd, ValueOnlyError, value_only_property};
use ambit_ledger::Quality;
use serde_json::Value;

/// What MTConnect writes where there is no value (ANSI/MTC1.4 Part 2, `UNAVAILABLE`).
const UNAVAILABLE: &str = "UNAVAILABLE";

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberForm {
    /// As declared.
    pub(super) decimal: Option<char>,
    /// As declared.
    pub(super) thousands: Option<char>,
    /// Beside a semicolon a point may group thousands: the comma is then often the decimal mark.
    pub(super) point_is_doubtful: bool,
}

/// A cell that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// The value-only form as JSON text.
    Value(String),
    /// No value.
    Missing(Quality),
}

/// Why a cell cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CellError {
    /// It has one meaning per decimal mark, and the map does not say which it is.
    Doubtful,
    /// It is not of its type, for this reason.
    Unreadable(String),
}

/// Reads a cell. Numbers keep their digits; blanks around anything but a string are not part of it.
pub(super) fn read(
    text: &str,
    value_type: DataTypeDefXsd,
    form: NumberForm,
) -> Result<Cell, CellError> {
    if let Some(quality) = missing(text) {
        return Ok(Cell::Missing(quality));
    }
    let trimmed = text.trim();
    if is_number(value_type) && stands_for_none(trimmed) {
        return Ok(Cell::Missing(Quality::Unavailable));
    }
    let lexical = if is_number(value_type) {
        number(trimmed, form)?
    } else if value_type == DataTypeDefXsd::String {
        text.to_owned()
    } else {
        trimmed.to_owned()
    };
    match value_only_property(value_type.as_str(), &lexical) {
        // The digits as written: a number printed again may have its exponent in another form.
        Ok(Value::Number(_)) => Ok(Cell::Value(lexical)),
        Ok(value) => Ok(Cell::Value(value.to_string())),
        Err(error) => Err(CellError::Unreadable(not_of(trimmed, value_type, &error))),
    }
}

/// The quality of a text that is no value, of whatever type and wherever it comes from: none for a value.
pub(super) fn missing(text: &str) -> Option<Quality> {
    match text.trim() {
        "" => Some(Quality::Empty),
        UNAVAILABLE => Some(Quality::Unavailable),
        _ => None,
    }
}

/// Whether a text is what people write where there is no number. In another column it may be a value.
pub(super) fn stands_for_none(text: &str) -> bool {
    matches!(text, "-" | "--") || text.eq_ignore_ascii_case("n/a")
}

/// Whether the decimal mark matters to a type.
pub(super) fn is_number(value_type: DataTypeDefXsd) -> bool {
    value_type.is_numeric()
}

fn number(text: &str, form: NumberForm) -> Result<String, CellError> {
    let Some(decimal) = form.decimal else {
        let looks_like_a_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.,eE".contains(&byte));
        let doubtful = text.contains(',') || (form.point_is_doubtful && text.contains('.'));
        return if looks_like_a_number && doubtful {
            Err(CellError::Doubtful)
        } else {
            Ok(text.to_owned())
        };
    };
    let (whole, fraction) = match text.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let whole = match form.thousands {
        Some(mark) if whole.contains(mark) => ungroup(whole, mark).ok_or_else(|| {
            CellError::Unreadable(format!("`{text}` is not grouped by thousands"))
        })?,
        _ => whole.to_owned(),
    };
    // With a decimal comma, a point is no part of a number.
    if decimal != '.'
        && (whole.contains('.') || fraction.is_some_and(|digits| digits.contains('.')))
    {
        return Err(CellError::Unreadable(format!(
            "`{text}` has a point, while the map sets decimal = \"{decimal}\""
        )));
    }
    Ok(match fraction {
        Some(fraction) => format!("{whole}.{fraction}"),
        None => whole,
    })
}

fn ungroup(whole: &str, mark: char) -> Option<String> {
    let (sign, digits) = match whole.strip_prefix(['+', '-']) {
        Some(digits) => (whole.get(..1)?, digits),
        None => ("", whole),
    };
    let mut groups = digits.split(mark);
    let first = groups.next()?;
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    // No number begins with zeros for thousands: what does has a mark before its fraction, and not the map's.
    let well_grouped = (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && is_digits(first)
        && groups.all(|group| group.len() == 3 && is_digits(group));
    well_grouped.then(|| format!("{sign}{}", digits.replace(mark, "")))
}

fn not_of(text: &str, value_type: DataTypeDefXsd, error: &ValueOnlyError) -> String {
    let shown: String = text.chars().take(60).collect();
    let mark = if shown.len() < text.len() { "…" } else { "" };
    let shown = shown.escape_debug();
    match error {
        ValueOnlyError::Range { .. } => format!(
            "`{shown}{mark}` is beyond what {value_type} holds: declare it as xs:decimal or xs:string"
        ),
        ValueOnlyError::ValueType(_) | ValueOnlyError::Lexical { .. } => {
            format!("`{shown}{mark}` is no {value_type}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataTypeDefXsd as Xsd;

    fn form(decimal: Option<char>, thousands: Option<char>) -> NumberForm {
        NumberForm {
            decimal,
            thousands,
            point_is_doubtful: false,
        }
    }

    #[test]
    fn values_in_the_value_only_form() {
        let (plain, point, comma) = (
            form(None, None),
            form(Some('.'), Some(',')),
            form(Some(','), Some('.')),
        );
        for (text, value_type, form, expected) in [
            ("373.320060", Xsd::Double, plain, "373.320060"),
            (" 5 ", Xsd::Int, plain, "5"),
            ("-1.5e3", Xsd::Double, plain, "-1.5e3"),
            ("INF", Xsd::Double, plain, "\"INF\""),
            ("NaN", Xsd::Double, comma, "\"NaN\""),
            ("true", Xsd::Boolean, plain, "true"),
            (" a \"b\"\n", Xsd::String, plain, "\" a \\\"b\\\"\\n\""),
            ("1,234", Xsd::String, plain, "\"1,234\""),
            ("1,234.50", Xsd::Double, point, "1234.50"),
            ("1.234,50", Xsd::Double, comma, "1234.50"),
            ("-0,130", Xsd::Double, comma, "-0.130"),
            ("-12.345.678", Xsd::Int, comma, "-12345678"),
            (
                "1'000",
                Xsd::Int,
                super::tests::form(Some('.'), Some('\'')),
                "1000",
            ),
        ] {
            let cell = read(text, value_type, form);
            assert_eq!(cell, Ok(Cell::Value(expected.to_owned())), "{text}");
        }
    }

    #[test]
    fn missing_is_a_quality() {
        for (text, quality) in [
            ("", Quality::Empty),
            ("  ", Quality::Empty),
            ("UNAVAILABLE", Quality::Unavailable),
        ] {
            for value_type in [Xsd::Double, Xsd::String] {
                let cell = read(text, value_type, form(None, None));
                assert_eq!(cell, Ok(Cell::Missing(quality)));
            }
        }
    }

    #[test]
    fn what_stands_for_no_number_is_missing_and_elsewhere_a_text() {
        for text in ["-", " - ", "--", "n/a", "N/A"] {
            let number = read(text, Xsd::Double, form(None, None));
            assert_eq!(number, Ok(Cell::Missing(Quality::Unavailable)), "{text}");
            let string = read(text, Xsd::String, form(None, None));
            assert!(matches!(string, Ok(Cell::Value(_))), "{text}");
        }
    }

    #[test]
    fn doubt_and_nonsense_are_told_apart() {
        let semicolons = NumberForm {
            point_is_doubtful: true,
            ..form(None, None)
        };
        for (text, form) in [
            ("1,234", form(None, None)),
            ("1,5", form(None, None)),
            ("1.234", semicolons),
        ] {
            assert_eq!(
                read(text, Xsd::Double, form),
                Err(CellError::Doubtful),
                "{text}"
            );
        }
        for (text, value_type, form) in [
            ("a,b", Xsd::Double, form(None, None)),
            ("1.5", Xsd::Int, form(None, None)),
            ("1.5", Xsd::Double, form(Some(','), None)),
            ("1,5", Xsd::Double, form(Some('.'), None)),
            ("1,23,456", Xsd::Double, form(Some('.'), Some(','))),
            ("1,234,", Xsd::Double, form(Some('.'), Some(','))),
            ("0.123", Xsd::Double, form(Some(','), Some('.'))),
            ("-0.123", Xsd::Double, form(Some(','), Some('.'))),
            ("012,345", Xsd::Int, form(Some('.'), Some(','))),
            ("000,000", Xsd::Int, form(Some('.'), Some(','))),
            ("5 mm", Xsd::Double, form(None, None)),
            ("yes", Xsd::Boolean, form(None, None)),
            ("300", Xsd::Byte, form(None, None)),
            ("1e400", Xsd::Double, form(None, None)),
            ("bell\u{7}", Xsd::String, form(None, None)),
        ] {
            let cell = read(text, value_type, form);
            assert!(
                matches!(cell, Err(CellError::Unreadable(_))),
                "{text}: {cell:?}"
            );
        }
        assert_eq!(
            read("1.234", Xsd::Double, form(None, None)),
            Ok(Cell::Value("1.234".to_owned()))
        );
    }
}
