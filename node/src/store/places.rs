//! Where the database of a home lies, and what lies beside it: one that is built, one that was given up, one to compare with. What
//! is of no use any more is removed; where it cannot be, because it is another user's, say, it is told, and in nobody's way.

use super::{DatabaseError, StoreError};
use crate::platform::taken_bytes;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One that is built.
pub(super) const NEW: &str = "db.new";
/// One that could not be relied on, until the next start after a clean end.
pub(super) const ASIDE: &str = "db.aside";
/// One to compare with.
pub(super) const CHECK: &str = "db.check";

/// Where the database of a home is.
pub(super) fn database_path(home: &Path) -> PathBuf {
    home.join("db")
}

/// Where the journal of a home is.
pub(super) fn journal_path(home: &Path) -> PathBuf {
    home.join("journal")
}

/// A place of this name that nothing is in; where something is there that cannot be removed, of a name with a number.
pub(super) fn free(home: &Path, name: &str) -> PathBuf {
    let mut path = home.join(name);
    let mut number = 0;
    while is_there(&path) && remove(&path).is_err() {
        number += 1;
        path = home.join(format!("{name}.{number}"));
    }
    path
}

/// All that is in places of this name.
pub(super) fn left_at(home: &Path, name: &str) -> Vec<PathBuf> {
    let found = std::fs::read_dir(home).into_iter().flatten().flatten();
    let paths = found.map(|found| found.path());
    let is_called_so = |path: &PathBuf| {
        let called = path.file_name().and_then(|called| called.to_str());
        let rest = called.and_then(|called| called.strip_prefix(name));
        rest.is_some_and(|rest| {
            let number = rest.strip_prefix('.');
            rest.is_empty() || number.is_some_and(|number| number.parse::<u32>().is_ok())
        })
    };
    paths.filter(is_called_so).collect()
}

/// Removes all of it. Returns whether anything went.
pub(super) fn clear(home: &Path, name: &str) -> bool {
    let mut has_gone = false;
    for path in left_at(home, name) {
        match remove(&path) {
            Ok(()) => has_gone = true,
            Err(error) => tracing::warn!(
                path = %path.display(),
                error = &error as &dyn std::error::Error,
                "this is of no use any more, and cannot be removed: remove it by hand"
            ),
        }
    }
    has_gone
}

/// What the store of a home takes of its disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// The journal, with the space that is reserved for it.
    pub journal: u64,
    /// The database, which can be built again from it, and what is left of earlier ones.
    pub database: u64,
    /// The keys that readings are sealed with.
    pub keys: u64,
}

impl Sizes {
    /// Of a home, as far as it can be looked at.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        let left = [NEW, ASIDE, CHECK].map(|name| left_at(home, name));
        let databases = left.into_iter().flatten().chain([database_path(home)]);
        let keys = home.join("slots").metadata();
        Self {
            journal: taken(&journal_path(home)),
            database: databases.map(|path| taken(&path)).sum(),
            keys: keys.map_or(0, |metadata| taken_bytes(&metadata)),
        }
    }
}

/// What the files in a folder take.
fn taken(folder: &Path) -> u64 {
    let found = std::fs::read_dir(folder).into_iter().flatten();
    let found = found.filter_map(|found| found.ok()?.metadata().ok());
    found.map(|metadata| taken_bytes(&metadata)).sum()
}

/// Whether what is in places of this name takes more space than is free beside it.
pub(super) fn is_short_of_space(home: &Path, name: &str) -> bool {
    let folders = left_at(home, name);
    let found = folders.iter().flat_map(std::fs::read_dir).flatten();
    let lengths = found.filter_map(|found| found.ok()?.metadata().ok());
    let taken: u64 = lengths.map(|metadata| metadata.len()).sum();
    crate::platform::free_bytes(home).is_some_and(|free| free < taken)
}

/// Whether anything is there, be it a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Removes a folder with all that is in it, or whatever else is in its place.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let is_folder = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(DatabaseError::sync(path, error).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_home_is_measured() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Sizes::of(home.path()), Sizes::default());
        for (folder, bytes) in [("journal", 10_000), ("db", 20_000), ("db.aside", 40_000)] {
            let folder = home.path().join(folder);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("file"), vec![1; bytes]).unwrap();
        }
        std::fs::write(home.path().join("slots"), [1; 32]).unwrap();
        let Sizes {
            journal,
            database,
            keys,
        } = Sizes::of(home.path());
        // To the block.
        assert!((10_000..20_000).contains(&journal), "{journal}");
        assert!((60_000..100_000).contains(&database), "{database}");
        assert!((32..10_000).contains(&keys), "{keys}");
    }

    #[test]
    fn what_is_called_otherwise_is_left() {
        let home = tempfile::tempdir().unwrap();
        let names = [
            "db.new",
            "db.new.1",
            "db.new.20",
            "db.newer",
            "db.new.x",
            "db",
        ];
        for name in names {
            std::fs::create_dir(home.path().join(name)).unwrap();
        }
        assert_eq!(left_at(home.path(), NEW).len(), 3);
        assert!(clear(home.path(), NEW));
        assert!(!clear(home.path(), NEW));
        for (name, is_left) in names.iter().zip([false, false, false, true, true, true]) {
            assert_eq!(home.path().join(name).exists(), is_left, "{name}");
        }
        assert_eq!(free(home.path(), NEW), home.path().join(NEW));
    }
}
