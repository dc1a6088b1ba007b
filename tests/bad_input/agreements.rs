//! Declarations, invitations and what is compared before signing.

use super::Scene;
use crate::support::{Ambit, LIMIT, Party, agree, declaration, invite, wait_until};
use ambit_ledger::Time;
use ambit_node::clock;

const NAME: &str = "a/b/quality";

#[test]
fn declarations_with_mistakes_are_refused() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    let good = declaration(NAME, b);
    let fingerprint = b.fingerprint();
    let cases: [(&str, &str, i32, &[&str]); 11] = [
        (
            "purpose:supplier",
            "purpose:suplier",
            1,
            &[
                "unknown purpose `urn:ambit:purpose:suplier-quality`",
                "did you mean `urn:ambit:purpose:supplier-quality`",
            ],
        ),
        (
            "\"quality\"",
            "\"qualty\"",
            1,
            &["unknown data class `qualty`", "did you mean `quality`"],
        ),
        (
            "title",
            "titel",
            1,
            &[
                "declaration.toml",
                "line 2, column 1",
                "unknown field `titel`",
                "`title`",
            ],
        ),
        (
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:30Z",
            1,
            &["2026-01-01T00:00:30Z", "no whole minute"],
        ),
        (
            "2027-01-01T00:00:00Z",
            "2025-01-01T00:00:00Z",
            1,
            &["window of observed time is empty", "must end after"],
        ),
        (
            "2199-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            1,
            &[
                "`until` is 2020-01-01T00:00:00Z, which has passed",
                "choose a later",
            ],
        ),
        ("b.card", "c.card", 5, &["failed to read", "c.card"]),
        (
            "b.card",
            "declaration.toml",
            1,
            &["no line `-----BEGIN AMBIT IDENTITY CARD-----`"],
        ),
        (
            "b.card",
            "a.card",
            2,
            &["`did:web:b.example`", "none of the other"],
        ),
        (
            "onward_hops = 0",
            "onward_hops = 0\nforbids = \"forbid (\"",
            1,
            &["hand-written rules", "line 1, column 9"],
        ),
        ("\"F-ONE\"", "1", 1, &["line 3", "assigner = "]),
    ];
    for (from, to, code, words) in cases {
        assert!(good.contains(from), "{from}");
        let file = scene.file("declaration.toml", &good.replace(from, to));
        let out = scene.path("invitation.txt");
        let arguments = ["partner", "declare", &file, "-o", &out];
        let arguments = [&arguments[..], &["--fingerprint", &fingerprint]].concat();
        scene.refused(&a.home, &arguments, code, words);
    }
    let alone = good.split("[[member]]").next().unwrap();
    let alone = scene.file("declaration.toml", alone);
    let words = ["no other member", "add `[[member]]`"];
    scene.refused(&a.home, &["partner", "declare", &alone], 1, &words);
}

#[test]
fn fingerprints_are_compared_before_anything_is_signed() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    let file = scene.file("declaration.toml", &declaration(NAME, b));
    let wrong = |party: &Party, other: &Party| {
        let root = other.fingerprint();
        format!("{}={}", party.id, root.split_once('=').unwrap().1)
    };
    let missing = ["was not compared", "--fingerprint 'did:web:"];
    let differs = ["is not the one it told you", "nothing was signed"];
    let short = format!("{}=12", b.id);
    let declare = ["partner", "declare", &file];
    scene.refused(&a.home, &declare, 2, &missing);
    for (given, code, words) in [
        (wrong(b, a), 4, &differs[..]),
        (short, 2, &["64 hexadecimal digits"]),
    ] {
        let arguments = [&declare[..], &["--fingerprint", &given]].concat();
        scene.refused(&a.home, &arguments, code, words);
    }

    let invitation = invite(&scene.folder, NAME, a, b);
    let accept = ["partner", "accept", invitation.to_str().unwrap()];
    let unread = ["nobody can be asked to sign here", "give --yes"];
    scene.refused(&b.home, &accept, 2, &unread);
    let accept = [&accept[..], &["--yes"]].concat();
    scene.refused(&b.home, &accept, 2, &missing);
    let given = wrong(a, b);
    let arguments = [&accept[..], &["--fingerprint", &given]].concat();
    scene.refused(&b.home, &arguments, 4, &differs);
    let stranger = wrong(b, b);
    let arguments = [&accept[..], &["--fingerprint", &stranger]].concat();
    let words = format!("none of the other members: give one for each of `{}`", a.id);
    scene.refused(&b.home, &arguments, 2, &[&words]);
}

