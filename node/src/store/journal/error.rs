//! How a journal fails, and what it says of what is damaged.

use super::layout::{GROUP_BYTES_MAX, Position, RECORD_BYTES_MAX};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The journal failed, or refused a group.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or the folder cannot be made, read, written or synced.
    #[error(
        "failed to use the journal file `{path}`; see to the disk and to who may use the file, then start again"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No space is left.
    #[error("no space is left on the disk that holds `{path}`; free space there, then start again")]
    Full {
        /// What did not fit.
        path: PathBuf,
    },
    /// An earlier error was final.
    #[error("the journal `{folder}` takes nothing more after an earlier failure; start again")]
    Stopped {
        /// Its folder.
        folder: PathBuf,
    },
    /// What was there cannot be read any more.
    #[error(
        "the journal is damaged: {0}; restore the home from the latest whole backup. `ambit store check` says what else is"
    )]
    Damaged(Damage),
    /// There is no segment at all.
    #[error(
        "`{0}` holds no journal; restore the home from the latest whole backup where it held one"
    )]
    NotThere(PathBuf),
    /// There is one already.
    #[error("`{0}` already holds a journal; open it instead of making another")]
    AlreadyThere(PathBuf),
    /// A position that is not in this journal.
    #[error(
        "the journal `{folder}` holds nothing at byte {offset} of segment {segment}; read it from its start",
        offset = .position.offset,
        segment = .position.segment
    )]
    Unknown {
        /// Its folder.
        folder: PathBuf,
        /// What was asked for.
        position: Position,
    },
    /// Written by a newer program.
    #[error(
        "the journal file `{path}` has version {version}, newer than this program; use the program that wrote it"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A record larger than the journal takes.
    #[error(
        "a record of {0} bytes is larger than the {RECORD_BYTES_MAX} that the journal takes; divide it"
    )]
    RecordTooLarge(usize),
    /// A group larger than the journal takes.
    #[error(
        "a group of {0} bytes is larger than the {GROUP_BYTES_MAX} that the journal takes; commit it in parts"
    )]
    GroupTooLarge(usize),
    /// No more segments can be numbered.
    #[error("the journal `{0}` has as many segments as it can have; begin a new home")]
    Exhausted(PathBuf),
    /// The system gave no randomness.
    #[error(
        "the system gave no randomness for a new journal file; let the node use getrandom(2) or /dev/urandom, then try again"
    )]
    Randomness(#[source] getrandom::Error),
}

impl JournalError {
    /// Whether the journal takes nothing more after it.
    pub(in crate::store) fn is_final(&self) -> bool {
        !matches!(self, Self::RecordTooLarge(_) | Self::GroupTooLarge(_))
    }

    /// What the system says is the matter, where it is the system.
    pub(in crate::store) fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::File { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::File { path, source },
        }
    }
}

/// What is damaged, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment file.
    pub segment: PathBuf,
    /// The first of its bytes that cannot be read.
    pub offset: u64,
    /// The groups that are lost: up to the next one that is found or, where none is, up to the last of which it is known that it
    /// was there. Empty where none is known to be lost.
    pub groups: Range<u64>,
    /// What is the matter.
    pub cause: Cause,
}

/// What is the matter with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The file is not there.
    Missing,
    /// Its header cannot be read.
    Header,
    /// It is a segment of another number, another journal, or another course of this one.
    Foreign,
    /// The file is shorter than it was made.
    Cut,
    /// A record cannot be read.
    Record,
    /// It ends before groups that were acknowledged.
    Lost,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, offset) = (self.segment.display(), self.offset);
        match self.cause {
            Cause::Missing => write!(formatter, "`{path}` is missing"),
            Cause::Header => write!(formatter, "the header of `{path}` cannot be read"),
            Cause::Foreign => write!(formatter, "`{path}` is no part of this journal"),
            Cause::Cut => write!(formatter, "`{path}` is cut off at byte {offset}"),
            Cause::Record => write!(formatter, "`{path}` cannot be read at byte {offset}"),
            Cause::Lost => write!(
                formatter,
                "`{path}` holds nothing from byte {offset} on, where acknowledged groups were"
            ),
        }?;
        let Range { start, end } = self.groups;
        match end.saturating_sub(start) {
            0 => Ok(()),
            1 => write!(formatter, ", and with it group {start}"),
            _ => write!(formatter, ", and with it groups {start} to {}", end - 1),
        }
    }
}
