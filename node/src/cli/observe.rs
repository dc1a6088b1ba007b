//! `ambit observe`: a submodel in JSON, or single values, at one instant.

use super::backend::Backend;
use super::exit::Exit;
use super::facts::{FactsOptions, pair};
use super::input::{FileKind, read_bytes};
use super::output::{OutputOption, note};
use super::table::{or_none, short, table};
use crate::collect::{
    CollectError, Draft, FactsError, ObservedSubmodels, observe_submodel, observe_values,
};
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use crate::release::{NewObservation, Observe, ObserveReport};
use ambit_ledger::Time;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The most drafts in one operation, and the most bytes they come to on their way to a running node, which holds several such
/// at once: far less than it takes.
const BATCH_DRAFTS_MAX: usize = 1_024;
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most that a reading takes beside its texts.
const READING_BYTES: usize = 192;

/// What to observe.
#[derive(Clone, Debug, Args)]
pub struct ObserveArguments {
    /// An AAS submodel, or an environment of several, in JSON; `-` reads standard input
    #[arg(
        value_name = "FILE",
        required_unless_present = "set",
        conflicts_with = "set"
    )]
    pub file: Option<PathBuf>,
    /// One value, by its idShort path: `Deviations.Flatness=0.04`; empty for an element without a value
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// The data type of a value: `Deviations.Flatness=xs:double`
    #[arg(long = "type", value_name = "PATH=TYPE", value_parser = pair, requires = "set", conflicts_with = "file")]
    pub types: Vec<(String, String)>,
    #[command(flatten)]
    pub facts: FactsOptions,
    /// When it was observed, RFC 3339; now where not given
    #[arg(long, value_name = "TIME")]
    pub at: Option<Time>,
    #[command(flatten)]
    pub output: OutputOption,
}

/// What cannot be observed is told with what to try.
fn refused(error: CollectError) -> Failure {
    let is_missing = matches!(&error, CollectError::Facts(FactsError::Missing(_)));
    let failure = Failure::new(FailureKind::Failed, &error);
    if is_missing {
        failure.hinted("name it here: --fact KEY=VALUE")
    } else {
        failure
    }
}

pub(super) fn observe(home: &Path, arguments: &ObserveArguments) -> Result<Exit, Failure> {
    let given = drafts(&Home::open(home)?, arguments)?;
    let backend = Backend::open(home)?;
    let mut report = ObserveReport::default();
    for batch in batches(given.drafts) {
        let part = backend.ask(Observe {
            drafts: batch,
            is_import: false,
        })?;
        report.observed.extend(part.observed);
        report.known += part.known;
    }
    let answer = Answer {
        report,
        left_out: given.skipped,
        uncertain: given.uncertain,
    };
    arguments
        .output
        .print(&answer, |answer| observed_table(&answer.report))?;
    if answer
        .report
        .observed
        .iter()
        .all(|observed| observed.outcomes.is_empty())
    {
        note("no partnership is in force: kept here, and judged for others once one is");
    }
    Ok(Exit::Done)
}

/// What came of it, and what of the file is no reading.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    report: ObserveReport,
    /// Each element with the reason.
    left_out: Vec<String>,
    /// Elements that are kept as uncertain, each with the reason.
    uncertain: Vec<String>,
}

/// What is to be observed, and what is left out of it.
fn drafts(home: &Home, arguments: &ObserveArguments) -> Result<ObservedSubmodels, Failure> {
    let facts = arguments.facts.read(home)?;
    let now = crate::clock::now();
    let at = arguments.at.unwrap_or(now);
    let Some(path) = &arguments.file else {
        let types = arguments.types.iter().cloned().collect();
        let (base, overrides) = (&facts.base, &facts.overrides);
        let observed = observe_values(&arguments.set, &types, base, overrides, at, now);
        return Ok(ObservedSubmodels {
            drafts: observed.map_err(refused)?,
            ..ObservedSubmodels::default()
        });
    };
    let json = read_bytes(path, FileKind::Submodel)?;
    let observed = observe_submodel(&json, &facts.base, &facts.overrides, at, now);
    let observed = observed.map_err(refused)?;
    for skipped in &observed.skipped {
        note(format!("left out: {}", super::table::shown(skipped)));
    }
    for uncertain in &observed.uncertain {
        note(format!(
            "kept as uncertain: {}",
            super::table::shown(uncertain)
        ));
    }
    Ok(observed)
}

fn batches(drafts: Vec<Draft>) -> impl Iterator<Item = Vec<Draft>> {
    let mut drafts = drafts.into_iter();
    std::iter::from_fn(move || {
        let mut batch = Batch::default();
        while batch.has_room()
            && let Some(draft) = drafts.next()
        {
            batch.push(draft);
        }
        (!batch.drafts.is_empty()).then_some(batch.drafts)
    })
}

/// Drafts for one operation.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) drafts: Vec<Draft>,
    bytes: usize,
}

impl Batch {
    pub(super) fn has_room(&self) -> bool {
        self.drafts.len() < BATCH_DRAFTS_MAX && self.bytes < BATCH_BYTES_MAX
    }

    pub(super) fn push(&mut self, draft: Draft) {
        let bytes = draft.readings.iter().map(|reading| {
            let texts = [&reading.value, &reading.element];
            let texts = texts.into_iter().flatten().map(String::len);
            let names = [&reading.value_type, &reading.unit];
            let names = names.into_iter().flatten().map(|name| name.as_str().len());
            let texts = reading.path.as_str().len() + texts.chain(names).sum::<usize>();
            // As base64, three bytes become four.
            READING_BYTES + texts * 4 / 3
        });
        self.bytes += bytes.sum::<usize>();
        self.drafts.push(draft);
    }
}

fn observed_table(report: &ObserveReport) -> String {
    let rows = report.observed.iter().flat_map(observed_rows);
    table(&["id", "readings", "to", "partnership", "verdict"], rows)
}

/// One row for each recipient.
fn observed_rows(observed: &NewObservation) -> Vec<Vec<String>> {
    let head = || vec![short(observed.id), observed.readings.to_string()];
    if observed.outcomes.is_empty() {
        let nobody = || or_none(None::<String>);
        return vec![[head(), vec![nobody(), nobody(), nobody()]].concat()];
    }
    observed
        .outcomes
        .iter()
        .map(|outcome| {
            let tail = vec![
                outcome.recipient.to_string(),
                outcome.partnership.to_string(),
                outcome.verdict.to_string(),
            ];
            [head(), tail].concat()
        })
        .collect()
}
