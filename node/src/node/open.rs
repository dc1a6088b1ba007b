//! Making a home and opening one.

use super::clock::ClockState;
use super::troubles::Troubles;
use super::{Actor, Decisions, Node, literal};
use crate::clock::{ClockError, check_first};
use crate::config::{
    Home, HomeError, KeyFile, NodeKeys, OrganizationIdError, OrganizationSettings, Settings,
    check_organization_id, read_root_file,
};
use crate::failure::{Failure, FailureKind, one_line};
use crate::partnership::{Governance, GovernanceError};
use crate::store::{Commit, Store, StoreError, Write};
use ambit_ledger::{
    Body, Certificate, Digest, Fingerprint, KeyCertified, KeyPurpose, Layer, Opened,
    ProfileActivated, SecretKey, TaxonomyActivated, Time,
};
use ambit_policy::{Layers, Taxonomies, default_profile, schema_digest, schema_text};
use serde_bytes::ByteBuf;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::watch;

/// A node cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The home cannot be made or used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in force cannot be read.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// The settings are those of another organization than the ledger's.
    #[error(
        "node.toml names the organization `{settings}`, the ledger was opened for `{ledger}`; put the id back"
    )]
    Organization {
        /// In node.toml.
        settings: String,
        /// In the ledger.
        ledger: String,
    },
    /// A country in the settings is not in the taxonomies, or is a group of countries.
    #[error(
        "{0}; a country, as `--country` or as seat, hosting and personnel in node.toml, is a two-letter code of \
         ISO 3166-1, such as DE"
    )]
    Jurisdiction(String),
    /// An id under which nobody should be known.
    #[error(transparent)]
    Id(#[from] OrganizationIdError),
    /// A key file holds another key than the one that the ledger certified.
    #[error(
        "keys/{0}.key is not the key that this node's root certified; put the right file back from a backup: what this one \
         signs, everybody would refuse"
    )]
    Key(&'static str),
    /// The file of the root holds another than the ledger was opened with.
    #[error(
        "keys/root.key is not the root of this node; put the right file back from a backup, or keep the root elsewhere and \
         take this file away"
    )]
    Root,
    /// The clock was never set.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let is_in_use = matches!(&error, OpenError::Store(error) if error.is_in_use());
        let can_be_read = matches!(&error, OpenError::Store(error) if error.can_be_read());
        let kind = match error {
            OpenError::Home(error) => return error.into(),
            OpenError::Store(_) if is_in_use => FailureKind::TryAgain,
            OpenError::Clock(_) => FailureKind::TryAgain,
            OpenError::Jurisdiction(_) | OpenError::Id(_) => FailureKind::Usage,
            OpenError::Store(_)
            | OpenError::Governance(_)
            | OpenError::Key(_)
            | OpenError::Root
            | OpenError::Organization { .. } => FailureKind::Failed,
        };
        let failure = Self::new(kind, &error);
        if can_be_read {
            failure.hinted(
                "what can be relied on can be read meanwhile, and exported: with --read-only",
            )
        } else if is_in_use {
            failure.hinted(
                "a node that is starting, or another command, has it open: try again; if that goes on, the node that runs \
                 here has lost the api.json of its home, or the api.sock there, by which commands find it: stop it, and start it again",
            )
        } else {
            failure
        }
    }
}

impl Node {
    /// Makes a node's home, with keys and the ledger's first entries. Returns the root key's fingerprint.
    ///
    /// # Errors
    /// Any [`OpenError`]; then nothing is left behind where the home was to be.
    pub fn init(place: &Path, settings: &Settings, now: Time) -> Result<Fingerprint, OpenError> {
        check_first(now)?;
        let organization = &settings.organization;
        check_organization_id(&organization.id)?;
        check_countries(organization, Layers::builtin().taxonomies())?;
        let (home, root) = Home::prepare(place, settings)?;
        let prepared = home.path().to_owned();
        let made = open_ledger(&home, settings, &root, now)
            .and_then(|()| home.finish(place).map_err(OpenError::from));
        if let Err(error) = made {
            // The keys in there were never used.
            let _ = std::fs::remove_dir_all(prepared);
            return Err(error);
        }
        Ok(root.public().fingerprint())
    }

    /// Opens a node.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub fn open(place: &Path) -> Result<Self, OpenError> {
        Self::open_with(place, Store::open_existing)
    }

    /// Opens a node that only looks: nothing in its home is written to, and it records nothing.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub fn open_read_only(place: &Path) -> Result<Self, OpenError> {
        Self::open_with(place, Store::open_read_only)
    }

    fn open_with(
        place: &Path,
        store: fn(&Path) -> Result<Store, StoreError>,
    ) -> Result<Self, OpenError> {
        let home = Home::open(place)?;
        let settings = home.settings()?;
        let keys = home.keys()?;
        let accepted = home.accepted_clock()?;
        let store = store(home.path())?;
        let governance = Governance::read(&store)?;
        if *governance.organization() != settings.organization.id {
            return Err(OpenError::Organization {
                settings: settings.organization.id.to_string(),
                ledger: governance.organization().to_string(),
            });
        }
        check_countries(&settings.organization, governance.layers().taxonomies())?;
        check_keys(&keys, &governance)?;
        check_root(&home, &governance)?;
        Ok(Self {
            home,
            settings,
            keys,
            store,
            decisions: Decisions::default(),
            governance: RwLock::new(Arc::new(governance)),
            releasing: Mutex::new(()),
            offering_again: Mutex::new(()),
            outboxes: std::array::from_fn(|_| Mutex::new(())),
            governing: RwLock::new(()),
            changes: watch::Sender::new(0),
            connected: RwLock::new(None),
            troubles: Troubles::default(),
            clock: ClockState::new(accepted),
            tally: Mutex::default(),
        })
    }
}

