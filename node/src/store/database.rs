//! The one file that names sled, and what makes it power-safe.
//!
//! sled's `flush` hands bytes to the kernel and does not wait for the disk, so after it this syncs the database file on a
//! descriptor of its own; only then has anything been committed. Values stay small (sled spills large pages
//! to files it never syncs), batches stay short, and any error is final: the node stops. After one nothing is
//! written or synced again, for a sync that succeeds after one that failed says nothing about what the first
//! one lost.

#[cfg(test)]
use super::faults::{Faults, Point};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The most items in one batch.
pub(super) const BATCH_ITEMS_MAX: usize = 64;
/// The most bytes in one value.
pub(super) const VALUE_BYTES_MAX: usize = 6 * 1024;
/// The most bytes of keys and values applied between two syncs. Until then sled overwrites segments whose replacements lie
/// beyond the size of the file that the file system's journal knows: after a power cut, an import that had applied
/// megabytes left a database that did not open. A unit that is larger by itself goes alone: that is an entry of nearly the
/// largest size, with its index keys.
const UNSYNCED_BYTES_MAX: usize = 64 * 1024;
/// How long the engine's own threads may hold the files of a database that this process has closed.
const CLOSING_MAX: Duration = Duration::from_secs(10);
/// How long one that another process holds is waited for: one that was just started holds what its parent had open,
/// and one that only looks whether it may open it holds it too, for some milliseconds.
const HELD_MAX: Duration = Duration::from_millis(250);
/// How often it is looked at whether they still do.
const CLOSING_INTERVAL: Duration = Duration::from_millis(10);
/// Page cache: the working set of indexes of some million observations.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How often it is looked at whether the engine's own threads failed: no sync waits longer for ever.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// One write: a value, or none to remove the key.
pub(super) type Item = (Vec<u8>, Option<Vec<u8>>);

/// The database failed. Nothing after this can be relied on; the node stops.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Another process has it open.
    #[error(
        "the database `{path}` is in use; stop the node that has it open, or speak to it with the same --home"
    )]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// No space is left.
    #[error(
        "no space is left on the disk that holds `{path}`; free space there, then start again: \
         before that the node cannot open its database"
    )]
    Full {
        /// What did not fit.
        path: PathBuf,
    },
    /// The engine reported an error.
    #[error(
        "the database `{path}` failed; start again, and restore the home from the latest whole backup if that fails too"
    )]
    Engine {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// The engine cannot read what it wrote.
    #[error(
        "the database in `db` is damaged: a part of it cannot be read; restore the home from the latest whole backup"
    )]
    Damaged,
    /// A file could not be read, written or synced.
    #[error("failed to sync `{path}`; see to the disk, then start again")]
    Sync {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An earlier error was final.
    #[error("the database `{path}` takes nothing more after an earlier failure; start again")]
    Stopped {
        /// Where.
        path: PathBuf,
    },
}

/// A key and its value.
pub(super) type Record = (Vec<u8>, Vec<u8>);

/// Why a database takes nothing more.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Full,
    Other,
}

/// The tree, and the descriptor that syncs it.
#[derive(Debug)]
pub(super) struct Database {
    /// Dropped first: it holds the engine open.
    _watch: Watch,
    engine: sled::Db,
    file: File,
    path: Arc<Path>,
    failure: OnceLock<Failure>,
    /// How many bytes were applied since the last sync.
    unsynced_bytes: AtomicUsize,
    #[cfg(test)]
    faults: Faults,
}

