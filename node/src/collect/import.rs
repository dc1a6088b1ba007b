//! The import of a delimited file: a whole file is refused before its first draft, or read to its end.

use super::draft::{BLOCK_BYTES_MAX, Draft, Grouping, block_bytes};
use super::facts::{FactsError, FactsFile};
use super::instant::{AheadError, check_ahead};
use super::layout::{Layout, LayoutError, Row, RowError};
use super::map::{Map, TimeMap};
use super::raw::{FileRow, Kept};
use super::recognise::{self, RecognitionError};
use super::text::Text;
use ambit_ledger::{Name, Reading, Time, When};
use csv::StringRecord;
use encoding_rs::Encoding;
use std::io::{Read, Seek};

/// How many unreadable rows a report lists. All are counted; a person reads no more than these before mending the map.
const UNREADABLE_LISTED_MAX: usize = 1_000;

/// Why a file is not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be read.
    #[error("failed to read the file")]
    Read(#[from] std::io::Error),
    /// It cannot be divided into fields.
    #[error("failed to read the file")]
    Csv(#[from] csv::Error),
    /// Its encoding or delimiter is in doubt.
    #[error(transparent)]
    Recognition(#[from] RecognitionError),
    /// Its columns are not those of the map.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Facts are missing.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// There is no first line.
    #[error("the file is empty; export it again from where it came")]
    Empty,
    /// The time of the whole file lies in the future.
    #[error("`at` in `[time]` of the map cannot be the time of the file")]
    Ahead(#[from] AheadError),
    /// A number has one meaning per decimal mark.
    #[error(
        "line {line}, column `{column}`: `{text}` may have a decimal mark or group thousands: set `decimal` in the map, such as decimal = \",\""
    )]
    Decimal {
        /// Where, counted from 1.
        line: u64,
        /// In which column.
        column: String,
        /// What was read.
        text: String,
    },
    /// A time without offset.
    #[error(
        "line {line}, column `{column}`: the time `{text}` carries no offset from UTC: set `zone` in `[time]` of the map, such as zone = \"Europe/Berlin\""
    )]
    Zone {
        /// Where, counted from 1.
        line: u64,
        /// In which column.
        column: String,
        /// What was read.
        text: String,
    },
}

/// What an import has done so far; complete once the drafts have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows read, without the header and empty lines.
    pub rows: u64,
    /// Rows of keys that the map sets aside.
    pub ignored_rows: u64,
    /// Rows that could not be read. The others were.
    pub unreadable_rows: u64,
    /// The first thousand of them.
    pub unreadable: Vec<UnreadableRow>,
    /// Readings taken.
    pub readings: u64,
    /// Drafts handed out.
    pub drafts: u64,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The line it starts on, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Whether there is nothing to read at all, which is no fault of a delimiter.
fn is_empty<R: Read + Seek>(reader: &mut R) -> std::io::Result<bool> {
    Ok(reader.seek(std::io::SeekFrom::End(0))? == 0)
}

/// Reads a delimited file as `map` says. Facts come from `facts`, then the map, then the file's columns, then
/// `overrides`; later ones win. A row whose time lies after `now` is unreadable, but for a bound within which clocks
/// differ. `progress` is told how many bytes of the file have been read.
///
/// Where the map leaves the encoding, the delimiter, the decimal mark or the zone open, the file is read once more
/// beforehand, so that it is refused as a whole or not at all.
///
/// # Errors
/// Any [`ImportError`]: then nothing of the file is to be taken.
pub fn import<R: Read + Seek, P: FnMut(u64)>(
    mut reader: R,
    map: &Map,
    facts: &FactsFile,
    overrides: &FactsFile,
    now: Time,
    progress: P,
) -> Result<Import<R, P>, ImportError> {
    if let TimeMap::Fixed(at) = map.time {
        check_ahead(at, now)?;
    }
    if is_empty(&mut reader)? {
        return Err(ImportError::Empty);
    }
    let encoding = recognise::encoding(&mut reader, map.encoding)?;
    let delimiter = recognise::delimiter(&mut reader, encoding, map.delimiter)?;
    let form = FileForm {
        encoding,
        delimiter,
        header: map.header,
    };
    let (columns, _) = Rows::open(&mut reader, form, |_| ())?;
    let layout = Layout::new(map, columns, delimiter, overrides, now)?;
    let base = facts.overlaid(&map.facts);
    check_facts(&layout, &base, overrides)?;
    if layout.must_check_rows() {
        let (_, mut rows) = Rows::open(&mut reader, form, |_| ())?;
        while let Some(row) = rows.next()? {
            check_row(&layout, row)?;
        }
    }
    let (_, rows) = Rows::open(reader, form, progress)?;
    Ok(Import {
        rows,
        layout,
        base,
        overrides: overrides.clone(),
        grouping: Grouping::new(),
        report: ImportReport::default(),
        ended: false,
    })
}

