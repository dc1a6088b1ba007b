//! The store: a journal, the sled tree behind it, and a slot file, committed in groups by one writer.
//!
//! ```text
//! Commit ─▶ writer: entries, sealed readings, states, head ─▶ journal ─▶ fdatasync ─▶ database ─▶ Committed
//! ```
//!
//! The ledger is the truth, and it lies in the journal; everything is read from the database, which is built again from the
//! journal where it cannot be relied on. Nothing above the committed head is ever read. The store must never acknowledge
//! before the sync, and never go on after an error: it may not know what is on the disk.

mod agreeing;
mod beginning;
mod boxes;
mod check;
mod database;
mod error;
#[cfg(test)]
pub(crate) mod faults;
mod finding;
mod group;
mod held_record;
mod index;
mod index_key;
mod journal;
mod kept;
mod keys;
mod left;
mod lists;
mod lock;
mod opening;
mod packing;
mod packs;
mod parts;
mod places;
mod prepare;
mod read_only;
mod reader;
mod records;
mod replay;
mod reserve;
mod seal;
mod slots;
mod watermark;
mod writer;

pub use check::{Checked, Deep, Rebuilt, check, rebuild};
pub use database::{CACHE_BYTES, DatabaseError};
pub use error::StoreError;
pub use finding::FactValue;
pub(crate) use index::UNTAKEN_CODES_MAX;
pub use journal::{Damage, JournalError};
pub use keys::BoxKey;
pub use lists::{Direction, LatestReading, Wanted};
pub use lock::is_open;
pub use opening::Progress;
pub use places::Sizes;
pub use prepare::Prepared;
pub use reader::Recorded;
pub(crate) use reader::{own_acknowledgement, own_disclosure, own_observation};
pub use records::{AskedFor, Commit, Committed, Outbox, Write};
pub use seal::SealError;
pub use slots::SlotError;
pub use writer::Pending;

use ambit_ledger::{Digest, Salt, Time};
use database::Database;
use index_key::IndexKey;
use left::{Left, Notice};
use lock::Lock;
use opening::{Opened, Way};
use prepare::Allotment;
use records::{Head, Published};
use replay::Keys;
use reserve::Room;
use serde::Serialize;
use serde::de::DeserializeOwned;
use slots::Slots;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use writer::Tail;

/// A handle to the store. Clones share it. What can fail reads or writes the disk, and is kept off the async threads; what
/// cannot (where outboxes and inboxes stand, the last time, the incarnation) is in memory.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// None where the store is only read.
    writer: Option<writer::Writer>,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    /// None where the store is only read, and its database is of no use to others.
    notice: Option<Mutex<Notice>>,
    allotment: Mutex<Allotment>,
    index_key: IndexKey,
    published: RwLock<Published>,
    /// Held while a group that is committed is on its way into the database.
    applying: Mutex<()>,
    stopped: AtomicBool,
    /// What had no space left, where that stopped the store.
    full: OnceLock<PathBuf>,
    /// Absent where nothing is recorded.
    room: Option<Room>,
    /// Dropped last: what keeps others from the home, or the folder of a database that nobody else reads.
    _place: Place,
}

/// Where a store is open.
#[derive(Debug)]
enum Place {
    /// In its home.
    Home { _lock: Lock },
    /// In a folder that goes with it.
    Aside { _aside: read_only::Aside },
}

