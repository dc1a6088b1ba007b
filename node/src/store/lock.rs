//! One process at a time has a home's store open: a lock on a file of its own, which a crash lets go of.

use super::{DatabaseError, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long one that another process holds is waited for: one that was just started holds what its parent had open,
/// and one that only looks whether it may open it holds it too, for some milliseconds.
const HELD_MAX: Duration = Duration::from_millis(250);
/// How often it is looked at whether they still do.
const HELD_INTERVAL: Duration = Duration::from_millis(10);

/// Held as long as it is there.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

fn path(home: &Path) -> PathBuf {
    home.join("lock")
}

impl Lock {
    /// Takes the lock of a home.
    pub(super) fn take(home: &Path) -> Result<Self, StoreError> {
        let path = path(home);
        DatabaseError::check_file(&path)?;
        let failed = |source| DatabaseError::sync(&path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = crate::platform::open_private(&mut options, &path).map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < HELD_MAX => {
                    std::thread::sleep(HELD_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(home.to_owned())),
                Err(TryLockError::Error(source)) => return Err(failed(source).into()),
            }
        }
    }
}

/// Whether a process has the store in this home open: a copy of a home is not open because the original is, whatever files
/// were copied with it.
#[must_use]
pub fn is_open(home: &Path) -> bool {
    // Where it cannot be looked at, opening it says why.
    let path = path(home);
    let Ok(file) = crate::platform::check_file(&path).and_then(|()| File::open(path)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
