//! Stores whose files were changed, cut or taken away: what can be built again is, and what cannot is named.

use super::super::faults::copy;
use super::super::index_key::IndexKey;
use super::super::journal::{Damage, JournalError};
use super::super::records::read_standing;
use super::super::{
    DatabaseError, Direction, Left, Notice, Store, StoreError, Wanted, check, keys, left, rebuild,
};
use super::Database;
use super::finding::found;
use super::open;
use super::workload::{Random, commit, observed, opened};
use ambit_ledger::{Digest, ObservationId, Time};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many times the database is damaged.
const DAMAGES: usize = 200;
const OBSERVATIONS: u64 = 40;
/// How large the engine's segments are.
const SEGMENT: usize = 512 * 1024;

/// A home with some observations, closed, and what it answers.
struct Sound {
    folder: tempfile::TempDir,
    ids: Vec<ObservationId>,
    head: (u64, Digest),
}

impl Sound {
    fn new(bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.commit(commit(vec![opened()])).unwrap();
        let mut ids = Vec::new();
        for number in 0..OBSERVATIONS {
            let text = format!("\"{}\"", "x".repeat(bytes));
            let (id, write) = observed(number, &text);
            store.commit(commit(vec![write])).unwrap();
            ids.push(id);
        }
        let head = store.tree_head();
        drop(store);
        Self { folder, ids, head }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// All it answers. An error that tells one to start again is met by starting again.
    #[track_caller]
    fn answers(&self, home: &Path) {
        let first = Store::open_existing(home).and_then(|store| self.read(&store));
        match first {
            Err(StoreError::Database(error @ DatabaseError::Damaged)) => {
                assert!(error.to_string().contains("start again"), "{error}");
                self.read(&open(home)).unwrap();
            }
            read => read.unwrap(),
        }
    }

    fn read(&self, store: &Store) -> Result<(), StoreError> {
        assert_eq!(store.tree_head(), self.head);
        let entries: Result<Vec<_>, _> = store.entries(0, u64::MAX).collect();
        let leaves = entries?
            .into_iter()
            .map(|entry| ambit_ledger::leaf_hash(&entry.bytes));
        assert_eq!(ambit_ledger::root(&leaves.collect::<Vec<_>>()), self.head.1);
        for (id, index) in self.ids.iter().zip(1..) {
            assert_eq!(store.observation(id)?, Some(index));
            store.readings(index, id)?;
        }
        Ok(())
    }
}

fn copied(home: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(home, folder.path());
    folder
}

/// The files of the database that are not empty.
fn files(home: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(home.join("db")).unwrap();
    let mut files: Vec<PathBuf> = found
        .map(|found| found.unwrap().path())
        .filter(|path| path.is_file() && path.metadata().unwrap().len() > 0)
        .collect();
    files.sort();
    files
}

#[test]
fn a_database_that_was_damaged_anywhere_is_built_again() {
    let sound = Sound::new(3_000);
    let seed = super::stops::seed();
    let mut random = Random(seed);
    let mut how = String::new();
    for number in 0..DAMAGES {
        let home = copied(sound.path());
        let files = files(home.path());
        let path = &files[random.below(files.len())];
        let mut bytes = std::fs::read(path).unwrap();
        how = match random.below(6) {
            0 => {
                std::fs::remove_file(path).unwrap();
                "removed".to_owned()
            }
            1 => {
                bytes.truncate(random.below(bytes.len()));
                std::fs::write(path, &bytes).unwrap();
                format!("cut to {}", bytes.len())
            }
            2 => {
                let at = random.below(bytes.len() / 4_096 + 1) * 4_096;
                let end = bytes.len().min(at + 4_096);
                bytes[at..end].fill(0);
                std::fs::write(path, &bytes).unwrap();
                format!("without the block at {at}")
            }
            3 => {
                // One of the engine's segments in the place of another.
                let segments = bytes.len().div_ceil(SEGMENT);
                let (from, to) = (random.below(segments), random.below(segments));
                let end = bytes.len().min((from + 1) * SEGMENT);
                let segment = bytes[from * SEGMENT..end].to_vec();
                let room = bytes.len() - to * SEGMENT;
                let count = segment.len().min(room);
                bytes[to * SEGMENT..][..count].copy_from_slice(&segment[..count]);
                std::fs::write(path, &bytes).unwrap();
                format!("segment {from} over {to}")
            }
            _ => {
                let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
                let at = random.below(used);
                bytes[at] ^= 1 << random.below(8);
                std::fs::write(path, &bytes).unwrap();
                format!("changed at {at}")
            }
        };
        println!("{number}: {} {how}", path.display());
        // Whoever only reads is told the same.
        sound
            .read(&Store::open_read_only(home.path()).unwrap())
            .unwrap();
        if random.is_heads() {
            Notice::open(home.path()).unwrap().0.opened().unwrap();
        }
        sound.answers(home.path());
    }
    assert!(!how.is_empty());
}

#[test]
fn a_database_that_is_gone_or_was_in_use_at_a_power_cut_is_built_again_and_what_was_built_in_part_goes()
 {
    let sound = Sound::new(10);
    let home = sound.path();
    let (db, new, aside) = (home.join("db"), home.join("db.new"), home.join("db.aside"));
    std::fs::remove_dir_all(&db).unwrap();
    sound.answers(home);
    assert!(!aside.exists() && !new.exists());
    let cut = "open since boot before\n";
    std::fs::write(left::path(home), cut).unwrap();
    std::fs::write(db.join("marker"), "").unwrap();
    // Building it was cut off before.
    drop(Database::open(&new).unwrap());
    let store = open(home);
    sound.read(&store).unwrap();
    assert!(!db.join("marker").exists() && aside.join("marker").exists());
    assert!(!new.exists());
    drop(store);
    // After a clean end the other one is of no use any more.
    drop(open(home));
    assert!(!aside.exists());
    // Whatever lies there.
    std::fs::remove_dir_all(&db).unwrap();
    std::fs::write(&db, "no folder").unwrap();
    sound.answers(home);
    sound.answers(home);
}

#[test]
fn a_copy_of_a_database_in_use_is_not_relied_on() {
    let sound = Sound::new(10);
    let store = open(sound.path());
    let home = copied(sound.path());
    drop(store);
    std::fs::write(home.path().join("db/marker"), "").unwrap();
    sound.answers(home.path());
    assert!(home.path().join("db.aside/marker").exists());
}

#[test]
fn no_database_is_given_up_for_a_journal_that_is_damaged() {
    let sound = Sound::new(20_000);
    let home = sound.path();
    // In a segment that no start reads.
    let segment = home.join("journal/00000000.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[2_000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert!(home.join("journal/00000001.seg").exists());
    for _ in 0..2 {
        sound.answers(home);
        let error = rebuild(home, &|_| {}).unwrap_err();
        assert!(
            matches!(error, StoreError::Journal(JournalError::Damaged(_))),
            "{error}"
        );
        assert_ne!(Notice::open(home).unwrap().1, Left::Unfit);
        assert!(!home.join("db.aside").exists() && !home.join("db.new").exists());
    }
    // Nor where it cannot be relied on: somebody may still want it.
    std::fs::write(left::path(home), "open since boot before\n").unwrap();
    assert!(Store::open_existing(home).is_err());
    assert!(home.join("db/db").exists());
}

#[test]
fn what_is_in_the_place_of_a_file_of_the_database_is_built_again() {
    let sound = Sound::new(10);
    let home = sound.path();
    for name in [
        "conf",
        "snap.0000000000000000",
        "x.generating",
        "blobs",
        "db",
    ] {
        let path = home.join("db").join(name);
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_dir(&path);
        if name == "blobs" {
            std::fs::write(&path, "a file").unwrap();
        } else {
            std::fs::create_dir(&path).unwrap();
        }
        sound.answers(home);
        rebuild(home, &|_| {}).unwrap();
        sound.answers(home);
    }
    #[cfg(unix)]
    {
        std::fs::remove_dir_all(home.join("db")).unwrap();
        std::os::unix::fs::symlink("/nowhere", home.join("db")).unwrap();
        sound.answers(home);
    }
}

#[cfg(unix)]
#[test]
fn a_copy_that_was_put_back_in_its_place_is_not_relied_on() {
    let sound = Sound::new(10);
    let data = sound.path().join("db/db");
    Notice::open(sound.path()).unwrap().0.opened().unwrap();
    let left = || Notice::open(sound.path()).unwrap().1;
    if crate::platform::boot().is_some() {
        assert_eq!(left(), Left::Killed);
    }
    // As what copies files with their times leaves it.
    let hour = std::time::Duration::from_secs(3_600);
    let before = std::time::SystemTime::now() - hour;
    let file = std::fs::File::options().write(true).open(&data).unwrap();
    file.set_modified(before).unwrap();
    assert_eq!(left(), Left::Unfit);
    sound.answers(sound.path());
}

#[test]
fn the_database_of_another_home_is_not_taken_for_proof() {
    let (sound, other) = (Sound::new(10), Sound::new(10));
    let home = sound.path();
    let store = open(other.path());
    for _ in 0..5 {
        store.commit(commit(vec![opened()])).unwrap();
    }
    drop(store);
    std::fs::remove_dir_all(home.join("db")).unwrap();
    copy(&other.path().join("db"), &home.join("db"));
    sound.answers(home);
}

#[test]
fn what_is_in_the_place_of_a_file_is_named() {
    let sound = Sound::new(10);
    let home = sound.path();
    for name in ["committed", "db.state", "lock"] {
        let path = home.join(name);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let text = Store::open_existing(home).unwrap_err().to_string();
        assert!(text.contains("remove it, and it is made again"), "{text}");
        std::fs::remove_dir(&path).unwrap();
        sound.answers(home);
    }
}

#[test]
fn a_database_that_came_further_than_its_journal_is_evidence() {
    let sound = Sound::new(10);
    let home = sound.path();
    let before = copied(home);
    {
        let store = open(home);
        store.commit(commit(vec![opened()])).unwrap();
        store.commit(commit(vec![opened()])).unwrap();
    }
    // The journal of before, as from a backup of it alone.
    std::fs::remove_dir_all(home.join("journal")).unwrap();
    copy(&before.path().join("journal"), &home.join("journal"));
    let words = "before groups 42 to 43, which the database";
    let refused = |home: &Path| {
        for tried in [
            Store::open_existing(home).map(drop),
            check(home, false, &|_| {}).map(drop),
            rebuild(home, &|_| {}).map(drop),
        ] {
            let text = tried.unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
            assert!(text.contains("backup"), "{text}");
        }
        assert!(!home.join("db.aside").exists());
    };
    // Where nothing else knows of it, and whatever is thought of the database.
    for left in ["closed", "open since boot before", "not to be relied on"] {
        std::fs::write(left::path(home), left).unwrap();
        let _ = std::fs::remove_file(home.join("committed"));
        refused(home);
    }
    // What it proves is shown to whoever only reads, where it may be relied on.
    let size = Store::open_read_only(home).unwrap().size();
    assert_eq!(size, OBSERVATIONS + 1);
    std::fs::write(left::path(home), "closed").unwrap();
    let size = Store::open_read_only(home).unwrap().size();
    assert_eq!(size, OBSERVATIONS + 3);
    let database = Database::open(&home.join("db")).unwrap();
    let standing = database.read(keys::STANDING).unwrap().unwrap();
    let (_, applied) = read_standing(&standing).unwrap();
    assert_eq!(applied.after.group, 44);
}

/// Gives the database of a home the shape before this one.
fn make_outdated(home: &Path) {
    let key = IndexKey::read(home).unwrap();
    let mut database = Database::open(&home.join("db")).unwrap();
    let standing = database.read(keys::STANDING).unwrap().unwrap();
    let (head, mut applied) = read_standing(&standing).unwrap();
    applied.index_key = key.name_before();
    let put = |key: &[u8], value: Vec<u8>| {
        database.apply((key.to_vec(), Some(value))).unwrap();
    };
    put(keys::STANDING, ambit_ledger::encode(&head));
    put(keys::APPLIED_BEFORE, ambit_ledger::encode(&applied));
    database.sync().unwrap();
    database.close().unwrap();
}

#[test]
fn a_database_of_the_shape_before_is_built_again_and_proves_what_it_did() {
    let sound = Sound::new(10);
    let home = sound.path();
    let before = copied(home);
    make_outdated(home);
    sound.answers(home);
    assert!(home.join("db.aside").exists());

    // The journal of before, as from a backup of it alone.
    let lost = copied(before.path());
    open(lost.path()).commit(commit(vec![opened()])).unwrap();
    make_outdated(lost.path());
    std::fs::remove_dir_all(lost.path().join("journal")).unwrap();
    copy(&before.path().join("journal"), &lost.path().join("journal"));
    std::fs::remove_file(lost.path().join("committed")).unwrap();
    let text = Store::open_existing(lost.path()).unwrap_err().to_string();
    assert!(text.contains("before group 42"), "{text}");
    let state = std::fs::read_to_string(left::path(lost.path())).unwrap();
    assert_eq!(state.trim(), "closed");

    // What a damaged journal lost is in the database still, whoever tried to open it.
    let damaged = copied(before.path());
    make_outdated(damaged.path());
    damage_early(damaged.path());
    sound
        .read(&Store::open_read_only(damaged.path()).unwrap())
        .unwrap();
    assert!(Store::open_existing(damaged.path()).is_err());
    // Also in a copy, of which nobody knows who has it open.
    let state = std::fs::read_to_string(left::path(damaged.path())).unwrap();
    assert_eq!(state.trim(), "closed");
    for home in [damaged.path(), copied(damaged.path()).path()] {
        let store = Store::open_read_only(home).unwrap();
        sound.read(&store).unwrap();
        // It does not know what expires: whoever asks looks at all of it.
        assert_eq!(expiring(&store), (1..=OBSERVATIONS).collect::<Vec<_>>());
    }
    let store = Store::open_read_only(before.path()).unwrap();
    assert!(expiring(&store).is_empty());
}

/// What is found to expire at all.
fn expiring(store: &Store) -> Vec<u64> {
    let wanted = Wanted {
        expires_by: Some(Time::LATEST),
        ..Wanted::default()
    };
    found(store, &wanted, Direction::From(0))
}

/// Changes a byte of one of the first groups.
fn damage_early(home: &Path) {
    let segment = home.join("journal/00000000.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end / 4 * 3] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
}

#[test]
fn what_follows_a_database_in_a_damaged_journal_is_shown_to_whoever_only_reads() {
    let mut sound = Sound::new(10);
    let folder = copied(sound.path());
    let home = folder.path();
    {
        let store = open(home);
        for number in 1_000..1_003 {
            let (id, write) = observed(number, "1");
            store.commit(commit(vec![write])).unwrap();
            sound.ids.push(id);
        }
        sound.head = store.tree_head();
    }
    // The database of before is behind, as after a kill.
    std::fs::remove_dir_all(home.join("db")).unwrap();
    copy(&sound.path().join("db"), &home.join("db"));
    damage_early(home);
    assert!(
        !check(copied(home).path(), false, &|_| {})
            .unwrap()
            .is_sound()
    );
    sound.read(&Store::open_read_only(home).unwrap()).unwrap();
}

#[test]
fn a_database_of_another_course_says_nothing_of_what_a_damaged_journal_lost() {
    let sound = Sound::new(10);
    let (home, other) = (sound.path(), copied(sound.path()));
    for (home, number) in [(home, 1_000), (other.path(), 2_000)] {
        open(home)
            .commit(commit(vec![observed(number, "1").1]))
            .unwrap();
    }
    std::fs::remove_dir_all(home.join("db")).unwrap();
    copy(&other.path().join("db"), &home.join("db"));
    damage_early(home);
    let size = Store::open_read_only(home).unwrap().size();
    assert!((1..OBSERVATIONS).contains(&size), "{size}");
}

#[test]
fn a_database_of_another_course_of_the_same_store_proves_nothing() {
    let sound = Sound::new(10);
    let (home, other) = (sound.path(), copied(sound.path()));
    for number in 0..3 {
        let other = open(other.path());
        other
            .commit(commit(vec![observed(1_000 + number, "1").1]))
            .unwrap();
    }
    let head = {
        let store = open(home);
        store.commit(commit(vec![observed(2_000, "1").1])).unwrap();
        store.tree_head()
    };
    std::fs::remove_dir_all(home.join("db")).unwrap();
    copy(&other.path().join("db"), &home.join("db"));
    assert_eq!(Store::open_existing(home).unwrap().tree_head(), head);
}

#[test]
fn a_journal_that_ends_before_what_was_committed_is_refused() {
    let sound = Sound::new(10);
    let home = sound.path();
    let journal = copied(&home.join("journal"));
    drop({
        let store = open(home);
        store.commit(commit(vec![opened()])).unwrap();
        store
    });
    std::fs::remove_dir_all(home.join("journal")).unwrap();
    copy(journal.path(), &home.join("journal"));
    let error = Store::open_existing(home).unwrap_err();
    let StoreError::Journal(JournalError::Damaged(Damage { groups, .. })) = error else {
        panic!("{error}");
    };
    assert_eq!(groups, 42..43);
}

#[test]
fn what_is_damaged_in_the_journal_is_named_with_its_entries() {
    let sound = Sound::new(10);
    let home = sound.path();
    let segment = home.join("journal/00000000.seg");
    let good = std::fs::read(&segment).unwrap();
    let checked = check(home, true, &|_| {}).unwrap();
    assert!(checked.is_sound(), "{checked:?}");
    assert_eq!((checked.groups, checked.entries), (42, OBSERVATIONS + 1));
    let deep = checked.deep.unwrap();
    assert_eq!((deep.different, deep.readings), (0, OBSERVATIONS));
    assert!(deep.records > OBSERVATIONS * 2);
    let end = good.iter().rposition(|byte| *byte != 0).unwrap();
    let mut bytes = good;
    bytes[end / 2] ^= 1;
    bytes[end / 2 + 1] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let checked = check(home, false, &|_| {}).unwrap();
    assert!(!checked.is_sound());
    let [damage] = &checked.damaged[..] else {
        panic!("{checked:?}");
    };
    assert!(
        damage.contains("00000000.seg` cannot be read at byte"),
        "{damage}"
    );
    assert!(
        damage.contains("with it group")
            && damage.contains(": entry ")
            && damage.ends_with(" is lost"),
        "{damage}"
    );
    assert_eq!((checked.groups, checked.entries), (41, OBSERVATIONS));
    // The database holds what the journal lost, and goes on to.
    assert_eq!(checked.in_database, Some(OBSERVATIONS + 1));
    sound.answers(home);
    // Only read, it shows what the database holds; without one, what lies before the damage.
    sound.read(&Store::open_read_only(home).unwrap()).unwrap();
    std::fs::remove_dir_all(home.join("db")).unwrap();
    let read = Store::open_read_only(home).unwrap();
    assert!((1..=OBSERVATIONS).contains(&read.size()));
    assert_eq!(
        read.entries(0, u64::MAX).map(Result::unwrap).count() as u64,
        read.size()
    );
}

#[test]
fn where_only_space_is_missing_that_nothing_was_written_to_nothing_is_said_to_be_lost() {
    let sound = Sound::new(10);
    let home = sound.path();
    let found = std::fs::read_dir(home.join("journal")).unwrap();
    let last = found.map(|found| found.unwrap().path()).max().unwrap();
    let segment = std::fs::File::options().write(true).open(last).unwrap();
    segment
        .set_len(segment.metadata().unwrap().len() - 1_000)
        .unwrap();
    let checked = check(home, false, &|_| {}).unwrap();
    let [damage] = &checked.damaged[..] else {
        panic!("{checked:?}");
    };
    let words =
        format!("no entry is known to be lost with it; the last that is whole is {OBSERVATIONS}");
    assert!(damage.ends_with(&words), "{damage}");
    assert_eq!(checked.entries, OBSERVATIONS + 1);
}

#[test]
fn a_home_that_is_only_read_stays_as_it_is() {
    let sound = Sound::new(10);
    let home = sound.path();
    let bytes = || {
        let folders = [home.to_owned(), home.join("db"), home.join("journal")];
        let found = folders
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let paths = found.map(|found| found.unwrap().path());
        let files: BTreeMap<_, _> = paths
            .map(|path| (std::fs::read(&path).ok(), path))
            .map(|(bytes, path)| (path, bytes))
            .collect();
        files
    };
    // Also beside who has it open.
    let open = open(home);
    let beside = Store::open_read_only(home).unwrap();
    sound.read(&beside).unwrap();
    drop(open);
    let before = bytes();
    let read = Store::open_read_only(home).unwrap();
    sound.read(&read).unwrap();
    let refused = read.commit(commit(vec![opened()])).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly), "{refused}");
    assert!(!read.is_stopped());
    drop(read);
    assert!(before == bytes());
}

#[test]
fn a_record_of_the_database_that_is_wrong_is_found_and_built_again() {
    let sound = Sound::new(10);
    let home = sound.path();
    let key = keys::observation(&sound.ids[3]);
    let database = Database::open(&home.join("db")).unwrap();
    database
        .apply((key, Some(9_u64.to_be_bytes().to_vec())))
        .unwrap();
    database.sync().unwrap();
    drop(database);
    let checked = check(home, true, &|_| {}).unwrap();
    assert!(!checked.is_sound());
    assert_eq!(checked.deep.unwrap().different, 1);
    assert!(!home.join("db.check").exists());
    let rebuilt = rebuild(home, &|_| {}).unwrap();
    assert_eq!(rebuilt.entries, OBSERVATIONS + 1);
    let checked = check(home, true, &|_| {}).unwrap();
    assert!(checked.is_sound(), "{checked:?}");
    sound.answers(home);
    let mut slots = std::fs::read(home.join("slots")).unwrap();
    slots[2 * 32] ^= 1;
    std::fs::write(home.join("slots"), slots).unwrap();
    let deep = check(home, true, &|_| {}).unwrap().deep.unwrap();
    assert_eq!((deep.unopened_count, deep.unopened), (1, vec![3]));
}
