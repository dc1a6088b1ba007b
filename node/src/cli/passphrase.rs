//! Passphrases: asked for at the terminal, where nothing of what is typed is shown, or read from a file. Never an argument and never
//! taken from the environment, which the shell's history and other users of the machine see.

use super::files::{FileError, TerminalError};
use super::prompt::is_interactive;
use crate::config::{LockedKey, Passphrase, PassphraseError, PassphraseRefused};
use crate::failure::{Failure, FailureKind};
use crate::platform::{check_private, shell_path};
use ambit_ledger::SecretKey;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How often a person may mistype.
const ATTEMPTS: usize = 3;
/// More than the longest passphrase and the end of its line.
const FILE_BYTES_MAX: usize = 2_048;

/// No passphrase was given, or not the right one.
#[derive(Debug, thiserror::Error)]
enum AskedError {
    #[error(
        "nobody can be asked for the passphrase of `{file}` here; give {option} FILE, a file that only you may read and whose one line \
         it is"
    )]
    Nobody { file: PathBuf, option: &'static str },
    #[error(
        "nobody can be asked for a passphrase for `{file}` here; give {option} FILE, a file that only you may read and whose one line \
         it is, or --no-passphrase"
    )]
    NobodyChooses { file: PathBuf, option: &'static str },
    #[error("the passphrase and its repetition differ; nothing was written: try again")]
    Differ,
    #[error("failed to open `{file}`")]
    Refused {
        file: PathBuf,
        source: PassphraseRefused,
    },
    #[error("failed to use the passphrase in `{file}`")]
    Content {
        file: PathBuf,
        source: PassphraseError,
    },
    #[error("failed to use what was typed")]
    Typed(#[source] PassphraseError),
    #[error(
        "others may read `{}`; run `chmod go-rwx {}`, and choose another passphrase if it may have been read",
        .0.display(), shell_path(.0)
    )]
    NotPrivate(PathBuf),
}

impl From<AskedError> for Failure {
    fn from(error: AskedError) -> Self {
        let kind = match error {
            AskedError::Nobody { .. } | AskedError::NobodyChooses { .. } => FailureKind::Usage,
            AskedError::Differ | AskedError::Content { .. } | AskedError::Typed(_) => {
                FailureKind::Failed
            }
            AskedError::Refused { .. } | AskedError::NotPrivate(_) => FailureKind::NotAuthorized,
        };
        Self::new(kind, &error)
    }
}

/// Where a passphrase comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassphraseSource<'a> {
    /// A file that was named.
    pub(super) file: Option<&'a Path>,
    /// The option that names one.
    pub(super) option: &'static str,
}

impl PassphraseSource<'_> {
    /// Opens a key that lies in a file.
    pub(super) fn unlock(self, locked: &LockedKey, of: &Path) -> Result<SecretKey, Failure> {
        let refused = |source| {
            let file = of.to_owned();
            AskedError::Refused { file, source }
        };
        if let Some(file) = self.file {
            return Ok(locked.open(&read(file)?).map_err(refused)?);
        }
        if !is_interactive() {
            let (file, option) = (of.to_owned(), self.option);
            return Err(AskedError::Nobody { file, option }.into());
        }
        let question = format!("Passphrase of {}: ", of.display());
        let mut last = PassphraseRefused;
        for _ in 0..ATTEMPTS {
            match locked.open(&typed(&question)?) {
                Ok(key) => return Ok(key),
                Err(error) => last = error,
            }
        }
        Err(refused(last).into())
    }

    /// Has one chosen for a key that is to be put under it.
    pub(super) fn choose(self, to: &Path) -> Result<Passphrase, Failure> {
        if let Some(file) = self.file {
            let passphrase = read(file)?;
            passphrase.check_new().map_err(content(file))?;
            return Ok(passphrase);
        }
        if !is_interactive() {
            let (file, option) = (to.to_owned(), self.option);
            return Err(AskedError::NobodyChooses { file, option }.into());
        }
        let passphrase = typed(&format!("A passphrase for {}: ", to.display()))?;
        passphrase.check_new().map_err(AskedError::Typed)?;
        if !passphrase.is(&typed("The same again: ")?) {
            return Err(AskedError::Differ.into());
        }
        Ok(passphrase)
    }
}

fn typed(question: &str) -> Result<Passphrase, Failure> {
    let text = rpassword::prompt_password(question).map_err(TerminalError)?;
    Ok(Passphrase::new(Zeroizing::new(text)).map_err(AskedError::Typed)?)
}

fn content(file: &Path) -> impl FnOnce(PassphraseError) -> AskedError {
    let file = file.to_owned();
    |source| AskedError::Content { file, source }
}

/// Reads the one line of a file, which may be the pipe that a program for passphrases writes to.
fn read(path: &Path) -> Result<Passphrase, Failure> {
    if path.is_file() && !check_private(path).map_err(FileError::read(path))? {
        return Err(AskedError::NotPrivate(path.to_owned()).into());
    }
    let file = File::open(path).map_err(FileError::read(path))?;
    // As large as it may become: what grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
    file.take(FILE_BYTES_MAX as u64)
        .read_to_end(&mut bytes)
        .map_err(FileError::read(path))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| std::io::Error::other("it is no UTF-8 text"))
        .map_err(FileError::read(path))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Passphrase::new(Zeroizing::new(line.to_owned())).map_err(content(path))?)
}
