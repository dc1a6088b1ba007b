//! The store as a whole: what is committed stays, what was cut off is taken back.

use super::database::Database;
use super::group::Group;
use super::slots::Slots;
use super::*;
use ambit_ledger::{
    Body, ExportControl, Facts, Observation, ObservationId, Opened, Readings, SecretKey,
};

pub(super) fn opened() -> Write {
    Write::Entry(Body::Opened(Opened {
        organization: "did:web:a.example".parse().unwrap(),
        name: "A".parse().unwrap(),
        seat: "DE".parse().unwrap(),
        root: SecretKey::from_seed(&[1; 32]).public().fingerprint(),
        software: "ambit test".parse().unwrap(),
    }))
}

fn observed(number: u8, value: &str) -> (ObservationId, Write) {
    let at = Time::EARLIEST.plus_days(20_000);
    let readings = Readings {
        salt: Salt::from_bytes([number; 32]),
        readings: vec![ambit_ledger::Reading {
            path: "Value".parse().unwrap(),
            when: ambit_ledger::When::Instant { at },
            quality: ambit_ledger::Quality::Good,
            value: Some(value.to_owned()),
            value_type: None,
            unit: None,
        }],
    }
    .encode()
    .unwrap();
    let facts = Facts {
        issuer: "did:web:a.example".parse().unwrap(),
        source: "cmm-1".parse().unwrap(),
        site: None,
        asset: None,
        submodel: "urn:submodel".parse().unwrap(),
        semantic_id: "urn:semantic".parse().unwrap(),
        part: None,
        revision: None,
        serial: None,
        lot: None,
        order: None,
        process: None,
        program: None,
        data_class: "quality".parse().unwrap(),
        owner: "did:web:a.example".parse().unwrap(),
        design_authority: None,
        trade_secret: false,
        export_control: ExportControl::default(),
        observed_from: at,
        observed_to: at,
        inputs: Vec::new(),
        readings: Digest::of(&readings),
        reading_count: 1,
    };
    let statement = Observation::sign(&facts, &SecretKey::from_seed(&[2; 32]));
    let id = ObservationId::of(&statement);
    let write = Write::Observed {
        id,
        statement,
        readings,
        import: None,
    };
    (id, write)
}

fn commit(writes: Vec<Write>) -> Commit {
    Commit {
        actor: "node".parse().unwrap(),
        reason: None,
        now: Time::EARLIEST.plus_days(20_001),
        writes,
    }
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let (id, write) = observed(1, "\"secret-marker\"");
    let head = {
        let store = Store::open(folder.path()).unwrap();
        let done = store.commit(commit(vec![opened(), write])).unwrap();
        assert_eq!(done.entries, [0, 1]);
        store.tree_head()
    };
    let store = Store::open(folder.path()).unwrap();
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
    let store = Store::open(folder.path()).unwrap();
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
        let store = Store::open(folder.path()).unwrap();
        store.commit(commit(vec![opened(), first_write])).unwrap();
        store.tree_head()
    };
    {
        let database = Database::open(&folder.path().join("db")).unwrap();
        let mut slots = Slots::open(&folder.path().join("slots")).unwrap();
        let head: Head =
            ambit_ledger::decode(&database.read(keys::HEAD).unwrap().unwrap()).unwrap();
        assert_eq!(head.slot, 1);
        let published = Published {
            head: head.clone(),
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
        };
        let mut group = Group::new(&database, &mut slots, &published);
        group.add(&commit(vec![second_write.clone()])).unwrap();
        group.apply().unwrap();
        // The crash: everything but the head is there.
        let head_item = (keys::HEAD.to_vec(), Some(ambit_ledger::encode(&head)));
        database.apply(vec![head_item]).unwrap();
        database.sync().unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
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
    let _store = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Database(DatabaseError::InUse { .. })),
        "{error:?}"
    );
}

#[test]
fn many_committers_share_groups_and_time_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.commit(commit(vec![opened()])).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4_u8 {
            let store = store.clone();
            scope.spawn(move || {
                for number in 0..10 {
                    let (_, write) = observed(worker * 10 + number + 1, "3");
                    let mut commit = commit(vec![write]);
                    commit.now = Time::EARLIEST.plus_days(u32::from(number));
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
    let store = Store::open(folder.path()).unwrap();
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
