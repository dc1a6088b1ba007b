//! What is wrong with the statements that are not observations, and with the certificates behind all of them.

use crate::cose::Parts;
use crate::samples::{self, named};
use crate::stated::{Stated, certified, statements};
use ambit_ledger::{
    Certificate, CodecError, Digest, Disclosure, KeyPurpose, Keyring, KeyringError,
    ManifestSignature, OrganizationId, PublicKey, RefusalCode, SecretKey, StatementError,
    StatementKind, Time,
};
use coset::cbor::Value;

fn code(outcome: Result<(), StatementError>) -> Option<RefusalCode> {
    outcome.err().map(|error| RefusalCode::from(&error))
}

#[test]
fn every_kind_verifies_as_itself_only() {
    let keyring = samples::keyring();
    for Stated { kind, check, .. } in statements() {
        for other in statements() {
            let outcome = check(&other.statement, &keyring);
            if kind == other.kind {
                outcome.unwrap();
            } else {
                // What is larger than this kind may be is not read at all.
                let is_refused = match &outcome {
                    Err(StatementError::Kind { .. }) => true,
                    Err(StatementError::Codec(CodecError::TooLarge { limit, .. })) => {
                        *limit == kind.bytes_max()
                    }
                    _ => false,
                };
                assert!(is_refused, "{:?} as {kind:?}: {outcome:?}", other.kind);
            }
        }
    }
}

#[test]
fn every_kind_is_bound_to_its_subject() {
    let keyring = samples::keyring();
    for Stated {
        kind,
        statement,
        key,
        check,
        ..
    } in statements()
    {
        let mut parts = Parts::read(&statement);
        *parts.claim(2) = Value::from("something else");
        let outcome = check(&parts.sign(&key), &keyring);
        assert!(matches!(outcome, Err(StatementError::Parties)), "{kind:?}");
        assert_eq!(code(outcome), Some(RefusalCode::WrongOrigin));
        let mut parts = Parts::read(&statement);
        *parts.claim(2) = Value::from("something else");
        assert_eq!(
            code(check(&parts.join(), &keyring)),
            Some(RefusalCode::BadSignature),
            "{kind:?}"
        );
    }
}

#[test]
fn every_kind_is_bound_to_its_issuer() {
    let mut keyring = samples::keyring();
    let other: OrganizationId = named("did:web:other.example");
    let (root, key) = (
        SecretKey::from_seed(&[21; 32]),
        SecretKey::from_seed(&[22; 32]),
    );
    keyring.trust(other.clone(), root.public().fingerprint(), samples::begun());
    let person = SecretKey::from_seed(&[23; 32]);
    let agreement = SecretKey::from_seed(&[24; 32]);
    for (purpose, key) in [
        (KeyPurpose::Statement, &key),
        (KeyPurpose::Agreement, &agreement),
        (KeyPurpose::Person, &person),
    ] {
        let certificate = samples::certificate(other.clone(), &root, purpose, key);
        keyring.certify(&certificate.sign(&root, key)).unwrap();
    }
    for Stated {
        kind,
        statement,
        check,
        ..
    } in statements()
    {
        let key = match kind.signed_by() {
            KeyPurpose::Statement => &key,
            KeyPurpose::Agreement => &agreement,
            KeyPurpose::Person => &person,
            // A certificate names its root itself.
            _ => continue,
        };
        let mut parts = Parts::read(&statement);
        *parts.claim(1) = Value::from(other.as_str());
        *parts.header(4) = Value::from(key.public().fingerprint().digest().as_bytes().to_vec());
        // For a manifest this is a signer that is no member.
        let outcome = check(&parts.sign(key), &keyring);
        assert!(matches!(outcome, Err(StatementError::Parties)), "{kind:?}");
    }
}

#[test]
fn every_kind_takes_keys_of_its_own_purpose_only() {
    let root = samples::forge_root();
    let key = SecretKey::from_seed(&[31; 32]);
    let kid = key.public().fingerprint().digest().as_bytes().to_vec();
    let (mut taken, mut refused) = (0, 0);
    for purpose in KeyPurpose::ALL {
        if !purpose.signs() || purpose == KeyPurpose::Root {
            continue;
        }
        let certificate = samples::certificate(samples::forge(), &root, purpose, &key);
        let mut keyring = samples::keyring();
        keyring.certify(&certificate.sign(&root, &key)).unwrap();
        for stated in statements() {
            if stated.issuer != samples::forge() || stated.kind == StatementKind::Certificate {
                continue;
            }
            let mut parts = Parts::read(&stated.statement);
            *parts.header(4) = Value::from(kid.clone());
            let outcome = (stated.check)(&parts.sign(&key), &keyring);
            if stated.kind.signed_by() == purpose {
                outcome.unwrap();
                taken += 1;
            } else {
                let is_of_another = matches!(
                    &outcome,
                    Err(StatementError::Key(KeyringError::Purpose { .. }))
                );
                assert!(is_of_another, "{:?} by {purpose:?}", stated.kind);
                assert_eq!(code(outcome), Some(RefusalCode::UnknownKey));
                refused += 1;
            }
        }
    }
    assert!(taken > 5 && refused == 5 * taken, "{taken}, {refused}");
}

