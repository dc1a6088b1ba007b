//! The map: how one kind of delimited file is to be read. People write it; nothing in it is guessed.

use super::fact_columns::FactsColumns;
use super::facts::FactsFile;
use super::instant::TimeForm;
use super::zone::ZoneError;
use ambit_aas::DataTypeDefXsd;
use ambit_ledger::{Name, Quality, Time};
use encoding_rs::Encoding;
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
    /// A form that does not say all of a time, or more than is read.
    #[error("`format` is `{format}`: {fault}")]
    Form {
        /// What was read.
        format: String,
        /// What is wrong with it.
        fault: String,
    },
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
    #[error("`value_type` of `{path}` is not a data type of the metamodel such as xs:double")]
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
