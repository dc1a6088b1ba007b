//! A journal stopped at every point, and one whose every operation fails once.

use super::super::faults::{Change, Disk, Fault, Plan};
use super::super::{Journal, JournalError, Position};
use super::{Groups, Numbers, count, folder, open, read, salvage};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

/// Up to so many images, all are looked at.
const IMAGES_ALL: usize = 1 << 10;
/// How many are drawn where there are more.
const IMAGES_DRAWN: usize = 500;

/// Opens a journal, or makes it where none is there.
fn open_or_create(folder: &Path, acknowledged: u64) -> Result<Journal, JournalError> {
    match open(folder, acknowledged) {
        Err(JournalError::NotThere(_)) if acknowledged == 0 => Journal::create(folder),
        opened => opened.map(|(journal, _)| journal),
    }
}

/// What one process does, and how many groups it was told are on the disk after how many changes.
struct Run<'a> {
    folder: &'a Path,
    model: &'a Groups,
    plan: Option<&'a Plan>,
    acknowledged: Vec<(usize, u64)>,
}

impl Run<'_> {
    fn acknowledge(&mut self, groups: u64) {
        let changes = self.plan.map_or(0, |plan| plan.changes().len());
        self.acknowledged.push((changes, groups));
    }

    fn groups(&self) -> u64 {
        self.acknowledged.last().map_or(0, |(_, groups)| *groups)
    }

    /// Appends what is missing of the model. Every fourth group is synced by the one behind it.
    fn go(&mut self) -> Result<(), (Option<Journal>, JournalError)> {
        let begun = self.groups();
        let mut journal = open_or_create(self.folder, begun).map_err(|error| (None, error))?;
        let first = journal.acknowledged().group;
        self.acknowledge(first);
        for (group, number) in self
            .model
            .iter()
            .zip(0..)
            .skip(usize::try_from(first).unwrap())
        {
            let appended = journal.append(group);
            let is_synced = number % 4 == 3 && number + 1 < count(self.model);
            let done = appended.and_then(|_| if is_synced { Ok(()) } else { journal.sync() });
            if let Err(error) = done {
                self.acknowledge(journal.acknowledged().group);
                return Err((Some(journal), error));
            }
            self.acknowledge(journal.acknowledged().group);
        }
        Ok(())
    }
}

/// Whatever a crash left: it opens with all that was acknowledged and none in part, goes on, and opens again.
#[track_caller]
fn check(folder: &Path, acknowledged: u64, model: &Groups) {
    let mut journal = open_or_create(folder, acknowledged).unwrap();
    let mut held = read(&journal, Position::START).unwrap();
    assert!(count(&held) >= acknowledged);
    assert_eq!(held, model[..held.len()]);
    let (numbers, others) = salvage(folder, model);
    assert_eq!(count(&held), numbers.len() as u64, "{others:?}");
    let further = vec![b"further".to_vec(), Vec::new()];
    journal.append(&further).unwrap();
    journal.sync().unwrap();
    held.push(further);
    assert_eq!(read(&journal, Position::START).unwrap(), held);
    drop(journal);
    let (journal, opened) = open(folder, count(&held)).unwrap();
    assert_eq!(opened.torn_bytes, 0);
    assert_eq!(read(&journal, Position::START).unwrap(), held);
}

/// The images that a crash after some changes can leave: which of the unsynced changes are there, under which names.
fn images(disk: &Disk, numbers: &mut Numbers, drawn: usize) -> Vec<(usize, Vec<bool>)> {
    let (pending, names) = disk.unsynced();
    let is_few = pending <= 10 && names << pending <= IMAGES_ALL.min(drawn * 3);
    if is_few {
        let subset = |bits: usize| (0..pending).map(|at| bits >> at & 1 == 1).collect();
        let subsets = (0..1 << pending).map(subset);
        return subsets
            .flat_map(|subset: Vec<bool>| (0..names).map(move |names| (names, subset.clone())))
            .collect();
    }
    let mut images = vec![
        (0, vec![false; pending]),
        (names - 1, vec![false; pending]),
        (names - 1, vec![true; pending]),
    ];
    images.extend((0..drawn).map(|_| {
        let subset = (0..pending).map(|_| numbers.below(2) == 1).collect();
        (numbers.below(names), subset)
    }));
    images
}

