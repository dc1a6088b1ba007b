//! `ambit key`: what others need of this node's keys. No secret key is ever printed.

use super::backend::Backend;
use super::failure::{CommandError, ContentError, Exit};
use super::output::{Outlet, OutputOption, note};
use super::table::pairs;
use crate::api::Operation;
use crate::mesh::{PeerKey, peer_id_text};
use crate::partnership::{card_root, read_card, transport_key};
use ambit_ledger::{Certificate, Fingerprint, KeyPurpose, OrganizationId};
use clap::{Args, Subcommand};
use serde::Serialize;
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
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
}

/// Where to write.
#[derive(Clone, Debug, Args)]
pub struct OutArguments {
    /// A file; standard output where not given
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Keys {
    organization: OrganizationId,
    root: Fingerprint,
    certified: Vec<CertifiedKey>,
    peer_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct CertifiedKey {
    purpose: KeyPurpose,
    fingerprint: Fingerprint,
    not_before: String,
}

pub(super) fn key(home: &Path, command: &KeyCommand) -> Result<Exit, CommandError> {
    let backend = Backend::open(home)?;
    match command {
        KeyCommand::Card(arguments) => {
            let card: String = backend.ask(Operation::Card)?;
            Outlet::open(arguments.out.as_deref())?.hand_out(&card)?;
            note(
                "hand the card over by any way; read the root key's fingerprint out on the \
                 telephone: `ambit key show`",
            );
        }
        KeyCommand::Trust(arguments) => {
            let trust: String = backend.ask(Operation::Trust)?;
            Outlet::open(arguments.out.as_deref())?.hand_out(&trust)?;
        }
        KeyCommand::Show { output } => {
            let card: String = backend.ask(Operation::Card)?;
            output.print(&keys(&card)?, keys_table)?;
        }
    }
    Ok(Exit::Done)
}

fn keys(card: &str) -> Result<Keys, ContentError> {
    let own = Path::new("the node's own identity card");
    let member = read_card(card).map_err(ContentError::of(own))?;
    let certified = member
        .certificates
        .iter()
        .map(|bytes| {
            let certificate = Certificate::read(bytes)?;
            Ok(CertifiedKey {
                purpose: certificate.purpose,
                fingerprint: certificate.key.fingerprint(),
                not_before: certificate.not_before.to_string(),
            })
        })
        .collect::<Result<_, _>>()
        .map_err(ContentError::of::<ambit_ledger::StatementError>(own))?;
    Ok(Keys {
        root: card_root(&member).map_err(ContentError::of(own))?,
        certified,
        peer_id: transport_key(&member)
            .ok()
            .map(|key| peer_id_text(&PeerKey(*key.as_bytes()))),
        organization: member.organization,
    })
}

fn keys_table(keys: &Keys) -> String {
    let mut rows = vec![
        ("organization".to_owned(), keys.organization.to_string()),
        ("root key".to_owned(), keys.root.to_string()),
    ];
    rows.extend(keys.certified.iter().map(|key| {
        (
            format!("{} key", key.purpose.name()),
            key.fingerprint.to_string(),
        )
    }));
    rows.extend(keys.peer_id.clone().map(|id| ("peer id".to_owned(), id)));
    pairs(rows)
}