#[test]
fn what_makes_an_agreement_is_signed_by_its_own_key() {
    let (at, keyring) = (samples::issued(), samples::keyring());
    let by = |key: &SecretKey| {
        let signed = ManifestSignature::sign(&samples::terms(), &samples::forge(), at, key);
        ManifestSignature::verify(&signed, &keyring).map(drop)
    };
    by(&samples::forge_agreement()).unwrap();
    let refused = by(&samples::forge_key()).unwrap_err();
    let words = "not certified for this purpose";
    assert!(matches!(&refused, StatementError::Key(error) if error.to_string().contains(words)));
    // And the other way round.
    let disclosure = samples::disclosure().sign(&samples::forge_agreement());
    let refused = Disclosure::verify(&disclosure, &keyring).unwrap_err();
    assert!(matches!(
        refused,
        StatementError::Key(KeyringError::Purpose { .. })
    ));
}

#[test]
fn a_key_that_others_seal_to_is_found_and_signs_nothing() {
    let mut keyring = samples::keyring();
    let certificate = samples::seal_certificate();
    let root = samples::forge_root();
    keyring.certify(&certificate.sign_unproved(&root)).unwrap();
    let (forge, key) = (samples::forge(), samples::forge_seal().public());
    let find = |purpose| keyring.find(&forge, &key.fingerprint(), purpose, samples::issued());
    for purpose in KeyPurpose::ALL {
        match purpose {
            KeyPurpose::Seal => assert_eq!(find(purpose), Ok(key)),
            _ => assert!(matches!(find(purpose), Err(KeyringError::Purpose { .. }))),
        }
    }
    let found: Vec<_> = keyring.keys_for(&forge, KeyPurpose::Seal).collect();
    assert_eq!(found, [key]);
    for Stated {
        kind,
        statement,
        issuer,
        key: signer,
        check,
        ..
    } in statements()
    {
        if issuer != forge || kind == StatementKind::Certificate {
            continue;
        }
        let mut parts = Parts::read(&statement);
        *parts.header(4) = Value::from(key.fingerprint().digest().as_bytes().to_vec());
        let outcome = check(&parts.sign(&signer), &keyring);
        assert!(
            matches!(
                outcome,
                Err(StatementError::Key(KeyringError::Purpose { .. }))
            ),
            "{kind:?}"
        );
    }
}

#[test]
fn every_kind_needs_a_certified_key() {
    for Stated {
        kind,
        statement,
        check,
        ..
    } in statements()
    {
        if kind == StatementKind::Certificate {
            continue;
        }
        let outcome = check(&statement, &Keyring::new());
        assert!(
            matches!(
                outcome,
                Err(StatementError::Key(KeyringError::UntrustedOrganization(_)))
            ),
            "{kind:?}"
        );
        assert_eq!(code(outcome), Some(RefusalCode::UnknownKey));
    }
}

#[test]
fn a_manifest_gives_its_terms_before_its_signer_is_known() {
    let terms = samples::terms();
    let statement = ManifestSignature::sign(
        &terms,
        &samples::forge(),
        samples::issued(),
        &samples::forge_agreement(),
    );
    assert_eq!(
        ManifestSignature::unverified_terms(&statement).unwrap(),
        terms
    );
    let signature = ManifestSignature::verify(&statement, &samples::keyring()).unwrap();
    assert_eq!(signature.signer(), &samples::forge());
    assert_eq!(signature.edition(), terms.digest());
    assert_eq!(signature.at(), samples::issued());
    assert!(
        ManifestSignature::unverified_terms(&samples::decline().sign(&samples::forge_agreement()))
            .is_err()
    );
}

#[test]
fn a_disclosure_from_the_own_ledger_is_read() {
    let disclosure = samples::onward_disclosure();
    let statement = disclosure.sign(&samples::forge_key());
    assert_eq!(Disclosure::from_own_ledger(&statement).unwrap(), disclosure);
}

/// A keyring that trusts the supplier's root from an instant on and knows no key.
fn trusting_from(from: Time) -> Keyring {
    let mut keyring = Keyring::new();
    let root = samples::forge_root().public().fingerprint();
    keyring.trust(samples::forge(), root, from);
    keyring
}

