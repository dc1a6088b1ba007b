//! What is wrong with the statements that are not observations, and with the certificates behind all of them.

use crate::cose::Parts;
use crate::samples::{self, named};
use ambit_ledger::{
    Acknowledgement, Certificate, Decline, Digest, Disclosure, KeyPurpose, Keyring, KeyringError,
    ManifestSignature, OrganizationId, PublicKey, RefusalCode, Scope, SecretKey, StatementError,
    Time,
};
use coset::cbor::Value;

type Check = fn(&[u8], &Keyring) -> Result<(), StatementError>;

/// Every kind that statement keys sign: a statement, its key, and how it is verified.
fn statements() -> [(&'static str, Vec<u8>, SecretKey, Check); 4] {
    let (forge, airframe) = (samples::forge_key(), samples::airframe_key());
    let terms = samples::terms();
    [
        (
            "disclosure",
            samples::disclosure().sign(&forge),
            forge,
            |bytes, keyring| Disclosure::verify(bytes, keyring).map(drop),
        ),
        (
            "acknowledgement",
            samples::acknowledgement().sign(&airframe),
            samples::airframe_key(),
            |bytes, keyring| Acknowledgement::verify(bytes, keyring).map(drop),
        ),
        (
            "manifest",
            ManifestSignature::sign(&terms, &samples::airframe(), &airframe),
            samples::airframe_key(),
            |bytes, keyring| ManifestSignature::verify(bytes, keyring).map(drop),
        ),
        (
            "decline",
            samples::decline().sign(&airframe),
            airframe,
            |bytes, keyring| Decline::verify(bytes, keyring).map(drop),
        ),
    ]
}

fn code(outcome: Result<(), StatementError>) -> Option<RefusalCode> {
    outcome.err().map(|error| RefusalCode::from(&error))
}

#[test]
fn every_kind_verifies_as_itself_only() {
    let keyring = samples::keyring();
    for (name, _, _, check) in statements() {
        for (other, statement, ..) in statements() {
            let outcome = check(&statement, &keyring);
            if name == other {
                outcome.unwrap();
            } else {
                assert!(
                    matches!(outcome, Err(StatementError::Kind { .. })),
                    "{other} as {name}"
                );
            }
        }
    }
}

#[test]
fn every_kind_is_bound_to_its_subject() {
    let keyring = samples::keyring();
    for (name, statement, key, check) in statements() {
        let mut parts = Parts::read(&statement);
        *parts.claim(2) = Value::from("something else");
        let outcome = check(&parts.sign(&key), &keyring);
        assert!(matches!(outcome, Err(StatementError::Parties)), "{name}");
        assert_eq!(code(outcome), Some(RefusalCode::WrongOrigin));
        let mut parts = Parts::read(&statement);
        *parts.claim(2) = Value::from("something else");
        assert_eq!(
            code(check(&parts.join(), &keyring)),
            Some(RefusalCode::BadSignature),
            "{name}"
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
    let certificate = samples::certificate(other.clone(), &root, KeyPurpose::Statement, &key);
    keyring.certify(&certificate.sign(&root)).unwrap();
    for (name, statement, _, check) in statements() {
        let mut parts = Parts::read(&statement);
        *parts.claim(1) = Value::from(other.as_str());
        *parts.header(4) = Value::from(key.public().fingerprint().digest().as_bytes().to_vec());
        // For a manifest this is a signer that is no member.
        let outcome = check(&parts.sign(&key), &keyring);
        assert!(matches!(outcome, Err(StatementError::Parties)), "{name}");
    }
}

#[test]
fn every_kind_needs_a_certified_key() {
    for (name, statement, _, check) in statements() {
        let outcome = check(&statement, &Keyring::new());
        assert!(
            matches!(
                outcome,
                Err(StatementError::Key(KeyringError::UntrustedOrganization(_)))
            ),
            "{name}"
        );
        assert_eq!(code(outcome), Some(RefusalCode::UnknownKey));
    }
}

#[test]
fn a_manifest_gives_its_terms_before_its_signer_is_known() {
    let terms = samples::terms();
    let statement = ManifestSignature::sign(&terms, &samples::forge(), &samples::forge_key());
    assert_eq!(
        ManifestSignature::unverified_terms(&statement).unwrap(),
        terms
    );
    let signature = ManifestSignature::verify(&statement, &samples::keyring()).unwrap();
    assert_eq!(signature.signer(), &samples::forge());
    assert_eq!(signature.edition(), terms.digest());
    assert!(
        ManifestSignature::unverified_terms(&samples::decline().sign(&samples::forge_key()))
            .is_err()
    );
}

#[test]
fn a_disclosure_from_the_own_ledger_is_read() {
    let disclosure = samples::onward_disclosure();
    let statement = disclosure.sign(&samples::forge_key());
    assert_eq!(Disclosure::from_own_ledger(&statement).unwrap(), disclosure);
}

#[test]
fn a_scope_without_purposes_or_recipients_or_that_keeps_for_too_long_is_refused() {
    let scope = samples::scope();
    let at_most = Scope {
        keep_until: Some(scope.hold_until),
        ..scope.clone()
    };
    let too_long = Scope {
        keep_until: Some(scope.hold_until.plus_seconds(1)),
        ..scope.clone()
    };
    let no_purposes = Scope {
        purposes: samples::set([]),
        ..scope.clone()
    };
    let no_recipients = Scope {
        recipients: samples::set([]),
        ..scope
    };
    let verify = |scope: Scope| {
        let disclosure = Disclosure {
            scope,
            ..samples::disclosure()
        };
        let statement = disclosure.sign(&samples::forge_key());
        Disclosure::verify(&statement, &samples::keyring())
    };
    assert!(verify(at_most).is_ok());
    for scope in [too_long, no_purposes, no_recipients] {
        let error = verify(scope).unwrap_err();
        assert!(matches!(error, StatementError::Rule(_)));
        assert_eq!(RefusalCode::from(&error), RefusalCode::NotCanonical);
    }
}

fn certificate() -> Certificate {
    samples::certificate(
        samples::forge(),
        &samples::forge_root(),
        KeyPurpose::Statement,
        &samples::forge_key(),
    )
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
    let statement = certificate().sign(&samples::forge_root());
    let mut keyring = trusting_from(samples::begun());
    assert_eq!(keyring.certify(&statement).unwrap(), certificate());
    let (forge, root) = (samples::forge(), samples::forge_root().public());
    assert!(keyring.trusts(&forge) && !keyring.trusts(&samples::airframe()));
    assert!(keyring.trusts_root(&forge, &root.fingerprint()));
    assert!(!keyring.trusts_root(&samples::airframe(), &root.fingerprint()));
    let key = samples::forge_key().public();
    assert_eq!(
        keyring.find(&forge, &key.fingerprint(), KeyPurpose::Statement),
        Ok(key)
    );
    let keys = |purpose| keyring.keys_for(&forge, purpose).collect::<Vec<_>>();
    assert_eq!(keys(KeyPurpose::Statement), [key]);
    assert_eq!(keys(KeyPurpose::Checkpoint), []);
}

#[test]
fn an_untrusted_root_certifies_nothing() {
    let statement = certificate().sign(&samples::forge_root());
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
            keyring.find(&samples::forge(), &key, KeyPurpose::Statement),
            Err(KeyringError::Uncertified { .. })
        ));
    }
}

#[test]
fn a_root_certifies_no_root() {
    let certificate = Certificate {
        purpose: KeyPurpose::Root,
        ..certificate()
    };
    let statement = certificate.sign(&samples::forge_root());
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
        ..certificate()
    };
    let statement = certificate.sign(&samples::forge_root());
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
    let by_itself = certificate().sign(&samples::forge_key());
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
        let mut parts = Parts::read(&certificate().sign(&root));
        *parts.claim(claim) = Value::from(text);
        let error = Certificate::read(&parts.sign(&root)).unwrap_err();
        assert!(matches!(error, StatementError::Parties));
        assert_eq!(RefusalCode::from(&error), RefusalCode::WrongOrigin);
    }
}
