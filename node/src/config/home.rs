//! The folder a node lives in.
//!
//! ```text
//! HOME/node.toml       settings
//! HOME/facts.toml      facts that do not vary from file to file
//! HOME/keys/*.key      six Ed25519 keys and an X25519 key, PKCS #8 PEM; root.key may be kept elsewhere
//! HOME/db/, HOME/slots the store, and HOME/committed how far it came
//! HOME/clock.accepted  the last instant that a person confirmed
//! HOME/api.json        where a running node answers, and its token
//! ```

use super::settings::{Settings, SettingsError};
use crate::collect::FACTS_TEMPLATE;
use crate::failure::{Failure, FailureKind};
use crate::platform::{
    check_private, create_private_folder, read_text, replace_private, shell_path, sync_folder,
    write_private,
};
use ambit_ledger::{KeyFileError, KeyPurpose, SealKey, SecretKey, Time, TimeError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The keys that lie in a home; persons keep their own.
const HOME_KEYS: [KeyPurpose; 7] = [
    KeyPurpose::Root,
    KeyPurpose::Statement,
    KeyPurpose::Agreement,
    KeyPurpose::Checkpoint,
    KeyPurpose::Witness,
    KeyPurpose::Transport,
    KeyPurpose::Seal,
];

/// A node's home that exists and that only its owner may enter.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
}

/// A home cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Something is there already.
    #[error("`{0}` already holds a node; choose another --home, or use the node that is there")]
    InUse(PathBuf),
    /// Files are there that are no node's.
    #[error("`{0}` is not empty and holds no node; choose another --home, or empty it")]
    NotEmpty(PathBuf),
    /// Nothing is there.
    #[error(
        "`{}` holds no node; make one with `ambit --home {} init --org ID --name NAME --country CC`",
        .0.display(), shell_path(.0)
    )]
    Missing(PathBuf),
    /// A node is there, and its settings are not.
    #[error(
        "`{0}` holds a node whose node.toml is missing; put that file back from a backup, and leave the rest as it is: \
         the keys and the ledger in it cannot be made again"
    )]
    NoSettings(PathBuf),
    /// Others may read it.
    #[error(
        "others may read `{}`; run `chmod go-rwx {}`, and make new keys if they may have been read",
        .0.display(), shell_path(.0)
    )]
    Permissions(PathBuf),
    /// A file cannot be used.
    #[error("failed to use `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A key, or the folder of all of them, is not there.
    #[error(
        "`{0}` is missing; put it back from a backup, or from where it is kept, and leave the rest as it is: it cannot be made \
         again"
    )]
    NoKey(PathBuf),
    /// A key file holds no key.
    #[error("`{path}` holds no key; put it back from a backup, or convert it to PKCS #8 PEM")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyFileError,
    },
    /// The file of the confirmed clock holds no instant.
    #[error("`{path}` cannot be read; remove it, and confirm the clock again if it has to be")]
    Clock {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: TimeError,
    },
    /// The system gave no randomness.
    #[error(
        "the system gave no randomness for new keys; let it use getrandom(2) or /dev/urandom, then try again"
    )]
    Randomness(#[source] getrandom::Error),
}

