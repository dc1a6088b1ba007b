//! The commands as people and scripts use them: a supplier and a customer, each a process of its own.

use crate::support::{
    Ambit, Folder, Home, LIMIT, MAP, Party, agree, declaration, invite, text, wait_until,
};
use ambit_audit::{AuditVerdict, Bundle, Trust, replay, verify};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

mod attestations;
mod clock;
mod everyday;
mod heavy;
mod root_key;
#[cfg(unix)]
mod stop;
#[cfg(unix)]
mod suggested;
mod told;

const NAME: &str = "customer/supplier/quality";
const SUBMODEL: &str = "urn:supplier.example:submodel:1";

/// What the supplier measures. The last two serials are of another program, which is not the customer's to know.
const ROWS: &str = "t,serial,program,d\n\
                    2026-05-01T08:00:00Z,1,F-ONE,1.25\n\
                    2026-05-01T08:00:30Z,1,F-ONE,1.50\n\
                    2026-05-01T08:01:00Z,2,F-ONE,1.75\n\
                    2026-05-01T08:02:00Z,3,F-TWO,2.00\n\
                    2026-05-01T08:03:00Z,4,F-TWO,2.25\n";

/// A supplier, a customer, and the supplier's files.
struct Pair {
    folder: Folder,
    supplier: Party,
    customer: Party,
    rows: PathBuf,
    map: PathBuf,
}

impl Pair {
    fn new() -> Self {
        let folder = Folder::new();
        let supplier = Party::new(&folder, "supplier");
        let customer = Party::new(&folder, "customer");
        let (rows, map) = (
            folder.path().join("a.csv"),
            folder.path().join("a.map.toml"),
        );
        std::fs::write(&rows, ROWS).unwrap();
        std::fs::write(&map, MAP).unwrap();
        Self {
            folder,
            supplier,
            customer,
            rows,
            map,
        }
    }

    #[track_caller]
    fn import(&self) -> Value {
        let import = ["import", text(&self.rows), "--map", text(&self.map)];
        Ambit::json(&self.supplier.home, &import)
    }

    #[track_caller]
    fn invite(&self) -> PathBuf {
        invite(&self.folder, NAME, &self.customer, &self.supplier)
    }

    /// Writes a ledger's bundle, and returns its bytes.
    #[track_caller]
    fn bundle(&self, party: &Party, name: &str) -> Vec<u8> {
        let path = self.folder.path().join(name);
        let exported = Ambit::json(&party.home, &["export", "-o", text(&path)]);
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(exported["bytes"], bytes.len());
        assert_eq!(exported["entries"], party.ledger().0);
        bytes
    }

    /// The root keys of both, as an auditor is given them.
    fn trust(&self) -> Trust {
        let mut trust = Trust::new();
        for party in [&self.supplier, &self.customer] {
            let file = Ambit::text(&party.home, &["key", "trust"]);
            trust.merge(Trust::parse(&file).unwrap());
        }
        trust
    }

    /// Every federation ends with an audit of every ledger.
    #[track_caller]
    fn audit(&self) {
        let trust = self.trust();
        for (party, name) in [(&self.supplier, "s.bundle"), (&self.customer, "c.bundle")] {
            let bundle = Bundle::read(&self.bundle(party, name)[..]).unwrap();
            let verified = verify(&bundle, &trust);
            assert_eq!(verified.verdict(), AuditVerdict::Verified, "{verified:?}");
            // A replay of no decisions at all would prove nothing, and says so.
            if verified.checked().decisions > 0 {
                let replayed = replay(&bundle, &trust);
                assert_eq!(replayed.verdict(), AuditVerdict::Verified, "{replayed:?}");
            }
        }
    }
}

/// A partnership as its member's node lists it.
fn partnership(home: &Home, name: &str) -> Value {
    let partners = Ambit::json(home, &["partner", "list"]);
    let mut partners = partners.as_array().unwrap().clone();
    partners.retain(|partner| partner["partnership"] == name);
    partners.pop().unwrap_or_default()
}

fn ids(home: &Home) -> Vec<String> {
    let list = Ambit::json(home, &["list"]);
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// What a call gives, but for what it says of itself on standard error and of the time of the call.
fn outcome(output: Output) -> (Option<i32>, String) {
    let text = String::from_utf8(output.stdout).unwrap();
    let text = match text.split_once("It is ") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once(" UTC").unwrap();
            format!("{before}It is now{after}")
        }
        None => text,
    };
    (output.status.code(), text)
}

