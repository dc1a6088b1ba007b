//! The store: one sled tree and a slot file, committed in groups by one writer.
//!
//! ```text
//! Commit ─▶ writer: entries, sealed readings, indexes, then the head ─▶ fdatasync ─▶ Committed
//! ```
//!
//! The ledger is the truth, everything else here is found again from it. Nothing above the committed head
//! is ever read; opening takes back what a crash left there. The store must never acknowledge before the
//! sync, and never go on after an error: it may not know what is on the disk.

mod database;
#[cfg(test)]
pub(crate) mod faults;
mod group;
mod index;
mod keys;
mod packs;
mod prepare;
mod reader;
mod records;
mod recovery;
mod seal;
mod slots;
mod watermark;
mod writer;

pub use database::DatabaseError;
pub(crate) use index::UNTAKEN_CODES_MAX;
pub use keys::BoxKey;
pub use prepare::Prepared;
pub use reader::Recorded;
pub(crate) use reader::{own_acknowledgement, own_disclosure, own_observation};
pub use records::{AskedFor, Commit, Committed, Outbox, Write};
pub use seal::SealError;
pub use slots::SlotError;
pub use writer::Pending;

use crate::randomness::{Randomness, RandomnessError};
use ambit_ledger::{Digest, Salt, Time};
use database::Database;
use prepare::Allotment;
use records::{Head, Published};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slots::Slots;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use watermark::Watermark;

/// The store failed, or refused a commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed; the node stops.
    #[error(transparent)]
    Database(#[from] DatabaseError),
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
         the node again: before that it cannot open its database"
    )]
    StoppedFull(PathBuf),
    /// A record that must be there is not, or cannot be read.
    #[error("the store is damaged: {0}; restore the home from the latest whole backup")]
    Damaged(&'static str),
    /// A part of a store that must be there is not.
    #[error(
        "`{0}` is missing, and with it a part of the ledger; restore the home from the latest whole backup"
    )]
    Missing(PathBuf),
    /// The database lost entries that were acknowledged.
    #[error(
        "the database in `db` holds {size} entries of the {committed} that were committed; restore the home from the latest whole backup"
    )]
    Lost {
        /// How many are there.
        size: u64,
        /// How many were.
        committed: u64,
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
}

impl StoreError {
    /// Whether it leaves open what is on the disk, so that the store has to stop.
    fn is_final(&self) -> bool {
        match self {
            Self::Database(_)
            | Self::Slot(
                SlotError::File { .. } | SlotError::Full { .. } | SlotError::Stopped { .. },
            ) => true,
            Self::Slot(SlotError::Randomness(_) | SlotError::Erased(_) | SlotError::Cut { .. })
            | Self::Seal(_)
            | Self::Stopped
            | Self::StoppedFull(_)
            | Self::Damaged(_)
            | Self::Missing(_)
            | Self::Lost { .. }
            | Self::Newer(_)
            | Self::Older(_)
            | Self::EntryTooLarge(_)
            | Self::Unsigned(_)
            | Self::Randomness(_) => false,
        }
    }
}

/// Whether a process has the store in this home open: a copy of a home is not open because the original is, whatever files
/// were copied with it.
#[must_use]
pub fn is_open(home: &Path) -> bool {
    // Where it cannot be looked at, opening it says why.
    let Ok(file) = File::open(home.join("db").join("db")) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// A handle to the store. Clones share it. What can fail reads or writes the disk, and is kept off the async threads; what
/// cannot (where outboxes and inboxes stand, the last time, the incarnation) is in memory.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    writer: writer::Writer,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    allotment: Mutex<Allotment>,
    watermark: Mutex<Watermark>,
    published: RwLock<Published>,
    stopped: AtomicBool,
    /// What had no space left, where that stopped the store.
    full: OnceLock<PathBuf>,
}

