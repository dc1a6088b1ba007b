//! What each program is made of: the crates are in a list, so that none comes in without somebody saying so.

use crate::skipping::skip;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each program, by its crate.
const PROGRAMS: [(&str, &str); 2] = [("ambit", "ambit-node"), ("ambit-audit", "ambit-audit")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The crates that are built into a program on this system.
fn crates_of(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--offline", "--locked", "--edges", "normal"];
    let form = ["--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO"))
        .args([&tree[..], &["--package", package], &form].concat())
        .current_dir(root())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_program_is_made_of_the_crates_that_are_listed() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let why = "the lists are of the crates on Linux with x86-64";
        return skip("each_program_is_made_of_the_crates_that_are_listed", why);
    }
    for (program, package) in PROGRAMS {
        let found = crates_of(package);
        let path = root().join(format!("tests/crates/{program}.txt"));
        let list = std::fs::read_to_string(&path).unwrap();
        let listed: BTreeSet<String> = list.lines().map(str::to_owned).collect();
        let new: Vec<_> = found.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&found).collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "`{program}` is made of other crates than `tests/crates/{program}.txt` lists: new {new:?}, gone {gone:?}; look at what \
             each new one is and who keeps it, then list it"
        );
    }
}

/// An audit is to be believed years later, on a machine that reaches nothing.
#[test]
fn the_auditors_program_has_no_network_no_database_and_no_async_runtime() {
    let list = std::fs::read_to_string(root().join("tests/crates/ambit-audit.txt")).unwrap();
    for name in ["libp2p", "tokio", "sled", "ureq", "axum", "hyper"] {
        assert!(!list.lines().any(|listed| listed == name), "{name}");
    }
}