#[test]
fn a_running_node_answers_as_a_stopped_one() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    let home = &pair.supplier.home;
    let summary = pair.import();
    assert_eq!(summary["observations_new"], 4);
    assert_eq!(summary["readings"], 5);
    let counts = &summary["recipients"][0];
    assert_eq!(
        (&counts["admissible"], &counts["withheld"]),
        (&2.into(), &2.into())
    );

    let ids = ids(home);
    let customer = pair.customer.id.as_str();
    let calls: [Vec<&str>; 18] = [
        vec!["list"],
        vec!["list", "--part", "PLATE-1", "--limit", "1"],
        vec!["list", "--lot", "none"],
        vec!["get", &ids[0]],
        vec!["get", &ids[0][..8]],
        vec!["why", &ids[0], "--to", customer],
        vec!["why", &ids[3], "--to", customer],
        vec!["why", &ids[3], "--to", "did:web:stranger.example"],
        vec!["get", "zzzz"],
        vec!["status"],
        vec!["partner", "list"],
        vec!["partner", "invite", NAME],
        vec!["key", "show"],
        vec!["list", "--program", "F-TWO", "--serial", "3"],
        vec!["list", "--after", "0", "--limit", "2"],
        vec!["get", "--submodel", SUBMODEL],
        vec!["get", "--submodel", "urn:none"],
        vec!["get"],
    ];
    let answers = || -> Vec<(Option<i32>, String)> {
        let json = calls.iter().map(|call| {
            let call = [call.as_slice(), &["--output", "json"]].concat();
            outcome(Ambit::call(home, &call))
        });
        let tables = calls.iter().filter(|call| call[0] != "status");
        let tables = tables.map(|call| outcome(Ambit::call(home, call)));
        // A card is signed anew each time, so that it is another one.
        let trust = outcome(Ambit::call(home, &["key", "trust"]));
        json.chain(tables).chain([trust]).collect()
    };
    let (stopped, bundle) = (answers(), pair.bundle(&pair.supplier, "stopped.bundle"));
    let running = Ambit::run(home);
    assert_eq!(answers(), stopped);
    assert!(pair.bundle(&pair.supplier, "running.bundle") == bundle);
    drop(running);

    let codes: Vec<_> = stopped[..calls.len()]
        .iter()
        .map(|(code, _)| *code)
        .collect();
    let expected = [0, 0, 0, 0, 0, 0, 3, 5, 2, 0, 0, 0, 0, 0, 0, 0, 5, 2].map(Some);
    assert_eq!(codes, expected);
    for ((code, json), call) in stopped.iter().zip(&calls) {
        if matches!(code, Some(0 | 3)) {
            assert!(
                serde_json::from_str::<Value>(json).is_ok(),
                "{call:?}: {json}"
            );
        } else {
            assert_eq!(json, "", "{call:?}");
        }
    }
    pair.audit();
}

#[test]
fn an_agreement_is_made_over_the_mesh_and_data_follows_it() {
    let pair = Pair::new();
    let invitation = pair.invite();
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    // Signed before the customer's node runs, and before anything can be disclosed.
    let fingerprint = customer.fingerprint();
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let accept = [&accept[..], &["--fingerprint", &fingerprint]].concat();
    let accepted = Ambit::json(&supplier.home, &accept);
    assert_eq!(accepted["is_active"], true);
    assert_eq!(partnership(&customer.home, NAME)["state"], "proposed");

    let nodes = [Ambit::run(&supplier.home), Ambit::run(&customer.home)];
    wait_until(LIMIT, "the acceptance to arrive", || {
        partnership(&customer.home, NAME)["state"] == "active"
    });
    assert_eq!(pair.import()["observations_new"], 4);
    let released = || Ambit::json(&supplier.home, &["status"])["pairs"][0].clone();
    wait_until(LIMIT, "both to be acknowledged", || {
        released()["acknowledged"] == 2
    });
    assert_eq!(released()["withheld"], 2);
    let held = ids(&customer.home);
    assert_eq!(held, ids(&supplier.home)[..2]);
    let detail = Ambit::json(&customer.home, &["get", &held[0]]);
    assert_eq!(detail["readings"].as_array().unwrap().len(), 2);

    // The same file again adds nothing, at either side.
    let before = (supplier.ledger(), customer.ledger());
    let again = pair.import();
    assert_eq!(again["observations_new"], 0);
    assert_eq!(again["observations_known"], 4);
    assert_eq!((supplier.ledger(), customer.ledger()), before);

    // One is told to stop, the other is killed. What they said they have is there when they are opened again.
    let [first, second] = nodes;
    #[cfg(unix)]
    {
        let told = first.stop();
        assert!(told.ends_with("stopped\n"), "{told}");
        assert!(!supplier.home.path().join("api.json").exists());
    }
    #[cfg(not(unix))]
    first.kill();
    second.kill();
    assert_eq!(ids(&customer.home), held);
    assert_eq!((supplier.ledger(), customer.ledger()), before);
    pair.audit();
}

