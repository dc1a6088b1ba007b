//! `ambit key root`: the root key, which certifies all others, is brought to where no node runs, and back.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::files::FileError;
use super::super::output::{Format, OutputOption, SecretFile, note};
use super::super::passphrase::PassphraseSource;
use super::super::table::pairs;
use crate::config::{Home, LockedKey, LockedKeyError, Passphrase, ProvedRoot, RootFileError};
use crate::failure::{Failure, FailureKind};
use crate::holding::GetRoot;
use crate::platform::{check_private, shell_path};
use crate::randomness::{Randomness, RandomnessError};
use ambit_ledger::{Fingerprint, SecretKey};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What to do with the root key.
#[derive(Clone, Debug, Subcommand)]
pub enum RootCommand {
    /// Write the root key to a new file, under a passphrase that is asked for, to be kept where no node runs
    #[command(after_long_help = EXPORT_EXAMPLE)]
    Export(RootExportArguments),
    /// Take the root key out of the home, once a copy of it was opened
    #[command(after_long_help = WHY)]
    Remove(RootRemoveArguments),
    /// Put the root key into the home, as it is in a file, in the place of one that is there
    Use(RootUseArguments),
}

const EXPORT_EXAMPLE: &str = "\
The file is PKCS #8 in PEM, under a passphrase by scrypt and AES-256, which OpenSSL reads too. Example, with a copy on a
medium that is kept in a safe, and the key taken out of the home once that copy was opened:
  ambit key root export -o /media/stick/root.key
  ambit key root remove --copy /media/stick/root.key";

const WHY: &str = "\
The root certifies all other keys of this node, and partners compare its fingerprint: whoever has it is the organization.
A node that runs does not need it, so keep it where no node runs: two copies, in two places, with their passphrase
elsewhere. What is lost is lost: nobody can make it again, and without it no other key can ever be certified for this
organization. Copies of the home that were made before, such as backups, hold the key still.";

/// Where the root key is to be written, and under which passphrase.
#[derive(Clone, Debug, Args)]
pub struct RootExportArguments {
    /// The file to write; one that is there is never replaced
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: PathBuf,
    /// A file whose one line is the passphrase for the new file, of at least 12 characters; asked for, twice, where not given
    #[arg(long, value_name = "FILE", conflicts_with = "no_passphrase")]
    pub passphrase_file: Option<PathBuf>,
    /// Write the key as it is: whoever reads the file has it
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub root: RootOptions,
    #[command(flatten)]
    pub output: OutputOption,
}

/// Where the root key is that a command needs.
#[derive(Clone, Debug, Args)]
pub struct RootOptions {
    /// The file that the root key is kept in; the one in the home where not given
    #[arg(long, value_name = "FILE")]
    pub root_key: Option<PathBuf>,
    /// A file whose one line is the passphrase that the root key is under; asked for where not given
    #[arg(long, value_name = "FILE")]
    pub root_passphrase_file: Option<PathBuf>,
}

/// What proves that the root key is kept elsewhere.
#[derive(Clone, Debug, Args)]
pub struct RootRemoveArguments {
    /// The copy that is kept, outside the home; it is opened first
    #[arg(long, value_name = "FILE")]
    pub copy: PathBuf,
    /// A file whose one line is the copy's passphrase; asked for where not given
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputOption,
}

/// What to put into the home.
#[derive(Clone, Debug, Args)]
pub struct RootUseArguments {
    /// The file that the root key is kept in; one under a passphrase stays under it
    pub file: PathBuf,
    /// A file whose one line is its passphrase; asked for where not given
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputOption,
}

impl RootCommand {
    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        let (Self::Export(RootExportArguments { output, .. })
        | Self::Remove(RootRemoveArguments { output, .. })
        | Self::Use(RootUseArguments { output, .. })) = self;
        output.output
    }

    /// Whether it leaves the home as it is.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Self::Export(_))
    }
}

/// The key cannot be put under a passphrase.
#[derive(Debug, thiserror::Error)]
enum LockError {
    #[error("failed to put the key under a passphrase")]
    Key(#[from] LockedKeyError),
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::new(FailureKind::Failed, &error)
    }
}

#[derive(Debug, Serialize)]
struct Kept {
    root_key: Fingerprint,
    file: PathBuf,
    /// Whether the file is of use only with a passphrase.
    passphrase: bool,
}

pub(super) fn root(home: &Path, command: &RootCommand) -> Result<Exit, Failure> {
    match command {
        RootCommand::Export(arguments) => export(home, arguments),
        RootCommand::Remove(arguments) => remove(home, arguments),
        RootCommand::Use(arguments) => put(home, arguments),
    }
}

