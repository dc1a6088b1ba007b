//! One value of every kind, with everything fixed: the supplier `forge` discloses to the customer `airframe`.

use ambit_ledger::{
    Acknowledgement, Action, Agreement, AgreementState, Assigned, Attestation, Attested,
    Authorization, Certificate, Checkpoint, Claim, Decision, Decline, DerivedTerms, Digest,
    Disclosure, DisclosureId, ErasureExtent, ExportControl, Facts, Inquiry, KeyPurpose, Keyring,
    Layer, LayerProfile, LayerVerdict, Limits, Member, ObservationId, OrganizationId, Origin,
    PartnershipTerms, Party, PurposeVerdict, Quality, Reading, Readings, RefusalCode, RefusedItem,
    Regime, Salt, Scope, SecretKey, Time, Verdict, When,
};
use serde_bytes::ByteBuf;
use std::fmt::Debug;
use std::str::FromStr;

/// Any name or time from its text.
pub fn named<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A set of names.
pub fn set<T: FromStr<Err: Debug> + Ord, const N: usize>(
    texts: [&str; N],
) -> std::collections::BTreeSet<T> {
    texts.into_iter().map(named).collect()
}

pub fn forge() -> OrganizationId {
    named("did:web:forge.example")
}

pub fn airframe() -> OrganizationId {
    named("did:web:airframe.example")
}

pub fn salt(byte: u8) -> Salt {
    Salt::from_bytes([byte; 32])
}

pub fn forge_root() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

pub fn forge_key() -> SecretKey {
    SecretKey::from_seed(&[2; 32])
}

pub fn airframe_root() -> SecretKey {
    SecretKey::from_seed(&[11; 32])
}

pub fn airframe_key() -> SecretKey {
    SecretKey::from_seed(&[12; 32])
}

/// From when both roots are trusted and both keys certified.
pub fn begun() -> Time {
    named("2026-01-01T00:00:00Z")
}

pub fn certificate(
    subject: OrganizationId,
    root: &SecretKey,
    purpose: KeyPurpose,
    key: &SecretKey,
) -> Certificate {
    Certificate {
        subject,
        root: root.public(),
        purpose,
        key: key.public(),
        not_before: begun(),
        not_after: None,
    }
}

/// Trusts both roots and knows both statement keys.
pub fn keyring() -> Keyring {
    let mut keyring = Keyring::new();
    for (organization, root, key) in [
        (forge(), forge_root(), forge_key()),
        (airframe(), airframe_root(), airframe_key()),
    ] {
        keyring.trust(organization.clone(), root.public().fingerprint(), begun());
        let certificate = certificate(organization, &root, KeyPurpose::Statement, &key);
        keyring.certify(&certificate.sign(&root)).unwrap();
    }
    keyring
}

pub fn readings() -> Readings {
    let reading = |path: &str, when, quality, value: Option<&str>| Reading {
        path: named(path),
        when,
        quality,
        value: value.map(str::to_owned),
        value_type: value.map(|_| named("xs:double")),
        unit: value.map(|_| named("mm")),
    };
    let at = |text: &str| When::Instant { at: named(text) };
    Readings {
        salt: salt(0x51),
        readings: vec![
            reading(
                "Deviations.Flatness",
                at("2026-05-01T08:00:00Z"),
                Quality::Good,
                Some("0.0120"),
            ),
            reading(
                "Deviations.Roundness",
                at("2026-05-01T08:00:00.5Z"),
                Quality::Uncertain,
                Some("1.5e-2"),
            ),
            reading(
                "Spindles[0].Speed",
                at("2026-05-01T08:00:01Z"),
                Quality::Bad,
                None,
            ),
            reading(
                "Spindles[0].Load",
                at("2026-05-01T08:00:02Z"),
                Quality::Unavailable,
                None,
            ),
            reading("Operator", at("2026-05-01T08:00:03Z"), Quality::Empty, None),
            reading(
                "Energy",
                When::Interval {
                    from: named("2026-05-01T07:30:00Z"),
                    to: named("2026-05-01T08:00:00Z"),
                },
                Quality::Good,
                Some("41.7"),
            ),
        ],
    }
}

