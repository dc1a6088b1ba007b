//! An organization whose node may be killed, and what was seen of its ledger so far.

use crate::support::{Ambit, Folder, Party, Running};
use std::collections::BTreeMap;
use std::process::{Child, Stdio};

/// An observation as a list gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    id: String,
    entry: u64,
}

/// An organization, its node, and what was seen of its ledger so far.
pub struct Peer {
    pub party: Party,
    node: Option<Running>,
    /// By serial number. Once seen, an observation stays what and where it is.
    pub seen: BTreeMap<String, Listed>,
    /// Sizes and roots. Each is of a beginning of the ledger as it ends up.
    pub heads: Vec<(u64, String)>,
    /// How often a start found an unfinished group and took it back.
    pub taken_back: u64,
}

impl Peer {
    pub fn new(folder: &Folder, name: &str) -> Self {
        Self {
            party: Party::new(folder, name),
            node: None,
            seen: BTreeMap::new(),
            heads: Vec::new(),
            taken_back: 0,
        }
    }

    /// Starts the node where none runs.
    #[track_caller]
    pub fn start(&mut self) {
        if self.node.is_none() {
            let node = Ambit::run(&self.party.home);
            self.taken_back += u64::from(node.stderr().contains("taking back"));
            self.node = Some(node);
        }
    }

    pub fn kill(&mut self) {
        if let Some(node) = self.node.take() {
            node.kill();
        }
    }

    /// Sets off a command and does not wait for it.
    pub fn set_off(&self, arguments: &[&str]) -> Child {
        let mut command = Ambit::command(&self.party.home);
        let command = command.args(arguments).stdout(Stdio::null());
        command.stderr(Stdio::null()).spawn().unwrap()
    }

    /// Compares with what was seen before.
    #[track_caller]
    pub fn check(&mut self) {
        let mut found = BTreeMap::new();
        for item in Ambit::json(&self.party.home, &["list"]).as_array().unwrap() {
            let serial = item["serial"].as_str().unwrap().to_owned();
            let listed = Listed {
                id: item["id"].as_str().unwrap().to_owned(),
                entry: item["entry"].as_u64().unwrap(),
            };
            let twice = found.insert(serial, listed);
            assert_eq!(twice, None, "{item} is there twice");
        }
        for (serial, listed) in &self.seen {
            let id = &self.party.id;
            assert_eq!(found.get(serial), Some(listed), "{serial} of {id}");
        }
        self.seen = found;
        self.heads.push(self.party.ledger());
    }

    pub fn ids(&self) -> BTreeMap<&str, &str> {
        let seen = self.seen.iter();
        seen.map(|(serial, listed)| (serial.as_str(), listed.id.as_str()))
            .collect()
    }
}