fn export(place: &Path, arguments: &RootExportArguments) -> Result<Exit, Failure> {
    let out = &arguments.out;
    // Before anybody types; and it is not there while somebody does, who may think better of it.
    drop(SecretFile::create(out)?);
    let home = Home::open(place)?;
    let root = Backend::open(place)?.ask(GetRoot {})?;
    let proved = arguments.root.prove(&home, root)?;
    let pem = if arguments.no_passphrase {
        proved.key().to_pem()
    } else {
        let source = PassphraseSource {
            file: arguments.passphrase_file.as_deref(),
            option: "--passphrase-file",
        };
        lock(proved.key(), &source.choose(out)?)?
    };
    SecretFile::create(out)?.finish(pem.as_bytes())?;
    let kept = Kept {
        root_key: root,
        file: out.clone(),
        passphrase: !arguments.no_passphrase,
    };
    arguments.output.print(&kept, kept_text)?;
    if !check_private(out).map_err(FileError::read(out))? {
        note(format!(
            "others may read `{}`: its file system keeps no permissions",
            out.display()
        ));
    }
    if arguments.root.root_key.is_none() {
        note(format!(
            "the root key is in the home still; once the copy is where it is kept: `ambit key root remove --copy {}`",
            shell_path(out)
        ));
    }
    Ok(Exit::Done)
}

fn remove(place: &Path, arguments: &RootRemoveArguments) -> Result<Exit, Failure> {
    let home = Home::open(place)?;
    let root = Backend::open(place)?.ask(GetRoot {})?;
    if !home.has_root()? {
        return Err(RootFileError::Absent(home.root_path()).into());
    }
    let copy = prove(&arguments.copy, root, arguments.passphrase_file.as_deref())?;
    let is_overwritten = home.remove_root(&copy)?;
    let kept = Kept {
        root_key: root,
        file: arguments.copy.clone(),
        passphrase: copy.is_locked(),
    };
    arguments.output.print(&kept, kept_text)?;
    note(
        "the root key is out of this home, and the copy opens. It certifies all other keys of this node: whoever has it is the \
         organization. The node runs without it; only what certifies a key needs it: `ambit key root use FILE` puts it back",
    );
    note(
        "nobody can make it again: keep a second copy in another place, and what opens them in a third; copies of this home that \
         were made before, such as backups, hold it still",
    );
    if !is_overwritten {
        note(
            "its bytes were not overwritten: the file had another name, was a link, or could not be written to",
        );
    }
    if !copy.is_locked() {
        note(
            "the copy is under no passphrase; `ambit key root export --root-key FILE -o NEW` writes one that is",
        );
    }
    Ok(Exit::Done)
}

fn put(place: &Path, arguments: &RootUseArguments) -> Result<Exit, Failure> {
    let home = Home::open(place)?;
    let root = Backend::open(place)?.ask(GetRoot {})?;
    let copy = prove(&arguments.file, root, arguments.passphrase_file.as_deref())?;
    home.put_root(&copy)?;
    let kept = Kept {
        root_key: root,
        file: home.root_path(),
        passphrase: copy.is_locked(),
    };
    arguments.output.print(&kept, kept_text)?;
    note(format!(
        "take it out again once it is not needed: `ambit key root remove --copy {}`",
        shell_path(&arguments.file)
    ));
    Ok(Exit::Done)
}

fn prove(
    file: &Path,
    root: Fingerprint,
    passphrase_file: Option<&Path>,
) -> Result<ProvedRoot, Failure> {
    let source = PassphraseSource {
        file: passphrase_file,
        option: "--passphrase-file",
    };
    ProvedRoot::prove(file, root, |locked| source.unlock(locked, file))
}

impl RootOptions {
    /// The root key, from the file that was named or from the home.
    fn prove(&self, home: &Home, root: Fingerprint) -> Result<ProvedRoot, Failure> {
        let path = match &self.root_key {
            Some(path) => path.clone(),
            None if home.has_root()? => home.root_path(),
            None => {
                let absent = Failure::from(RootFileError::Absent(home.root_path()));
                return Err(absent.hinted("name the file that it is kept in with --root-key FILE"));
            }
        };
        let source = PassphraseSource {
            file: self.root_passphrase_file.as_deref(),
            option: "--root-passphrase-file",
        };
        ProvedRoot::prove(&path, root, |locked| source.unlock(locked, &path))
    }
}

fn lock(key: &SecretKey, passphrase: &Passphrase) -> Result<Zeroizing<String>, LockError> {
    let mut randomness = Randomness::default();
    let random = [randomness.take()?, randomness.take()?];
    Ok(LockedKey::lock(key, passphrase, random)?.to_pem()?)
}

fn kept_text(kept: &Kept) -> String {
    let passphrase = if kept.passphrase { "yes" } else { "no" };
    pairs([
        ("root key", kept.root_key.to_string()),
        ("file", kept.file.display().to_string()),
        ("under a passphrase", passphrase.to_owned()),
    ])
}
