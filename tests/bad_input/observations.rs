//! Facts, ids, and whom one may ask about.

use super::Scene;
use crate::support::{Ambit, Folder, Party, agree};
use std::collections::BTreeMap;

const OBSERVE: [&str; 13] = [
    "observe",
    "--set",
    "Diameter=1.5",
    "--type",
    "Diameter=xs:double",
    "--fact",
    "source=cmm-1",
    "--fact",
    "submodel=urn:a.example:submodel:1",
    "--fact",
    "semantic_id=urn:a.example:semantic:1",
    "--fact",
    "trade_secret=false",
];
const CLASS: [&str; 2] = ["--fact", "data_class=inspection-result"];

#[test]
fn facts_that_are_none_are_refused_by_name() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let complete = [&OBSERVE[..], &CLASS].concat();
    let facts = scene.file("more.toml", "sauce = \"cmm-1\"\n");
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (
            &["--fact", "sauce=cmm-1"],
            2,
            &["unknown field `sauce`", "`source`"],
        ),
        (
            &["--facts", &facts],
            1,
            &["more.toml", "line 1, column 1", "unknown field `sauce`"],
        ),
        (
            &["--fact", "owner=did:web:other.example"],
            1,
            &["did:web:other.example", "set `owner`"],
        ),
        (&["--fact", "source=cmm-2"], 2, &["`source` is given twice"]),
        (
            &["--fact", "serial"],
            2,
            &["`serial` is not KEY=VALUE, such as serial=42"],
        ),
        (
            &["--fact", "export_control.itar=perhaps"],
            2,
            &["`true` or `false`"],
        ),
        (&["--at", "yesterday"], 2, &["--at"]),
        (
            &["--at", "2199-01-01T00:00:00Z"],
            1,
            &[
                "2199-01-01T00:00:00Z is more than 300 seconds after now",
                "mend the time",
            ],
        ),
        (
            &["--set", "Vast=1e400"],
            1,
            &["`1e400` of `Vast`", "--type Vast=xs:string"],
        ),
    ];
    for (more, code, words) in cases {
        scene.refused(home, &[&complete[..], more].concat(), code, words);
    }
    let words = ["`data_class` is missing", "hint: ", "--fact KEY=VALUE"];
    scene.refused(home, &OBSERVE, 1, &words);
    let word = [&OBSERVE[..], &CLASS, &["--set", "Width=wide"]].concat();
    let word = [&word[..], &["--type", "Width=xs:int"]].concat();
    scene.refused(home, &word, 1, &["`Width`", "`wide` is no `xs:int`"]);

    let path = home.path().join("facts.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{good}sauce = \"cmm-1\"\n")).unwrap();
    let words = ["facts.toml", "unknown field `sauce`", "`source`"];
    scene.refused(home, &complete, 1, &words);
    std::fs::write(&path, good).unwrap();
    Ambit::text(home, &complete);
}

#[test]
fn ids_are_named_by_enough_of_their_digits() {
    let folder = Folder::new();
    // With a seed the ids are the same in every run, so that some are sure to begin alike.
    let a = Party::with(&folder, "a", &["--example-seed", "bad input"]);
    let mut rows = "t,serial,d\n".to_owned();
    for serial in 0..ROWS {
        rows.push_str(&format!("2026-05-01T08:00:00Z,{serial},1.5\n"));
    }
    let scene = Scene {
        folder,
        parties: vec![a],
    };
    let home = &scene.parties[0].home;
    let (rows, map) = (scene.file("a.csv", &rows), scene.file("a.map.toml", MAP));
    Ambit::text(home, &["import", &rows, "--map", &map]);
    let list = Ambit::json(home, &["list"]);
    let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in list.as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        *starts.entry(&id[..4]).or_default() += 1;
    }
    let (several, count) = starts.iter().find(|(_, count)| **count > 1).unwrap();
    let unknown = (0..=u16::MAX).map(|start| format!("{start:04x}"));
    let unknown = unknown
        .into_iter()
        .find(|start| !starts.contains_key(start.as_str()));
    let unknown = unknown.unwrap();
    let alike = format!("is the start of {count} ids");
    let cases: [(&str, i32, &[&str]); 5] = [
        (&unknown, 5, &["no observation starts with", " list"]),
        (&several[..3], 2, &["at least 4 hexadecimal digits"]),
        ("bolt", 2, &["at least 4 hexadecimal digits"]),
        ("", 2, &["at least 4 hexadecimal digits"]),
        (several, 2, &[&alike, "give more digits"]),
    ];
    for (id, code, words) in cases {
        scene.refused(home, &["get", id], code, words);
        let why = ["why", id, "--to", "did:web:b.example"];
        scene.refused(home, &why, code, words);
    }
}

/// Enough that two of their ids begin with the same four digits.
const ROWS: usize = 1_000;

const MAP: &str = r#"delimiter = ","

[time]
column = "t"
zone = "in-value"

[facts]
source = "cmm-1"
submodel = "urn:a.example:submodel:1"
semantic_id = "urn:a.example:semantic:1"
data_class = "inspection-result"
trade_secret = false

[facts_columns]
serial = "serial"

[[column]]
name = "d"
path = "Diameter"
value_type = "xs:double"
"#;

#[test]
fn why_is_asked_for_members_only() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    agree(&scene.folder, "b/a/quality", b, a);
    // Nobody has determined its export control classification, so it is withheld.
    let observed = Ambit::json(&a.home, &[&OBSERVE[..], &CLASS].concat());
    let id = observed["observed"][0]["id"].as_str().unwrap();
    let stranger = ["why", id, "--to", "did:web:c.example"];
    let words = ["`did:web:c.example`", " partner list"];
    scene.refused(&a.home, &stranger, 5, &words);

    let before = scene.traces();
    let why = ["why", id, "--to", &b.id, "--output", "json"];
    let output = Ambit::call(&a.home, &why);
    assert_eq!(output.status.code(), Some(3));
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers[0]["verdict"], "withheld");
    assert_eq!(answers[0]["recorded"]["outcome"], "withheld");
    scene.unchanged_since(&before, "why");
}

#[test]
fn an_example_observes_the_same_once() {
    let folder = Folder::new();
    let a = Party::with(&folder, "a", &["--example-seed", "the same twice"]);
    let scene = Scene {
        folder,
        parties: vec![a],
    };
    let home = &scene.parties[0].home;
    let at = ["--at", "2026-05-01T08:00:00Z"];
    let observe = [&OBSERVE[..], &CLASS, &at].concat();
    let said = [(); 2].map(|()| Ambit::json(home, &observe));
    assert_eq!(said[0]["observed"].as_array().unwrap().len(), 1);
    assert_eq!(said[1]["observed"].as_array().unwrap().len(), 0);
    assert_eq!(
        (&said[0]["known"], &said[1]["known"]),
        (&0.into(), &1.into())
    );
    assert_eq!(Ambit::json(home, &["list"]).as_array().unwrap().len(), 1);
}
