//! A store that is only read: its database is built from the journal at another place, and nothing is written to the home. For one
//! on a full disk, or on a file system that cannot be written to, or whose journal is damaged: then it is read up to what is lost.

use super::database::Database;
use super::index_key::IndexKey;
use super::journal::{Group, Journal, JournalError, Position, Reader, Salvaged};
use super::opening::{Way, check_there};
use super::places::journal_path;
use super::records::Applied;
use super::replay::{Keys, apply_all};
use super::slots::Slots;
use super::{DatabaseError, Shared, Store, StoreError, is_open, reader, start_of, watermark};
use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How the folders begin in which such databases are.
const PREFIX: &str = "ambit-read-";
/// What says in one that it is in use.
const IN_USE: &str = "lock";
/// How often a journal is looked at that another process appends to: a group that is being written is not damaged.
const LOOKS_MAX: usize = 40;
const LOOKS_INTERVAL: Duration = Duration::from_millis(25);

/// Where the database of a store is that is only read: it is removed with this.
#[derive(Debug)]
pub(super) struct Aside {
    folder: TempDir,
    _in_use: File,
}

impl Store {
    /// Opens the store of a home to read what is committed now. Another process may have it open.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn open_read_only(home: &Path) -> Result<Self, StoreError> {
        check_there(home, Way::Existing)?;
        let groups = groups(home)?;
        // After the end of the journal is known: keys are there before what is sealed with them.
        let slots = RefCell::new(Slots::open_read_only(&home.join("slots"))?);
        let index_key = IndexKey::draw()?;
        let aside = Aside::make()?;
        let database = Database::open(&aside.folder.path().join("db"))
            .map_err(|error| aside_error(aside.folder.path(), error))?;
        let keys = Keys {
            index: &index_key,
            open: &|block, id| {
                reader::open_block(block, id, |slot| slots.borrow_mut().used_key(slot))
            },
        };
        let nothing = (None, Applied::nothing(&index_key));
        let applied = apply_all(&database, keys, groups, nothing, |_| Ok(()));
        let (head, _) = applied.map_err(|error| match error {
            StoreError::Database(error) => aside_error(aside.folder.path(), error).into(),
            error => error,
        })?;
        let head = head.ok_or_else(|| StoreError::Empty(journal_path(home)))?;
        let slots = slots.into_inner();
        let published = start_of(&database, head, &slots)?;
        Ok(Self {
            shared: Shared::read_only((database, aside), published, slots, index_key).into(),
            writer: None,
        })
    }
}

impl Aside {
    /// Makes a folder that nobody else may look into, and removes those that processes left which were killed.
    fn make() -> Result<Self, StoreError> {
        let place = std::env::temp_dir();
        remove_left(&place);
        let failed = |error| aside_error(&place, DatabaseError::sync(&place, error));
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let folder = builder.tempdir().map_err(failed)?;
        // It is in use once it is there.
        let made = folder.path().join("lock.new");
        let in_use = File::create(&made).map_err(failed)?;
        in_use.try_lock().map_err(|error| failed(error.into()))?;
        std::fs::rename(&made, folder.path().join(IN_USE)).map_err(failed)?;
        Ok(Self {
            folder,
            _in_use: in_use,
        })
    }
}

fn remove_left(place: &Path) {
    let found = std::fs::read_dir(place).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX))
    };
    for path in found.map(|found| found.path()).filter(is_ours) {
        let in_use = File::open(path.join(IN_USE));
        if in_use.is_ok_and(|in_use| in_use.try_lock().is_ok()) {
            // What cannot be removed is another user's.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// What fails beside the home is no fault of the home's.
fn aside_error(folder: &Path, error: DatabaseError) -> DatabaseError {
    match error {
        DatabaseError::Full { .. } => DatabaseError::FullAside {
            path: folder.to_owned(),
        },
        error => error,
    }
}

type Groups = Box<dyn Iterator<Item = Result<Group, JournalError>>>;

/// The groups of a home's journal, up to what is lost.
fn groups(home: &Path) -> Result<Groups, StoreError> {
    let folder = journal_path(home);
    let mut looked = look(home, &folder);
    for _ in 0..LOOKS_MAX {
        if !matches!(looked, Err(StoreError::Journal(JournalError::Damaged(_)))) || !is_open(home) {
            break;
        }
        std::thread::sleep(LOOKS_INTERVAL);
        looked = look(home, &folder);
    }
    match looked {
        Ok(reader) => Ok(Box::new(reader.read(Position::START)?)),
        Err(StoreError::Journal(JournalError::Damaged(damage))) => {
            tracing::warn!(
                damage = %damage,
                "the journal is damaged: what is lost is not shown, nor what lies behind it; `ambit store check` names the entries"
            );
            let mut next = 0;
            let whole = Journal::salvage(&folder)?.filter_map(|found| match found {
                Ok(Salvaged::Group(group)) => Some(Ok(group)),
                // Where it took no group away, the next one follows.
                Ok(Salvaged::Gap(_) | Salvaged::Torn { .. }) => None,
                Err(error) => Some(Err(error)),
            });
            let following = whole.take_while(move |group| {
                let is_next = group.as_ref().map_or(true, |group| group.number == next);
                next += 1;
                is_next
            });
            Ok(Box::new(following))
        }
        Err(error) => Err(error),
    }
}

fn look(home: &Path, folder: &Path) -> Result<Reader, StoreError> {
    let noted = watermark::read(home)?;
    Ok(Journal::read_only(folder, Position::START, noted.group)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_removed_and_what_is_in_use_is_not() {
        let place = tempfile::tempdir().unwrap();
        let (left, used) = (
            place.path().join("ambit-read-a"),
            place.path().join("ambit-read-b"),
        );
        for folder in [&left, &used] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(IN_USE), "").unwrap();
        }
        let in_use = File::open(used.join(IN_USE)).unwrap();
        in_use.try_lock().unwrap();
        remove_left(place.path());
        assert!(!left.exists() && used.exists());
        drop(in_use);
        remove_left(place.path());
        assert!(!used.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_looks_into_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let aside = Aside::make().unwrap();
        let mode = aside.folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
