//! What is wrong is refused: with the exit code that scripts rely on, with words that say how to mend it, and with
//! nothing changed.

mod agreements;
mod damage;
mod files;
mod homes;
mod observations;
mod root_key;

use crate::support::{Ambit, Folder, Home, Party};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Some organizations in a folder of their own.
struct Scene {
    folder: Folder,
    parties: Vec<Party>,
}

/// All that a command could have changed, by what it is: the files beside the databases, and the ledgers.
struct Traces(BTreeMap<String, Vec<u8>>);

impl Traces {
    /// What differs. Whole files would say too much.
    fn differences<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a str> {
        let names = self.0.keys().chain(other.0.keys());
        names
            .filter(|name| self.0.get(*name) != other.0.get(*name))
            .map(String::as_str)
            .collect()
    }
}

impl Scene {
    fn of(names: &[&str]) -> Self {
        let folder = Folder::new();
        let parties = names.iter().map(|name| Party::new(&folder, name)).collect();
        Self { folder, parties }
    }

    /// The path of a file of this scene, with this content.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The path of a file that is not there.
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn traces(&self) -> Traces {
        let mut traces = BTreeMap::new();
        collect(self.folder.path(), &mut traces);
        for party in &self.parties {
            // A home that cannot be used now can be compared by its files only.
            let output = Ambit::call(&party.home, &["status", "--output", "json"]);
            if output.status.success() {
                traces.insert(format!("ledger of {}", party.id), output.stdout);
            }
        }
        Traces(traces)
    }

    /// Calls `ambit` for a home, which has to end with this code, say all these words on standard error, and leave
    /// everything as it was.
    #[track_caller]
    fn refused(&self, home: &Home, arguments: &[&str], code: i32, words: &[&str]) {
        let call = format!("ambit {}", arguments.join(" "));
        let before = self.traces();
        let output = Ambit::call(home, arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{call}: {told}");
        for word in words {
            assert!(told.contains(word), "{call}: no `{word}` in: {told}");
        }
        assert_eq!(told.matches("error: ").count(), 1, "{call}: {told}");
        self.unchanged_since(&before, &call);
    }

    #[track_caller]
    fn unchanged_since(&self, before: &Traces, call: &str) {
        let after = self.traces();
        let differences = after.differences(before);
        assert!(differences.is_empty(), "{call} changed {differences:?}");
    }
}

/// The content of all files, but for the databases': opening one may write to it.
fn collect(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            files.insert(path.display().to_string(), content);
        } else if path.is_dir() && path.file_name().is_some_and(|name| name != "db") {
            collect(&path, files);
        }
    }
}
