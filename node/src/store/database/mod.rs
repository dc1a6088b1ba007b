//! The one file that names sled: the database that everything is read from, and that can be built again from the journal.
//!
//! So nothing waits for it to reach the disk but closing it. sled's `flush` hands bytes to the kernel and does not wait for the
//! disk: closing syncs the files on descriptors of its own. Values stay small (sled spills large pages to files it never
//! syncs), and any error is final: the node stops. After one nothing is written or synced again, for a sync
//! that succeeds after one that failed says nothing about what the first one lost.

mod engine;

pub(super) use engine::{check_wants, is_full};

#[cfg(test)]
use super::faults::{Faults, Point};
use super::keys;
use super::records::{Applied, Head, standing};
use engine::{Watch, asked, check_files, engine_error, open_engine, remove_cut_off_snapshots};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes in one value.
pub(super) const VALUE_BYTES_MAX: usize = 6 * 1024;
/// How long the engine's own threads may hold the files of a database that this process has closed.
const CLOSING_MAX: Duration = Duration::from_secs(10);
/// How long any other is waited for: a home that was just made was closed at another place.
const HELD_MAX: Duration = Duration::from_secs(2);
/// How often it is looked at whether they still do.
const CLOSING_INTERVAL: Duration = Duration::from_millis(10);
/// The bytes that the engine's page cache holds at most: the working set of indexes of some million observations. The engine
/// counts them as they lie on the disk, and what was looked at last not yet, so that they take several times as much in memory.
pub const CACHE_BYTES: u64 = 32 * 1024 * 1024;

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
        "no space is left on the disk that holds `{path}`; free space there, then start again; until then --read-only shows and \
         exports what is there"
    )]
    Full {
        /// What did not fit.
        path: PathBuf,
    },
    /// No space is left where a copy is made of what is only read.
    #[error(
        "no space is left for the copy that --read-only makes at `{path}`; name a folder on another disk for temporary files, in the \
         environment variable TMPDIR"
    )]
    FullAside {
        /// Where.
        path: PathBuf,
    },
    /// A copy of what is only read cannot be made.
    #[error(
        "failed to make the copy that --read-only makes at `{path}`; name another folder for temporary files, in the environment \
         variable TMPDIR"
    )]
    Aside {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The engine reported an error.
    #[error(
        "the database `{path}` failed; start again, and if that fails too stop the node and have it built again from the \
         journal: `ambit store rebuild`"
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
        "the database in `db` is damaged: a part of it cannot be read; start again: it is built again from the journal then"
    )]
    Damaged,
    /// A record larger than the engine syncs.
    #[error(
        "a record of {0} bytes is larger than the database takes; this is a fault of the program"
    )]
    TooLarge(usize),
    /// The system has no more descriptors, threads or memory.
    #[error(
        "the system has no more {what} for the database `{path}`; end other programs or raise the limit, then start again"
    )]
    Wanting {
        /// Where.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// The engine was opened by then, and may have written something.
        has_begun: bool,
    },
    /// Something else is in the place of a file that says how far the store is.
    #[error("`{path}` is no regular file; remove it, and it is made again at the next start")]
    NoFile {
        /// Which.
        path: PathBuf,
    },
    /// A file could not be read, written or synced.
    #[error(
        "failed to use `{path}`; see to the disk and to who may use the file, then start again"
    )]
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

/// Whether a database failed, and takes nothing more: whoever comes upon it first says so.
#[derive(Debug, Default)]
pub(super) struct Failure {
    /// Whether it was for want of space.
    is_full: OnceLock<bool>,
}

impl Failure {
    fn note(&self, error: DatabaseError) -> DatabaseError {
        // The first one says why.
        let _ = self
            .is_full
            .set(matches!(error, DatabaseError::Full { .. }));
        error
    }
}

impl DatabaseError {
    /// Refuses what is in the place of a file beside the database, and no file. What can be made again may be taken away.
    pub(super) fn check_file(path: &Path) -> Result<(), Self> {
        let is_other = path.symlink_metadata().is_ok() && !path.is_file();
        let path = path.to_owned();
        if is_other {
            Err(Self::NoFile { path })
        } else {
            Ok(())
        }
    }

