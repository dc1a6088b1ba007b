//! The tests that THREATS.md names are there.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of tests in a table: words in back quotes that are joined by underscores, and nothing else.
fn named(text: &str) -> BTreeSet<&str> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let quoted = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let is_name = |word: &&str| {
        word.contains('_')
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
    };
    quoted.filter(is_name).collect()
}

fn collect(folder: &Path, sources: &mut String) {
    for found in std::fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_tests_that_threats_are_held_against_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let threats = std::fs::read_to_string(root.join("node/THREATS.md")).unwrap();
    let mut sources = String::new();
    for folder in ["node", "policy", "tests"] {
        collect(&root.join(folder), &mut sources);
    }
    let names = named(&threats);
    assert!(names.len() > 20, "{names:?}");
    let missing = names
        .iter()
        .filter(|name| !sources.contains(&format!("fn {name}()")));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:?}");
}
