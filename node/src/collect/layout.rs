//! A map laid over the columns of one file: reads rows, and knows neither the file nor what becomes of them.

use super::cell::{self, Cell, CellError, NumberForm};
use super::fact_columns::FactColumn;
use super::facts::FactsFile;
use super::instant::{InstantError, TimeForm, check_ahead};
use super::map::{CellsMap, ElementMap, Map, TimeMap, quality};
use super::raw::FileRow;
use super::text::UNDECODABLE;
use ambit_ledger::{Name, Quality, Reading, Time, When};
use csv::StringRecord;
use std::collections::{BTreeMap, BTreeSet};

/// A map laid over columns.
#[derive(Debug)]
pub(super) struct Layout {
    columns: Vec<String>,
    delimiter: char,
    now: Time,
    time: TimeLayout,
    cells: CellsLayout,
    numbers: NumberForm,
    qualities: BTreeMap<String, Quality>,
    facts: Vec<(usize, FactColumn)>,
}

#[derive(Debug)]
enum TimeLayout {
    Fixed(Time),
    Instant(usize, TimeForm),
    Interval(usize, usize, TimeForm),
}

#[derive(Debug)]
enum CellsLayout {
    Wide(Vec<ValueColumn>),
    Long {
        key: usize,
        value: usize,
        quality: Option<usize>,
        elements: BTreeMap<String, ElementMap>,
        ignore: BTreeSet<String>,
    },
}

#[derive(Debug)]
struct ValueColumn {
    value: usize,
    quality: Option<usize>,
    element: ElementMap,
}

/// Why a map does not fit the columns of a file.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// There is no such column.
    #[error("there is no column `{name}`: the file has {present}")]
    MissingColumn {
        /// What the map names.
        name: String,
        /// What there is, in backticks.
        present: String,
    },
    /// There are two.
    #[error("the file has more than one column `{0}`: rename one of them")]
    RepeatedColumn(String),
}

/// What a row says.
#[derive(Debug)]
pub(super) enum Row {
    /// Readings, with the texts of the fact columns in their order.
    Read {
        facts: Vec<Name>,
        readings: Vec<Reading>,
    },
    /// It is of a key that the map sets aside.
    Ignored,
}

/// Why a row says nothing.
#[derive(Debug)]
pub(super) enum RowError {
    /// A field with an open quotation mark holds so many lines that look like rows, its own among them.
    Swallowed {
        /// How many.
        lines: usize,
    },
    /// Only this row, for this reason.
    Unreadable(String),
    /// A number has one meaning per decimal mark, and the map does not say which.
    Decimal { column: String, text: String },
    /// A time has no offset, and the map does not say the zone.
    Zone { column: String, text: String },
}

/// Of so many fields, a line between two quotation marks is taken for a row whatever its time is: a sentence has fewer commas.
const ROW_FIELDS_MIN: usize = 4;