/// Facts of [`readings`], with every optional field.
pub fn facts() -> Facts {
    let readings = readings();
    let (observed_from, observed_to) = readings.span().unwrap();
    Facts {
        issuer: forge(),
        source: named("cmm-7"),
        site: Some(named("Halle 3")),
        asset: Some(named("https://forge.example/assets/cmm-7")),
        submodel: named("https://forge.example/submodels/geometry/4711"),
        semantic_id: named("https://admin-shell.io/idta/QualityControl/1/0"),
        part: Some(assigned(airframe(), "1001-A")),
        revision: Some(named("C")),
        serial: Some(named("S-000017")),
        lot: Some(assigned(named("did:web:lots.example"), "L-9")),
        order: Some(assigned(named("did:web:orders.example"), "O-77")),
        process: Some(named("op-30")),
        program: Some(assigned(named("did:web:programs.example"), "falcon")),
        data_class: named("quality.geometry"),
        owner: named("did:web:owner.example"),
        design_authority: Some(named("did:web:design.example")),
        trade_secret: true,
        export_control: ExportControl {
            determined: true,
            itar: true,
            usml: Some(named("VIII(h)(1)")),
            eccn: Some(named("9E610")),
            eu_annex_i: Some(named("9E003")),
            licence: Some(named("DSP-5 050123456")),
        },
        observed_from,
        observed_to,
        inputs: vec![Digest::of(b"first input"), Digest::of(b"second input")],
        readings: Digest::of(&readings.encode().unwrap()),
        reading_count: 6,
    }
}

/// Facts of [`readings`] without any optional field.
pub fn least_facts() -> Facts {
    Facts {
        site: None,
        asset: None,
        part: None,
        revision: None,
        serial: None,
        lot: None,
        order: None,
        process: None,
        program: None,
        owner: forge(),
        design_authority: None,
        trade_secret: false,
        export_control: ExportControl::default(),
        inputs: Vec::new(),
        ..facts()
    }
}

pub fn assigned(assigner: OrganizationId, value: &str) -> Assigned {
    Assigned {
        assigner,
        value: named(value),
    }
}

/// A scope with every optional field.
pub fn scope() -> Scope {
    Scope {
        keep_until: Some(named("2026-12-01T00:00:00Z")),
        erasure: ErasureExtent::All,
        onward_hops: 1,
        derived: Some(derived()),
        ..least_scope()
    }
}

pub fn least_scope() -> Scope {
    Scope {
        recipients: [airframe()].into(),
        purposes: set(["urn:purpose:quality", "urn:purpose:warranty"]),
        not_after: named("2027-01-01T00:00:00Z"),
        hold_until: named("2028-05-01T00:00:00Z"),
        keep_until: None,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: None,
    }
}

fn derived() -> DerivedTerms {
    DerivedTerms {
        data_classes: set(["quality.statistics"]),
        recipients: [airframe(), forge()].into(),
        purposes: set(["urn:purpose:quality"]),
    }
}

/// The owner's disclosure.
pub fn disclosure() -> Disclosure {
    Disclosure {
        discloser: forge(),
        observation: ObservationId::of(b"an observation"),
        partnership: named("falcon-quality"),
        edition: terms().digest(),
        recipient: airframe(),
        scope: least_scope(),
        parent: None,
        decision: decision().digest(),
        issued_at: named("2026-05-01T08:01:00Z"),
        salt: salt(0x52),
    }
}

/// A forwarder's disclosure.
pub fn onward_disclosure() -> Disclosure {
    Disclosure {
        scope: scope(),
        parent: Some(DisclosureId::of(b"the disclosure before")),
        ..disclosure()
    }
}

/// With nothing refused.
pub fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        partnership: named("falcon-quality"),
        sender: forge(),
        recipient: airframe(),
        incarnation: salt(0x53),
        upto: 70_000,
        outcomes: Digest::of(b"outcomes"),
        refused: Vec::new(),
        at: named("2026-05-01T08:02:00Z"),
    }
}

