//! `ambit key show`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::files::ContentError;
use super::super::output::OutputOption;
use super::super::table::pairs;
use crate::agree::GetCard;
use crate::config::{Home, KeyFile, read_root_file};
use crate::failure::{Failure, one_line};
use crate::mesh::{PeerKey, peer_id_text};
use crate::partnership::{card_root, read_card, transport_key};
use ambit_ledger::{Certificate, Fingerprint, KeyPurpose, OrganizationId};
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Serialize)]
struct ShownKeys {
    organization: OrganizationId,
    root_key: Fingerprint,
    root_kept: RootKept,
    certified: Vec<CertifiedKey>,
    peer_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct CertifiedKey {
    purpose: KeyPurpose,
    fingerprint: Fingerprint,
    not_before: String,
}

/// Where the root key is, as far as the home says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum RootKept {
    Elsewhere,
    InHome,
    InHomeUnderPassphrase,
    Unusable(String),
}

impl RootKept {
    fn of(home: &Home) -> Result<Self, Failure> {
        if !home.has_root()? {
            return Ok(Self::Elsewhere);
        }
        Ok(match read_root_file(&home.root_path()) {
            Ok(KeyFile::Open(_)) => Self::InHome,
            Ok(KeyFile::Locked(_)) => Self::InHomeUnderPassphrase,
            Err(error) => Self::Unusable(one_line(&error)),
        })
    }

    fn words(&self) -> String {
        match self {
            Self::Elsewhere => "elsewhere".to_owned(),
            Self::InHome => {
                "in the home, without a passphrase; `ambit key root export -o FILE` makes a copy to keep".to_owned()
            }
            Self::InHomeUnderPassphrase => "in the home, under a passphrase".to_owned(),
            Self::Unusable(why) => format!("in the home, and cannot be used: {why}"),
        }
    }
}

pub(super) fn show(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let card = Backend::open(home)?.ask(GetCard {})?;
    let root_kept = RootKept::of(&Home::open(home)?)?;
    output.print(&keys(&card, root_kept)?, keys_table)?;
    Ok(Exit::Done)
}

fn keys(card: &str, root_kept: RootKept) -> Result<ShownKeys, ContentError> {
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
        root_kept,
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
        ("root key kept".to_owned(), keys.root_kept.words()),
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
