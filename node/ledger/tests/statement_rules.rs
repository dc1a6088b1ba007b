//! The rules of each statement beyond its shape, and for how long a key is good: each with what keeps it and what
//! breaks it.

use crate::cose::Parts;
use crate::samples::{self, airframe, forge, named, set};
use crate::stated::{self, ProvedCertificate, certified};
use ambit_ledger::{
    Acknowledgement, Act, ActKind, Attestation, AttestationStatement, Card, Certificate,
    Computation, Derivation, Digest, Disclosure, ErasureAttestation, Grant, HeardActs,
    ITEM_BYTES_MAX, Joined, KeyPurpose, Keyring, KeyringError, Mandate, ManifestSignature,
    Observation, Pattern, PatternSignature, PublicKey, RecordDigest, RefusalCode, RefusedItem,
    Restriction, Scope, SecretKey, SignedCard, StatementError, StatementKind, Time, Trigger,
};

fn keeps<T>(outcome: Result<T, StatementError>) {
    outcome.map(drop).unwrap();
}

#[track_caller]
fn breaks<T>(outcome: Result<T, StatementError>) {
    let error = outcome.map(drop).unwrap_err();
    assert!(matches!(error, StatementError::Rule(_)), "{error:?}");
    assert_eq!(RefusalCode::from(&error), RefusalCode::NotCanonical);
}

#[test]
fn a_disclosure_names_decisions_and_one_way_by_which_it_came() {
    let verify = |disclosure: Disclosure| {
        Disclosure::verify(&disclosure.sign(&samples::forge_key()), &samples::keyring())
    };
    keeps(verify(samples::disclosure()));
    keeps(verify(samples::onward_disclosure()));
    keeps(verify(samples::mandated_disclosure()));
    breaks(verify(Disclosure {
        decisions: [].into(),
        ..samples::disclosure()
    }));
    breaks(verify(Disclosure {
        mandate: Some(Digest::of(b"a mandate")),
        ..samples::onward_disclosure()
    }));
}

#[test]
fn what_breaks_its_rule_is_not_issued() {
    let whole = samples::disclosure();
    assert_eq!(
        whole.issue(&samples::forge_key()).unwrap(),
        whole.sign(&samples::forge_key())
    );
    let mut broken = samples::disclosure();
    broken.scope.hold_until = Time::try_from(broken.scope.hold_until.as_nanos() + 1).unwrap();
    breaks(broken.issue(&samples::forge_key()));
}

#[test]
fn what_is_larger_than_its_kind_may_be_is_not_issued() {
    let too_large = |outcome: Result<Vec<u8>, StatementError>, kind: StatementKind| match outcome {
        Err(StatementError::TooLarge { size, limit }) => {
            assert!(size > limit);
            assert_eq!(limit, kind.bytes_max());
        }
        other => panic!("{other:?}"),
    };
    let key = samples::forge_key();
    let mut terms = samples::terms();
    ManifestSignature::issue(&terms, &terms.declarer, samples::issued(), &key).unwrap();
    terms.forbids = Some("x".repeat(ITEM_BYTES_MAX));
    let issued = ManifestSignature::issue(&terms, &terms.declarer, samples::issued(), &key);
    too_large(issued, StatementKind::Manifest);
    let mut facts = samples::facts();
    assert_eq!(
        Observation::issue(&facts, &key).unwrap(),
        Observation::sign(&facts, &key)
    );
    facts.inputs = (0..1_000_u32)
        .map(|number| Digest::of(&number.to_be_bytes()))
        .collect();
    too_large(Observation::issue(&facts, &key), StatementKind::Observation);
    let mut card = samples::card();
    let address = |number: u32| format!("/dns4/{}{number}.example", "a".repeat(50));
    card.addresses = (0..300)
        .map(|number| address(number).parse().unwrap())
        .collect();
    let issued = SignedCard::issue(card, &key).map(|card| card.statement().to_vec());
    too_large(issued, StatementKind::Card);
}