pub fn refusing_acknowledgement() -> Acknowledgement {
    let refused = |seq, code| RefusedItem { seq, code };
    Acknowledgement {
        refused: vec![
            refused(69_998, RefusalCode::UnknownKey),
            refused(69_999, RefusalCode::TooLarge),
        ],
        ..acknowledgement()
    }
}

fn members() -> Vec<Member> {
    let certified = |organization, root: &SecretKey, key: &SecretKey| {
        ByteBuf::from(certificate(organization, root, KeyPurpose::Statement, key).sign(root))
    };
    vec![
        Member {
            organization: airframe(),
            name: named("Airframe SE"),
            seat: named("FR"),
            hosting: set(["DE", "FR"]),
            personnel: set(["DE", "ES", "FR"]),
            claims: [claim()].into(),
            addresses: vec![named("/dns4/node.airframe.example/tcp/4001")],
            certificates: vec![certified(airframe(), &airframe_root(), &airframe_key())],
        },
        Member {
            organization: forge(),
            name: named("Forge GmbH"),
            seat: named("DE"),
            hosting: set(["DE"]),
            personnel: set(["DE"]),
            claims: [].into(),
            addresses: Vec::new(),
            certificates: vec![certified(forge(), &forge_root(), &forge_key())],
        },
    ]
}

/// The second edition, with every optional field.
pub fn terms() -> PartnershipTerms {
    PartnershipTerms {
        edition: 2,
        previous: Some(least_terms().digest()),
        parts: [assigned(airframe(), "1001-A")].into(),
        onward_hops: 1,
        derived: Some(derived()),
        deputies: set(["did:web:deputy.example"]),
        forbids: Some("forbid (principal, action, resource);".to_owned()),
        ..least_terms()
    }
}

/// The first edition, without any optional field.
pub fn least_terms() -> PartnershipTerms {
    PartnershipTerms {
        partnership: named("falcon-quality"),
        edition: 1,
        previous: None,
        title: named("Falcon, quality data"),
        declarer: airframe(),
        declared_at: named("2026-04-01T09:00:00Z"),
        program: assigned(airframe(), "falcon"),
        parts: std::collections::BTreeSet::new(),
        data_classes: set(["quality"]),
        purposes: set(["urn:purpose:quality"]),
        observed_from: named("2026-04-01T00:00:00Z"),
        observed_until: named("2027-04-01T00:00:00Z"),
        until: named("2027-05-01T00:00:00Z"),
        retention_days: 730,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: None,
        lease_until: named("2026-07-01T00:00:00Z"),
        deputies: set([]),
        forbids: None,
        profile: Digest::of(b"rendered policies"),
        members: members(),
        salt: salt(0x54),
    }
}

pub fn decline() -> Decline {
    Decline {
        member: airframe(),
        edition: terms().digest(),
        reason: named("the window is too wide"),
        at: named("2026-04-02T10:00:00Z"),
    }
}

pub fn authorization() -> Authorization {
    Authorization {
        authority: named("did:web:authority.example"),
        number: named("DSP-5 050123456"),
        not_after: named("2027-03-31T00:00:00Z"),
        regime: Regime::Itar,
        items: set(["VIII(h)"]),
        destinations: set(["DE", "FR"]),
    }
}

/// With every optional field.
pub fn claim() -> Claim {
    Claim {
        issuer: named("did:web:auditor.example"),
        what: named("export-licence"),
        number: Some(named("17")),
        not_after: named("2027-06-30T00:00:00Z"),
        authorization: Some(authorization()),
    }
}

/// With every optional field.
pub fn attested() -> Attested {
    Attested {
        issuer: named("did:web:auditor.example"),
        attestation: Attestation {
            subject: airframe(),
            what: named("export-licence"),
            number: Some(named("17")),
            not_before: named("2026-01-01T00:00:00Z"),
            not_after: named("2027-06-30T00:00:00Z"),
            authorization: Some(authorization()),
        },
    }
}

