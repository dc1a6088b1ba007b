//! Opening: the journal says what is committed, and the database is brought up to it, or built again from it.
//!
//! ```text
//! closed, or the system still runs ─▶ it opens and agrees ─▶ the rest of the journal is applied
//!                                       │ it does not
//!                                       ▼
//! anything else ─▶ the whole journal is read ─▶ another is built beside it ─▶ takes its place
//! ```
//!
//! A database is never given up before the journal is known to be whole, nor one that came further than its journal: it proves
//! that the journal lost something.

use super::agreeing::{Agreed, agreed};
use super::database::{Database, DatabaseError, check_wants, note_moved};
use super::journal::{Journal, Position};
use super::left::{Left, Notice};
use super::places::{
    ASIDE, CHECK, NEW, clear, database_path, free, is_short_of_space, is_there, journal_path,
    remove,
};
use super::records::{self, Applied, Head};
use super::replay::{self, Keys};
use super::watermark::Watermark;
use super::{StoreError, beginning};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is told how far building the database has come.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// What is opened.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) watermark: Watermark,
    pub(super) database: Database,
    pub(super) notice: Notice,
    pub(super) head: Head,
    pub(super) applied: Applied,
    /// How the database was left.
    pub(super) left: Left,
    /// The database was built again, and was not new.
    pub(super) was_built_again: bool,
}

impl Opened {
    /// Leaves it as it was found: nothing was committed.
    pub(super) fn put_back(&mut self) {
        if self.database.sync().is_err() {
            let _ = self.notice.unfit();
            return;
        }
        // What was built again is as good as any.
        let left = if self.was_built_again {
            Left::Killed
        } else {
            self.left
        };
        let _ = self.notice.put_back(left);
    }
}

/// How the parts of a home are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// What is not there is made.
    Make,
    /// Nothing is made in the place of what only a backup can bring back.
    Existing,
    /// The same, and the database is built again whatever it holds.
    Rebuild,
}

/// Opens the journal and the database of a home whose lock is held.
pub(super) fn open(
    home: &Path,
    way: Way,
    keys: Keys<'_>,
    told: &dyn Fn(Progress),
) -> Result<Opened, StoreError> {
    check_there(home, way)?;
    check_wants(&database_path(home))?;
    let (notice, left) = Notice::open(home)?;
    let (mut watermark, noted) = Watermark::open(home)?;
    let journal = beginning::open_journal(home, way, noted)?;
    watermark.note(journal.acknowledged());
    // What commands that were killed left of their own.
    clear(home, NEW);
    clear(home, CHECK);
    let mut opening = Opening {
        home,
        journal: &journal,
        keys,
        notice,
        left,
        is_fit: matches!(left, Left::Closed | Left::Killed),
        is_outdated: false,
        told,
    };
    let kept = if opening.is_fit && way != Way::Rebuild {
        opening.keep()?
    } else {
        None
    };
    let was_built_again = kept.is_none() && journal.acknowledged().group > 1;
    let (database, head, applied) = match kept {
        Some(kept) => kept,
        None => {
            opening.is_fit &= way == Way::Rebuild || opening.is_outdated;
            opening.build_again()?
        }
    };
    if left == Left::Closed && !was_built_again {
        clear(home, ASIDE);
    }
    let notice = opening.notice;
    Ok(Opened {
        journal,
        watermark,
        database,
        notice,
        head,
        applied,
        left,
        was_built_again,
    })
}

/// Whether the parts are there that cannot be made anew.
pub(super) fn check_there(home: &Path, way: Way) -> Result<(), StoreError> {
    let has = |name: &str| home.join(name).exists();
    if has("journal") {
        let slots = home.join("slots");
        if slots.exists() && !slots.is_file() {
            return Err(StoreError::NoFile(slots));
        }
        if way != Way::Make && !slots.is_file() {
            return Err(StoreError::Missing(slots));
        }
        return Ok(());
    }
    // The last version that had none did not note how the database was left either.
    if has("db") && !super::left::path(home).exists() {
        return Err(StoreError::Older(records::WITHOUT_JOURNAL));
    }
    if way != Way::Make || has("db") {
        return Err(StoreError::Missing(journal_path(home)));
    }
    Ok(())
}

