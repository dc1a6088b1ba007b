//! Homes, settings, and who may open what.

use super::Scene;
use crate::support::Ambit;

const INIT: [&str; 7] = [
    "init",
    "--org",
    "did:web:x.example",
    "--name",
    "X",
    "--country",
    "DE",
];

#[test]
fn a_home_is_made_where_nothing_is() {
    let scene = Scene::of(&["a"]);
    let taken = &scene.parties[0].home;
    scene.refused(taken, &INIT, 1, &["already holds a node", "--home"]);

    let foreign = scene.folder.home("foreign");
    std::fs::create_dir(foreign.path()).unwrap();
    scene.file("foreign/letter.txt", "dear partner");
    scene.refused(&foreign, &INIT, 1, &["is not empty", "or empty it"]);

    let missing = scene.folder.home("missing");
    for arguments in [&["status"][..], &["run"], &["export", "-o", "x.bundle"]] {
        let words = ["holds no node", "init --org"];
        scene.refused(&missing, arguments, 5, &words);
    }
    let country = ["init", "--org", "a", "--name", "A", "--country", "Germany"];
    scene.refused(&missing, &country, 2, &["jurisdiction `Germany`"]);
    // A group would count as lying within all that it lies in.
    for group in ["NOT-EMBARGOED", "EU", "EAR-A5-US"] {
        let country = ["init", "--org", "a", "--name", "A", "--country", group];
        let told = format!("`{group}` is a group of countries; a country, as `--country`");
        scene.refused(&missing, &country, 2, &[&told, "two-letter code"]);
        assert!(!missing.path().exists());
    }
    for nobody in ["did:web:", "did:web", "bpn:", "lei:"] {
        let init = ["init", "--org", nobody, "--name", "A", "--country", "DE"];
        let told = format!("the id `{nobody}` is a scheme without a name");
        scene.refused(&missing, &init, 2, &[&told, "as in did:web:shop.example"]);
        assert!(!missing.path().exists());
    }
    let address = [&INIT[..], &["--announce", "203.0.113.7:4001"]].concat();
    scene.refused(&missing, &address, 2, &["--announce"]);
}

#[test]
fn of_many_that_make_one_home_one_does() {
    let scene = Scene::of(&["a"]);
    let place = scene.folder.home("raced");
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Ambit::call(&place, &INIT).status.code().unwrap()))
            .collect();
        let codes = makers.into_iter().map(|maker| maker.join().unwrap());
        codes.collect()
    });
    let made = codes.iter().filter(|code| **code == 0).count();
    let late = codes.iter().filter(|code| **code == 1).count();
    assert_eq!((made, late), (1, 3), "{codes:?}");
    Ambit::text(&place, &["status"]);
}

