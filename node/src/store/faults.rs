//! Points at which a test stops a store, or has it fail. In tests only.
//!
//! A plan belongs to a home, and counts the points that the store there passes. Stopped at one, nothing of the
//! store's own reaches the disk any more, as if the process had ended. What a crash leaves behind depends on what
//! had reached the disk, see [`Plan`].

use super::journal::faults::{Change, Disk};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the store is about to touch the disk, or just has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// One of the journal's.
    Journal(super::journal::faults::Point),
    /// Before it is noted how the database is left,
    Left,
    /// and after that.
    LeftSynced,
    /// Before a record, and before what says how far the database is.
    Apply,
    /// Before the engine hands what it buffers to the system.
    Flush,
    /// Before the database file is synced.
    Sync,
    /// After that.
    Synced,
    /// Before new slots are written,
    SlotsWrite,
    /// half-way through,
    SlotsHalf,
    /// before they are synced,
    SlotsSync,
    /// and after that.
    SlotsSynced,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process ends.
    Stop,
    /// The system reports an error, and works again afterwards.
    Fail(io::ErrorKind),
}

/// Which point, and what happens there.
///
/// With [`Fault::Stop`] several homes are left behind:
/// * the home itself, once the store is dropped: everything applied before the point has reached the disk, for the
///   engine writes what it buffers when it is dropped;
/// * [`Plan::killed`]: what had been handed to the system, whose memory outlives a process;
/// * those of [`Plan::cut`], as by a power cut: what was synced, and any of the rest in any order.
#[derive(Debug)]
pub(super) struct Plan {
    home: PathBuf,
    at: usize,
    fault: Fault,
    images: tempfile::TempDir,
    passed: Mutex<Passed>,
}

#[derive(Debug, Default)]
struct Passed {
    points: Vec<Point>,
    /// The journal as the disk may hold it.
    journal: Disk,
    after: Vec<Point>,
    has_struck: bool,
}

static PLANS: Mutex<BTreeMap<PathBuf, Arc<Plan>>> = Mutex::new(BTreeMap::new());

/// A plan in force, until it is dropped. Stores opened meanwhile follow it.
#[derive(Debug)]
pub(super) struct Laid(Arc<Plan>);

impl std::ops::Deref for Laid {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl Laid {
    /// Puts it out of force. What it left behind stays.
    pub(super) fn lift(&self) {
        lock(&PLANS).remove(&self.0.home);
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        self.lift();
    }
}

impl Plan {
    /// Lays a plan for the store of this home: at the point of this number, counted from 0.
    pub(super) fn lay(home: &Path, at: usize, fault: Fault) -> Laid {
        let plan = Arc::new(Self {
            home: home.to_owned(),
            at,
            fault,
            images: tempfile::tempdir().unwrap(),
            passed: Mutex::default(),
        });
        // What lies there before is on the disk.
        copy(home, &plan.synced());
        lock(&plan.passed).journal = Disk::holding(files(&home.join("journal")));
        lock(&PLANS).insert(home.to_owned(), Arc::clone(&plan));
        Laid(plan)
    }

    /// Lays one under which nothing happens, to count the points.
    pub(super) fn count(home: &Path) -> Laid {
        Self::lay(home, usize::MAX, Fault::Stop)
    }

    /// The points passed, up to and with the one at which it happened.
    pub(super) fn points(&self) -> Vec<Point> {
        lock(&self.passed).points.clone()
    }

    /// The points passed after an error was reported.
    pub(super) fn after(&self) -> Vec<Point> {
        lock(&self.passed).after.clone()
    }

    /// Whether the point was reached.
    pub(super) fn has_struck(&self) -> bool {
        lock(&self.passed).has_struck
    }

    /// What the system had been handed at the point.
    pub(super) fn killed(&self) -> PathBuf {
        self.images.path().join("killed")
    }

    /// Each file as of its last sync: all but the journal.
    fn synced(&self) -> PathBuf {
        self.images.path().join("synced")
    }