#[test]
fn an_acceptance_is_handed_over_as_a_file() {
    let pair = Pair::new();
    let invitation = pair.invite();
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let running = Ambit::run(&supplier.home);
    let acceptance = pair.folder.path().join("acceptance.txt");
    let fingerprint = customer.fingerprint();
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let out = ["-o", text(&acceptance), "--fingerprint", &fingerprint];
    Ambit::text(&supplier.home, &[&accept[..], &out].concat());
    drop(running);
    assert_eq!(partnership(&customer.home, NAME)["state"], "proposed");
    let taken = Ambit::text(&customer.home, &["partner", "accept", text(&acceptance)]);
    assert!(taken.contains("active"), "{taken}");
    assert_eq!(partnership(&customer.home, NAME)["state"], "active");
    pair.audit();
}

#[test]
fn a_decline_reaches_the_declarer_with_its_reason() {
    let pair = Pair::new();
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let by_mesh = pair.invite();
    let by_file = invite(&pair.folder, "customer/supplier/other", customer, supplier);
    let decline = |invitation: &Path, more: &[&str]| {
        let reason = ["--reason", "no capacity in May"];
        let command = ["partner", "decline", text(invitation)];
        Ambit::json(&supplier.home, &[&command[..], &reason, more].concat())
    };
    let declined = |name: &str| {
        let found = partnership(&customer.home, name);
        let reason = found["declined"].as_str().unwrap_or_default();
        found["state"] == "declined" && reason.contains("no capacity in May")
    };
    let nodes = [Ambit::run(&supplier.home), Ambit::run(&customer.home)];
    decline(&by_mesh, &["--fingerprint", &customer.fingerprint()]);
    wait_until(LIMIT, "the decline to arrive", || declined(NAME));
    drop(nodes);

    // Without a comparison it is listed as declined all the same, and the answer is a file.
    let answer = pair.folder.path().join("declined.txt");
    decline(&by_file, &["-o", text(&answer)]);
    let other = "customer/supplier/other";
    assert_eq!(partnership(&supplier.home, other)["state"], "declined");
    Ambit::text(&customer.home, &["partner", "accept", text(&answer)]);
    assert!(declined("customer/supplier/other"));
    pair.audit();
}

#[test]
fn who_declines_keeps_what_it_knows_of_the_signatures() {
    let pair = Pair::new();
    let third = Party::new(&pair.folder, "third");
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let signed = |name: &str| {
        let members = partnership(&supplier.home, name)["members"].clone();
        [customer, supplier, &third].map(|party| members[&party.id].as_bool())
    };
    let path = |name: &str| pair.folder.path().join(name);
    let names = ["customer/all/compared", "customer/all/not"];
    for (name, is_compared) in names.into_iter().zip([true, false]) {
        let (file, invitation) = (path("d.toml"), path("i.txt"));
        let card = format!("\n[[member]]\ncard = '{}'\n", text(third.card()));
        std::fs::write(&file, declaration(name, supplier) + &card).unwrap();
        let prints = [
            supplier.fingerprint(),
            third.fingerprint(),
            customer.fingerprint(),
        ];
        let declare = ["partner", "declare", text(&file), "-o", text(&invitation)];
        let compared = ["--fingerprint", &prints[0], "--fingerprint", &prints[1]];
        Ambit::text(&customer.home, &[&declare[..], &compared].concat());
        let decline = ["partner", "decline", text(&invitation), "--reason", "no"];
        let compared = ["--fingerprint", prints[2].as_str()];
        let compared = if is_compared { &compared[..] } else { &[] };
        Ambit::text(&supplier.home, &[&decline[..], compared].concat());
    }
    // Of whose root was compared it is known; of others nothing is, and nothing is said.
    assert_eq!(signed(names[0]), [Some(true), Some(false), None]);
    assert_eq!(signed(names[1]), [None, Some(false), None]);
}