#[test]
fn what_others_refuse_is_not_issued() {
    let key = samples::forge_key();
    let finer = |time: Time| Time::try_from(time.as_nanos() + 1).unwrap();
    let mut terms = samples::terms();
    terms.until = finer(terms.until);
    breaks(ManifestSignature::issue(
        &terms,
        &terms.declarer,
        samples::issued(),
        &key,
    ));
    let mut facts = samples::facts();
    facts.reading_count = 0;
    breaks(Observation::issue(&facts, &key));
    let mut card = samples::card();
    card.number = finer(card.number);
    breaks(SignedCard::issue(card, &key));
}

#[test]
fn a_scope_names_purposes_recipients_their_records_and_whole_milliseconds() {
    let verify = |scope: Scope| {
        let disclosure = Disclosure {
            scope,
            ..samples::disclosure()
        };
        Disclosure::verify(&disclosure.sign(&samples::forge_key()), &samples::keyring())
    };
    let scope = samples::scope();
    let finer = |time: Time| Time::try_from(time.as_nanos() + 1).unwrap();
    let record = |organization, byte: u8| RecordDigest {
        organization,
        material: Digest::of(&[byte]),
    };
    keeps(verify(scope.clone()));
    keeps(verify(Scope {
        keep_until: Some(scope.hold_until),
        ..scope.clone()
    }));
    for broken in [
        Scope {
            keep_until: Some(scope.hold_until.plus_seconds(1)),
            ..scope.clone()
        },
        Scope {
            purposes: set([]),
            ..scope.clone()
        },
        Scope {
            recipients: set([]),
            records: [].into(),
            ..scope.clone()
        },
        Scope {
            records: [record(forge(), 1)].into(),
            ..scope.clone()
        },
        Scope {
            records: [record(airframe(), 1), record(airframe(), 2)].into(),
            ..scope.clone()
        },
        Scope {
            not_after: finer(scope.not_after),
            ..scope.clone()
        },
        Scope {
            hold_until: finer(scope.hold_until),
            ..scope.clone()
        },
        Scope {
            keep_until: scope.keep_until.map(finer),
            ..scope.clone()
        },
        Scope {
            derived: scope.derived.clone().map(|mut derived| {
                derived.hold_until = derived.hold_until.map(finer);
                derived
            }),
            ..scope
        },
    ] {
        breaks(verify(broken));
    }
}

#[test]
fn an_acknowledgement_tells_refusals_from_what_is_set_aside() {
    let verify = |acknowledgement: Acknowledgement| {
        Acknowledgement::verify(
            &acknowledgement.sign(&samples::airframe_key()),
            &samples::keyring(),
        )
    };
    let whole = samples::refusing_acknowledgement();
    let item = |code| vec![RefusedItem { seq: 7, code }];
    keeps(verify(whole.clone()));
    keeps(verify(samples::acknowledgement()));
    for code in [RefusalCode::Undecided, RefusalCode::from(1_999)] {
        breaks(verify(Acknowledgement {
            refused: item(code),
            ..whole.clone()
        }));
    }
    for code in [RefusalCode::Duplicate, RefusalCode::from(999)] {
        breaks(verify(Acknowledgement {
            set_aside: item(code),
            ..whole.clone()
        }));
    }
    let numbers = |refused: &[u64], set_aside: &[u64]| {
        let list = |numbers: &[u64], code| {
            let item = |seq: &u64| RefusedItem { seq: *seq, code };
            numbers.iter().map(item).collect()
        };
        verify(Acknowledgement {
            upto: 9,
            refused: list(refused, RefusalCode::Duplicate),
            set_aside: list(set_aside, RefusalCode::Undecided),
            ..whole.clone()
        })
    };
    keeps(numbers(&[1, 9], &[2, 8]));
    for (refused, set_aside) in [
        (&[2, 1][..], &[][..]),
        (&[], &[2, 1]),
        (&[2, 2], &[]),
        (&[2], &[2]),
        (&[0], &[]),
        (&[], &[10]),
    ] {
        breaks(numbers(refused, set_aside));
    }
    let twice: Vec<HeardActs> = [&whole.heard[..], &whole.heard[..]].concat();
    breaks(verify(Acknowledgement {
        heard: twice,
        ..whole
    }));
}