pub fn limits() -> Limits {
    Limits {
        program: Some(assigned(airframe(), "falcon")),
        data_classes: set(["quality"]),
        purposes: set(["urn:purpose:quality"]),
        not_after: named("2027-01-01T00:00:00Z"),
        hold_until: named("2029-01-01T00:00:00Z"),
        onward_hops: 1,
        derived: scope().derived,
    }
}

/// With every optional field, every layer, every verdict.
pub fn decision() -> Decision {
    let layer = |layer, verdict, determining: &[&str], errors: &[&str]| LayerVerdict {
        layer,
        verdict,
        determining: determining.iter().map(ToString::to_string).collect(),
        errors: errors.iter().map(ToString::to_string).collect(),
    };
    let answer = |purpose: &str, verdict, layers, errors: &[&str]| PurposeVerdict {
        purpose: named(purpose),
        verdict,
        layers,
        errors: errors.iter().map(ToString::to_string).collect(),
    };
    let profile = |layer: Layer| LayerProfile {
        layer,
        profile: Digest::of(layer.name().as_bytes()),
    };
    Decision {
        class_key: Digest::of(b"class"),
        engine: named("cedar-policy 4.14.1"),
        schema: Digest::of(b"schema"),
        taxonomies: Digest::of(b"taxonomies"),
        profiles: Layer::ALL.into_iter().map(profile).collect(),
        inquiry: inquiry(),
        slice: Digest::of(b"slice"),
        now: named("2026-05-01T08:00:30Z"),
        true_from: named("2026-05-01T08:00:00Z"),
        true_until: Some(named("2026-07-01T00:00:00Z")),
        verdicts: vec![
            answer(
                "urn:purpose:marketing",
                Verdict::Withheld,
                vec![layer(Layer::Ip, Verdict::Withheld, &["no-marketing"], &[])],
                &[],
            ),
            answer(
                "urn:purpose:quality",
                Verdict::Admissible,
                vec![layer(
                    Layer::Sticky,
                    Verdict::Admissible,
                    &["within-scope"],
                    &[],
                )],
                &[],
            ),
            answer(
                "urn:purpose:warranty",
                Verdict::Undecided,
                vec![layer(
                    Layer::TradeSecret,
                    Verdict::Undecided,
                    &[],
                    &["attribute `level` is missing"],
                )],
                &["no purpose `urn:purpose:warranty` in the taxonomy"],
            ),
        ],
        salt: salt(0x5a),
    }
}

/// With every optional field.
pub fn inquiry() -> Inquiry {
    let terms = terms();
    Inquiry {
        action: Action::OnwardDisclose,
        recipient: Party {
            attested: [attested()].into(),
            ..Party::from(terms.member(&airframe()).unwrap())
        },
        discloser: forge(),
        footprint: (&facts()).into(),
        scope: scope(),
        limits: Some(limits()),
        partnership: Agreement {
            partnership: terms.partnership.clone(),
            edition: terms.digest(),
            state: AgreementState::Active,
            members: terms.member_ids(),
            program: terms.program.clone(),
            until: terms.until,
            lease_until: terms.lease_until,
        },
        retention_days: 365,
        hop: 1,
    }
}

/// Without any optional field.
pub fn least_decision() -> Decision {
    let inquiry = inquiry();
    Decision {
        profiles: Vec::new(),
        inquiry: Inquiry {
            action: Action::Disclose,
            recipient: Party::from(terms().member(&forge()).unwrap()),
            footprint: (&least_facts()).into(),
            scope: least_scope(),
            limits: None,
            hop: 0,
            ..inquiry
        },
        true_until: None,
        verdicts: Vec::new(),
        ..decision()
    }
}

/// The origin of a ledger of this organization.
pub fn origin(organization: &str) -> Origin {
    Origin::of(&named(organization), &Digest::of(b"first leaf"))
}

pub fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: origin("lei:529900 T8BM49+AURSDO55"),
        size: 12,
        root: Digest::of(b"root"),
    }
}
