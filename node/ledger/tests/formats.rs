//! `FORMATS.md` says what the code does: its tables of fields, numbers, kinds and codes are compared with the types, and
//! the vectors it names are there.

use crate::samples;
use crate::stated;
use ambit_ledger::{
    ActKind, Action, AgreementState, AtEnd, Body, Delivery, EditionStage, ErasureExtent,
    ErasureMethod, ErasureRule, Function, Gone, KeyPurpose, Kind, Label, Laid, Layer,
    ObservationId, Quality, Reach, RefusalCode, Regime, RetainOutcome, StatementKind, Trigger,
    Verdict, When, Withdrawal, encode,
};
use coset::cbor::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

const FORMATS: &str = include_str!("../FORMATS.md");
const VECTORS: &str = include_str!("vectors.txt");

/// The rows of the table below a heading, without its own two lines: each row its cells.
fn tables() -> BTreeMap<&'static str, Vec<Vec<&'static str>>> {
    let mut tables: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    let mut heading = None;
    for line in FORMATS.lines() {
        if let Some(name) = line.strip_prefix("#### `") {
            heading = Some(name.trim_end_matches('`'));
            let before = tables.insert(name.trim_end_matches('`'), Vec::new());
            assert!(before.is_none(), "`{name}` is there twice");
        } else if line.starts_with('#') {
            heading = None;
        } else if let (Some(name), true) = (heading, line.starts_with("| ")) {
            tables.get_mut(name).unwrap().push(cells(line));
        } else if !line.is_empty() || heading.is_some_and(|name| !tables[name].is_empty()) {
            // A table ends with the first line that is none of its own.
            heading = None;
        }
    }
    for rows in tables.values_mut() {
        rows.drain(..2);
    }
    tables
}