#[test]
fn a_key_that_the_root_did_not_certify_signs_nothing() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let keys = home.path().join("keys");
    for (name, other) in [
        ("statement", "agreement"),
        ("agreement", "statement"),
        ("checkpoint", "witness"),
        ("transport", "statement"),
        ("witness", "checkpoint"),
    ] {
        let path = keys.join(format!("{name}.key"));
        let good = std::fs::read(&path).unwrap();
        let strange = std::fs::read(keys.join(format!("{other}.key"))).unwrap();
        std::fs::write(&path, strange).unwrap();
        for command in [&["status"][..], &["run"]] {
            let told = format!("keys/{name}.key is not the key that this node's root certified");
            scene.refused(home, command, 1, &[&told, "from a backup"]);
        }
        std::fs::write(&path, good).unwrap();
    }
    let other = scene.folder.home("other");
    Ambit::text(&other, &INIT);
    let strange = |name: &str| std::fs::read(other.path().join("keys").join(name)).unwrap();
    let certified = "keys/seal.key is not the key that this node's root certified";
    let own_root = "keys/root.key is not the root of this node";
    for (name, text, told) in [
        ("seal", strange("seal.key"), certified),
        ("root", strange("root.key"), own_root),
    ] {
        let path = keys.join(format!("{name}.key"));
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        scene.refused(home, &["status"], 1, &[told, "from a backup"]);
        std::fs::write(&path, good).unwrap();
    }
    // What is no key at all is told with why it cannot be read, in the words of who reads it.
    let seal = keys.join("seal.key");
    let good = std::fs::read(&seal).unwrap();
    std::fs::write(&seal, "xx").unwrap();
    let output = Ambit::call(home, &["status"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let words = "keys/seal.key` holds no key; put it back from a backup";
    assert!(told.contains(words), "{told}");
    std::fs::write(&seal, good).unwrap();
    // The root is not needed for that: it may lie under a passphrase, which nobody gives.
    let root = keys.join("root.key");
    let good = std::fs::read(&root).unwrap();
    std::fs::write(&root, "xx").unwrap();
    Ambit::text(home, &["status"]);
    std::fs::write(&root, good).unwrap();
    let away = scene.folder.path().join("kept");
    // The root may be kept elsewhere.
    std::fs::rename(keys.join("root.key"), &away).unwrap();
    Ambit::text(home, &["status"]);
    std::fs::rename(&away, keys.join("root.key")).unwrap();
    let (here, seal) = (keys.join("statement.key"), keys.join("seal.key"));
    for (here, name) in [
        (&here, "keys/statement.key"),
        (&seal, "keys/seal.key"),
        (&keys, "keys"),
    ] {
        std::fs::rename(here, &away).unwrap();
        for command in [&["status"][..], &["run"]] {
            let told = format!("{name}` is missing; put it back from a backup");
            scene.refused(home, command, 1, &[&told]);
        }
        std::fs::rename(&away, here).unwrap();
    }
    // What leads nowhere is missing too, and a pipe is not waited for.
    let told = |words: &str| {
        let output = Ambit::call(home, &["status"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(words), "{told}");
        std::fs::remove_file(&here).unwrap();
    };
    std::fs::rename(&here, &away).unwrap();
    std::os::unix::fs::symlink(scene.folder.path().join("nowhere"), &here).unwrap();
    told("keys/statement.key` is missing; put it back from a backup");
    let mut made = std::process::Command::new("mkfifo");
    let made = made.args(["-m", "600"]).arg(&here).status();
    assert!(made.unwrap().success());
    told("it is no regular file");
    std::fs::rename(&away, &here).unwrap();
    assert!(scene.parties[0].ledger().0 > 0);
}

#[test]
fn settings_with_an_unknown_key_are_refused() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let path = home.path().join("node.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let line = good.lines().count() + 1;
    let place = format!("line {line}, column 1");
    std::fs::write(&path, format!("{good}listen_on = []\n")).unwrap();
    for command in ["status", "run"] {
        let words = [
            "node.toml",
            place.as_str(),
            "unknown field `listen_on`",
            "`port`",
        ];
        scene.refused(home, &[command], 1, &words);
    }
    std::fs::write(&path, good).unwrap();
    assert!(scene.parties[0].ledger().0 > 0);
}

#[test]
fn settings_that_state_no_country_are_refused() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let path = home.path().join("node.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let card = scene.path("again.card");
    for (key, stated) in [
        ("seat", "\"EU\""),
        ("hosting", "[\"DE\", \"EU\"]"),
        ("personnel", "[\"EU\"]"),
    ] {
        let is_key = |line: &&str| line.starts_with(&format!("{key} ="));
        let line = good.lines().find(is_key).unwrap();
        std::fs::write(&path, good.replace(line, &format!("{key} = {stated}"))).unwrap();
        for command in [&["status"][..], &["key", "card", "-o", &card], &["run"]] {
            let words = ["`EU` is a group of countries", "personnel in node.toml"];
            scene.refused(home, command, 2, &words);
        }
    }
    std::fs::write(&path, good).unwrap();
    assert!(scene.parties[0].ledger().0 > 0);
}

#[cfg(unix)]
#[test]
fn what_others_may_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    for (place, open, private) in [
        ("", 0o755, 0o700),
        ("keys", 0o750, 0o700),
        ("keys/statement.key", 0o644, 0o600),
    ] {
        let path = if place.is_empty() {
            home.path().to_owned()
        } else {
            home.path().join(place)
        };
        let mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(open);
        for command in ["status", "run"] {
            let words = ["others may read", "chmod go-rwx", path.to_str().unwrap()];
            scene.refused(home, &[command], 6, &words);
        }
        mode(private);
        assert!(scene.parties[0].ledger().0 > 0);
    }
}

#[test]
fn a_running_node_is_alone_and_wants_its_token() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let running = Ambit::run(home);
    scene.refused(home, &["run"], 75, &["in use", "hint: ", " status"]);

    let path = home.path().join("api.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let mut endpoint: serde_json::Value = serde_json::from_str(&good).unwrap();
    endpoint["token"] = "0".repeat(64).into();
    std::fs::write(&path, endpoint.to_string()).unwrap();
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    let words = [
        "in use",
        "hint: ",
        "has lost the api.json",
        "start it again",
    ];
    scene.refused(home, &["status"], 75, &words);
    std::fs::rename(&away, &path).unwrap();
    let bundle = scene.path("a.bundle");
    for arguments in [&["status"][..], &["export", "-o", &bundle]] {
        scene.refused(home, arguments, 6, &["token", "api.json"]);
    }
    // Half of one is none.
    std::fs::write(&path, "{").unwrap();
    scene.refused(home, &["status"], 75, &words);
    std::fs::write(&path, good).unwrap();
    assert!(scene.parties[0].ledger().0 > 0);
    // It is on this machine: no proxy is asked, and none is shown the token.
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = proxy.local_addr().unwrap();
    for scheme in ["http", "socks5"] {
        let url = format!("{scheme}://{address}");
        let mut command = Ambit::command(home);
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
            command.env(name, &url);
        }
        let output = command.arg("status").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{scheme}");
    }
    assert!(proxy.accept().is_err(), "the proxy was asked");
    drop(running);
}

