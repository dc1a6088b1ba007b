//! Frozen bytes: what this version writes and hashes, compared with `vectors.txt`, which says how to add a line.

use crate::samples;
use crate::stated::{self, statements};
use ambit_ledger::{
    Action, AgreementState, AtEnd, Body, Certificate, Chain, Checkpoint, Delivery, Digest,
    DisclosureId, EditionStage, Entry, ErasureExtent, Facts, Frontier, Gone, ItemBody, KeyPurpose,
    Kind, Layer, Observation, ObservationId, Outcome, PartialReadings, Quality, Reach, Readings,
    RefusalCode, Regime, RetainOutcome, StatementKind, Trigger, Verdict, When, encode,
    input_commitment, leaf_hash, root,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// `print` writes the present values to standard output and compares nothing.
const VARIABLE: &str = "AMBIT_VECTORS";
const FROZEN: &str = include_str!("vectors.txt");

/// Names and values, in the order in which they are written to the file.
#[derive(Default)]
struct Vectors(Vec<(String, String)>);

impl Vectors {
    fn text(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    fn bytes(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        self.text(name, hex::encode(value));
    }

    fn encoded<T: Serialize>(&mut self, name: impl Into<String>, value: &T) {
        self.bytes(name, encode(value));
    }

    fn digest(&mut self, name: impl Into<String>, value: &Digest) {
        self.text(name, value.to_string());
    }
}

#[test]
fn what_is_written_is_frozen() {
    let present = vectors();
    if std::env::var(VARIABLE).is_ok_and(|value| value == "print") {
        for (name, value) in &present.0 {
            println!("{name} = {value}");
        }
        return;
    }
    let frozen = frozen();
    let mut differences = Vec::new();
    for (name, value) in &present.0 {
        match frozen.get(name.as_str()) {
            None => differences.push(format!("`{name}` is not in vectors.txt")),
            Some(expected) if expected != value => {
                differences.push(format!("`{name}` is {value}, frozen as {expected}"));
            }
            Some(_) => {}
        }
    }
    let names: std::collections::BTreeSet<&str> =
        present.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), present.0.len(), "a name is there twice");
    for name in frozen.keys().filter(|name| !names.contains(*name)) {
        differences.push(format!("`{name}` is in vectors.txt and no longer written"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_frozen_is_read() {
    let frozen = frozen();
    let bytes = |name: &str| hex::decode(frozen[name]).unwrap();
    fn read<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8], value: T) {
        assert_eq!(ambit_ledger::decode::<T>(bytes).unwrap(), value);
    }
    read::<Facts>(&bytes("facts"), samples::facts());
    read::<Facts>(&bytes("facts-least"), samples::least_facts());
    read(&bytes("terms"), samples::terms());
    read(&bytes("terms-least"), samples::least_terms());
    read(&bytes("decision"), samples::decision());
    read(&bytes("decision-least"), samples::least_decision());
    read(&bytes("layer-verdict-bounded"), samples::bounded_verdict());
    read(&bytes("limits"), samples::limits());
    read(&bytes("pattern"), stated::pattern());

    let keyring = samples::keyring();
    let observation = Observation::verify(&bytes("observation"), &keyring, samples::issued());
    let observation = observation.unwrap();
    assert_eq!(observation.facts(), &samples::facts());
    assert_eq!(observation.id().to_string(), frozen["observation-id"]);
    let readings = Readings::decode(&bytes("readings"), observation.facts()).unwrap();
    assert_eq!(readings, samples::readings());
    PartialReadings::decode(&bytes("readings-part"), observation.facts()).unwrap();
    for stated in statements() {
        let name = format!("statement-{}", label(stated.kind));
        (stated.check)(&bytes(&name), &keyring).unwrap();
    }
    for (name, disclosure) in [
        ("disclosure", samples::disclosure()),
        ("disclosure-onward", samples::onward_disclosure()),
    ] {
        let read = ambit_ledger::Disclosure::verify(&bytes(name), &keyring).unwrap();
        assert_eq!(read, disclosure);
    }
    for body in bodies() {
        let name = format!("body-{}", kind_name(&body));
        assert_eq!(Body::decode(body.kind(), &bytes(&name)).unwrap(), body);
    }
    for name in ["entry", "entry-with-reason", "entry-unread"] {
        Entry::decode(&bytes(name)).unwrap().body().unwrap();
    }
    let note = frozen["checkpoint-note"].replace("\\n", "\n");
    let checkpoint = samples::checkpoint();
    let keys = [samples::forge_key().public()];
    assert_eq!(
        Checkpoint::verify(&note, &checkpoint.origin, keys).unwrap(),
        checkpoint
    );
}

fn frozen() -> BTreeMap<&'static str, &'static str> {
    let mut frozen = BTreeMap::new();
    for line in FROZEN.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.split_once(" = ").unwrap();
        assert!(
            frozen.insert(name, value).is_none(),
            "`{name}` is there twice"
        );
    }
    frozen
}

fn vectors() -> Vectors {
    let mut vectors = Vectors::default();
    write_numbers(&mut vectors);
    write_statements(&mut vectors);
    write_entries(&mut vectors);
    write_trees(&mut vectors);
    write_chains(&mut vectors);
    vectors
}

fn write_numbers(vectors: &mut Vectors) {
    let key = samples::forge_key().public();
    vectors.text("key-seed", "02".repeat(32));
    vectors.text("agreement-key-seed", "04".repeat(32));
    vectors.text("seal-key-seed", "05".repeat(32));
    vectors.encoded("seal-public-key", &samples::forge_seal().public());
    vectors.encoded("public-key", &key);
    vectors.encoded("fingerprint", &key.fingerprint());
    vectors.text("fingerprint-text", key.fingerprint().to_string());
    vectors.encoded("salt", &samples::salt(1));
    vectors.encoded("time", &samples::begun());
    for kind in Kind::all() {
        let name = format!("kind-{}", kind.name().replace(' ', "-"));
        vectors.text(name, kind.number().to_string());
    }
    for code in RefusalCode::ALL {
        vectors.encoded(format!("refusal-code-{code}"), code);
    }
    for (name, act) in stated::act_kinds() {
        vectors.encoded(format!("act-{name}"), &act);
    }
    vectors.encoded(
        "trigger-quorum",
        &Trigger::Quorum {
            members: [samples::forge()].into(),
            signatures: 1,
        },
    );
    vectors.encoded("gone-no-longer-held-under-it", &Gone::NoLongerHeldUnderIt);
    for purpose in KeyPurpose::ALL {
        vectors.encoded(format!("key-purpose-{}", purpose.name()), &purpose);
    }
    for regime in Regime::ALL {
        vectors.encoded(format!("regime-{regime}"), &regime);
    }
    for layer in Layer::ALL {
        vectors.encoded(format!("layer-{layer}"), &layer);
    }
    for verdict in [Verdict::Admissible, Verdict::Withheld, Verdict::Undecided] {
        vectors.encoded(format!("verdict-{verdict}"), &verdict);
    }
    vectors.encoded("action-disclose", &Action::Disclose);
    vectors.encoded("action-onward-disclose", &Action::OnwardDisclose);
    vectors.encoded("action-admit", &Action::Admit);
    vectors.encoded("agreement-state-proposed", &AgreementState::Proposed);
    vectors.encoded("agreement-state-active", &AgreementState::Active);
    vectors.encoded("agreement-state-suspended", &AgreementState::Suspended);
    vectors.encoded("agreement-state-dissolved", &AgreementState::Dissolved);
    vectors.encoded("agreement-state-ended", &AgreementState::Ended);
    vectors.encoded("agreement-state-closed", &AgreementState::Closed);
    vectors.encoded("edition-stage-proposed", &EditionStage::Proposed);
    vectors.encoded("edition-stage-active", &EditionStage::Active);
    vectors.encoded("erasure-extent-readings", &ErasureExtent::Readings);
    vectors.encoded("erasure-extent-all", &ErasureExtent::All);
    vectors.encoded("delivery-push", &Delivery::Push);
    vectors.encoded("delivery-on-request", &Delivery::OnRequest);
    vectors.encoded("at-end-hold", &AtEnd::Hold);
    vectors.encoded("at-end-erase", &AtEnd::Erase);
    vectors.encoded("reach-first-hand", &Reach::FirstHand);
    vectors.encoded("reach-onward", &Reach::Onward);
    vectors.encoded("retain-outcome-held", &RetainOutcome::Held);
    vectors.encoded("retain-outcome-frozen", &RetainOutcome::Frozen);
    vectors.encoded("retain-outcome-kept", &RetainOutcome::Kept);
    vectors.encoded("retain-outcome-erasing", &RetainOutcome::Erasing);
    vectors.encoded("quality-good", &Quality::Good);
    vectors.encoded("quality-uncertain", &Quality::Uncertain);
    vectors.encoded("quality-bad", &Quality::Bad);
    vectors.encoded("quality-unavailable", &Quality::Unavailable);
    vectors.encoded("quality-empty", &Quality::Empty);
    let (from, to) = (samples::begun(), samples::begun().plus_seconds(1));
    vectors.encoded("when-instant", &When::Instant { at: from });
    vectors.encoded("when-interval", &When::Interval { from, to });
}

fn write_statements(vectors: &mut Vectors) {
    let (forge, airframe) = (samples::forge_key(), samples::airframe_key());
    vectors.encoded("facts", &samples::facts());
    vectors.encoded("facts-least", &samples::least_facts());
    let readings = samples::readings();
    vectors.bytes("readings", readings.encode().unwrap());
    vectors.digest("readings-digest", &readings.digest().unwrap());
    let part = readings.part(|path| path.as_str().starts_with("Deviations"));
    vectors.bytes("readings-part", part.unwrap().unwrap().encode().unwrap());
    for stated in statements() {
        let name = label(stated.kind);
        vectors.bytes(format!("statement-{name}"), &stated.statement);
    }
    let observation = Observation::sign(&samples::facts(), &forge);
    vectors.bytes("observation", &observation);
    vectors.text(
        "observation-id",
        ObservationId::of(&observation).to_string(),
    );
    let disclosure = samples::disclosure().sign(&forge);
    vectors.bytes("disclosure", &disclosure);
    vectors.text("disclosure-id", DisclosureId::of(&disclosure).to_string());
    vectors.bytes(
        "disclosure-onward",
        samples::onward_disclosure().sign(&forge),
    );
    vectors.bytes(
        "acknowledgement",
        samples::acknowledgement().sign(&airframe),
    );
    let salt = samples::salt(0x61);
    let commitment = input_commitment(&salt, &ObservationId::of(&observation));
    vectors.digest("input-commitment", &commitment);
    let root = samples::forge_root();
    for purpose in KeyPurpose::ALL {
        let mut certificate = samples::certificate(samples::forge(), &root, purpose, &forge);
        if !purpose.signs() {
            certificate = samples::seal_certificate();
        }
        let sign = |certificate: &Certificate| match purpose.signs() {
            true => certificate.sign(&root, &forge),
            false => certificate.sign_unproved(&root),
        };
        let name = format!("certificate-{}", purpose.name());
        vectors.bytes(&name, sign(&certificate));
        certificate.not_after = Some(samples::named("2027-01-01T00:00:00Z"));
        vectors.bytes(format!("{name}-until"), sign(&certificate));
    }
    vectors.encoded("terms", &samples::terms());
    vectors.digest("terms-digest", &samples::terms().digest());
    vectors.encoded("terms-least", &samples::least_terms());
    vectors.digest("material-digest", &samples::card().material().digest());
    vectors.encoded("scope", &samples::scope());
    vectors.encoded("limits", &samples::limits());
    vectors.encoded("pattern", &stated::pattern());
    vectors.encoded("attested", &samples::attested());
    vectors.encoded("claim", &samples::claim());
    vectors.encoded("inquiry", &samples::inquiry());
    vectors.encoded("decision", &samples::decision());
    vectors.encoded("layer-verdict-bounded", &samples::bounded_verdict());
    vectors.digest("decision-digest", &samples::decision().digest());
    vectors.encoded("decision-least", &samples::least_decision());
}

fn kind_name(body: &Body) -> String {
    Kind::from_number(body.kind()).map_or("unread".to_owned(), |kind| kind.name().replace(' ', "-"))
}

/// The middle of a kind's media type.
fn label(kind: StatementKind) -> &'static str {
    let media_type = kind.media_type();
    let label = media_type.strip_prefix("application/vnd.ambit.").unwrap();
    label.strip_suffix("+cbor").unwrap()
}

