//! `ambit key`: what others need of this node's keys, and where its root key is kept. No secret key is ever printed.

mod card;
mod root;
mod show;
mod trust;

pub use root::{
    RootCommand, RootExportArguments, RootOptions, RootRemoveArguments, RootUseArguments,
};

use super::exit::Exit;
use super::output::{Format, OutputOption};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Write this node's identity card, to hand to whoever declares a partnership
    Card(OutArguments),
    /// Write the trust file for this node's root, to hand to an auditor
    Trust(OutArguments),
    /// Show the fingerprints of this node's keys
    Show {
        #[command(flatten)]
        output: OutputOption,
    },
    /// Keep the root key, which certifies all others, where no node runs
    Root {
        /// What to do
        #[command(subcommand)]
        command: RootCommand,
    },
}

/// Where to write.
#[derive(Clone, Debug, Args)]
pub struct OutArguments {
    /// A file; standard output where not given
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl KeyCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Card(_) | Self::Trust(_) => Format::Table,
            Self::Show { output } => output.output,
            Self::Root { command } => command.format(),
        }
    }

    /// Whether it leaves the home as it is.
    pub(super) fn only_reads(&self) -> bool {
        match self {
            Self::Card(_) | Self::Trust(_) | Self::Show { .. } => true,
            Self::Root { command } => command.only_reads(),
        }
    }
}

pub(super) fn key(home: &Path, command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Card(arguments) => card::card(home, arguments),
        KeyCommand::Trust(arguments) => trust::trust(home, arguments),
        KeyCommand::Show { output } => show::show(home, *output),
        KeyCommand::Root { command } => root::root(home, command),
    }
}
