//! Points at which a test stops a journal, or has it fail, and a disk that keeps only some of what it was told. In tests only.
//!
//! A plan belongs to a folder. It counts the points that the journal there passes, and notes every change of a file between
//! them. From the changes up to a point follows each state in which a crash can leave the disk. The points and changes are
//! those of the store's plan for the home as well.

use crate::store::faults as store;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the journal is about to touch the disk, or just has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum Point {
    /// Before the file of a new segment is made,
    Reserve,
    /// and before its space is reserved.
    Reserving,
    /// Before a header or a group is written,
    Write,
    /// and half-way through.
    Half,
    /// Before a new segment is synced,
    SegmentSync,
    /// and before it gets its name.
    Rename,
    /// Before what is left of a segment that could not be made is removed.
    Discard,
    /// Before a segment is synced,
    Sync,
    /// and after that.
    Synced,
    /// Before the folder is synced,
    FolderSync,
    /// and after that.
    FolderSynced,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process ends.
    Stop,
    /// The system reports an error, and works again afterwards.
    Fail(io::ErrorKind),
}

/// What was done to a file.
#[derive(Clone, Debug)]
pub(in crate::store) enum Change {
    Create(PathBuf),
    Resize(PathBuf, u64),
    Write(PathBuf, u64, Vec<u8>),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder,
}

/// Which point, and what happens there.
#[derive(Debug)]
pub(super) struct Plan {
    folder: PathBuf,
    at: usize,
    fault: Fault,
    passed: Mutex<Passed>,
}

#[derive(Debug, Default)]
struct Passed {
    /// Each point, with how many changes came before it.
    points: Vec<(Point, usize)>,
    changes: Vec<Change>,
    has_struck: bool,
}

static PLANS: Mutex<BTreeMap<PathBuf, Arc<Plan>>> = Mutex::new(BTreeMap::new());

/// A plan in force, until it is dropped. Journals opened meanwhile follow it.
#[derive(Debug)]
pub(super) struct Laid(Arc<Plan>);

impl std::ops::Deref for Laid {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        lock(&PLANS).remove(&self.0.folder);
    }
}

impl Plan {
    /// Lays a plan for the journal in this folder: at the point of this number, counted from 0.
    pub(super) fn lay(folder: &Path, at: usize, fault: Fault) -> Laid {
        let plan = Arc::new(Self {
            folder: folder.to_owned(),
            at,
            fault,
            passed: Mutex::default(),
        });
        lock(&PLANS).insert(folder.to_owned(), Arc::clone(&plan));
        Laid(plan)
    }

    /// Lays one under which nothing happens.
    pub(super) fn count(folder: &Path) -> Laid {
        Self::lay(folder, usize::MAX, Fault::Stop)
    }

    /// The points passed, up to and with the one at which it happened, each with how many changes came before.
    pub(super) fn points(&self) -> Vec<(Point, usize)> {
        lock(&self.passed).points.clone()
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        lock(&self.passed).changes.clone()
    }

    pub(super) fn has_struck(&self) -> bool {
        lock(&self.passed).has_struck
    }

    fn pass(&self, point: Point) -> io::Result<()> {
        let mut passed = lock(&self.passed);
        if passed.has_struck {
            return match self.fault {
                Fault::Stop => Err(io::Error::other("the process has ended")),
                Fault::Fail(_) => Ok(()),
            };
        }
        let changes = passed.changes.len();
        passed.points.push((point, changes));
        if passed.points.len() <= self.at {
            return Ok(());
        }
        passed.has_struck = true;
        match self.fault {
            Fault::Stop => Err(io::Error::other("the process ends")),
            Fault::Fail(kind) => Err(kind.into()),
        }
    }
}

/// What the journal asks at each point.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    plan: Option<Arc<Plan>>,
    store: store::Faults,
}

