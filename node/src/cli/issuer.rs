//! `ambit issuer`: whose attestations count here.

use super::backend::Backend;
use super::exit::Exit;
use super::files::ContentError;
use super::input::{FileKind, read_text};
use super::output::{Format, OutputOption, note};
use super::partner::{ComparedOptions, Fingerprints, compare};
use super::table::{pairs, table};
use crate::agree::{Issuer, ListIssuers, PinIssuer, UnpinIssuer};
use crate::failure::{Failure, FailureKind};
use crate::partnership::{card_root, read_card};
use ambit_ledger::OrganizationId;
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// What to do with issuers.
#[derive(Clone, Debug, Subcommand)]
pub enum IssuerCommand {
    /// Pin an issuer: what it attests of others can be taken in from here on, with `ambit attest --file`
    #[command(after_long_help = PIN_EXAMPLE)]
    Pin {
        /// Its identity card, which it writes with `ambit key card`; a later card of its own replaces it
        card: PathBuf,
        #[command(flatten)]
        compared: ComparedOptions,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Let go of an issuer: nothing that it attested counts from here on
    Unpin {
        /// Who
        organization: OrganizationId,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Show the pinned issuers
    List {
        #[command(flatten)]
        output: OutputOption,
    },
}

const PIN_EXAMPLE: &str = "\
Example, once the supplier has told its root fingerprint on the telephone (`ambit key show`, there); without
--fingerprint you are shown the one on the card and asked:
  ambit issuer pin supplier.card --fingerprint did:web:supplier.example=HEX";

impl IssuerCommand {
    fn output(&self) -> OutputOption {
        match self {
            Self::Pin { output, .. } | Self::Unpin { output, .. } | Self::List { output } => {
                *output
            }
        }
    }

    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        self.output().output
    }
}

/// The fingerprint that was given is of somebody else.
#[derive(Debug, thiserror::Error)]
#[error(
    "the card is of `{found}`, and the fingerprint of `{given}`; ask `{given}` for its own card"
)]
struct OtherCardError {
    found: OrganizationId,
    given: OrganizationId,
}

pub(super) fn issuer(home: &Path, command: &IssuerCommand) -> Result<Exit, Failure> {
    let output = command.output();
    match command {
        IssuerCommand::Pin { card, compared, .. } => {
            let pin = compared_card(card, compared)?;
            let issuer = Backend::open(home)?.ask(pin)?;
            output.print(&issuer, issuer_text)?;
            note("what it attests can be taken in now: `ambit attest --file FILE`");
        }
        IssuerCommand::Unpin { organization, .. } => {
            let unpin = UnpinIssuer {
                issuer: organization.clone(),
            };
            let issuer = Backend::open(home)?.ask(unpin)?;
            output.print(&issuer, issuer_text)?;
            note("nothing that it attested counts any more");
        }
        IssuerCommand::List { .. } => {
            let issuers = Backend::open(home)?.ask(ListIssuers {})?;
            output.print(&issuers, |issuers| issuers_table(issuers))?;
            if issuers.is_empty() {
                note("no issuer is pinned here; `ambit issuer pin CARD` pins one");
            }
        }
    }
    Ok(Exit::Done)
}

/// A card whose root was compared, by an option or by a person at the terminal.
fn compared_card(path: &Path, compared: &ComparedOptions) -> Result<PinIssuer, Failure> {
    let card = read_text(path, FileKind::Card)?;
    let member = read_card(&card).map_err(ContentError::of(path))?;
    let root = card_root(&member).map_err(ContentError::of(path))?;
    let issuer = member.card.organization.clone();
    let given = compared.read()?;
    if let Some(other) = given.keys().find(|organization| **organization != issuer) {
        let error = OtherCardError {
            found: issuer,
            given: other.clone(),
        };
        return Err(Failure::new(FailureKind::Usage, &error));
    }
    compare(&Fingerprints::from([(issuer, root)]), given)?;
    Ok(PinIssuer { card, root })
}

fn issuer_text(issuer: &Issuer) -> String {
    pairs([
        ("issuer", issuer.issuer.to_string()),
        ("root key", issuer.root.to_string()),
    ])
}

fn issuers_table(issuers: &[Issuer]) -> String {
    let rows = issuers
        .iter()
        .map(|issuer| vec![issuer.issuer.to_string(), issuer.root.to_string()]);
    table(&["issuer", "root key"], rows)
}
