//! `ambit import`: a delimited file, in batches; the same file again adds nothing.

use super::backend::{Backend, Prepared};
use super::exit::Exit;
use super::facts::FactsOptions;
use super::files::{ContentError, FileError};
use super::input::{FileKind, read_text};
use super::observe::Batch;
use super::output::{Format, OutputOption, note};
use super::table::{pairs, short, shown};
use crate::collect::{FactsError, Import, ImportError, ImportReport, Map, import as import_file};
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use crate::platform::{Suggestion, shell_path};
use crate::release::{Observe, ObserveReport};
use ambit_ledger::{OrganizationId, PartnershipId, Verdict};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

/// How many unreadable rows a person is shown.
const ROWS_SHOWN_MAX: usize = 20;

/// What to import.
#[derive(Clone, Debug, Args)]
pub struct ImportArguments {
    /// A delimited file: CSV, semicolons, tabs
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What its columns are; `--propose-map` writes a first one
    #[arg(long, value_name = "MAP", conflicts_with = "propose_map")]
    pub map: Option<PathBuf>,
    /// Write a first map for the file instead, to be completed by hand
    #[arg(long, conflicts_with_all = ["facts", "fact"])]
    pub propose_map: bool,
    /// Where to write the proposed map; standard output where not given
    #[arg(short = 'o', long = "out", value_name = "FILE", conflicts_with = "map")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub facts: FactsOptions,
    #[command(flatten)]
    pub output: OutputOption,
}

/// What an import did.
#[derive(Clone, Debug, Default, Serialize)]
struct Summary {
    rows: u64,
    readings: u64,
    observations_new: u64,
    observations_known: u64,
    ignored_rows: u64,
    unreadable_rows: u64,
    unreadable: Vec<Unreadable>,
    recipients: Vec<Recipient>,
}

#[derive(Clone, Debug, Serialize)]
struct Unreadable {
    line: u64,
    reason: String,
}

/// How many of the new observations each recipient may have.
#[derive(Clone, Debug, Serialize)]
struct Recipient {
    recipient: OrganizationId,
    partnership: PartnershipId,
    admissible: u64,
    withheld: u64,
    undecided: u64,
}

#[derive(Debug, thiserror::Error)]
enum ImportCommandError {
    #[error("no row of `{path}` could be read{first}; nothing was kept")]
    NothingReadable { path: PathBuf, first: String },
    #[error(
        "what the columns of `{path}` are is not said; name a map with --map MAP, or have a first one written: `ambit \
         import {word} --propose-map -o MAP`",
        path = .0.display(), word = shell_path(.0)
    )]
    NoMap(PathBuf),
    #[error("`{0}` holds no row to import; nothing was kept")]
    NoRows(PathBuf),
    #[error(
        "the import of `{path}` broke off with {kept} new observations kept; import it again for the rest"
    )]
    BrokenOff {
        path: PathBuf,
        kept: u64,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

pub(super) fn import(home: &Path, arguments: &ImportArguments) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let map_path = arguments.map.as_deref().ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            &ImportCommandError::NoMap(path.to_owned()),
        )
    })?;
    let file = File::open(path).map_err(FileError::read(path))?;
    let facts = arguments.facts.read(&Home::open(home)?)?;
    let map = read_text(map_path, FileKind::Map)?;
    let map = Map::parse(&map).map_err(ContentError::of(map_path))?;
    let bar = progress_bar(&file);
    let position = bar.clone();
    let now = crate::clock::now();
    let tell = move |bytes| position.set_position(bytes);
    let drafts = import_file(file, &map, &facts.base, &facts.overrides, now, tell)
        .map_err(|error| refused(path, error))?;
    let backend = Backend::open(home)?;
    let mut summary = Summary::default();
    let mut counts = BTreeMap::new();
    let mut kept_from = None;
    // The file is read while the batch before is being kept: one batch waits until that is done.
    // So it is with what is counted.
    let read = std::thread::scope(|scope| {
        let (batches, read) = mpsc::sync_channel(0);
        let reading = scope.spawn(|| read_batches(drafts, &backend, batches));
        let (to_be_counted, counted) = mpsc::sync_channel(1);
        let backend = &backend;
        scope.spawn(move || counted.iter().for_each(|()| backend.count()));
        for batch in read {
            let kept = summary.observations_new;
            let report = batch
                .map_err(|error| error.at(path, kept))?
                .ask()
                .map_err(|error| end_of_batch(path, kept, error))?;
            summary.observations_known += report.known;
            count(&report, &mut summary, &mut counts);
            kept_from = kept_from.take().or_else(|| first_kept_from(&report));
            // Where it is still counting, what came now is counted with what comes next, or by whoever asks.
            let _ = to_be_counted.try_send(());
        }
        let read = reading.join();
        Ok::<_, Failure>(read.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    bar.finish_and_clear();
    summary.take(&read);
    summary.recipients = recipients(counts);
    let exit = report(path, &summary, arguments.output)?;
    if let (Some((id, to, partnership)), Format::Table) = (kept_from, arguments.output.output) {
        let why = Suggestion::new("why").operand(id).option("--to", to);
        note(shown(&format!(
            "hint: {why} shows why the first that is kept back does not go there under `{partnership}`"
        )));
    }
    Ok(exit)
}

/// Why there is no further batch.
#[derive(Debug)]
enum NoBatch {
    Unreadable(ImportError),
    Unprepared(Failure),
}

impl NoBatch {
    fn at(self, path: &Path, kept: u64) -> Failure {
        match self {
            Self::Unreadable(error) => broken_off(path, kept, error.into()),
            Self::Unprepared(error) => end_of_batch(path, kept, error),
        }
    }
}

type ReadBatch<'a> = Result<Prepared<'a, Observe>, NoBatch>;

/// Reads a file in batches until it ends, cannot be read, or nobody takes more because one could not be kept. Returns
/// what was read.
fn read_batches<'a, R: Read, P: FnMut(u64)>(
    mut drafts: Import<R, P>,
    backend: &'a Backend,
    batches: mpsc::SyncSender<ReadBatch<'a>>,
) -> ImportReport {
    while let Some(batch) = next_batch(&mut drafts, backend).transpose() {
        let is_last = batch.is_err();
        if batches.send(batch).is_err() || is_last {
            break;
        }
    }
    drafts.report().clone()
}

/// The next batch of a file; `None` at its end.
fn next_batch<'a, R: Read, P: FnMut(u64)>(
    drafts: &mut Import<R, P>,
    backend: &'a Backend,
) -> Result<Option<Prepared<'a, Observe>>, NoBatch> {
    let mut batch = Batch::default();
    while batch.has_room()
        && let Some(draft) = drafts.next()
    {
        batch.push(draft.map_err(NoBatch::Unreadable)?);
    }
    if batch.drafts.is_empty() {
        return Ok(None);
    }
    let observe = Observe {
        drafts: batch.drafts,
        is_import: true,
    };
    backend
        .prepare(observe)
        .map_err(NoBatch::Unprepared)
        .map(Some)
}

