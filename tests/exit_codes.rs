//! Every exit code of `ambit`, with the words that go with it.

use crate::support::{Ambit, Folder, Home, MAP, Party, agree, invite, text};
use ambit_node::node::Node;
use serde_json::Value;
use std::path::PathBuf;

const NAME: &str = "customer/supplier/quality";

/// The second row is of a program that is not the customer's to know.
const ROWS: &str = "t,serial,program,d\n\
                    2026-05-01T08:00:00Z,1,F-ONE,1.25\n\
                    2026-05-01T08:02:00Z,2,F-TWO,2.00\n";

/// A supplier that shares with a customer, and one that has nothing to do with either.
struct Scene {
    folder: Folder,
    supplier: Party,
    customer: Party,
    stranger: Party,
}

impl Scene {
    fn new() -> Self {
        let folder = Folder::new();
        let [supplier, customer, stranger] =
            ["supplier", "customer", "stranger"].map(|name| Party::new(&folder, name));
        agree(&folder, NAME, &customer, &supplier);
        let scene = Self {
            folder,
            supplier,
            customer,
            stranger,
        };
        let (rows, map) = (scene.file("a.csv", ROWS), scene.file("a.map.toml", MAP));
        let import = ["import", text(&rows), "--map", text(&map)];
        Ambit::text(&scene.supplier.home, &import);
        scene
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

#[track_caller]
fn expect(home: &Home, arguments: &[&str], code: i32, words: &[&str]) {
    let output = Ambit::call(home, arguments);
    let call = format!("ambit {}", arguments.join(" "));
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let told = told.concat();
    assert_eq!(output.status.code(), Some(code), "{call}: {told}");
    for word in words {
        assert!(told.contains(word), "{call}: no `{word}` in: {told}");
    }
    // What is done and what is answered with a no are no errors.
    let is_error = !matches!(code, 0 | 3);
    assert_eq!(told.contains("error: "), is_error, "{call}: {told}");
}

#[test]
fn every_exit_code_has_its_cause_and_its_words() {
    let scene = Scene::new();
    let [supplier, customer, stranger] =
        [&scene.supplier, &scene.customer, &scene.stranger].map(|party| &party.home);
    let list = Ambit::json(supplier, &["list"]);
    let [shared, kept] = [0, 1].map(|number: usize| list[number]["id"].as_str().unwrap());
    let to = scene.customer.id.as_str();

    expect(supplier, &["why", shared, "--to", to], 0, &["admissible"]);

    let broken = scene.file("broken.cedar", "permit (principal");
    let check = ["profile", "check", text(&broken), "--layer", "owner"];
    expect(supplier, &check, 1, &["broken.cedar:1:", "unexpected end"]);

    expect(supplier, &["list", "--limit", "few"], 2, &["--limit"]);
    let words = ["at least 4 hexadecimal digits"];
    expect(supplier, &["get", "zzzz"], 2, &words);

    expect(supplier, &["why", kept, "--to", to], 3, &["withheld"]);

    // Under a fingerprint that is not the declarer's.
    let other = invite(
        &scene.folder,
        "customer/supplier/more",
        &scene.customer,
        &scene.supplier,
    );
    let wrong = format!("{to}={}", "ab".repeat(32));
    let accept = ["partner", "accept", text(&other), "--yes"];
    let compared = [&accept[..], &["--fingerprint", &wrong]].concat();
    expect(supplier, &compared, 4, &["fingerprint", to]);

    let words = [
        "no observation starts with `ffffffff`",
        " list`",
        "refused here, or never came, is not held",
        "its sender's `why`",
    ];
    expect(supplier, &["get", "ffffffff"], 5, &words);
    let nobody = "did:web:nobody.example";
    let words = ["has the member `did:web:nobody.example`", " partner list`"];
    expect(supplier, &["why", shared, "--to", nobody], 5, &words);

    let right = scene.customer.fingerprint();
    let compared = [&accept[..], &["--fingerprint", &right]].concat();
    let words = ["does not name this node", "a new card"];
    expect(stranger, &compared, 6, &words);

    // Another command has the database open, and does not end.
    let open = Node::open(customer.path()).unwrap();
    let words = ["is in use", "hint: ", "another command", "try again"];
    expect(customer, &["status"], 75, &words);
    let words = ["is in use", "hint: ", " status`"];
    expect(customer, &["run"], 75, &words);
    drop(open);
    expect(customer, &["status"], 0, &[to]);
}

/// What is told on standard error, as the one object that programs read.
#[track_caller]
fn complaint(home: &Home, arguments: &[&str], code: i32) -> Value {
    let given = [arguments, &["--output", "json"]].concat();
    let output = Ambit::call(home, &given);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{given:?}: {told}");
    assert!(output.stdout.is_empty(), "{given:?}");
    serde_json::from_str(&told).unwrap_or_else(|_| panic!("{given:?}: no single object: {told}"))
}

#[test]
fn programs_read_what_went_wrong_as_one_object() {
    let scene = Scene::new();
    let [supplier, stranger] = [&scene.supplier, &scene.stranger].map(|party| &party.home);
    let list = Ambit::json(supplier, &["list"]);
    let id = list[0]["id"].as_str().unwrap();
    let missing = scene.folder.home("missing");
    let broken = scene.file("broken.cedar", "permit (principal");
    let check = ["profile", "check", text(&broken), "--layer", "owner"];
    let other = invite(&scene.folder, "c/s/more", &scene.customer, &scene.supplier);
    let accept = ["partner", "accept", text(&other), "--yes", "--fingerprint"];
    let wrong = format!("{}={}", scene.customer.id, "ab".repeat(32));
    let right = scene.customer.fingerprint();
    let cases: [(&Home, &[&str], i32, &str, &str); 9] = [
        (supplier, &check, 1, "failed", "broken.cedar:1:"),
        (
            supplier,
            &["get", "zzzz"],
            2,
            "usage",
            "4 hexadecimal digits",
        ),
        (supplier, &["list", "--limit", "few"], 2, "usage", "'few'"),
        (supplier, &["list", "--limt", "3"], 2, "usage", "'--limt'"),
        (
            supplier,
            &[&accept[..], &[&wrong]].concat(),
            4,
            "verification",
            "fingerprint",
        ),
        (
            supplier,
            &["get", "ffffffff"],
            5,
            "not-found",
            "no observation",
        ),
        (
            supplier,
            &["why", id, "--to", "did:web:n.example"],
            5,
            "not-found",
            "did:web:n.example",
        ),
        (&missing, &["status"], 5, "not-found", "holds no node"),
        (
            stranger,
            &[&accept[..], &[&right]].concat(),
            6,
            "not-authorized",
            "a new card",
        ),
    ];
    for (home, arguments, code, kind, words) in cases {
        let told = complaint(home, arguments, code);
        assert_eq!(told["kind"], kind, "{told}");
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    }
    let open = Node::open(supplier.path()).unwrap();
    let told = complaint(supplier, &["status"], 75);
    assert_eq!(told["kind"], "try-again");
    assert!(
        told["hint"].as_str().unwrap().contains("try again"),
        "{told}"
    );
    drop(open);

    // A node that runs says the same as one that is opened.
    let alone = complaint(supplier, &["get", "ffffffff"], 5);
    let running = Ambit::run(supplier);
    assert_eq!(complaint(supplier, &["get", "ffffffff"], 5), alone);
    drop(running);
}
