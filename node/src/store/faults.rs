//! Points at which a test stops a store, or has it fail. In tests only.
//!
//! A plan belongs to a home, and counts the points that the store there passes. Stopped at one, nothing of the
//! store's own reaches the disk any more, as if the process had ended. What a crash leaves behind depends on what
//! had reached the disk, so there are three images of the home, see [`Plan`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the store is about to touch the disk, or just has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// Before a batch.
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
/// With [`Fault::Stop`] three homes are left behind:
/// * the home itself, once the store is dropped: everything applied before the point has reached the disk, for the
///   engine writes what it buffers when it is dropped;
/// * [`Plan::killed`]: what the engine had handed to the system, whose memory outlives a process;
/// * [`Plan::synced`]: each file as of its last completed sync, all that a power cut has to leave.
///
/// In none of them is a later write there and an earlier one missing. A disk whose cache loses writes in any order can
/// leave that too, and the engine does not always open what comes of it.
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

    /// What was synced before the point.
    pub(super) fn synced(&self) -> PathBuf {
        self.images.path().join("synced")
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
            Point::Apply
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

    /// Passes the point where half of the slots are written; then they are to be written from where they were.
    pub(super) fn pass_half(&self, file: &mut File, keys: &[u8]) -> io::Result<()> {
        // Not even a whole number of keys.
        let (half, _) = keys.split_at(keys.len() / 2 + 7);
        file.write_all(half)?;
        self.pass(Point::SlotsHalf)?;
        file.seek_relative(-i64::try_from(half.len()).unwrap())
    }
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