/// The first observation that somebody may not have, and who.
fn first_kept_from(report: &ObserveReport) -> Option<(String, OrganizationId, PartnershipId)> {
    report.observed.iter().find_map(|observed| {
        let mut outcomes = observed.outcomes.iter();
        let outcome = outcomes.find(|outcome| outcome.verdict != Verdict::Admissible)?;
        let (recipient, partnership) = (outcome.recipient.clone(), outcome.partnership.clone());
        Some((short(observed.id), recipient, partnership))
    })
}

fn report(path: &Path, summary: &Summary, output: OutputOption) -> Result<Exit, Failure> {
    if summary.readings == 0 {
        let error = match summary.unreadable.first() {
            Some(row) => ImportCommandError::NothingReadable {
                path: path.to_owned(),
                first: format!(": line {}: {}", row.line, row.reason),
            },
            None => ImportCommandError::NoRows(path.to_owned()),
        };
        return Err(Failure::new(FailureKind::Failed, &error));
    }
    output.print(summary, summary_table)?;
    for row in summary.unreadable.iter().take(ROWS_SHOWN_MAX) {
        note(format!("line {}: {}", row.line, shown(&row.reason)));
    }
    if summary.observations_known > 0 && output.output == Format::Table {
        note(
            "what was known before is not judged again by importing it: `ambit partner offer PARTNERSHIP` offers again \
             what of it is withheld",
        );
    }
    if summary.unreadable_rows > 0 {
        note(format!(
            "warning: {} of {} rows could not be read and were left out; the others were kept",
            summary.unreadable_rows, summary.rows
        ));
    }
    Ok(Exit::Done)
}

fn refused(path: &Path, error: ImportError) -> Failure {
    let is_missing = matches!(&error, ImportError::Facts(FactsError::Missing(_)));
    let error = Failure::from(ContentError::of(path)(error));
    if is_missing {
        error.hinted("name it here: --fact KEY=VALUE")
    } else {
        error
    }
}

fn broken_off(path: &Path, kept: u64, source: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    let path = path.to_owned();
    Failure::new(
        FailureKind::Failed,
        &ImportCommandError::BrokenOff { path, kept, source },
    )
}

