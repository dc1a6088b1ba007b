//! What is wrong with an observation's statement, each by its name and by the code that a peer is told.

use crate::cose::{Parts, bytes};
use crate::samples;
use ambit_ledger::{
    CodecError, Digest, Facts, ITEM_BYTES_MAX, KeyPurpose, KeyringError, Observation,
    ObservationId, OrganizationId, RefusalCode, SecretKey, Statement, StatementError,
    StatementKind,
};
use coset::cbor::Value;

type Expected = fn(&StatementError) -> bool;

fn refuse(case: &str, statement: &[u8], expected: Expected, code: RefusalCode) {
    let error = Observation::verify(statement, &samples::keyring(), samples::issued())
        .expect_err(&format!("{case} is accepted"));
    assert!(expected(&error), "{case}: {error:?}");
    assert_eq!(RefusalCode::from(&error), code, "{case}");
}

fn changed(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::observation();
    change(&mut parts);
    parts.sign(&samples::forge_key())
}

fn observation() -> Vec<u8> {
    Observation::sign(&samples::facts(), &samples::forge_key())
}

#[test]
fn an_observation_verifies() {
    let keyring = samples::keyring();
    for facts in [samples::facts(), samples::least_facts()] {
        let statement = Observation::sign(&facts, &samples::forge_key());
        let observation = Observation::verify(&statement, &keyring, samples::issued()).unwrap();
        assert_eq!(observation.facts(), &facts);
        assert_eq!(observation.id(), ObservationId::of(&statement));
        assert_eq!(
            Observation::from_own_ledger(&statement).unwrap(),
            observation
        );
        let parsed = Statement::parse(&statement, StatementKind::Observation).unwrap();
        assert_eq!(parsed.issuer(), &samples::forge());
        assert_eq!(parsed.key(), samples::forge_key().public().fingerprint());
        let verified = parsed.verify(&keyring, samples::issued()).unwrap();
        assert_eq!(verified.issuer(), &samples::forge());
        assert_eq!(verified.subject(), facts.readings.to_string());
        assert_eq!(verified.payload(), ambit_ledger::encode(&facts));
        assert_eq!(verified.digest(), Digest::of(&statement));
    }
}

#[test]
fn another_kind_is_refused() {
    let disclosure = samples::disclosure().sign(&samples::forge_key());
    let other = changed(|parts| *parts.header(16) = Value::from("application/cbor"));
    for (case, statement) in [("a disclosure", disclosure), ("another type", other)] {
        refuse(
            case,
            &statement,
            |error| {
                matches!(error, StatementError::Kind { expected, found }
                    if *expected == StatementKind::Observation.media_type() && found != expected)
            },
            RefusalCode::NotCanonical,
        );
    }
}

#[test]
fn another_frame_is_refused() {
    let parts = Parts::observation();
    refuse(
        "untagged",
        &observation()[1..],
        |error| matches!(error, StatementError::Untagged),
        RefusalCode::NotCanonical,
    );
    let mut tagged_twice = vec![0xd2];
    tagged_twice.extend(observation());
    let mut with_more = observation();
    with_more.push(0);
    let mut detached = parts.clone();
    detached.payload = Value::Null;
    let mut short = parts.clone();
    short.signature = Value::Bytes(vec![0; 63]);
    for (case, statement) in [
        ("nothing", Vec::new()),
        ("tag 17", parts.join_as(17)),
        ("tagged twice", tagged_twice),
        ("bytes after it", with_more),
        ("cut short", observation()[..200].to_vec()),
        ("detached payload", detached.join()),
        ("short signature", short.join()),
    ] {
        refuse(
            case,
            &statement,
            |error| matches!(error, StatementError::Codec(_)),
            RefusalCode::NotCanonical,
        );
    }
    refuse(
        "too large",
        &vec![0; ITEM_BYTES_MAX + 1],
        |error| matches!(error, StatementError::TooLarge { .. }),
        RefusalCode::TooLarge,
    );
}