/// The keys a running node needs. The root may be kept elsewhere.
#[derive(Debug)]
pub struct NodeKeys {
    /// Signs statements.
    pub statement: SecretKey,
    /// Signs what makes an agreement or changes it.
    pub agreement: SecretKey,
    /// Signs checkpoints.
    pub checkpoint: SecretKey,
    /// Cosigns other ledgers' checkpoints.
    pub witness: SecretKey,
    /// Authenticates the node to its peers.
    pub transport: SecretKey,
    /// Opens what others seal to this node.
    pub seal: SealKey,
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let kind = match &error {
            HomeError::Missing(_) => FailureKind::NotFound,
            HomeError::Permissions(_) => FailureKind::NotAuthorized,
            HomeError::InUse(_)
            | HomeError::NotEmpty(_)
            | HomeError::NoSettings(_)
            | HomeError::File { .. }
            | HomeError::Settings(_)
            | HomeError::NoKey(_)
            | HomeError::Key { .. }
            | HomeError::Clock { .. }
            | HomeError::Randomness(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

impl Home {
    /// Prepares a home beside the place it is for, so that one that was cut off is never taken for a node.
    /// [`Home::finish`] moves it into place.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn prepare(place: &Path, settings: &Settings) -> Result<(Self, SecretKey), HomeError> {
        check_vacant(place)?;
        let path = scratch_for(place)?;
        Self::fill(&path, settings).inspect_err(|_| {
            // No keys stay behind that nobody will use.
            let _ = std::fs::remove_dir_all(&path);
        })
    }

    fn fill(path: &Path, settings: &Settings) -> Result<(Self, SecretKey), HomeError> {
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::File { path, source }
        };
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            std::fs::create_dir_all(parent).map_err(file(parent))?;
        }
        create_private_folder(path).map_err(file(path))?;
        let home = Self {
            path: path.to_owned(),
        };
        let keys = home.path.join("keys");
        create_private_folder(&keys).map_err(file(&keys))?;
        let mut root = None;
        for purpose in HOME_KEYS {
            let mut seed = zeroize::Zeroizing::new([0; 32]);
            match &settings.example {
                Some(example) => {
                    let organization = settings.organization.id.as_str().as_bytes();
                    *seed = example.derive(purpose.name(), &[organization]);
                }
                None => getrandom::fill(seed.as_mut()).map_err(HomeError::Randomness)?,
            }
            let pem = if purpose.signs() {
                SecretKey::from_seed(&seed).to_pem()
            } else {
                SealKey::from_seed(&seed).to_pem()
            };
            let path = home.key_path(purpose);
            write_private(&path, pem.as_bytes()).map_err(file(&path))?;
            if purpose == KeyPurpose::Root {
                root = Some(SecretKey::from_seed(&seed));
            }
        }
        let path = home.path.join("node.toml");
        let text = toml::to_string_pretty(settings).unwrap_or_default();
        let text = format!(
            "# What this node is and where it listens. Unknown keys are refused.\n\n{text}"
        );
        write_private(&path, text.as_bytes()).map_err(file(&path))?;
        let path = home.path.join("facts.toml");
        write_private(&path, FACTS_TEMPLATE.as_bytes()).map_err(file(&path))?;
        let root = root.ok_or_else(|| HomeError::Missing(home.path.clone()))?;
        Ok((home, root))
    }

