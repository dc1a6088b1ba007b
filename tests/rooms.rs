//! Who may import whom: the crates by `cargo metadata`, the outside crates by the one folder or file that names each, the
//! rooms of the node by what their files import.

mod graph;

use graph::{Graph, circles};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What each crate may depend on of this workspace, outside tests.
const MAY_IMPORT: [(&str, &[&str]); 5] = [
    ("ambit-aas", &[]),
    ("ambit-ledger", &[]),
    ("ambit-policy", &["ambit-ledger"]),
    ("ambit-audit", &["ambit-ledger", "ambit-policy"]),
    (
        "ambit-node",
        &["ambit-aas", "ambit-audit", "ambit-ledger", "ambit-policy"],
    ),
];

/// Crates that only one other may depend on, outside tests.
const KEPT_TO: [(&str, &str); 10] = [
    ("serde_cbor", "ambit-ledger"),
    ("ed25519-dalek", "ambit-ledger"),
    ("curve25519-dalek", "ambit-ledger"),
    ("cedar-policy", "ambit-policy"),
    ("sled", "ambit-node"),
    ("libp2p", "ambit-node"),
    ("libp2p-stream", "ambit-node"),
    ("yamux", "ambit-node"),
    ("pkcs8", "ambit-node"),
    ("rpassword", "ambit-node"),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

#[test]
fn crates_import_only_whom_they_may() {
    let dependencies = dependencies();
    let crates: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    assert_eq!(crates, expected);
    for (name, allowed) in MAY_IMPORT {
        let own = dependencies[name]
            .iter()
            .filter(|dependency| crates.contains(dependency.as_str()));
        for dependency in own {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} imports {dependency}"
            );
        }
    }
    for (outside, keeper) in KEPT_TO {
        for (name, names) in &dependencies {
            assert!(
                name == keeper || !names.contains(outside),
                "{name} imports {outside}, which only {keeper} may"
            );
        }
    }
}

/// Source files outside tests, by their path from the root, with their text.
fn sources() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![
        root().join("node"),
        root().join("policy"),
        root().join("schemas"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_test = name == "tests" || name == "tests.rs" || name == "benches";
            if is_test || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let relative = path.strip_prefix(root()).unwrap();
                let relative = relative.to_string_lossy().replace('\\', "/");
                files.insert(relative, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// Source files outside tests that mention an outside crate in code.
fn files_naming(word: &str) -> BTreeSet<String> {
    let naming = sources()
        .into_iter()
        .filter(|(_, text)| names(text, word))
        .map(|(file, _)| file);
    naming.collect()
}

/// Whether code, comments aside, has a path or an import that starts with the word.
fn names(source: &str, word: &str) -> bool {
    source
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
        .any(|line| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = &line[at + word.len()..];
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.' || c == '"')
                    && (after.starts_with("::")
                        || after.starts_with(';')
                        || after.starts_with(" as "))
            })
        })
}

#[test]
fn each_outside_crate_is_named_in_one_place() {
    let expected = [
        ("sled", "node/src/store/database/"),
        ("libp2p", "node/src/mesh/net/"),
        ("libp2p_stream", "node/src/mesh/net/"),
        ("yamux", "node/src/mesh/net/"),
        ("serde_cbor", "node/ledger/src/codec.rs"),
        ("ed25519_dalek", "node/ledger/src/keys.rs"),
        ("curve25519_dalek", "node/ledger/src/keys/seal.rs"),
        ("cedar_policy", "policy/"),
        ("rpassword", "node/src/cli/passphrase.rs"),
    ];
    for (word, place) in expected {
        let files = files_naming(word);
        assert!(!files.is_empty(), "{word}");
        assert!(
            files.iter().all(|file| file.starts_with(place)),
            "{word} is named outside {place}: {files:?}"
        );
    }
}

#[test]
fn no_file_outside_tests_is_longer_than_500_lines() {
    let long: Vec<(String, usize)> = sources()
        .into_iter()
        .map(|(file, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next();
            (file, code.unwrap_or_default().lines().count())
        })
        .filter(|(_, lines)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn rooms_import_in_no_circle() {
    let graph = Graph::read(&root().join("node/src"));
    let rooms = graph.rooms();
    assert!(rooms.len() > 10, "{rooms:?}");
    assert_eq!(circles(&rooms), []);
}

/// Rooms whose files are in no circle either.
const LAYERED: [&str; 4] = ["collect", "federation", "link", "mesh"];

#[test]
fn files_of_layered_rooms_import_in_no_circle() {
    let graph = Graph::read(&root().join("node/src"));
    let mut files = graph.files();
    files.retain(|place, _| {
        place
            .first()
            .is_some_and(|room| LAYERED.contains(&room.as_str()))
    });
    assert!(files.len() > 30, "{files:?}");
    assert_eq!(circles(&files), []);
}

#[test]
fn a_name_in_code_is_told_from_one_in_prose() {
    assert!(names("use sled::Db;", "sled"));
    assert!(names("    -> Result<(), sled::Error> {", "sled"));
    assert!(!names("// sled::Db is fast", "sled"));
    assert!(!names("let text = \"sled\";", "sled"));
    assert!(!names("use unsled::Db;", "sled"));
}

#[test]
fn the_readme_quotes_what_the_benches_wrote() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table = std::fs::read_to_string(root().join("tests/benches.md")).unwrap();
    assert!(table.lines().count() > 2);
    for line in table.lines() {
        assert!(
            readme.contains(line),
            "README.md lacks this line of tests/benches.md: {line}"
        );
    }
}

#[test]
fn the_readme_has_a_row_for_every_room_and_names_files_that_are_there() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let quoted = |text: &str| -> BTreeSet<String> {
        let parts = text.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    };
    let rows = readme.split("| room |").nth(1).unwrap();
    let rows = rows.lines().skip(1).take_while(|row| row.starts_with('|'));
    let named: BTreeSet<String> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(quoted)
        .collect();
    let graph = Graph::read(&root().join("node/src"));
    let rooms: BTreeSet<String> = graph.rooms().into_keys().flatten().collect();
    assert_eq!(named, rooms);
    let map = readme.split("## The map").nth(1).unwrap();
    let map = map.split("\n## ").next().unwrap();
    let paths = quoted(&map.replace("```", ""));
    let paths: Vec<_> = paths.iter().filter(|path| path.contains('/')).collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "README.md names `{path}`");
    }
}
