//! Homes that lost something: the ledger is never opened as less than it was, nothing is made in the place of what is
//! missing, and what can be built again is.

use super::Scene;
use crate::support::{Ambit, Home};
use ambit_audit::{AuditVerdict, Bundle, Trust, verify};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const OBSERVE: [&str; 15] = [
    "observe",
    "--set",
    "D=1",
    "--type",
    "D=xs:int",
    "--fact",
    "source=s",
    "--fact",
    "submodel=m",
    "--fact",
    "semantic_id=i",
    "--fact",
    "trade_secret=false",
    "--fact",
    "data_class=condition",
];

/// What a store is made of, so that it can be put back.
struct Kept {
    home: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Kept {
    fn of(home: &Home) -> Self {
        let home = home.path().to_owned();
        let mut files = BTreeMap::new();
        keep(&home.join("db"), &mut files);
        keep(&home.join("journal"), &mut files);
        for name in ["slots", "committed", "db.state"] {
            let path = home.join(name);
            files.insert(path.clone(), std::fs::read(path).unwrap());
        }
        Self { home, files }
    }

    fn put_back(&self) {
        for folder in ["db", "db.aside", "journal"] {
            let folder = self.home.join(folder);
            if folder.exists() {
                std::fs::remove_dir_all(&folder).unwrap();
            }
        }
        let hidden = self.home.join("hidden");
        if hidden.exists() {
            std::fs::rename(&hidden, self.home.join("slots")).unwrap();
        }
        for (path, content) in &self.files {
            create_private(path.parent().unwrap());
            std::fs::write(path, content).unwrap();
        }
    }

    fn content(&self, name: &str) -> &[u8] {
        &self.files[&self.home.join(name)]
    }

    /// The engine's note of what it knew at its last orderly end, which a crash leaves out of date or keeps from
    /// being written at all.
    fn remove_snapshots(&self) {
        let is_snapshot = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("snap.")
        };
        let snapshots: Vec<&PathBuf> = self.files.keys().filter(is_snapshot).collect();
        assert!(!snapshots.is_empty());
        for path in snapshots {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// The last byte of a file that holds something.
    fn end(&self, name: &str) -> usize {
        let content = self.content(name);
        content.iter().rposition(|byte| *byte != 0).unwrap()
    }
}

fn create_private(folder: &Path) {
    if !folder.exists() {
        ambit_node::platform::create_private_folder(folder).unwrap();
    }
}

fn keep(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.insert(path.clone(), std::fs::read(path).unwrap());
        } else {
            keep(&path, files);
        }
    }
}

fn damaged() -> (Scene, Kept, (u64, String)) {
    let scene = Scene::of(&["a"]);
    for _ in 0..3 {
        Ambit::text(&scene.parties[0].home, &OBSERVE);
    }
    // Opening it once more lets the engine note all that it knows.
    let ledger = scene.parties[0].ledger();
    let kept = Kept::of(&scene.parties[0].home);
    (scene, kept, ledger)
}

/// Whatever one does with the home is refused, with these words, and what is in it stays as it is.
#[track_caller]
fn refused(scene: &Scene, words: &[&str]) {
    let words = [words, &["restore the home from the latest whole backup"]].concat();
    for arguments in [&["status"][..], &["run"], &OBSERVE] {
        scene.refused(&scene.parties[0].home, arguments, 1, &words);
    }
}