/// Whether the facts are complete, whatever the columns will hold.
fn check_facts(layout: &Layout, base: &FactsFile, overrides: &FactsFile) -> Result<(), FactsError> {
    let texts = layout.any_fact_texts();
    let facts = layout.facts(base, &texts).overlaid(overrides);
    facts.complete().map(|_| ())
}

fn check_row(layout: &Layout, row: FileRow<'_>) -> Result<(), ImportError> {
    let line = row.line;
    match layout.read(row) {
        Ok(_) | Err(RowError::Unreadable(_) | RowError::Swallowed { .. }) => Ok(()),
        Err(RowError::Decimal { column, text }) => Err(ImportError::Decimal { line, column, text }),
        Err(RowError::Zone { column, text }) => Err(ImportError::Zone { line, column, text }),
    }
}

/// An import under way: an iterator of drafts. An error ends it.
#[derive(Debug)]
pub struct Import<R: Read, P: FnMut(u64)> {
    rows: Rows<Text<R, P>>,
    layout: Layout,
    base: FactsFile,
    overrides: FactsFile,
    grouping: Grouping<GroupKey>,
    report: ImportReport,
    ended: bool,
}

/// What the readings of one draft have in common: the texts of the fact columns, and the minute or the interval.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupKey {
    facts: Vec<Name>,
    when: GroupWhen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum GroupWhen {
    Minute(i64),
    Interval(Time, Time),
}

impl<R: Read, P: FnMut(u64)> Import<R, P> {
    /// What has been done so far.
    #[must_use]
    pub const fn report(&self) -> &ImportReport {
        &self.report
    }

    fn step(&mut self) -> Result<Option<Draft>, ImportError> {
        loop {
            if let Some(draft) = self.grouping.next() {
                self.report.drafts += 1;
                return Ok(Some(draft));
            }
            if self.ended {
                return Ok(None);
            }
            let Some(row) = self.rows.next()? else {
                self.ended = true;
                self.grouping.finish();
                continue;
            };
            let line = row.line;
            self.report.rows += 1;
            match self.layout.read(row) {
                Ok(Row::Read { facts, readings }) => self.take(line, &facts, readings)?,
                Ok(Row::Ignored) => self.report.ignored_rows += 1,
                Err(RowError::Unreadable(reason)) => self.refuse(line, reason),
                Err(RowError::Swallowed { lines }) => {
                    // Each of them is a row that is left out.
                    let more = u64::try_from(lines).unwrap_or(u64::MAX).saturating_sub(1);
                    self.report.rows = self.report.rows.saturating_add(more);
                    self.report.unreadable_rows = self.report.unreadable_rows.saturating_add(more);
                    let reason = format!(
                        "a quoted field runs over {lines} lines, and one of them looks like a row: close a quotation mark that is open, or \
                         begin that line of the field otherwise"
                    );
                    self.refuse(line, reason);
                }
                Err(RowError::Decimal { column, text }) => {
                    return Err(ImportError::Decimal { line, column, text });
                }
                Err(RowError::Zone { column, text }) => {
                    return Err(ImportError::Zone { line, column, text });
                }
            }
        }
    }