#[test]
fn acts_count_from_one_and_say_what_they_do() {
    let verify =
        |act: Act| Act::verify(&act.sign(&samples::forge_agreement()), &samples::keyring());
    let act = stated::act();
    for (_, kind) in stated::act_kinds() {
        keeps(verify(Act {
            act: kind,
            ..act.clone()
        }));
    }
    let first = Act {
        number: 1,
        previous: None,
        addressee: None,
        act: ActKind::Suspend,
        ..act.clone()
    };
    keeps(verify(first.clone()));
    let restrict = |restriction| Act {
        act: ActKind::Restrict { restriction },
        ..act.clone()
    };
    let finer = Time::try_from(samples::issued().as_nanos() + 1).unwrap();
    for broken in [
        Act {
            number: 0,
            ..first.clone()
        },
        Act {
            previous: act.previous,
            ..first.clone()
        },
        Act {
            previous: None,
            ..act.clone()
        },
        Act {
            addressee: Some(forge()),
            ..act.clone()
        },
        Act {
            act: ActKind::Lift { number: 1 },
            ..first.clone()
        },
        Act {
            act: ActKind::Lift { number: 2 },
            ..act.clone()
        },
        Act {
            act: stated::act_kinds().remove(7).1,
            ..first
        },
        restrict(Restriction::default()),
        restrict(Restriction {
            forbids: Some("x".repeat(8_193)),
            ..Restriction::default()
        }),
        restrict(Restriction {
            until: Some(finer),
            ..Restriction::default()
        }),
        Act {
            at: finer,
            ..act.clone()
        },
    ] {
        breaks(verify(broken));
    }
    let narrowing: Vec<&str> = stated::act_kinds()
        .iter()
        .filter(|(_, kind)| kind.narrows())
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(
        narrowing,
        ["suspend", "restrict", "leave", "dissolve", "recall"]
    );
}

#[test]
fn what_authorities_say_begins_before_it_ends_and_is_about_something() {
    let (key, keyring) = (samples::forge_key(), samples::keyring());
    let (attestation, grant, mandate) = (stated::attestation(), stated::grant(), stated::mandate());
    breaks(AttestationStatement::verify(
        &AttestationStatement {
            attestation: Attestation {
                not_before: attestation.attestation.not_after,
                ..attestation.attestation.clone()
            },
            ..attestation
        }
        .sign(&key),
        &keyring,
    ));
    for broken in [
        Grant {
            not_before: grant.not_after,
            ..grant.clone()
        },
        Grant {
            data_classes: set([]),
            ..grant.clone()
        },
        Grant {
            part: None,
            ..grant
        },
    ] {
        breaks(Grant::verify(&broken.sign(&key), &keyring));
    }
    for broken in [
        Mandate {
            not_before: mandate.not_after,
            ..mandate.clone()
        },
        Mandate {
            data_classes: set([]),
            ..mandate.clone()
        },
        Mandate {
            holder: forge(),
            ..mandate
        },
    ] {
        breaks(Mandate::verify(&broken.sign(&key), &keyring));
    }
}

#[test]
fn a_derivation_names_its_inputs_their_labels_and_a_computation_over_them() {
    let verify = |derivation: Derivation| {
        Derivation::verify(
            &derivation.sign(&samples::airframe_key()),
            &samples::keyring(),
        )
    };
    let derivation = stated::derivation();
    let mut backwards = derivation.inputs.clone();
    backwards.reverse();
    let computed = |change: fn(&mut Computation)| {
        let mut computation = derivation.computation.clone().unwrap();
        change(&mut computation);
        Derivation {
            computation: Some(computation),
            ..derivation.clone()
        }
    };
    keeps(verify(Derivation {
        computation: None,
        ..derivation.clone()
    }));
    for broken in [
        Derivation {
            inputs: Vec::new(),
            computation: None,
            ..derivation.clone()
        },
        Derivation {
            inputs: backwards,
            ..derivation.clone()
        },
        Derivation {
            labels: [].into(),
            ..derivation.clone()
        },
        Derivation {
            bound: Scope {
                purposes: set([]),
                ..samples::scope()
            },
            ..derivation.clone()
        },
        computed(|computation| computation.of.clear()),
        computed(|computation| computation.of[0].input = 2),
    ] {
        breaks(verify(broken));
    }
}