/// The home opens with all that it held, and a person is told that its database was built again; at the second command
/// where the first one came upon what is damaged only while it read.
#[track_caller]
fn built_again(scene: &Scene, ledger: &(u64, String)) {
    let home = &scene.parties[0].home;
    let mut told = String::new();
    for _ in 0..2 {
        let output = Ambit::call(home, &["list"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains("panicked"), "{text}");
        let is_done = output.status.success();
        told += &text;
        if is_done {
            break;
        }
        assert!(text.contains("start again"), "{text}");
    }
    assert!(
        told.contains("built again; it holds all that the journal does"),
        "{told}"
    );
    assert_eq!(&scene.parties[0].ledger(), ledger);
}

/// How many entries are shown of a home that is only read.
#[track_caller]
fn shown(scene: &Scene) -> u64 {
    let status = Ambit::json(&scene.parties[0].home, &["--read-only", "status"]);
    status["ledger_size"].as_u64().unwrap()
}

#[test]
fn a_home_without_a_part_of_its_store_is_refused_or_built_again() {
    let (scene, kept, ledger) = damaged();
    let home = scene.parties[0].home.path();
    for part in ["db/db", "db"] {
        let path = home.join(part);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        built_again(&scene, &ledger);
        kept.put_back();
    }
    // What the engine makes again by itself.
    std::fs::remove_file(home.join("db/conf")).unwrap();
    assert_eq!(scene.parties[0].ledger(), ledger);
    kept.put_back();
    std::fs::remove_dir_all(home.join("journal")).unwrap();
    refused(&scene, &["journal", "is missing", "a part of the ledger"]);
    assert!(!home.join("journal").exists());
    // Nothing but the database is left, which is shown as a whole.
    assert_eq!(shown(&scene), ledger.0);
    std::fs::remove_dir_all(home.join("db")).unwrap();
    scene.refused(
        &scene.parties[0].home,
        &["--read-only", "list"],
        1,
        &["journal", "is missing"],
    );
    kept.put_back();
    std::fs::remove_dir_all(home.join("journal")).unwrap();
    kept.put_back();
    std::fs::remove_file(home.join("journal/00000000.seg")).unwrap();
    refused(&scene, &["journal", "holds no journal"]);
    assert_eq!(shown(&scene), ledger.0);
    kept.put_back();
    std::fs::rename(home.join("slots"), home.join("hidden")).unwrap();
    refused(&scene, &["slots", "is missing"]);
    assert!(!home.join("slots").exists());
    kept.put_back();
    // One bit of one key: its readings are lost, and are neither shown nor handed to an auditor without them.
    let mut slots = kept.content("slots").to_vec();
    slots[40] ^= 1;
    std::fs::write(home.join("slots"), slots).unwrap();
    let list = Ambit::json(&scene.parties[0].home, &["list"]);
    let id = |number: usize| list[number]["id"].as_str().unwrap();
    let bundle = scene.path("a.bundle");
    for arguments in [&["get", id(1)][..], &["export", "-o", &bundle]] {
        let words = [
            "do not open",
            "slots",
            "restore the home from the latest whole backup",
        ];
        scene.refused(&scene.parties[0].home, arguments, 1, &words);
    }
    assert!(!Path::new(&bundle).exists());
    let told = scene.fails(&["--read-only", "export", "-o", &bundle]);
    assert!(told.contains("cannot be read, of entries "), "{told}");
    // The auditor misses them, and finds nothing else.
    let trust = Ambit::text(&scene.parties[0].home, &["key", "trust"]);
    let read = Bundle::read(&std::fs::read(&bundle).unwrap()[..]).unwrap();
    let report = verify(&read, &Trust::parse(&trust).unwrap());
    assert_eq!(report.verdict(), AuditVerdict::Incomplete, "{report:?}");
    assert_eq!(report.findings().len(), 1, "{report:?}");
    let told = scene.fails(&["store", "check", "--deep"]);
    assert!(told.contains("do not: entries"), "{told}");
    Ambit::text(&scene.parties[0].home, &["get", id(2)]);
    kept.put_back();
    // Two of three keys.
    std::fs::write(home.join("slots"), &kept.content("slots")[..64]).unwrap();
    refused(&scene, &["slots", "holds 2 keys, and 3 were used"]);
    // Also where the database has to be built for it.
    for is_there in [true, false] {
        assert_eq!(shown(&scene), ledger.0);
        let told = scene.fails(&["--read-only", "export", "-o", &bundle]);
        assert!(told.contains("cannot be read, of entries "), "{told}");
        if is_there {
            std::fs::remove_dir_all(home.join("db")).unwrap();
        }
    }
    kept.put_back();
    assert_eq!(scene.parties[0].ledger(), ledger);
}

impl Scene {
    /// What a check that finds something writes for whoever asked.
    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = Ambit::call(&self.parties[0].home, arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(4), "{text}");
        text
    }
}

#[test]
fn a_database_that_is_damaged_is_built_again() {
    let (scene, kept, ledger) = damaged();
    let path = scene.parties[0].home.path().join("db/db");
    let content = kept.content("db/db");
    let end = kept.end("db/db");
    let cut = |length: usize| content[..length].to_vec();
    let flipped = |position: usize| {
        let mut content = content.to_vec();
        content[position] ^= 0x55;
        content
    };
    for (what, content) in [
        ("nothing left", cut(0)),
        ("half of it", cut(end / 2)),
        ("without its end", cut(end - 20)),
        ("changed in the middle", flipped(end / 2)),
        ("changed near its end", flipped(end - 100)),
    ] {
        println!("{what}");
        std::fs::write(&path, &content).unwrap();
        built_again(&scene, &ledger);
        kept.put_back();
        // After a crash the engine takes what it cannot read for what was never finished.
        std::fs::write(&path, &content).unwrap();
        kept.remove_snapshots();
        Ambit::call(&scene.parties[0].home, &["list"]);
        assert_eq!(scene.parties[0].ledger(), ledger);
        kept.put_back();
    }
    let told = Ambit::text(&scene.parties[0].home, &["store", "rebuild"]);
    assert!(told.contains("built again from the journal"), "{told}");
    let told = Ambit::text(&scene.parties[0].home, &["store", "check", "--deep"]);
    assert!(told.contains("all equal"), "{told}");
    assert_eq!(scene.parties[0].ledger(), ledger);
}

