//! Organizations with homes of their own, and agreements between them.

use super::{Ambit, Folder, Home};
use std::path::{Path, PathBuf};

/// The column that [`MAP`] lacks: a text as long as a test wants it.
pub const NOTE_COLUMN: &str = r#"
[[column]]
name = "note"
path = "Note"
value_type = "xs:string"
"#;

/// The map of a file of results: a time, a serial number, a program of the customer, a diameter.
pub const MAP: &str = r#"delimiter = ","

[time]
column = "t"
zone = "in-value"

[facts]
source = "cmm-1"
submodel = "urn:supplier.example:submodel:1"
semantic_id = "urn:supplier.example:semantic:1"
part = { assigner = "did:web:customer.example", value = "PLATE-1" }
data_class = "inspection-result"
trade_secret = false
export_control = { determined = true, itar = false, eccn = "EAR99" }

[facts_columns]
serial = "serial"
program = { column = "program", assigner = "did:web:customer.example" }

[[column]]
name = "d"
path = "Diameter"
value_type = "xs:double"
"#;

/// One organization: its id, its home, and what others learn of its keys.
#[derive(Debug)]
pub struct Party {
    pub id: String,
    pub home: Home,
    root: String,
    card: PathBuf,
}

impl Party {
    /// Makes the home of `did:web:NAME.example`, and writes its identity card beside it.
    #[track_caller]
    pub fn new(folder: &Folder, name: &str) -> Self {
        Self::with(folder, name, &[])
    }

    /// As [`Party::new`], with more arguments for `init`.
    #[track_caller]
    pub fn with(folder: &Folder, name: &str, more: &[&str]) -> Self {
        let id = format!("did:web:{name}.example");
        let home = folder.home(name);
        let init = ["init", "--org", &id, "--name", name];
        let country: &[&str] = match more.contains(&"--country") {
            true => &[],
            false => &["--country", "DE"],
        };
        let made = Ambit::json(&home, &[&init[..], country, more].concat());
        let card = folder.path().join(format!("{name}.card"));
        Ambit::text(&home, &["key", "card", "-o", text(&card)]);
        Self {
            root: made["root_key"].as_str().unwrap().to_owned(),
            id,
            home,
            card,
        }
    }

    /// What others give as `--fingerprint` once they have compared it.
    pub fn fingerprint(&self) -> String {
        format!("{}={}", self.id, self.root)
    }

    /// Its identity card.
    pub fn card(&self) -> &Path {
        &self.card
    }

    /// How many entries its ledger has, and their root.
    #[track_caller]
    pub fn ledger(&self) -> (u64, String) {
        let status = Ambit::json(&self.home, &["status"]);
        let tree_root = status["tree_root"].as_str().unwrap().to_owned();
        (status["ledger_size"].as_u64().unwrap(), tree_root)
    }
}

/// A declaration of quality data from 2026, in which one other member is named by its card.
pub fn declaration(partnership: &str, other: &Party) -> String {
    format!(
        r#"partnership = "{partnership}"
title = "Quality of deliveries"
program = "F-ONE"
data_classes = ["quality"]
purposes = ["urn:ambit:purpose:supplier-quality"]
observed_from = "2026-01-01T00:00:00Z"
observed_until = "2027-01-01T00:00:00Z"
until = "2199-01-01T00:00:00Z"
retention_days = 30
onward_hops = 0

[[member]]
card = '{}'
"#,
        text(other.card())
    )
}

/// One member declares, and nothing more: returns where the invitation is.
#[track_caller]
pub fn invite(folder: &Folder, partnership: &str, declarer: &Party, other: &Party) -> PathBuf {
    let name = partnership.replace('/', "-");
    let file = folder.path().join(format!("{name}.toml"));
    let invitation = folder.path().join(format!("{name}.invitation"));
    std::fs::write(&file, declaration(partnership, other)).unwrap();
    let declare = ["partner", "declare", text(&file), "-o", text(&invitation)];
    let fingerprint = other.fingerprint();
    let compared = ["--fingerprint", fingerprint.as_str()];
    Ambit::text(&declarer.home, &[&declare[..], &compared].concat());
    invitation
}

/// Both sign, by files alone.
#[track_caller]
pub fn agree(folder: &Folder, partnership: &str, declarer: &Party, other: &Party) {
    let invitation = invite(folder, partnership, declarer, other);
    let acceptance = invitation.with_extension("acceptance");
    let fingerprint = declarer.fingerprint();
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let compared = ["--fingerprint", fingerprint.as_str()];
    let out = ["-o", text(&acceptance)];
    Ambit::text(&other.home, &[&accept[..], &compared, &out].concat());
    Ambit::text(&declarer.home, &["partner", "accept", text(&acceptance)]);
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
