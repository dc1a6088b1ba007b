//! What is looked at every day: lists, the latest values, the peers; and what shells and readers are given.

use super::{NAME, Pair, ROWS, SUBMODEL, ids};
use crate::support::{
    Ambit, Folder, Home, LIMIT, MAP, Party, agree, free_ports, invite, text, wait_until,
};
use serde_json::Value;

#[test]
fn hints_repeat_the_home_that_was_given() {
    let folder = Folder::new();
    let home = folder.home("a home");
    let given = format!("`ambit --home '{}' ", home.path().display());
    let missing = Ambit::call(&home, &["status"]);
    let told = String::from_utf8(missing.stderr).unwrap();
    assert!(told.contains(&format!("{given}init --org")), "{told}");
    assert_eq!(told.matches("--home").count(), 1, "{told}");
    let org = [
        "--org",
        "did:web:a.example",
        "--name",
        "A",
        "--country",
        "DE",
    ];
    Ambit::text(&home, &[&["init"], &org[..]].concat());
    let get = ["get", "ffffffff"];
    let hinted = format!("{given}list`");
    for arguments in [&get[..], &["get", "ffffffff", "--output", "json"]] {
        let output = Ambit::call(&home, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&hinted), "{told}");
    }
    // What the environment names holds for the next call too.
    let mut command = std::process::Command::new(Ambit::program());
    let output = command.env("AMBIT_HOME", home.path()).args(get).output();
    let told = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(told.contains("`ambit list`"), "{told}");
}