impl Faults {
    /// Those planned for a folder.
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            plan: lock(&PLANS).get(folder).cloned(),
            store: store::Faults::of(folder.parent().unwrap_or(folder)),
        }
    }

    /// Passes a point, where nothing is planned for it.
    pub(super) fn pass(&self, point: Point) -> io::Result<()> {
        self.plan.as_ref().map_or(Ok(()), |plan| plan.pass(point))?;
        self.store.pass(store::Point::Journal(point))
    }

    /// Notes a change that was made.
    pub(super) fn note(&self, change: impl FnOnce() -> Change) {
        if let Some(plan) = &self.plan {
            lock(&plan.passed).changes.push(change());
        } else {
            self.store.note(change);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SECTOR: u64 = 512;

/// A file on the disk: what it certainly holds, and what may have got there as well.
#[derive(Clone, Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
enum Pending {
    Size(u64),
    Sector(u64, Vec<u8>),
}

impl Held {
    fn take(&mut self, pending: &Pending) {
        let reach = |bytes: &mut Vec<u8>, to: u64| {
            let to = usize::try_from(to).unwrap();
            bytes.resize(bytes.len().max(to), 0);
        };
        match pending {
            Pending::Size(bytes) => reach(&mut self.bytes, *bytes),
            Pending::Sector(offset, sector) => {
                let end = offset + sector.len() as u64;
                reach(&mut self.bytes, end);
                let start = usize::try_from(*offset).unwrap();
                self.bytes[start..][..sector.len()].copy_from_slice(sector);
            }
        }
    }
}

/// A disk after some changes: each of those not yet synced may have reached it or not, in any order.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Disk {
    files: Vec<Held>,
    names: BTreeMap<PathBuf, usize>,
    /// Every state of the names since the folder was synced.
    later_names: Vec<BTreeMap<PathBuf, usize>>,
}

impl Disk {
    /// One that holds these files, each whole.
    pub(in crate::store) fn holding(files: Vec<(PathBuf, Vec<u8>)>) -> Self {
        let mut disk = Self::default();
        for (path, bytes) in files {
            disk.names.insert(path, disk.files.len());
            disk.files.push(Held {
                bytes,
                pending: Vec::new(),
            });
        }
        disk
    }

    pub(super) fn after(changes: &[Change]) -> Self {
        let mut disk = Self::default();
        changes.iter().for_each(|change| disk.apply(change));
        disk
    }

    fn newest_names(&self) -> &BTreeMap<PathBuf, usize> {
        self.later_names.last().unwrap_or(&self.names)
    }

    fn file(&mut self, path: &Path) -> &mut Held {
        let file = self.newest_names()[path];
        &mut self.files[file]
    }

    pub(in crate::store) fn apply(&mut self, change: &Change) {
        let mut names = self.newest_names().clone();
        match change {
            Change::Create(path) => {
                names.insert(path.clone(), self.files.len());
                self.files.push(Held::default());
                self.later_names.push(names);
            }
            Change::Rename(from, to) => {
                let file = names.remove(from).unwrap();
                names.insert(to.clone(), file);
                self.later_names.push(names);
            }
            Change::Remove(path) => {
                names.remove(path);
                self.later_names.push(names);
            }
            Change::SyncFolder => {
                self.names = names;
                self.later_names.clear();
            }
            Change::Resize(path, bytes) => self.file(path).pending.push(Pending::Size(*bytes)),
            Change::Write(path, offset, bytes) => {
                let (mut offset, mut rest) = (*offset, bytes.as_slice());
                while !rest.is_empty() {
                    let room = usize::try_from(SECTOR - offset % SECTOR).unwrap();
                    let (sector, others) = rest.split_at(room.min(rest.len()));
                    let pending = Pending::Sector(offset, sector.to_vec());
                    self.file(path).pending.push(pending);
                    offset += sector.len() as u64;
                    rest = others;
                }
            }
            Change::Sync(path) => {
                let file = self.file(path);
                for pending in std::mem::take(&mut file.pending) {
                    file.take(&pending);
                }
            }
        }
    }

    /// How many changes may be there or not, and how many states the names may be in.
    pub(in crate::store) fn unsynced(&self) -> (usize, usize) {
        let pending = self.files.iter().map(|file| file.pending.len()).sum();
        (pending, self.later_names.len() + 1)
    }

    /// Writes a folder as a crash left it: with those changes that `is_there` says, and with the names in one of their states.
    pub(in crate::store) fn write(
        &self,
        to: &Path,
        names: usize,
        is_there: impl Fn(usize) -> bool,
    ) {
        let _ = std::fs::remove_dir_all(to);
        std::fs::create_dir_all(to).unwrap();
        let names = match names.checked_sub(1) {
            None => &self.names,
            Some(later) => &self.later_names[later],
        };
        let mut first = 0;
        let mut states = Vec::new();
        for file in &self.files {
            let mut state = file.clone();
            for (number, pending) in file.pending.iter().enumerate() {
                if is_there(first + number) {
                    state.take(pending);
                }
            }
            first += file.pending.len();
            states.push(state.bytes);
        }
        for (path, file) in names {
            std::fs::write(to.join(path.file_name().unwrap()), &states[*file]).unwrap();
        }
    }
}