impl Database {
    /// Opens the database in this directory, or makes it. What it holds then is on the disk, also what a
    /// process that was killed had only handed to the system. One that this process has just closed is waited for.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let begun = Instant::now();
        loop {
            let most = if was_closed(path) {
                CLOSING_MAX
            } else {
                HELD_MAX
            };
            match Self::open_once(path) {
                Err(DatabaseError::InUse { .. }) if begun.elapsed() < most => {
                    std::thread::sleep(CLOSING_INTERVAL);
                }
                opened => return opened,
            }
        }
    }

    fn open_once(path: &Path) -> Result<Self, DatabaseError> {
        remove_cut_off_snapshots(path)?;
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let engine = open_engine(&config, path)?;
        let watch = Watch::start(config, engine.clone())
            .map_err(|error| engine_error(path, error.into()))?;
        engine.flush().map_err(|error| engine_error(path, error))?;
        let sync = |path: &Path| {
            File::options()
                .read(true)
                .write(true)
                .open(path)
                .and_then(|file| file.sync_all().map(|()| file))
                .map_err(|error| sync_error(path, error))
        };
        sync(&path.join("conf"))?;
        let file = sync(&path.join("db"))?;
        for folder in [Some(path), path.parent()].into_iter().flatten() {
            crate::platform::sync_folder(folder).map_err(|error| sync_error(folder, error))?;
        }
        let database = Self {
            _watch: watch,
            engine,
            file,
            path: path.into(),
            failure: OnceLock::new(),
            unsynced_bytes: AtomicUsize::new(0),
            #[cfg(test)]
            faults: Faults::of(path.parent().unwrap_or(path)),
        };
        #[cfg(test)]
        database.pass(Point::Synced)?;
        Ok(database)
    }

    /// Applies units in order, each of them whole or not at all. Some may already be on the disk, not yet all.
    pub(super) fn apply_units(
        &self,
        units: impl IntoIterator<Item = Vec<Item>>,
    ) -> Result<(), DatabaseError> {
        let mut batch: Vec<Item> = Vec::new();
        let mut batch_bytes = 0;
        for unit in units {
            let unit_bytes = bytes_of(&unit);
            let is_full = batch.len() + unit.len() > BATCH_ITEMS_MAX
                || batch_bytes + unit_bytes > UNSYNCED_BYTES_MAX;
            if is_full && !batch.is_empty() {
                self.apply(std::mem::take(&mut batch))?;
                batch_bytes = 0;
            }
            batch.extend(unit);
            batch_bytes += unit_bytes;
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.apply(batch)
    }

    /// Applies one batch, all of it or nothing; not yet on the disk. What was applied before is, where both together
    /// are more than may be lost at once.
    pub(super) fn apply(&self, items: Vec<Item>) -> Result<(), DatabaseError> {
        debug_assert!(items.len() <= BATCH_ITEMS_MAX, "a batch is short");
        self.check()?;
        let bytes = bytes_of(&items);
        let unsynced_bytes = self.unsynced_bytes.load(Ordering::Relaxed);
        if unsynced_bytes > 0 && unsynced_bytes + bytes > UNSYNCED_BYTES_MAX {
            self.sync()?;
        }
        self.unsynced_bytes.fetch_add(bytes, Ordering::Relaxed);
        #[cfg(test)]
        self.pass(Point::Apply)?;
        let mut batch = sled::Batch::default();
        for (key, value) in items {
            match value {
                Some(value) => {
                    debug_assert!(value.len() <= VALUE_BYTES_MAX + 64, "a value is small");
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        self.engine
            .apply_batch(batch)
            .map_err(|error| self.stop(engine_error(&self.path, error)))
    }

    /// Waits until all that was applied is on the disk.
    pub(super) fn sync(&self) -> Result<(), DatabaseError> {
        self.check()?;
        #[cfg(test)]
        self.pass(Point::Flush)?;
        self.engine
            .flush()
            .map_err(|error| self.stop(engine_error(&self.path, error)))?;
        #[cfg(test)]
        self.pass(Point::Sync)?;
        self.file
            .sync_data()
            .map_err(|error| self.stop(sync_error(&self.path, error)))?;
        self.unsynced_bytes.store(0, Ordering::Relaxed);
        #[cfg(test)]
        self.pass(Point::Synced)?;
        Ok(())
    }

    fn check(&self) -> Result<(), DatabaseError> {
        let path = || self.path.to_path_buf();
        match self.failure.get() {
            None => Ok(()),
            Some(Failure::Full) => Err(DatabaseError::Full { path: path() }),
            Some(Failure::Other) => Err(DatabaseError::Stopped { path: path() }),
        }
    }

    /// Takes note that nothing can be relied on from here on.
    fn stop(&self, error: DatabaseError) -> DatabaseError {
        let is_full = matches!(error, DatabaseError::Full { .. });
        let failure = if is_full {
            Failure::Full
        } else {
            Failure::Other
        };
        // The first one says why.
        let _ = self.failure.set(failure);
        error
    }

    #[cfg(test)]
    fn pass(&self, point: Point) -> Result<(), DatabaseError> {
        self.faults
            .pass(point)
            .map_err(|error| self.stop(sync_error(&self.path, error)))
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
        self.engine
            .get(key)
            .map(|value| value.map(|value| value.to_vec()))
            .map_err(|error| engine_error(&self.path, error))
    }

    /// The last record whose key lies between two, both included.
    pub(super) fn last_within(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<Record>, DatabaseError> {
        let range = from.to_vec()..=to.to_vec();
        self.pairs(self.engine.range(range).rev().take(1))
            .next()
            .transpose()
    }

    /// All records whose key starts with `prefix`, ascending.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<> {
        self.pairs(self.engine.scan_prefix(prefix))
    }

    /// All records from `from` on whose key has the length and the prefix byte of `from`, ascending.
    pub(super) fn scan_from(
        &self,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<> {
        let prefix = from.first().copied();
        self.pairs(self.engine.range(from.to_vec()..))
            .take_while(move |pair| {
                pair.as_ref()
                    .map_or(true, |(key, _)| key.first().copied() == prefix)
            })
    }

    fn pairs<I: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>>(
        &self,
        iter: I,
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<I> {
        let path = Arc::clone(&self.path);
        iter.map(move |pair| {
            pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
                .map_err(|error| engine_error(&path, error))
        })
    }
}

/// The databases that this process has closed.
static CLOSED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn was_closed(path: &Path) -> bool {
    let closed = CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
    closed.contains(path)
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut closed = CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert(self.path.to_path_buf());
    }
}

/// What a batch brings, in bytes.
fn bytes_of(items: &[Item]) -> usize {
    let bytes = |(key, value): &Item| key.len() + value.as_ref().map_or(0, Vec::len);
    items.iter().map(bytes).sum()
}

/// Wakes a flush that waits in vain. The engine's threads note the error when they cannot write what was buffered, but
/// where a batch reaches over two buffers they do not wake who waits for the first. A flush from elsewhere then
/// fails at once, and wakes it.
#[derive(Debug)]
struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(config: sled::Config, engine: sled::Db) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("database-watch".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    if config.global_error().is_err() {
                        // Who waits reports the error.
                        let _ = engine.flush();
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked is gone as well.
            let _ = thread.join();
        }
    }
}

/// sled writes a snapshot of its page table each time it opens. One that was cut off, by a kill or a full disk, it
/// takes for the latest the next time, and says that the database is corrupt. The log holds everything, so
/// such a rest is only in the way.
fn remove_cut_off_snapshots(path: &Path) -> Result<(), DatabaseError> {
    let data = path.join("db");
    let file = match File::options().read(true).write(true).open(&data) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(sync_error(&data, error)),
    };
    // Another process that is opening the database is just writing its own. The lock is the engine's.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DatabaseError::InUse {
                path: path.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(sync_error(&data, error)),
    }
    let failed = |error| sync_error(path, error);
    for found in std::fs::read_dir(path).map_err(failed)? {
        let found = found.map_err(failed)?.path();
        let is_cut_off = found.extension().is_some_and(|end| end == "generating");
        if is_cut_off {
            tracing::warn!(path = %found.display(), "removing a snapshot that was cut off");
            std::fs::remove_file(&found).map_err(failed)?;
        }
    }
    Ok(())
}

/// Whether an error says that there is no space, or none that this user may have.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn sync_error(path: &Path, source: io::Error) -> DatabaseError {
    let path = path.to_owned();
    if is_full(&source) {
        DatabaseError::Full { path }
    } else {
        DatabaseError::Sync { path, source }
    }
}

