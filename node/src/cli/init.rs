//! `ambit init`: a new node's home, its keys and the first entries of its ledger.

use super::exit::Exit;
use super::output::{OutputOption, note};
use super::reach::{note_listening, note_reach};
use super::table::pairs;
use crate::agree::card_addresses;
use crate::config::{ApiSettings, ExampleSettings, MeshSettings, OrganizationSettings, Settings};
use crate::failure::{Failure, FailureKind};
use crate::link::Quota;
use crate::mesh::{AddressError, PeerKey, verify_listen_address, verify_peer_address};
use crate::node::Node;
use crate::platform::shell_path;
use ambit_ledger::{Fingerprint, Jurisdiction, Name, OrganizationId};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// Whose node it is to be, and where peers reach it.
#[derive(Clone, Debug, Args)]
pub struct InitArguments {
    /// The organization's id, as its field knows it: `did:web:example.org`, `bpn:BPNL…`, `lei:…`. Fixed from then on
    #[arg(long, value_name = "ID")]
    pub org: OrganizationId,
    /// The organization's name
    #[arg(long)]
    pub name: Name,
    /// Where it has its seat, stores data, and whose nationals have access: an ISO 3166-1 alpha-2 code, no group. Where these
    /// differ, or are several, edit node.toml before the first partnership
    #[arg(long, value_name = "CC")]
    pub country: Jurisdiction,
    /// Where to listen for peers, such as /ip4/0.0.0.0/tcp/4001; a free port on this machine alone where not given
    #[arg(long, value_name = "MULTIADDR", value_parser = listened)]
    pub listen: Vec<String>,
    /// Under which address peers reach it, where that is another, such as /ip4/203.0.113.7/tcp/4001
    #[arg(long, value_name = "MULTIADDR", value_parser = announced)]
    pub announce: Vec<Name>,
    /// Make keys that follow from a published seed: for examples that give the same on every machine, never for real
    /// data
    #[arg(long, value_name = "SEED", hide_short_help = true)]
    pub example_seed: Option<Name>,
    #[command(flatten)]
    pub output: OutputOption,
}

/// Why an address cannot be announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// Not of the form.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Too long.
    #[error(transparent)]
    Name(#[from] ambit_ledger::NameError),
}

fn listened(text: &str) -> Result<String, AnnounceError> {
    verify_listen_address(text)?;
    Ok(text.to_owned())
}

fn announced(text: &str) -> Result<Name, AnnounceError> {
    // A node's own `/p2p/` part adds nothing: peers know its key from its card.
    verify_peer_address(&PeerKey([0; 32]), text)?;
    Ok(text.parse()?)
}

#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("the system gave no free port; name an address with --listen")]
    Port(#[source] std::io::Error),
    #[error(
        "failed to find the folder of `{path}`; name a place whose folder is there, with --home"
    )]
    Place {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Self {
        Self::new(FailureKind::Failed, &error)
    }
}

#[derive(Debug, Serialize)]
struct Made {
    home: PathBuf,
    organization: OrganizationId,
    root_key: Fingerprint,
    listen: Vec<String>,
}

pub(super) fn init(home: &Path, arguments: &InitArguments) -> Result<Exit, Failure> {
    let place = std::path::absolute(home).map_err(|source| InitError::Place {
        path: home.to_owned(),
        source,
    })?;
    let settings = settings(arguments)?;
    let root_key = Node::init(&place, &settings, crate::clock::now())?;
    if arguments.example_seed.is_some() {
        note(
            "warning: this node's keys follow from a published seed, so that anybody can sign in its name; \
             use it for examples only",
        );
    }
    note_reach(&card_addresses(&settings.mesh));
    note_listening(&settings.mesh);
    let made = Made {
        home: place,
        organization: arguments.org.clone(),
        root_key,
        listen: settings.mesh.listen,
    };
    arguments.output.print(&made, made_table)?;
    let home = shell_path(&made.home);
    note(format!(
        "next:\n  ambit --home {home} key card -o CARD             your card, for whoever declares a partnership\n  \
         ambit --home {home} partner declare FILE.toml    or declare one yourself\n  \
         ambit --home {home} run                          the node"
    ));
    Ok(Exit::Done)
}

fn settings(arguments: &InitArguments) -> Result<Settings, InitError> {
    let country = BTreeSet::from([arguments.country.clone()]);
    let listen = if arguments.listen.is_empty() {
        vec![free_address().map_err(InitError::Port)?]
    } else {
        arguments.listen.clone()
    };
    Ok(Settings {
        organization: OrganizationSettings {
            id: arguments.org.clone(),
            name: arguments.name.clone(),
            seat: arguments.country.clone(),
            hosting: country.clone(),
            personnel: country,
            claims: Vec::new(),
        },
        mesh: MeshSettings {
            listen,
            announce: arguments.announce.clone(),
            record_frames: None,
        },
        api: ApiSettings::default(),
        quotas: Quota::default(),
        example: arguments
            .example_seed
            .clone()
            .map(|seed| ExampleSettings { seed }),
    })
}

/// A port that is free now, written down so that the address on the identity card stays the same.
fn free_address() -> std::io::Result<String> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    Ok(format!("/ip4/127.0.0.1/tcp/{port}"))
}

fn made_table(made: &Made) -> String {
    pairs([
        ("home", made.home.display().to_string()),
        ("organization", made.organization.to_string()),
        ("root key", made.root_key.to_string()),
        ("listens at", made.listen.join(", ")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_announce_can_be_called() {
        assert!(announced("/ip4/203.0.113.7/tcp/4001").is_ok());
        assert!(announced("/ip4/0.0.0.0/tcp/4001").is_err());
        assert!(announced("203.0.113.7:4001").is_err());
    }

    #[test]
    fn a_port_is_written_down() {
        let address = free_address().unwrap();
        assert!(announced(&address).is_ok(), "{address}");
    }
}
