//! The golden home and bundle: made once and kept from then on. Today's program opens the one and audits the other, and
//! says what was said when they were made: whatever changes a format ends here.

mod kept;
mod story;

use crate::support::{Ambit, Folder, Home};
use ambit_audit::{Bundle, Report, Trust, replay};
use ambit_ledger::{Body, Entry, Time};
use ambit_node::agree::{ListAttestations, ListIssuers};
use ambit_node::holding::{
    AskGrounds, AskWhy, Filter, GetObservation, GetStatus, ListObservations, ListPartnerships,
    ListPeers,
};
use ambit_node::node::{Ask, Node};
use serde_json::{Map, Value, json};
use story::{CUSTOMER, Story};

/// `make` makes home and bundle anew, `say` writes down anew what is said of them.
const VARIABLE: &str = "AMBIT_GOLDEN";

const BUNDLE: &str = "supplier.bundle";
const TRUST: &str = "trust.toml";
const SAID: &str = "said.json";

fn is_asked_to(what: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == what)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(kept::place().join(name)).unwrap()
}

fn write(name: &str, content: &[u8]) {
    std::fs::write(kept::place().join(name), content).unwrap();
}

/// What was said when it was kept.
fn said() -> Value {
    serde_json::from_slice(&read(SAID)).unwrap()
}

fn bundle() -> Bundle {
    Bundle::read(read(BUNDLE).as_slice()).unwrap()
}

fn report(bundle: &Bundle) -> Report {
    let trust = String::from_utf8(read(TRUST)).unwrap();
    replay(bundle, &Trust::parse(&trust).unwrap())
}

/// The time of the last entry: all that is said is said of this instant, whenever it is asked.
fn last(bundle: &Bundle) -> Time {
    let last = bundle.entries().last().unwrap();
    Entry::decode(&last).unwrap().time
}

/// What the node of a home says, asked at this instant.
fn says(home: &Home, now: Time) -> Value {
    fn answer<A: Ask>(node: &Node, now: Time, ask: A) -> Value {
        serde_json::to_value(ask.answer(node, now).unwrap()).unwrap()
    }
    let node = Node::open(home.path()).unwrap();
    let filter = Filter::default();
    let list = node.list(&filter).unwrap();
    let to: ambit_ledger::OrganizationId = CUSTOMER.parse().unwrap();
    let mut observations = Map::new();
    for item in &list {
        let id = item.id.to_string();
        let get = GetObservation { id: id.clone() };
        let mut of = json!({
            "get": answer(&node, now, get),
            "grounds": answer(&node, now, AskGrounds { id: id.clone() }),
        });
        if item.origin != to {
            let (id, to) = (id.clone(), to.clone());
            of["why"] = answer(&node, now, AskWhy { id, to });
        }
        observations.insert(id, of);
    }
    json!({
        "status": answer(&node, now, GetStatus {}),
        "partnerships": answer(&node, now, ListPartnerships {}),
        "peers": answer(&node, now, ListPeers {}),
        "issuers": answer(&node, now, ListIssuers {}),
        "attestations": answer(&node, now, ListAttestations {}),
        "list": answer(&node, now, ListObservations { filter }),
        "observations": observations,
    })
}

/// Where something is no longer said. What is said beside it is no difference: an answer may gain a field.
fn differences(said: &Value, now: &Value, place: &str, found: &mut Vec<String>) {
    match (said, now) {
        (Value::Object(said), Value::Object(now)) => {
            for (name, said) in said {
                let now = now.get(name).unwrap_or(&Value::Null);
                differences(said, now, &format!("{place}.{name}"), found);
            }
        }
        (Value::Array(said), Value::Array(now)) if said.len() == now.len() => {
            for (index, (said, now)) in said.iter().zip(now).enumerate() {
                differences(said, now, &format!("{place}[{index}]"), found);
            }
        }
        _ if said == now => {}
        _ => found.push(format!("{place} was {said}, and is {now}")),
    }
}

