//! The store as a whole: what is committed stays, what was cut off is taken back.

mod model;
mod stops;
mod workload;

use super::database::Database;
use super::faults::{Plan, Point};
use super::group::Group;
use super::prepare::prepare;
use super::slots::Slots;
use super::*;
use ambit_ledger::Body;
use std::time::{Duration, Instant};
use workload::{Pair, commit, observed, opened};

/// Opens a store. The engine's threads may hold the files of one just dropped for a moment longer.
#[track_caller]
fn open(home: &Path) -> Store {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match Store::open(home) {
            Err(StoreError::Database(DatabaseError::InUse { .. })) if Instant::now() < until => {
                std::thread::yield_now();
            }
            opened => return opened.unwrap(),
        }
    }
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let (id, write) = observed(1, "\"secret-marker\"");
    let head = {
        let store = open(folder.path());
        let done = store.commit(commit(vec![opened(), write])).unwrap();
        assert_eq!(done.entries, [0, 1]);
        store.tree_head()
    };
    let store = open(folder.path());
    assert_eq!(store.tree_head(), head);
    assert_eq!(store.observation(&id).unwrap(), Some(1));
    let block = store.readings(1, &id).unwrap();
    assert!(block.windows(13).any(|window| window == b"secret-marker"));
    let leaves: Vec<Digest> = store
        .entries(0, u64::MAX)
        .map(|entry| ambit_ledger::leaf_hash(&entry.unwrap().bytes))
        .collect();
    assert_eq!(ambit_ledger::root(&leaves), head.1);
    assert_eq!(store.control_entries().unwrap().len(), 1);
}

#[test]
fn never_more_than_64_kib_waits_for_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::count(folder.path());
    let database = Database::open(&folder.path().join("db")).unwrap();
    let before = plan.points().len();
    // With their keys of 9 bytes, 16 values of 4,087 bytes are 64 KiB: the fifth four go over it.
    let unit = |number: u8| {
        let item = |part| {
            (
                vec![number, 0, 0, 0, 0, 0, 0, 0, part],
                Some(vec![0; 4_087]),
            )
        };
        (0..4).map(item).collect::<Vec<_>>()
    };
    database.apply_units((0..4).map(unit)).unwrap();
    let synced = [Point::Flush, Point::Sync, Point::Synced];
    assert_eq!(plan.points()[before..], [Point::Apply]);
    database.apply(unit(4)).unwrap();
    let after = [&[Point::Apply], &synced[..], &[Point::Apply]].concat();
    assert_eq!(plan.points()[before..], after);
    // One commit of many small records is synced on its way as well.
    let before = plan.points().len();
    database.apply_units((5..15).map(unit)).unwrap();
    let points = plan.points();
    let syncs = points[before..]
        .iter()
        .filter(|point| **point == Point::Synced);
    assert_eq!(syncs.count(), 3);
}

#[test]
fn readings_are_sealed_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (_, write) = observed(1, "\"secret-marker\"");
    store.commit(commit(vec![opened(), write])).unwrap();
    drop(store);
    for entry in std::fs::read_dir(folder.path().join("db")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(13).any(|window| window == b"secret-marker"));
        }
    }
}

#[test]
fn a_group_cut_off_before_its_head_is_taken_back_and_its_slot_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, first_write) = observed(1, "1");
    let (second, second_write) = observed(2, "2");
    let before = {
        let store = open(folder.path());
        store.commit(commit(vec![opened(), first_write])).unwrap();
        store.tree_head()
    };
    {
        let database = Database::open(&folder.path().join("db")).unwrap();
        let slots = Slots::open(&folder.path().join("slots")).unwrap();
        let head: Head =
            ambit_ledger::decode(&database.read(keys::HEAD).unwrap().unwrap()).unwrap();
        assert_eq!(head.slot, 1);
        let published = Published {
            head: head.clone(),
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
        };
        let allotment = Mutex::new(Allotment::new(slots, head.slot).unwrap());
        let prepared = prepare(&allotment, commit(vec![second_write.clone()])).unwrap();
        let mut group = Group::new(&database, &published);
        group.add(&prepared).unwrap();
        group.apply().unwrap();
        // The crash: everything but the head is there.
        let head_item = (keys::HEAD.to_vec(), Some(ambit_ledger::encode(&head)));
        database.apply(vec![head_item]).unwrap();
        database.sync().unwrap();
    }
    let store = open(folder.path());
    assert_eq!(store.tree_head(), before);
    assert_eq!(store.observation(&first).unwrap(), Some(1));
    assert_eq!(store.observation(&second).unwrap(), None);
    store.commit(commit(vec![second_write])).unwrap();
    let recorded = store.entry(2).unwrap().unwrap();
    let Body::Observed(observed) = recorded.body else {
        panic!("not observed: {recorded:?}");
    };
    assert_eq!(observed.slot, 2, "slot 1 was used by what never counted");
    assert!(store.readings(2, &second).is_ok());
}

#[test]
fn a_home_in_use_is_refused_with_a_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let error = Store::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Database(DatabaseError::InUse { .. })),
        "{error:?}"
    );
}