/// Before the first observation is kept, an error is its own; after it, the rest is to be imported again.
fn end_of_batch(path: &Path, kept: u64, error: Failure) -> Failure {
    if kept == 0 {
        return error;
    }
    let kind = error.kind;
    let path = path.to_owned();
    let source = Box::new(error);
    Failure::new(kind, &ImportCommandError::BrokenOff { path, kept, source })
}

/// A bar over the bytes of the file, on a terminal only.
fn progress_bar(file: &File) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(file.metadata().map_or(0, |metadata| metadata.len()));
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

type Counts = BTreeMap<(PartnershipId, OrganizationId), BTreeMap<Verdict, u64>>;

fn count(report: &ObserveReport, summary: &mut Summary, counts: &mut Counts) {
    for observed in &report.observed {
        summary.observations_new += 1;
        for outcome in &observed.outcomes {
            let key = (outcome.partnership.clone(), outcome.recipient.clone());
            *counts
                .entry(key)
                .or_default()
                .entry(outcome.verdict)
                .or_default() += 1;
        }
    }
}

fn recipients(counts: Counts) -> Vec<Recipient> {
    counts
        .into_iter()
        .map(|((partnership, recipient), verdicts)| {
            let of = |verdict| verdicts.get(&verdict).copied().unwrap_or_default();
            Recipient {
                recipient,
                partnership,
                admissible: of(Verdict::Admissible),
                withheld: of(Verdict::Withheld),
                undecided: of(Verdict::Undecided),
            }
        })
        .collect()
}

impl Summary {
    fn take(&mut self, report: &ImportReport) {
        self.rows = report.rows;
        self.readings = report.readings;
        self.ignored_rows = report.ignored_rows;
        self.unreadable_rows = report.unreadable_rows;
        self.unreadable = report
            .unreadable
            .iter()
            .map(|row| Unreadable {
                line: row.line,
                reason: row.reason.clone(),
            })
            .collect();
    }
}

fn summary_table(summary: &Summary) -> String {
    let mut rows = vec![
        ("rows".to_owned(), summary.rows.to_string()),
        ("readings".to_owned(), summary.readings.to_string()),
        (
            "observations".to_owned(),
            format!(
                "{} new, {} known before",
                summary.observations_new, summary.observations_known
            ),
        ),
    ];
    if summary.ignored_rows > 0 {
        rows.push((
            "rows the map leaves out".to_owned(),
            summary.ignored_rows.to_string(),
        ));
    }
    if summary.unreadable_rows > 0 {
        rows.push((
            "unreadable rows".to_owned(),
            summary.unreadable_rows.to_string(),
        ));
    }
    rows.extend(summary.recipients.iter().map(|recipient| {
        (
            format!("to {}", recipient.recipient),
            format!(
                "{} admissible, {} withheld, {} undecided ({})",
                recipient.admissible,
                recipient.withheld,
                recipient.undecided,
                recipient.partnership
            ),
        )
    }));
    pairs(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_verdicts_by_recipient() {
        let report: ObserveReport = serde_json::from_value(serde_json::json!({
            "observed": [{
                "id": "00".repeat(32),
                "readings": 3,
                "outcomes": [
                    {"partnership": "p", "recipient": "did:web:b.example", "verdict": "admissible"},
                    {"partnership": "q", "recipient": "did:web:c.example", "verdict": "withheld"},
                ],
            }],
            "known": 2,
        }))
        .unwrap();
        let mut summary = Summary {
            rows: 4,
            readings: 9,
            unreadable_rows: 1,
            observations_known: report.known,
            ..Summary::default()
        };
        let mut counts = Counts::new();
        count(&report, &mut summary, &mut counts);
        summary.recipients = recipients(counts);
        assert_eq!(
            summary_table(&summary),
            "rows                  4\n\
             readings              9\n\
             observations          1 new, 2 known before\n\
             unreadable rows       1\n\
             to did:web:b.example  1 admissible, 0 withheld, 0 undecided (p)\n\
             to did:web:c.example  0 admissible, 1 withheld, 0 undecided (q)\n"
        );
    }

    #[test]
    fn nothing_read_is_no_success() {
        let nothing = Summary::default();
        let error = report(Path::new("a.csv"), &nothing, OutputOption::default()).unwrap_err();
        assert_eq!(error.kind, FailureKind::Failed);
        assert!(error.message.contains("holds no row"), "{}", error.message);
        let unreadable = Summary {
            unreadable: vec![Unreadable {
                line: 2,
                reason: "no time".to_owned(),
            }],
            ..Summary::default()
        };
        let error = report(Path::new("a.csv"), &unreadable, OutputOption::default()).unwrap_err();
        assert!(
            error.message.contains("line 2: no time"),
            "{}",
            error.message
        );
    }
}
