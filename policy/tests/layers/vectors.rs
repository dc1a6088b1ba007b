//! The steps of `FORMATS.md`, made by hand from one inquiry and compared with what the program makes, and with
//! `vectors.txt`, so that whoever writes them in another language can compare them too.

use crate::fixture::{
    OEM_A, admissible, assigned, attested, id, now, terms, time, with_owner_rule,
};
use ambit_ledger::{
    Action, Attested, Authorization, Decision, Digest, Inquiry, Layer, Regime, Salt, Scope, Time,
    encode,
};
use ambit_policy::{Layers, class_key, engine, judge, render, schema_digest};
use serde::Serialize;
use std::collections::BTreeMap;

const FORMATS: &str = include_str!("../../FORMATS.md");
const FROZEN: &str = include_str!("../vectors.txt");

const NULL: u8 = 0xf6;

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A map from 0 on, whatever its values hold.
fn structure(values: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = match u8::try_from(values.len()).unwrap() {
        few @ 0..24 => vec![0xa0 | few],
        many => vec![0xb8, many],
    };
    for (key, value) in (0_u8..).zip(values) {
        bytes.extend(encode(&key));
        bytes.extend(value);
    }
    bytes
}

fn or_null<T: Serialize>(value: Option<&T>) -> Vec<u8> {
    value.map_or_else(|| vec![NULL], encode)
}

/// The fields of the class of the fixture's inquiry, with the names they have in the text. Of the facts that may be
/// absent, policies name `part` (the agreement is about one) and `site` (its own rule).
fn class_fields() -> Vec<(&'static str, Vec<u8>)> {
    let (layers, inquiry) = admissible();
    let facts = &inquiry.footprint;
    // Policies name the window's two ends and the agreement's: the observation lies after the first, before the others.
    let cell = encode(&2_u8);
    let transfer = structure(&[
        encode(&Action::Disclose),
        encode(&inquiry.recipient),
        encode(&inquiry.discloser),
        encode(&inquiry.retention_days),
        encode(&inquiry.hop),
    ]);
    let own = [vec![0xa1, 0x00], transfer].concat();
    vec![
        ("layers", encode(&layers.digest())),
        ("issuer", encode(&facts.issuer)),
        ("owner", encode(&facts.owner)),
        ("design_authority", vec![NULL]),
        ("named", encode(&facts.named)),
        ("data_class", encode(&facts.data_class)),
        ("semantic_id", encode(&facts.semantic_id)),
        ("program", or_null(facts.program.as_ref())),
        ("part", or_null(facts.part.as_ref())),
        ("revision", vec![NULL]),
        ("serial", vec![NULL]),
        ("lot", vec![NULL]),
        ("order", vec![NULL]),
        ("site", or_null(facts.site.as_ref())),
        ("asset", vec![NULL]),
        ("process", vec![NULL]),
        ("trade_secret", encode(&facts.trade_secret)),
        ("export_control", encode(&facts.export_control)),
        ("observed_from_cell", cell.clone()),
        ("observed_to_cell", cell),
        ("scope", encode::<Scope>(&inquiry.scope)),
        ("limits", or_null(inquiry.limits.as_ref())),
        ("partnership", encode(&inquiry.partnership)),
        ("own", own),
    ]
}

/// What the first inquiry has nothing of: a licence that one of two attestations allows, an attestation that is over,
/// every fact that may be absent and is named, a retention at least.
fn licensed() -> (Layers, Inquiry, String) {
    let (layers, mut inquiry) = admissible();
    let named: Vec<String> = ["asset", "lot", "order", "process", "revision", "serial"]
        .iter()
        .map(|name| format!("resource has {name}"))
        .collect();
    let rule = format!(
        "@id(\"f\") forbid (principal, action in Ambit::Action::\"transfer\", resource is Ambit::Observation)\n\
         when {{ resource.tradeSecret && ({}) }};",
        named.join(" || ")
    );
    let layers = with_owner_rule(&layers, &rule);
    let owner = layers
        .profiles()
        .find(|profile| profile.layer() == Layer::Owner);
    let owner = owner.unwrap().text().to_owned();
    let facts = &mut inquiry.footprint;
    facts.design_authority = Some(id("did:web:designer.example"));
    facts.revision = Some("B \u{e4}\u{2028}\"\\".parse().unwrap());
    facts.order = Some(assigned("did:web:buyer.example", "4711"));
    facts.export_control.eccn = Some("2E003".parse().unwrap());
    facts.export_control.licence = Some("D-1".parse().unwrap());
    inquiry.scope.keep_until = Some(time("2027-05-01T00:00:00Z"));
    let licence = |number: &str, not_after: Time| Attested {
        issuer: id("did:web:adviser.example"),
        attestation: ambit_ledger::Attestation {
            what: "export-licence".parse().unwrap(),
            number: Some(number.parse().unwrap()),
            authorization: Some(Authorization {
                authority: id("did:web:bafa.example"),
                number: "D-1".parse().unwrap(),
                not_after,
                regime: Regime::EuDualUse,
                items: ["2E003".parse().unwrap()].into(),
                destinations: ["EU".parse().unwrap(), "JP".parse().unwrap()].into(),
            }),
            ..attested(OEM_A).attestation
        },
    };
    let mut over = attested(OEM_A);
    over.attestation.what = "ddtc-registered".parse().unwrap();
    over.attestation.not_after = time("2026-05-01T08:59:59.9995Z");
    inquiry.recipient.attested.extend([
        licence("1", time("2026-05-20T00:00:00Z")),
        licence("2", time("2026-05-10T00:00:00.0004Z")),
        over,
    ]);
    (layers, inquiry, owner)
}

