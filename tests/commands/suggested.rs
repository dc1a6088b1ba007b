//! Commands that are told to be copied: what strangers named stays one word of them, and is no option.

use super::Pair;
use crate::support::{Ambit, Folder, Home, MAP, Party, agree, declaration, invite, text};
use std::path::Path;
use std::process::Command;

/// What a stranger calls itself, and an agreement.
const STRANGER: &str = "x;touch${IFS}P;";
const AGREEMENT: &str = "x; touch P #";

/// All that a call wrote, whatever it ended with.
fn told(home: &Home, arguments: &[&str]) -> String {
    let output = Ambit::call(home, arguments);
    let written = [output.stdout, output.stderr].concat();
    String::from_utf8(written).unwrap()
}

/// The words that a shell makes of a text, without the first, where they are a call of `ambit`. Whatever else it would have
/// done shows in the folder, where nothing may come to be.
#[track_caller]
fn words(folder: &Path, command: &str) -> Vec<String> {
    let empty = folder.join("empty");
    let _ = std::fs::create_dir(&empty);
    let script = format!("ambit() {{ printf '%s\\n' \"$@\"; }}\n{command}\n");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&empty)
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{command}");
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0, "{command}");
    let words = String::from_utf8(output.stdout).unwrap();
    words.lines().map(str::to_owned).collect()
}

/// The words after the home of each command between backticks that begins so.
#[track_caller]
fn commands(folder: &Path, text: &str, begins: &str) -> Vec<Vec<String>> {
    let quoted = text.split('`').filter(|part| part.starts_with("ambit "));
    let found: Vec<Vec<String>> = quoted
        .map(|command| words(folder, command))
        .map(|words| match words.first() {
            Some(first) if first == "--home" => words[2..].to_vec(),
            _ => words,
        })
        .filter(|words| words.join(" ").starts_with(begins))
        .collect();
    assert!(!found.is_empty(), "no `{begins}` in: {text}");
    found
}

#[test]
fn what_strangers_named_is_one_word() {
    let folder = Folder::new();
    let supplier = Party::new(&folder, "supplier");
    // Of a country that needs a licence.
    let stranger = Party::with(&folder, STRANGER, &["--country", "SG"]);
    let of = stranger.id.as_str();
    let found = |text: &str, begins| commands(folder.path(), text, begins);

    // Its card, and its agreement.
    let pin = told(&supplier.home, &["issuer", "pin", text(stranger.card())]);
    let (_, option) = pin.trim_end().split_once("give it as ").unwrap();
    let option = words(folder.path(), &format!("ambit {option}"));
    assert_eq!(option, ["--fingerprint".to_owned(), format!("{of}=HEX")]);

    let invitation = invite(&folder, AGREEMENT, &stranger, &supplier);
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let fingerprint = stranger.fingerprint();
    let compared = ["--fingerprint", fingerprint.as_str()];
    let accepted = told(&supplier.home, &[&accept[..], &compared].concat());
    let invited = ["partner", "invite", AGREEMENT];
    assert_eq!(
        found(&accepted, "partner invite"),
        [[&invited[..], &["-o", "FILE"]].concat()]
    );
    let file = folder.path().join("again.toml");
    std::fs::write(&file, declaration(AGREEMENT, &stranger)).unwrap();
    let again = ["partner", "declare", text(&file)];
    let again = told(&supplier.home, &[&again[..], &compared].concat());
    assert_eq!(found(&again, "partner invite"), [invited]);
    let acceptance = folder.path().join("acceptance");
    let invite = [&invited[..], &["-o", text(&acceptance)]].concat();
    Ambit::text(&supplier.home, &invite);
    Ambit::text(&stranger.home, &["partner", "accept", text(&acceptance)]);

    // What does not go to it, under a licence that is named as badly.
    let rows = folder.path().join("a.csv");
    std::fs::write(
        &rows,
        "t,serial,program,d\n2026-05-01T08:00:00Z,1,F-ONE,1.5\n",
    )
    .unwrap();
    let map = folder.path().join("a.map.toml");
    let controlled = "eccn = \"9E003\", licence = \"$(touch P)\"";
    let facts = MAP.replace("eccn = \"EAR99\"", controlled);
    std::fs::write(&map, facts.replace("did:web:customer.example", of)).unwrap();
    let import = ["import", text(&rows), "--map", text(&map)];
    let imported = told(&supplier.home, &import);
    let why = found(&imported, "why").remove(0);
    assert_eq!(why[2..], ["--to", of]);
    let id = why[1].as_str();
    let grounds = told(&supplier.home, &["why", id]);
    assert_eq!(found(&grounds, "why"), [["why", id, "--to", of]]);
    let answer = told(&supplier.home, &["why", id, "--to", of]);
    let attest = found(&answer, "attest").remove(0);
    assert_eq!(attest[..2], ["attest", of]);
    let number = attest.iter().position(|word| word == "--number").unwrap();
    assert_eq!(attest[number + 1], "$(touch P)");
}

#[test]
fn what_begins_as_an_option_is_none() {
    let pair = Pair::new();
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let name = "--version";
    let invitation = invite(&pair.folder, name, customer, supplier);
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let fingerprint = customer.fingerprint();
    let compared = ["--fingerprint", fingerprint.as_str()];
    let accepted = told(&supplier.home, &[&accept[..], &compared].concat());
    let invited = commands(pair.folder.path(), &accepted, "partner invite").remove(0);
    let acceptance = pair.folder.path().join("acceptance");
    let invited = invited.iter().map(|word| match word.as_str() {
        "FILE" => text(&acceptance),
        word => word,
    });
    // As it is told, it does what it says.
    Ambit::text(&supplier.home, &invited.collect::<Vec<_>>());
    let taken = Ambit::text(&customer.home, &["partner", "accept", text(&acceptance)]);
    assert!(taken.contains("active"), "{taken}");
}

#[test]
fn harmless_names_are_told_as_they_are() {
    let pair = Pair::new();
    agree(&pair.folder, "c/s/f-1", &pair.customer, &pair.supplier);
    let file = pair.folder.path().join("again.toml");
    std::fs::write(&file, declaration("c/s/f-1", &pair.supplier)).unwrap();
    let fingerprint = pair.supplier.fingerprint();
    let again = [
        "partner",
        "declare",
        text(&file),
        "--fingerprint",
        &fingerprint,
    ];
    let again = told(&pair.customer.home, &again);
    assert!(again.contains(" partner invite c/s/f-1`"), "{again}");
    pair.import();
    let imported = told(
        &pair.supplier.home,
        &[
            "import",
            text(&pair.rows),
            "--map",
            text(&pair.map),
            "--fact",
            "source=x",
        ],
    );
    assert!(
        imported.contains(" --to did:web:customer.example`"),
        "{imported}"
    );
}
