//! The map: how one kind of delimited file is to be read. People write it; nothing in it is guessed.

use super::facts_file::FactsFile;
use super::instant::{Zone, ZoneError};
use super::map_file::MapFile;
use ambit_aas::DataTypeDefXsd;
use ambit_ledger::{Name, OrganizationId, Quality, Time};
use encoding_rs::Encoding;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How a delimited file is read, parsed and checked from TOML.
///
/// A file is either wide, with one `[[column]]` per element, or long, with a `[long]` table that names the columns of
/// key and value and one `[[element]]` per key.
#[derive(Clone, Debug)]
pub struct Map {
    pub(super) delimiter: Option<u8>,
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) decimal: Option<char>,
    pub(super) thousands: Option<char>,
    pub(super) header: bool,
    pub(super) time: TimeMap,
    pub(super) cells: CellsMap,
    pub(super) quality: BTreeMap<String, Quality>,
    pub(super) facts: FactsFile,
    pub(super) facts_columns: FactsColumns,
}

/// Where the time of a row is.
#[derive(Clone, Debug)]
pub(super) enum TimeMap {
    /// The same for the whole file.
    Fixed(Time),
    /// In a column.
    Instant { column: String, form: TimeForm },
    /// In two.
    Interval {
        from: String,
        to: String,
        form: TimeForm,
    },
}

/// How a time is written.
#[derive(Clone, Debug)]
pub(super) struct TimeForm {
    /// `None` where the map does not say: then only RFC 3339 is beyond doubt.
    pub(super) zone: Option<Zone>,
    /// As `strptime` has it.
    pub(super) format: Option<String>,
}

/// Where the values of a row are.
#[derive(Clone, Debug)]
pub(super) enum CellsMap {
    /// One column per element.
    Wide(Vec<(String, ElementMap)>),
    /// One element per row.
    Long {
        key: String,
        value: String,
        quality: Option<String>,
        elements: BTreeMap<String, ElementMap>,
        ignore: BTreeSet<String>,
    },
}

/// One element.
#[derive(Clone, Debug)]
pub(super) struct ElementMap {
    pub(super) path: Name,
    pub(super) value_type: DataTypeDefXsd,
    pub(super) unit: Option<Name>,
    pub(super) quality_column: Option<String>,
}

/// Which facts are read from columns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FactsColumns {
    pub(super) source: Option<String>,
    pub(super) site: Option<String>,
    pub(super) asset: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) process: Option<String>,
    pub(super) part: Option<AssignedColumn>,
    pub(super) lot: Option<AssignedColumn>,
    pub(super) order: Option<AssignedColumn>,
    pub(super) program: Option<AssignedColumn>,
}

/// A column of identifiers that one organization gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignedColumn {
    pub(super) column: String,
    pub(super) assigner: OrganizationId,
}

/// Why a text is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// Not TOML, an unknown or missing key, or a value that does not fit its key.
    #[error("failed to read the map")]
    Toml(#[from] toml::de::Error),
    /// A delimiter of no or several characters, or not ASCII.
    #[error("`delimiter` is `{0}`: it must be one ASCII character, or \"tab\"")]
    Delimiter(String),
    /// An encoding nobody knows.
    #[error(
        "`encoding` is `{0}`: name it as the WHATWG encoding standard does, such as utf-8, utf-16le or windows-1252"
    )]
    Encoding(String),
    /// Marks that are no marks, or contradict each other.
    #[error(
        "`decimal` must be \".\" or \",\", and `thousands`, which needs `decimal`, one other character that is no digit"
    )]
    Marks,
    /// No time, or more than one kind of it.
    #[error(
        "the map must say when: set in `[time]` either `column`, or both `from_column` and `to_column`, or `at` for the whole file; `zone` and `format` go with columns only"
    )]
    Time,
    /// Not a zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// Neither wide nor long, or both.
    #[error(
        "the map must name values: either `[[column]]` tables, or `[long]` with `[[element]]` tables, and not both"
    )]
    Cells,
    /// Not an idShort path.
    #[error("`path` is `{path}`, which is no idShort path such as `Deviations.Flatness`")]
    Path {
        /// What was read.
        path: String,
        /// What is wrong with it.
        #[source]
        source: ambit_aas::IdShortPathError,
    },
    /// Not a data type.
    #[error("`value_type` of `{path}` is not a data type of the metamodel")]
    ValueType {
        /// The element.
        path: String,
        /// What is wrong with it.
        #[source]
        source: ambit_aas::DataTypeDefXsdError,
    },
    /// Not a name.
    #[error("`path` or `unit` of `{path}` is not usable")]
    Name {
        /// The element.
        path: String,
        /// What is wrong with it.
        #[source]
        source: ambit_ledger::NameError,
    },
    /// Two columns or keys for one element, or two elements for one key.
    #[error("`{0}` is in the map twice")]
    Repeated(String),
    /// A quality nobody knows.
    #[error(
        "`[quality]` maps to `{0}`, which is none of good, uncertain, bad, unavailable and empty"
    )]
    Quality(String),
}

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// Any [`MapError`]; that of an unknown key lists the known ones in its source.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        toml::from_str::<MapFile>(text)?.check()
    }
}

