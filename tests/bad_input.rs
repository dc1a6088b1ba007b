//! What is wrong is refused: with the exit code that scripts rely on, with words that say how to mend it, and with
//! nothing changed.

mod agreements;
mod files;
mod homes;
mod observations;

use crate::support::{Ambit, Folder, Home, Party};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Some organizations in a folder of their own.
struct Scene {
    folder: Folder,
    parties: Vec<Party>,
}

/// All that a command could have changed: files beside the databases, and ledgers where they can be read.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    files: BTreeMap<PathBuf, Vec<u8>>,
    ledgers: Vec<Option<String>>,
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
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        let ledger = |party: &Party| {
            let output = Ambit::call(&party.home, &["status", "--output", "json"]);
            output.status.success().then(|| stdout(&output))
        };
        Traces {
            files,
            ledgers: self.parties.iter().map(ledger).collect(),
        }
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
        assert_eq!(self.traces(), before, "{call} left something");
    }
}

/// The content of all files, but for the databases': opening one may write to it.
fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            files.insert(path, content);
        } else if path.file_name().is_some_and(|name| name != "db") {
            collect(&path, files);
        }
    }
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}