fn cells(line: &'static str) -> Vec<&'static str> {
    let inner = line.trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(str::trim).collect()
}

/// One field of a structure.
struct Field {
    name: String,
    /// Of a number: whether it takes more than 32 bits.
    is_wide: Option<bool>,
}

/// A structure's fields, in the order in which they are numbered.
fn fields<T: Serialize + DeserializeOwned>(value: &T) -> Vec<Field> {
    let Ok(Value::Map(pairs)) = Value::serialized(value) else {
        panic!("no structure")
    };
    // What is written has the same order, by number.
    let encoded = encode(value);
    let Ok(Value::Map(numbered)) = coset::cbor::from_reader(encoded.as_slice()) else {
        panic!("no map")
    };
    let numbers: Vec<Value> = numbered.into_iter().map(|(key, _)| key).collect();
    let expected: Vec<Value> = (0_u64..).map(Value::from).take(pairs.len()).collect();
    assert_eq!(numbers, expected, "an optional field is missing");
    let field = |at: usize| {
        let (key, value) = &pairs[at];
        let is_wide = value.is_integer().then(|| {
            let mut widened = pairs.clone();
            widened[at].1 = Value::from(u64::from(u32::MAX) + 1);
            Value::Map(widened).deserialized::<T>().is_ok()
        });
        let name = key.as_text().unwrap().to_owned();
        Field { name, is_wide }
    };
    (0..pairs.len()).map(field).collect()
}

/// A variant's name, and its number as it is written.
fn variant<T: Serialize + Debug>(value: &T) -> (String, String) {
    let shown = format!("{value:?}");
    let name = shown.split([' ', '{']).next().unwrap().to_owned();
    let encoded: Value = coset::cbor::from_reader(encode(value).as_slice()).unwrap();
    let number = match encoded {
        Value::Map(mut pairs) => pairs.remove(0).0,
        number => number,
    };
    let number = i128::from(number.as_integer().unwrap());
    (name, number.to_string())
}

fn variants<T: Serialize + Debug>(values: &[T]) -> Vec<(String, String)> {
    values.iter().map(variant).collect()
}

/// Structures, each with every field.
fn structures() -> BTreeMap<&'static str, Vec<Field>> {
    let (facts, scope, terms) = (samples::facts(), samples::scope(), samples::terms());
    let (decision, inquiry) = (samples::decision(), samples::inquiry());
    let member = terms.members[0].clone();
    let acknowledgement = samples::refusing_acknowledgement();
    let derivation = stated::derivation();
    let computation = derivation.computation.clone().unwrap();
    let ActKind::Restrict { restriction } = stated::act().act else {
        panic!()
    };
    let admission = terms.admission.clone().unwrap();
    let verdict = decision.verdicts[2].clone();
    let derive = samples::derive_decision();
    let entry = crate::entries::entry(&crate::entries::unread(), Some(samples::named("why")));
    let readings = samples::readings();
    let attachment = readings
        .readings
        .iter()
        .find_map(|reading| reading.attachment.as_ref());
    let ended = ambit_ledger::Certificate {
        not_after: Some(samples::issued()),
        ..stated::certified()
    };
    let mut all = BTreeMap::from([
        (
            "Assigned",
            fields(&samples::assigned(samples::forge(), "x")),
        ),
        ("Certificate", fields(&ended)),
        ("Facts", fields(&facts)),
        ("ExportControl", fields(&facts.export_control)),
        ("Attachment", fields(attachment.unwrap())),
        ("Scope", fields(&scope)),
        ("RecordDigest", fields(scope.records.first().unwrap())),
        ("DerivedTerms", fields(&samples::derived())),
        ("RefusedItem", fields(&acknowledgement.refused[0])),
        ("HeardActs", fields(&acknowledgement.heard[0])),
        ("Acknowledgement", fields(&acknowledgement)),
        ("Derivation", fields(&derivation)),
        ("DerivedInput", fields(&derivation.inputs[0])),
        ("Labels", fields(derivation.labels.first().unwrap())),
        ("Computation", fields(&computation)),
        ("ComputedTerm", fields(&computation.of[0])),
        ("ErasureAttestation", fields(&stated::erasure_attestation())),
        ("PartnershipTerms", fields(&terms)),
        ("AgreedPart", fields(terms.parts.first().unwrap())),
        ("AgreedElement", fields(terms.elements.first().unwrap())),
        ("AddedClass", fields(&terms.added_classes[0])),
        ("Role", fields(terms.roles.first().unwrap())),
        (
            "RequiredAttestation",
            fields(admission.attestations.first().unwrap()),
        ),
        ("AdmissionRule", fields(&admission)),
        ("LegalDocument", fields(terms.documents.first().unwrap())),
        ("LegalClause", fields(&terms.clauses[0])),
        ("Member", fields(&member)),
        ("Card", fields(&samples::card())),
        ("Material", fields(&samples::card().material())),
        ("Claim", fields(&samples::claim())),
        ("Decline", fields(&samples::decline())),
        ("Joined", fields(&stated::joined())),
        ("Act", fields(&stated::act())),
        ("Restriction", fields(&restriction)),
        ("Pattern", fields(&stated::pattern())),
        ("OpenedGrant", fields(&stated::pattern().opens[0])),
        ("AttestationStatement", fields(&stated::attestation())),
        ("Attestation", fields(&samples::attested().attestation)),
        ("Attested", fields(&samples::attested())),
        ("Authorization", fields(&samples::authorization())),
        ("Grant", fields(&stated::grant())),
        ("Mandate", fields(&stated::mandate())),
        ("PersonSignature", fields(&stated::person_signature())),
        ("Entry", fields(&entry)),
        ("Limits", fields(&samples::limits())),
        ("Decision", fields(&decision)),
        ("Inquiry", fields(&inquiry)),
        ("Party", fields(&inquiry.recipient)),
        ("Footprint", fields(&inquiry.footprint)),
        ("Agreement", fields(&inquiry.partnership)),
        ("LayerProfile", fields(&decision.profiles[0])),
        ("LayerVerdict", fields(&samples::bounded_verdict())),
        (
            "Unnamed",
            fields(&samples::bounded_verdict().unnamed.unwrap()),
        ),
        ("PurposeVerdict", fields(&verdict)),
        ("HoldingDecision", fields(&derive)),
        ("Holding", fields(&derive.inquiry.holding)),
        ("DeriveInquiry", fields(&derive.inquiry)),
        ("DerivedOutput", fields(&derive.inquiry.output)),
        ("RetainInquiry", fields(&samples::retain_decision().inquiry)),
        ("UseInquiry", fields(&samples::use_decision().inquiry)),
    ]);
    // A disclosure has either a parent or a mandate.
    let disclosure = ambit_ledger::Disclosure {
        mandate: samples::mandated_disclosure().mandate,
        ..samples::onward_disclosure()
    };
    all.insert("Disclosure", fields(&disclosure));
    for body in crate::entries::bodies() {
        let (name, fields) = body_fields(&body);
        all.insert(name, fields);
        if let Body::PartnershipEdition(body) = &body {
            all.insert("ComparedRoot", self::fields(&body.roots[0]));
        }
        if let Body::Laid(Laid::Erased(body)) = &body {
            all.insert("ErasedItem", self::fields(&body.observations[0]));
        }
    }
    all
}