/// The quality that a word names, in any case of letters.
pub(super) fn quality(word: &str) -> Option<Quality> {
    match word.to_ascii_lowercase().as_str() {
        "good" => Some(Quality::Good),
        "uncertain" => Some(Quality::Uncertain),
        "bad" => Some(Quality::Bad),
        "unavailable" => Some(Quality::Unavailable),
        "empty" => Some(Quality::Empty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    const TIME: &str = "[time]\ncolumn = \"t\"\nzone = \"UTC\"\n";
    const COLUMN: &str = "[[column]]\nname = \"a\"\npath = \"A\"\nvalue_type = \"xs:int\"\n";
    const LONG: &str = "[long]\npath_column = \"k\"\nvalue_column = \"v\"\nignore = [\"z\"]\n";
    const ELEMENT: &str = "[[element]]\nkey = \"a\"\npath = \"A\"\nvalue_type = \"xs:int\"\n";

    #[test]
    fn maps_that_are_read() {
        let zone = TIME.replace("UTC", "+05:30");
        let fixed = "[time]\nat = \"2026-05-01T08:00:00Z\"\n";
        let interval = "[time]\nfrom_column = \"f\"\nto_column = \"t\"\nzone = \"Europe/Berlin\"\n";
        for text in [
            format!("{TIME}{COLUMN}"),
            format!("{zone}{LONG}{ELEMENT}"),
            format!("{fixed}{COLUMN}"),
            format!("{interval}{COLUMN}"),
            format!(
                "delimiter = \"tab\"\nencoding = \"utf-16be\"\ndecimal = \",\"\nthousands = \".\"\n{TIME}{COLUMN}"
            ),
            format!("{TIME}{COLUMN}[quality]\nOK = \"Good\"\n"),
        ] {
            assert!(Map::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        let cases = [
            (
                format!("delimiter = \"ab\"\n{TIME}{COLUMN}"),
                "one ASCII character",
            ),
            (
                format!("delimiter = \"1\"\n{TIME}{COLUMN}"),
                "one ASCII character",
            ),
            (format!("encoding = \"utf-16\"\n{TIME}{COLUMN}"), "utf-16le"),
            (
                format!("encoding = \"klingon\"\n{TIME}{COLUMN}"),
                "windows-1252",
            ),
            (
                format!("decimal = \";\"\n{TIME}{COLUMN}"),
                "`decimal` must be",
            ),
            (
                format!("thousands = \",\"\n{TIME}{COLUMN}"),
                "needs `decimal`",
            ),
            (
                format!("decimal = \".\"\nthousands = \".\"\n{TIME}{COLUMN}"),
                "one other",
            ),
            (COLUMN.to_owned(), "must say when"),
            (
                format!("{TIME}at = \"2026-05-01T08:00:00Z\"\n{COLUMN}"),
                "must say when",
            ),
            (
                format!("{}{COLUMN}", TIME.replace("UTC", "Mars/Olympus")),
                "Mars/Olympus",
            ),
            (TIME.to_owned(), "must name values"),
            (format!("{TIME}{COLUMN}{LONG}{ELEMENT}"), "must name values"),
            (format!("{TIME}{LONG}"), "must name values"),
            (format!("{TIME}{COLUMN}{COLUMN}"), "`A` is in the map twice"),
            (
                format!("{TIME}{LONG}{}", ELEMENT.replace("\"a\"", "\"z\"")),
                "`z` is in the map twice",
            ),
            (
                format!("{TIME}{}", COLUMN.replace("\"A\"", "\"a b\"")),
                "idShort path",
            ),
            (
                format!("{TIME}{}", COLUMN.replace("xs:int", "int")),
                "`value_type` of `A`",
            ),
            (
                format!("{TIME}{COLUMN}[quality]\nOK = \"fine\"\n"),
                "`fine`",
            ),
        ];
        for (text, expected) in cases {
            let error = Map::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_the_known_ones() {
        for (text, unknown, known) in [
            (
                format!("delimeter = \",\"\n{TIME}{COLUMN}"),
                "`delimeter`",
                "`delimiter`",
            ),
            (
                format!("{TIME}timezone = \"UTC\"\n{COLUMN}"),
                "`timezone`",
                "`zone`",
            ),
            (
                format!("{TIME}{COLUMN}type = \"xs:int\"\n"),
                "`type`",
                "`value_type`",
            ),
            (
                format!("{TIME}{COLUMN}[facts]\nserail = \"1\"\n"),
                "`serail`",
                "`serial`",
            ),
            (
                format!("{TIME}{COLUMN}[facts_columns]\nowner = \"o\"\n"),
                "`owner`",
                "`serial`",
            ),
        ] {
            let error = Map::parse(&text).unwrap_err();
            let cause = error.source().unwrap().to_string();
            assert!(
                cause.contains(&format!("unknown field {unknown}")),
                "{cause}"
            );
            assert!(cause.contains(known), "{cause}");
        }
    }
}