#[test]
fn many_committers_share_groups_and_time_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.commit(commit(vec![opened()])).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4_u64 {
            let store = store.clone();
            scope.spawn(move || {
                for number in 0..10_u32 {
                    let (_, write) = observed(worker * 10 + u64::from(number) + 1, "3");
                    let mut commit = commit(vec![write]);
                    commit.now = Time::EARLIEST.plus_days(number);
                    store.commit(commit).unwrap();
                }
            });
        }
    });
    assert_eq!(store.size(), 41);
    let times: Vec<Time> = store
        .entries(0, 41)
        .map(|entry| entry.unwrap().entry.time)
        .collect();
    assert!(times.is_sorted());
}

#[test]
fn an_entry_too_large_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let big = Write::Entry(Body::Unread {
        kind: 28,
        bytes: vec![0; 70_000],
    });
    let error = store.commit(commit(vec![opened(), big])).unwrap_err();
    assert!(matches!(error, StoreError::EntryTooLarge(_)), "{error:?}");
    assert_eq!(store.size(), 0);
    store.commit(commit(vec![opened()])).unwrap();
    assert_eq!(store.size(), 1);
}

#[test]
fn of_commits_taken_together_only_the_one_too_large_fails() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let pair = Pair::new("b");
    let too_large = Write::Entry(Body::Unread {
        kind: 28,
        bytes: vec![0; 70_000],
    });
    // The first keeps the writer busy while the others queue up.
    let blob = Write::Blob(vec![7; 4_000_000]);
    let mut commits = vec![vec![opened(), pair.open(), blob]];
    let mut ids = Vec::new();
    for number in 1..=9 {
        let (id, write) = observed(number, "1");
        let mut writes = vec![write, pair.disclosed(id)];
        if number == 5 {
            writes.push(too_large.clone());
        } else {
            ids.push(id);
        }
        commits.push(writes);
    }
    let pending: Vec<Pending> = commits
        .into_iter()
        .map(|writes| {
            store
                .submit(store.prepare(commit(writes)).unwrap())
                .unwrap()
        })
        .collect();
    let mut next = 1;
    for (number, pending) in pending.into_iter().enumerate().skip(1) {
        match pending.wait() {
            Ok(done) => {
                assert_eq!(done.entries, [next, next + 1]);
                next += 2;
            }
            Err(error) => {
                assert!(matches!(error, StoreError::EntryTooLarge(_)), "{error:?}");
                assert_eq!(number, 5);
            }
        }
    }
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.size(), 17);
    for (seq, id) in (1..).zip(&ids) {
        let index = store.observation(id).unwrap().unwrap();
        assert!(store.readings(index, id).is_ok());
        assert_eq!(
            store.outbox_item(&pair.key(), seq).unwrap(),
            Some(index + 1)
        );
    }
}

/// A group that a crash cut off after everything but the head.
fn cut_off(folder: &Path, writes: Vec<Write>) {
    let database = Database::open(&folder.join("db")).unwrap();
    let slots = Slots::open(&folder.join("slots")).unwrap();
    let head: Head = ambit_ledger::decode(&database.read(keys::HEAD).unwrap().unwrap()).unwrap();
    let published = Published {
        outboxes: states(&database, &keys::outboxes()).unwrap(),
        inboxes: states(&database, &keys::inboxes()).unwrap(),
        head: head.clone(),
    };
    let allotment = Mutex::new(Allotment::new(slots, head.slot).unwrap());
    let prepared = prepare(&allotment, commit(writes)).unwrap();
    let mut group = Group::new(&database, &published);
    group.add(&prepared).unwrap();
    group.apply().unwrap();
    let outboxes = published
        .outboxes
        .iter()
        .map(|(key, outbox)| (keys::outbox(key), Some(ambit_ledger::encode(outbox))));
    let head = (keys::HEAD.to_vec(), Some(ambit_ledger::encode(&head)));
    database.apply(outboxes.chain([head]).collect()).unwrap();
    database.sync().unwrap();
}

#[test]
fn what_a_cut_off_group_stood_in_the_place_of_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::new("b");
    let outbox = pair.key();
    let (id, write) = observed(1, "1");
    {
        let store = open(folder.path());
        let writes = vec![opened(), pair.open(), write, pair.withheld(id, true)];
        store.commit(commit(writes)).unwrap();
        assert_eq!(store.outcome_for(&id, &outbox).unwrap(), Some(2));
    }
    cut_off(folder.path(), vec![pair.disclosed(id)]);
    {
        let store = open(folder.path());
        assert_eq!(store.outcome_for(&id, &outbox).unwrap(), Some(2));
        assert_eq!(store.outbox_item(&outbox, 1).unwrap(), None);
        store.commit(commit(vec![pair.disclosed(id)])).unwrap();
    }
    let store = open(folder.path());
    assert_eq!(store.outcome_for(&id, &outbox).unwrap(), Some(3));
    assert_eq!(store.outcome_before(&id, &outbox, 3).unwrap(), Some(2));
    assert_eq!(store.outcome_before(&id, &outbox, 2).unwrap(), None);
    assert_eq!(store.outbox(&outbox).unwrap().last, 1);
}