fn engine_error(path: &Path, source: sled::Error) -> DatabaseError {
    let path = path.to_owned();
    match source {
        sled::Error::Io(error) if is_full(&error) => DatabaseError::Full { path },
        // Where it is in the file helps nobody to mend it.
        sled::Error::Corruption { .. } => DatabaseError::Damaged,
        source => DatabaseError::Engine { path, source },
    }
}

thread_local! {
    /// Whether this thread is opening the engine.
    static IS_OPENING: Cell<bool> = const { Cell::new(false) };
}

/// Opens the engine. Of some damage it does not return an error but asserts that it is not there: that is as much a
/// damaged database, and no news for anybody but whoever restores it.
fn open_engine(config: &sled::Config, path: &Path) -> Result<sled::Db, DatabaseError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_OPENING.get() {
                loud(panic);
            }
        }));
    });
    IS_OPENING.set(true);
    // What it was building when it gave up is dropped with it.
    let opened = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    IS_OPENING.set(false);
    match opened {
        Ok(opened) => opened.map_err(|error| open_error(path, error)),
        Err(_) => Err(DatabaseError::Damaged),
    }
}

fn open_error(path: &Path, error: sled::Error) -> DatabaseError {
    // sled reports its lock as an I/O error whose text alone tells it apart.
    if matches!(&error, sled::Error::Io(io) if io.to_string().contains("lock")) {
        DatabaseError::InUse {
            path: path.to_owned(),
        }
    } else {
        engine_error(path, error)
    }
}
