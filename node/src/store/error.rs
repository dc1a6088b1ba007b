//! How the store fails, and what may be done about it.

use super::{DatabaseError, JournalError, SealError, SlotError};
use crate::randomness::RandomnessError;
use std::path::{Path, PathBuf};

/// The store failed, or refused a commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "the store of `{0}` is in use; stop the node that has it open, or speak to it with the same --home"
    )]
    InUse(PathBuf),
    /// The database failed; the node stops.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The journal failed, or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The slot file failed, or a slot was erased.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// Sealed readings do not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An earlier error stopped the store.
    #[error("the store stopped after an earlier failure; start the node again")]
    Stopped,
    /// A full disk stopped the store.
    #[error(
        "the store stopped because no space is left on the disk that holds `{0}`; free space there, then start \
         the node again; until then --read-only shows and exports what is there"
    )]
    StoppedFull(PathBuf),
    /// Too little space is free to record anything.
    #[error(
        "too little space is free on the disk that holds `{0}`, or it takes no more files, so that nothing is recorded; free some \
         there, 40 MiB at least, and try again: what is there is shown and exported meanwhile"
    )]
    NoRoom(PathBuf),
    /// The writer has no thread.
    #[error(
        "the system gave no thread to the store; end other programs or raise the limit, then start again"
    )]
    Thread(#[source] std::io::Error),
    /// A record of the database that must be there is not, or cannot be read.
    #[error(
        "the database in `db` is damaged: {0}; stop the node and have it built again from the journal: `ambit store rebuild`. \
         Where that does not help, restore the home from the latest whole backup"
    )]
    Damaged(&'static str),
    /// A group of the journal is whole, but not one that this program wrote.
    #[error(
        "group {0} of the journal is not what a store wrote there; restore the home from the latest whole backup"
    )]
    Unreadable(u64),
    /// A part of a store that must be there is not.
    #[error(
        "`{0}` is missing, and with it a part of the ledger; restore the home from the latest whole backup; until then --read-only \
         shows and exports what can be read of it, if anything can"
    )]
    Missing(PathBuf),
    /// Something else is in the place of a part of a store.
    #[error(
        "`{0}` is no regular file, so that a part of the ledger is missing; put back what was there, or restore the home from the \
         latest whole backup"
    )]
    NoFile(PathBuf),
    /// The journal holds nothing.
    #[error(
        "`{0}` holds no group, and with it the whole ledger is missing; restore the home from the latest whole backup"
    )]
    Empty(PathBuf),
    /// The journal lost what was acknowledged.
    #[error(
        "the journal ends before {}, which the database in `db` holds; keep the home as it is, and restore it from the latest whole \
         backup elsewhere",
        groups(*from, *to)
    )]
    Lost {
        /// The first that is lost.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Written by a newer program.
    #[error("the store has version {0}, newer than this program; use the program that wrote it")]
    Newer(u32),
    /// Written by a program before the first release.
    #[error(
        "the store has version {0}, which this program no longer reads; keep the program that wrote it for this home, and its \
         `ambit-audit`, for which a bundle stays auditable"
    )]
    Older(u32),
    /// An entry larger than the ledger takes.
    #[error(
        "an entry of {0} bytes is larger than the {max} that a ledger takes; divide what it records, or leave a part out",
        max = ambit_ledger::ITEM_BYTES_MAX
    )]
    EntryTooLarge(usize),
    /// A statement that everybody would refuse, so that it is not signed.
    #[error("this node signs nothing that its peers must refuse")]
    Unsigned(#[from] ambit_ledger::StatementError),
    /// The system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// It was opened to be read only.
    #[error("nothing is recorded in a home that is only read: leave out --read-only")]
    ReadOnly,
}

fn groups(from: u64, to: u64) -> String {
    if from == to {
        format!("group {from}")
    } else {
        format!("groups {from} to {to}")
    }
}

impl StoreError {
    /// Whether sealed readings are lost, and nothing else is known to be.
    pub(crate) fn is_of_readings(&self) -> bool {
        matches!(
            self,
            Self::Damaged(_)
                | Self::Seal(_)
                | Self::Slot(SlotError::Erased(_) | SlotError::Cut { .. })
        )
    }

    /// Whether it leaves open what is on the disk, so that the store has to stop.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Journal(error) => error.is_final(),
            Self::Database(_)
            | Self::Slot(
                SlotError::File { .. } | SlotError::Full { .. } | SlotError::Stopped { .. },
            ) => true,
            Self::Slot(
                SlotError::Randomness(_)
                | SlotError::Erased(_)
                | SlotError::Cut { .. }
                | SlotError::Other { .. },
            )
            | Self::InUse(_)
            | Self::Seal(_)
            | Self::Stopped
            | Self::StoppedFull(_)
            | Self::NoRoom(_)
            | Self::Thread(_)
            | Self::Damaged(_)
            | Self::Unreadable(_)
            | Self::Missing(_)
            | Self::NoFile(_)
            | Self::Empty(_)
            | Self::Lost { .. }
            | Self::Newer(_)
            | Self::Older(_)
            | Self::EntryTooLarge(_)
            | Self::Unsigned(_)
            | Self::Randomness(_)
            | Self::ReadOnly => false,
        }
    }

    /// Whether another process has the store open, so that trying again may help.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(
            self,
            Self::InUse(_) | Self::Database(DatabaseError::InUse { .. })
        )
    }

    /// Whether its disk cannot be written to, or something of its journal is lost, so that what is there can be read all the same.
    #[must_use]
    pub fn can_be_read(&self) -> bool {
        let source = match self {
            Self::Journal(JournalError::Damaged(_)) | Self::Lost { .. } => return true,
            Self::Database(DatabaseError::Sync { source, .. })
            | Self::Slot(SlotError::File { source, .. }) => Some(source.kind()),
            Self::Journal(error) => error.kind(),
            _ => None,
        };
        source == Some(std::io::ErrorKind::ReadOnlyFilesystem)
    }

    /// Whether the database is not what it has to be, so that building it again is a way out.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) => error.is_damage(),
            Self::Damaged(_) => true,
            _ => false,
        }
    }

    /// What has no space left, where that is why.
    pub(super) fn full(&self) -> Option<&Path> {
        match self {
            Self::Database(DatabaseError::Full { path })
            | Self::Journal(JournalError::Full { path })
            | Self::Slot(SlotError::Full { path }) => Some(path),
            _ => None,
        }
    }
}