/// Names each kind's body by its variant.
macro_rules! bodies {
    (in use { $($kind:ident)* } laid { $($laid:ident)* }) => {
        fn body_fields(body: &Body) -> (&'static str, Vec<Field>) {
            match body {
                $(Body::$kind(body) => (stringify!($kind), fields(body)),)*
                $(Body::Laid(Laid::$laid(body)) => (stringify!($laid), fields(body)),)*
                Body::Unread { .. } => panic!("no body"),
            }
        }
    };
}

bodies! {
    in use {
        Opened KeyCertified PartnershipEdition ProfileActivated TaxonomyActivated Observed
        Decided Disclosed Withheld Withdrawn Admitted Refused Acknowledged LimitsSet
        PartnershipDeclined
        IssuerPinned AttestationRecorded SetAside OfferedAgain
    }
    laid {
        KeyRotated KeyRevoked PartnershipDissolved Used Retained Held ReleasedFromHold Erased
        ErasureAttested Declassified Corrected ElectronicSignature PeerCheckpoint Incident
        ActMade ActHeard CardSeen CardConfirmed GrantRecorded
        MandateRecorded RetainDecided DeriveDecided UseDecided Derived
        SoftwareChanged ClockAccepted OutboxEnded PartnershipSetAside MemberJoined PatternSigned
        PatternOpened PatternEnded EquivocationProved OnwardNoted
    }
}

