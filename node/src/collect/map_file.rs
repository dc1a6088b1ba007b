//! The map as TOML has it, and what is checked of each of its keys.

use super::fact_columns::FactsColumns;
use super::facts::FactsFile;
use super::form::Form;
use super::instant::TimeForm;
use super::map::{CellsMap, ElementMap, Map, MapError, TimeMap, quality};
use super::zone::ZoneError;
use ambit_aas::IdShortPath;
use ambit_ledger::{Name, Quality};
use encoding_rs::Encoding;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// Any [`MapError`]; that of an unknown key lists the known ones in its source.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        toml::from_str::<MapFile>(text)?.check()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    delimiter: Option<String>,
    encoding: Option<String>,
    decimal: Option<String>,
    thousands: Option<String>,
    header: Option<bool>,
    #[serde(default)]
    time: TimeFile,
    #[serde(default)]
    column: Vec<ColumnFile>,
    long: Option<LongFile>,
    #[serde(default)]
    element: Vec<ElementFile>,
    #[serde(default)]
    quality: BTreeMap<String, String>,
    #[serde(default)]
    facts: FactsFile,
    #[serde(default)]
    facts_columns: FactsColumns,
}

impl MapFile {
    /// The map, if its keys fit together.
    fn check(self) -> Result<Map, MapError> {
        let (decimal, thousands) = marks(self.decimal.as_deref(), self.thousands.as_deref())?;
        Ok(Map {
            delimiter: self.delimiter.as_deref().map(delimiter).transpose()?,
            encoding: self.encoding.as_deref().map(encoding).transpose()?,
            decimal,
            thousands,
            header: self.header.unwrap_or(true),
            time: time(self.time)?,
            cells: cells(self.column, self.long, self.element)?,
            quality: qualities(self.quality)?,
            facts: self.facts,
            facts_columns: self.facts_columns,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeFile {
    column: Option<String>,
    from_column: Option<String>,
    to_column: Option<String>,
    at: Option<String>,
    zone: Option<String>,
    format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    name: String,
    path: String,
    value_type: String,
    unit: Option<String>,
    quality_column: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongFile {
    path_column: String,
    value_column: String,
    quality_column: Option<String>,
    #[serde(default)]
    ignore: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementFile {
    key: String,
    path: String,
    value_type: String,
    unit: Option<String>,
}

fn delimiter(text: &str) -> Result<u8, MapError> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [byte]
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\n\r\0".contains(byte) =>
        {
            Ok(*byte)
        }
        _ => Err(MapError::Delimiter(text.to_owned())),
    }
}

fn encoding(label: &str) -> Result<&'static Encoding, MapError> {
    // The label `utf-16` would be taken for little-endian, which is a guess.
    Encoding::for_label_no_replacement(label.as_bytes())
        .filter(|_| !label.trim().eq_ignore_ascii_case("utf-16"))
        .ok_or_else(|| MapError::Encoding(label.to_owned()))
}

fn marks(
    decimal: Option<&str>,
    thousands: Option<&str>,
) -> Result<(Option<char>, Option<char>), MapError> {
    fn single(text: &str) -> Result<char, MapError> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) if !character.is_alphanumeric() => Ok(character),
            _ => Err(MapError::Marks),
        }
    }
    let decimal = decimal.map(single).transpose()?;
    let thousands = thousands.map(single).transpose()?;
    let decimal_fits = matches!(decimal, None | Some('.' | ','));
    let thousands_fits = match thousands {
        None => true,
        Some(mark) => decimal.is_some_and(|decimal| decimal != mark) && !"+-".contains(mark),
    };
    if decimal_fits && thousands_fits {
        Ok((decimal, thousands))
    } else {
        Err(MapError::Marks)
    }
}

fn time(file: TimeFile) -> Result<TimeMap, MapError> {
    let form = TimeForm {
        zone: file.zone.as_deref().map(str::parse).transpose()?,
        format: file.format.map(Form::new),
    };
    if let Some(format) = &form.format
        && let Some(fault) = format.fault(form.zone.as_ref())
    {
        let format = format.as_str().to_owned();
        return Err(MapError::Form { format, fault });
    }
    match (file.column, file.from_column, file.to_column, file.at) {
        (Some(column), None, None, None) => Ok(TimeMap::Instant { column, form }),
        (None, Some(from), Some(to), None) => Ok(TimeMap::Interval { from, to, form }),
        (None, None, None, Some(at)) if form.zone.is_none() && form.format.is_none() => {
            Ok(TimeMap::Fixed(at.parse().map_err(ZoneError::Fixed)?))
        }
        _ => Err(MapError::Time),
    }
}

fn cells(
    columns: Vec<ColumnFile>,
    long: Option<LongFile>,
    elements: Vec<ElementFile>,
) -> Result<CellsMap, MapError> {
    let mut paths = BTreeSet::new();
    let mut element = |path: String, value_type: &str, unit: Option<String>| {
        let element = ElementMap::parse(path, value_type, unit)?;
        if paths.insert(element.path.clone()) {
            Ok(element)
        } else {
            Err(MapError::Repeated(element.path.to_string()))
        }
    };
    match (columns.is_empty(), long, elements.is_empty()) {
        (false, None, true) => columns
            .into_iter()
            .map(|column| {
                let mut element = element(column.path, &column.value_type, column.unit)?;
                element.quality_column = column.quality_column;
                Ok((column.name, element))
            })
            .collect::<Result<_, _>>()
            .map(CellsMap::Wide),
        (true, Some(long), false) => {
            let mut by_key = BTreeMap::new();
            for file in elements {
                let element = element(file.path, &file.value_type, file.unit)?;
                let ignored = long.ignore.contains(&file.key);
                if by_key.insert(file.key.clone(), element).is_some() || ignored {
                    return Err(MapError::Repeated(file.key));
                }
            }
            Ok(CellsMap::Long {
                key: long.path_column,
                value: long.value_column,
                quality: long.quality_column,
                elements: by_key,
                ignore: long.ignore,
            })
        }
        _ => Err(MapError::Cells),
    }
}

impl ElementMap {
    fn parse(path: String, value_type: &str, unit: Option<String>) -> Result<Self, MapError> {
        if let Err(source) = IdShortPath::parse(&path) {
            return Err(MapError::Path { path, source });
        }
        let value_type = value_type.parse().map_err(|source| MapError::ValueType {
            path: path.clone(),
            source,
        })?;
        let name = |text: String| {
            Name::try_from(text).map_err(|source| MapError::Name {
                path: path.clone(),
                source,
            })
        };
        Ok(Self {
            unit: unit.map(name).transpose()?,
            path: name(path.clone())?,
            value_type,
            quality_column: None,
        })
    }
}

fn qualities(texts: BTreeMap<String, String>) -> Result<BTreeMap<String, Quality>, MapError> {
    let parse = |(text, word): (String, String)| match quality(&word) {
        Some(quality) => Ok((text, quality)),
        None => Err(MapError::Quality(word)),
    };
    texts.into_iter().map(parse).collect()
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
                format!(
                    "{}{COLUMN}",
                    TIME.replace("zone =", "format = \"%s %d\"\nzone =")
                ),
                "stands alone or with their fraction",
            ),
            (
                format!(
                    "{}{COLUMN}",
                    TIME.replace("zone =", "format = \"%F %I:%M\"\nzone =")
                ),
                "needs `%p` for AM or PM",
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
