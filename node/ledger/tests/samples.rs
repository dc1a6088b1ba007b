//! One value of every kind, with everything fixed: the supplier `forge` discloses to the customer `airframe`.

use crate::stated::inputs;
use ambit_ledger::{
    Acknowledgement, Action, AddedClass, AdmissionRule, AgreedElement, AgreedPart, Agreement,
    AgreementState, Assigned, AtEnd, Attachment, Attestation, Attested, Authorization, Card,
    Certificate, Checkpoint, Claim, Decision, Decline, Delivery, DeriveDecision, DeriveInquiry,
    DerivedOutput, DerivedTerms, Digest, Disclosure, DisclosureId, ErasureExtent, ExportControl,
    Facts, GrantId, HeardActs, Holding, HoldingDecision, Inquiry, KeyPurpose, Keyring, Layer,
    LayerProfile, LayerVerdict, LegalClause, LegalDocument, Limits, Member, ObservationId,
    OrganizationId, Origin, PartnershipTerms, Party, PurposeVerdict, Quality, Reach, Reading,
    Readings, RecordDigest, RefusalCode, RefusedItem, Regime, RequiredAttestation, RetainDecision,
    RetainInquiry, Role, Salt, Scope, SealKey, SecretKey, SignedCard, Time, Unnamed, UseDecision,
    UseInquiry, Verdict, When, input_commitment,
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

/// A person's at the supplier.
pub fn forge_person() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

/// Signs the supplier's agreements.
pub fn forge_agreement() -> SecretKey {
    SecretKey::from_seed(&[4; 32])
}

/// What others seal to the supplier.
pub fn forge_seal() -> SealKey {
    SealKey::from_seed(&[5; 32])
}

pub fn airframe_root() -> SecretKey {
    SecretKey::from_seed(&[11; 32])
}

pub fn airframe_key() -> SecretKey {
    SecretKey::from_seed(&[12; 32])
}

/// Signs the customer's agreements.
pub fn airframe_agreement() -> SecretKey {
    SecretKey::from_seed(&[13; 32])
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

/// The certificate of the supplier's key that others seal to.
pub fn seal_certificate() -> Certificate {
    Certificate {
        key: forge_seal().public(),
        ..certificate(forge(), &forge_root(), KeyPurpose::Seal, &forge_key())
    }
}

/// Trusts both roots and knows the keys of both that sign statements and agreements, and the key of the supplier's
/// person.
pub fn keyring() -> Keyring {
    let mut keyring = Keyring::new();
    for (organization, root, purpose, key) in [
        (forge(), forge_root(), KeyPurpose::Statement, forge_key()),
        (
            forge(),
            forge_root(),
            KeyPurpose::Agreement,
            forge_agreement(),
        ),
        (forge(), forge_root(), KeyPurpose::Person, forge_person()),
        (
            airframe(),
            airframe_root(),
            KeyPurpose::Statement,
            airframe_key(),
        ),
        (
            airframe(),
            airframe_root(),
            KeyPurpose::Agreement,
            airframe_agreement(),
        ),
    ] {
        keyring.trust(organization.clone(), root.public().fingerprint(), begun());
        let certificate = certificate(organization, &root, purpose, &key);
        keyring.certify(&certificate.sign(&root, &key)).unwrap();
    }
    keyring
}

/// An instant at which both keys are good.
pub fn issued() -> Time {
    named("2026-05-01T08:01:00Z")
}

pub fn readings() -> Readings {
    let reading = |path: &str, when, quality, value: Option<&str>| Reading {
        path: named(path),
        when,
        quality,
        value: value.map(str::to_owned),
        value_type: value.map(|_| named("xs:double")),
        unit: value.map(|_| named("mm")),
        element: None,
        attachment: None,
    };
    let at = |text: &str| When::Instant { at: named(text) };
    let mut readings = vec![
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
        Reading {
            element: Some(r#"{"modelType":"Range","idShort":"Limits"}"#.to_owned()),
            ..reading("Limits", at("2026-05-01T08:00:04Z"), Quality::Good, None)
        },
        Reading {
            value: Some(format!("\"{}\"", Digest::of(b"a scan"))),
            attachment: Some(Attachment {
                digest: Digest::of(b"a scan"),
                bytes: 6,
                media_type: named("model/e57"),
            }),
            ..reading("Scan", at("2026-05-01T08:00:05Z"), Quality::Good, None)
        },
        reading(
            "Deviations.Flatness",
            at("2026-05-01T08:00:06Z"),
            Quality::Good,
            Some("0.0130"),
        ),
    ];
    // As they are read back: by path, and of one path in the order observed.
    readings.sort_by(|one, other| one.path.cmp(&other.path));
    Readings {
        salt: salt(0x51),
        readings,
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
        area: Some(named("Finishing")),
        cell: Some(named("Cell 7")),
        grid_cell: Some(named("u33dc0")),
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
        grants: [GrantId::of(b"a grant")].into(),
        inputs: inputs().map(|input| input.commitment).into(),
        corrects: Some(input_commitment(
            &salt(0x5b),
            &ObservationId::of(b"an earlier one"),
        )),
        readings: readings.digest().unwrap(),
        reading_count: 9,
    }
}

/// Facts of [`readings`] without any optional field.
pub fn least_facts() -> Facts {
    Facts {
        site: None,
        area: None,
        cell: None,
        grid_cell: None,
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
        grants: [].into(),
        inputs: [].into(),
        corrects: None,
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
        records: [RecordDigest {
            organization: airframe(),
            material: members()[0].card.material().digest(),
        }]
        .into(),
        keep_until: Some(named("2026-12-01T00:00:00Z")),
        erasure: ErasureExtent::All,
        onward_hops: 1,
        derived: Some(derived()),
        falls_with_inputs: true,
        ..least_scope()
    }
}

pub fn least_scope() -> Scope {
    Scope {
        recipients: [airframe()].into(),
        records: [].into(),
        purposes: set(["urn:purpose:quality", "urn:purpose:warranty"]),
        not_after: named("2027-01-01T00:00:00Z"),
        hold_until: named("2028-05-01T00:00:00Z"),
        keep_until: None,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: None,
        falls_with_inputs: false,
    }
}

/// With every optional field.
pub fn derived() -> DerivedTerms {
    DerivedTerms {
        data_classes: set(["quality.statistics"]),
        recipients: [airframe(), forge()].into(),
        purposes: set(["urn:purpose:quality"]),
        not_after: Some(named("2026-11-01T00:00:00Z")),
        hold_until: Some(named("2027-05-01T00:00:00Z")),
        onward_hops: Some(1),
        again: true,
        outlives_inputs: true,
    }
}

/// The owner's disclosure.
pub fn disclosure() -> Disclosure {
    Disclosure {
        discloser: forge(),
        observation: ObservationId::of(b"an observation"),
        leaves: [].into(),
        partnership: named("falcon-quality"),
        edition: terms().digest(),
        recipient: airframe(),
        scope: least_scope(),
        parent: None,
        mandate: None,
        derivation: None,
        decisions: [decision().digest()].into(),
        issued_at: issued(),
        salt: salt(0x52),
    }
}

/// A forwarder's disclosure, of a part of derived data.
pub fn onward_disclosure() -> Disclosure {
    Disclosure {
        leaves: [Digest::of(b"a leaf")].into(),
        scope: scope(),
        parent: Some(DisclosureId::of(b"the disclosure before")),
        derivation: Some(Digest::of(b"a derivation")),
        decisions: [decision().digest(), least_decision().digest()].into(),
        ..disclosure()
    }
}

/// A disclosure under the owner's mandate.
pub fn mandated_disclosure() -> Disclosure {
    Disclosure {
        mandate: Some(Digest::of(b"a mandate")),
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
        set_aside: Vec::new(),
        heard: Vec::new(),
        at: named("2026-05-01T08:02:00Z"),
    }
}

pub fn refusing_acknowledgement() -> Acknowledgement {
    let refused = |seq, code| RefusedItem { seq, code };
    Acknowledgement {
        refused: vec![
            refused(69_998, RefusalCode::UnknownKey),
            refused(69_999, RefusalCode::from(417)),
        ],
        set_aside: vec![
            refused(69_990, RefusalCode::Undecided),
            refused(69_991, RefusalCode::from(1_417)),
        ],
        heard: vec![
            HeardActs {
                author: airframe(),
                to_all: 3,
                to_recipient: 0,
            },
            HeardActs {
                author: forge(),
                to_all: 0,
                to_recipient: 70_000,
            },
        ],
        ..acknowledgement()
    }
}

/// The supplier's card, with every optional field.
pub fn card() -> Card {
    Card {
        addresses: vec![
            named("/dns4/node.forge.example/tcp/4001"),
            named("/dnsaddr/forge.example"),
        ],
        ..least_card(forge(), "Forge GmbH", "DE", &forge_root(), &forge_key())
    }
}

pub fn least_card(
    organization: OrganizationId,
    name: &str,
    country: &str,
    root: &SecretKey,
    key: &SecretKey,
) -> Card {
    let certificate = certificate(organization.clone(), root, KeyPurpose::Statement, key);
    Card {
        number: named("2026-03-01T00:00:00.001Z"),
        organization,
        name: named(name),
        addresses: Vec::new(),
        certificates: vec![ByteBuf::from(certificate.sign(root, key))],
        seat: named(country),
        hosting: set([country]),
        personnel: set([country]),
    }
}

/// One with every optional field, one with none.
fn members() -> Vec<Member> {
    let airframe_card = least_card(
        airframe(),
        "Airframe SE",
        "FR",
        &airframe_root(),
        &airframe_key(),
    );
    vec![
        Member {
            card: SignedCard::sign(airframe_card, &airframe_key()),
            role: Some(named("customer")),
            deputies: set(["did:web:deputy.example"]),
            claims: [claim()].into(),
            evidence: vec![ByteBuf::from(b"an attestation".to_vec())],
        },
        Member::of(SignedCard::sign(card(), &forge_key())),
    ]
}

/// The second edition, with every optional field.
pub fn terms() -> PartnershipTerms {
    PartnershipTerms {
        edition: 2,
        previous: [least_terms().digest()].into(),
        sign_by: Some(named("2026-04-15T00:00:00Z")),
        needs: set(["forward", "derive"]),
        program: Some(assigned(airframe(), "falcon")),
        parts: [AgreedPart {
            part: assigned(airframe(), "1001-A"),
            revision: Some(named("C")),
        }]
        .into(),
        lots: [assigned(airframe(), "L-9")].into(),
        elements: [AgreedElement {
            semantic_id: Some(named("https://admin-shell.io/idta/QualityControl/1/0")),
            path: named("Deviations"),
        }]
        .into(),
        added_classes: vec![AddedClass {
            data_class: named("quality.falcon"),
            parent: named("quality"),
        }],
        known: set(["did:web:authority.example"]),
        hold_until: Some(named("2029-01-01T00:00:00Z")),
        keep_days: Some(30),
        erasure: ErasureExtent::All,
        at_end: AtEnd::Erase,
        delivery: Delivery::OnRequest,
        onward_hops: 1,
        derived: Some(derived()),
        roles: [
            Role {
                name: named("customer"),
                purposes: set(["urn:purpose:quality"]),
                reach: Reach::FirstHand,
            },
            Role {
                name: named("insurer"),
                purposes: set(["urn:purpose:warranty"]),
                reach: Reach::Onward,
            },
        ]
        .into(),
        admission: Some(AdmissionRule {
            role: Some(named("insurer")),
            attestations: [RequiredAttestation {
                name: named("iso27001"),
                issuers: set(["did:web:auditor.example"]),
            }]
            .into(),
            seats: set(["EU"]),
            hosting: set(["EU"]),
            sites: set(["Halle 3"]),
        }),
        documents: [LegalDocument {
            title: named("Framework agreement"),
            media_type: named("application/pdf"),
            digest: Digest::of(b"a document"),
        }]
        .into(),
        clauses: vec![LegalClause {
            title: named("Venue"),
            text: "The courts of Toulouse.".to_owned(),
            prevails: true,
        }],
        forbids: Some("forbid (principal, action, resource);".to_owned()),
        ..least_terms()
    }
}

/// The first edition, without any optional field.
pub fn least_terms() -> PartnershipTerms {
    PartnershipTerms {
        partnership: named("falcon-quality"),
        edition: 1,
        previous: [].into(),
        title: named("Falcon, quality data"),
        declarer: airframe(),
        declared_at: named("2026-04-01T09:00:00Z"),
        sign_by: None,
        needs: set([]),
        program: None,
        parts: [].into(),
        lots: [].into(),
        data_classes: set(["quality"]),
        elements: [].into(),
        added_classes: Vec::new(),
        known: set([]),
        purposes: set(["urn:purpose:quality"]),
        observed_from: named("2026-04-01T00:00:00Z"),
        observed_until: named("2027-04-01T00:00:00Z"),
        until: named("2027-05-01T00:00:00Z"),
        retention_days: 730,
        hold_until: None,
        keep_days: None,
        erasure: ErasureExtent::Readings,
        at_end: AtEnd::Hold,
        delivery: Delivery::Push,
        onward_hops: 0,
        derived: None,
        lease_until: named("2026-07-01T00:00:00Z"),
        roles: [].into(),
        admission: None,
        documents: [].into(),
        clauses: Vec::new(),
        forbids: None,
        renderer: 1,
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
        unnamed: None,
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

/// Of which not all is recorded.
pub fn bounded_verdict() -> LayerVerdict {
    LayerVerdict {
        layer: Layer::Partnership,
        verdict: Verdict::Undecided,
        determining: vec!["undecided-lease".to_owned()],
        errors: vec![
            "attribute `level` is missing".to_owned(),
            "2 more".to_owned(),
        ],
        unnamed: Some(Unnamed {
            count: 12,
            all: Digest::of(b"determining"),
        }),
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

/// What is held, with every optional field.
fn holding() -> Holding {
    let inquiry = inquiry();
    Holding {
        holder: inquiry.recipient,
        discloser: inquiry.discloser,
        footprint: inquiry.footprint,
        scope: inquiry.scope,
        limits: inquiry.limits,
        partnership: inquiry.partnership,
        hop: 1,
    }
}

fn holding_decision<Q>(inquiry: Q) -> HoldingDecision<Q> {
    let decision = decision();
    let answer = decision.verdicts[2].clone();
    HoldingDecision {
        class_key: decision.class_key,
        engine: decision.engine,
        schema: decision.schema,
        taxonomies: decision.taxonomies,
        profiles: decision.profiles,
        inquiry,
        slice: decision.slice,
        now: decision.now,
        true_from: decision.true_from,
        true_until: decision.true_until,
        verdict: answer.verdict,
        layers: answer.layers,
        errors: answer.errors,
        salt: decision.salt,
    }
}

pub fn retain_decision() -> RetainDecision {
    holding_decision(RetainInquiry {
        holding: holding(),
        legal_hold: true,
    })
}

pub fn derive_decision() -> DeriveDecision {
    let facts = facts();
    holding_decision(DeriveInquiry {
        holding: holding(),
        purpose: named("urn:purpose:quality"),
        output: DerivedOutput {
            data_class: named("quality.statistics"),
            design_authority: facts.design_authority,
            trade_secret: true,
            export_control: facts.export_control,
            scope: scope(),
        },
        declassified: true,
    })
}

pub fn use_decision() -> UseDecision {
    holding_decision(UseInquiry {
        holding: holding(),
        purpose: named("urn:purpose:quality"),
        agent: named("agent-7"),
        nationality: named("FR"),
    })
}

pub fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: origin("lei:529900 T8BM49+AURSDO55"),
        size: 12,
        root: Digest::of(b"root"),
    }
}
