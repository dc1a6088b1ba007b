//! The root key: other keys, other passphrases, copies that are none.

use super::Scene;
use crate::support::{Ambit, Home, Party, text};
use std::path::{Path, PathBuf};

fn private(scene: &Scene, name: &str, content: &str) -> String {
    let path = scene.folder.path().join(name);
    ambit_node::platform::write_private(&path, content.as_bytes()).unwrap();
    text(&path).to_owned()
}

fn root_of(party: &Party) -> PathBuf {
    party.home.path().join("keys/root.key")
}

fn export(home: &Home, file: &str, passphrase: &str) {
    let export = ["key", "root", "export", "-o", file];
    let passphrase = ["--passphrase-file", passphrase];
    Ambit::text(home, &[&export[..], &passphrase].concat());
}

#[test]
fn a_root_key_is_exported_to_a_new_file_under_a_good_passphrase() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let good = private(&scene, "good", "correct horse battery\r\n");
    let there = scene.file("there.key", "somebody's");
    let new = scene.path("new.key");
    let refused = |out: &str, more: &[&str], code: i32, words: &[&str]| {
        let export = ["key", "root", "export", "-o", out];
        scene.refused(home, &[&export[..], more].concat(), code, words);
        assert!(!Path::new(&new).exists());
    };
    let words = ["`", "is there already, and no key is ever written over"];
    refused(&there, &["--passphrase-file", &good], 1, &words);
    let nowhere = scene.path("none/new.key");
    refused(&nowhere, &["--no-passphrase"], 1, &["make it first"]);
    let words = [
        "nobody can be asked for a passphrase",
        "--passphrase-file FILE",
        "or --no-passphrase",
    ];
    refused(&new, &[], 2, &words);
    for (content, told) in [
        ("", "the passphrase is empty"),
        ("\n", "the passphrase is empty"),
        ("short\n", "fewer than 12 characters"),
        ("correct horse\nbattery staple\n", "not one line of text"),
        (&"x".repeat(1_100), "longer than 1024 bytes"),
        (&"x".repeat(100_000), "longer than 1024 bytes"),
    ] {
        let file = private(&scene, "passphrase", content);
        let words = ["failed to use the passphrase in `", told];
        refused(&new, &["--passphrase-file", &file], 1, &words);
        std::fs::remove_file(&file).unwrap();
    }
    let missing = scene.path("missing");
    refused(&new, &["--passphrase-file", &missing], 5, &["missing"]);
    #[cfg(unix)]
    {
        let public = scene.file("public", "correct horse battery\n");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&public, mode).unwrap();
        let words = ["others may read `", "chmod go-rwx"];
        refused(&new, &["--passphrase-file", &public], 6, &words);
    }
    let words = ["cannot be used with", "--no-passphrase"];
    let both = ["--no-passphrase", "--passphrase-file", &good];
    refused(&new, &both, 2, &words);
    // One that is given as an argument is in the shell's history.
    refused(&new, &["--passphrase", "x"], 2, &["--passphrase"]);
}

#[test]
fn a_root_key_is_taken_out_for_a_copy_that_opens_alone() {
    let scene = Scene::of(&["a", "b"]);
    let home = &scene.parties[0].home;
    let good = private(&scene, "good", "correct horse battery\n");
    let wrong = private(&scene, "wrong", "correct horse batteries\n");
    let [kept, of_other] = ["kept.key", "other.key"].map(|name| scene.path(name));
    export(home, &kept, &good);
    export(&scene.parties[1].home, &of_other, &good);
    let root = root_of(&scene.parties[0]);
    let link = scene.path("link.key");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&root, &link).unwrap();
    let damaged = scene.file(
        "damaged.key",
        &std::fs::read_to_string(&kept).unwrap().replace("MI", "AI"),
    );
    let plain = std::fs::read_to_string(&root).unwrap();
    let stripped = scene.file("stripped.key", &plain.replace("PRIVATE", "PUBLIC"));
    let missing = scene.path("missing.key");
    let opened = ["--passphrase-file", good.as_str()];

    let words = ["nobody can be asked for the passphrase of `", "kept.key`"];
    let not_opened = ["the passphrase does not open it", "kept.key`"];
    let differs = [
        "other.key` holds another key than the root of this node: its fingerprint is ",
        "that of the root ",
    ];
    let no_key = ["holds no root key", "not a whole private key"];
    let nothing = ["holds no root key", "not an Ed25519 private key"];
    let cases: [(&str, &[&str], i32, &[&str]); 6] = [
        (&kept, &[], 2, &words),
        (&kept, &["--passphrase-file", &wrong], 6, &not_opened),
        (&of_other, &opened, 4, &differs),
        (&damaged, &opened, 1, &no_key),
        (&stripped, &opened, 1, &nothing),
        (&missing, &opened, 5, &["missing.key"]),
    ];
    for (file, more, code, words) in cases {
        for command in [["remove", "--copy"].as_slice(), &["use"]] {
            let command = [&["key", "root"], command, &[file], more].concat();
            scene.refused(home, &command, code, words);
        }
    }
    let own = ["lies in the home itself", "key root export -o FILE`"];
    for copy in [text(&root), &link] {
        if Path::new(copy).exists() {
            scene.refused(home, &["key", "root", "remove", "--copy", copy], 2, &own);
            scene.refused(home, &["key", "root", "use", copy], 2, &own);
        }
    }
    #[cfg(unix)]
    {
        let other_name = scene.path("other-name.key");
        std::fs::hard_link(&root, &other_name).unwrap();
        let remove = ["key", "root", "remove", "--copy", &other_name];
        scene.refused(home, &remove, 2, &own);
        std::fs::remove_file(&other_name).unwrap();
    }
    // Whatever is written to the home is refused with --read-only; a copy can be made.
    let out = scene.path("read-only.key");
    let remove = ["key", "root", "remove", "--copy", kept.as_str()];
    let remove = [&remove[..], &opened].concat();
    let words = ["--read-only"];
    scene.refused(home, &[&remove[..], &["--read-only"]].concat(), 2, &words);
    let export = ["key", "root", "export", "--read-only", "-o", &out];
    Ambit::text(home, &[&export[..], &opened].concat());

    // What is not there is neither copied nor taken out.
    Ambit::text(home, &remove);
    scene.refused(home, &remove, 5, &["is kept out of this home"]);
    let export = ["key", "root", "export", "--no-passphrase", "-o"];
    let export = [&export[..], &[&missing]].concat();
    let words = ["is kept out of this home", "hint: ", "--root-key FILE"];
    scene.refused(home, &export, 5, &words);
    let from = [&export[..], &["--root-key", &kept]].concat();
    let words = ["kept.key`", "--root-passphrase-file FILE"];
    scene.refused(home, &from, 2, &words);
    let from = [&export[..], &["--root-key", &of_other]].concat();
    let opened = ["--root-passphrase-file", good.as_str()];
    scene.refused(home, &[&from[..], &opened].concat(), 4, &differs);
}