/// How far building the database has come, in groups of the journal.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// So many are applied.
    pub done: u64,
    /// So many there are.
    pub all: u64,
}

type Kept = (Database, Head, Applied);

struct Opening<'a> {
    home: &'a Path,
    journal: &'a Journal,
    keys: Keys<'a>,
    notice: Notice,
    left: Left,
    /// Whether the database that is there is of use.
    is_fit: bool,
    /// Whether it holds all that it should, and is built again for the shape of its indexes alone.
    is_outdated: bool,
    told: &'a dyn Fn(Progress),
}

impl Opening<'_> {
    /// The database as it is, with the rest of the journal. None where it has to be built again.
    fn keep(&mut self) -> Result<Option<Kept>, StoreError> {
        let path = database_path(self.home);
        if !path.join("db").is_file() {
            return Ok(None);
        }
        // Before the engine is opened, which writes.
        self.notice.opened()?;
        let database = match Database::open(&path) {
            Ok(database) => database,
            Err(error) if error.is_damage() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database does not open"
                );
                return Ok(None);
            }
            Err(error) => {
                let left = match error {
                    // It ended as one that is killed.
                    DatabaseError::Wanting {
                        has_begun: true, ..
                    } => Left::Killed,
                    _ if error.may_have_written() => Left::Unfit,
                    _ => self.left,
                };
                self.notice.put_back(left)?;
                return Err(error.into());
            }
        };
        let kept = agreed(&database, &self.journal.reader(), self.keys.index).and_then(|agreed| {
            match agreed {
                Agreed::As(head, applied) => self.apply(&database, Some((head, applied))).map(Some),
                Agreed::Outdated => {
                    self.is_outdated = true;
                    Ok(None)
                }
                Agreed::Not => Ok(None),
            }
        });
        match kept {
            Ok(Some((head, applied))) => Ok(Some((database, head, applied))),
            Ok(None) if self.is_outdated => {
                tracing::warn!(
                    "the database is of an earlier version of the program, or its `index.key` is gone"
                );
                Ok(None)
            }
            Ok(None) => {
                tracing::warn!("the database does not agree with the journal");
                Ok(None)
            }
            Err(error) if error.is_damage() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database cannot be read"
                );
                Ok(None)
            }
            Err(error) => {
                let left = if is_left_whole(database) {
                    self.left
                } else {
                    Left::Unfit
                };
                let _ = self.notice.put_back(left);
                Err(error)
            }
        }
    }

    /// Reads the whole journal, and builds another database beside the one that is there. Only a whole one takes its place.
    fn build_again(&mut self) -> Result<Kept, StoreError> {
        let (path, new) = (database_path(self.home), free(self.home, NEW));
        if self.is_fit {
            self.notice.opened()?;
        } else {
            self.notice.unfit()?;
        }
        let is_first = self.journal.acknowledged().group <= 1;
        if !is_first {
            tracing::warn!("building the database again from the journal");
        }
        let looked = self.look_at(&path);
        let built = looked.and_then(|()| {
            self.read_all()?;
            let built = self.build(&new);
            // Nothing is in these any more that the journal has not.
            match built {
                Err(error) if error.full().is_some() && clear(self.home, ASIDE) => {
                    tracing::warn!("no space was left: the database that was moved aside is gone");
                    self.build(&new)
                }
                built => built,
            }
        });
        let built = match built {
            Err(error)
                if error.full().is_some()
                    && (!self.is_fit || self.is_outdated)
                    && new.exists()
                    && is_there(&path) =>
            {
                // The whole journal was read before.
                tracing::warn!("no space is left: removing the database that is built again");
                self.is_fit = false;
                self.notice.unfit()?;
                remove(&path)?;
                self.build(&new)
            }
            built => built,
        };
        if let Err(error) = built {
            // It would only take space away.
            let _ = remove(&new);
            if self.is_fit {
                // It was only looked at.
                let _ = self.notice.put_back(self.left);
            } else {
                let _ = self.notice.unfit();
            }
            return Err(error);
        }
        self.notice.unfit()?;
        let failed = |source| DatabaseError::sync(&path, source);
        if is_there(&path) {
            std::fs::rename(&path, free(self.home, ASIDE)).map_err(failed)?;
        }
        std::fs::rename(&new, &path).map_err(failed)?;
        crate::platform::sync_folder(self.home).map_err(failed)?;
        note_moved(&path);
        if is_short_of_space(self.home, ASIDE) {
            clear(self.home, ASIDE);
        }
        self.notice.opened()?;
        let database = Database::open(&path)?;
        let Agreed::As(head, applied) = agreed(&database, &self.journal.reader(), self.keys.index)?
        else {
            return Err(StoreError::Damaged("it is not what was just built"));
        };
        if !is_first {
            tracing::warn!("the database is built again; it holds all that the journal does");
        }
        Ok((database, head, applied))
    }

    /// Reads the whole journal once, so that nothing is given up for one that is damaged.
    fn read_all(&self) -> Result<(), StoreError> {
        for group in self.journal.read(Position::START)? {
            group?;
        }
        Ok(())
    }

    /// Builds a database at a place, and closes it.
    fn build(&self, new: &Path) -> Result<(), StoreError> {
        remove(new)?;
        let mut database = Database::open(new)?;
        self.apply(&database, None)?;
        database.sync()?;
        Ok(database.close()?)
    }

    /// Applies what the journal holds beyond a place.
    fn apply(
        &self,
        database: &Database,
        from: Option<(Head, Applied)>,
    ) -> Result<(Head, Applied), StoreError> {
        let all = self.journal.acknowledged().group;
        let from = match from {
            Some((head, applied)) => (Some(head), applied),
            None => (None, Applied::nothing(self.keys.index)),
        };
        let groups = self.journal.read(from.1.after)?;
        let mut last_told = Instant::now();
        let (head, applied) = replay::apply_all(database, self.keys, groups, from, |group| {
            let done = group.number + 1;
            (self.told)(Progress { done, all });
            if last_told.elapsed() >= TOLD_EVERY {
                last_told = Instant::now();
                tracing::warn!(
                    done,
                    all,
                    "groups of the journal are applied to the database"
                );
            }
            Ok(())
        })?;
        let head = head.ok_or_else(|| StoreError::Empty(journal_path(self.home)))?;
        Ok((head, applied))
    }

    /// Looks at the database that is to be given up. One for which even that there is no space is not looked at.
    fn look_at(&mut self, path: &Path) -> Result<(), StoreError> {
        match self.check_not_further(path) {
            Err(error) if error.full().is_some() => {}
            looked => return looked,
        }
        if clear(self.home, ASIDE) {
            tracing::warn!("no space was left: the database that was moved aside is gone");
            match self.check_not_further(path) {
                Err(error) if error.full().is_some() => {}
                looked => return looked,
            }
        }
        tracing::warn!("no space is left to look at the database that cannot be relied on");
        self.is_fit = false;
        Ok(())
    }

    /// A database that is not relied on may still prove that the journal was longer.
    fn check_not_further(&mut self, path: &Path) -> Result<(), StoreError> {
        if !path.join("db").is_file() {
            return Ok(());
        }
        let opened = Database::open(path);
        let agreed = match &opened {
            Ok(database) => agreed(database, &self.journal.reader(), self.keys.index),
            Err(_) => Ok(Agreed::Not),
        };
        let (failed, opened) = match opened {
            Ok(database) => (!is_left_whole(database), Ok(())),
            Err(error) => (error.may_have_written(), Err(error)),
        };
        self.is_fit &= !failed;
        match (agreed, opened) {
            (Err(lost @ StoreError::Lost { .. }), _) => Err(lost),
            (_, Err(error @ (DatabaseError::InUse { .. } | DatabaseError::Wanting { .. }))) => {
                Err(error.into())
            }
            (_, Err(error @ DatabaseError::Full { .. })) => Err(error.into()),
            // What cannot be opened or read proves nothing.
            _ => Ok(()),
        }
    }
}

/// Closes a database that was looked at. Whether all of it is on the disk then, as it was found.
fn is_left_whole(mut database: Database) -> bool {
    let has_failed = database.failed().is_some();
    let synced = database.sync();
    database.close().is_ok() && synced.is_ok() && !has_failed
}