#[track_caller]
fn still_says(said: &Value, now: &Value) {
    let mut found = Vec::new();
    differences(said, now, "", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What the program says itself, of what does not change with the day.
fn program_says(home: &Home) -> Value {
    json!({
        "list": Ambit::json(home, &["list"]),
        "keys": Ambit::json(home, &["key", "show"]),
        "trust": Ambit::text(home, &["key", "trust"]),
    })
}

/// All that is said of home and bundle.
fn all_said(folder: &Folder) -> Value {
    let bundle = bundle();
    let report = report(&bundle);
    let now = last(&bundle);
    json!({
        "node": says(&kept::unpack(&folder.path().join("node")), now),
        "program": program_says(&kept::unpack(&folder.path().join("program"))),
        "report": serde_json::to_value(&report).unwrap(),
    })
}

fn keep_what_is_said(folder: &Folder) {
    let said = serde_json::to_string_pretty(&all_said(folder)).unwrap();
    write(SAID, format!("{said}\n").as_bytes());
}

#[test]
fn the_golden_home_says_what_it_said() {
    let folder = Folder::new();
    if is_asked_to("say") {
        return keep_what_is_said(&folder);
    }
    let said = said();
    let home = kept::unpack(&folder.path().join("a"));
    still_says(&said["node"], &says(&home, last(&bundle())));
    let home = kept::unpack(&folder.path().join("b"));
    still_says(&said["program"], &program_says(&home));
    // Whatever day it is, these answer.
    Ambit::text(&home, &["status"]);
    for item in said["node"]["list"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        Ambit::text(&home, &["get", id]);
        Ambit::text(&home, &["why", id]);
    }
    for day in ["2026-01-01T00:00:00Z", "2150-01-01T00:00:00Z"] {
        let home = kept::unpack(&folder.path().join(&day[..4]));
        says(&home, day.parse().unwrap());
    }
}

#[test]
fn the_golden_home_gives_the_golden_bundle() {
    let folder = Folder::new();
    let home = kept::unpack(&folder.path().join("a"));
    let bundle = story::exported(&home, &folder.path().join("a.bundle"));
    assert!(bundle == read(BUNDLE), "the bundle is another");
    // Nothing was entered by reading.
    let again = story::exported(&home, &folder.path().join("b.bundle"));
    assert!(again == bundle);
}

#[test]
fn the_golden_bundle_is_verified_as_it_was() {
    let bundle = bundle();
    let report = report(&bundle);
    assert_eq!(report.exit_code(), 0, "{report}");
    still_says(&said()["report"], &serde_json::to_value(&report).unwrap());
    let missing: Vec<&str> = story::contents(&bundle)
        .into_iter()
        .filter_map(|(what, is_there)| (!is_there).then_some(what))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    // One bit, and it is no longer that.
    let mut bytes = read(BUNDLE);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let is_verified =
        Bundle::read(bytes.as_slice()).is_ok_and(|bundle| self::report(&bundle).exit_code() == 0);
    assert!(!is_verified);
}

/// That today's program still comes to such a home, and with `AMBIT_GOLDEN=make` the home that is kept.
#[test]
fn the_golden_story_can_be_told_again() {
    let story = Story::told();
    let bytes = story.audited();
    let bundle = Bundle::read(bytes.as_slice()).unwrap();
    let contents = story::contents(&bundle);
    assert!(
        contents.iter().all(|(_, is_there)| *is_there),
        "{contents:?}"
    );
    if !is_asked_to("make") {
        return;
    }
    let slots = story::bodies(&bundle)
        .into_iter()
        .filter_map(|body| match body {
            Body::Observed(observed) => Some(observed.slot),
            Body::Admitted(admitted) => Some(admitted.slot),
            _ => None,
        });
    let slots = slots
        .max()
        .map_or(0, |last| usize::try_from(last).unwrap() + 1);
    kept::pack(&story.supplier.home, slots);
    write(BUNDLE, &bytes);
    write(TRUST, story.trust().to_toml().as_bytes());
    keep_what_is_said(&Folder::new());
}

#[test]
fn what_is_said_no_longer_is_found() {
    let said = json!({"a": [1, {"b": "x"}], "c": null});
    let found = |now: Value| {
        let mut found = Vec::new();
        differences(&said, &now, "", &mut found);
        found
    };
    assert!(found(json!({"a": [1, {"b": "x", "new": 2}], "new": 3})).is_empty());
    let changed = found(json!({"a": [1, {"b": "y"}]}));
    assert_eq!(changed, [r#".a[1].b was "x", and is "y""#]);
    assert_eq!(found(json!({"a": [1]})).len(), 1);
    assert_eq!(found(json!({})).len(), 1);
}