/// Runs a process to the end, after an earlier one that left these changes and what it had written in memory, and looks at
/// every image of every stop. Says what was changed, and what was acknowledged after how many changes.
fn stop_everywhere(
    earlier: &[Change],
    home: &Path,
    begun: u64,
    model: &Groups,
    drawn: usize,
) -> (Vec<Change>, Vec<(usize, u64)>) {
    let plan = Plan::count(home);
    let mut run = Run {
        folder: home,
        model,
        plan: Some(&plan),
        acknowledged: vec![(0, begun)],
    };
    run.go().map_err(|(_, error)| error).unwrap();
    let acknowledged = run.acknowledged;
    let changes = plan.changes();
    drop(plan);
    let mut numbers = Numbers(7);
    let image_folder = folder();
    let image = image_folder.path().join("journal");
    for length in 0..=changes.len() {
        let disk = Disk::after(&[earlier, &changes[..length]].concat());
        let groups = acknowledged_by(&acknowledged, length);
        for (names, subset) in images(&disk, &mut numbers, drawn) {
            disk.write(&image, names, |change| subset[change]);
            check(&image, groups, model);
        }
    }
    (changes, acknowledged)
}

/// How many groups were acknowledged after so many changes.
fn acknowledged_by(marks: &[(usize, u64)], changes: usize) -> u64 {
    let marks = marks.iter().filter(|(made, _)| *made <= changes);
    marks.map(|(_, groups)| *groups).max().unwrap_or(0)
}

fn model() -> Groups {
    let mut model = Numbers(1).groups(8, 600);
    // Larger than the first segment, and one that is smaller than a sector.
    model[2] = vec![Numbers(2).bytes(2_700), Numbers(3).bytes(700)];
    model[5] = vec![b"small".to_vec()];
    model
}

#[test]
fn stopped_at_every_point_a_journal_holds_what_was_acknowledged_and_goes_on() {
    let home = folder();
    stop_everywhere(&[], &home.path().join("journal"), 0, &model(), IMAGES_DRAWN);
}

/// Killed at any point, what was written is in memory, and the next process finds it. What it takes for acknowledged has to
/// outlive a power cut as well, and what it finds torn stays torn.
#[test]
fn stopped_again_after_a_kill_it_does_as_well() {
    let (model, home) = (model(), folder());
    let home = home.path().join("journal");
    let (changes, acknowledged) = stop_everywhere(&[], &home, 0, &model, 0);
    let mut torn = 0;
    for length in 0..changes.len() {
        let earlier = &changes[..length];
        let groups = acknowledged_by(&acknowledged, length);
        let disk = Disk::after(earlier);
        disk.write(&home, disk.unsynced().1 - 1, |_| true);
        if let Ok((_, opened)) = open(&home, groups) {
            torn += u64::from(opened.torn_bytes > 0);
        }
        // With two more of the model: the rest repeats what is tested above.
        let end = usize::try_from(groups).unwrap() + 2;
        let model = &model[..end.min(model.len())].to_vec();
        stop_everywhere(earlier, &home, groups, model, 20);
    }
    assert!(torn >= 6);
}

/// Fails, or stops, at each point in turn; then goes on without.
fn fault_everywhere(fault: Fault) {
    let model = model();
    let mut struck = BTreeSet::new();
    for at in 0.. {
        let home = folder();
        let home = home.path().join("journal");
        let plan = Plan::lay(&home, at, fault);
        let mut run = Run {
            folder: &home,
            model: &model,
            plan: None,
            acknowledged: Vec::new(),
        };
        let done = run.go();
        let acknowledged = run.groups();
        if !plan.has_struck() {
            assert!(done.is_ok());
            break;
        }
        struck.insert(plan.points().last().unwrap().0);
        let (journal, error) = done.unwrap_err();
        let is_full = fault == Fault::Fail(ErrorKind::StorageFull);
        assert_eq!(is_full, matches!(error, JournalError::Full { .. }));
        if let Some(mut journal) = journal {
            let changes = plan.changes().len();
            let again = [journal.append(&[b"more"]).map(drop), journal.sync()];
            for again in again {
                let again = again.unwrap_err();
                let is_told = match again {
                    JournalError::Full { .. } => is_full,
                    JournalError::Stopped { .. } => !is_full,
                    _ => false,
                };
                assert!(is_told, "{again:?}");
            }
            assert_eq!(plan.changes().len(), changes, "nothing more is written");
            // What was acknowledged can still be read.
            let held = read(&journal, Position::START).unwrap();
            assert_eq!(held, model[..usize::try_from(acknowledged).unwrap()]);
        }
        if matches!(fault, Fault::Fail(_)) && home.is_dir() {
            let mut found = std::fs::read_dir(&home).unwrap();
            assert!(found.all(|found| found.unwrap().path().extension().unwrap() == "seg"));
        }
        drop(plan);
        check(&home, acknowledged, &model);
    }
    assert!(struck.len() >= 9, "{struck:?}");
}

#[test]
fn ended_at_every_point_a_process_leaves_what_opens_again() {
    fault_everywhere(Fault::Stop);
}

#[test]
fn an_error_at_any_point_loses_nothing_acknowledged() {
    fault_everywhere(Fault::Fail(ErrorKind::Other));
}

#[test]
fn a_full_disk_at_any_point_is_told_and_loses_nothing_acknowledged() {
    fault_everywhere(Fault::Fail(ErrorKind::StorageFull));
}