    /// A home as a power cut at the point leaves it: the journal with those of its unsynced sectors that `is_there` says, and
    /// its names in one of so many states; the database in one of the states that a disk may have it in.
    pub(super) fn cut(
        &self,
        names: impl FnOnce(usize) -> usize,
        is_there: impl Fn(usize) -> bool,
        database: Cut,
    ) -> PathBuf {
        let to = self.images.path().join("cut");
        let _ = std::fs::remove_dir_all(&to);
        copy(&self.synced(), &to);
        let passed = lock(&self.passed);
        let (_, states) = passed.journal.unsynced();
        let journal = to.join("journal");
        passed.journal.write(&journal, names(states), &is_there);
        if std::fs::read_dir(&journal).unwrap().next().is_none() {
            std::fs::remove_dir(&journal).unwrap();
        }
        let state = to.join("db.state");
        let left = std::fs::read_to_string(&state).unwrap_or_default();
        if left.trim() == "closed" {
            // Nothing was written to it since it was synced.
            return to;
        }
        // The system was started again since.
        if left.contains("boot") {
            let left = format!("{:<63}\n", "open since boot before");
            std::fs::write(&state, left).unwrap();
        }
        let db = to.join("db");
        match database {
            Cut::Synced => {}
            Cut::Gone => {
                let _ = std::fs::remove_dir_all(&db);
            }
            Cut::Later | Cut::Holes => {
                let _ = std::fs::remove_dir_all(&db);
                let killed = self.killed().join("db");
                if killed.exists() {
                    copy(&killed, &db);
                }
            }
        }
        if database == Cut::Holes
            && let Ok(mut bytes) = std::fs::read(db.join("db"))
        {
            let blocks = bytes.chunks_mut(4_096).enumerate();
            for (_, block) in blocks.filter(|(number, _)| !is_there(*number)) {
                block.fill(0);
            }
            std::fs::write(db.join("db"), bytes).unwrap();
        }
        to
    }

    fn pass(&self, point: Point) -> io::Result<()> {
        let mut passed = lock(&self.passed);
        if passed.has_struck {
            return match self.fault {
                Fault::Stop => Err(io::Error::other("the process has ended")),
                Fault::Fail(_) => {
                    passed.after.push(point);
                    Ok(())
                }
            };
        }
        match point {
            Point::Synced => {
                let (from, to) = (self.home.join("db"), self.synced().join("db"));
                // Files that are gone have to go there as well.
                let _ = std::fs::remove_dir_all(&to);
                copy(&from, &to);
            }
            Point::SlotsSynced => {
                std::fs::create_dir_all(self.synced()).unwrap();
                let (from, to) = (self.home.join("slots"), self.synced().join("slots"));
                std::fs::copy(from, to).unwrap();
            }
            Point::LeftSynced => {
                std::fs::create_dir_all(self.synced()).unwrap();
                let (from, to) = (self.home.join("db.state"), self.synced().join("db.state"));
                std::fs::copy(from, to).unwrap();
            }
            Point::Journal(_)
            | Point::Left
            | Point::Apply
            | Point::Flush
            | Point::Sync
            | Point::SlotsWrite
            | Point::SlotsHalf
            | Point::SlotsSync => {}
        }
        passed.points.push(point);
        if passed.points.len() <= self.at {
            return Ok(());
        }
        passed.has_struck = true;
        match self.fault {
            Fault::Stop => {
                copy(&self.home, &self.killed());
                Err(io::Error::other("the process ends"))
            }
            Fault::Fail(kind) => Err(kind.into()),
        }
    }
}

/// What a power cut makes of a database that was in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// As of its last sync.
    Synced,
    /// All that was handed to the system,
    Later,
    /// and some of that, in any order.
    Holes,
    /// Nothing.
    Gone,
}

/// What a part of the store asks at each point.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Option<Arc<Plan>>);

impl Faults {
    /// Those planned for a home.
    pub(super) fn of(home: &Path) -> Self {
        Self(lock(&PLANS).get(home).cloned())
    }

    /// Passes a point, where nothing is planned for it.
    pub(super) fn pass(&self, point: Point) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |plan| plan.pass(point))
    }

    /// Notes a change of the journal that was made.
    pub(super) fn note(&self, change: impl FnOnce() -> Change) {
        if let Some(plan) = &self.0 {
            let mut passed = lock(&plan.passed);
            // What comes after the end of a process is no change of its.
            if !(passed.has_struck && plan.fault == Fault::Stop) {
                passed.journal.apply(&change());
            }
        }
    }

    /// Passes the point where half of the slots are written; then they are to be written from where they were.
    pub(super) fn pass_half(&self, file: &mut File, keys: &[u8]) -> io::Result<()> {
        // Not even a whole number of keys.
        let (half, _) = keys.split_at(keys.len() / 2 + 7);
        file.write_all(half)?;
        self.pass(Point::SlotsHalf)?;
        file.seek_relative(-i64::try_from(half.len()).unwrap())
    }
}

/// The files of a folder, where it is there.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = found.map(|found| found.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let Ok(found) = std::fs::read_dir(from) else {
        return;
    };
    // A home is its owner's alone.
    let permissions = std::fs::metadata(from).unwrap().permissions();
    std::fs::set_permissions(to, permissions).unwrap();
    for found in found {
        let found = found.unwrap();
        // Only room, and much to copy.
        if found.file_name() == "reserve" {
            continue;
        }
        let to = to.join(found.file_name());
        if found.file_type().unwrap().is_dir() {
            copy(&found.path(), &to);
        } else {
            std::fs::copy(found.path(), to).unwrap();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