/// Names and values, in the order in which they stand in the file.
fn vectors() -> Vec<(&'static str, String)> {
    let (layers, inquiry) = admissible();
    let judged = judge(&layers, &inquiry, now());
    let decision: Decision = judged.decision.salted(Salt::from_bytes([9; 32]));
    let layers_bytes = [
        vec![0x84],
        encode(&decision.engine),
        encode(&decision.schema),
        encode(&decision.taxonomies),
        encode(&decision.profiles),
    ]
    .concat();
    let values: Vec<Vec<u8>> = class_fields().into_iter().map(|(_, value)| value).collect();
    let class_bytes = structure(&values);
    let named = |domain: &[u8], bytes: &[u8]| Digest::of_parts(&[domain, b"\n", bytes]);
    assert_eq!(named(b"ambit layers 1", &layers_bytes), layers.digest());
    assert_eq!(named(b"ambit class 1", &class_bytes), decision.class_key);
    assert_eq!(decision.class_key, class_key(&layers, &inquiry));
    assert_eq!(decision.slice, Digest::of(&judged.slice));
    let terms = terms(OEM_A, "quality");
    let layer = render(&terms).unwrap();
    assert_eq!(Digest::of(layer.as_bytes()), terms.profile);
    let millis = |time: Time| time.as_millis().to_string();
    let (licensed_layers, licensed, owner) = licensed();
    let judged_licensed = judge(&licensed_layers, &licensed, now());
    let decision_licensed = judged_licensed.decision;
    vec![
        ("engine", engine().to_string()),
        ("schema-digest", schema_digest().to_string()),
        (
            "taxonomies-digest",
            layers.taxonomies().digest().to_string(),
        ),
        ("layers-bytes", hex(&layers_bytes)),
        ("layers-digest", layers.digest().to_string()),
        ("terms", hex(&encode(&terms))),
        ("partnership-layer", layer.replace('\n', "\\n")),
        ("inquiry", hex(&encode(&inquiry))),
        ("now", millis(now())),
        ("class-bytes", hex(&class_bytes)),
        ("class-key", decision.class_key.to_string()),
        ("slice", String::from_utf8(judged.slice).unwrap()),
        ("slice-digest", decision.slice.to_string()),
        ("true-from", millis(decision.true_from)),
        ("true-until", millis(decision.true_until.unwrap())),
        ("decision", hex(&encode(&decision))),
        ("licensed-owner-layer", owner.replace('\n', "\\n")),
        ("licensed-inquiry", hex(&encode(&licensed))),
        (
            "licensed-class-key",
            decision_licensed.class_key.to_string(),
        ),
        (
            "licensed-slice",
            String::from_utf8(judged_licensed.slice).unwrap(),
        ),
        ("licensed-true-from", millis(decision_licensed.true_from)),
        (
            "licensed-true-until",
            millis(decision_licensed.true_until.unwrap()),
        ),
    ]
}

#[test]
fn every_step_to_a_decision_is_frozen() {
    let present = vectors();
    if std::env::var("AMBIT_VECTORS").is_ok_and(|value| value == "print") {
        for (name, value) in &present {
            println!("{name} = {value}");
        }
        return;
    }
    let lines = FROZEN.lines().filter(|line| !line.starts_with('#'));
    let frozen: BTreeMap<&str, &str> = lines.map(|line| line.split_once(" = ").unwrap()).collect();
    let present: BTreeMap<&str, &str> = present
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(present, frozen);
    for name in present.keys() {
        assert!(FORMATS.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_text_lists_the_fields_of_a_class_as_they_are() {
    let (_, table) = FORMATS.split_once("#### `Class`\n").unwrap();
    let rows = table.lines().skip(3).take_while(|line| !line.is_empty());
    let listed: Vec<(String, String)> = rows
        .map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let mut cell = || cells.next().unwrap().to_owned();
            (cell(), cell())
        })
        .collect();
    let fields: Vec<(String, String)> = (0..)
        .zip(class_fields())
        .map(|(key, (name, _))| (key.to_string(), name.to_owned()))
        .collect();
    assert_eq!(listed, fields);
}