#[test]
fn a_trusted_root_certifies() {
    let statement = certified().sign(&samples::forge_root(), &samples::forge_key());
    let mut keyring = trusting_from(samples::begun());
    assert_eq!(keyring.certify(&statement).unwrap(), certified());
    let (forge, root) = (samples::forge(), samples::forge_root().public());
    assert!(keyring.trusts(&forge) && !keyring.trusts(&samples::airframe()));
    assert!(keyring.trusts_root(&forge, &root.fingerprint()));
    assert!(!keyring.trusts_root(&samples::airframe(), &root.fingerprint()));
    let key = samples::forge_key().public();
    assert_eq!(
        keyring.find(
            &forge,
            &key.fingerprint(),
            KeyPurpose::Statement,
            samples::begun()
        ),
        Ok(key)
    );
    let keys = |purpose| keyring.keys_for(&forge, purpose).collect::<Vec<_>>();
    assert_eq!(keys(KeyPurpose::Statement), [key]);
    assert_eq!(keys(KeyPurpose::Checkpoint), []);
}

#[test]
fn an_untrusted_root_certifies_nothing() {
    let statement = certified().sign(&samples::forge_root(), &samples::forge_key());
    let error = Keyring::new().certify(&statement).unwrap_err();
    assert!(matches!(
        error,
        StatementError::Key(KeyringError::UntrustedOrganization(_))
    ));
    assert_eq!(RefusalCode::from(&error), RefusalCode::UnknownKey);
    let mut other = Keyring::new();
    let fingerprint = samples::airframe_root().public().fingerprint();
    other.trust(samples::forge(), fingerprint, samples::begun());
    let later = Time::try_from(samples::begun().as_nanos() + 1).unwrap();
    for mut keyring in [other, trusting_from(later)] {
        let error = keyring.certify(&statement).unwrap_err();
        assert!(matches!(
            error,
            StatementError::Key(KeyringError::UntrustedRoot { .. })
        ));
        assert_eq!(RefusalCode::from(&error), RefusalCode::UnknownKey);
        let key = samples::forge_key().public().fingerprint();
        assert!(matches!(
            keyring.find(
                &samples::forge(),
                &key,
                KeyPurpose::Statement,
                samples::issued()
            ),
            Err(KeyringError::Uncertified { .. })
        ));
    }
}

#[test]
fn a_root_certifies_no_root() {
    let certificate = Certificate {
        purpose: KeyPurpose::Root,
        ..certified()
    };
    let statement = certificate.sign(&samples::forge_root(), &samples::forge_key());
    let error = trusting_from(samples::begun())
        .certify(&statement)
        .unwrap_err();
    assert!(matches!(error, StatementError::Rule(_)));
    assert_eq!(RefusalCode::from(&error), RefusalCode::NotCanonical);
}

#[test]
fn nothing_certifies_a_key_that_is_no_point() {
    let off_the_curve: PublicKey =
        "0200000000000000000000000000000000000000000000000000000000000000"
            .parse()
            .unwrap();
    let certificate = Certificate {
        key: off_the_curve,
        ..certified()
    };
    let statement = certificate.sign(&samples::forge_root(), &samples::forge_key());
    let mut keyring = trusting_from(samples::begun());
    for error in [
        Certificate::read(&statement).unwrap_err(),
        keyring.certify(&statement).unwrap_err(),
    ] {
        assert!(matches!(error, StatementError::Rule(_)), "{error}");
    }
}

#[test]
fn a_certificate_is_signed_by_the_root_it_names_for_the_subject_it_names() {
    let root = samples::forge_root();
    let by_itself = certified().sign(&samples::forge_key(), &samples::forge_key());
    assert!(matches!(
        Certificate::read(&by_itself),
        Err(StatementError::Signature)
    ));
    let mut named_root = Parts::read(&by_itself);
    let kid = root.public().fingerprint().digest().as_bytes().to_vec();
    *named_root.header(4) = Value::from(kid);
    assert!(matches!(
        Certificate::read(&named_root.sign(&samples::forge_key())),
        Err(StatementError::Signature)
    ));
    for (claim, text) in [
        (1, "did:web:airframe.example".to_owned()),
        (2, Digest::of(b"another key").to_string()),
    ] {
        let mut parts = Parts::read(&certified().sign(&root, &samples::forge_key()));
        *parts.claim(claim) = Value::from(text);
        let error = Certificate::read(&parts.sign(&root)).unwrap_err();
        assert!(matches!(error, StatementError::Parties));
        assert_eq!(RefusalCode::from(&error), RefusalCode::WrongOrigin);
    }
}
