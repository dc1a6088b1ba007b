//! One statement of every kind, with every optional field, and how each is verified.

use crate::samples::{self, airframe, forge, named, salt, set};
use ambit_ledger::{
    Acknowledgement, Act, ActKind, AttestationStatement, Certificate, Computation, ComputedTerm,
    Decline, Derivation, DerivedInput, Digest, Disclosure, DisclosureId, ErasureAttestation,
    ErasureMethod, Function, Gone, Grant, Joined, KeyPurpose, Keyring, Labels, Mandate,
    ManifestSignature, Observation, ObservationId, OpenedGrant, OrganizationId, Pattern,
    PatternSignature, PersonSignature, Restriction, SecretKey, SignedCard, StatementError,
    StatementKind, Trigger, input_commitment,
};
use serde_bytes::ByteBuf;

/// How a kind of statement is verified.
pub type Check = fn(&[u8], &Keyring) -> Result<(), StatementError>;

/// A statement, what it must hold, and how it is verified.
pub struct Stated {
    pub kind: StatementKind,
    pub statement: Vec<u8>,
    pub issuer: OrganizationId,
    pub subject: String,
    pub payload: Vec<u8>,
    pub key: SecretKey,
    pub check: Check,
}

/// Two inputs of a derivation, ascending.
pub fn inputs() -> [DerivedInput; 2] {
    let mut inputs = [(&b"first input"[..], 0x61), (b"second input", 0x62)].map(|(id, byte)| {
        let salt = salt(byte);
        DerivedInput {
            commitment: input_commitment(&salt, &ObservationId::of(id)),
            salt,
        }
    });
    inputs.sort_unstable();
    inputs
}

pub fn attestation() -> AttestationStatement {
    AttestationStatement {
        issuer: forge(),
        attestation: samples::attested().attestation,
        at: samples::issued(),
    }
}

pub fn grant() -> Grant {
    Grant {
        authority: forge(),
        number: named("G-7"),
        part: Some(samples::assigned(airframe(), "1001-A")),
        revision: Some(named("C")),
        data_classes: set(["quality"]),
        sites: set(["Halle 3"]),
        recipients: [airframe()].into(),
        not_before: samples::begun(),
        not_after: named("2027-01-01T00:00:00Z"),
        at: samples::issued(),
    }
}

pub fn mandate() -> Mandate {
    Mandate {
        owner: forge(),
        holder: airframe(),
        number: named("M-1"),
        partnership: Some(named("falcon-quality")),
        program: Some(samples::assigned(airframe(), "falcon")),
        data_classes: set(["quality"]),
        not_before: samples::begun(),
        not_after: named("2027-01-01T00:00:00Z"),
        at: samples::issued(),
    }
}

pub fn derivation() -> Derivation {
    let facts = samples::facts();
    Derivation {
        deriver: airframe(),
        output: ObservationId::of(b"an output"),
        inputs: inputs().into(),
        bound: samples::scope(),
        labels: [Labels {
            data_class: facts.data_class,
            owner: facts.owner,
            design_authority: facts.design_authority,
            trade_secret: facts.trade_secret,
            export_control: facts.export_control,
        }]
        .into(),
        declassifications: [Digest::of(b"a person's signature")].into(),
        computation: Some(Computation {
            function: Function::Linear,
            of: vec![ComputedTerm {
                input: 1,
                path: named("Deviations.Flatness"),
                factor: Some(named("-0.5")),
            }],
            constant: Some(named("12.25")),
        }),
        at: samples::issued(),
    }
}

pub fn erasure_attestation() -> ErasureAttestation {
    ErasureAttestation {
        holder: airframe(),
        partnership: named("falcon-quality"),
        disclosure: DisclosureId::of(b"a disclosure"),
        addressee: forge(),
        gone: Gone::Erased {
            method: ErasureMethod::KeyOverwritten,
            remark: Some(named("on a solid-state disk")),
        },
        erased_at: samples::begun(),
        at: samples::issued(),
    }
}

