//! The root key's file in a home: read, taken out, put back. The root certifies all other keys, so that it is better kept where
//! no node runs.

use super::home::{Home, HomeError, is_there, unusable};
use super::locked_key::{KeyFile, LockedKey, LockedKeyError};
use crate::failure::{Failure, FailureKind};
use crate::platform::{file_number, read_text, remove_overwritten, sync_folder, write_private};
use ambit_ledger::{Fingerprint, KeyPurpose, SecretKey};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A file holds no root key that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RootFileError {
    /// It cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no key in it.
    #[error(
        "`{path}` holds no root key that can be read here; name the file that does, or put it back from a backup"
    )]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: LockedKeyError,
    },
    /// There is another key in it.
    #[error(
        "`{path}` holds another key than the root of this node: its fingerprint is {found}, that of the root {root}; name the \
         file that holds this one"
    )]
    Other {
        /// Which.
        path: PathBuf,
        /// What is in it.
        found: Fingerprint,
        /// What this node was opened with.
        root: Fingerprint,
    },
    /// None is in the home.
    #[error("`{0}` is not there: the root key is kept out of this home")]
    Absent(PathBuf),
    /// What is to be the copy goes with the home, or is what is to be removed.
    #[error(
        "`{0}` lies in the home itself, or is another name of the file there; nothing was changed: name a copy that lies elsewhere, \
         which `ambit key root export -o FILE` makes"
    )]
    NoCopy(PathBuf),
}

impl From<RootFileError> for Failure {
    fn from(error: RootFileError) -> Self {
        let kind = match &error {
            RootFileError::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
                FailureKind::NotFound
            }
            RootFileError::Absent(_) => FailureKind::NotFound,
            RootFileError::Read { .. } | RootFileError::Content { .. } => FailureKind::Failed,
            RootFileError::Other { .. } => FailureKind::Verification,
            RootFileError::NoCopy(_) => FailureKind::Usage,
        };
        Self::new(kind, &error)
    }
}

/// A root key in a file, of which was shown that it opens and is the root that it has to be.
#[derive(Debug)]
pub struct ProvedRoot {
    path: PathBuf,
    key: SecretKey,
    /// As it is in the file, where it is under a passphrase.
    locked: Option<LockedKey>,
}

impl ProvedRoot {
    /// Reads the root key from a file, wherever it is kept. `unlock` opens it where it is under a passphrase.
    ///
    /// # Errors
    /// [`RootFileError`], and what `unlock` says.
    pub fn prove(
        path: &Path,
        root: Fingerprint,
        unlock: impl FnOnce(&LockedKey) -> Result<SecretKey, Failure>,
    ) -> Result<Self, Failure> {
        let (key, locked) = match read_root_file(path)? {
            KeyFile::Open(key) => (key, None),
            KeyFile::Locked(locked) => (unlock(&locked)?, Some(locked)),
        };
        let found = key.public().fingerprint();
        if found != root {
            let path = path.to_owned();
            return Err(RootFileError::Other { path, found, root }.into());
        }
        Ok(Self {
            path: path.to_owned(),
            key,
            locked,
        })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Whether the file is of use only with a passphrase.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked.is_some()
    }
}

/// Reads a file of a root key, wherever it is kept.
///
/// # Errors
/// Any [`RootFileError`].
pub fn read_root_file(path: &Path) -> Result<KeyFile, RootFileError> {
    let text = read_text(path).map_err(|source| RootFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    KeyFile::parse(&Zeroizing::new(text)).map_err(|source| RootFileError::Content {
        path: path.to_owned(),
        source,
    })
}

impl Home {
    /// Where the root key is, where it is in the home.
    #[must_use]
    pub fn root_path(&self) -> PathBuf {
        self.key_path(KeyPurpose::Root)
    }

    /// Whether a file of the root key is in the home, whatever it holds.
    ///
    /// # Errors
    /// [`HomeError::File`].
    pub fn has_root(&self) -> Result<bool, HomeError> {
        is_there(&self.root_path())
    }

    /// Takes the root key out, where a copy outside was proved. Says whether its bytes were overwritten.
    ///
    /// # Errors
    /// [`RootFileError::NoCopy`], [`RootFileError::Absent`] or [`HomeError::File`].
    pub fn remove_root(&self, copy: &ProvedRoot) -> Result<bool, Failure> {
        let path = self.root_path();
        if !self.has_root()? {
            return Err(RootFileError::Absent(path).into());
        }
        if !self.is_outside(&copy.path)? {
            return Err(RootFileError::NoCopy(copy.path.clone()).into());
        }
        self.remove_unfinished_root()?;
        let is_overwritten = remove_overwritten(&path).map_err(unusable(&path))?;
        self.sync_keys()?;
        Ok(is_overwritten)
    }

    /// Puts the root key in, as it is in its file, in the place of one that may be there.
    ///
    /// # Errors
    /// [`RootFileError::NoCopy`] or [`HomeError::File`].
    pub fn put_root(&self, copy: &ProvedRoot) -> Result<(), Failure> {
        let (path, new) = (self.root_path(), self.unfinished_root_path());
        if !self.is_outside(&copy.path)? {
            return Err(RootFileError::NoCopy(copy.path.clone()).into());
        }
        let pem = match &copy.locked {
            None => copy.key.to_pem(),
            Some(locked) => locked.to_pem().map_err(|source| {
                let path = copy.path.clone();
                RootFileError::Content { path, source }
            })?,
        };
        self.remove_unfinished_root()?;
        write_private(&new, pem.as_bytes()).map_err(unusable(&new))?;
        // What was there, without a passphrase perhaps, must not lie in free blocks of the disk.
        if self.has_root()? {
            remove_overwritten(&path).map_err(unusable(&path))?;
        }
        std::fs::rename(&new, &path).map_err(unusable(&path))?;
        self.sync_keys()?;
        Ok(())
    }

    /// Whether a file outlives what is done to the one in the home, and to the home.
    fn is_outside(&self, copy: &Path) -> Result<bool, HomeError> {
        let whole = |path: &Path| std::fs::canonicalize(path).map_err(unusable(path));
        if whole(copy)?.starts_with(whole(self.path())?) {
            return Ok(false);
        }
        // A link that leads nowhere is no file with another name.
        let number = |path: &Path| {
            let found = std::fs::metadata(path).ok()?;
            file_number(&found)
        };
        let own = number(&self.root_path());
        Ok(own.is_none() || own != number(copy))
    }

    fn unfinished_root_path(&self) -> PathBuf {
        self.root_path().with_extension("new")
    }

    /// One that a stop left.
    fn remove_unfinished_root(&self) -> Result<(), HomeError> {
        let path = self.unfinished_root_path();
        if is_there(&path)? {
            remove_overwritten(&path).map_err(unusable(&path))?;
        }
        Ok(())
    }

    fn sync_keys(&self) -> Result<(), HomeError> {
        let keys = self.path().join("keys");
        sync_folder(&keys).map_err(unusable(&keys))
    }
}
