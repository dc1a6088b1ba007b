//! What can go wrong with files that are named, and with standard output.

use super::input::FileKind;
use crate::failure::{Failure, FailureKind};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output")]
pub(super) struct OutputError(#[source] pub(super) std::io::Error);

/// Nobody can be asked at the terminal.
#[derive(Debug, thiserror::Error)]
#[error("failed to ask at the terminal")]
pub(super) struct TerminalError(#[source] pub(super) std::io::Error);

/// A file that was named cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("failed to read `{path}`")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "`{path}` is longer than the {} MiB that {} may have; take away what does not belong to it, or name another file",
        kind.mebibytes_max(), kind.noun()
    )]
    TooLong { path: PathBuf, kind: FileKind },
    #[error("failed to write `{path}`")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{path}` cannot be written: there is no folder `{folder}`; make it first")]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("`{0}` cannot be written: it is a folder or a device, not a file; name another")]
    NotAFile(PathBuf),
    #[error("`{0}` is there already, and no key is ever written over; name another file")]
    Exists(PathBuf),
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

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        let kind = match error.0.kind() {
            std::io::ErrorKind::BrokenPipe => FailureKind::Gone,
            _ => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

impl From<TerminalError> for Failure {
    fn from(error: TerminalError) -> Self {
        Self::new(FailureKind::Failed, &error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let kind = match &error {
            FileError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                FailureKind::NotFound
            }
            FileError::Read { .. }
            | FileError::TooLong { .. }
            | FileError::Write { .. }
            | FileError::NoFolder { .. }
            | FileError::NotAFile(_)
            | FileError::Exists(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

impl From<ContentError> for Failure {
    fn from(error: ContentError) -> Self {
        Self::new(FailureKind::Failed, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_apart() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::from(OutputError(closed)).kind, FailureKind::Gone);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Failure::from(OutputError(full)).kind, FailureKind::Failed);
    }
}