    fn take(
        &mut self,
        line: u64,
        texts: &[Name],
        readings: Vec<Reading>,
    ) -> Result<(), ImportError> {
        let sizes: Result<Vec<_>, _> = readings.iter().map(block_bytes).collect();
        let sizes = match sizes {
            Ok(sizes) => sizes,
            Err(too_large) => {
                let bytes = too_large.bytes;
                self.refuse(
                    line,
                    format!("a reading of {bytes} bytes is longer than the {BLOCK_BYTES_MAX} that an observation holds: split it, or leave it out"),
                );
                return Ok(());
            }
        };
        let (layout, base, overrides) = (&self.layout, &self.base, &self.overrides);
        let facts = || layout.facts(base, texts).overlaid(overrides).complete();
        for (reading, bytes) in readings.into_iter().zip(sizes) {
            let key = GroupKey {
                facts: texts.to_vec(),
                when: match reading.when {
                    When::Instant { at } => GroupWhen::Minute(at.minute()),
                    When::Interval { from, to } => GroupWhen::Interval(from, to),
                },
            };
            self.grouping.add(key, reading, bytes, facts)?;
            self.report.readings += 1;
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, reason: String) {
        self.report.unreadable_rows += 1;
        if self.report.unreadable.len() < UNREADABLE_LISTED_MAX {
            self.report.unreadable.push(UnreadableRow { line, reason });
        }
    }
}

impl<R: Read, P: FnMut(u64)> Iterator for Import<R, P> {
    type Item = Result<Draft, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.ended = true;
            self.grouping = Grouping::new();
        }
        step.transpose()
    }
}

/// How a file is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileForm {
    pub(super) encoding: &'static Encoding,
    pub(super) delimiter: u8,
    pub(super) header: bool,
}

/// The rows of a file, each with the line it starts on.
#[derive(Debug)]
pub(super) struct Rows<T> {
    reader: csv::Reader<Kept<T>>,
    delimiter: u8,
    record: StringRecord,
    /// The bytes that the record was made of: from one up to another of the file.
    within: (u64, u64),
    /// The first row, where it is no header.
    first: Option<u64>,
}

impl<R: Read, P: FnMut(u64)> Rows<Text<R, P>> {
    /// Opens a file and reads its first line: the names of its columns, or `1`, `2`, … where it has no header. A line before
    /// it that only names the delimiter is passed over.
    pub(super) fn open(
        mut reader: R,
        form: FileForm,
        progress: P,
    ) -> Result<(Vec<String>, Self), ImportError>
    where
        R: Seek,
    {
        reader.rewind()?;
        let mut rows = Self {
            reader: csv::ReaderBuilder::new()
                .delimiter(form.delimiter)
                .has_headers(false)
                .flexible(true)
                .from_reader(Kept::new(Text::new(reader, form.encoding, progress))),
            delimiter: form.delimiter,
            record: StringRecord::new(),
            within: (0, 0),
            first: None,
        };
        let mut first = rows.next()?;
        if first.is_some_and(|row| row.named_delimiter().is_some()) {
            first = rows.next()?;
        }
        let line = first.ok_or(ImportError::Empty)?.line;
        let columns = if form.header {
            rows.record
                .iter()
                .map(|name| name.trim().to_owned())
                .collect()
        } else {
            rows.first = Some(line);
            (1..=rows.record.len())
                .map(|number| number.to_string())
                .collect()
        };
        Ok((columns, rows))
    }
}

impl<T: Read> Rows<T> {
    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<FileRow<'_>>, csv::Error> {
        if let Some(line) = self.first.take() {
            return Ok(Some(self.row(line)));
        }
        let from = self.reader.position().byte();
        self.reader.get_mut().done(from);
        if !self.reader.read_record(&mut self.record)? {
            return Ok(None);
        }
        self.within = (from, self.reader.position().byte());
        // Where the reader says a row starts, it has not yet passed over empty lines. Every row ends with one line
        // feed, unless a quotation mark left open takes the last one in.
        let earliest = self.record.position().map_or(1, csv::Position::line);
        let ended_on = self.reader.position().line().saturating_sub(1);
        let within: usize = self
            .record
            .iter()
            .map(|field| field.bytes().filter(|byte| *byte == b'\n').count())
            .sum();
        let line = ended_on.saturating_sub(u64::try_from(within).unwrap_or(u64::MAX));
        Ok(Some(self.row(line.max(earliest))))
    }

    fn row(&self, line: u64) -> FileRow<'_> {
        let (from, upto) = self.within;
        FileRow {
            line,
            record: &self.record,
            bytes: self.reader.get_ref().between(from, upto),
            delimiter: self.delimiter,
        }
    }
}