#[test]
fn a_pattern_opens_something_between_its_members() {
    let verify = |pattern: Pattern| {
        let statement = PatternSignature::sign(
            &pattern,
            &forge(),
            samples::issued(),
            &samples::forge_agreement(),
        );
        PatternSignature::verify(&statement, &samples::keyring())
    };
    let pattern = stated::pattern();
    let quorum = |members, signatures| Pattern {
        trigger: Trigger::Quorum {
            members,
            signatures,
        },
        ..pattern.clone()
    };
    let opened = |change: fn(&mut Pattern)| {
        let mut changed = pattern.clone();
        change(&mut changed);
        changed
    };
    let signature = verify(pattern.clone()).unwrap();
    assert_eq!(signature.pattern(), &pattern);
    assert_eq!(
        (signature.signer(), signature.at()),
        (&forge(), samples::issued())
    );
    keeps(verify(quorum([forge(), airframe()].into(), 2)));
    for broken in [
        quorum([forge()].into(), 2),
        quorum([forge()].into(), 0),
        quorum(set(["did:web:other.example"]), 1),
        opened(|pattern| pattern.opens.clear()),
        opened(|pattern| pattern.opens[0].owners = set(["did:web:other.example"])),
        opened(|pattern| pattern.opens[0].recipients = set(["did:web:other.example"])),
        opened(|pattern| pattern.opens[0].purposes.clear()),
        opened(|pattern| pattern.opens[0].data_classes.clear()),
    ] {
        breaks(verify(broken));
    }
}

#[test]
fn erasures_cards_terms_and_joining_have_instants_that_fit() {
    let finer = Time::try_from(samples::issued().as_nanos() + 1).unwrap();
    let keyring = samples::keyring();
    let erasure = ErasureAttestation {
        erased_at: finer,
        ..stated::erasure_attestation()
    };
    breaks(ErasureAttestation::verify(
        &erasure.sign(&samples::airframe_key()),
        &keyring,
    ));
    let card = |card: Card| {
        SignedCard::parse(&card.sign(&samples::forge_key()))
            .unwrap()
            .verify(&keyring)
            .map(drop)
    };
    breaks(card(Card {
        number: finer,
        ..samples::card()
    }));
    breaks(card(Card {
        certificates: Vec::new(),
        ..samples::card()
    }));
    let joined = Joined {
        at: finer,
        ..stated::joined()
    };
    breaks(Joined::verify(
        &joined.sign(&samples::airframe_agreement()),
        &keyring,
    ));
    type Change = fn(&mut ambit_ledger::PartnershipTerms, Time);
    let changes: [Change; 8] = [
        |terms, finer| terms.declared_at = finer,
        |terms, finer| terms.sign_by = Some(finer),
        |terms, finer| terms.observed_from = finer,
        |terms, finer| terms.observed_until = finer,
        |terms, finer| terms.until = finer,
        |terms, finer| terms.hold_until = Some(finer),
        |terms, finer| terms.lease_until = finer,
        |terms, finer| terms.derived.as_mut().unwrap().not_after = Some(finer),
    ];
    for change in changes {
        let mut terms = samples::terms();
        change(&mut terms, finer);
        let key = samples::forge_agreement();
        let statement = ManifestSignature::sign(&terms, &forge(), samples::issued(), &key);
        breaks(ManifestSignature::verify(&statement, &keyring));
    }
}