pub fn act() -> Act {
    Act {
        partnership: named("falcon-quality"),
        edition: samples::terms().digest(),
        author: forge(),
        addressee: Some(airframe()),
        number: 2,
        previous: Some(Digest::of(b"the act before")),
        act: ActKind::Restrict {
            restriction: Restriction {
                forbids: Some("forbid (principal, action, resource);".to_owned()),
                until: Some(named("2026-06-01T00:00:00Z")),
                retention_days: Some(30),
                onward_hops: Some(0),
                purposes: Some(set(["urn:purpose:quality"])),
            },
        },
        reason: Some(named("a recall of lot L-9")),
        at: samples::issued(),
    }
}

/// Each thing an act can do.
pub fn act_kinds() -> Vec<(&'static str, ActKind)> {
    vec![
        ("suspend", ActKind::Suspend),
        ("resume", ActKind::Resume),
        ("restrict", act().act),
        ("lift", ActKind::Lift { number: 1 }),
        (
            "renew",
            ActKind::Renew {
                member: airframe(),
                until: named("2026-08-01T00:00:00Z"),
            },
        ),
        ("leave", ActKind::Leave),
        ("dissolve", ActKind::Dissolve),
        (
            "recall",
            ActKind::Recall {
                disclosure: DisclosureId::of(b"a disclosure"),
            },
        ),
    ]
}

pub fn pattern() -> Pattern {
    Pattern {
        partnership: named("falcon-quality"),
        edition: samples::terms().digest(),
        name: named("in-flight event"),
        members: [airframe(), forge()].into(),
        trigger: Trigger::Observation {
            data_class: named("event"),
            role: Some(named("customer")),
        },
        opens: vec![OpenedGrant {
            owners: [forge()].into(),
            recipients: [airframe()].into(),
            data_classes: set(["process"]),
            elements: samples::terms().elements,
            purposes: set(["urn:purpose:safety"]),
        }],
        seconds: 86_400,
        skew_seconds: 300,
        openings_per_day: 2,
        until: named("2027-01-01T00:00:00Z"),
        salt: salt(0x63),
    }
}

pub fn joined() -> Joined {
    let terms = samples::terms();
    Joined {
        partnership: terms.partnership.clone(),
        edition: terms.digest(),
        declarer: airframe(),
        member: terms.members[0].clone(),
        agreed: ByteBuf::from(b"a manifest".to_vec()),
        at: samples::issued(),
    }
}

pub fn person_signature() -> PersonSignature {
    PersonSignature {
        organization: forge(),
        person: named("person-3"),
        function: named("export-officer"),
        signed: Digest::of(b"what is signed"),
        meaning: named("declassified"),
        reason: Some(named("published")),
        at: samples::issued(),
    }
}

fn stated<P: serde::Serialize>(
    kind: StatementKind,
    statement: Vec<u8>,
    subject: impl ToString,
    payload: &P,
    key: SecretKey,
    check: Check,
) -> Stated {
    let airframes = [samples::airframe_key(), samples::airframe_agreement()];
    let is_airframe = airframes.iter().any(|own| own.public() == key.public());
    Stated {
        kind,
        statement,
        issuer: if is_airframe { airframe() } else { forge() },
        subject: subject.to_string(),
        payload: ambit_ledger::encode(payload),
        key,
        check,
    }
}

/// One of every kind, in the order of [`StatementKind::ALL`].
pub fn statements() -> Vec<Stated> {
    let mut all = transfers();
    all.extend(agreements());
    all.extend(authorities());
    all.sort_by_key(|stated| stated.kind);
    let kinds: Vec<StatementKind> = all.iter().map(|stated| stated.kind).collect();
    assert_eq!(kinds, StatementKind::ALL);
    all
}

fn transfers() -> Vec<Stated> {
    let (forge, airframe) = (samples::forge_key, samples::airframe_key);
    let facts = samples::facts();
    let disclosure = samples::onward_disclosure();
    let acknowledgement = samples::refusing_acknowledgement();
    let (derivation, erasure) = (derivation(), erasure_attestation());
    vec![
        stated(
            StatementKind::Observation,
            Observation::sign(&facts, &forge()),
            facts.readings,
            &facts,
            forge(),
            |bytes, keyring| Observation::verify(bytes, keyring, samples::issued()).map(drop),
        ),
        stated(
            StatementKind::Disclosure,
            disclosure.sign(&forge()),
            disclosure.observation,
            &disclosure,
            forge(),
            |bytes, keyring| Disclosure::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Acknowledgement,
            acknowledgement.sign(&airframe()),
            "falcon-quality",
            &acknowledgement,
            airframe(),
            |bytes, keyring| Acknowledgement::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Derivation,
            derivation.sign(&airframe()),
            derivation.output,
            &derivation,
            airframe(),
            |bytes, keyring| Derivation::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::ErasureAttestation,
            erasure.sign(&airframe()),
            erasure.disclosure,
            &erasure,
            airframe(),
            |bytes, keyring| ErasureAttestation::verify(bytes, keyring).map(drop),
        ),
    ]
}