#[test]
fn a_journal_that_is_damaged_is_never_opened_as_a_smaller_one() {
    let (scene, kept, ledger) = damaged();
    let path = scene.parties[0].home.path().join("journal/00000000.seg");
    let content = kept.content("journal/00000000.seg");
    let end = kept.end("journal/00000000.seg");
    let flipped = |position: usize| {
        let mut content = content.to_vec();
        content[position] ^= 0x55;
        content
    };
    for (what, content, words) in [
        ("nothing left", Vec::new(), "is cut off at byte 0"),
        (
            "half of it",
            content[..end / 2].to_vec(),
            "is cut off at byte",
        ),
        (
            "changed in the middle",
            flipped(end / 2),
            "cannot be read at byte",
        ),
        (
            "changed near its end",
            flipped(end - 100),
            "cannot be read at byte",
        ),
        ("its header changed", flipped(300), "the header of"),
    ] {
        println!("{what}");
        std::fs::write(&path, &content).unwrap();
        refused(&scene, &["the journal is damaged: ", words]);
        let told = scene.fails(&["store", "check"]);
        assert!(told.contains(words) && told.contains("lost"), "{told}");
        kept.put_back();
        // Nor does it help to have no database.
        std::fs::write(&path, &content).unwrap();
        std::fs::remove_dir_all(scene.parties[0].home.path().join("db")).unwrap();
        refused(&scene, &["the journal is damaged: ", words]);
        kept.put_back();
    }
    assert_eq!(scene.parties[0].ledger(), ledger);
}

/// Runs a command with so many descriptors at most, and says how it ended.
#[cfg(unix)]
fn with_descriptors(home: &Home, count: u32, arguments: &[&str]) -> std::process::Output {
    let program = Ambit::program().to_str().unwrap();
    let script = format!(
        "ulimit -n {count}; exec \"$0\" --home \"$1\" {}",
        arguments.join(" ")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script, program, home.path().to_str().unwrap()]);
    command.output().unwrap()
}

#[cfg(unix)]
#[test]
fn want_of_descriptors_leaves_the_database_as_good_as_it_was() {
    let (scene, kept, ledger) = damaged();
    let home = &scene.parties[0].home;
    let path = home.path().join("journal/00000000.seg");
    let mut content = kept.content("journal/00000000.seg").to_vec();
    let end = kept.end("journal/00000000.seg");
    content[end / 2] ^= 0x55;
    // What the journal lost is in the database alone: it must not be given up for a trifle.
    std::fs::write(&path, &content).unwrap();
    let mut refused = 0;
    for is_journal_whole in [false, true] {
        for count in 5..=20 {
            let ended = with_descriptors(home, count, &["list"]);
            let told = String::from_utf8(ended.stderr).unwrap();
            assert!(!told.contains("panicked"), "{count}: {told}");
            assert!(!told.contains("building the database"), "{count}: {told}");
            refused += u32::from(told.contains("no more file descriptors"));
            assert_eq!(shown(&scene), ledger.0, "{count}: {told}");
        }
        if !is_journal_whole {
            kept.put_back();
        }
    }
    assert!(refused > 0);
    // Nor is anything built again.
    let told = Ambit::call(home, &["list"]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        !told.contains("built again") && !told.contains("building"),
        "{told}"
    );
    assert_eq!(scene.parties[0].ledger(), ledger);
}

#[test]
fn keys_that_are_not_those_of_the_readings_are_named() {
    let (scene, kept, ledger) = damaged();
    let home = &scene.parties[0].home;
    let other: Vec<u8> = kept.content("slots").iter().map(|byte| byte ^ 1).collect();
    std::fs::write(home.path().join("slots"), other).unwrap();
    refused(
        &scene,
        &[
            "slots",
            "do not open what was recorded last",
            "an older copy",
        ],
    );
    assert_eq!(shown(&scene), ledger.0);
    kept.put_back();
    assert_eq!(scene.parties[0].ledger(), ledger);
}

#[test]
fn what_could_not_be_read_when_the_database_was_built_is_not_passed_over() {
    let (scene, kept, _) = damaged();
    let home = &scene.parties[0].home;
    let latest = ["get", "--submodel", "m"];
    let before = Ambit::text(home, &latest);
    let mut slots = kept.content("slots").to_vec();
    slots[2 * 32] ^= 1;
    std::fs::write(home.path().join("slots"), slots).unwrap();
    scene.refused(home, &latest, 1, &["do not open"]);
    Ambit::text(home, &["store", "rebuild"]);
    std::fs::write(home.path().join("slots"), kept.content("slots")).unwrap();
    // What was moved aside goes with the next clean start.
    Ambit::text(home, &["list"]);
    scene.refused(
        home,
        &latest,
        1,
        &["could not be read when it was built", "store rebuild"],
    );
    Ambit::text(home, &["store", "rebuild"]);
    assert_eq!(Ambit::text(home, &latest), before);
}
