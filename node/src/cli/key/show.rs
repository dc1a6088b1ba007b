//! `ambit key show`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::files::ContentError;
use super::super::output::OutputOption;
use super::super::table::pairs;
use crate::agree::GetCard;
use crate::failure::Failure;
use crate::mesh::{PeerKey, peer_id_text};
use crate::partnership::{card_root, read_card, transport_key};
use ambit_ledger::{Certificate, Fingerprint, KeyPurpose, OrganizationId};
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Serialize)]
struct ShownKeys {
    organization: OrganizationId,
    root_key: Fingerprint,
    certified: Vec<CertifiedKey>,
    peer_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct CertifiedKey {
    purpose: KeyPurpose,
    fingerprint: Fingerprint,
    not_before: String,
}

pub(super) fn show(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let card = Backend::open(home)?.ask(GetCard {})?;
    output.print(&keys(&card)?, keys_table)?;
    Ok(Exit::Done)
}

fn keys(card: &str) -> Result<ShownKeys, ContentError> {
    let own = Path::new("the node's own identity card");
    let member = read_card(card).map_err(ContentError::of(own))?;
    let certified = member
        .card
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
    Ok(ShownKeys {
        root_key: card_root(&member).map_err(ContentError::of(own))?,
        certified,
        peer_id: transport_key(&member)
            .ok()
            .map(|key| peer_id_text(&PeerKey(*key.as_bytes()))),
        organization: member.card.organization.clone(),
    })
}

fn keys_table(keys: &ShownKeys) -> String {
    let mut rows = vec![
        ("organization".to_owned(), keys.organization.to_string()),
        ("root key".to_owned(), keys.root_key.to_string()),
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