    /// Moves a prepared home into place.
    ///
    /// # Errors
    /// [`HomeError::File`], or [`HomeError::InUse`] where another came first.
    pub fn finish(self, place: &Path) -> Result<Self, HomeError> {
        check_vacant(place)?;
        let file = |source| HomeError::File {
            path: place.to_owned(),
            source,
        };
        std::fs::rename(&self.path, place).map_err(|source| match source.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => {
                HomeError::InUse(place.to_owned())
            }
            _ => file(source),
        })?;
        if let Some(parent) = place
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            sync_folder(parent).map_err(file)?;
        }
        Ok(Self {
            path: place.to_owned(),
        })
    }

    /// Opens a home.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        match found_at(path)? {
            Found::Node => {}
            Found::Remains => return Err(HomeError::NoSettings(path.to_owned())),
            Found::Nothing | Found::Others => return Err(HomeError::Missing(path.to_owned())),
        }
        let home = Self {
            path: path.to_owned(),
        };
        let keys = home.path.join("keys");
        let key_files = HOME_KEYS
            .into_iter()
            .map(|purpose| home.key_path(purpose))
            .filter(|path| path.exists());
        // The slots are the keys that readings are sealed with.
        let others = ["node.toml", "facts.toml", "slots"]
            .map(|name| home.path.join(name))
            .into_iter()
            .filter(|path| path.is_file());
        if !is_there(&keys)? {
            return Err(HomeError::NoKey(keys));
        }
        let private = [home.path.clone(), keys]
            .into_iter()
            .chain(key_files)
            .chain(others);
        for path in private {
            let is_private = check_private(&path).map_err(unusable(&path))?;
            if !is_private {
                return Err(HomeError::Permissions(path));
            }
        }
        Ok(home)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a running node says how it is reached.
    #[must_use]
    pub fn api_path(&self) -> PathBuf {
        self.path.join("api.json")
    }

    /// Where the facts that do not vary are.
    #[must_use]
    pub fn facts_path(&self) -> PathBuf {
        self.path.join("facts.toml")
    }

    fn clock_path(&self) -> PathBuf {
        self.path.join("clock.accepted")
    }

    /// The last instant that a person confirmed; `None` where nobody had to.
    ///
    /// # Errors
    /// [`HomeError::File`] or [`HomeError::Clock`].
    pub fn accepted_clock(&self) -> Result<Option<Time>, HomeError> {
        let path = self.clock_path();
        let text = self.read(&path)?;
        text.map(|text| text.trim().parse())
            .transpose()
            .map_err(|source| HomeError::Clock { path, source })
    }

    /// Remembers an instant that a person confirmed.
    ///
    /// # Errors
    /// [`HomeError::File`].
    pub fn accept_clock(&self, now: Time) -> Result<(), HomeError> {
        let path = self.clock_path();
        replace_private(&path, format!("{now}\n").as_bytes())
            .map_err(|source| HomeError::File { path, source })
    }

    pub(super) fn key_path(&self, purpose: KeyPurpose) -> PathBuf {
        self.path
            .join("keys")
            .join(format!("{}.key", purpose.name()))
    }

    /// Reads a text file of the home; `None` where there is none.
    ///
    /// # Errors
    /// [`HomeError::File`].
    pub fn read(&self, path: &Path) -> Result<Option<String>, HomeError> {
        match read_text(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(HomeError::File {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn settings(&self) -> Result<Settings, HomeError> {
        let path = self.path.join("node.toml");
        let text = self
            .read(&path)?
            .ok_or_else(|| HomeError::NoSettings(self.path.clone()))?;
        Ok(Settings::parse(&text, &path)?)
    }

    /// Reads the keys a running node needs.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn keys(&self) -> Result<NodeKeys, HomeError> {
        Ok(NodeKeys {
            statement: self.key(KeyPurpose::Statement)?,
            agreement: self.key(KeyPurpose::Agreement)?,
            checkpoint: self.key(KeyPurpose::Checkpoint)?,
            witness: self.key(KeyPurpose::Witness)?,
            transport: self.key(KeyPurpose::Transport)?,
            seal: self.seal_key()?,
        })
    }

    /// Reads one of the keys that sign.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn key(&self, purpose: KeyPurpose) -> Result<SecretKey, HomeError> {
        self.read_key(purpose, SecretKey::from_pem)
    }

    /// Reads the key that others seal to.
    ///
    /// # Errors
    /// Any [`HomeError`].
    pub fn seal_key(&self) -> Result<SealKey, HomeError> {
        self.read_key(KeyPurpose::Seal, SealKey::from_pem)
    }

    fn read_key<K>(
        &self,
        purpose: KeyPurpose,
        read: fn(&str) -> Result<K, KeyFileError>,
    ) -> Result<K, HomeError> {
        let path = self.key_path(purpose);
        let pem = match read_text(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(HomeError::NoKey(path));
            }
            read => read.map_err(unusable(&path))?,
        };
        let pem = zeroize::Zeroizing::new(pem);
        read(&pem).map_err(|source| HomeError::Key { path, source })
    }
}

pub(super) fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> HomeError {
    let path = path.to_owned();
    |source| HomeError::File { path, source }
}

/// Where a home is made before it is moved into place: beside it, and of its own, so that of two that make the same home one
/// comes first and the other finds it there.
fn scratch_for(place: &Path) -> Result<PathBuf, HomeError> {
    let mut own = [0; 8];
    getrandom::fill(&mut own).map_err(HomeError::Randomness)?;
    let name = place
        .file_name()
        .map_or_else(|| "ambit".into(), |name| name.to_string_lossy());
    Ok(place.with_file_name(format!(".{name}-new-{}", hex::encode(own))))
}

/// What is where a home is, or is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Nothing at all, or an empty folder.
    Nothing,
    /// A node's settings, whether they can be read or not.
    Node,
    /// What only a node leaves, without its settings.
    Remains,
    /// A file, or a folder with files that are no node's.
    Others,
}

/// What only a node makes.
const TRACES: [&str; 7] = [
    "keys",
    "journal",
    "db",
    "slots",
    "committed",
    "facts.toml",
    "clock.accepted",
];