#[test]
fn any_other_header_is_refused() {
    let forge = samples::forge_key();
    let extra = |label: i64| (Value::from(label), Value::from(0));
    let mut unprotected = Parts::observation();
    unprotected.unprotected.push(extra(99));
    let mut moved = Parts::observation();
    let algorithm = moved.protected.remove(0);
    moved.unprotected.push(algorithm);
    let cases = [
        ("extra unprotected", unprotected.join()),
        ("algorithm unprotected", moved.sign(&forge)),
        (
            "extra protected",
            changed(|parts| parts.protected.push(extra(99))),
        ),
        (
            "critical",
            changed(|parts| {
                let critical = Value::Array(vec![Value::from(99)]);
                parts.protected.insert(1, (Value::from(2), critical));
            }),
        ),
        ("EdDSA", changed(|parts| *parts.header(1) = Value::from(-8))),
        ("ES256", changed(|parts| *parts.header(1) = Value::from(-7))),
        (
            "algorithm by name",
            changed(|parts| *parts.header(1) = Value::from("Ed25519")),
        ),
        (
            "no key id",
            changed(|parts| drop(parts.protected.remove(1))),
        ),
        (
            "short key id",
            changed(|parts| *parts.header(4) = Value::Bytes(vec![0; 31])),
        ),
        (
            "key id as text",
            changed(|parts| *parts.header(4) = Value::from("0".repeat(32))),
        ),
        (
            "no claims",
            changed(|parts| drop(parts.protected.remove(2))),
        ),
        (
            "another claim",
            changed(|parts| parts.header(15).as_map_mut().unwrap().push(extra(6))),
        ),
        (
            "no subject",
            changed(|parts| drop(parts.header(15).as_map_mut().unwrap().pop())),
        ),
        (
            "issuer with a space",
            changed(|parts| *parts.claim(1) = Value::from(" did:web:forge.example")),
        ),
        (
            "type as a number",
            changed(|parts| *parts.header(16) = Value::from(60)),
        ),
    ];
    for (case, statement) in cases {
        refuse(
            case,
            &statement,
            |error| matches!(error, StatementError::Header),
            RefusalCode::NotCanonical,
        );
    }
    let mut unsorted = Parts::observation();
    unsorted.protected.swap(0, 1);
    refuse(
        "unsorted header",
        &unsorted.sign(&forge),
        |error| {
            matches!(
                error,
                StatementError::Codec(CodecError::KeysNotAscending(_))
            )
        },
        RefusalCode::NotCanonical,
    );
}

#[test]
fn a_changed_statement_does_not_verify() {
    let signature: Expected = |error| matches!(error, StatementError::Signature);
    let mut facts = samples::facts();
    facts.serial = Some(samples::named("S-000018"));
    let payload = Parts::observation().with_payload(ambit_ledger::encode(&facts));
    refuse(
        "changed payload",
        &payload.join(),
        signature,
        RefusalCode::BadSignature,
    );
    let mut other = Parts::observation();
    other.signature = Value::Bytes(vec![0; 64]);
    refuse(
        "changed signature",
        &other.join(),
        signature,
        RefusalCode::BadSignature,
    );
    // A certified key is named, another key of the same organization signed.
    let mut keyring = samples::keyring();
    let second = SecretKey::from_seed(&[5; 32]);
    let root = samples::forge_root();
    let certificate = samples::certificate(samples::forge(), &root, KeyPurpose::Statement, &second);
    keyring.certify(&certificate.sign(&root, &second)).unwrap();
    let named_other = changed(|parts| {
        *parts.header(4) = Value::from(second.public().fingerprint().digest().as_bytes().to_vec());
    });
    assert!(matches!(
        Observation::verify(&named_other, &keyring, samples::issued()),
        Err(StatementError::Signature)
    ));
}