    /// The error of a file.
    pub(super) fn sync(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if is_full(&source) {
            Self::Full { path }
        } else {
            Self::Sync { path, source }
        }
    }

    /// Whether the engine may have written something, and not all of it.
    pub(super) fn may_have_written(&self) -> bool {
        match self {
            Self::Engine { .. }
            | Self::Damaged
            | Self::Sync { .. }
            | Self::Full { .. }
            | Self::FullAside { .. }
            | Self::Aside { .. }
            | Self::TooLarge(_)
            | Self::Stopped { .. } => true,
            Self::InUse { .. } | Self::Wanting { .. } | Self::NoFile { .. } => false,
        }
    }

    /// Whether what is there cannot be read, so that building it again is a way out.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged => true,
            // What the engine cannot make sense of, or find: not what the system keeps from it.
            Self::Engine { source, .. } => engine::is_damage(source),
            Self::InUse { .. }
            | Self::Full { .. }
            | Self::FullAside { .. }
            | Self::Aside { .. }
            | Self::TooLarge(_)
            | Self::Wanting { .. }
            | Self::NoFile { .. }
            | Self::Sync { .. }
            | Self::Stopped { .. } => false,
        }
    }
}

/// The tree.
#[derive(Debug)]
pub(super) struct Database {
    /// Dropped first: it holds the engine open.
    watch: Option<Watch>,
    engine: Engine,
    path: Arc<Path>,
    failure: Arc<Failure>,
    #[cfg(test)]
    faults: Faults,
}

