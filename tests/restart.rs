//! One node on its own: made, run, killed, run again.

use crate::support::{Ambit, Folder};

#[test]
fn a_node_that_was_killed_starts_again_where_it_was() {
    let folder = Folder::new();
    let home = folder.home("node");
    let made = [
        "init",
        "--org",
        "did:web:a.example",
        "--name",
        "A",
        "--country",
        "DE",
    ];
    let other = folder.home("other");
    // Without a seed no two nodes have the same keys.
    let (made, again) = (Ambit::json(&home, &made), Ambit::json(&other, &made));
    assert_ne!(made["root_key"], again["root_key"]);

    let running = Ambit::run(&home);
    let observe = [
        "observe",
        "--set",
        "Temperature=21.5",
        "--type",
        "Temperature=xs:double",
    ];
    let facts = [
        "source=probe-1",
        "submodel=urn:a.example:submodel:climate",
        "semantic_id=urn:a.example:climate:1",
        "data_class=condition",
        "trade_secret=false",
    ];
    let facts = facts.iter().flat_map(|fact| ["--fact", fact]);
    let arguments: Vec<&str> = observe.into_iter().chain(facts).collect();
    Ambit::text(running.home(), &arguments);
    let before = Ambit::json(&home, &["list"]);
    assert_eq!(before.as_array().unwrap().len(), 1);
    // What a killed node leaves behind still says where it answered.
    running.kill();
    assert!(home.path().join("api.json").is_file());
    assert_eq!(Ambit::json(&home, &["list"]), before);
    let running = Ambit::run(&home);
    assert_eq!(Ambit::json(&home, &["list"]), before);
    assert!(Ambit::call(&home, &["get", "ffff"]).status.code() == Some(5));
    drop(running);
}
