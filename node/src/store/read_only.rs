//! A store that is only read: its database is copied, or built from the journal, at another place, and nothing is written to the
//! home. For one on a full disk, or on a file system that cannot be written to, or whose journal is damaged or gone: then it is read as
//! far as its database goes, or up to what is lost.

use super::agreeing::{Agreed, agreed, has_entries_of, standing_of};
use super::database::{Database, check_wants};
use super::index_key::IndexKey;
use super::journal::{Damage, Group, Journal, JournalError, Position, Reader, Salvaged};
use super::left::{self, Left};
use super::opening::{Way, check_there};
use super::parts::head_of;
use super::places::{database_path, journal_path, remove};
use super::records::{Applied, Head};
use super::replay::{Keys, apply_all};
use super::slots::{SlotError, Slots};
use super::{DatabaseError, Shared, Store, StoreError, is_open, reader, start_of, watermark};
use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How the folders begin in which such databases are.
const PREFIX: &str = "ambit-read-";
/// What says in one that it is in use, and what stands in it, by which such a folder is known.
const IN_USE: &str = "lock";
const MADE_HERE: &str = "ambit --read-only\n";
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
        check_readable(home)?;
        check_wants(&database_path(home))?;
        let aside = Aside::make()?;
        let looked = look(home)?;
        // After the end of the journal is known: keys are there before what is sealed with them.
        let slots = RefCell::new(Slots::open_read_only(&home.join("slots"))?);
        let (index_key, database, begun) = match copied(home, &aside, &looked)? {
            Some((index_key, database, (head, applied))) => {
                (index_key, database, (Some(head), applied))
            }
            None => {
                if matches!(looked, Looked::Gone) {
                    return Err(StoreError::Missing(journal_path(home)));
                }
                if matches!(looked, Looked::Damaged(_)) {
                    tracing::warn!(
                        "the database in `db` is not used, because it is in use, cannot be copied, or cannot be relied on"
                    );
                }
                let index_key = IndexKey::draw()?;
                let nothing = (None, Applied::nothing(&index_key));
                (index_key, aside.database("db")?, nothing)
            }
        };
        let open_with = Keys {
            index: &index_key,
            open: &|block, id| {
                let opened =
                    reader::open_block(block, id, |slot| slots.borrow_mut().used_key(slot));
                // What the keys that are there do not open is left out.
                opened.map_err(|error| match error {
                    StoreError::Slot(SlotError::Cut { .. }) => reader::UNREADABLE,
                    error => error,
                })
            },
        };
        let groups = looked.groups(home, begun.1.after)?;
        let applied = apply_all(&database, open_with, groups, begun, |_| Ok(()));
        let (head, _) = applied.map_err(|error| match error {
            StoreError::Database(error) => aside.error(error).into(),
            error => error,
        })?;
        let head = head.ok_or_else(|| StoreError::Empty(journal_path(home)))?;
        if !matches!(looked, Looked::Whole(_)) {
            tracing::warn!(
                entries = head.frontier.size(),
                "this many entries are shown; what is not found may be among what is lost"
            );
        }
        let mut slots = slots.into_inner();
        let checked = slots.check(head.slot).map_err(StoreError::from);
        match checked.and_then(|()| reader::check_keys(&database, &mut slots)) {
            Err(StoreError::Slot(error)) => tracing::warn!(%error, "not all readings open"),
            checked => checked?,
        }
        let published = start_of(&database, head)?;
        Ok(Self {
            shared: Shared::read_only((database, aside), published, slots, index_key).into(),
            writer: None,
        })
    }
}

/// Whether the parts are there without which nothing can be shown: a database is as good as the journal that it was built from.
fn check_readable(home: &Path) -> Result<(), StoreError> {
    let has_rest = database_path(home).is_dir() && home.join("slots").is_file();
    match check_there(home, Way::Existing) {
        Err(StoreError::Missing(part)) if part == journal_path(home) && has_rest => Ok(()),
        checked => checked,
    }
}

impl Aside {
    /// Makes a folder that nobody else may look into, and removes those that processes left which were killed.
    fn make() -> Result<Self, StoreError> {
        let place = std::env::temp_dir();
        remove_left(&place);
        let failed = |error| aside_error(&place, DatabaseError::sync(&place, error));
        let folder = crate::platform::temporary_private_folder(&place, PREFIX).map_err(failed)?;
        // It is in use once it is there.
        let made = folder.path().join("lock.new");
        std::fs::write(&made, MADE_HERE).map_err(failed)?;
        let in_use = File::open(&made).map_err(failed)?;
        in_use.try_lock().map_err(|error| failed(error.into()))?;
        std::fs::rename(&made, folder.path().join(IN_USE)).map_err(failed)?;
        Ok(Self {
            folder,
            _in_use: in_use,
        })
    }
}

