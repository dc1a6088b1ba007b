//! Every exit code of `ambit`, with the words that go with it.

use crate::support::{Ambit, Folder, Home, MAP, Party, agree, invite, text};
use ambit_node::node::Node;
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

    let words = ["no observation starts with `ffffffff`", "`ambit list`"];
    expect(supplier, &["get", "ffffffff"], 5, &words);
    let nobody = "did:web:nobody.example";
    let words = [
        "has the member `did:web:nobody.example`",
        "`ambit partner list`",
    ];
    expect(supplier, &["why", shared, "--to", nobody], 5, &words);

    let right = scene.customer.fingerprint();
    let compared = [&accept[..], &["--fingerprint", &right]].concat();
    let words = ["does not name this node", "a new card"];
    expect(stranger, &compared, 6, &words);

    // Another command has the database open, and does not end.
    let open = Node::open(customer.path()).unwrap();
    let words = ["is in use", "hint: ", "another command", "try again"];
    expect(customer, &["status"], 75, &words);
    let words = ["is in use", "hint: ", "`ambit status`"];
    expect(customer, &["run"], 75, &words);
    drop(open);
    expect(customer, &["status"], 0, &[to]);
}
