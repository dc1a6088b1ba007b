//! How the engine is opened, watched and understood.

use super::{DatabaseError, Failure};
use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Once};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked at whether the engine's own threads failed: no flush waits longer for ever.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Wakes a flush that waits in vain. The engine's threads note the error when they cannot write what was buffered, but
/// where a batch reaches over two buffers they do not wake who waits for the first. A flush from elsewhere then
/// fails at once, and wakes it. Where nobody waits, nobody else would learn of the error.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(
        config: sled::Config,
        (path, engine): (&Path, sled::Db),
        failure: Arc<Failure>,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("database-watch".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = config.global_error() {
                        failure.note(engine_error(&path, error));
                        // Who waits is woken, and reports it.
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

/// Of what lies in the place of the engine's files only files can be read: a pipe, say, would never end.
pub(super) fn check_files(path: &Path) -> Result<(), DatabaseError> {
    let failed = |error| looking_error(path, error);
    let found = match std::fs::read_dir(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(DatabaseError::Damaged);
        }
        Err(error) => return Err(engine_error(path, error.into())),
    };
    for found in found {
        let found = found.map_err(failed)?;
        let kind = found.file_type().map_err(failed)?;
        let is_as_made = if found.file_name() == "blobs" {
            kind.is_dir()
        } else {
            kind.is_file()
        };
        if !is_as_made {
            return Err(DatabaseError::Damaged);
        }
    }
    Ok(())
}

/// sled writes a snapshot of its page table each time it opens. One that was cut off, by a kill or a full disk, it
/// takes for the latest the next time, and says that the database is corrupt. The log holds everything, so
/// such a rest is only in the way.
pub(super) fn remove_cut_off_snapshots(path: &Path) -> Result<(), DatabaseError> {
    let data = path.join("db");
    let file = match File::options().read(true).write(true).open(&data) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(looking_error(&data, error)),
    };
    // Another process that is opening the database is just writing its own. The lock is the engine's.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DatabaseError::InUse {
                path: path.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(looking_error(&data, error)),
    }
    let failed = |error| looking_error(path, error);
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

/// The error of a file that was only looked at.
fn looking_error(path: &Path, error: io::Error) -> DatabaseError {
    match wanting(&error) {
        Some(what) => DatabaseError::Wanting {
            path: path.to_owned(),
            what,
            has_begun: false,
        },
        None => DatabaseError::sync(path, error),
    }
}

/// Whether an error says that there is no space, or none that this user may have.
pub(in crate::store) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

pub(super) fn engine_error(path: &Path, source: sled::Error) -> DatabaseError {
    match source {
        sled::Error::Io(error) if is_full(&error) => DatabaseError::Full {
            path: path.to_owned(),
        },
        sled::Error::Io(error) if wanting(&error).is_some() => DatabaseError::Wanting {
            path: path.to_owned(),
            what: wanting(&error).unwrap_or_default(),
            has_begun: true,
        },
        // Where it is in the file helps nobody to mend it.
        sled::Error::Corruption { .. } => DatabaseError::Damaged,
        source => DatabaseError::Engine {
            path: path.to_owned(),
            source,
        },
    }
}

/// Whether the engine says that it cannot make sense of its files, or finds one of them gone.
pub(super) fn is_damage(error: &sled::Error) -> bool {
    match error {
        sled::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
        ),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Corruption { .. } => true,
    }
}

/// What the system has no more of, where that is why.
fn wanting(error: &io::Error) -> Option<&'static str> {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return Some("memory");
    }
    // What a thread is refused with that is one too many.
    if error.kind() == io::ErrorKind::WouldBlock {
        return Some("threads");
    }
    // ENFILE and EMFILE, which have no kind of their own.
    let is_descriptors = cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24));
    is_descriptors.then_some("file descriptors")
}

/// Threads that the engine starts by and by, and those that watch and write.
const THREADS_WANTED: usize = 12;
const DESCRIPTORS_WANTED: usize = 8;
/// What the engine takes to go through a database.
const MEMORY_WANTED: usize = 96 * 1024 * 1024;

/// What the system has too little of for the engine. It does not always say so itself: it waits for ever for a thread that it did not
/// get, and takes a database for damaged for which there is no memory. What this process is not limited in is not asked for.
fn wanted(folder: &Path) -> Option<&'static str> {
    let descriptors = (0..DESCRIPTORS_WANTED).map(|_| File::open(folder));
    if let Err(error) = descriptors.collect::<io::Result<Vec<_>>>() {
        return wanting(&error);
    }
    let limits = crate::platform::limits();
    // Asked for, and given back untouched; before the threads, which take some as well.
    if limits.of_memory && Vec::<u8>::new().try_reserve_exact(MEMORY_WANTED).is_err() {
        return Some("memory");
    }
    if !limits.of_threads {
        return None;
    }
    let thread = |_| {
        std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(std::thread::park)
    };
    let started: Vec<io::Result<_>> = (0..THREADS_WANTED).map(thread).collect();
    let has_all = started.iter().all(Result::is_ok);
    for thread in started.into_iter().flatten() {
        thread.thread().unpark();
        let _ = thread.join();
    }
    (!has_all).then_some("threads")
}

/// Checks, before anything is written, that the system has what the engine takes.
pub(in crate::store) fn check_wants(path: &Path) -> Result<(), DatabaseError> {
    let folder = if path.is_dir() {
        Some(path)
    } else {
        path.parent()
    };
    match folder.and_then(wanted) {
        Some(what) => Err(DatabaseError::Wanting {
            path: path.to_owned(),
            what,
            has_begun: false,
        }),
        None => Ok(()),
    }
}

thread_local! {
    /// Whether this thread asks the engine something.
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Asks the engine something. Of some damage it does not return an error but asserts that it is not there: that is as much a
/// damaged database, and no news for anybody. None where it gave up so.
fn guarded<T>(ask: impl FnOnce() -> sled::Result<T>) -> Option<sled::Result<T>> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_ASKING.get() {
                loud(panic);
            }
        }));
    });
    IS_ASKING.set(true);
    // What it was building when it gave up is dropped with it.
    let answer = std::panic::catch_unwind(AssertUnwindSafe(ask));
    IS_ASKING.set(false);
    answer.ok()
}

/// The same, with its errors understood.
pub(super) fn asked<T>(
    path: &Path,
    ask: impl FnOnce() -> sled::Result<T>,
) -> Result<T, DatabaseError> {
    match guarded(ask) {
        Some(answer) => answer.map_err(|error| engine_error(path, error)),
        None => Err(DatabaseError::Damaged),
    }
}

/// Lets go of the pages that this thread replaced: the engine keeps up to some sixty of them for each thread, whatever their size, until
/// the thread says so or replaced as many again.
pub(super) fn free_replaced() {
    sled::pin().flush();
}

/// Opens the engine.
pub(super) fn open_engine(config: &sled::Config, path: &Path) -> Result<sled::Db, DatabaseError> {
    let error = match guarded(|| config.open()) {
        Some(Ok(opened)) => return Ok(opened),
        Some(Err(error)) => open_error(path, error),
        None => DatabaseError::Damaged,
    };
    match wanted(path) {
        Some(what) if !matches!(error, DatabaseError::InUse { .. }) => {
            Err(DatabaseError::Wanting {
                path: path.to_owned(),
                what,
                has_begun: true,
            })
        }
        _ => Err(error),
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