/// Looks, and never takes what it may not look at for absent.
fn found_at(place: &Path) -> Result<Found, HomeError> {
    if is_there(&place.join("node.toml"))? {
        return Ok(Found::Node);
    }
    for trace in TRACES {
        if is_there(&place.join(trace))? {
            return Ok(Found::Remains);
        }
    }
    match std::fs::read_dir(place) {
        Ok(mut entries) => Ok(match entries.next() {
            None => Found::Nothing,
            Some(_) => Found::Others,
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(Found::Others),
        Err(source) => Err(HomeError::File {
            path: place.to_owned(),
            source,
        }),
    }
}

pub(super) fn is_there(path: &Path) -> Result<bool, HomeError> {
    let is_absent = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absent(error.kind()) => Ok(false),
        Err(source) => Err(HomeError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn check_vacant(place: &Path) -> Result<(), HomeError> {
    match found_at(place)? {
        Found::Nothing => Ok(()),
        Found::Node => Err(HomeError::InUse(place.to_owned())),
        Found::Remains => Err(HomeError::NoSettings(place.to_owned())),
        Found::Others => Err(HomeError::NotEmpty(place.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::parse(
            "[organization]\nid = \"did:web:a.example\"\nname = \"A\"\nseat = \"DE\"\nhosting = [\"DE\"]\npersonnel = [\"DE\"]\n",
            Path::new("x"),
        )
        .unwrap()
    }

    #[test]
    fn a_home_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("node");
        assert!(matches!(Home::open(&place), Err(HomeError::Missing(_))));
        let (home, root) = Home::prepare(&place, &settings()).unwrap();
        assert!(!place.exists());
        let home = home.finish(&place).unwrap();
        assert_eq!(home.settings().unwrap(), settings());
        assert_eq!(home.key(KeyPurpose::Root).unwrap().public(), root.public());
        assert!(matches!(
            Home::prepare(&place, &settings()),
            Err(HomeError::InUse(_))
        ));
        let keys = home.keys().unwrap();
        assert_ne!(keys.agreement.public(), keys.statement.public());
        let sealed_to = home.seal_key().unwrap().public();
        assert!(sealed_to.is_sound_for(KeyPurpose::Seal));
        // One key is no other: the file of each holds the kind that its purpose takes.
        let place = place.join("keys");
        std::fs::rename(place.join("witness.key"), place.join("kept")).unwrap();
        let told = home.keys().unwrap_err().to_string();
        let way_out = "witness.key` is missing; put it back from a backup";
        assert!(told.contains(way_out), "{told}");
        std::fs::copy(place.join("statement.key"), place.join("seal.key")).unwrap();
        let told = home.seal_key().unwrap_err().to_string();
        let way_out =
            "seal.key` holds no key; put it back from a backup, or convert it to PKCS #8 PEM";
        assert!(told.contains(way_out), "{told}");
    }

    #[test]
    fn a_folder_with_other_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter.txt"), "x").unwrap();
        assert!(matches!(
            Home::prepare(folder.path(), &settings()),
            Err(HomeError::NotEmpty(_))
        ));
        assert!(folder.path().join("letter.txt").exists());
    }

    #[test]
    fn a_home_without_its_settings_is_not_taken_for_empty() {
        for trace in TRACES {
            let folder = tempfile::tempdir().unwrap();
            let place = folder.path().join("node");
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join(trace), "").unwrap();
            let opened = Home::open(&place).unwrap_err();
            let made = Home::prepare(&place, &settings()).unwrap_err();
            for error in [opened, made] {
                assert!(
                    matches!(error, HomeError::NoSettings(_)),
                    "{trace}: {error}"
                );
                assert!(!error.to_string().contains("empty"), "{trace}: {error}");
                assert!(error.to_string().contains("backup"), "{trace}: {error}");
            }
            assert!(place.join(trace).exists());
        }
    }

    #[test]
    fn settings_that_cannot_be_read_are_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("node");
        let (home, _) = Home::prepare(&place, &settings()).unwrap();
        home.finish(&place).unwrap();
        std::fs::remove_file(place.join("node.toml")).unwrap();
        std::fs::create_dir(place.join("node.toml")).unwrap();
        let error = Home::open(&place).and_then(|home| home.settings());
        assert!(matches!(error, Err(HomeError::File { .. })), "{error:?}");
        let error = Home::prepare(&place, &settings());
        assert!(matches!(error, Err(HomeError::InUse(_))), "{error:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_home_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("node");
        let (home, _) = Home::prepare(&place, &settings()).unwrap();
        home.finish(&place).unwrap();
        let key = place.join("keys/statement.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Home::open(&place).unwrap_err();
        assert!(error.to_string().contains("chmod go-rwx"), "{error}");
    }
}