/// Enumerations, each with every variant.
fn enumerations() -> BTreeMap<&'static str, Vec<(String, String)>> {
    let at = samples::issued();
    let acts: Vec<ActKind> = stated::act_kinds()
        .into_iter()
        .map(|(_, act)| act)
        .collect();
    let quorum = Trigger::Quorum {
        members: [samples::forge()].into(),
        signatures: 1,
    };
    let observation = ObservationId::of(b"an observation");
    let withdrawals = [
        Withdrawal::Judged {
            decision: *observation.digest(),
            undecided: false,
        },
        Withdrawal::Agreement {
            state: AgreementState::Ended,
        },
        Withdrawal::Edition {
            edition: *observation.digest(),
        },
        Withdrawal::Membership,
        Withdrawal::Erased,
    ];
    let rules = [
        ErasureRule::Retention {
            decisions: [].into(),
        },
        ErasureRule::Input { observation },
        ErasureRule::Person {
            person: samples::named("person-3"),
        },
    ];
    BTreeMap::from([
        ("KeyPurpose", variants(&KeyPurpose::ALL)),
        (
            "When",
            variants(&[When::Instant { at }, When::Interval { from: at, to: at }]),
        ),
        (
            "Quality",
            variants(&[
                Quality::Good,
                Quality::Uncertain,
                Quality::Bad,
                Quality::Unavailable,
                Quality::Empty,
            ]),
        ),
        (
            "ErasureExtent",
            variants(&[ErasureExtent::Readings, ErasureExtent::All]),
        ),
        (
            "Function",
            variants(&[
                Function::Mean,
                Function::Sum,
                Function::Min,
                Function::Max,
                Function::Count,
                Function::Linear,
            ]),
        ),
        (
            "Gone",
            variants(&[
                Gone::NoLongerHeldUnderIt,
                stated::erasure_attestation().gone,
            ]),
        ),
        (
            "ErasureMethod",
            variants(&[
                ErasureMethod::KeyOverwritten,
                ErasureMethod::KeyDestroyedInDevice,
                ErasureMethod::MediumDestroyed,
            ]),
        ),
        ("AtEnd", variants(&[AtEnd::Hold, AtEnd::Erase])),
        ("Delivery", variants(&[Delivery::Push, Delivery::OnRequest])),
        ("Reach", variants(&[Reach::FirstHand, Reach::Onward])),
        ("ActKind", variants(&acts)),
        ("Trigger", variants(&[stated::pattern().trigger, quorum])),
        ("Regime", variants(&Regime::ALL)),
        (
            "EditionStage",
            variants(&[EditionStage::Proposed, EditionStage::Active]),
        ),
        ("Withdrawal", variants(&withdrawals)),
        (
            "RetainOutcome",
            variants(&[
                RetainOutcome::Held,
                RetainOutcome::Frozen,
                RetainOutcome::Kept,
                RetainOutcome::Erasing,
            ]),
        ),
        ("ErasureRule", variants(&rules)),
        (
            "Label",
            variants(&[
                Label::DataClass,
                Label::DesignAuthority,
                Label::TradeSecret,
                Label::ExportControl,
            ]),
        ),
        (
            "Action",
            variants(&[Action::Disclose, Action::OnwardDisclose, Action::Admit]),
        ),
        (
            "AgreementState",
            variants(&[
                AgreementState::Proposed,
                AgreementState::Active,
                AgreementState::Suspended,
                AgreementState::Dissolved,
                AgreementState::Ended,
                AgreementState::Closed,
            ]),
        ),
        ("Layer", variants(&Layer::ALL)),
        (
            "Verdict",
            variants(&[Verdict::Admissible, Verdict::Withheld, Verdict::Undecided]),
        ),
    ])
}

/// The payloads and blocks that only this crate can name, and how many fields they have.
const INNER: [(&str, usize); 7] = [
    ("Proved", 2),
    ("Manifest", 2),
    ("Signed", 2),
    ("Block", 2),
    ("Leaf", 2),
    ("SaltedLeaf", 2),
    ("Sample", 7),
];

#[test]
fn every_table_of_fields_is_that_of_its_type() {
    let tables = tables();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (name, fields) in structures() {
        let rows = tables
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is not in FORMATS.md"));
        let stated: Vec<(&str, &str)> = rows.iter().map(|row| (row[0], row[1])).collect();
        let numbers: Vec<String> = (0..fields.len()).map(|number| number.to_string()).collect();
        let expected: Vec<(&str, &str)> = numbers
            .iter()
            .map(String::as_str)
            .zip(fields.iter().map(|field| field.name.as_str()))
            .collect();
        assert_eq!(stated, expected, "{name}");
        for (row, field) in rows.iter().zip(&fields) {
            let is_wide = match row[2].trim_end_matches('?') {
                "uint" | "time" => Some(true),
                "uint32" | "code" => Some(false),
                _ => None,
            };
            assert_eq!(is_wide, field.is_wide, "{name}.{}", field.name);
        }
        known.insert(name);
    }
    for (name, variants) in enumerations() {
        let rows = tables
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is not in FORMATS.md"));
        let stated: Vec<(String, String)> = rows
            .iter()
            .map(|row| (row[1].to_owned(), row[0].to_owned()))
            .collect();
        assert_eq!(stated, variants, "{name}");
        known.insert(name);
    }
    for (name, count) in INNER {
        assert_eq!(tables[name].len(), count, "{name}");
        known.insert(name);
    }
    let stated: BTreeSet<&str> = tables.keys().copied().collect();
    assert_eq!(stated, known);
}

