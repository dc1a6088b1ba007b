//! Agreements whose rules say more than can be recorded: they keep back, and stop nobody.

use super::{NAME, Pair};
use crate::support::{Ambit, Party, declaration, text};
use serde_json::Value;
use std::path::PathBuf;

/// Every purpose that there is.
fn purposes() -> Vec<String> {
    let taxonomies = include_str!("../../policy/taxonomies/purposes.json");
    let taxonomies: serde_json::Map<String, Value> = serde_json::from_str(taxonomies).unwrap();
    taxonomies.into_iter().map(|(name, _)| name).collect()
}

/// So many rules that forbid everything, with long names.
fn forbids(count: usize) -> String {
    let rule = |number| {
        let id = format!("{number:0100}");
        let scope = "principal is Ambit::Party, action in Ambit::Action::\"transfer\", resource";
        format!("@id(\"{id}\") forbid ({scope});\n")
    };
    (0..count).map(rule).collect()
}

/// Writes a declaration that asks for every purpose and has these rules.
fn declare(pair: &Pair, forbids: &str) -> (PathBuf, Vec<String>) {
    let file = pair.folder.path().join("heavy.toml");
    let invitation = pair.folder.path().join("heavy.invitation");
    let purposes = format!("purposes = {:?}", purposes());
    let declared = declaration(NAME, &pair.supplier)
        .replace(
            "purposes = [\"urn:ambit:purpose:supplier-quality\"]",
            &purposes,
        )
        .replace(
            "onward_hops = 0\n",
            &format!("onward_hops = 0\nforbids = '''\n{forbids}'''\n"),
        );
    std::fs::write(&file, declared).unwrap();
    let fingerprint = pair.supplier.fingerprint();
    let words = [
        "partner",
        "declare",
        text(&file),
        "-o",
        text(&invitation),
        "--fingerprint",
        &fingerprint,
    ];
    let words = words.map(str::to_owned).to_vec();
    (invitation, words)
}

fn call(party: &Party, words: &[String]) -> std::process::Output {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ambit::call(&party.home, &words)
}

#[test]
fn rules_that_say_more_than_is_recorded_stop_nobody() {
    let pair = Pair::new();
    let (_, too_many) = declare(&pair, &forbids(65));
    let refused = call(&pair.customer, &too_many);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("65 rules") && told.contains("64 at most"),
        "{told}"
    );

    let (invitation, words) = declare(&pair, &forbids(64));
    let declared = call(&pair.customer, &words);
    assert!(declared.status.success(), "{declared:?}");
    let fingerprint = pair.customer.fingerprint();
    let accept = [
        "partner",
        "accept",
        text(&invitation),
        "--yes",
        "--fingerprint",
        &fingerprint,
    ];
    let page = Ambit::text(&pair.supplier.home, &accept).replace('\n', " ");
    assert!(
        page.contains("54 purposes") && page.contains("64 rules"),
        "{page}"
    );
    let acceptance = pair.folder.path().join("heavy.acceptance");
    Ambit::text(
        &pair.supplier.home,
        &["partner", "invite", NAME, "-o", text(&acceptance)],
    );
    Ambit::text(
        &pair.customer.home,
        &["partner", "accept", text(&acceptance)],
    );

    let imported = pair.import();
    assert_eq!(imported["recipients"][0]["withheld"], 4, "{imported}");
    let list = Ambit::json(&pair.supplier.home, &["list"]);
    let id = list[0]["id"].as_str().unwrap();
    let why = ["why", id, "--to", "did:web:customer.example"];
    let why = String::from_utf8(Ambit::call(&pair.supplier.home, &why).stdout).unwrap();
    assert!(
        why.contains("more, which are not recorded by name"),
        "{why}"
    );
    // It starts, and what it recorded is judged again with the same answer.
    Ambit::run(&pair.supplier.home).stop();
    pair.audit();
}
