//! Profiles, delimited files and their maps, and files that cannot be written.

use super::Scene;
use crate::support::Ambit;

const MAP: &str = r#"delimiter = ","

[time]
column = "t"
zone = "in-value"

[facts]
source = "cmm-1"
submodel = "urn:a.example:submodel:1"
semantic_id = "urn:a.example:semantic:1"
data_class = "inspection-result"
trade_secret = false

[[column]]
name = "d"
path = "Diameter"
value_type = "xs:double"
"#;

#[test]
fn profiles_with_mistakes_have_their_place() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let head = "@id(\"a\")\npermit (principal, action, resource)";
    let cases: [(&str, String, &str, &[&str]); 6] = [
        (
            "cut",
            "@id(\"a\")\npermit (principal".to_owned(),
            "2:18",
            &["unexpected end of input"],
        ),
        (
            "nameless",
            "\npermit (principal, action, resource);".to_owned(),
            "2:1",
            &["has no id", "put `@id("],
        ),
        ("type", format!("{head}\nwhen {{ 1 }};"), "3:8", &["Bool"]),
        (
            "misspelt",
            format!("{head}\nwhen {{ resource.issur == principal }};"),
            "3:8",
            &["`issur`", "did you mean `issuer`"],
        ),
        // Only a warning of the validator.
        (
            "idle",
            format!("{head}\nwhen {{ false }};"),
            "1:1",
            &["policy is impossible"],
        ),
        ("empty", String::new(), "1:1", &["has no policy"]),
    ];
    for (name, text, place, words) in cases {
        let file = scene.file(&format!("{name}.cedar"), &text);
        let place = format!("{name}.cedar:{place}: ");
        let words = [&[place.as_str()][..], words].concat();
        for command in ["check", "activate"] {
            let arguments = ["profile", command, &file, "--layer", "owner"];
            scene.refused(home, &arguments, 1, &words);
        }
    }
    let good = scene.file("good.cedar", &format!("{head};"));
    let forbids = scene.file(
        "forbids.cedar",
        &format!("{};", head.replacen("permit", "forbid", 1)),
    );
    let permits = scene.file("permits.cedar", &format!("{head};"));
    let missing = scene.path("missing.cedar");
    for (file, layer, code, words) in [
        (&missing, "owner", 5, &["missing.cedar"][..]),
        (&good, "all", 2, &["invalid value 'all'", "trade-secret"]),
        (&good, "sticky", 1, &["`sticky`", "same text at every node"]),
        (&good, "partnership", 1, &["rendered from the terms"]),
        (
            &forbids,
            "owner",
            1,
            &["lets nothing cross", "`--anyway --reason TEXT`"],
        ),
        (
            &permits,
            "regulatory",
            1,
            &["stops nothing", "`--anyway --reason TEXT`"],
        ),
    ] {
        for command in ["check", "activate"] {
            let arguments = ["profile", command, file, "--layer", layer];
            scene.refused(home, &arguments, code, words);
        }
    }
}

#[test]
fn the_mark_that_an_editor_puts_first_is_no_fault() {
    let scene = Scene::of(&["a"]);
    let text = "\u{feff}@id(\"a\")\npermit (principal, action, resource);\n";
    let file = scene.file("marked.cedar", text);
    let check = ["profile", "check", &file, "--layer", "owner"];
    Ambit::text(&scene.parties[0].home, &check);
}

/// What never ends is read to a bound only, whatever it was named as.
#[cfg(target_os = "linux")]
#[test]
fn no_more_of_a_file_is_read_than_its_kind_may_have() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let (rows, map) = (scene.file("a.csv", "t,d\n"), scene.file("a.map.toml", MAP));
    let zero = "/dev/zero";
    let cases: [(&[&str], &str); 9] = [
        (
            &["partner", "accept", zero],
            "8 MiB that a partnership file",
        ),
        (
            &["partner", "decline", zero, "--reason", "no"],
            "8 MiB that a partnership file",
        ),
        (&["partner", "declare", zero], "1 MiB that a declaration"),
        (&["issuer", "pin", zero], "1 MiB that an identity card"),
        (&["attest", "--file", zero], "1 MiB that an attestation"),
        (
            &["profile", "check", zero, "--layer", "owner"],
            "1 MiB that a profile",
        ),
        (&["import", &rows, "--map", zero], "1 MiB that a map"),
        (
            &["import", &rows, "--map", &map, "--facts", zero],
            "1 MiB that a file of facts",
        ),
        (&["observe", zero], "256 MiB that a file of submodels"),
    ];
    for (arguments, bound) in cases {
        let told = format!("`/dev/zero` is longer than the {bound} may have");
        scene.refused(home, arguments, 1, &[&told, "name another file"]);
    }
}