/// Terms and patterns are signed with the instant at which they are.
#[derive(serde::Serialize)]
struct Signed<T> {
    signed: T,
    at: ambit_ledger::Time,
}

fn agreements() -> Vec<Stated> {
    let (forge, airframe) = (samples::forge_agreement, samples::airframe_agreement);
    let (terms, decline) = (samples::terms(), samples::decline());
    let (pattern, act, joined) = (pattern(), act(), joined());
    let card = samples::card();
    let at = samples::issued();
    vec![
        stated(
            StatementKind::Manifest,
            ManifestSignature::sign(&terms, &samples::airframe(), at, &airframe()),
            terms.digest(),
            &Signed { signed: terms, at },
            airframe(),
            |bytes, keyring| ManifestSignature::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Decline,
            decline.sign(&airframe()),
            decline.edition,
            &decline,
            airframe(),
            |bytes, keyring| Decline::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Card,
            card.sign(&samples::forge_key()),
            card.number.as_millis(),
            &card,
            samples::forge_key(),
            |bytes, keyring| SignedCard::parse(bytes)?.verify(keyring).map(drop),
        ),
        stated(
            StatementKind::Act,
            act.sign(&forge()),
            "falcon-quality",
            &act,
            forge(),
            |bytes, keyring| Act::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Pattern,
            PatternSignature::sign(&pattern, &samples::airframe(), at, &airframe()),
            pattern.digest(),
            &Signed {
                signed: pattern,
                at,
            },
            airframe(),
            |bytes, keyring| PatternSignature::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Joined,
            joined.sign(&airframe()),
            joined.edition,
            &joined,
            airframe(),
            |bytes, keyring| Joined::verify(bytes, keyring).map(drop),
        ),
    ]
}

fn authorities() -> Vec<Stated> {
    let forge = samples::forge_key;
    let (attestation, grant, mandate) = (attestation(), grant(), mandate());
    let (certificate, signature) = (certified(), person_signature());
    vec![
        stated(
            StatementKind::Certificate,
            certificate.sign(&samples::forge_root(), &forge()),
            forge().public().fingerprint().digest(),
            &ProvedCertificate::of(&certificate, &forge()),
            samples::forge_root(),
            |bytes, _| Certificate::read(bytes).map(drop),
        ),
        stated(
            StatementKind::Attestation,
            attestation.sign(&forge()),
            &attestation.attestation.subject,
            &attestation,
            forge(),
            |bytes, keyring| AttestationStatement::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Grant,
            grant.sign(&forge()),
            &grant.number,
            &grant,
            forge(),
            |bytes, keyring| Grant::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::Mandate,
            mandate.sign(&forge()),
            &mandate.number,
            &mandate,
            forge(),
            |bytes, keyring| Mandate::verify(bytes, keyring).map(drop),
        ),
        stated(
            StatementKind::PersonSignature,
            signature.sign(&samples::forge_person()),
            signature.signed,
            &signature,
            samples::forge_person(),
            |bytes, keyring| PersonSignature::verify(bytes, keyring).map(drop),
        ),
    ]
}

pub fn certified() -> Certificate {
    samples::certificate(
        forge(),
        &samples::forge_root(),
        KeyPurpose::Statement,
        &samples::forge_key(),
    )
}

/// The payload of a certificate's statement, made by hand.
#[derive(serde::Serialize)]
pub struct ProvedCertificate {
    certificate: Certificate,
    proof: ambit_ledger::Signature,
}

impl ProvedCertificate {
    /// With a proof by this key.
    pub fn of(certificate: &Certificate, key: &SecretKey) -> Self {
        let domain = b"ambit/certificate/1 proof\0";
        let proved = [&domain[..], &ambit_ledger::encode(certificate)].concat();
        Self {
            certificate: certificate.clone(),
            proof: key.sign(&proved),
        }
    }
}
