//! Properties of everything that reads bytes from outside: nothing panics, and nothing changed verifies.

use crate::cose::bytes;
use crate::samples;
use crate::stated::{Check, statements};
use ambit_ledger::{
    Acknowledgement, Body, Checkpoint, Decision, Digest, Disclosure, Entry, Facts, Fingerprint,
    Frontier, ITEM_BYTES_MAX, Keyring, Kind, ManifestSignature, Observation, OrganizationId,
    PartialReadings, PartnershipTerms, Readings, RefusalCode, RefusedItem, SealKey, SecretKey,
    SignedCard, Statement, StatementError, StatementKind, Time, decode,
};
use coset::cbor::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

/// Gives the bytes to every decoder. Returns how many statements verified.
fn decode_as_everything(bytes: &[u8], keyring: &Keyring) -> usize {
    for kind in StatementKind::ALL {
        if let Ok(statement) = Statement::parse(bytes, *kind) {
            let _ = statement.verify(keyring, samples::issued());
        }
    }
    let _ = Observation::from_own_ledger(bytes);
    let _ = Disclosure::from_own_ledger(bytes);
    let _ = ManifestSignature::unverified_terms(bytes);
    let facts = samples::facts();
    let _ = Readings::decode(bytes, &facts).map(|readings| {
        assert_eq!(readings.encode().unwrap(), bytes);
    });
    let _ = PartialReadings::decode(bytes, &facts).map(|readings| {
        assert_eq!(readings.encode().unwrap(), bytes);
    });
    let _ = decode::<Facts>(bytes);
    let _ = decode::<PartnershipTerms>(bytes);
    let _ = decode::<Decision>(bytes);
    let _ = SignedCard::parse(bytes);
    if let Ok(mut frontier) = decode::<Frontier>(bytes) {
        frontier.append(Digest::of(bytes));
        let _ = frontier.root();
    }
    for kind in Kind::all() {
        let _ = Body::decode(kind.number(), bytes);
    }
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode(), bytes);
        let _ = entry.body();
    }
    read_as_text(&String::from_utf8_lossy(bytes));
    let checks = statements_by_kind().map(|(_, check)| check(bytes, keyring).is_ok());
    let certified = keyring.clone().certify(bytes).is_ok();
    checks
        .chain([certified])
        .filter(|is_verified| *is_verified)
        .count()
}

/// Made once: signing one of every kind takes longer than reading it.
fn statements_by_kind() -> impl Iterator<Item = (&'static [u8], Check)> {
    static STATEMENTS: LazyLock<Vec<(Vec<u8>, Check)>> = LazyLock::new(|| {
        let statements = statements().into_iter();
        statements
            .map(|stated| (stated.statement, stated.check))
            .collect()
    });
    STATEMENTS
        .iter()
        .map(|(statement, check)| (statement.as_slice(), *check))
}

fn read_as_text(text: &str) {
    let key = samples::forge_key().public();
    let origin = samples::checkpoint().origin;
    let _ = Checkpoint::verify(text, &origin, [key]);
    let _ = SecretKey::from_pem(text);
    let _ = SealKey::from_pem(text);
    let _ = text.parse::<Fingerprint>();
    let _ = text.parse::<Digest>();
    let _ = text.parse::<Time>();
    let _ = text.parse::<OrganizationId>();
}

/// Every statement, then entries and payloads.
fn encodings() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let forge = samples::forge_key();
    let statements = statements_by_kind()
        .map(|(statement, _)| statement.to_vec())
        .collect();
    let mut others: Vec<Vec<u8>> = crate::entries::bodies()
        .iter()
        .flat_map(|body| [body.encode(), crate::entries::entry(body, None).encode()])
        .collect();
    let part = samples::readings().part(|path| path.as_str() == "Energy");
    let part = part.unwrap().unwrap();
    let mut frontier = Frontier::default();
    (0..7_u8).for_each(|leaf| frontier.append(Digest::of(&[leaf])));
    others.extend([
        samples::readings().encode().unwrap(),
        part.encode().unwrap(),
        ambit_ledger::encode(&samples::facts()),
        ambit_ledger::encode(&samples::terms()),
        ambit_ledger::encode(&samples::decision()),
        ambit_ledger::encode(&frontier),
        samples::checkpoint().sign(&forge).into_bytes(),
    ]);
    (statements, others)
}