/// What another key signed would be refused by all, and stay in the ledger; what others seal to the certified one, nobody could
/// open with another.
fn check_keys(keys: &NodeKeys, governance: &Governance) -> Result<(), OpenError> {
    let own = governance.organization();
    for (purpose, key) in [
        (KeyPurpose::Statement, keys.statement.public()),
        (KeyPurpose::Agreement, keys.agreement.public()),
        (KeyPurpose::Checkpoint, keys.checkpoint.public()),
        (KeyPurpose::Witness, keys.witness.public()),
        (KeyPurpose::Transport, keys.transport.public()),
        (KeyPurpose::Seal, keys.seal.public()),
    ] {
        let mut certified = governance.keyring().keys_for(own, purpose);
        if !certified.any(|certified| certified == key) {
            return Err(OpenError::Key(purpose.name()));
        }
    }
    Ok(())
}

/// The root is not needed now: it may be kept elsewhere, or lie there under a passphrase. One that cannot be used keeps nobody from
/// anything else, and is told of, since it cannot be made again.
fn check_root(home: &Home, governance: &Governance) -> Result<(), OpenError> {
    if !home.has_root()? {
        return Ok(());
    }
    match read_root_file(&home.root_path()) {
        Ok(KeyFile::Open(key)) if key.public().fingerprint() != governance.opened().root => {
            Err(OpenError::Root)
        }
        Ok(KeyFile::Open(_) | KeyFile::Locked(_)) => Ok(()),
        Err(error) => {
            tracing::warn!(
                error = one_line(&error),
                "the root key in this home cannot be used; all else goes on without it: \
                 put a copy in its place with `ambit key root use FILE`"
            );
            Ok(())
        }
    }
}

/// A group would count as lying within all that it lies in, wherever the organization is.
fn check_countries(
    organization: &OrganizationSettings,
    taxonomies: &Taxonomies,
) -> Result<(), OpenError> {
    let stated = std::iter::once(&organization.seat)
        .chain(&organization.hosting)
        .chain(&organization.personnel);
    for country in stated {
        taxonomies
            .check_jurisdiction(country)
            .map_err(|unknown| OpenError::Jurisdiction(unknown.to_string()))?;
        if taxonomies.is_group(country) {
            let told = format!("`{country}` is a group of countries");
            return Err(OpenError::Jurisdiction(told));
        }
    }
    Ok(())
}

fn open_ledger(
    home: &Home,
    settings: &Settings,
    root: &SecretKey,
    now: Time,
) -> Result<(), OpenError> {
    let store = Store::open(home.path())?;
    let mut writes = first_entries(home, settings, root, now)?;
    writes.extend(first_profiles());
    store.commit(Commit {
        actor: Actor::Operator.name(),
        reason: None,
        now,
        writes,
    })?;
    Ok(())
}

fn first_entries(
    home: &Home,
    settings: &Settings,
    root: &SecretKey,
    now: Time,
) -> Result<Vec<Write>, HomeError> {
    let organization = &settings.organization;
    let mut writes = vec![Write::Entry(Body::Opened(Opened {
        organization: organization.id.clone(),
        name: organization.name.clone(),
        seat: organization.seat.clone(),
        root: root.public().fingerprint(),
        software: software(),
    }))];
    for purpose in KeyPurpose::OF_NODE {
        let certificate = |key| Certificate {
            subject: organization.id.clone(),
            root: root.public(),
            purpose,
            key,
            // Cards are numbered by milliseconds, and the first may be made in this very one.
            not_before: now.start_of_millis(),
            not_after: None,
        };
        let statement = if purpose.signs() {
            let key = home.key(purpose)?;
            certificate(key.public()).sign(root, &key)
        } else {
            certificate(home.seal_key()?.public()).sign_unproved(root)
        };
        writes.push(Write::Entry(Body::KeyCertified(KeyCertified {
            certificate: ByteBuf::from(statement),
        })));
    }
    Ok(writes)
}

fn first_profiles() -> Vec<Write> {
    let layers = Layers::builtin();
    let taxonomies = layers.taxonomies();
    let mut writes = vec![
        Write::Blob(schema_text().as_bytes().to_vec()),
        Write::Blob(taxonomies.to_bytes().to_vec()),
        Write::Entry(Body::TaxonomyActivated(TaxonomyActivated {
            taxonomies: taxonomies.digest(),
        })),
    ];
    let defaults = Layer::ALL
        .into_iter()
        .filter_map(|layer| default_profile(layer).map(|text| (layer, text)));
    for (layer, text) in defaults {
        writes.push(Write::Blob(text.as_bytes().to_vec()));
        writes.push(Write::Entry(Body::ProfileActivated(ProfileActivated {
            layer,
            profile: Digest::of(text.as_bytes()),
            schema: schema_digest(),
            anyway: None,
        })));
    }
    writes
}

/// The program and its version, as the ledger's first entry names it.
fn software() -> ambit_ledger::Name {
    literal(concat!("ambit ", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_open_elsewhere_may_be_asked_again() {
        let in_use = StoreError::InUse("node".into());
        let failure = Failure::from(OpenError::Store(in_use));
        assert_eq!(failure.kind, FailureKind::TryAgain);
        let hint = failure.hint.unwrap();
        assert!(hint.contains("try again; if that goes on"), "{hint}");
        assert!(hint.contains("lost the api.json of its home"), "{hint}");
    }
}