#[test]
fn parties_are_the_same_in_header_and_payload() {
    let parties: Expected = |error| matches!(error, StatementError::Parties);
    // Signed by a certified key of the organization in the header, which is not the one in the payload.
    let mut issuer = Parts::read(&Observation::sign(
        &samples::facts(),
        &samples::airframe_key(),
    ));
    *issuer.claim(1) = Value::from("did:web:airframe.example");
    refuse(
        "another issuer",
        &issuer.sign(&samples::airframe_key()),
        parties,
        RefusalCode::WrongOrigin,
    );
    let subject = Digest::of(b"other readings").to_string();
    let subject = changed(|parts| *parts.claim(2) = Value::from(subject));
    refuse(
        "another subject",
        &subject,
        parties,
        RefusalCode::WrongOrigin,
    );
}

#[test]
fn only_certified_statement_keys_speak() {
    let other = SecretKey::from_seed(&[6; 32]);
    refuse(
        "uncertified key",
        &Observation::sign(&samples::facts(), &other),
        |error| matches!(error, StatementError::Key(KeyringError::Uncertified { .. })),
        RefusalCode::UnknownKey,
    );
    // A root signs certificates only.
    refuse(
        "root key",
        &Observation::sign(&samples::facts(), &samples::forge_root()),
        |error| matches!(error, StatementError::Key(KeyringError::Uncertified { .. })),
        RefusalCode::UnknownKey,
    );
    let stranger: OrganizationId = samples::named("did:web:stranger.example");
    let facts = Facts {
        issuer: stranger,
        ..samples::facts()
    };
    refuse(
        "a stranger",
        &Observation::sign(&facts, &samples::forge_key()),
        |error| {
            matches!(
                error,
                StatementError::Key(KeyringError::UntrustedOrganization(_))
            )
        },
        RefusalCode::UnknownKey,
    );
    // A key of one organization is none of another's.
    let facts = Facts {
        issuer: samples::airframe(),
        ..samples::facts()
    };
    refuse(
        "another's key",
        &Observation::sign(&facts, &samples::forge_key()),
        |error| matches!(error, StatementError::Key(KeyringError::Uncertified { .. })),
        RefusalCode::UnknownKey,
    );
}

#[test]
fn a_key_of_another_purpose_signs_no_observation() {
    let (root, key) = (samples::forge_root(), SecretKey::from_seed(&[7; 32]));
    let statement = Observation::sign(&samples::facts(), &key);
    for purpose in KeyPurpose::ALL {
        let mut keyring = samples::keyring();
        let certificate = samples::certificate(samples::forge(), &root, purpose, &key);
        let is_certified = keyring.certify(&certificate.sign(&root, &key)).is_ok();
        let is_certifiable = !matches!(purpose, KeyPurpose::Root | KeyPurpose::Seal);
        assert_eq!(is_certified, is_certifiable);
        let outcome = Observation::verify(&statement, &keyring, samples::issued());
        match purpose {
            KeyPurpose::Statement => assert!(outcome.is_ok()),
            KeyPurpose::Root | KeyPurpose::Seal => assert!(matches!(
                outcome,
                Err(StatementError::Key(KeyringError::Uncertified { .. }))
            )),
            KeyPurpose::Agreement
            | KeyPurpose::Checkpoint
            | KeyPurpose::Witness
            | KeyPurpose::Transport
            | KeyPurpose::Person => {
                let error = outcome.unwrap_err();
                assert!(matches!(
                    error,
                    StatementError::Key(KeyringError::Purpose { .. })
                ));
                assert_eq!(RefusalCode::from(&error), RefusalCode::UnknownKey);
            }
        }
    }
}