/// One body of every kind.
pub fn bodies() -> Vec<Body> {
    crate::entries::bodies()
}

fn write_entries(vectors: &mut Vectors) {
    for body in bodies() {
        vectors.bytes(format!("body-{}", kind_name(&body)), body.encode());
    }
    for (name, body) in crate::entries::other_bodies() {
        vectors.bytes(format!("body-{name}"), body.encode());
    }
    let unread = crate::entries::unread();
    vectors.bytes("body-unread", unread.encode());
    let body = &bodies()[0];
    let entry = crate::entries::entry(body, None).encode();
    vectors.bytes("entry", &entry);
    vectors.digest("entry-leaf-hash", &leaf_hash(&entry));
    let reason = Some(samples::named("asked for by the customer"));
    let entry = crate::entries::entry(body, reason).encode();
    vectors.bytes("entry-with-reason", &entry);
    vectors.digest("entry-with-reason-leaf-hash", &leaf_hash(&entry));
    vectors.bytes(
        "entry-unread",
        crate::entries::entry(&unread, None).encode(),
    );
}

fn write_trees(vectors: &mut Vectors) {
    let leaves: Vec<Digest> = (0..8_u8).map(|index| leaf_hash(&[index])).collect();
    let mut frontier = Frontier::default();
    vectors.encoded("frontier-0", &frontier);
    vectors.digest("tree-root-0", &root(&[]));
    for (index, leaf) in leaves.iter().enumerate() {
        frontier.append(*leaf);
        let size = index + 1;
        vectors.encoded(format!("frontier-{size}"), &frontier);
        vectors.digest(format!("tree-root-{size}"), &root(&leaves[..size]));
    }
    let note = samples::checkpoint().sign(&samples::forge_key());
    vectors.text("checkpoint-note", note.replace('\n', "\\n"));
}