#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Swap(Index, Index),
    Double(Index, Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Cut),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Swap(one, other)),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Double(one, other)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let size = bytes.len();
    match change {
        Change::Flip(at, bits) => bytes[at.index(size)] ^= bits,
        Change::Insert(at, byte) => bytes.insert(at.index(size + 1), *byte),
        Change::Remove(at) => drop(bytes.remove(at.index(size))),
        Change::Cut(at) => bytes.truncate(at.index(size)),
        Change::Swap(one, other) => bytes.swap(one.index(size), other.index(size)),
        Change::Double(one, other) => {
            let (one, other) = (one.index(size), other.index(size));
            let part = bytes[one.min(other)..one.max(other)].to_vec();
            bytes.splice(one..one, part);
        }
    }
}

/// Any CBOR at all, so that more than the first byte is read.
fn any_cbor() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,12}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((0..6_i64, inner.clone()), 0..6).prop_map(|pairs| {
                let pairs: std::collections::BTreeMap<i64, Value> = pairs.into_iter().collect();
                Value::Map(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (Value::from(key), value))
                        .collect(),
                )
            }),
            (prop_oneof![Just(18), any::<u64>()], inner)
                .prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(decode_as_everything(&bytes, &samples::keyring()), 0);
    }

    #[test]
    fn any_cbor_is_read_without_a_panic(value in any_cbor()) {
        prop_assert_eq!(decode_as_everything(&bytes(&value), &samples::keyring()), 0);
    }

    #[test]
    fn no_changed_statement_verifies(
        which in any::<Index>(),
        changes in vec(any_change(), 1..4),
    ) {
        let (statements, _) = encodings();
        let statement = which.get(&statements);
        let mut changed = statement.clone();
        changes.iter().for_each(|change| apply(&mut changed, change));
        prop_assume!(changed != *statement);
        prop_assert_eq!(decode_as_everything(&changed, &samples::keyring()), 0);
    }

    #[test]
    fn changed_encodings_are_read_without_a_panic(
        which in any::<Index>(),
        changes in vec(any_change(), 1..4),
    ) {
        let (_, others) = encodings();
        let mut changed = which.get(&others).clone();
        changes.iter().for_each(|change| apply(&mut changed, change));
        prop_assert_eq!(decode_as_everything(&changed, &samples::keyring()), 0);
    }

    #[test]
    fn no_changed_checkpoint_verifies(changes in vec(any_change(), 1..4)) {
        let (checkpoint, key) = (samples::checkpoint(), samples::forge_key());
        let note = checkpoint.sign(&key);
        let mut changed = note.clone().into_bytes();
        changes.iter().for_each(|change| apply(&mut changed, change));
        if let Ok(changed) = String::from_utf8(changed)
            && changed != note
        {
            // Only what is not signed may change: further signatures are anybody's.
            let outcome = Checkpoint::verify(&changed, &checkpoint.origin, [key.public()]);
            prop_assert!(outcome.is_err() || changed.split("\n\n").next() == note.split("\n\n").next());
        }
    }
}

#[test]
fn unchanged_statements_verify() {
    let (statements, others) = encodings();
    let keyring = samples::keyring();
    let verified = statements
        .iter()
        .map(|bytes| decode_as_everything(bytes, &keyring));
    // A certificate is both read and taken in.
    let expected = StatementKind::ALL
        .iter()
        .map(|kind| 1 + usize::from(*kind == StatementKind::Certificate));
    assert!(verified.eq(expected));
    for bytes in others {
        assert_eq!(decode_as_everything(&bytes, &keyring), 0);
    }
}