#[test]
fn a_field_is_marked_optional_where_it_can_be_left_out() {
    let tables = tables();
    let least = [
        ("Facts", fields_present(&samples::least_facts())),
        ("Scope", fields_present(&samples::least_scope())),
        ("Disclosure", fields_present(&samples::disclosure())),
        (
            "Acknowledgement",
            fields_present(&samples::acknowledgement()),
        ),
        ("PartnershipTerms", fields_present(&samples::least_terms())),
        ("Member", fields_present(&samples::least_terms().members[1])),
        ("Decision", fields_present(&samples::least_decision())),
        (
            "Inquiry",
            fields_present(&samples::least_decision().inquiry),
        ),
        (
            "Footprint",
            fields_present(&samples::least_decision().inquiry.footprint),
        ),
        ("Certificate", fields_present(&stated::certified())),
    ];
    for (name, present) in least {
        let required: Vec<i128> = tables[name]
            .iter()
            .filter(|row| !row[2].ends_with('?'))
            .map(|row| row[0].parse().unwrap())
            .collect();
        assert_eq!(required, present, "{name}");
    }
}

/// The numbers of the fields that are written.
fn fields_present<T: Serialize>(value: &T) -> Vec<i128> {
    let value: Value = coset::cbor::from_reader(encode(value).as_slice()).unwrap();
    let pairs = value.into_map().unwrap().into_iter();
    pairs
        .map(|(key, _)| i128::from(key.as_integer().unwrap()))
        .collect()
}

/// The rows of the first table that begins with this head.
fn table_with(head: &str) -> Vec<Vec<&'static str>> {
    let after = FORMATS
        .split_once(head)
        .unwrap_or_else(|| panic!("no table `{head}`"))
        .1;
    let rows = after
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(cells).collect()
}

#[test]
fn the_tables_of_kinds_statements_and_codes_are_the_codes_own() {
    let laid: BTreeSet<u32> = crate::entries::bodies()
        .iter()
        .filter(|body| matches!(body, Body::Laid(_)))
        .map(Body::kind)
        .collect();
    let kinds: Vec<Vec<String>> = Kind::all()
        .map(|kind| {
            let (number, name) = (kind.number().to_string(), kind.name().to_owned());
            let is_laid = laid.contains(&kind.number());
            let read = if is_laid { "laid" } else { "in use" };
            vec![number, name, format!("`{kind:?}`"), read.to_owned()]
        })
        .collect();
    let stated = table_with("| number | kind | body | read | meaning |");
    assert_eq!(
        stated
            .iter()
            .map(|row| row[..4].to_vec())
            .collect::<Vec<_>>(),
        kinds
    );

    let statements: Vec<Vec<String>> = StatementKind::ALL
        .iter()
        .map(|kind| {
            let media_type = format!("`{}`", kind.media_type());
            let key = kind.signed_by().name().to_owned();
            vec![media_type, key, kind.bytes_max().to_string()]
        })
        .collect();
    let stated = table_with("| `typ` | key | bytes at most | payload | meaning |");
    assert_eq!(
        stated
            .iter()
            .map(|row| row[..3].to_vec())
            .collect::<Vec<_>>(),
        statements
    );

    let codes: Vec<Vec<String>> = RefusalCode::ALL
        .iter()
        .map(|code| vec![code.number().to_string(), code.name().to_owned()])
        .collect();
    let stated = table_with("| number | code | meaning |");
    assert_eq!(
        stated
            .iter()
            .map(|row| row[..2].to_vec())
            .collect::<Vec<_>>(),
        codes
    );
}

#[test]
fn the_vectors_it_names_are_there() {
    let names: BTreeSet<&str> = VECTORS
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .collect();
    for name in [
        "facts",
        "key-seed",
        "fingerprint",
        "statement-observation",
        "input-commitment",
        "readings",
        "readings-part",
        "readings-digest",
        "terms",
        "terms-digest",
        "material-digest",
        "pattern",
        "decision",
        "decision-digest",
        "chain-start",
        "tree-root-0",
        "tree-root-8",
        "entry-leaf-hash",
        "checkpoint-note",
    ] {
        assert!(names.contains(name), "{name}");
        assert!(FORMATS.contains(&format!("`{name}`")), "{name}");
    }
}
