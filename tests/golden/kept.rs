//! The golden home as it is kept: its files as they lay on the disk, without the zeros at their ends, and a list of them.

use crate::support::Home;
use ambit_node::platform::{create_private_folder, write_private};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The folder in which all of it is kept.
pub fn place() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap().join("tests/golden/kept")
}

/// The names and lengths of the home's files, and the folders in it, one a line.
const LIST: &str = "home.txt";
/// In place of a length, for a folder.
const FOLDER: &str = "folder";

/// Puts the golden home where a node may be: its files have their lengths again, and nobody else may read them.
pub fn unpack(to: &Path) -> Home {
    let from = place().join("home");
    let list = std::fs::read_to_string(place().join(LIST)).unwrap();
    create_private_folder(to).unwrap();
    for line in list.lines() {
        let (length, name) = line.split_once(' ').unwrap();
        if length == FOLDER {
            create_private_folder(&to.join(name)).unwrap();
            continue;
        }
        let mut content = std::fs::read(from.join(name)).unwrap();
        let length: usize = length.parse().unwrap();
        assert!(content.len() <= length, "{name}");
        content.resize(length, 0);
        write_private(&to.join(name), &content).unwrap();
    }
    Home::at(to)
}

/// Keeps a home, in place of the one that was kept. Of its keys for readings only the first `slots`: those that were
/// never used are random bytes, and are filled in again when they are needed.
pub fn pack(home: &Home, slots: usize) {
    let to = place().join("home");
    if to.exists() {
        std::fs::remove_dir_all(&to).unwrap();
    }
    std::fs::create_dir_all(&to).unwrap();
    let mut list = String::new();
    pack_folder(home.path(), "", slots, &mut list);
    std::fs::write(place().join(LIST), list).unwrap();
}

fn pack_folder(home: &Path, folder: &str, slots: usize, list: &mut String) {
    let entries = std::fs::read_dir(home.join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in names {
        let name = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        let path = home.join(&name);
        if path.is_dir() {
            writeln!(list, "{FOLDER} {name}").unwrap();
            pack_folder(home, &name, slots, list);
            continue;
        }
        let mut content = std::fs::read(&path).unwrap();
        if name == "slots" {
            content.truncate(slots * 32);
        }
        writeln!(list, "{} {name}", content.len()).unwrap();
        let end = content.iter().rposition(|byte| *byte != 0);
        content.truncate(end.map_or(0, |end| end + 1));
        let path = place().join("home").join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}
