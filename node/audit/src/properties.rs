//! Bundles from whoever: any bytes are read without a panic, and none but the bytes that were exported verify.

use crate::fixture::{Ledger, Story, facts, supplier, trust};
use crate::{Bundle, MAGIC, Trust, replay, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

/// One observation and nothing else: quick to verify.
static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut ledger = Ledger::open(supplier());
    ledger.observe(facts("inspection-result"));
    ledger.export()
});
/// With every kind of record.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| Story::told().supplier.export());

fn is_verified(bytes: &[u8]) -> bool {
    Bundle::read(bytes).is_ok_and(|bundle| verify(&bundle, &trust()).exit_code() == 0)
}

/// The records of a bundle, each with its length before it.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &bytes[MAGIC.len()..];
    let mut records = Vec::new();
    while let Some((length, _)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let (record, after) = rest.split_at(length + 4);
        records.push(record.to_vec());
        rest = after;
    }
    records
}

fn joined(records: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC.as_slice(), &records.concat()].concat()
}

#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Double(Index, Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Cut),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Double(one, other)),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let size = bytes.len();
        if size == 0 {
            break;
        }
        match change {
            Change::Flip(at, bits) => bytes[at.index(size)] ^= bits,
            Change::Insert(at, byte) => bytes.insert(at.index(size + 1), *byte),
            Change::Remove(at) => drop(bytes.remove(at.index(size))),
            Change::Cut(at) => bytes.truncate(at.index(size)),
            Change::Double(one, other) => {
                let (one, other) = (one.index(size), other.index(size));
                let part = bytes[one.min(other)..one.max(other)].to_vec();
                bytes.splice(one..one, part);
            }
        }
    }
    bytes
}

#[test]
fn what_was_exported_verifies() {
    for bytes in [&*SMALL, &*WHOLE] {
        assert!(is_verified(bytes));
        assert!(is_verified(&joined(&records(bytes))));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(!is_verified(&bytes));
        prop_assert!(!is_verified(&[MAGIC.as_slice(), &bytes].concat()));
    }

    #[test]
    fn any_records_are_read_without_a_panic(
        bodies in vec(vec(prop_oneof![0..7_u8, Just(0xa1), any::<u8>()], 0..60), 0..6)
    ) {
        let records: Vec<Vec<u8>> = bodies
            .iter()
            .map(|body| {
                let length = u32::try_from(body.len()).unwrap().to_be_bytes();
                [length.as_slice(), body].concat()
            })
            .collect();
        prop_assert!(!is_verified(&joined(&records)));
        // After a header that can be read.
        let after = [records_of_small().drain(..1).collect(), records].concat();
        prop_assert!(!is_verified(&joined(&after)));
    }

    #[test]
    fn no_changed_bundle_verifies(changes in vec(any_change(), 1..5)) {
        let changed = changed(&SMALL, &changes);
        prop_assume!(changed != *SMALL);
        prop_assert!(!is_verified(&changed));
    }

    #[test]
    fn any_text_is_trust_or_refused(text in "[a-z_=\\[\\]\"'.,:0-9 \n#-]{0,200}") {
        let _ = Trust::parse(&text);
    }
}

fn records_of_small() -> Vec<Vec<u8>> {
    records(&SMALL)
}

proptest! {
    // Each reads and judges a whole story.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_changed_story_verifies_or_replays(changes in vec(any_change(), 1..3)) {
        let changed = changed(&WHOLE, &changes);
        prop_assume!(changed != *WHOLE);
        prop_assert!(!is_verified(&changed));
        if let Ok(bundle) = Bundle::read(changed.as_slice()) {
            prop_assert_ne!(replay(&bundle, &trust()).exit_code(), 0);
        }
    }

    /// Whole records, so that what is left can be read: left out, swapped, or put there twice.
    #[test]
    fn no_bundle_of_other_records_verifies(
        change in 0..4_u8,
        at in any::<(Index, Index)>(),
    ) {
        let mut all = records(&WHOLE);
        let (one, other) = (at.0.index(all.len()), at.1.index(all.len()));
        match change {
            0 => drop(all.remove(one)),
            1 => all.swap(one, other),
            2 => all.insert(other, all[one].clone()),
            _ => all[one] = records(&SMALL)[other % records(&SMALL).len()].clone(),
        }
        let bytes = joined(&all);
        prop_assume!(bytes != *WHOLE);
        prop_assert!(!is_verified(&bytes));
    }
}
