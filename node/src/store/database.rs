//! The one file that names sled, and what makes it power-safe.
//!
//! sled's `flush` hands bytes to the kernel and does not wait for the disk, so after it this syncs the database file on a
//! descriptor of its own; only then has anything been committed. Values stay small (sled spills large pages
//! to files it never syncs), batches stay short, and any error is final: the node stops.

use std::cell::Cell;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The most items in one batch.
pub(super) const BATCH_ITEMS_MAX: usize = 64;
/// The most bytes in one value.
pub(super) const VALUE_BYTES_MAX: usize = 6 * 1024;
/// Page cache: the working set of indexes of some million observations.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// One write: a value, or none to remove the key.
pub(super) type Item = (Vec<u8>, Option<Vec<u8>>);

/// A key and its value.
pub(super) type Record = (Vec<u8>, Vec<u8>);

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
    /// The engine reported an error.
    #[error("the database failed; free disk space if the disk is full, then start again")]
    Engine(#[source] sled::Error),
    /// The engine cannot read what it wrote.
    #[error(
        "the database in `db` is damaged: a part of it cannot be read; restore the home from a backup"
    )]
    Damaged,
    /// A file could not be synced.
    #[error("failed to sync `{path}`; free disk space if the disk is full, then start again")]
    Sync {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The tree, and the descriptor that syncs it.
#[derive(Debug)]
pub(super) struct Database {
    engine: sled::Db,
    file: File,
    path: PathBuf,
}

impl Database {
    /// Opens the database in this directory, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let is_new = !path.join("conf").exists();
        let engine = open_engine(path)?;
        engine.flush().map_err(engine_error)?;
        let database = path.join("db");
        let sync = |path: &Path, source| DatabaseError::Sync {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .read(true)
            .write(true)
            .open(&database)
            .map_err(|source| sync(&database, source))?;
        if is_new {
            let conf = path.join("conf");
            File::options()
                .read(true)
                .write(true)
                .open(&conf)
                .and_then(|file| file.sync_all())
                .map_err(|source| sync(&conf, source))?;
            file.sync_all().map_err(|source| sync(&database, source))?;
            let parents = [Some(path), path.parent()];
            for folder in parents.into_iter().flatten() {
                crate::platform::sync_folder(folder).map_err(|source| sync(folder, source))?;
            }
        }
        Ok(Self {
            engine,
            file,
            path: database,
        })
    }

    /// Applies one batch, all of it or nothing; not yet on the disk.
    pub(super) fn apply(&self, items: Vec<Item>) -> Result<(), DatabaseError> {
        debug_assert!(items.len() <= BATCH_ITEMS_MAX, "a batch is short");
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
        self.engine.apply_batch(batch).map_err(engine_error)
    }

    /// Waits until all that was applied is on the disk.
    pub(super) fn sync(&self) -> Result<(), DatabaseError> {
        self.engine.flush().map_err(engine_error)?;
        self.file.sync_data().map_err(|source| DatabaseError::Sync {
            path: self.path.clone(),
            source,
        })
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
        self.engine
            .get(key)
            .map(|value| value.map(|value| value.to_vec()))
            .map_err(engine_error)
    }

    /// The last record whose key lies between two, both included.
    pub(super) fn last_within(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<Record>, DatabaseError> {
        let range = from.to_vec()..=to.to_vec();
        pairs(self.engine.range(range).rev().take(1))
            .next()
            .transpose()
    }

    /// All records whose key starts with `prefix`, ascending.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<> {
        pairs(self.engine.scan_prefix(prefix))
    }

    /// All records from `from` on whose key has the length and the prefix byte of `from`, ascending.
    pub(super) fn scan_from(
        &self,
        from: &[u8],
    ) -> impl Iterator<Item = Result<Record, DatabaseError>> + use<> {
        let prefix = from.first().copied();
        pairs(self.engine.range(from.to_vec()..)).take_while(move |pair| {
            pair.as_ref()
                .map_or(true, |(key, _)| key.first().copied() == prefix)
        })
    }
}

fn pairs(
    iter: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> impl Iterator<Item = Result<Record, DatabaseError>> {
    iter.map(|pair| {
        pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
            .map_err(engine_error)
    })
}

thread_local! {
    /// Whether this thread is opening the engine.
    static IS_OPENING: Cell<bool> = const { Cell::new(false) };
}

/// Opens the engine. Of some damage it does not return an error but asserts that it is not there: that is as much a
/// damaged database, and no news for anybody but whoever restores it.
fn open_engine(path: &Path) -> Result<sled::Db, DatabaseError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_OPENING.get() {
                loud(panic);
            }
        }));
    });
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None);
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
        engine_error(error)
    }
}

fn engine_error(error: sled::Error) -> DatabaseError {
    match error {
        // Where it is in the file helps nobody to mend it.
        sled::Error::Corruption { .. } => DatabaseError::Damaged,
        error => DatabaseError::Engine(error),
    }
}
