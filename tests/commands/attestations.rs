//! `ambit attest` and `ambit issuer`: what is said of whom, by whom, and whether it counts now.

use super::{NAME, Pair};
use crate::support::{Ambit, Folder, Home, MAP, Party, agree, text};
use serde_json::Value;

const UNTIL: &str = "2199-01-01T00:00:00Z";

#[track_caller]
fn refused(home: &Home, arguments: &[&str], code: i32, words: &[&str]) {
    let output = Ambit::call(home, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    let call = format!("ambit {}", arguments.join(" "));
    assert_eq!(output.status.code(), Some(code), "{call}: {told}");
    for word in words {
        assert!(told.contains(word), "{call}: no `{word}` in: {told}");
    }
}

fn states(home: &Home) -> Vec<String> {
    let listed = Ambit::json(home, &["attest", "list"]);
    let state = |attested: &Value| attested["now"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(state).collect()
}

/// The root fingerprint by itself.
fn root(party: &Party) -> String {
    party.fingerprint().split_once('=').unwrap().1.to_owned()
}

#[test]
fn an_attestation_is_signed_listed_handed_over_and_ended() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let of = customer.id.as_str();
    let path = |name: &str| pair.folder.path().join(name);
    let attest = ["attest", of, "--as", "ddtc-registered", "--number", "M-1"];
    for (more, code, words) in [
        (
            &["--until", "2026-01-01T00:00:00Z"][..],
            2,
            &[
                "would end at 2026-01-01T00:00:00Z",
                "nothing was signed",
                "later --until",
            ][..],
        ),
        (&["--end"], 5, &["attested no such thing", " attest list`"]),
    ] {
        refused(&supplier.home, &[&attest[..], more].concat(), code, words);
    }
    let nobody = [
        "attest",
        "did:web:nobody.example",
        "--as",
        "iso27001",
        "--until",
        UNTIL,
    ];
    let words = ["`did:web:nobody.example`", " partner list`"];
    refused(&supplier.home, &nobody, 5, &words);
    let listed = Ambit::text(&supplier.home, &["attest", "--output", "json", "list"]);
    assert_eq!(listed, "[]\n");
    let own = ["attest", &supplier.id, "--as", "iso27001", "--until", UNTIL];
    refused(&supplier.home, &own, 2, &["your own organization", "claim"]);

    let (first, second) = (path("first.txt"), path("second.txt"));
    let signed = |file| {
        let more = ["--until", UNTIL, "-o", text(file)];
        Ambit::text(&supplier.home, &[&attest[..], &more].concat())
    };
    assert!(signed(&first).contains("in force"));
    signed(&second);
    let licence = [
        "attest",
        of,
        "--as",
        "export-licence",
        "--number",
        "D-1",
        "--until",
        UNTIL,
        "--regime",
        "ear",
        "--authority",
        "did:web:bis.example",
        "--item",
        "9E003",
        "--destination",
        "DE",
    ];
    for (authority, told) in [
        ("x y", "the id `x y` has white space"),
        ("bpn:", "the id `bpn:` is a scheme without a name"),
    ] {
        let licence = licence.map(|word| match word {
            "did:web:bis.example" => authority,
            word => word,
        });
        let words = ["the authority is not named", told];
        refused(&supplier.home, &licence, 2, &words);
    }
    let shown = Ambit::text(&supplier.home, &licence);
    assert!(
        shown.contains("ear D-1 of did:web:bis.example: 9E003 to DE"),
        "{shown}"
    );
    // The second replaced the first, which is of the same number.
    assert_eq!(states(&supplier.home), ["in-force", "in-force"]);

    let take = |file| ["attest", "--file", text(file)];
    let card = customer.card();
    let words = [text(card), "an identity card", "an attestation is needed"];
    refused(&customer.home, &take(card), 1, &words);
    let words = ["failed to take in", text(&second)];
    refused(&customer.home, &take(&second), 4, &words);
    let words = [
        "issued by `did:web:supplier.example`, whose root is not pinned",
        "hint: ",
        " issuer pin CARD --fingerprint 'did:web:supplier.example=HEX'`",
    ];
    refused(&customer.home, &take(&first), 4, &words);
    let card = text(supplier.card());
    let swapped = format!("{}={}", supplier.id, root(customer));
    let right = supplier.fingerprint();
    for (card, told, code, words) in [
        (card, &*swapped, 4, "is not the one it told you"),
        (
            text(customer.card()),
            &*right,
            2,
            "the card is of `did:web:customer.example`",
        ),
    ] {
        let arguments = ["issuer", "pin", card, "--fingerprint", told];
        refused(&customer.home, &arguments, code, &[words]);
    }
    // Nobody is there to be asked.
    let words = ["--fingerprint 'did:web:supplier.example=HEX'"];
    refused(&customer.home, &["issuer", "pin", card], 2, &words);
    Ambit::text(
        &customer.home,
        &["issuer", "pin", card, "--fingerprint", &right],
    );
    Ambit::text(&customer.home, &take(&second));
    assert_eq!(states(&customer.home), ["in-force"]);
    let words = ["a later one of the same number stands"];
    refused(&customer.home, &take(&first), 1, &words);

    let words = ["an identity card, but an attestation is needed"];
    refused(&customer.home, &["attest", "--file", card], 1, &words);
    let altered = path("altered.txt");
    let good = std::fs::read_to_string(&first).unwrap();
    let last = good.lines().rev().nth(1).unwrap();
    let swapped = if last.starts_with('A') { "B" } else { "A" };
    let forged = good.replace(last, &format!("{swapped}{}", &last[1..]));
    std::fs::write(&altered, forged).unwrap();
    refused(&customer.home, &take(&altered), 4, &["cannot be relied on"]);

    // A licence counts by what it allows, which its end no longer says.
    let ended = path("ended.txt");
    let end = ["--end", "-o", text(&ended)];
    let end = [&licence[..6], &end].concat();
    for (home, arguments) in [(&supplier.home, &end[..]), (&customer.home, &take(&ended))] {
        let output = Ambit::call(home, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        assert!(!told.contains("it changes nothing"), "{told}");
    }
    assert_eq!(states(&customer.home), ["in-force", "ended"]);

    let unpin = ["issuer", "unpin", &supplier.id];
    Ambit::text(&customer.home, &unpin);
    assert_eq!(states(&customer.home), ["issuer-not-pinned"; 2]);
    refused(&customer.home, &unpin, 5, &[" issuer list`"]);
    Ambit::text(&supplier.home, &[&attest[..], &["--end"]].concat());
    let mut states = states(&supplier.home);
    states.sort();
    assert_eq!(states, ["ended", "ended"]);
}

/// The words of README's example of a licence, for this customer.
fn licence_of_readme(customer: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let example = readme
        .lines()
        .skip_while(|line| !line.contains("--as export-licence"));
    let example: Vec<&str> = example.take(2).collect();
    let example = example.join(" ").replace('\\', " ");
    let words = example.split_whitespace().skip(1);
    let words: Vec<String> = words
        .take_while(|word| *word != "-o")
        .map(|word| word.replace("did:web:customer.example", customer))
        .map(|word| word.replace("2027-03-31", "2199-03-31"))
        .collect();
    assert_eq!(words.last().map(String::as_str), Some("SG"), "{words:?}");
    words
}

#[test]
fn the_licence_of_the_example_lets_across_what_is_withheld_without_it() {
    let folder = Folder::new();
    let supplier = Party::new(&folder, "supplier");
    let customer = Party::with(&folder, "customer", &["--country", "SG"]);
    agree(&folder, NAME, &customer, &supplier);
    let path = |name: &str| folder.path().join(name);
    let (rows, map) = (path("a.csv"), path("a.toml"));
    std::fs::write(&rows, super::ROWS).unwrap();
    let controlled = "eccn = \"9E003\", licence = \"D1234567\"";
    std::fs::write(&map, MAP.replace("eccn = \"EAR99\"", controlled)).unwrap();
    let home = &supplier.home;
    let output = Ambit::call(home, &["import", text(&rows), "--map", text(&map)]);
    let told = String::from_utf8(output.stderr).unwrap();
    // What is withheld names what to ask next, and that names what is missing.
    let next = told.split("why ").nth(1).unwrap_or_default();
    let id = next.split(' ').next().unwrap();
    assert!(
        told.contains(&format!(" why {id} --to {}`", customer.id)),
        "{told}"
    );
    let output = Ambit::call(home, &["why", id, "--to", &customer.id]);
    let told = String::from_utf8(output.stderr).unwrap();
    let missing = format!(
        " attest {} --as export-licence --number D1234567 ",
        customer.id
    );
    assert!(told.contains(&missing), "{told}");
    let released = || Ambit::json(home, &["status"])["pairs"][0]["released"].clone();
    assert_eq!(released(), 0);
    let licence = licence_of_readme(&customer.id);
    let licence: Vec<&str> = licence.iter().map(String::as_str).collect();
    Ambit::text(home, &licence);
    assert_eq!(released(), 2);
}