#[test]
fn a_list_is_narrowed_and_paged() {
    let pair = Pair::new();
    pair.import();
    let list = |more: &[&str]| -> Vec<Value> {
        let list = Ambit::json(&pair.supplier.home, &[&["list"], more].concat());
        list.as_array().unwrap().clone()
    };
    let serials = |more: &[&str]| -> Vec<String> {
        let items = list(more).into_iter();
        items
            .map(|item| item["serial"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(serials(&["--serial", "2"]), ["2"]);
    assert_eq!(serials(&["--program", "F-TWO"]), ["3", "4"]);
    assert_eq!(serials(&["--class", "inspection-result"]).len(), 4);
    assert_eq!(serials(&["--class", "quality"]).len(), 4);
    assert!(serials(&["--class", "condition"]).is_empty());
    // The first was observed from 08:00:00 to 08:00:30; the end of a span is not in it.
    let from = |from| ["--from", from];
    assert_eq!(serials(&from("2026-05-01T08:00:30Z")).len(), 4);
    assert_eq!(serials(&from("2026-05-01T08:00:31Z")), ["2", "3", "4"]);
    let until = ["--until", "2026-05-01T08:02:00Z"];
    assert_eq!(serials(&until), ["1", "2"]);
    let span = [&from("2026-05-01T10:01:00+02:00")[..], &until].concat();
    assert_eq!(serials(&span), ["2"]);
    assert_eq!(serials(&from("2026-05-01")).len(), 4);
    assert!(serials(&from("2026-05-02")).is_empty());
    assert!(serials(&["--until", "2026-05-01"]).is_empty());
    assert_eq!(serials(&["--until", "2026-05-01-02:00"]).len(), 0);
    assert_eq!(serials(&from("2026-05-01T10:01[Europe/Berlin]")).len(), 3);

    // A name that nobody has is no name of an empty list.
    let refused = |more: &[&str], code: i32, words: &[&str]| {
        let output = Ambit::call(&pair.supplier.home, &[&["list"], more].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        for word in words {
            assert!(told.contains(word), "{told}");
        }
    };
    let words = ["unknown data class", "did you mean `inspection-result`?"];
    refused(&["--class", "inspecton-result"], 2, &words);
    let customer = pair.customer.id.as_str();
    let slip = customer.replacen("did:web:", "did:wbe:", 1);
    let words = ["no observation and no partnership", "did you mean"];
    refused(&["--origin", "did:web:plaets.example"], 5, &words[..1]);
    for (from, words) in [
        ("2026-05-02", "the first is later than the second"),
        ("2026-05-01", "the first is the same as the second"),
    ] {
        let span = ["--from", from, "--until", "2026-05-01"];
        refused(&span, 2, &[words, "name a later `--until`"]);
    }
    refused(&["--from", "yesterday"], 2, &["no date such as 2026-05-01"]);
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    assert!(serials(&["--origin", customer]).is_empty());
    refused(&["--origin", &slip], 5, &words);

    assert_eq!(serials(&["--limit", "3"]), ["2", "3", "4"]);
    let mut pages = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = list(&["--limit", "3", "--after", &after]);
        let Some(last) = page.last() else { break };
        after = last["entry"].to_string();
        pages.push(page);
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(pages.concat(), list(&[]));
}

/// A node answers with no more than a thousand at a time.
#[test]
fn a_long_list_comes_page_by_page() {
    const COUNT: usize = 2_300;
    let pair = Pair::new();
    let rows = (0..COUNT).map(|row| {
        let (minute, second) = (row / 60 % 60, row % 60);
        format!(
            "2026-05-01T{:02}:{minute:02}:{second:02}Z,1.5,{row},F-ONE\n",
            row / 3_600
        )
    });
    let rows = format!("t,d,serial,program\n{}", rows.collect::<String>());
    std::fs::write(&pair.rows, rows).unwrap();
    pair.import();
    let home = &pair.supplier.home;
    let list = |more: &[&str]| -> Vec<Value> {
        let list = Ambit::json(home, &[&["list"], more].concat());
        list.as_array().unwrap().clone()
    };
    let serials = |items: &[Value]| -> Vec<usize> {
        let serials = items.iter().map(|item| item["serial"].as_str().unwrap());
        serials.map(|serial| serial.parse().unwrap()).collect()
    };
    let running = Ambit::run(home);
    let all = list(&[]);
    assert_eq!(serials(&all), (0..COUNT).collect::<Vec<_>>());
    drop(running);
    assert_eq!(list(&[]), all);
    for limit in [999, 1_000, 1_001, 2_000, 2_299, 2_300, 2_301] {
        let given = ["--limit", &limit.to_string()];
        assert_eq!(list(&given), all[COUNT - limit.min(COUNT)..], "{limit}");
        let first = [&given[..], &["--after", "0"]].concat();
        assert_eq!(list(&first), all[..limit.min(COUNT)], "{limit}");
    }
    let from = list(&["--from", "2026-05-01T00:10:00Z", "--limit", "1500"]);
    assert_eq!(from, all[COUNT - 1_500..]);
    let table = Ambit::text(home, &["list"]);
    assert_eq!(table.lines().count(), COUNT + 1);
    assert_eq!(table.matches("SERIAL").count(), 1);
}

#[test]
fn what_is_counted_as_it_comes_is_what_is_counted_at_once() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    let home = &pair.supplier.home;
    let status = || Ambit::json(home, &["status"]);
    let running = Ambit::run(home);
    let before = status();
    pair.import();
    let after = status();
    assert_ne!(after["pairs"], before["pairs"]);
    assert_eq!(after["held"][&pair.supplier.id]["observations"], 4);
    observe(home, "2026-05-03T08:00:00Z", &["A=1"]);
    let last = status();
    assert_eq!(last["held"][&pair.supplier.id]["observations"], 5);
    assert_eq!(status(), last);
    drop(running);
    assert_eq!(status(), last);
}

/// Observes values of the condition of a machine, which no partnership here is about. Returns the observation's id.
#[track_caller]
fn observe(home: &Home, at: &str, set: &[&str]) -> String {
    let submodel = format!("submodel={SUBMODEL}");
    let facts = [
        "source=s",
        &submodel,
        "semantic_id=i",
        "trade_secret=false",
        "data_class=condition",
    ];
    let facts = facts.iter().flat_map(|fact| ["--fact", *fact]);
    let set = set.iter().flat_map(|set| ["--set", *set]);
    let call = ["observe", "--at", at].into_iter().chain(set);
    let observed = Ambit::json(home, &call.chain(facts).collect::<Vec<_>>());
    observed["observed"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_no_limits_cover_is_counted_apart() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    let home = &pair.supplier.home;
    let counts = || Ambit::json(home, &["status"])["pairs"][0].clone();
    pair.import();
    let before = counts();
    assert_eq!(
        (&before["withheld"], &before["unasked"]),
        (&2.into(), &2.into())
    );
    observe(home, "2026-05-02T08:00:00Z", &["Load=1"]);
    let after = counts();
    assert_eq!(
        (&after["withheld"], &after["unasked"]),
        (&3.into(), &3.into())
    );
    // No layer was asked, so none is said to withhold it.
    assert_eq!(after["layers"], serde_json::json!({}));
    assert!(Ambit::text(home, &["status"]).contains("  no limits 3\n"));
    pair.audit();
}

#[test]
fn the_latest_values_of_a_submodel_come_with_where_they_are_from() {
    let pair = Pair::new();
    let home = &pair.supplier.home;
    pair.import();
    let observe = |at: &str, set: &[&str]| observe(home, at, set);
    let later = "2026-05-02T08:00:00Z";
    let observed = observe(later, &["Axes[0].Load=0.50", "Axes[1].Load=", "Name=a"]);
    // What is observed later in the ledger, but of an earlier time, is not the latest.
    observe("2026-05-01T09:00:00Z", &["Axes[1].Load=7", "Name=b"]);

    let latest = Ambit::json(home, &["get", "--submodel", SUBMODEL]);
    let latest = &latest[&pair.supplier.id];
    // Digits are as they were given.
    let expected = r#"{"Axes":[{"Load":0.50},{"Load":null}],"Diameter":2.25,"Name":"a"}"#;
    assert_eq!(latest["value"].to_string(), expected);
    let elements = latest["elements"].as_array().unwrap();
    let paths: Vec<&str> = elements
        .iter()
        .map(|element| element["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["Axes[0].Load", "Axes[1].Load", "Diameter", "Name"]);
    let empty = &elements[1];
    assert_eq!(empty["quality"], "empty");
    assert_eq!(empty["value"], Value::Null);
    assert_eq!(empty["observation"], observed);
    assert_eq!(empty["origin"], pair.supplier.id);
    assert_eq!(empty["at"], later);
    assert_eq!(elements[2]["observation"], ids(home)[3]);
    pair.audit();
}

#[test]
fn peers_are_shown_with_what_waits_for_them() {
    let folder = Folder::new();
    let port = free_ports(1)[0];
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let supplier = Party::new(&folder, "supplier");
    let customer = Party::with(
        &folder,
        "customer",
        &["--listen", &address, "--announce", &address],
    );
    let peer = |home: &Home| Ambit::json(home, &["peers"])[0].clone();
    assert_eq!(
        Ambit::json(&supplier.home, &["peers"]),
        Value::Array(vec![])
    );
    let invitation = invite(&folder, NAME, &customer, &supplier);
    let proposed = peer(&customer.home);
    assert_eq!(proposed["organization"], supplier.id);
    assert_eq!(proposed["state"], "proposed");
    assert_eq!(proposed["connected"], Value::Null);
    assert_eq!(proposed["waiting"], 0);

    let acceptance = folder.path().join("acceptance");
    let fingerprint = customer.fingerprint();
    let accept = ["partner", "accept", text(&invitation), "--yes"];
    let more = ["--fingerprint", &fingerprint, "-o", text(&acceptance)];
    Ambit::text(&supplier.home, &[&accept[..], &more].concat());
    let (rows, map) = (folder.path().join("a.csv"), folder.path().join("a.toml"));
    std::fs::write(&rows, ROWS).unwrap();
    std::fs::write(&map, MAP).unwrap();
    Ambit::text(
        &supplier.home,
        &["import", text(&rows), "--map", text(&map)],
    );
    let waiting = peer(&supplier.home);
    assert_eq!(
        (&waiting["state"], &waiting["name"]),
        (&"active".into(), &"customer".into())
    );
    assert_eq!(
        (&waiting["waiting"], &waiting["acknowledged"]),
        (&2.into(), &0.into())
    );
    assert_eq!(waiting["addresses"], serde_json::json!([address]));
    let key = Ambit::json(&customer.home, &["key", "show"]);
    assert_eq!(waiting["peer_id"], key["peer_id"]);
    let told = |home: &Home, command: &[&str]| {
        let output = Ambit::call(home, command);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let waits = "is judged again before it is sent, and may then be withdrawn instead";
    assert!(Ambit::text(&supplier.home, &["peers"]).contains("not running"));
    for command in ["peers", "status"] {
        assert!(told(&supplier.home, &[command]).contains(waits));
        assert!(!told(&supplier.home, &[command, "--output", "json"]).contains(waits));
        assert!(!told(&customer.home, &[command]).contains(waits));
    }
    let shown = folder.path().join("owner.cedar");
    let show = ["profile", "show", "--layer", "owner", "-o", text(&shown)];
    Ambit::text(&supplier.home, &show);
    let other = std::fs::read_to_string(&shown).unwrap() + "// another\n";
    std::fs::write(&shown, other).unwrap();
    let activate = ["profile", "activate", text(&shown), "--layer", "owner"];
    let activated = Ambit::text(&supplier.home, &activate);
    let words = "what waits to be sent (2) is judged again when it goes";
    assert!(activated.contains(words), "{activated}");

    let running = Ambit::run(&supplier.home);
    wait_until(LIMIT, "the node to know that nobody is there", || {
        peer(&supplier.home)["connected"] == false
    });
    let other = Ambit::run(&customer.home);
    wait_until(LIMIT, "both to be acknowledged", || {
        let peer = peer(&supplier.home);
        peer["connected"] == true && peer["waiting"] == 0 && peer["acknowledged"] == 2
    });
    assert_eq!(peer(&customer.home)["connected"], true);
    for command in ["peers", "status"] {
        assert!(!told(&supplier.home, &[command]).contains(waits));
    }
    drop(other);
    wait_until(LIMIT, "the end of the connection to be seen", || {
        peer(&supplier.home)["connected"] == false
    });
    drop(running);
    assert_eq!(peer(&supplier.home)["connected"], Value::Null);
}

#[test]
fn shells_and_readers_are_served_without_a_home() {
    let folder = Folder::new();
    let home = folder.home("none");
    for shell in ["bash", "zsh", "fish"] {
        assert!(Ambit::text(&home, &["completions", shell]).contains("propose-map"));
    }
    Ambit::text(&home, &["man", "-o", text(folder.path())]);
    let page = std::fs::read_to_string(folder.path().join("ambit-peers.1")).unwrap();
    assert!(page.contains("connected"), "{page}");
    assert!(!home.path().exists());
}

#[test]
fn the_shipped_profile_can_be_had_back_and_activate_says_what_it_set_off() {
    let pair = Pair::new();
    agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
    let home = &pair.supplier.home;
    let file = |name: &str| pair.folder.path().join(name);
    let show = ["profile", "show", "--layer", "owner"];
    let shipped = Ambit::text(home, &[&show[..], &["--shipped"]].concat());
    assert_eq!(Ambit::text(home, &show), shipped);
    let (closed, back) = (file("closed.cedar"), file("back.cedar"));
    let text_of = "@id(\"all\") permit (principal, action, resource);\n\
        @id(\"none\") forbid (principal, action in Ambit::Action::\"transfer\", resource is Ambit::Observation)\n\
        when { resource.dataClass in Ambit::DataClass::\"quality\" };\n";
    std::fs::write(&closed, text_of).unwrap();
    let activate = |file| ["profile", "activate", text(file), "--layer", "owner"];
    Ambit::text(home, &activate(&closed));
    assert_eq!(Ambit::text(home, &show), text_of);
    pair.import();
    Ambit::text(
        home,
        &[&show[..], &["--shipped", "-o", text(&back)]].concat(),
    );
    assert_eq!(std::fs::read_to_string(&back).unwrap(), shipped);
    let said = Ambit::json(home, &activate(&back))["judged_again"].clone();
    // Two of the four are of another program, and are withheld by fewer layers than before.
    assert_eq!(said["disclosed"], 2, "{said}");
    let said = Ambit::json(home, &activate(&back))["judged_again"].clone();
    let nothing = serde_json::json!({"disclosed": 0, "withheld": 0, "undecided": 0});
    assert_eq!(said, nothing);
    let partnership = ["profile", "show", "--layer", "partnership", "--shipped"];
    let output = Ambit::call(home, &partnership);
    assert_eq!(output.status.code(), Some(2));
    pair.audit();
}

#[test]
fn what_export_says_to_try_next_is_for_the_same_home() {
    let pair = Pair::new();
    let home = &pair.supplier.home;
    let bundle = pair.folder.path().join("a.bundle");
    let output = Ambit::call(home, &["export", "-o", text(&bundle)]);
    let told = String::from_utf8(output.stderr).unwrap();
    let next = format!("`ambit --home {} key trust -o", text(home.path()));
    assert!(told.contains(&next), "{told}");
    assert!(told.contains("&& ambit-audit replay"), "{told}");
}

#[test]
fn an_import_without_a_map_and_one_of_nothing_say_what_to_do() {
    let pair = Pair::new();
    let home = &pair.supplier.home;
    let output = Ambit::call(home, &["import", text(&pair.rows)]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--propose-map -o MAP`"), "{told}");
    let empty = pair.folder.path().join("empty.csv");
    std::fs::write(&empty, "").unwrap();
    for more in [&["--map", text(&pair.map)][..], &["--propose-map"]] {
        let output = Ambit::call(home, &[&["import", text(&empty)], more].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("the file is empty"), "{told}");
    }
}
