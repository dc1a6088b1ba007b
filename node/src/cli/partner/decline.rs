//! `ambit partner decline`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::key::OutArguments;
use super::super::output::{Outlet, OutputOption, note};
use super::super::table::shown;
use super::compare::ComparedOptions;
use super::{read_file, write_file_of};
use crate::agree::DeclineProposal;
use crate::failure::Failure;
use ambit_ledger::Name;
use clap::Args;
use std::path::{Path, PathBuf};

/// What to decline.
#[derive(Clone, Debug, Args)]
pub struct DeclineArguments {
    /// The partnership file
    pub file: PathBuf,
    /// Why, for the other members to read
    #[arg(long, value_name = "TEXT")]
    pub reason: Name,
    #[command(flatten)]
    pub compared: ComparedOptions,
    #[command(flatten)]
    pub out: OutArguments,
    #[command(flatten)]
    pub output: OutputOption,
}

pub(super) fn decline(home: &Path, arguments: &DeclineArguments) -> Result<Exit, Failure> {
    let (file, _) = read_file(&arguments.file)?;
    let decline = DeclineProposal {
        fingerprints: arguments.compared.read()?,
        file,
        reason: arguments.reason.clone(),
    };
    let outlet = Outlet::open(arguments.out.out.as_deref())?;
    let proposal = Backend::open(home)?.ask(decline)?;
    write_file_of(&proposal, outlet, arguments.output)?;
    let told = match &proposal.declined {
        Some(standing) if standing.reason != arguments.reason => format!(
            "`{}` was declined before, and what was said first stands: {}; the file says that: hand it to the other members",
            proposal.partnership, standing.reason
        ),
        _ => format!(
            "declined `{}`: hand the file to the other members; a running node tells those that it reaches and whose root was compared \
             when it was declined first",
            proposal.partnership
        ),
    };
    note(shown(&told));
    Ok(Exit::Done)
}