#[test]
fn a_frontier_that_no_tree_has_is_refused() {
    let digest = Digest::of(b"root");
    for (size, roots, is_one) in [
        (0, 0, true),
        (1, 1, true),
        (6, 2, true),
        (7, 3, true),
        (0, 1, false),
        (1, 0, false),
        (6, 3, false),
        (u64::MAX, 64, false),
    ] {
        let value = Value::Map(vec![
            (Value::from(0), Value::from(size)),
            (
                Value::from(1),
                Value::Array(vec![Value::Bytes(digest.as_bytes().to_vec()); roots]),
            ),
        ]);
        let outcome = decode::<Frontier>(&bytes(&value));
        assert_eq!(outcome.is_ok(), is_one, "{size} with {roots}: {outcome:?}");
    }
}

/// The largest observation and the largest disclosure that verify, admitted in one entry.
#[test]
fn whatever_verifies_fits_an_entry() {
    let keyring = samples::keyring();
    let key = samples::forge_key();
    let observation = |inputs: usize| {
        let facts = Facts {
            inputs: (0..inputs)
                .map(|input| Digest::of(&input.to_be_bytes()))
                .collect(),
            ..samples::facts()
        };
        Observation::sign(&facts, &key)
    };
    let disclosure = |recipients: usize| {
        let mut disclosure = samples::onward_disclosure();
        disclosure.scope.records.clear();
        disclosure.scope.recipients = (0..recipients)
            .map(|index| samples::named(&format!("did:web:{index:08}.example")))
            .collect();
        disclosure.sign(&key)
    };
    let largest = |sizes: &mut dyn Iterator<Item = Vec<u8>>, verify: &dyn Fn(&[u8]) -> bool| {
        sizes.take_while(|bytes| verify(bytes)).last().unwrap()
    };
    let observation = largest(&mut (0..).map(observation), &|bytes| {
        Observation::verify(bytes, &keyring, samples::issued()).is_ok()
    });
    let disclosure = largest(&mut (1..).map(disclosure), &|bytes| {
        Disclosure::verify(bytes, &keyring).is_ok()
    });
    let body = Body::Admitted(ambit_ledger::Admitted {
        observation: observation.into(),
        disclosure: disclosure.into(),
        decisions: [Digest::of(b"decision")].into(),
        seq: u64::MAX,
        slot: u64::MAX,
        evidence: [].into(),
    });
    let longest = samples::named(&"x".repeat(ambit_ledger::IDENTIFIER_BYTES_MAX));
    let mut entry = crate::entries::entry(&body, Some(longest));
    entry.actor = entry.reason.clone().unwrap();
    let bytes = entry.encode();
    assert!(bytes.len() > ITEM_BYTES_MAX * 9 / 10, "{}", bytes.len());
    assert_eq!(Entry::decode(&bytes).unwrap(), entry);
}

#[test]
fn a_statement_that_no_entry_holds_is_too_large() {
    let facts = Facts {
        inputs: (0..1_500_u32)
            .map(|input| Digest::of(&input.to_be_bytes()))
            .collect(),
        ..samples::facts()
    };
    let statement = Observation::sign(&facts, &samples::forge_key());
    assert!(statement.len() < ITEM_BYTES_MAX);
    let error =
        Observation::verify(&statement, &samples::keyring(), samples::issued()).unwrap_err();
    assert!(matches!(error, StatementError::TooLarge { .. }));
    assert_eq!(RefusalCode::from(&error), RefusalCode::TooLarge);
    let acknowledgement = Acknowledgement {
        refused: (70_000..76_800)
            .map(|seq| RefusedItem {
                seq,
                code: RefusalCode::TooLarge,
            })
            .collect(),
        ..samples::acknowledgement()
    };
    let statement = acknowledgement.sign(&samples::airframe_key());
    assert!(
        (60_500..ITEM_BYTES_MAX).contains(&statement.len()),
        "{}",
        statement.len()
    );
    assert!(matches!(
        Acknowledgement::verify(&statement, &samples::keyring()),
        Err(StatementError::TooLarge { .. })
    ));
}
