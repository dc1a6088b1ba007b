//! Stores that are stopped at every point of their work, as by a crash or an error, and opened again.

use super::super::faults::{Cut, Fault, Plan, Point, copy};
use super::super::{Commit, Committed, Notice, Store, StoreError, journal, left};
use super::model::{Model, UsedSlots};
use super::open;
use super::workload::{Random, commit, drawn, everything, opened};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How many threads share the trials of one test.
const WORKERS: usize = 2;

/// Commits one after the other, until one fails.
fn run(store: &Store, commits: &[Commit]) -> (Vec<Committed>, Option<StoreError>) {
    let mut done = Vec::new();
    for commit in commits {
        match store.commit(commit.clone()) {
            Ok(committed) => done.push(committed),
            Err(error) => return (done, Some(error)),
        }
    }
    (done, None)
}

/// Opens a store and commits, until something fails. Returns what was acknowledged.
fn live(home: &Path, commits: &[Commit]) -> Vec<Committed> {
    Store::open(home).map_or_else(|_| Vec::new(), |store| run(&store, commits).0)
}

/// Compares a store with these commits, of which so many were acknowledged: those are there, and of the next one all or
/// nothing. Returns how many are there.
#[track_caller]
fn check(store: &Store, commits: &[Commit], done: &[Committed], used: &UsedSlots) -> usize {
    let present = (done.len()..=commits.len().min(done.len() + 1)).find(|count| {
        let model = Model::of(&commits[..*count]);
        let published = store.shared.published();
        u64::try_from(model.entries.len()).unwrap() == published.head.frontier.size()
            && model.outboxes == published.outboxes
            && model.inboxes == published.inboxes
    });
    let size = store.size();
    let present = present
        .unwrap_or_else(|| panic!("{} are acknowledged, {size} entries are there", done.len()));
    let model = Model::of(&commits[..present]);
    model.compare(store, used);
    for (done, expected) in done.iter().zip(&model.done) {
        assert_eq!(&done.entries, expected);
    }
    present
}

/// Opens what a crash left, checks it, does what is left to do, and checks that.
#[track_caller]
fn resume(home: &Path, commits: &[Commit], done: &[Committed], used: &UsedSlots) {
    let store = open(home);
    let present = check(&store, commits, done, used);
    let model = Model::of(commits);
    let (rest, error) = run(&store, &commits[present..]);
    assert!(error.is_none(), "{error:?}");
    for (done, expected) in rest.iter().zip(&model.done[present..]) {
        assert_eq!(&done.entries, expected);
    }
    let head = store.tree_head();
    drop(store);
    let store = open(home);
    assert_eq!(store.tree_head(), head);
    model.compare(&store, used);
}