impl Store {
    /// Opens the store in a node's home, or makes it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        Self::open_as(home, Way::Make)
    }

    /// Opens the store of a home that has a ledger: where a part of it is missing that cannot be built again, nothing is made
    /// in its place.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn open_existing(home: &Path) -> Result<Self, StoreError> {
        Self::open_as(home, Way::Existing)
    }

    fn open_as(home: &Path, way: Way) -> Result<Self, StoreError> {
        // Nothing is left behind where there is no store.
        opening::check_there(home, way)?;
        let lock = Lock::take(home)?;
        Ok(Self::open_locked(home, lock, way, &|_| {})?.0)
    }

    /// Also says whether the database had to be built again.
    fn open_locked(
        home: &Path,
        lock: Lock,
        way: Way,
        told: &dyn Fn(Progress),
    ) -> Result<(Self, bool), StoreError> {
        let slots = RefCell::new(Slots::open(&home.join("slots"))?);
        let index_key = IndexKey::open(home)?;
        let keys = Keys {
            index: &index_key,
            open: &|block, id| {
                reader::open_block(block, id, |slot| slots.borrow_mut().used_key(slot))
            },
        };
        // However full the disk is, what is there can be read.
        reserve::make_way(home)?;
        let open = || match opening::open(home, way, keys, told) {
            Err(error) if error.full().is_some() && reserve::give_up(home) => {
                opening::open(home, way, keys, told)
            }
            opened => opened,
        };
        let mut opened = open()?;
        let begin = |opened: &Opened| {
            slots.borrow().check(opened.head.slot)?;
            let begun = start_of(&opened.database, opened.head.clone())?;
            reader::check_keys(&opened.database, &mut slots.borrow_mut())?;
            Ok::<_, StoreError>(begun)
        };
        let published = match begin(&opened) {
            Err(error) if error.is_damage() && !opened.was_built_again => {
                opened.notice.unfit()?;
                drop(opened);
                opened = open()?;
                begin(&opened)
            }
            begun => begun,
        };
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                opened.put_back();
                return Err(error);
            }
        };
        let Opened {
            journal,
            watermark,
            database,
            notice,
            applied,
            left,
            was_built_again,
            ..
        } = opened;
        let is_doubtful = left != Left::Closed;
        let shared = Arc::new(Shared {
            allotment: Mutex::new(Allotment::new(
                slots.into_inner(),
                published.head.slot,
                is_doubtful,
            )),
            index_key,
            database,
            notice: Some(Mutex::new(notice)),
            published: RwLock::new(published),
            applying: Mutex::new(()),
            stopped: AtomicBool::new(false),
            full: OnceLock::new(),
            room: Some(Room::of(home)),
            _place: Place::Home { _lock: lock },
        });
        let tail = Tail {
            journal,
            watermark,
            applied,
        };
        let writer = Some(writer::Writer::start(Arc::clone(&shared), tail)?);
        Ok((Self { shared, writer }, was_built_again))
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
        if self.writer.is_none() {
            return Err(StoreError::ReadOnly);
        }
        if self.is_stopped() {
            return Err(self.stop_reason());
        }
        if let Some(room) = &self.shared.room
            && !room.is_there_to_record()
        {
            return Err(self.no_room());
        }
        let prepared = prepare::prepare(&self.shared.allotment, &self.shared.index_key, commit);
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
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        writer.submit(commit)
    }

    /// Whether an error stopped the store: every later commit fails.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let has_ended = self.writer.as_ref().is_some_and(writer::Writer::is_stopped);
        has_ended || self.shared.is_stopped()
    }

    /// What every commit fails with once the store has stopped.
    #[must_use]
    pub fn stop_reason(&self) -> StoreError {
        self.shared.stop_reason()
    }

    /// Why nothing is recorded now, where too little space is free.
    #[must_use]
    pub fn want_of_room(&self) -> Option<StoreError> {
        let room = self.shared.room.as_ref()?;
        (!room.is_there()).then(|| self.no_room())
    }

    /// Whether there is room again after something was refused for want of it. Says so once.
    #[must_use]
    pub fn has_room_again(&self) -> bool {
        let room = self.shared.room.as_ref();
        room.is_some_and(Room::is_there_again)
    }

    fn no_room(&self) -> StoreError {
        let database = self.shared.database.path();
        StoreError::NoRoom(database.parent().unwrap_or(database).to_owned())
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
    fn read_only(
        (database, aside): (Database, read_only::Aside),
        published: Published,
        slots: Slots,
        index_key: IndexKey,
    ) -> Self {
        Self {
            database,
            notice: None,
            allotment: Mutex::new(Allotment::new(slots, published.head.slot, false)),
            index_key,
            published: RwLock::new(published),
            applying: Mutex::new(()),
            stopped: AtomicBool::new(false),
            full: OnceLock::new(),
            room: None,
            _place: Place::Aside { _aside: aside },
        }
    }

    /// Takes note that the store stops, and why.
    fn stop(&self, error: &StoreError) {
        tracing::error!(error = error as &dyn std::error::Error, "the store stops");
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(path) = error.full() {
            // The first one says why.
            let _ = self.full.set(path.to_owned());
        }
        // What the system failed to write may be missing in the database, and the engine may not notice.
        if self.database.failed().is_some() {
            let _ = self.note(Notice::unfit);
        }
    }

    /// Notes how the database is left, where others will ask.
    fn note(
        &self,
        note: impl FnOnce(&mut Notice) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        match &self.notice {
            Some(notice) => note(&mut notice.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Ok(()),
        }
    }

    /// Keeps who comes upon it waiting for the group that is on its way into the database.
    fn applying(&self) -> MutexGuard<'_, ()> {
        self.applying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.database.failed().is_some()
    }

    fn stop_reason(&self) -> StoreError {
        let full = self.full.get().cloned();
        let is_full = self.database.failed() == Some(true);
        let full = full.or_else(|| is_full.then(|| self.database.path().to_owned()));
        full.map_or(StoreError::Stopped, StoreError::StoppedFull)
    }

    fn published(&self) -> RwLockReadGuard<'_, Published> {
        // A writer that panicked with the lock held left what was committed before.
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.notice.is_none() {
            return;
        }
        // After an error of anything else, the next start finds out what is there.
        let is_stopped = self.stopped.load(Ordering::Relaxed);
        let allotment = self.allotment.get_mut();
        let settled = allotment.unwrap_or_else(PoisonError::into_inner).settle();
        let closed = if is_stopped || settled.is_err() {
            self.database.close()
        } else {
            let synced = self.database.sync();
            let closed = synced.and_then(|()| self.database.close());
            closed.and_then(|()| self.note(Notice::closed))
        };
        if let Err(error) = closed {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the database was not closed"
            );
        }
        if self.database.failed().is_some() {
            let _ = self.note(Notice::unfit);
        }
        if let Some(room) = &self.room {
            room.leave();
        }
    }
}

/// What an open store begins with: all that is committed.
fn start_of(database: &Database, head: Head) -> Result<Published, StoreError> {
    Ok(Published {
        outboxes: states(database, &keys::outboxes())?,
        inboxes: states(database, &keys::inboxes())?,
        head,
    })
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

#[cfg(test)]
mod tests;
