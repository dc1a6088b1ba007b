//! `ambit partner invite`: a partnership's file again.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::key::OutArguments;
use super::super::output::{Outlet, OutputOption, note};
use super::super::table::shown;
use super::write_file_of;
use crate::agree::WriteInvitation;
use crate::failure::Failure;
use ambit_ledger::PartnershipId;
use clap::Args;
use std::path::Path;

/// Which file to write.
#[derive(Clone, Debug, Args)]
pub struct InviteArguments {
    /// Which
    pub partnership: PartnershipId,
    #[command(flatten)]
    pub out: OutArguments,
    #[command(flatten)]
    pub output: OutputOption,
}

pub(super) fn invite(home: &Path, arguments: &InviteArguments) -> Result<Exit, Failure> {
    let outlet = Outlet::open(arguments.out.out.as_deref())?;
    let proposal = Backend::open(home)?.ask(WriteInvitation {
        partnership: arguments.partnership.clone(),
    })?;
    write_file_of(&proposal, outlet, arguments.output)?;
    if let Some(declined) = &proposal.declined {
        note(shown(&format!(
            "`{}` was declined by `{}`: {}; the file says so to whoever takes it in, and nobody signs it",
            proposal.partnership, declined.member, declined.reason
        )));
    } else if let Some(over) = &proposal.over {
        note(format!(
            "nothing is disclosed under it: it is over ({over})"
        ));
    }
    Ok(Exit::Done)
}