#[test]
fn a_card_in_terms_is_the_very_statement() {
    let card = SignedCard::sign(samples::card(), &samples::forge_key());
    let bytes = ambit_ledger::encode(&card);
    assert_eq!(
        bytes,
        ambit_ledger::encode(&serde_bytes::Bytes::new(card.statement()))
    );
    let read: SignedCard = ambit_ledger::decode(&bytes).unwrap();
    assert_eq!(read, card);
    assert_eq!(read.verify(&samples::keyring()).unwrap(), &samples::card());
    assert_eq!(read.seat, named("DE"));
    // Signed by somebody else, it is read and does not verify.
    let other = SignedCard::sign(samples::card(), &samples::airframe_key());
    let read: SignedCard = ambit_ledger::decode(&ambit_ledger::encode(&other)).unwrap();
    assert!(read.verify(&samples::keyring()).is_err());
    // What is no card is no member's record.
    let bytes = ambit_ledger::encode(&serde_bytes::Bytes::new(
        &samples::decline().sign(&samples::forge_agreement()),
    ));
    assert!(ambit_ledger::decode::<SignedCard>(&bytes).is_err());
    // Addresses and keys are no material part of it, where it lies is.
    let material = samples::card().material().digest();
    let mut moved = samples::card();
    moved.addresses.clear();
    assert_eq!(moved.material().digest(), material);
    moved.hosting = set(["US"]);
    assert_ne!(moved.material().digest(), material);
}

#[test]
fn a_certificate_proves_that_its_key_is_there() {
    let (root, key) = (samples::forge_root(), samples::forge_key());
    let proved = |by: &SecretKey| {
        let payload = ambit_ledger::encode(&ProvedCertificate::of(&certified(), by));
        Parts::read(&certified().sign(&root, &key))
            .with_payload(payload)
            .sign(&root)
    };
    assert_eq!(proved(&key), certified().sign(&root, &key));
    keeps(Certificate::read(&proved(&key)));
    // A root that certifies a key it has not.
    breaks(Certificate::read(&proved(&root)));
    breaks(Certificate::read(&proved(&samples::airframe_key())));
    let unsound: PublicKey = "0100000000000000000000000000000000000000000000000000000000000000"
        .parse()
        .unwrap();
    let certificate = Certificate {
        key: unsound,
        ..certified()
    };
    breaks(Certificate::read(&certificate.sign(&root, &key)));
    let certificate = Certificate {
        not_after: Some(samples::begun()),
        ..certified()
    };
    breaks(Certificate::read(&certificate.sign(&root, &key)));
}

#[test]
fn a_key_that_others_seal_to_has_no_proof_and_is_a_sound_point() {
    let root = samples::forge_root();
    let certificate = samples::seal_certificate();
    let statement = certificate.sign_unproved(&root);
    assert_eq!(Certificate::read(&statement).unwrap(), certificate);
    // A proof by any key, the root's among them, says nothing of a key that cannot sign.
    for key in [samples::forge_key(), samples::forge_root()] {
        breaks(Certificate::read(&certificate.sign(&root, &key)));
    }
    // Of small order, on the twist, in another encoding.
    for unsound in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "0900000000000000000000000000000000000000000000000000000000000080",
    ] {
        let certificate = Certificate {
            key: unsound.parse().unwrap(),
            ..certificate.clone()
        };
        breaks(Certificate::read(&certificate.sign_unproved(&root)));
        let mut keyring = samples::keyring();
        breaks(keyring.certify(&certificate.sign_unproved(&root)));
    }
    // Whoever signs it certifies for another: the root that is named has to.
    let forged = certificate.sign_unproved(&samples::airframe_root());
    assert!(matches!(
        Certificate::read(&forged),
        Err(StatementError::Signature)
    ));
    // A key that signs is never certified without its proof, whatever it is for.
    for purpose in KeyPurpose::ALL {
        let certificate = samples::certificate(forge(), &root, purpose, &samples::forge_key());
        breaks(Certificate::read(&certificate.sign_unproved(&root)));
    }
    // One key is for one purpose, on whichever curve.
    let mut keyring = samples::keyring();
    keyring.certify(&statement).unwrap();
    keeps(keyring.certify(&statement));
    let certificate = Certificate {
        key: samples::forge_key().public(),
        ..certificate
    };
    assert!(keyring.certify(&certificate.sign_unproved(&root)).is_err());
}

