//! Homes that lost something: the ledger is never opened as less than it was, and nothing is made in the place of
//! what is missing.

use super::Scene;
use crate::support::{Ambit, Home};
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
        for name in ["slots", "committed"] {
            let path = home.join(name);
            files.insert(path.clone(), std::fs::read(path).unwrap());
        }
        Self { home, files }
    }

    fn put_back(&self) {
        let database = self.home.join("db");
        if database.exists() {
            std::fs::remove_dir_all(&database).unwrap();
        }
        let hidden = self.home.join("hidden");
        if hidden.exists() {
            std::fs::rename(&hidden, self.home.join("slots")).unwrap();
        }
        for (path, content) in &self.files {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
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

    /// The last byte of the database that holds something.
    fn end(&self) -> usize {
        let content = self.content("db/db");
        content.iter().rposition(|byte| *byte != 0).unwrap()
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

/// What the first command that opens the home is told.
#[track_caller]
fn told(scene: &Scene, words: &str) {
    let output = Ambit::call(&scene.parties[0].home, &["status"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(words), "no `{words}` in: {told}");
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn a_home_without_a_part_of_its_store_is_refused() {
    let (scene, kept, ledger) = damaged();
    let home = scene.parties[0].home.path();
    for (part, named) in [
        ("db/conf", "db/conf"),
        ("db/db", "db/db"),
        ("db", "db/conf"),
    ] {
        let path = home.join(part);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        refused(&scene, &[named, "is missing", "a part of the ledger"]);
        assert!(!path.exists(), "{part} was made again");
        kept.put_back();
    }
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
    Ambit::text(&scene.parties[0].home, &["get", id(2)]);
    kept.put_back();
    // Two of three keys.
    std::fs::write(home.join("slots"), &kept.content("slots")[..64]).unwrap();
    refused(&scene, &["slots", "holds 2 keys, and 3 were used"]);
    kept.put_back();
    assert_eq!(scene.parties[0].ledger(), ledger);
}

#[test]
fn a_database_that_is_damaged_is_never_opened_as_a_smaller_one() {
    let (scene, kept, ledger) = damaged();
    let path = scene.parties[0].home.path().join("db/db");
    let content = kept.content("db/db");
    let end = kept.end();
    let cut = |length: usize| content[..length].to_vec();
    let flipped = |position: usize| {
        let mut content = content.to_vec();
        content[position] ^= 0x55;
        content
    };
    let committed = format!("of the {} that were committed", ledger.0);
    for (what, content) in [
        ("nothing left", cut(0)),
        ("half of it", cut(end / 2)),
        ("without its end", cut(end - 20)),
        ("changed in the middle", flipped(end / 2)),
        ("changed near its end", flipped(end - 100)),
    ] {
        println!("{what}");
        std::fs::write(&path, &content).unwrap();
        // The first to open it learns it from the engine, the next from what is left.
        told(&scene, "`db` is damaged");
        refused(&scene, &[]);
        kept.put_back();
        // After a crash the engine takes what it cannot read for what was never finished.
        std::fs::write(&path, &content).unwrap();
        kept.remove_snapshots();
        told(
            &scene,
            if content.is_empty() {
                "the store is damaged: the head is missing"
            } else {
                &committed
            },
        );
        refused(&scene, &[]);
        kept.put_back();
    }
    // After a crash that damaged nothing all of it is there.
    kept.remove_snapshots();
    assert_eq!(scene.parties[0].ledger(), ledger);
}
