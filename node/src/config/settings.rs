//! `node.toml`: what an operator may set.

use crate::link::Quota;
use ambit_ledger::{Claim, Digest, Jurisdiction, Name, OrganizationId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The settings of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who this is.
    pub organization: OrganizationSettings,
    /// Where it listens.
    #[serde(default)]
    pub mesh: MeshSettings,
    /// Its own programming interface.
    #[serde(default)]
    pub api: ApiSettings,
    /// What each other member may bring in a day under each agreement.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quotas: Quota,
    /// Makes keys and salts follow from a published seed, so that an example gives the same observation ids
    /// on every machine. Whoever knows the seed can sign in this node's name: never for real data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<ExampleSettings>,
}

fn is_default(quota: &Quota) -> bool {
    *quota == Quota::default()
}

/// A reproducible example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleSettings {
    /// What keys and salts follow from.
    pub seed: Name,
}

impl ExampleSettings {
    /// 32 bytes that follow from the seed and a label.
    #[must_use]
    pub fn derive(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let head = format!("ambit example\0{}\0{label}\0", self.seed);
        let digests: Vec<Digest> = parts.iter().map(|part| Digest::of(part)).collect();
        let all: Vec<&[u8]> = std::iter::once(head.as_bytes())
            .chain(digests.iter().map(|digest| digest.as_bytes().as_slice()))
            .collect();
        *Digest::of_parts(&all).as_bytes()
    }
}

/// Who this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSettings {
    /// The organization's id. Fixed at `init`.
    pub id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Where it has its seat: an ISO 3166-1 alpha-2 code.
    pub seat: Jurisdiction,
    /// Where its node stores data.
    pub hosting: BTreeSet<Jurisdiction>,
    /// The nationalities with access.
    pub personnel: BTreeSet<Jurisdiction>,
    /// What it says that others attest of it: registrations, certifications, licences. Members read it as claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimSettings>,
}

/// A registration, a certification or a licence that the organization says it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimSettings {
    /// What, such as `iso27001`, `export-licence`.
    pub what: Name,
    /// By whom.
    pub issuer: OrganizationId,
    /// Its number in the issuer's register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Name>,
    /// Until when.
    pub not_after: Time,
}

impl From<&ClaimSettings> for Claim {
    fn from(settings: &ClaimSettings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            what: settings.what.clone(),
            number: settings.number.clone(),
            // Policies and terms read no finer.
            not_after: settings.not_after.start_of_millis(),
            authorization: None,
        }
    }
}

/// Where the node listens for its peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshSettings {
    /// Multiaddresses to listen on; empty to dial out only.
    #[serde(default = "default_listen")]
    pub listen: Vec<String>,
    /// Multiaddresses under which peers reach this node, where they differ from those listened on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announce: Vec<Name>,
    /// A file to which every frame of every link is written in plaintext: a diagnostic, off by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_frames: Option<std::path::PathBuf>,
}

impl Default for MeshSettings {
    fn default() -> Self {
        Self {
            listen: default_listen(),
            announce: Vec::new(),
            record_frames: None,
        }
    }
}

fn default_listen() -> Vec<String> {
    vec!["/ip4/127.0.0.1/tcp/0".to_owned()]
}

/// The node's own programming interface. Commands need no port where the system has Unix sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiSettings {
    /// A port of the loopback address to listen on as well; with 0 there is none, or one that the system picks where it has no Unix
    /// sockets.
    #[serde(default)]
    pub port: u16,
}

/// Settings that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be read as settings")]
pub struct SettingsError {
    /// Which file.
    pub path: std::path::PathBuf,
    /// Why, with line and column.
    pub source: toml::de::Error,
}

impl Settings {
    /// Reads the text of a settings file.
    pub(super) fn parse(text: &str, path: &std::path::Path) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|source| SettingsError {
            path: path.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "[organization]\nid = \"did:web:a.example\"\nname = \"A\"\nseat = \"DE\"\nhosting = [\"DE\"]\npersonnel = [\"DE\"]\n";

    #[test]
    fn defaults_and_unknown_keys() {
        let path = std::path::Path::new("node.toml");
        let settings = Settings::parse(MINIMAL, path).unwrap();
        assert_eq!(settings.mesh.listen, ["/ip4/127.0.0.1/tcp/0"]);
        let error =
            Settings::parse(&format!("{MINIMAL}[mesh]\nlisten_on = []\n"), path).unwrap_err();
        assert_eq!(error.to_string(), "`node.toml` cannot be read as settings");
        let error = crate::failure::one_line(&error);
        assert!(error.contains("node.toml"), "{error}");
        assert!(error.contains("unknown field `listen_on`"), "{error}");
        assert!(error.contains("listen"), "{error}");
    }

    #[test]
    fn settings_survive_writing() {
        let settings = Settings::parse(MINIMAL, std::path::Path::new("x")).unwrap();
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(
            Settings::parse(&text, std::path::Path::new("x")).unwrap(),
            settings
        );
    }
}
