//! How a command ends: exit codes, and one line that says what went wrong.

use crate::api::ClientError;
use crate::config::HomeError;
use crate::failure::{Failure, FailureKind};
use crate::node::OpenError;
use crate::service::ServiceError;
use crate::store::{DatabaseError, StoreError};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a command ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// It was asked wrongly.
    Usage = 2,
    /// The observation is not admissible for whom it was asked about.
    NotAdmissible = 3,
    /// A signature or a fingerprint is not what it has to be.
    Verification = 4,
    /// It is not there.
    NotFound = 5,
    /// The caller has no right to it.
    NotAuthorized = 6,
    /// It may work later (`EX_TEMPFAIL` of sysexits).
    TryAgain = 75,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Failed => Self::Failed,
            FailureKind::Usage => Self::Usage,
            FailureKind::Verification => Self::Verification,
            FailureKind::NotFound => Self::NotFound,
            FailureKind::NotAuthorized => Self::NotAuthorized,
            FailureKind::TryAgain => Self::TryAgain,
        }
    }
}

/// A command that did not do what it was asked: any command's own error, with its exit code.
#[derive(Debug)]
pub struct CommandError {
    exit: Exit,
    hint: Option<&'static str>,
    cause: Box<dyn Error + Send + Sync>,
}

impl CommandError {
    /// An error with the exit code it ends in.
    pub fn new(exit: Exit, cause: impl Error + Send + Sync + 'static) -> Self {
        Self {
            exit,
            hint: None,
            cause: Box::new(cause),
        }
    }

    /// Adds what to try, where the error itself cannot know.
    #[must_use]
    pub fn hinted(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint
    }

    /// Whether it is only that whoever read standard output has seen enough.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        self.cause
            .downcast_ref::<OutputError>()
            .is_some_and(|error| error.0.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// What went wrong, with all causes, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        one_line(self)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(formatter)
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// An error and its causes in one line without control characters.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = flat(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = flat(&error.to_string());
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Puts a message of several lines into one. Lines that quote a file behind a bar are left out: the message
/// names line and column besides.
fn flat(text: &str) -> String {
    let quotes = |line: &str| {
        line.trim_start_matches(|character: char| character.is_ascii_digit() || character == ' ')
            .starts_with('|')
    };
    let is_long = text.trim().contains('\n');
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_long || !quotes(line))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    super::table::shown(&lines.join(": "))
}

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output")]
pub(super) struct OutputError(#[source] pub(super) std::io::Error);

/// A file that was named cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("failed to read `{path}`")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("failed to write `{path}`")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{path}` cannot be written: there is no folder `{folder}`; make it first")]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("`{0}` cannot be written: it is a folder or a device, not a file; name another")]
    NotAFile(PathBuf),
}

impl FileError {
    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Write { path, source }
    }
}

/// What is in a file that was named cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use `{path}`")]
pub(super) struct ContentError {
    path: PathBuf,
    source: Box<dyn Error + Send + Sync>,
}

impl ContentError {
    pub(super) fn of<E: Error + Send + Sync + 'static>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        |source| Self {
            path,
            source: Box::new(source),
        }
    }
}

impl From<OutputError> for CommandError {
    fn from(error: OutputError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        let exit = match &error {
            FileError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            FileError::Read { .. }
            | FileError::Write { .. }
            | FileError::NoFolder { .. }
            | FileError::NotAFile(_) => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<ContentError> for CommandError {
    fn from(error: ContentError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind.into(), failure)
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Failed(failure) => failure.into(),
            ClientError::NotRunning | ClientError::Transport(_) => Self::new(Exit::TryAgain, error),
            ClientError::Endpoint(_) | ClientError::Answer(_) => Self::new(Exit::Failed, error),
        }
    }
}

impl From<HomeError> for CommandError {
    fn from(error: HomeError) -> Self {
        let exit = match &error {
            HomeError::Missing(_) => Exit::NotFound,
            HomeError::Permissions(_) => Exit::NotAuthorized,
            HomeError::InUse(_)
            | HomeError::NotEmpty(_)
            | HomeError::File { .. }
            | HomeError::Settings(_)
            | HomeError::Key { .. }
            | HomeError::Clock { .. }
            | HomeError::Randomness(_) => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Home(error) => error.into(),
            OpenError::Store(StoreError::Database(DatabaseError::InUse { .. })) => {
                Self::new(Exit::TryAgain, error)
                    .hinted("a node that is starting, or another command, has it open: try again")
            }
            OpenError::Clock(_) => Self::new(Exit::TryAgain, error),
            OpenError::Jurisdiction(_) | OpenError::Id(_) => Self::new(Exit::Usage, error),
            OpenError::Store(_) | OpenError::Governance(_) | OpenError::Organization { .. } => {
                Self::new(Exit::Failed, error)
            }
        }
    }
}

impl From<ServiceError> for CommandError {
    fn from(error: ServiceError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::FactsFile;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        let error = FactsFile::parse("source = \"a\"\nsauce = 1").unwrap_err();
        let line = one_line(&error);
        assert!(
            line.starts_with("failed to read the facts: TOML parse error at line 2, column 1: "),
            "{line}"
        );
        assert!(line.contains("unknown field `sauce`"), "{line}");
        assert!(!line.contains('\n') && !line.contains('|'), "{line}");
    }

    #[test]
    fn a_single_line_keeps_its_bars_and_loses_its_colours() {
        assert_eq!(flat("| a | \u{1b}[31mred"), "| a | \\u{1b}[31mred");
    }

    #[test]
    fn a_database_that_is_open_elsewhere_may_be_asked_again() {
        let in_use = DatabaseError::InUse { path: "db".into() };
        let error = CommandError::from(OpenError::Store(StoreError::Database(in_use)));
        assert_eq!(error.exit(), Exit::TryAgain);
        assert!(error.hint().unwrap().contains("try again"));
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(CommandError::from(OutputError(closed)).is_broken_pipe());
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(!CommandError::from(OutputError(full)).is_broken_pipe());
    }
}