impl Store {
    /// Opens the store in a node's home, or makes it, and takes back what a crash left above the head.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        Self::open_as(home, false)
    }

    /// Opens the store of a home that has a ledger: where a part of it is missing, nothing is made in its place.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn open_existing(home: &Path) -> Result<Self, StoreError> {
        let parts = ["db/conf", "db/db", "slots"].map(|part| home.join(part));
        if let Some(missing) = parts.into_iter().find(|part| !part.is_file()) {
            return Err(StoreError::Missing(missing));
        }
        Self::open_as(home, true)
    }

    fn open_as(home: &Path, must_exist: bool) -> Result<Self, StoreError> {
        let database = Database::open(&home.join("db"))?;
        let slots = Slots::open(&home.join("slots"))?;
        let head = match database.read(keys::HEAD)? {
            Some(bytes) => records::read_head(&bytes)?,
            None if must_exist => return Err(StoreError::Damaged("the head is missing")),
            None => first_head(&database)?,
        };
        let watermark = Watermark::open(&home.join("committed"), head.frontier.size())?;
        if must_exist {
            slots.check(head.slot)?;
        }
        let head = recovery::take_back(&database, head)?;
        let published = Published {
            outboxes: states(&database, &keys::outboxes())?,
            inboxes: states(&database, &keys::inboxes())?,
            head,
        };
        let shared = Arc::new(Shared {
            allotment: Mutex::new(Allotment::new(slots, published.head.slot)?),
            database,
            watermark: Mutex::new(watermark),
            published: RwLock::new(published),
            stopped: AtomicBool::new(false),
            full: OnceLock::new(),
        });
        let writer = writer::Writer::start(Arc::clone(&shared))?;
        Ok(Self { shared, writer })
    }

    /// Commits, and returns once it is on the disk.
    ///
    /// # Errors
    /// Any [`StoreError`]. Where the store stopped, the next start says whether it was committed; else nothing was.
    pub fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.submit(self.prepare(commit)?)?.wait()
    }

    /// Does what a commit takes before it has its place: seals, encodes, draws randomness.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn prepare(&self, commit: Commit) -> Result<Prepared, StoreError> {
        if self.is_stopped() {
            return Err(self.stop_reason());
        }
        let prepared = prepare::prepare(&self.shared.allotment, commit);
        if let Err(error) = &prepared
            && error.is_final()
        {
            self.shared.stop(error);
        }
        prepared
    }

    /// Hands a commit to the writer. It counts only once [`Pending::wait`] says so.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] or [`StoreError::StoppedFull`].
    pub fn submit(&self, commit: Prepared) -> Result<Pending, StoreError> {
        self.writer.submit(&self.shared, commit)
    }

    /// Whether an error stopped the store: every later commit fails.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.writer.is_stopped() || self.shared.is_stopped()
    }

    /// What every commit fails with once the store has stopped.
    #[must_use]
    pub fn stop_reason(&self) -> StoreError {
        self.shared.stop_reason()
    }

    /// How many entries are committed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.published().head.frontier.size()
    }

    /// Size and root of the tree over all committed entries.
    #[must_use]
    pub fn tree_head(&self) -> (u64, Digest) {
        let published = self.shared.published();
        let frontier = &published.head.frontier;
        (frontier.size(), frontier.root())
    }

    /// The time of the last entry.
    #[must_use]
    pub fn last_time(&self) -> Time {
        self.shared.published().head.time
    }

    /// Names this store: one that was lost and made anew is another.
    #[must_use]
    pub fn incarnation(&self) -> Salt {
        self.shared.published().head.incarnation
    }

    /// The keyed digest under which an import is remembered, so that the plain one is in no ledger.
    #[must_use]
    pub fn import_digest(&self, fingerprint: &Digest) -> Digest {
        let import_key = self.shared.published().head.import_key;
        Digest::of_parts(&[
            b"ambit import\0",
            import_key.as_bytes(),
            fingerprint.as_bytes(),
        ])
    }
}

impl Shared {
    fn note_committed(&self, size: u64) {
        let mut watermark = self
            .watermark
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        watermark.raise(size);
    }

    /// Takes note that the store stops, and why.
    fn stop(&self, error: &StoreError) {
        tracing::error!(error = error as &dyn std::error::Error, "the store stops");
        self.stopped.store(true, Ordering::Relaxed);
        if let StoreError::Database(DatabaseError::Full { path })
        | StoreError::Slot(SlotError::Full { path }) = error
        {
            // The first one says why.
            let _ = self.full.set(path.clone());
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn stop_reason(&self) -> StoreError {
        let full = self.full.get().cloned();
        full.map_or(StoreError::Stopped, StoreError::StoppedFull)
    }

    fn published(&self) -> RwLockReadGuard<'_, Published> {
        // A writer that panicked with the lock held left what was committed before.
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records of one kind of state, by the box they are of.
fn states<T: Serialize + DeserializeOwned>(
    database: &Database,
    prefix: &[u8],
) -> Result<BTreeMap<BoxKey, T>, StoreError> {
    let damaged = StoreError::Damaged("the state of a link cannot be read");
    let mut states = BTreeMap::new();
    for pair in database.scan(prefix) {
        let (key, value) = pair?;
        let (Some(key), Ok(state)) = (BoxKey::from_record(&key), ambit_ledger::decode(&value))
        else {
            return Err(damaged);
        };
        states.insert(key, state);
    }
    Ok(states)
}

fn first_head(database: &Database) -> Result<Head, StoreError> {
    let mut randomness = Randomness::default();
    let mut import_key = [0; 32];
    getrandom::fill(&mut import_key).map_err(RandomnessError::from)?;
    let head = Head {
        version: records::VERSION,
        frontier: ambit_ledger::Frontier::default(),
        time: Time::EARLIEST,
        slot: 0,
        incarnation: randomness.salt()?,
        import_key: Salt::from_bytes(import_key),
    };
    database.apply(vec![(
        keys::HEAD.to_vec(),
        Some(ambit_ledger::encode(&head)),
    )])?;
    database.sync()?;
    Ok(head)
}

#[cfg(test)]
mod tests;