#[test]
fn a_key_is_good_from_its_beginning_to_just_before_its_end() {
    let (root, key) = (samples::forge_root(), samples::forge_key());
    let (from, until): (Time, Time) = (samples::issued(), samples::issued().plus_days(1));
    let certify = |keyring: &mut Keyring, not_before, not_after| {
        let certificate = Certificate {
            not_before,
            not_after,
            ..certified()
        };
        keyring.certify(&certificate.sign(&root, &key)).map(drop)
    };
    let mut keyring = Keyring::new();
    keyring.trust(forge(), root.public().fingerprint(), Time::EARLIEST);
    certify(&mut keyring, from, Some(until)).unwrap();
    let statement = Observation::sign(&samples::facts(), &key);
    let before = |time: Time| Time::try_from(time.as_nanos() - 1).unwrap();
    let verify = |keyring: &Keyring, at| Observation::verify(&statement, keyring, at);
    for (at, is_good) in [
        (before(from), false),
        (from, true),
        (before(until), true),
        (until, false),
    ] {
        let outcome = verify(&keyring, at);
        assert_eq!(outcome.is_ok(), is_good, "{at}");
        if let Err(error) = outcome {
            assert!(matches!(
                error,
                StatementError::Key(KeyringError::Instant { .. })
            ));
            assert_eq!(RefusalCode::from(&error), RefusalCode::UnknownKey);
        }
    }
    // What says when it was issued is held to that.
    let disclosure = |issued_at| Disclosure {
        issued_at,
        ..samples::disclosure()
    };
    keeps(Disclosure::verify(&disclosure(from).sign(&key), &keyring));
    for at in [before(from), until] {
        assert!(Disclosure::verify(&disclosure(at).sign(&key), &keyring).is_err());
    }
    // A root ends a key by certifying it again; nothing makes that longer again.
    let sooner = from.plus_seconds(60);
    certify(&mut keyring, from, Some(sooner)).unwrap();
    certify(&mut keyring, Time::EARLIEST, None).unwrap();
    assert!(verify(&keyring, before(sooner)).is_ok());
    assert!(verify(&keyring, sooner).is_err());
    assert!(verify(&keyring, before(from)).is_err());
    let fingerprint = key.public().fingerprint();
    let find = |at| keyring.find(&forge(), &fingerprint, KeyPurpose::Statement, at);
    assert_eq!(find(from), Ok(key.public()));
    let error = find(sooner).unwrap_err().to_string();
    assert!(
        error.contains("was not good at 2026-05-01T08:02:00Z"),
        "{error}"
    );
    assert!(error.ends_with("from 2026-05-01T08:01:00Z until 2026-05-01T08:02:00Z"));
}

#[test]
fn a_kind_of_a_later_version_is_told_from_what_is_none_of_ours() {
    let found = |media_type: &str| StatementError::Kind {
        found: media_type.to_owned(),
        expected: StatementKind::Act.media_type(),
    };
    assert!(found("application/vnd.ambit.act.2+cbor").is_of_unknown_kind());
    assert!(found("application/vnd.ambit.proposal+cbor").is_of_unknown_kind());
    assert!(!found("application/vnd.ambit.card+cbor").is_of_unknown_kind());
    assert!(!found("application/cbor").is_of_unknown_kind());
    assert!(!StatementError::Signature.is_of_unknown_kind());
    // What a later version may read comes again; what breaks the rules of this one does not.
    let code = |media_type: &str| RefusalCode::from(&found(media_type));
    let later = code("application/vnd.ambit.observation.2+cbor");
    assert_eq!(later, RefusalCode::NewerVersion);
    assert_eq!(
        code("application/vnd.ambit.card+cbor"),
        RefusalCode::NotCanonical
    );
}

#[test]
fn whatever_is_taken_fits_an_entry() {
    for kind in StatementKind::ALL {
        let is_blob = *kind == StatementKind::Manifest;
        assert!(
            is_blob || kind.bytes_max() < ambit_ledger::ITEM_BYTES_MAX - 5_000,
            "{kind:?}"
        );
    }
}