#[test]
fn every_answer_for_programs_is_json() {
    let pair = Pair::new();
    let home = &pair.customer.home;
    let file = |name: &str, content: &str| {
        let path = pair.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let profile = file(
        "owner.cedar",
        "@id(\"all\")\npermit (principal, action, resource);\n",
    );
    let profile = |command| ["profile", command, text(&profile), "--layer", "owner"];
    let checked = Ambit::json(home, &profile("check"));
    assert_eq!(checked["policies"][0], "all");
    let entries = pair.customer.ledger().0;
    let activated = Ambit::json(home, &profile("activate"));
    assert_eq!(activated["layer"], "owner");
    assert_eq!(activated["digest"], checked["digest"]);
    assert_eq!(pair.customer.ledger().0, entries + 1);
    // The same text again changes nothing, whoever runs the operation.
    let running = Ambit::run(home);
    assert_eq!(Ambit::json(home, &profile("activate")), activated);
    assert_eq!(pair.customer.ledger().0, entries + 1);
    drop(running);

    let declared = file("d.toml", &declaration(NAME, &pair.supplier));
    let fingerprint = pair.supplier.fingerprint();
    let declare = ["partner", "declare", text(&declared)];
    let declare = [&declare[..], &["--fingerprint", &fingerprint]].concat();
    let proposal = Ambit::json(home, &declare);
    assert_eq!(proposal["partnership"], NAME);
    let invited = Ambit::json(home, &["partner", "invite", NAME]);
    assert_eq!(invited["file"], proposal["file"]);
    let invitation = file("i.txt", proposal["file"].as_str().unwrap());
    let fingerprint = pair.customer.fingerprint();
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let accept = [&accept[..], &["--fingerprint", &fingerprint]].concat();
    let accepted = Ambit::json(&pair.supplier.home, &accept);
    let acceptance = file("a.txt", accepted["file"].as_str().unwrap());
    let taken = Ambit::json(home, &["partner", "accept", text(&acceptance)]);
    assert_eq!(taken["is_active"], true);

    let set = ["observe", "--set", "D=1", "--type", "D=xs:int"];
    let facts = [
        "source=s",
        "submodel=m",
        "semantic_id=i",
        "trade_secret=false",
    ];
    let facts = facts.into_iter().chain(["data_class=condition"]);
    let facts: Vec<&str> = facts.flat_map(|fact| ["--fact", fact]).collect();
    let observed = Ambit::json(home, &[&set[..], &facts].concat());
    assert_eq!(observed["observed"][0]["readings"], 1);
    assert_eq!(
        observed["observed"][0]["outcomes"][0]["verdict"],
        "withheld"
    );
    pair.audit();
}

#[test]
fn a_changed_bundle_does_not_pass() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    pair.import();
    let bundle = pair.bundle(&pair.supplier, "a.bundle");
    let trust = pair.trust();
    let is_verified = |bytes: &[u8]| {
        Bundle::read(bytes)
            .is_ok_and(|bundle| matches!(verify(&bundle, &trust).verdict(), AuditVerdict::Verified))
    };
    assert!(is_verified(&bundle));

    let length = bundle.len();
    let ends = (0..ENDS_BYTES).chain(length - ENDS_BYTES..length);
    let stride = (0..length).step_by(length / SAMPLES);
    let passed: Vec<usize> = ends
        .chain(stride)
        .filter(|position| {
            let mut changed = bundle.clone();
            changed[*position] ^= 1 << (position % 8);
            is_verified(&changed)
        })
        .collect();
    assert_eq!(passed, [0_usize; 0], "of {length} bytes");

    for length in [0, 1, 8, length / 2, length - 1] {
        assert!(!is_verified(&bundle[..length]), "{length} bytes");
    }
    let longer = [&bundle[..], &[0]].concat();
    assert!(!is_verified(&longer));
}

/// All of so many bytes at either end of the bundle are changed, each for itself.
const ENDS_BYTES: usize = 64;
/// And so many over the whole of it.
const SAMPLES: usize = 200;
