//! `ambit clock`: a person's word that the clock is right.

use super::backend::Backend;
use super::exit::Exit;
use super::output::{Format, OutputOption};
use super::table::pairs;
use crate::agree::AcceptClock;
use crate::failure::Failure;
use crate::node::ClockAccepted;
use clap::Subcommand;
use std::path::Path;

/// What to do with the clock.
#[derive(Clone, Debug, Subcommand)]
pub enum ClockCommand {
    /// Confirm that the clock is right although it is more than 366 days past the ledger's last entry, or went forward
    /// by more than 31 days while the node ran. Compare it first: an entry under a wrong clock cannot be taken back
    Accept {
        #[command(flatten)]
        output: OutputOption,
    },
}

impl ClockCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        let Self::Accept { output } = self;
        output.output
    }
}

pub(super) fn clock(home: &Path, command: &ClockCommand) -> Result<Exit, Failure> {
    let ClockCommand::Accept { output } = command;
    let accepted = Backend::open(home)?.ask(AcceptClock {})?;
    output.print(&accepted, accepted_text)?;
    Ok(Exit::Done)
}

fn accepted_text(accepted: &ClockAccepted) -> String {
    let outcome = if accepted.was_refused {
        "confirmed"
    } else {
        "within the bounds, so there was nothing to confirm"
    };
    pairs([
        ("clock", accepted.now.clone()),
        ("last entry", accepted.last_entry.clone()),
        ("", outcome.to_owned()),
    ])
}
