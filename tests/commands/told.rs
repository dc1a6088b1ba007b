//! What commands say of what is not there, was left out, or was declined.

use super::{NAME, Pair, partnership};
use crate::support::{Ambit, Home, Party, agree, declaration, text};
use ambit_audit::{AuditVerdict, Bundle, Trust, verify};
use serde_json::Value;

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

#[test]
fn an_invitation_of_what_was_declined_says_so_to_whoever_takes_it_in() {
    let pair = Pair::new();
    let third = Party::new(&pair.folder, "third");
    let (supplier, customer) = (&pair.supplier, &pair.customer);
    let path = |name: &str| pair.folder.path().join(name);
    let (file, invitation, answer) = (path("d.toml"), path("i.txt"), path("answer.txt"));
    let card = format!("\n[[member]]\ncard = '{}'\n", text(third.card()));
    std::fs::write(&file, declaration(NAME, supplier) + &card).unwrap();
    let prints = [supplier, &third, customer].map(Party::fingerprint);
    let declare = ["partner", "declare", text(&file), "-o", text(&invitation)];
    let compared = ["--fingerprint", &prints[0], "--fingerprint", &prints[1]];
    Ambit::text(&customer.home, &[&declare[..], &compared].concat());
    let decline = |reason: &str| {
        let decline = ["partner", "decline", text(&invitation), "--reason", reason];
        let output = Ambit::call(
            &supplier.home,
            &[&decline[..], &["-o", text(&answer)]].concat(),
        );
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(decline("no capacity").contains("declined `customer/supplier/quality`: hand"));
    let again = decline("another");
    let stands = "was declined before, and what was said first stands: no capacity";
    assert!(again.contains(stands), "{again}");

    // As the decliner writes it, who knows of no signature, the declarer takes it in.
    let of = |home: &Home, name: &str| {
        let out = path(name);
        let output = Ambit::call(home, &["partner", "invite", NAME, "-o", text(&out)]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        let declined = "was declined by `did:web:supplier.example`: no capacity";
        assert!(told.contains(declined), "{told}");
        out
    };
    let declined = of(&supplier.home, "by-supplier.txt");
    let taken = Ambit::text(&customer.home, &["partner", "accept", text(&declined)]);
    assert!(taken.contains("declined"), "{taken}");
    assert_eq!(partnership(&customer.home, NAME)["state"], "declined");

    // As the declarer writes it then, nobody signs it who did not know of it.
    let declined = of(&customer.home, "by-customer.txt");
    let accept = ["partner", "accept", text(&declined), "--yes"];
    let compared = ["--fingerprint", &prints[0], "--fingerprint", &prints[2]];
    let accept = [&accept[..], &compared].concat();
    let words = ["was declined by `did:web:supplier.example`: no capacity"];
    refused(&third.home, &accept, 1, &words);
    assert_eq!(
        Ambit::json(&third.home, &["partner", "list"]),
        Value::Array(vec![])
    );

    // Who signed it before learns of it.
    let invited = ["partner", "accept", text(&invitation), "--yes"];
    Ambit::text(&third.home, &[&invited[..], &compared].concat());
    Ambit::text(&third.home, &["partner", "accept", text(&declined)]);
    assert_eq!(partnership(&third.home, NAME)["state"], "declined");
    let written = Ambit::json(&third.home, &["partner", "invite", NAME]);
    assert_eq!(written["declined"]["reason"], "no capacity");
    let mut trust = pair.trust();
    trust.merge(Trust::parse(&Ambit::text(&third.home, &["key", "trust"])).unwrap());
    for (party, name) in [(supplier, "s"), (customer, "c"), (&third, "t")] {
        let bundle = Bundle::read(&pair.bundle(party, name)[..]).unwrap();
        let verified = verify(&bundle, &trust);
        assert_eq!(verified.verdict(), AuditVerdict::Verified, "{verified:?}");
    }
}

#[test]
fn who_observed_a_submodel_is_named_to_whoever_asks_for_another() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    pair.import();
    let home = &pair.supplier.home;
    let of = |submodel, origin| ["get", "--submodel", submodel, "--origin", origin];
    let words = [
        "no observation of the submodel `urn:supplier.example:submodel:1` that is held here is of \
         `did:web:customer.example`",
        "there are some of `did:web:supplier.example`",
    ];
    let asked = of(super::SUBMODEL, "did:web:customer.example");
    refused(home, &asked, 5, &words);
    let asked = of("urn:none", "did:web:customer.example");
    refused(
        home,
        &asked,
        5,
        &["no observation of the submodel `urn:none`"],
    );
    let asked = of(super::SUBMODEL, "did:web:custmer.example");
    refused(
        home,
        &asked,
        5,
        &["did you mean `did:web:customer.example`"],
    );
    refused(home, &["list", "--limit", "0"], 2, &["a number from 1"]);
}

#[test]
fn what_an_observation_leaves_out_is_said() {
    let pair = Pair::new();
    let home = &pair.supplier.home;
    let observe = |elements: &str| {
        let path = pair.folder.path().join("submodel.json");
        let submodel = format!(
            r#"{{"modelType": "Submodel", "id": "urn:a", "idShort": "A", "submodelElements": [{elements}]}}"#
        );
        std::fs::write(&path, submodel).unwrap();
        let facts = [
            "source=s",
            "semantic_id=i",
            "trade_secret=false",
            "data_class=condition",
        ];
        let facts = facts.iter().flat_map(|fact| ["--fact", fact]);
        let observe = ["observe", text(&path), "--output", "json"];
        Ambit::call(home, &observe.into_iter().chain(facts).collect::<Vec<_>>())
    };
    let capability = r#"{"modelType": "Capability", "idShort": "Mill"}"#;
    let left_out = "`Mill` (Capability): elements of this kind hold no reading";
    let output = observe(capability);
    assert_eq!(output.status.code(), Some(1));
    let failure: Value = serde_json::from_slice(&output.stderr).unwrap();
    let message = failure["message"].as_str().unwrap();
    assert!(
        message.contains("there is no value to observe"),
        "{message}"
    );
    assert!(message.contains(left_out), "{message}");

    let property =
        r#"{"modelType": "Property", "idShort": "D", "valueType": "xs:double", "value": "1.5"}"#;
    let output = observe(&format!("{capability}, {property}"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["left_out"], Value::from(vec![left_out]));
    assert_eq!(answer["observed"][0]["readings"], 1);
    assert_eq!(answer["uncertain"], Value::from(Vec::<Value>::new()));

    let output = observe(&property.replace("1.5", "x1.5"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let uncertain = r#"`D`: "x1.5" is no xs:double"#;
    assert_eq!(answer["uncertain"], Value::from(vec![uncertain]));
    let line = format!("kept as uncertain: {uncertain}\n");
    assert!(told.contains(&line), "{told}");
}

#[test]
fn a_card_that_lets_nobody_call_is_told_where_it_is_made_and_declared() {
    let pair = Pair::new();
    let told = |home: &Home, arguments: &[&str]| {
        let output = Ambit::call(home, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        told
    };
    let near = told(&pair.supplier.home, &["key", "card"]);
    assert!(near.contains("addresses of this machine alone"), "{near}");
    let apart = |name: &str| {
        let org = format!("did:web:{name}.example");
        let init = ["init", "--org", &org, "--name", name, "--country", "DE"];
        let home = pair.folder.home(name);
        let listen = [
            "--listen",
            "/ip4/0.0.0.0/tcp/4001",
            "--listen",
            "/ip6/::/tcp/1",
        ];
        let made = told(&home, &[&init[..], &listen].concat());
        let card = told(&home, &["key", "card"]);
        for told in [made, card] {
            assert!(
                told.contains("the identity card names no address"),
                "{told}"
            );
            assert!(told.contains("announce = [\"/ip4/"), "{told}");
        }
    };
    apart("bare");
    let listen = ["--listen", "/ip4/0.0.0.0/tcp/4001"];
    let (one, two) = (
        Party::with(&pair.folder, "one", &listen),
        Party::with(&pair.folder, "two", &listen),
    );
    let file = pair.folder.path().join("apart.toml");
    let never =
        "the nodes of did:web:one.example, did:web:two.example never connect with each other";
    for (name, other, is_told) in [("apart", &two, true), ("near", &pair.supplier, false)] {
        std::fs::write(&file, declaration(name, other)).unwrap();
        let declare = ["partner", "declare", text(&file), "--fingerprint"];
        let told = told(&one.home, &[&declare[..], &[&other.fingerprint()]].concat());
        assert_eq!(told.contains(never), is_told, "{told}");
    }
}

#[test]
fn a_proposed_map_is_json_where_that_is_asked_for() {
    let pair = Pair::new();
    let propose = ["import", text(&pair.rows), "--propose-map"];
    let map = Ambit::text(&pair.supplier.home, &propose);
    let proposed = Ambit::json(&pair.supplier.home, &propose);
    assert_eq!(proposed["map"], Value::from(map.clone()));
    for one in proposed["to_set"].as_array().unwrap() {
        let line = usize::try_from(one["line"].as_u64().unwrap()).unwrap();
        assert_eq!(one["text"], map.lines().nth(line - 1).unwrap());
    }
    let out = pair.folder.path().join("proposed.toml");
    let written = Ambit::json(
        &pair.supplier.home,
        &[&propose[..], &["-o", text(&out)]].concat(),
    );
    assert_eq!(written["map"], std::fs::read_to_string(&out).unwrap());
}