#[test]
fn only_whole_invitations_for_this_node_are_accepted() {
    let scene = Scene::of(&["a", "b", "c"]);
    let [a, b, c] = &scene.parties[..] else {
        panic!("three were made")
    };
    let invitation = invite(&scene.folder, NAME, a, b);
    let good = std::fs::read_to_string(&invitation).unwrap();
    let fingerprint = a.fingerprint();
    let compared = ["--yes", "--fingerprint", fingerprint.as_str()];
    let card = std::fs::read_to_string(a.card()).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let body = &lines[1..lines.len() - 1];
    // The last bytes are the declarer's signature.
    let last = body.last().unwrap();
    let swapped = if last.starts_with('A') { "B" } else { "A" };
    let forged = good.replace(last, &format!("{swapped}{}", &last[1..]));
    let cases: [(String, i32, &[&str]); 7] = [
        (
            card,
            1,
            &["an identity card, but an invitation", "is needed"],
        ),
        (
            good[..good.len() / 2].to_owned(),
            1,
            &["was cut off", "ask for it again"],
        ),
        (
            good.replacen(body[3], &body[3].replacen(&body[3][..1], "!", 1), 1),
            1,
            &["line 5 is not base64", "ask for it again"],
        ),
        (good.replacen(body[3], "", 1), 4, &["ask for it again"]),
        // One digit of the armor, within the terms.
        (
            good.replacen(body[9], &other_digit(body[9]), 1),
            4,
            &["ask for it again"],
        ),
        (format!("{good}{good}"), 1, &["second block", "leave only"]),
        (forged, 4, &["cannot be relied on"]),
    ];
    for (text, code, words) in cases {
        let file = scene.file("bad.invitation", &text);
        let arguments = [&["partner", "accept", &file][..], &compared].concat();
        scene.refused(&b.home, &arguments, code, words);
    }
    let file = invitation.to_str().unwrap();
    let words = ["it is not among the members", " key card"];
    let arguments = [&["partner", "accept", file][..], &compared].concat();
    scene.refused(&c.home, &arguments, 6, &words);
    let decline = ["partner", "decline", file, "--reason", "not ours"];
    scene.refused(&c.home, &decline, 6, &words);
    let missing = scene.path("missing.invitation");
    let accept = ["partner", "accept", &missing];
    scene.refused(&b.home, &accept, 5, &["missing.invitation"]);
    let invite = ["partner", "invite", "a/b/nothing"];
    scene.refused(&a.home, &invite, 5, &[" partner list"]);
}

/// The line with another first digit.
fn other_digit(line: &str) -> String {
    let digit = if line.starts_with('B') { 'C' } else { 'B' };
    format!("{digit}{}", &line[1..])
}