impl Aside {
    /// The database of a name, or another one.
    fn database(&self, name: &str) -> Result<Database, DatabaseError> {
        Database::open(&self.folder.path().join(name)).map_err(|error| self.error(error))
    }

    fn error(&self, error: DatabaseError) -> DatabaseError {
        aside_error(self.folder.path(), error)
    }
}

fn remove_left(place: &Path) {
    let found = std::fs::read_dir(place).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX))
    };
    for path in found.map(|found| found.path()).filter(is_ours) {
        // What cannot be looked into, or removed, is another user's, who may have put anything there.
        let lock = path.join(IN_USE);
        let in_use = crate::platform::open_now(&lock).and_then(|mut in_use| {
            let mut made = Vec::new();
            in_use
                .by_ref()
                .take(MADE_HERE.len() as u64 + 1)
                .read_to_end(&mut made)?;
            Ok((made == MADE_HERE.as_bytes()).then_some(in_use))
        });
        let is_left = in_use.is_ok_and(|in_use| in_use.is_some_and(|lock| lock.try_lock().is_ok()));
        if is_left {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// What fails beside the home is no fault of the home's.
fn aside_error(folder: &Path, error: DatabaseError) -> DatabaseError {
    let path = folder.to_owned();
    match error {
        DatabaseError::Full { .. } => DatabaseError::FullAside { path },
        DatabaseError::Sync { source, .. } => DatabaseError::Aside { path, source },
        error => error,
    }
}

/// What is found of a journal.
enum Looked {
    Whole(Reader),
    Damaged(Damage),
    /// There is none.
    Gone,
}

/// Looks at a journal. What another process is appending is not damaged.
fn look(home: &Path) -> Result<Looked, StoreError> {
    let folder = journal_path(home);
    let mut looks = 0;
    loop {
        let noted = watermark::read(home)?;
        match Journal::read_only(&folder, Position::START, noted.group) {
            Ok((reader, _)) => return Ok(Looked::Whole(reader)),
            Err(JournalError::Damaged(_)) if looks < LOOKS_MAX && is_open(home) => {
                looks += 1;
                std::thread::sleep(LOOKS_INTERVAL);
            }
            Err(JournalError::Damaged(damage)) => return Ok(Looked::Damaged(damage)),
            Err(JournalError::NotThere(folder)) => {
                tracing::warn!(
                    folder = %folder.display(),
                    "there is no journal: shown is what the database holds, where it can be relied on; keep the home as it is, and \
                     restore it from the latest whole backup elsewhere"
                );
                return Ok(Looked::Gone);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

type Groups = Box<dyn Iterator<Item = Result<Group, JournalError>>>;

impl Looked {
    /// The groups from a position on, up to what is lost; none where a database goes as far, or beyond.
    fn groups(&self, home: &Path, from: Position) -> Result<Groups, StoreError> {
        let damage = match self {
            Self::Whole(reader) if from.group >= reader.end().group => {
                return Ok(Box::new(std::iter::empty()));
            }
            Self::Whole(reader) => return Ok(Box::new(reader.read(from)?)),
            Self::Damaged(damage) => damage,
            Self::Gone => return Ok(Box::new(std::iter::empty())),
        };
        tracing::warn!(
            damage = %damage,
            "the journal is damaged: shown is what the database holds, where it can be relied on, and what follows that in the \
             journal up to the next loss; `ambit store check` names the entries that are lost"
        );
        let mut next = from.group;
        let behind = salvaged(home)?
            .skip_while(move |group| group.as_ref().is_ok_and(|group| group.number < from.group));
        let following = behind.take_while(move |group| {
            let is_next = group.as_ref().map_or(true, |group| group.number == next);
            next += 1;
            is_next
        });
        Ok(Box::new(following))
    }
}

/// The groups that are whole of a journal that is damaged. Where it took no group away, the next one follows.
fn salvaged(
    home: &Path,
) -> Result<impl Iterator<Item = Result<Group, JournalError>> + use<>, StoreError> {
    let found = Journal::salvage(&journal_path(home))?;
    Ok(found.filter_map(|found| match found {
        Ok(Salvaged::Group(group)) => Some(Ok(group)),
        Ok(Salvaged::Gap(_) | Salvaged::Torn { .. }) => None,
        Err(error) => Some(Err(error)),
    }))
}

type Copied = (IndexKey, Database, (Head, Applied));

/// A copy of the database that a home has, where that can be relied on: it is there sooner than one that is built, and holds also
/// what a damaged journal lost.
fn copied(home: &Path, aside: &Aside, looked: &Looked) -> Result<Option<Copied>, StoreError> {
    let left = left::read(home);
    let is_fit = matches!(left, Some((Left::Closed | Left::Killed, _)));
    let (false, Some(index_key)) = (is_open(home), IndexKey::read(home)) else {
        return Ok(None);
    };
    // One that cannot be relied on may still prove that the journal was longer.
    if !is_fit && !matches!(looked, Looked::Whole(_)) {
        return Ok(None);
    }
    let place = aside.folder.path().join("copy");
    if !copy(&database_path(home), &place) {
        // It would take space from one that is built.
        let _ = remove(&place);
        return Ok(None);
    }
    // Whoever has opened it meanwhile has written to it.
    if is_open(home) || left::read(home) != left {
        return Ok(None);
    }
    let Ok(database) = aside.database("copy") else {
        return Ok(None);
    };
    // What it holds is asked for later, when nothing else could take its place.
    if !database.is_whole() {
        tracing::warn!(
            "the database is damaged, and is not relied on: what is shown is read from the journal"
        );
        return Ok(None);
    }
    let agreed = match looked {
        Looked::Whole(reader) => agreed(&database, reader, &index_key).map(|agreed| match agreed {
            Agreed::As(head, applied) => Some((head, applied)),
            // Built from the journal, it has all that is looked for.
            Agreed::Outdated | Agreed::Not => None,
        }),
        Looked::Damaged(_) => Ok(of_same_course(&database, home, &index_key)?),
        Looked::Gone => held(&database, &index_key),
    };
    let agreed = match agreed {
        Err(StoreError::Lost { from, to }) if !is_fit => {
            tracing::warn!(
                from,
                to,
                "the journal ends before groups that the database holds, which was not closed and is not relied on, so that they are \
                 not shown: keep the home as it is, and restore it from the latest whole backup elsewhere"
            );
            None
        }
        Err(StoreError::Lost { from, to }) => {
            tracing::warn!(
                from,
                to,
                "the journal ends before groups that the database holds: keep the home as it is, and export what is shown"
            );
            held(&database, &index_key)?
        }
        // It is of no use, whatever it is.
        agreed => agreed.unwrap_or(None).filter(|_| is_fit),
    };
    let Some(begun) = agreed else {
        drop(database);
        let _ = remove(&place);
        return Ok(None);
    };
    Ok(Some((index_key, database, begun)))
}

/// How far a database is, where it holds what is whole of a damaged journal up to there.
fn of_same_course(
    database: &Database,
    home: &Path,
    index_key: &IndexKey,
) -> Result<Option<(Head, Applied)>, StoreError> {
    let Some((head, applied)) = held(database, index_key)? else {
        return Ok(None);
    };
    for group in salvaged(home)? {
        let group = group?;
        let incarnation = head_of(&group)?.map(|head| head.incarnation);
        let is_same = incarnation == Some(head.incarnation)
            && (group.number >= applied.after.group || has_entries_of(database, &group)?);
        if !is_same {
            return Ok(None);
        }
    }
    Ok(Some((head, applied)))
}

/// How far a database is that can be read, as it says.
fn held(database: &Database, index_key: &IndexKey) -> Result<Option<(Head, Applied)>, StoreError> {
    let standing = standing_of(database)?;
    Ok(standing.filter(|(_, applied)| index_key.can_read(&applied.index_key)))
}

/// Copies the files of a database. False where that cannot be done.
fn copy(from: &Path, to: &Path) -> bool {
    let copied = || -> std::io::Result<()> {
        std::fs::create_dir(to)?;
        for found in std::fs::read_dir(from)? {
            let found = found?;
            if found.file_type()?.is_file() {
                std::fs::copy(found.path(), to.join(found.file_name()))?;
            }
        }
        Ok(())
    };
    copied().is_ok()
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
            std::fs::write(folder.join(IN_USE), MADE_HERE).unwrap();
        }
        // What others put there is neither waited for nor removed.
        let others = ["ambit-read-notes", "ambit-read-pipe", "ambit-read-link"];
        let others = others.map(|name| place.path().join(name));
        others
            .iter()
            .for_each(|folder| std::fs::create_dir(folder).unwrap());
        std::fs::write(others[0].join(IN_USE), "of mine").unwrap();
        #[cfg(unix)]
        {
            let made = std::process::Command::new("mkfifo")
                .arg(others[1].join(IN_USE))
                .status();
            assert!(made.unwrap().success());
            std::os::unix::fs::symlink(used.join(IN_USE), others[2].join(IN_USE)).unwrap();
        }
        let in_use = File::open(used.join(IN_USE)).unwrap();
        in_use.try_lock().unwrap();
        remove_left(place.path());
        assert!(!left.exists() && used.exists());
        drop(in_use);
        remove_left(place.path());
        assert!(!used.exists());
        assert!(others.iter().all(|folder| folder.exists()));
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
