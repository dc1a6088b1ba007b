//! The store as a whole: what is committed stays, what was cut off is taken back.

mod damage;
mod finding;
mod model;
mod stops;
mod workload;

use super::database::Database;
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
            Err(error) if error.is_in_use() && Instant::now() < until => {
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
fn readings_are_sealed_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (_, write) = observed(1, "\"secret-marker\"");
    store.commit(commit(vec![opened(), write])).unwrap();
    drop(store);
    for part in ["journal", "db"] {
        for entry in std::fs::read_dir(folder.path().join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(13).any(|window| window == b"secret-marker"));
            }
        }
    }
}

#[test]
fn slots_that_a_crash_may_have_drawn_are_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, folder) = (folder.path().join("killed"), folder.path().join("home"));
    std::fs::create_dir(&folder).unwrap();
    let slot_of = |store: &Store, index| {
        let recorded = store.entry(index).unwrap().unwrap();
        let Body::Observed(observed) = recorded.body else {
            panic!("not observed: {recorded:?}");
        };
        observed.slot
    };
    {
        let store = open(&folder);
        store
            .commit(commit(vec![opened(), observed(1, "1").1]))
            .unwrap();
        assert_eq!(slot_of(&store, 1), 0);
        // Another slot is drawn, and whatever it seals may have been on its way to the disk.
        let _drawn = store.prepare(commit(vec![observed(2, "2").1])).unwrap();
        faults::copy(&folder, &killed);
    }
    let write = |home: &Path| {
        let (id, write) = observed(3, "3");
        let store = open(home);
        store.commit(commit(vec![write])).unwrap();
        assert!(store.readings(2, &id).is_ok());
        slot_of(&store, 2)
    };
    let keys = |home: &Path| std::fs::read(home.join("slots")).unwrap();
    let before = keys(&killed);
    // Also where somebody only looked in between.
    drop(open(&killed));
    // The next, with another key.
    assert_eq!(write(&killed), 1);
    let after = keys(&killed);
    assert_eq!(before.len(), after.len());
    assert_eq!(before[..32], after[..32]);
    assert_ne!(before[32..64], after[32..64]);
    // It was never used where the store was closed.
    assert_eq!(write(&folder), 1);
}

#[test]
fn a_home_in_use_is_refused_with_a_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_open(folder.path()));
    let _store = open(folder.path());
    assert!(is_open(folder.path()));
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error:?}");
    let copied = tempfile::tempdir().unwrap();
    faults::copy(folder.path(), copied.path());
    assert!(!is_open(copied.path()));
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
fn what_is_committed_is_never_away_while_a_later_one_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let pair = Pair::new("b");
    let class = Digest::of(&1_u64.to_be_bytes());
    let decided = |number| commit(vec![pair.decided(1, number)]);
    store.commit(commit(vec![opened(), pair.open()])).unwrap();
    store.commit(decided(0)).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..300 {
                store.commit(decided(number)).unwrap();
            }
            is_done.store(true, Ordering::Relaxed);
        });
        let mut looked = 0;
        while !is_done.load(Ordering::Relaxed) {
            assert!(store.decision_of_class(&class).unwrap().is_some());
            looked += 1;
        }
        println!("looked {looked} times");
    });
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
    assert!(Store::open(folder.path()).unwrap_err().is_in_use());
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
        database.apply(tail).unwrap();
        database.sync().unwrap();
    }
    let store = open(folder.path());
    store
        .commit(commit(vec![opened(), Write::Blob(blob.clone())]))
        .unwrap();
    assert_eq!(store.blob(&Digest::of(&blob)).unwrap(), Some(blob));
}

#[test]
fn the_head_of_another_program_is_told_from_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let head = {
        let store = Store::open(folder.path()).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
        ambit_ledger::encode(&store.shared.published().head)
    };
    assert_eq!(head[1..3], [0, 4], "the version comes first");
    let in_record = |head: &[u8]| [&[0xa2, 0], head, &[1, 0xf6]].concat();
    let mut newer = head.clone();
    // One more field than this version knows.
    newer[0] += 1;
    newer[2] = 5;
    newer.extend([0x18, 0x20, 0]);
    let newer = in_record(&newer);
    // Once the record was the head alone.
    let mut older = head.clone();
    older[2] = 1;
    let put = |bytes: Vec<u8>| {
        let database = Database::open(&folder.path().join("db")).unwrap();
        database
            .apply((keys::STANDING.to_vec(), Some(bytes)))
            .unwrap();
        database.sync().unwrap();
    };
    for (bytes, words) in [
        (newer, "version 5, newer than this program; use the program"),
        (
            older,
            "version 1, which this program no longer reads; keep the program that wrote it",
        ),
    ] {
        put(bytes);
        let error = Store::open_existing(folder.path()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        let mut notice = Notice::open(folder.path()).unwrap().0;
        notice.closed().unwrap();
    }
    put(head[..9].to_vec());
    let store = Store::open_existing(folder.path()).unwrap();
    assert_eq!(ambit_ledger::encode(&store.shared.published().head), head);
}

#[test]
fn a_home_of_the_version_before_the_journal_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    std::fs::write(folder.path().join("db/db"), "").unwrap();
    for opened in [Store::open_existing, Store::open] {
        let error = opened(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Older(3)), "{error}");
    }
    assert!(!folder.path().join("lock").exists());
}
