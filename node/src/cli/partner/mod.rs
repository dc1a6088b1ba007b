//! `ambit partner`: from a declaration to an agreement that all members have signed.
//!
//! A fingerprint is taken from a person who compared it, never from a card. Without a person at a terminal it
//! has to be an option.

mod accept;
mod compare;
mod declare;
mod decline;
mod invite;
mod list;
mod offer;

pub use accept::AcceptArguments;
pub use compare::{ComparedOptionError, ComparedOptions};
pub(super) use compare::{Fingerprints, compare};
pub use declare::DeclareArguments;
pub use decline::DeclineArguments;
pub use invite::InviteArguments;
pub(super) use list::{note_differences, partnerships_table, state_text};
pub use offer::OfferArguments;

use super::exit::Exit;
use super::files::ContentError;
use super::input::{FileKind, read_text};
use super::output::{Format, Outlet, OutputOption, print_json};
use crate::agree::Proposal;
use crate::failure::{Failure, FailureKind};
use crate::partnership::PartnershipFile;
use ambit_ledger::OrganizationId;
use clap::Subcommand;
use std::path::Path;

/// What to do with partnerships.
#[derive(Clone, Debug, Subcommand)]
pub enum PartnerCommand {
    /// Declare a partnership: sign its terms, and write the invitation for the other members
    Declare(DeclareArguments),
    /// Read an invitation, and sign it; or take in what another member signed or declined
    Accept(AcceptArguments),
    /// Decline an invitation
    Decline(DeclineArguments),
    /// Write the partnership file of a partnership again, with all signatures there are
    Invite(InviteArguments),
    /// Judge again what is withheld from the members, and disclose what is admissible now
    Offer(OfferArguments),
    /// Show the partnerships, how they stand and who has signed
    List {
        #[command(flatten)]
        output: OutputOption,
    },
}

impl PartnerCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Declare(declare) => declare.output.output,
            Self::Accept(accept) => accept.output.output,
            Self::Decline(decline) => decline.output.output,
            Self::Invite(invite) => invite.output.output,
            Self::Offer(offer) => offer.output.output,
            Self::List { output } => output.output,
        }
    }
}

pub(super) fn partner(home: &Path, command: &PartnerCommand) -> Result<Exit, Failure> {
    match command {
        PartnerCommand::Declare(arguments) => declare::declare(home, arguments),
        PartnerCommand::Accept(arguments) => accept::accept(home, arguments),
        PartnerCommand::Decline(arguments) => decline::decline(home, arguments),
        PartnerCommand::Invite(arguments) => invite::invite(home, arguments),
        PartnerCommand::Offer(arguments) => offer::offer(home, arguments),
        PartnerCommand::List { output } => list::list(home, *output),
    }
}

/// A partnership file: its text, and what it holds.
fn read_file(path: &Path) -> Result<(String, PartnershipFile), Failure> {
    let text = read_text(path, FileKind::Partnership)?;
    let file = PartnershipFile::read(&text).map_err(|error| {
        let kind = if error.is_altered() {
            FailureKind::Verification
        } else {
            FailureKind::Failed
        };
        Failure::new(kind, &ContentError::of(path)(error))
    })?;
    Ok((text, file))
}

/// Hands out the partnership file: where `-o` says, else on standard output, within the answer if that is JSON.
fn write_file_of(
    proposal: &Proposal,
    outlet: Outlet<'_>,
    output: OutputOption,
) -> Result<(), Failure> {
    if outlet.is_file() || output.output == Format::Table {
        outlet.hand_out(&proposal.file)?;
    }
    match output.output {
        Format::Table => Ok(()),
        Format::Json => print_json(proposal),
    }
}

fn names<'a>(organizations: impl IntoIterator<Item = &'a OrganizationId>) -> String {
    let names: Vec<&str> = organizations
        .into_iter()
        .map(OrganizationId::as_str)
        .collect();
    names.join(", ")
}