#[test]
fn what_is_over_is_not_accepted() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    let seconds = clock::now().as_millis() / 1_000 + 3;
    let end = Time::from_millis(seconds * 1_000).unwrap();
    let text = declaration(NAME, b).replace("2199-01-01T00:00:00Z", &end.to_string());
    let file = scene.file("declaration.toml", &text);
    let invitation = scene.path("a.invitation");
    let fingerprint = b.fingerprint();
    let declare = ["partner", "declare", &file, "-o", &invitation];
    let compared = ["--fingerprint", &fingerprint];
    Ambit::text(&a.home, &[&declare[..], &compared].concat());
    wait_until(LIMIT, "the agreement to end", || end <= clock::now());

    let fingerprint = a.fingerprint();
    let accept = ["partner", "accept", &invitation, "--yes"];
    let compared = [&accept[..], &["--fingerprint", &fingerprint]].concat();
    let ended = format!("`{NAME}` ended at {end}");
    let words = ["DO NOT SIGN", &ended, "nothing was signed", "ends later"];
    for arguments in [&compared[..], &accept] {
        scene.refused(&b.home, arguments, 1, &words[1..]);
        let shown = Ambit::call(&b.home, arguments).stdout;
        assert!(String::from_utf8(shown).unwrap().contains(words[0]));
    }
    scene.refused(&a.home, &["partner", "invite", NAME], 1, &[&ended]);
    // To decline it does no harm, and is remembered.
    let decline = ["partner", "decline", &invitation, "--reason", "too late"];
    Ambit::text(&b.home, &decline);
    let listed = Ambit::text(&b.home, &["partner", "list"]);
    assert!(listed.contains(NAME) && listed.contains("declined (did:web:b.example: too late)"));
    let again = ["was declined by `did:web:b.example`: too late"];
    scene.refused(&b.home, &compared, 1, &again);
}

#[test]
fn settings_that_the_members_did_not_sign_are_told() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    agree(&scene.folder, NAME, a, b);
    let settings = b.home.path().join("node.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let told = |arguments: &[&str]| {
        let told = Ambit::call(&b.home, arguments);
        assert!(told.status.success());
        String::from_utf8(told.stderr).unwrap()
    };
    assert!(!told(&["status"]).contains("in node.toml"));
    let changed = text.replace("hosting = [\"DE\"]", "hosting = [\"US\"]");
    assert_ne!(changed, text);
    std::fs::write(&settings, changed).unwrap();
    let words = [
        NAME,
        "hosting is DE in the agreement, US in node.toml",
        "the members go by what they signed",
        " key card`",
    ];
    for arguments in [&["status"][..], &["partner", "list"]] {
        let told = told(arguments);
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
    let json = Ambit::json(&b.home, &["partner", "list"]);
    assert_eq!(json[0]["differs"][0]["what"], "hosting");
    let running = Ambit::run(&b.home);
    wait_until(LIMIT, "the node to say it", || {
        let told = running.stderr();
        words.iter().all(|word| told.contains(word))
    });
}

#[test]
fn what_is_agreed_once_is_not_agreed_again() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    let invitation = invite(&scene.folder, NAME, a, b);
    let invitation = invitation.to_str().unwrap();
    let file = scene.file("declaration.toml", &declaration(NAME, b));
    let fingerprint = b.fingerprint();
    let declare = ["partner", "declare", &file, "--fingerprint", &fingerprint];
    let words = [
        "`a/b/quality` is known here already",
        " partner invite a/b/quality",
    ];
    scene.refused(&a.home, &declare, 1, &words);

    let fingerprint = a.fingerprint();
    let compared = ["--yes", "--fingerprint", fingerprint.as_str()];
    let accept = [&["partner", "accept", invitation][..], &compared].concat();
    Ambit::text(&b.home, &accept);
    // Again, it says the same and changes nothing.
    let before = scene.traces();
    let again = Ambit::text(&b.home, &["partner", "accept", invitation]);
    assert!(again.contains("active"), "{again}");
    Ambit::text(&b.home, &accept);
    scene.unchanged_since(&before, "accepting again");
    let decline = ["partner", "decline", invitation, "--reason", "too late"];
    let words = ["has signed `a/b/quality` already", "it ends at its end"];
    scene.refused(&b.home, &decline, 1, &words);

    // Another proposal under the name of one that is signed is not that one.
    let c = Party::new(&scene.folder, "c");
    let other = invite(&scene.folder, NAME, &c, b);
    let decline = [
        "partner",
        "decline",
        other.to_str().unwrap(),
        "--reason",
        "no",
    ];
    let words = ["already is a partnership `a/b/quality` with other terms"];
    scene.refused(&b.home, &decline, 1, &words);
}
