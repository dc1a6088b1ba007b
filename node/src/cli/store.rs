//! `ambit store`: what is kept on the disk, checked as a whole, and its database built again. While no node runs.

use super::exit::Exit;
use super::output::{Format, OutputOption, note};
use super::table::pairs;
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use crate::node::OpenError;
use crate::store::{Checked, Progress, Rebuilt, StoreError, check, rebuild};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use std::path::Path;

/// What to do with the store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Read the whole journal, and say what is damaged in it; and bring the database up to it, as each start does. Ends
    /// with 4 where something is damaged. No node may run
    Check(StoreCheckArguments),
    /// Build the database again from the journal. What the journal holds is kept; no node may run
    Rebuild {
        #[command(flatten)]
        output: OutputOption,
    },
}

/// How much to check.
#[derive(Clone, Copy, Debug, Args)]
pub struct StoreCheckArguments {
    /// Also compare every record of the database with the journal, and open all sealed readings. Takes as much space again as
    /// the database, until it ends
    #[arg(long)]
    pub deep: bool,
    #[command(flatten)]
    pub output: OutputOption,
}

impl StoreCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        let (Self::Check(StoreCheckArguments { output, .. }) | Self::Rebuild { output }) = self;
        output.output
    }
}

pub(super) fn store(home: &Path, command: &StoreCommand) -> Result<Exit, Failure> {
    // Says so where there is no node.
    let home = Home::open(home)?;
    let bar = progress_bar();
    let told = |progress: Progress| {
        bar.set_length(progress.all);
        bar.set_position(progress.done);
    };
    let failed = |error: StoreError| {
        bar.finish_and_clear();
        if error.is_in_use() {
            // No node answers this, so nothing is asked of one.
            return Failure::new(FailureKind::TryAgain, &error)
                .hinted("a node or another command has it open: stop the node first");
        }
        Failure::from(OpenError::Store(error))
    };
    match command {
        StoreCommand::Check(arguments) => {
            let checked = check(home.path(), arguments.deep, &told).map_err(failed)?;
            bar.finish_and_clear();
            arguments.output.print(&checked, checked_text)?;
            if checked.is_sound() {
                return Ok(Exit::Done);
            }
            note(advice(&checked));
            Ok(Exit::Verification)
        }
        StoreCommand::Rebuild { output } => {
            let rebuilt = rebuild(home.path(), &told).map_err(failed)?;
            bar.finish_and_clear();
            output.print(&rebuilt, rebuilt_text)?;
            Ok(Exit::Done)
        }
    }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{wide_bar} {pos} of {len} groups {eta}";
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn checked_text(checked: &Checked) -> String {
    let mut rows = vec![
        (
            "journal",
            format!("{} groups that are whole", checked.groups),
        ),
        ("entries", checked.entries.to_string()),
    ];
    if checked.damaged.is_empty() {
        rows.push(("damaged", "nothing".to_owned()));
        let database = if checked.was_built_again {
            "built again from the journal: it could not be relied on"
        } else {
            "goes as far as the journal"
        };
        rows.push(("database", database.to_owned()));
    }
    let damaged = checked.damaged.iter().cloned();
    rows.extend(damaged.map(|damage| ("damaged", damage)));
    if !checked.damaged.is_empty() {
        let way_out = "restore the home from the latest whole backup; --read-only shows and exports what can be relied on";
        rows.push(("way out", way_out.to_owned()));
    }
    rows.extend(checked.in_database.map(|entries| {
        let held =
            format!("can be relied on until the next power cut, and holds {entries} entries");
        ("database", held)
    }));
    if let Some(deep) = &checked.deep {
        let records = match deep.different {
            0 => format!("{} compared with the journal, all equal", deep.records),
            different => format!(
                "{} compared with the journal, {different} not what it says",
                deep.records
            ),
        };
        rows.push(("records", records));
        let readings = match deep.unopened_count {
            0 => format!("{} blocks open with their keys", deep.readings),
            unopened => format!(
                "{} blocks open with their keys, {unopened} do not: entries {}",
                deep.readings,
                named(&deep.unopened, unopened)
            ),
        };
        rows.push(("readings", readings));
    }
    pairs(rows)
}

/// Entries, of which there may be more than are named.
pub(super) fn named(entries: &[u64], count: u64) -> String {
    let all: Vec<String> = entries.iter().map(u64::to_string).collect();
    let more = if entries.len() as u64 == count {
        ""
    } else {
        " and more"
    };
    format!("{}{more}", all.join(", "))
}

/// What to do about what was found.
fn advice(checked: &Checked) -> &'static str {
    let has_unopened = checked
        .deep
        .as_ref()
        .is_some_and(|deep| deep.unopened_count > 0);
    if checked.in_database.is_some() {
        "export what the database holds now: `ambit export -o ledger.bundle`. Then keep this home as it is, and restore the latest \
         whole backup elsewhere"
    } else if !checked.damaged.is_empty() || has_unopened {
        "restore the home from the latest whole backup, and keep this one as it is until then"
    } else {
        "build the database again: `ambit store rebuild`"
    }
}

fn rebuilt_text(rebuilt: &Rebuilt) -> String {
    pairs([(
        "database",
        format!("built again from the journal, {} entries", rebuilt.entries),
    )])
}