/// Runs trials on several threads; one that fails says which it was.
fn try_all<T: Sync>(cases: &[T], name: impl Fn(&T) -> String + Sync, trial: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let number = || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                while let Some(case) = cases.get(number()) {
                    let tried = std::panic::AssertUnwindSafe(|| trial(case));
                    if let Err(panic) = std::panic::catch_unwind(tried) {
                        println!("the trial that failed: {}", name(case));
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

/// The points that these commits pass in a new home.
fn points(commits: &[Commit]) -> Vec<Point> {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::count(folder.path());
    let done = live(folder.path(), commits);
    assert_eq!(done.len(), commits.len());
    plan.points()
}

/// The points that a run tries: of those at which the database gets another record, of which there are hundreds, every fourth.
fn tried(points: &[Point]) -> Vec<usize> {
    let seed = seed();
    let mut random = Random(seed);
    let is_tried = |at: &usize| points[*at] != Point::Apply || random.below(4) == 0;
    let tried: Vec<usize> = (0..points.len()).filter(is_tried).collect();
    println!("{} of {} points, by seed {seed}", tried.len(), points.len());
    tried
}

#[test]
fn a_stop_at_any_point_leaves_whole_commits() {
    let commits = everything();
    let points = points(&commits);
    let cases = tried(&points);
    let name = |at: &usize| format!("{at}, {:?}", points[*at]);
    try_all(&cases, name, |at| {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::lay(folder.path(), *at, Fault::Stop);
        let done = live(folder.path(), &commits);
        assert!(plan.has_struck());
        plan.lift();
        for image in [folder.path().to_owned(), plan.killed()] {
            // What was killed is looked at once more below.
            let image = copied(&image);
            let mut used = UsedSlots::default();
            used.see(image.path());
            resume(image.path(), &commits, &done, &used);
        }
        let mut random = Random(u64::try_from(*at).unwrap());
        // Holes are the worst of it; the others take turns.
        let others = [Cut::Synced, Cut::Later, Cut::Gone];
        for database in [Cut::Holes, others[at % others.len()]] {
            let image = cut(&mut random, &plan, database);
            let mut used = UsedSlots::default();
            used.see(&image);
            resume(&image, &commits, &done, &used);
        }
    });
}

/// A home as a power cut leaves it, with some of what was not synced.
fn cut(random: &mut Random, plan: &Plan, database: Cut) -> PathBuf {
    let names = random.below(1 << 16);
    // From hardly anything to nearly all of it.
    let (seed, kept) = (random.below(1 << 30) as u64, 1 + random.below(7));
    let is_there = |number: usize| Random(seed ^ ((number as u64) << 32)).below(8) < kept;
    plan.cut(|states| names % states, is_there, database)
}

#[test]
fn opening_stopped_at_any_point_is_done_again() {
    let commits = everything();
    let points = points(&commits);
    // Right after the journal was synced, and in the midst of applying what it got.
    let mut cases = Vec::new();
    let applied: Vec<usize> = (0..points.len())
        .filter(|at| points[*at] == Point::Apply)
        .collect();
    for part in applied.chunks(48) {
        cases.extend(part.first());
        cases.extend(part.get(part.len() / 2));
    }
    cases.dedup();
    let longest = std::sync::atomic::AtomicUsize::new(0);
    let name = |at: &usize| format!("{at}, {:?}", points[*at]);
    try_all(&cases, name, |at| {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::lay(folder.path(), *at, Fault::Stop);
        let done = live(folder.path(), &commits);
        let mut random = Random(u64::try_from(*at).unwrap());
        let image = if random.is_heads() {
            plan.killed()
        } else {
            cut(&mut random, &plan, Cut::Holes)
        };
        let left = copied(&image);
        drop(plan);
        let mut used = UsedSlots::default();
        used.see(left.path());
        let mut within = 0;
        loop {
            let folder = copied(left.path());
            let plan = Plan::lay(folder.path(), within, Fault::Stop);
            if let Ok(store) = Store::open(folder.path()) {
                // Closing it is not part of opening it.
                let is_open = !plan.has_struck();
                assert!(is_open);
                check(&store, &commits, &done, &used);
                longest.fetch_max(within, std::sync::atomic::Ordering::Relaxed);
                break;
            }
            plan.lift();
            let mut images = vec![folder.path().to_owned()];
            images.extend(plan.has_struck().then(|| plan.killed()));
            images.push(cut(&mut random, &plan, Cut::Later));
            for image in images {
                resume(copied(&image).path(), &commits, &done, &used);
            }
            // Each of the first, and then some.
            within += if within < 12 { 1 } else { 28 };
        }
    });
    let longest = longest.into_inner();
    println!(
        "{} homes, at most {longest} points in one opening",
        cases.len()
    );
    assert!(longest > 5, "the openings were too short to tell anything");
}

/// A copy, in which the database counts as the one that was in use.
fn copied(home: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(home, folder.path());
    let left = std::fs::read_to_string(left::path(home)).unwrap_or_default();
    if left.starts_with("open since boot") && !left.contains("before") {
        Notice::open(folder.path()).unwrap().0.opened().unwrap();
    }
    folder
}

fn is_full(error: &StoreError) -> bool {
    matches!(error, StoreError::StoppedFull(_)) || error.full().is_some()
}

#[track_caller]
fn await_stop(store: &Store) {
    let until = Instant::now() + Duration::from_secs(30);
    while !store.is_stopped() {
        assert!(Instant::now() < until, "the store goes on");
        std::thread::yield_now();
    }
}

#[test]
fn after_an_error_nothing_is_written_synced_or_acknowledged() {
    let commits = everything();
    let points = points(&commits);
    let flush = points.iter().rposition(|point| *point == Point::Flush);
    let first_of_closing = flush.unwrap();
    let kinds = [ErrorKind::StorageFull, ErrorKind::Other];
    let kinds = kinds.into_iter().cycle();
    let cases: Vec<(usize, ErrorKind)> = tried(&points).into_iter().zip(kinds).collect();
    let name = |(at, kind): &(usize, ErrorKind)| format!("{at}, {:?}, {kind:?}", points[*at]);
    try_all(&cases, name, |(at, kind)| {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::lay(folder.path(), *at, Fault::Fail(*kind));
        let is_expected = |error: &StoreError| is_full(error) == (*kind == ErrorKind::StorageFull);
        let done = match Store::open(folder.path()) {
            Err(error) => {
                assert!(is_expected(&error), "{error:?}");
                Vec::new()
            }
            Ok(store) => {
                let (done, error) = run(&store, &commits);
                match error {
                    Some(error) => {
                        assert!(is_expected(&error), "{error:?}");
                        await_stop(&store);
                        let error = store.commit(commit(vec![opened()])).unwrap_err();
                        assert!(is_expected(&error), "{error:?}");
                        assert!(
                            matches!(error, StoreError::Stopped | StoreError::StoppedFull(_)),
                            "{error:?}"
                        );
                    }
                    // It fails while it is closed.
                    None => assert!(*at >= first_of_closing),
                }
                done
            }
        };
        // A second sync might succeed, and say nothing of what the first one lost.
        let after = plan.after();
        assert!(after.iter().all(|point| is_tidying(*point)), "{after:?}");
        drop(plan);
        let mut used = UsedSlots::default();
        used.see(folder.path());
        resume(folder.path(), &commits, &done, &used);
    });
}

pub(super) fn seed() -> u64 {
    let given = std::env::var("AMBIT_TEST_SEED").ok();
    let seed = given.map_or_else(
        || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::from(now.subsec_nanos())
        },
        |text| text.parse().unwrap(),
    );
    println!("AMBIT_TEST_SEED={seed}");
    seed
}

/// Threads that commit at the same time, each its own commits in order, over several lives of one store.
struct Threads {
    commits: Vec<Vec<Commit>>,
    /// How many of each are known to be there.
    present: Vec<usize>,
    used: UsedSlots,
}

impl Threads {
    /// Commits on all threads until something fails. Returns what was acknowledged to each.
    fn live(&self, home: &Path) -> Vec<Vec<Committed>> {
        // With the space that is kept, an opening that finds the disk full begins anew.
        let _ = std::fs::remove_file(home.join("reserve"));
        let Ok(store) = Store::open(home) else {
            return vec![Vec::new(); self.commits.len()];
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = self
                .commits
                .iter()
                .zip(&self.present)
                .map(|(commits, present)| scope.spawn(|| run(&store, &commits[*present..]).0))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }

    /// Checks what is there, and takes note of it.
    #[track_caller]
    fn check(&mut self, home: &Path, done: &[Vec<Committed>]) {
        let store = open(home);
        let mut order: Vec<&Commit> = Vec::new();
        let mut counts = vec![0; self.commits.len()];
        for recorded in store.entries(0, u64::MAX) {
            let actor = recorded.unwrap().entry.actor;
            if order.last().is_none_or(|last| last.actor != actor) {
                let thread: usize = actor.as_str().split('-').nth(1).unwrap().parse().unwrap();
                let next = self.commits[thread].get(counts[thread]);
                let next = next.filter(|next| next.actor == actor);
                order.push(next.unwrap_or_else(|| panic!("{actor} is there out of its turn")));
                counts[thread] += 1;
            }
        }
        let model = Model::of(order.iter().copied());
        model.compare(&store, &self.used);
        let indexes = order.iter().map(|commit| &commit.actor).zip(&model.done);
        let indexes: std::collections::BTreeMap<_, _> = indexes.collect();
        for (thread, done) in done.iter().enumerate() {
            let acknowledged = self.present[thread] + done.len();
            assert!(
                (acknowledged..=acknowledged + 1).contains(&counts[thread]),
                "of thread {thread}, {acknowledged} are acknowledged and {} there",
                counts[thread]
            );
            let commits = &self.commits[thread][self.present[thread]..];
            for (done, commit) in done.iter().zip(commits) {
                assert_eq!(&&done.entries, &indexes[&commit.actor]);
            }
        }
        self.present = counts;
    }

    fn is_done(&self) -> bool {
        let counts = self.commits.iter().map(Vec::len);
        counts.eq(self.present.iter().copied())
    }
}

/// How many stores are tried, and the point at which one is stopped, at most.
const TRIALS: usize = 6;
const STOP_BEFORE: usize = 45;
const THREADS: u64 = 4;
const THREAD_COMMITS: u64 = 7;

#[test]
fn stops_drawn_at_random_lose_nothing_and_leave_no_half() {
    let seed = seed();
    let mut lives = 0;
    for trial in 0..TRIALS {
        let mut random = Random(seed.wrapping_add(u64::try_from(trial).unwrap()));
        let mut threads = Threads {
            commits: (0..THREADS)
                .map(|thread| drawn(&mut random, thread, THREAD_COMMITS))
                .collect(),
            present: vec![0; usize::try_from(THREADS).unwrap()],
            used: UsedSlots::default(),
        };
        let mut folder = tempfile::tempdir().unwrap();
        while !threads.is_done() {
            lives += 1;
            let fault = match random.below(4) {
                0 => Fault::Fail(ErrorKind::StorageFull),
                1 => Fault::Fail(ErrorKind::Other),
                _ => Fault::Stop,
            };
            let plan = Plan::lay(folder.path(), random.below(STOP_BEFORE), fault);
            let done = threads.live(folder.path());
            let image = left_behind(&mut random, folder.path(), &plan, fault);
            // Other threads may just be drawing slots: what they fill is never used.
            if let Some(struck) = plan.points().last() {
                let after = plan.after();
                let is_other = |point: &Point| is_of_slots(*point) != is_of_slots(*struck);
                assert!(
                    after
                        .iter()
                        .all(|point| is_other(point) || is_tidying(*point)),
                    "{after:?} after {struck:?}"
                );
            }
            let next = copied(&image);
            drop(plan);
            folder = next;
            threads.used.see(folder.path());
            threads.check(folder.path(), &done);
        }
    }
    println!("{lives} lives of {TRIALS} stores");
}

fn is_of_slots(point: Point) -> bool {
    match point {
        Point::SlotsWrite | Point::SlotsHalf | Point::SlotsSync | Point::SlotsSynced => true,
        Point::Journal(_)
        | Point::Left
        | Point::LeftSynced
        | Point::Apply
        | Point::Flush
        | Point::Sync
        | Point::Synced => false,
    }
}

/// What may be done after an error: noting that the database is not to be relied on, and removing a segment that nothing was
/// written to yet.
fn is_tidying(point: Point) -> bool {
    matches!(
        point,
        Point::Left | Point::LeftSynced | Point::Journal(journal::faults::Point::Discard)
    )
}

/// One of the homes that this may have left behind.
fn left_behind(random: &mut Random, home: &Path, plan: &Plan, fault: Fault) -> PathBuf {
    if fault != Fault::Stop || !plan.has_struck() {
        return home.to_owned();
    }
    match random.below(4) {
        0 => home.to_owned(),
        1 => plan.killed(),
        2 => cut(random, plan, Cut::Later),
        _ => cut(random, plan, Cut::Holes),
    }
}