impl Layout {
    /// Lays `map` over `columns`. Fact columns that `overrides` make moot are not read.
    pub(super) fn new(
        map: &Map,
        columns: Vec<String>,
        delimiter: u8,
        overrides: &FactsFile,
        now: Time,
    ) -> Result<Self, LayoutError> {
        let find = |name: &String| position(&columns, name);
        let time = match &map.time {
            TimeMap::Fixed(at) => TimeLayout::Fixed(*at),
            TimeMap::Instant { column, form } => TimeLayout::Instant(find(column)?, form.clone()),
            TimeMap::Interval { from, to, form } => {
                TimeLayout::Interval(find(from)?, find(to)?, form.clone())
            }
        };
        let cells = match &map.cells {
            CellsMap::Wide(elements) => CellsLayout::Wide(
                elements
                    .iter()
                    .map(|(name, element)| {
                        Ok(ValueColumn {
                            value: find(name)?,
                            quality: element.quality_column.as_ref().map(find).transpose()?,
                            element: element.clone(),
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
            CellsMap::Long {
                key,
                value,
                quality,
                elements,
                ignore,
            } => CellsLayout::Long {
                key: find(key)?,
                value: find(value)?,
                quality: quality.as_ref().map(find).transpose()?,
                elements: elements.clone(),
                ignore: ignore.clone(),
            },
        };
        Ok(Self {
            now,
            time,
            cells,
            numbers: NumberForm {
                decimal: map.decimal,
                thousands: map.thousands,
                point_is_doubtful: delimiter == b';',
            },
            qualities: map.quality.clone(),
            facts: map
                .facts_columns
                .beside(overrides)
                .into_iter()
                .map(|fact| Ok((find(&fact.column)?, fact)))
                .collect::<Result<_, _>>()?,
            columns,
            delimiter: char::from(delimiter),
        })
    }

    /// Whether only the rows can show if the map leaves a doubt.
    pub(super) fn must_check_rows(&self) -> bool {
        let zone_is_open = match &self.time {
            TimeLayout::Fixed(_) => false,
            TimeLayout::Instant(_, form) | TimeLayout::Interval(_, _, form) => form.zone.is_none(),
        };
        let has_numbers = match &self.cells {
            CellsLayout::Wide(columns) => columns
                .iter()
                .any(|column| cell::is_number(column.element.value_type)),
            CellsLayout::Long { elements, .. } => elements
                .values()
                .any(|element| cell::is_number(element.value_type)),
        };
        zone_is_open || (has_numbers && self.numbers.decimal.is_none())
    }

    /// Reads a row. A cell that cannot be read makes the whole row unreadable: half a row misleads.
    pub(super) fn read(&self, row: FileRow<'_>) -> Result<Row, RowError> {
        let record = row.record;
        if let Some(lines) = self.swallowed_lines(row) {
            return Err(RowError::Swallowed { lines });
        }
        if let Some(fault) = row.quotation_fault() {
            return Err(unreadable(fault.to_owned()));
        }
        if record.len() != self.columns.len() {
            return Err(unreadable(format!(
                "{} fields, where the file has {} columns",
                record.len(),
                self.columns.len()
            )));
        }
        if let Some(at) = record.iter().position(|field| field.contains(UNDECODABLE)) {
            let column = self.column(at);
            return Err(unreadable(format!(
                "column `{column}` has bytes that are not of the file's encoding"
            )));
        }
        if let CellsLayout::Long { key, ignore, .. } = &self.cells
            && ignore.contains(field(record, *key).trim())
        {
            return Ok(Row::Ignored);
        }
        let when = self.when(record)?;
        Ok(Row::Read {
            facts: self.fact_texts(record)?,
            readings: self.readings(record, when)?,
        })
    }

    /// `base` with the fact columns of a row on top.
    pub(super) fn facts(&self, base: &FactsFile, texts: &[Name]) -> FactsFile {
        let mut facts = base.clone();
        for ((_, fact), text) in self.facts.iter().zip(texts) {
            fact.set(&mut facts, text.clone());
        }
        facts
    }

    /// A text for each fact column, to see which facts the columns supply.
    pub(super) fn any_fact_texts(&self) -> Vec<Name> {
        let any = |_: &(usize, FactColumn)| "any".parse().ok();
        self.facts.iter().filter_map(any).collect()
    }

    /// How many lines a field spans, if one after its first looks like a row of its own, and the row does not show that all of
    /// them are meant as one field. A line of the file that is a row never is: what another row holds must not become text of
    /// this one, and be judged by its facts.
    fn swallowed_lines(&self, row: FileRow<'_>) -> Option<usize> {
        let delimiters = self.columns.len().saturating_sub(1).max(1);
        let looks_like_a_row = |line: &str| line.matches(self.delimiter).count() >= delimiters;
        let mut spanning = row
            .record
            .iter()
            .filter(|field| field.lines().nth(1).is_some())
            .peekable();
        // Most rows are on one line, and show nothing.
        spanning.peek()?;
        let text = String::from_utf8_lossy(row.bytes);
        // With what follows the mark that closes the field: there the row that it swallowed ends.
        let mut lines = text.trim_start_matches('\n').lines().skip(1);
        let has_rows = lines.any(|line| self.is_a_row(line));
        let field =
            spanning.find(|field| has_rows || field.lines().skip(1).any(looks_like_a_row))?;
        let is_meant =
            row.record.len() == self.columns.len() && row.quotation_fault().is_none() && !has_rows;
        (!is_meant).then(|| field.lines().count())
    }

    /// Whether a line of the file, divided at each delimiter, is a row: by its time, or by more fields than a sentence has by
    /// chance.
    fn is_a_row(&self, line: &str) -> bool {
        let fields = line.matches(self.delimiter).count() + 1;
        let is_of_all_columns = fields == self.columns.len();
        match self.time {
            TimeLayout::Fixed(_) => is_of_all_columns,
            TimeLayout::Instant(..) | TimeLayout::Interval(..) => {
                (is_of_all_columns && fields >= ROW_FIELDS_MIN) || self.has_a_time(line)
            }
        }
    }

    /// Whether a line, divided at each delimiter, has a time where rows have theirs, be it one that would be refused.
    fn has_a_time(&self, line: &str) -> bool {
        let cells = line.split(self.delimiter);
        let cells: StringRecord = cells.map(|cell| cell.trim_matches('"')).collect();
        let is_time = |column: &usize, form: &TimeForm| {
            cells
                .get(*column)
                .is_some_and(|text| !matches!(form.read(text), Err(InstantError::Unreadable(_))))
        };
        cells.len() > 1
            && match &self.time {
                TimeLayout::Fixed(_) => true,
                TimeLayout::Instant(column, form) => is_time(column, form),
                TimeLayout::Interval(from, to, form) => is_time(from, form) && is_time(to, form),
            }
    }

    fn column(&self, at: usize) -> &str {
        self.columns.get(at).map_or("", String::as_str)
    }

    fn when(&self, record: &StringRecord) -> Result<When, RowError> {
        match &self.time {
            TimeLayout::Fixed(at) => Ok(When::Instant { at: *at }),
            TimeLayout::Instant(column, form) => Ok(When::Instant {
                at: self.instant(record, *column, form)?,
            }),
            TimeLayout::Interval(from, to, form) => {
                let from = self.instant(record, *from, form)?;
                let to = self.instant(record, *to, form)?;
                if from <= to {
                    Ok(When::Interval { from, to })
                } else {
                    Err(unreadable(format!(
                        "the interval ends at {to}, before it starts at {from}"
                    )))
                }
            }
        }
    }

    fn instant(
        &self,
        record: &StringRecord,
        column: usize,
        form: &TimeForm,
    ) -> Result<Time, RowError> {
        let text = field(record, column);
        let wrong = |reason| unreadable(format!("column `{}`: {reason}", self.column(column)));
        let at = form.read(text).map_err(|error| match error {
            InstantError::NoZone => RowError::Zone {
                column: self.column(column).to_owned(),
                text: text.trim().to_owned(),
            },
            InstantError::Refused(reason) | InstantError::Unreadable(reason) => wrong(reason),
        })?;
        check_ahead(at, self.now).map_err(|error| wrong(error.to_string()))?;
        Ok(at)
    }

    fn fact_texts(&self, record: &StringRecord) -> Result<Vec<Name>, RowError> {
        let read = |(at, _): &(usize, FactColumn)| {
            let text = field(record, *at).trim();
            text.parse().map_err(|error: ambit_ledger::NameError| {
                unreadable(format!("column `{}`: {error}", self.column(*at)))
            })
        };
        self.facts.iter().map(read).collect()
    }

    fn readings(&self, record: &StringRecord, when: When) -> Result<Vec<Reading>, RowError> {
        match &self.cells {
            CellsLayout::Wide(columns) => columns
                .iter()
                .map(|column| {
                    self.reading(record, column.value, column.quality, &column.element, when)
                })
                .collect(),
            CellsLayout::Long {
                key,
                value,
                quality,
                elements,
                ..
            } => {
                let text = field(record, *key).trim();
                let element = elements.get(text).ok_or_else(|| {
                    unreadable(format!(
                        "no `[[element]]` has the key `{}`: add one, or add the key to `ignore` in `[long]`",
                        text.escape_debug()
                    ))
                })?;
                Ok(vec![self.reading(record, *value, *quality, element, when)?])
            }
        }
    }

    fn reading(
        &self,
        record: &StringRecord,
        value: usize,
        quality: Option<usize>,
        element: &ElementMap,
        when: When,
    ) -> Result<Reading, RowError> {
        let text = field(record, value);
        let cell =
            cell::read(text, element.value_type, self.numbers).map_err(|error| match error {
                CellError::Doubtful => RowError::Decimal {
                    column: self.column(value).to_owned(),
                    text: text.trim().to_owned(),
                },
                CellError::Unreadable(reason) => {
                    unreadable(format!("column `{}`: {reason}", self.column(value)))
                }
            })?;
        let stated = quality
            .map(|column| self.stated_quality(record, column))
            .transpose()?;
        let (quality, value) = match (cell, stated) {
            (Cell::Value(json), None) => (Quality::Good, Some(json)),
            (
                Cell::Value(json),
                Some(stated @ (Quality::Good | Quality::Uncertain | Quality::Bad)),
            ) => (stated, Some(json)),
            (Cell::Value(_), Some(Quality::Unavailable | Quality::Empty)) => {
                return Err(unreadable(format!(
                    "column `{}` has a value, while its quality says that there is none",
                    self.column(value)
                )));
            }
            (Cell::Missing(_), Some(stated @ (Quality::Unavailable | Quality::Empty))) => {
                (stated, None)
            }
            (
                Cell::Missing(missing),
                None | Some(Quality::Good | Quality::Uncertain | Quality::Bad),
            ) => (missing, None),
        };
        Ok(Reading {
            path: element.path.clone(),
            when,
            quality,
            value,
            value_type: element.value_type.as_str().parse().ok(),
            unit: element.unit.clone(),
            element: None,
            attachment: None,
        })
    }

    fn stated_quality(&self, record: &StringRecord, column: usize) -> Result<Quality, RowError> {
        let text = field(record, column).trim();
        let stated = self.qualities.get(text).copied().or_else(|| quality(text));
        stated.ok_or_else(|| {
            unreadable(format!(
                "column `{}`: `{}` is no quality: say in `[quality]` which of good, uncertain, bad, unavailable and empty it is",
                self.column(column),
                text.escape_debug()
            ))
        })
    }
}

fn position(columns: &[String], name: &String) -> Result<usize, LayoutError> {
    let mut found = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| *column == name);
    match (found.next(), found.next()) {
        (Some((position, _)), None) => Ok(position),
        (Some(_), Some(_)) => Err(LayoutError::RepeatedColumn(name.clone())),
        (None, _) => Err(LayoutError::MissingColumn {
            name: name.clone(),
            present: columns
                .iter()
                .map(|column| format!("`{}`", column.escape_debug()))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn field(record: &StringRecord, at: usize) -> &str {
    record.get(at).unwrap_or_default()
}

fn unreadable(reason: String) -> RowError {
    RowError::Unreadable(reason)
}