#[test]
fn facts_that_break_a_rule_are_refused() {
    let rule: Expected = |error| matches!(error, StatementError::Rule(_));
    let facts = samples::facts();
    let backwards = Facts {
        observed_from: facts.observed_to,
        observed_to: facts.observed_from,
        ..facts.clone()
    };
    let count = |reading_count| Facts {
        reading_count,
        ..facts.clone()
    };
    let place = |site: Option<&str>, area: Option<&str>, cell: Option<&str>| Facts {
        site: site.map(samples::named),
        area: area.map(samples::named),
        cell: cell.map(samples::named),
        ..facts.clone()
    };
    for (case, facts) in [
        ("an area without a site", place(None, Some("a"), None)),
        ("a cell without an area", place(Some("s"), None, Some("c"))),
        ("backwards", backwards),
        ("no readings", count(0)),
        ("too many readings", count(1_001)),
        ("far too many readings", count(u32::MAX)),
    ] {
        let statement = Observation::sign(&facts, &samples::forge_key());
        refuse(case, &statement, rule, RefusalCode::NotCanonical);
    }
    let statement = Observation::sign(&count(1_000), &samples::forge_key());
    assert!(Observation::verify(&statement, &samples::keyring(), samples::issued()).is_ok());
}

#[test]
fn a_signed_payload_in_another_encoding_is_refused() {
    let facts = ambit_ledger::encode(&samples::facts());
    let map = || -> Vec<(Value, Value)> {
        let value: Value = coset::cbor::from_reader(facts.as_slice()).unwrap();
        value.into_map().unwrap()
    };
    assert_eq!(bytes(&Value::Map(map())), facts);
    let mut unknown = map();
    unknown.push((Value::from(99), Value::from(0)));
    let mut missing = map();
    missing.remove(0);
    let mut null = map();
    null.iter_mut()
        .filter(|(key, _)| *key == Value::from(2))
        .for_each(|(_, value)| *value = Value::Null);
    let mut unsorted = map();
    unsorted.swap(0, 1);
    let mut bad_name = map();
    bad_name[0].1 = Value::from("did:web:forge.example ");
    let values = map().into_iter().map(|(_, value)| value).collect();
    for (case, payload) in [
        ("unknown field", Value::Map(unknown)),
        ("missing field", Value::Map(missing)),
        ("null for absent", Value::Map(null)),
        ("unsorted", Value::Map(unsorted)),
        ("no name", Value::Map(bad_name)),
        ("an array", Value::Array(values)),
    ] {
        let parts = Parts::observation().with_payload(bytes(&payload));
        refuse(
            case,
            &parts.sign(&samples::forge_key()),
            |error| matches!(error, StatementError::Codec(_)),
            RefusalCode::NotCanonical,
        );
    }
}

#[test]
fn no_changed_bit_verifies() {
    let keyring = samples::keyring();
    let mut facts = samples::least_facts();
    facts.submodel = samples::named("m");
    facts.semantic_id = samples::named("s");
    let statement = Observation::sign(&facts, &samples::forge_key());
    assert!(Observation::verify(&statement, &keyring, samples::issued()).is_ok());
    for index in 0..statement.len() {
        for bit in 0..8 {
            let mut changed = statement.clone();
            changed[index] ^= 1 << bit;
            assert!(
                Observation::verify(&changed, &keyring, samples::issued()).is_err(),
                "bit {bit} of byte {index}"
            );
        }
    }
}

#[test]
fn a_key_that_two_keyrings_hold_is_good_as_long_as_both_say() {
    let (root, key) = (samples::forge_root(), samples::forge_key());
    let issued = samples::issued();
    let purpose = KeyPurpose::Statement;
    let mut certificate = samples::certificate(samples::forge(), &root, purpose, &key);
    certificate.not_after = Some(issued.start_of_millis().plus_seconds(60));
    let mut ending = samples::keyring();
    ending.certify(&certificate.sign(&root, &key)).unwrap();
    assert!(ending.narrowed_by(&samples::keyring()).is_none());
    let narrowed = samples::keyring().narrowed_by(&ending).unwrap();
    let mut both = [samples::keyring(), ending.clone(), narrowed];
    both[0].extend(ending);
    both[1].extend(samples::keyring());
    let key = key.public().fingerprint();
    for keyring in both {
        let good = |from: u32, to: u32| {
            let within = issued.plus_seconds(from)..=issued.plus_seconds(to);
            keyring.was_good(&samples::forge(), &key, &within)
        };
        assert!(good(0, 30) && good(30, 300));
        assert!(!good(60, 300));
    }
}