#[test]
fn files_that_do_not_fit_their_map_are_refused_as_a_whole() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let rows = "t,d\n2026-05-01T08:00:00Z,1.5\n";
    let map = MAP.to_owned();
    let cases: [(String, String, i32, &[&str]); 9] = [
        (
            rows.replace(",d", ",e"),
            map.clone(),
            1,
            &["no column `d`", "`t`, `e`"],
        ),
        (
            rows.replace("1.5", "\"1,234\""),
            map.clone(),
            1,
            &["line 2, column `d`: `1,234`", "set `decimal` in the map"],
        ),
        (
            rows.replace("00Z", "00"),
            map.replace("zone = \"in-value\"\n", ""),
            1,
            &["line 2, column `t`", "no offset", "set `zone` in `[time]`"],
        ),
        (
            rows.to_owned(),
            map.replace("zone", "timezone"),
            1,
            &["line 5, column 1", "unknown field `timezone`", "`zone`"],
        ),
        (
            rows.to_owned(),
            map.replace("source", "sauce"),
            1,
            &["unknown field `sauce`", "`source`"],
        ),
        (
            rows.to_owned(),
            map.replace("source = \"cmm-1\"\n", ""),
            1,
            &["`source` is missing", "hint: ", "--fact KEY=VALUE"],
        ),
        (
            rows.replace("1.5", "wide"),
            map.clone(),
            1,
            &["no row", "line 2: column `d`: `wide`", "nothing was kept"],
        ),
        ("t,d\n".to_owned(), map.clone(), 1, &["holds no row"]),
        (String::new(), map.clone(), 1, &["the file is empty"]),
    ];
    for (rows, map, code, words) in cases {
        let rows = scene.file("a.csv", &rows);
        let map = scene.file("a.map.toml", &map);
        scene.refused(home, &["import", &rows, "--map", &map], code, words);
    }
    let (rows, map) = (scene.file("a.csv", rows), scene.file("a.map.toml", MAP));
    let missing = scene.path("missing");
    for (rows, map) in [(&missing, &map), (&rows, &missing)] {
        let arguments = ["import", rows, "--map", map];
        scene.refused(home, &arguments, 5, &["failed to read", "missing"]);
    }
    let other = "owner=did:web:other.example";
    let arguments = ["import", &rows, "--map", &map, "--fact", other];
    scene.refused(
        home,
        &arguments,
        1,
        &["did:web:other.example", "set `owner`"],
    );
}

#[test]
fn rows_that_cannot_be_read_are_listed_and_the_others_kept() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let rows = "t,d\n\
                2026-05-01T08:00:00Z,1.5\n\
                2026-05-01T08:01:00Z,wide\n\
                yesterday,2.5\n\
                2026-05-01T08:03:00Z\n\
                2199-05-01T08:00:00Z,4.5\n\
                2026-05-01T08:04:00Z,3.5\n";
    let (rows, map) = (scene.file("a.csv", rows), scene.file("a.map.toml", MAP));
    let arguments = ["import", &rows, "--map", &map, "--output", "json"];
    let output = Ambit::call(home, &arguments);
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["rows"], 6);
    assert_eq!(summary["readings"], 2);
    assert_eq!(summary["observations_new"], 2);
    assert_eq!(summary["unreadable_rows"], 4);
    let listed = summary["unreadable"].as_array().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    for (row, (line, reason)) in listed.iter().zip([
        (3, "column `d`: `wide` is no xs:double"),
        (4, "column `t`: `yesterday` is no time"),
        (5, "1 fields, where the file has 2 columns"),
        (
            6,
            "column `t`: 2199-05-01T08:00:00Z is more than 300 seconds after now",
        ),
    ]) {
        assert_eq!(row["line"], line);
        let listed = row["reason"].as_str().unwrap();
        assert!(listed.starts_with(reason), "{listed}");
        assert!(told.contains(&format!("line {line}: {reason}")), "{told}");
    }
    assert!(told.contains("warning: 4 of 6 rows"), "{told}");
    assert_eq!(Ambit::json(home, &["list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_done() {
    let scene = Scene::of(&["a", "b"]);
    let [a, b] = &scene.parties[..] else {
        panic!("two were made")
    };
    let declaration = crate::support::declaration("a/b/quality", b);
    let declaration = scene.file("declaration.toml", &declaration);
    let fingerprint = b.fingerprint();
    let compared = ["--fingerprint", fingerprint.as_str()];
    let folder = a.home.path().to_str().unwrap();
    let nowhere = scene.path("none/file");
    for (out, words) in [
        (folder, ["it is a folder or a device", "name another"]),
        (nowhere.as_str(), ["there is no folder", "make it first"]),
    ] {
        let declare = ["partner", "declare", &declaration, "-o", out];
        scene.refused(&a.home, &[&declare[..], &compared].concat(), 1, &words);
        for command in [&["export"][..], &["key", "card"], &["key", "trust"]] {
            let arguments = [command, &["-o", out]].concat();
            scene.refused(&a.home, &arguments, 1, &words);
        }
    }
    let invitation = crate::support::invite(&scene.folder, "a/b/quality", a, b);
    let invitation = invitation.to_str().unwrap();
    let fingerprint = a.fingerprint();
    let compared = ["--fingerprint", fingerprint.as_str(), "-o", &nowhere];
    let accept = ["partner", "accept", invitation, "--yes"];
    let decline = ["partner", "decline", invitation, "--reason", "no"];
    for command in [&accept[..], &decline] {
        let arguments = [command, &compared].concat();
        scene.refused(&b.home, &arguments, 1, &["make it first"]);
    }
}