fn write_chains(vectors: &mut Vectors) {
    let chain = Chain::start(
        &samples::named("falcon-quality"),
        &samples::forge(),
        &samples::airframe(),
        &samples::salt(0x53),
    );
    vectors.digest("chain-start", &chain.digest());
    let item = ItemBody::Item {
        observation: ObservationId::of(b"observation"),
        disclosure: DisclosureId::of(b"disclosure"),
    };
    let bodies = [("item", item), ("tombstone", ItemBody::Tombstone)];
    for (name, body) in &bodies {
        vectors.digest(format!("item-body-{name}"), &body.digest());
        let next = chain.with_body(70_000, body);
        vectors.digest(format!("chain-with-body-{name}"), &next.digest());
    }
    let outcomes = [
        ("admitted".to_owned(), Outcome::Admitted),
        ("noted".to_owned(), Outcome::Noted),
    ];
    let refused = RefusalCode::ALL.iter().map(|code| {
        if code.is_set_aside() {
            (format!("set-aside-{code}"), Outcome::SetAside(*code))
        } else {
            (format!("refused-{code}"), Outcome::Refused(*code))
        }
    });
    for (name, outcome) in outcomes.into_iter().chain(refused) {
        let next = chain.with_outcome(70_000, &item.digest(), outcome);
        vectors.digest(format!("chain-with-outcome-{name}"), &next.digest());
    }
}