#[test]
fn a_home_whose_settings_are_gone_is_still_a_home() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let path = home.path().join("node.toml");
    let aside = scene.folder.path().join("aside.toml");
    std::fs::rename(&path, &aside).unwrap();
    for arguments in [&["status"][..], &["run"], &INIT] {
        let words = ["node.toml is missing", "from a backup"];
        scene.refused(home, arguments, 1, &words);
    }
    std::fs::rename(&aside, &path).unwrap();
    assert!(scene.parties[0].ledger().0 > 0);
}

/// Copies a home as it is, for its owner alone.
#[cfg(unix)]
fn copy(from: &std::path::Path, to: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for found in std::fs::read_dir(from).unwrap() {
        let (from, to) = (
            found.as_ref().unwrap().path(),
            to.join(found.unwrap().file_name()),
        );
        if from.is_dir() {
            copy(&from, &to);
        } else if from.is_file() {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
#[cfg(unix)]
fn a_copy_of_a_home_is_not_the_node_that_runs_for_the_original() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let running = Ambit::run(home);
    let is_running = |home| {
        let status = Ambit::text(home, &["status"]);
        let mut lines = status.lines();
        let said = lines.find(|line| line.starts_with("running"));
        said.unwrap().ends_with("yes")
    };
    assert!(is_running(home));
    let tried = scene.folder.home("tried");
    copy(home.path(), tried.path());
    assert!(!is_running(&tried));
    let before = scene.parties[0].ledger();
    let profile = scene.path("own.cedar");
    Ambit::text(
        &tried,
        &["profile", "show", "--layer", "owner", "-o", &profile],
    );
    let text = std::fs::read_to_string(&profile).unwrap() + "\n// Tried.\n";
    std::fs::write(&profile, text).unwrap();
    Ambit::text(
        &tried,
        &["profile", "activate", &profile, "--layer", "owner"],
    );
    assert_eq!(scene.parties[0].ledger(), before);
    // Nor is it while somebody else has the copy open.
    let held = std::fs::File::open(tried.path().join("lock")).unwrap();
    held.lock().unwrap();
    scene.refused(&tried, &["status"], 75, &["in use"]);
    drop(held);
    // What a copy lacks is missing, whatever the original has.
    std::fs::remove_dir_all(tried.path().join("journal")).unwrap();
    scene.refused(&tried, &["status"], 1, &["is missing"]);
    running.stop();
}

#[cfg(unix)]
#[test]
fn nothing_in_a_home_is_for_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let check = || {
        let mut folders = vec![home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for found in std::fs::read_dir(folder).unwrap() {
                let found = found.unwrap();
                let metadata = found.metadata().unwrap();
                let path = found.path();
                let mode = metadata.permissions().mode();
                assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
                if metadata.is_dir() {
                    folders.push(path);
                }
            }
        }
    };
    check();
    let running = Ambit::run(home);
    Ambit::text(home, &["status"]);
    check();
    #[cfg(target_os = "linux")]
    {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = core.unwrap().split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"]);
    }
    running.stop();
    check();
}

/// The path of a Unix socket is short, that of a home need not be.
#[cfg(unix)]
#[test]
fn a_home_with_a_long_path_is_reached_too() {
    let scene = Scene::of(&["a"]);
    let name = "long".repeat(25);
    let home = scene.folder.home(&name);
    std::fs::rename(scene.parties[0].home.path(), home.path()).unwrap();
    let stated = || {
        let text = std::fs::read_to_string(home.path().join("api.json")).unwrap();
        let endpoint: serde_json::Value = serde_json::from_str(&text).unwrap();
        std::path::PathBuf::from(endpoint["socket"].as_str().unwrap())
    };
    let running = Ambit::run(&home);
    let first = stated();
    assert!(first.is_absolute() && first.exists());
    running.kill();
    let running = Ambit::run(&home);
    let second = stated();
    assert!(!first.parent().unwrap().exists() && second.exists());
    running.stop();
    assert!(!second.parent().unwrap().exists());
}

/// A node that is stopped is one that does not answer: what it committed can be read all the same.
#[cfg(unix)]
#[test]
fn a_node_that_does_not_answer_is_said_to_be_one() {
    let scene = Scene::of(&["a"]);
    let home = &scene.parties[0].home;
    let size = scene.parties[0].ledger().0;
    let running = Ambit::run(home);
    let signal = |name: &str| {
        let id = running.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([name, &id])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    scene.refused(home, &["status"], 75, &["does not answer", "try again"]);
    let status = Ambit::json(home, &["--read-only", "status"]);
    assert_eq!(status["ledger_size"], size);
    signal("-CONT");
    assert_eq!(scene.parties[0].ledger().0, size);
    running.stop();
}