impl Database {
    /// Opens the database in this directory, or makes it. One that this process has just closed is waited for.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let begun = Instant::now();
        let most = if was_closed(path) {
            CLOSING_MAX
        } else {
            HELD_MAX
        };
        loop {
            match Self::open_once(path) {
                Err(DatabaseError::InUse { .. }) if begun.elapsed() < most => {
                    std::thread::sleep(CLOSING_INTERVAL);
                }
                opened => return opened,
            }
        }
    }

    fn open_once(path: &Path) -> Result<Self, DatabaseError> {
        check_files(path)?;
        remove_cut_off_snapshots(path)?;
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let engine = open_engine(&config, path)?;
        // On a file system that keeps no such permissions, the folder around it does.
        let _ = crate::platform::make_files_private(path);
        let failure = Arc::new(Failure::default());
        let watch = Watch::start(config, (path, engine.clone()), Arc::clone(&failure))
            .map_err(|error| engine_error(path, error.into()))?;
        Ok(Self {
            watch: Some(watch),
            engine: Engine(Some(engine)),
            path: path.into(),
            failure,
            #[cfg(test)]
            faults: Faults::of(path.parent().unwrap_or(path)),
        })
    }

    /// Applies a group: its records in order, and last, in one, how far that is. What a crash cut off of it is applied again
    /// from the journal, so that there is no batch: one of those costs the engine two writes more.
    pub(super) fn apply_group(
        &self,
        items: impl IntoIterator<Item = Item>,
        head: &Head,
        applied: &Applied,
    ) -> Result<(), DatabaseError> {
        items.into_iter().try_for_each(|item| self.apply(item))?;
        self.apply((keys::STANDING.to_vec(), Some(standing(head, *applied))))?;
        engine::free_replaced();
        Ok(())
    }

    /// Applies one record; not yet on the disk.
    pub(super) fn apply(&self, (key, value): Item) -> Result<(), DatabaseError> {
        self.check()?;
        // What the engine would write to files that it never syncs.
        let bytes = value.as_ref().map_or(0, Vec::len);
        if bytes > VALUE_BYTES_MAX {
            return Err(self.stop(DatabaseError::TooLarge(bytes)));
        }
        #[cfg(test)]
        self.pass(Point::Apply)?;
        let applied = asked(&self.path, || match value {
            Some(value) => self.engine.insert(key, value),
            None => self.engine.remove(key),
        });
        applied.map(drop).map_err(|error| self.stop(error))
    }

    /// Waits until all that was applied is on the disk.
    pub(super) fn sync(&self) -> Result<(), DatabaseError> {
        self.check()?;
        #[cfg(test)]
        self.pass(Point::Flush)?;
        asked(&self.path, || self.engine.flush()).map_err(|error| self.stop(error))?;
        #[cfg(test)]
        self.pass(Point::Sync)?;
        for name in ["conf", "db"] {
            let path = self.path.join(name);
            let synced = File::options().read(true).write(true).open(&path);
            synced
                .and_then(|file| file.sync_all())
                .map_err(|error| self.stop(DatabaseError::sync(&path, error)))?;
        }
        for folder in [Some(&*self.path), self.path.parent()]
            .into_iter()
            .flatten()
        {
            crate::platform::sync_folder(folder)
                .map_err(|error| self.stop(DatabaseError::sync(folder, error)))?;
        }
        #[cfg(test)]
        self.pass(Point::Synced)?;
        Ok(())
    }

    /// Closes it. Nothing is asked of it after that.
    pub(super) fn close(&mut self) -> Result<(), DatabaseError> {
        let Some(engine) = self.engine.0.take() else {
            return Ok(());
        };
        // Dropped, the engine hands out what it buffers and waits for it: for ever where that fails and nobody watches.
        let _ = asked(&self.path, || engine.flush());
        drop(self.watch.take());
        // It syncs once more, and gives up where that fails.
        let closed = asked(&self.path, || {
            drop(engine);
            Ok(())
        });
        let _ = crate::platform::make_files_private(&self.path);
        note_moved(&self.path);
        let failed =
            |_| DatabaseError::sync(&self.path, io::Error::other("it could not be synced"));
        closed.map_err(failed).map_err(|error| self.stop(error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it failed, and for want of space: then what it holds may not be what was applied.
    pub(super) fn failed(&self) -> Option<bool> {
        self.failure.is_full.get().copied()
    }

    fn check(&self) -> Result<(), DatabaseError> {
        let path = || self.path.to_path_buf();
        match self.failed() {
            None => Ok(()),
            Some(true) => Err(DatabaseError::Full { path: path() }),
            Some(false) => Err(DatabaseError::Stopped { path: path() }),
        }
    }

    /// Takes note that nothing can be relied on from here on.
    fn stop(&self, error: DatabaseError) -> DatabaseError {
        self.failure.note(error)
    }

    #[cfg(test)]
    fn pass(&self, point: Point) -> Result<(), DatabaseError> {
        self.faults
            .pass(point)
            .map_err(|error| self.stop(DatabaseError::sync(&self.path, error)))
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
        asked(&self.path, || self.engine.get(key))
            .map(|value| value.map(|value| value.to_vec()))
            .map_err(|error| self.stop(error))
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

    /// Whether every record can be read. What cannot makes the database one that failed.
    pub(super) fn is_whole(&self) -> bool {
        self.scan(&[]).all(|record| record.is_ok())
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

    /// All records whose key lies between two of one length and prefix byte, both included, ascending.
    pub(super) fn scan_within(
        &self,
        from: &[u8],
        to: Vec<u8>,
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<> {
        self.scan_from(from)
            .take_while(move |pair| pair.as_ref().map_or(true, |(key, _)| *key <= to))
    }

    fn pairs<I: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>>(
        &self,
        mut iter: I,
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<I> {
        let (path, failure) = (Arc::clone(&self.path), Arc::clone(&self.failure));
        let mut has_failed = false;
        std::iter::from_fn(move || {
            if has_failed {
                return None;
            }
            let pair = asked(&path, || iter.next().transpose());
            has_failed = pair.is_err();
            pair.map_err(|error| failure.note(error)).transpose()
        })
        .map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }
}

/// The engine, until it is closed.
#[derive(Debug)]
struct Engine(Option<sled::Db>);

impl std::ops::Deref for Engine {
    type Target = sled::Db;

    #[expect(
        clippy::expect_used,
        reason = "nothing is asked of a database that is closed"
    )]
    fn deref(&self) -> &sled::Db {
        self.0.as_ref().expect("the database is open")
    }
}

/// The databases that this process has closed.
static CLOSED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// One that this process has just closed is at another place from here on.
pub(super) fn note_moved(to: &Path) {
    let mut closed = CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
    closed.insert(to.to_owned());
}

fn was_closed(path: &Path) -> bool {
    let closed = CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
    closed.contains(path)
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.close();
    }
}