#[test]
fn a_snapshot_that_the_engine_was_cut_off_in_does_not_keep_the_store_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    let (id, write) = observed(1, "1");
    {
        let store = open(folder.path());
        store.commit(commit(vec![opened(), write])).unwrap();
    }
    // The last in order, which is the one that the engine reads.
    let cut_off = folder.path().join("db/snap.FFFFFFFFFFFFFFFF.generating");
    std::fs::write(&cut_off, b"cut off").unwrap();
    let store = open(folder.path());
    assert_eq!(store.observation(&id).unwrap(), Some(1));
    assert!(!cut_off.exists());
    // While it is open, the file may be one that is just being written.
    std::fs::write(&cut_off, b"cut off").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Database(DatabaseError::InUse { .. })),
        "{error:?}"
    );
    assert!(cut_off.exists());
}

#[test]
fn a_blob_that_was_cut_off_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let blob: Vec<u8> = (0..20_000_u32).flat_map(u32::to_be_bytes).collect();
    let key = keys::blob(&Digest::of(&blob));
    drop(open(folder.path()));
    {
        // Chunks go last to first, so a crash leaves a tail of them.
        let database = Database::open(&folder.path().join("db")).unwrap();
        let tail = (keys::chunk(&key, 13), Some(blob[13 * 6 * 1024..].to_vec()));
        database.apply(vec![tail]).unwrap();
        database.sync().unwrap();
    }
    let store = open(folder.path());
    store
        .commit(commit(vec![opened(), Write::Blob(blob.clone())]))
        .unwrap();
    assert_eq!(store.blob(&Digest::of(&blob)).unwrap(), Some(blob));
}

#[test]
fn the_head_of_a_newer_program_is_told_from_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let head = {
        let store = Store::open(folder.path()).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
        ambit_ledger::encode(&store.shared.published().head)
    };
    assert_eq!(head[1..3], [0, 3], "the version comes first");
    let mut newer = head.clone();
    // One more field than this version knows.
    newer[0] += 1;
    newer[2] = 4;
    newer.extend([0x18, 0x20, 0]);
    let mut older = head.clone();
    older[2] = 1;
    for (bytes, words) in [
        (newer, "version 4, newer than this program; use the program"),
        (
            older,
            "version 1, which this program no longer reads; keep the program that wrote it",
        ),
        (
            head[..9].to_vec(),
            "restore the home from the latest whole backup",
        ),
    ] {
        let database = Database::open(&folder.path().join("db")).unwrap();
        database
            .apply(vec![(keys::HEAD.to_vec(), Some(bytes))])
            .unwrap();
        database.sync().unwrap();
        drop(database);
        let error = Store::open_existing(folder.path()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_store_that_came_further_than_its_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path()).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
    }
    let mark = folder.path().join("committed");
    assert_eq!(
        std::fs::read_to_string(&mark).unwrap(),
        format!("{:020}\n", 2)
    );
    // Less than is there is what a crash may leave, and so is nothing.
    for text in [format!("{:020}\n", 1), String::new()] {
        std::fs::write(&mark, text).unwrap();
        assert_eq!(Store::open_existing(folder.path()).unwrap().size(), 2);
    }
    std::fs::write(&mark, format!("{:020}\n", 3)).unwrap();
    let error = Store::open_existing(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Lost {
                size: 2,
                committed: 3
            }
        ),
        "{error}"
    );
}

/// Enough for several of the engine's segments.
const LONG_OBSERVATIONS: u64 = 100;
const LONG_BYTES: usize = 20_000;

#[test]
fn a_large_database_that_was_changed_is_whole_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let head = {
        let store = Store::open(folder.path()).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
        for number in 0..LONG_OBSERVATIONS {
            let text = format!("\"{}\"", "x".repeat(LONG_BYTES));
            let (_, write) = observed(number, &text);
            store.commit(commit(vec![write])).unwrap();
        }
        store.tree_head()
    };
    let database = folder.path().join("db");
    let good = std::fs::read(database.join("db")).unwrap();
    let end = good.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for part in 1..12 {
        let mut changed = good.clone();
        changed[end / 12 * part] ^= 0x55;
        std::fs::write(database.join("db"), changed).unwrap();
        // As after a crash: the engine has to read all of it.
        for file in std::fs::read_dir(&database).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_str().unwrap().starts_with("snap.") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
        let opened = Store::open_existing(folder.path());
        let read = opened.and_then(|store| {
            let entries: Result<Vec<_>, _> = store.entries(0, u64::MAX).collect();
            Ok((entries?.len(), store.tree_head()))
        });
        match read {
            Ok(read) => assert_eq!(
                read,
                (usize::try_from(LONG_OBSERVATIONS).unwrap() + 1, head)
            ),
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains("from the latest whole backup"), "{text}");
            }
        }
    }
    assert!(refused > 0);
}
