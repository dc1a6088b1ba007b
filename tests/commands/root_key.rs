//! The root key is copied under a passphrase, taken out of the home, and put back; a node runs meanwhile, or does not.

use crate::skipping::skip;
use crate::support::{Ambit, Folder, LIMIT, Party, text, wait_until};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const PASSPHRASE: &str = "correct horse battery";

struct Scene {
    folder: Folder,
    party: Party,
    /// The one line of this file is [`PASSPHRASE`].
    passphrase: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = Folder::new();
        let party = Party::new(&folder, "a");
        let passphrase = private(&folder, "passphrase", PASSPHRASE);
        Self {
            folder,
            party,
            passphrase,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.party.home.path().join("keys/root.key")
    }

    /// Where `key show` says that the root is.
    #[track_caller]
    fn kept(&self) -> String {
        let shown = Ambit::json(&self.party.home, &["key", "show"]);
        shown["root_kept"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn export(&self, name: &str) -> PathBuf {
        let file = self.path(name);
        let export = ["key", "root", "export", "-o", text(&file)];
        let passphrase = ["--passphrase-file", text(&self.passphrase)];
        Ambit::text(&self.party.home, &[&export[..], &passphrase].concat());
        file
    }
}

/// A file that only its owner may read.
fn private(folder: &Folder, name: &str, line: &str) -> PathBuf {
    let path = folder.path().join(name);
    let content = format!("{line}\n");
    ambit_node::platform::write_private(&path, content.as_bytes()).unwrap();
    path
}

/// Copied, taken out, put back, and taken out again.
#[track_caller]
fn goes_round(scene: &Scene) {
    let home = &scene.party.home;
    let plain = std::fs::read_to_string(scene.root()).unwrap();
    let secret = plain.lines().nth(1).unwrap();
    let file = scene.export("kept.key");
    assert!(ambit_node::platform::check_private(&file).unwrap());
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert!(!written.contains(secret));

    let of_file = ["--passphrase-file", text(&scene.passphrase)];
    let remove = ["key", "root", "remove", "--copy", text(&file)];
    let remove = [&remove[..], &of_file].concat();
    let put = ["key", "root", "use", text(&file)];
    let put = [&put[..], &of_file].concat();
    assert_eq!(scene.kept(), "in-home");
    let output = Ambit::call(home, &remove);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    for word in [
        "certifies all other keys",
        "whoever has it is the organization",
        "such as backups, hold it still",
    ] {
        assert!(told.contains(word), "{told}");
    }
    #[cfg(unix)]
    assert!(!told.contains("were not overwritten"), "{told}");
    assert!(!scene.root().exists());
    assert_eq!(scene.kept(), "elsewhere");
    // It was there once; a second time there is nothing to take out.
    assert_eq!(Ambit::call(home, &remove).status.code(), Some(5));

    // It comes back as it is in the file: under its passphrase.
    let used = Ambit::json(home, &put);
    assert_eq!(used["passphrase"], true);
    assert_eq!(scene.kept(), "in-home-under-passphrase");
    assert_eq!(std::fs::read_to_string(scene.root()).unwrap(), written);
    let again = scene.path("again.key");
    let export = ["key", "root", "export", "--no-passphrase", "-o"];
    let opened = ["--root-passphrase-file", text(&scene.passphrase)];
    Ambit::text(home, &[&export[..], &[text(&again)], &opened].concat());
    assert_eq!(std::fs::read_to_string(&again).unwrap(), plain);
    // One in the place of another, and of a copy of it.
    Ambit::text(home, &["key", "root", "use", text(&again)]);
    assert_eq!(std::fs::read_to_string(scene.root()).unwrap(), plain);
    assert_eq!(scene.kept(), "in-home");
    Ambit::text(home, &remove);
    std::fs::remove_file(&again).unwrap();
    let export = [&export[..], &[text(&again)]].concat();
    let from = ["--root-key", text(&file)];
    Ambit::text(home, &[&export[..], &from, &opened].concat());
    assert_eq!(std::fs::read_to_string(&again).unwrap(), plain);
    let left = std::fs::read_dir(scene.root().parent().unwrap()).unwrap();
    assert_eq!(left.count(), 6);
}

#[test]
fn the_root_key_goes_out_of_the_home_and_comes_back() {
    let scene = Scene::new();
    goes_round(&scene);
    // All else goes on without it.
    Ambit::text(&scene.party.home, &["key", "card"]);
    drop(Ambit::run(&scene.party.home));
}

#[test]
fn the_root_key_goes_out_beside_a_running_node() {
    let scene = Scene::new();
    let running = Ambit::run(&scene.party.home);
    goes_round(&scene);
    let log = running.stderr();
    assert!(!log.contains(PASSPHRASE) && !log.contains("WARN"), "{log}");
}

#[test]
fn a_root_key_that_cannot_be_used_stops_nothing_else() {
    let scene = Scene::new();
    let home = &scene.party.home;
    let file = scene.export("kept.key");
    let whole = std::fs::read_to_string(&file).unwrap();
    let half: String = whole.split_inclusive('\n').take(3).collect();
    for (content, reason) in [
        ("xx", "not an Ed25519 private key in PKCS #8 PEM"),
        (&half, "not a whole private key under a passphrase"),
    ] {
        std::fs::write(scene.root(), content).unwrap();
        for command in [&["status"][..], &["key", "show"]] {
            let output = Ambit::call(home, command);
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{told}");
            for word in ["root.key", reason, "key root use FILE`"] {
                assert!(told.contains(word), "no `{word}` in: {told}");
            }
        }
        let running = Ambit::run(home);
        assert!(running.stderr().contains(reason), "{}", running.stderr());
        let shown = Ambit::text(home, &["key", "show"]);
        assert!(shown.contains("cannot be used: `"), "{shown}");
        let export = ["key", "root", "export", "--no-passphrase", "-o"];
        let none = scene.path("none.key");
        let output = Ambit::call(home, &[&export[..], &[text(&none)]].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains(reason) && told.contains("from a backup"),
            "{told}"
        );
        assert!(!none.exists());
    }
    // One that is whole takes its place, and what is damaged may be taken out.
    let of_file = ["--passphrase-file", text(&scene.passphrase)];
    let put = ["key", "root", "use", text(&file)];
    Ambit::text(home, &[&put[..], &of_file].concat());
    assert_eq!(scene.kept(), "in-home-under-passphrase");
    std::fs::write(scene.root(), "xx").unwrap();
    let remove = ["key", "root", "remove", "--copy", text(&file)];
    Ambit::text(home, &[&remove[..], &of_file].concat());
    assert_eq!(scene.kept(), "elsewhere");
}

#[test]
fn no_passphrase_and_no_secret_key_is_in_what_is_written() {
    let scene = Scene::new();
    let home = &scene.party.home;
    let plain = std::fs::read_to_string(scene.root()).unwrap();
    let secret = plain.lines().nth(1).unwrap();
    let file = scene.path("kept.key");
    let of_file = ["--passphrase-file", text(&scene.passphrase)];
    for command in [
        vec!["key", "root", "export", "-vv", "-o", text(&file)],
        vec!["key", "root", "remove", "-vv", "--copy", text(&file)],
        vec!["key", "root", "use", "-vv", text(&file)],
    ] {
        let output = Ambit::call(home, &[&command[..], &of_file].concat());
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(output.status.success(), "{told}");
        assert!(!told.contains(PASSPHRASE), "{command:?}");
        assert!(!told.contains(secret), "{command:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_has_another_name_is_not_overwritten() {
    let scene = Scene::new();
    let plain = std::fs::read_to_string(scene.root()).unwrap();
    let other = scene.path("backup-of-the-home.key");
    std::fs::hard_link(scene.root(), &other).unwrap();
    let file = scene.export("kept.key");
    let of_file = ["--passphrase-file", text(&scene.passphrase)];
    let remove = ["key", "root", "remove", "--copy", text(&file)];
    let output = Ambit::call(&scene.party.home, &[&remove[..], &of_file].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("were not overwritten"), "{told}");
    assert!(!scene.root().exists());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), plain);
}

#[test]
fn openssl_opens_what_is_exported_and_the_other_way_round() {
    let name = "openssl_opens_what_is_exported_and_the_other_way_round";
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().ok()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {arguments:?}: {told}");
        Some(String::from_utf8(output.stdout).unwrap())
    };
    if openssl(&["version"]).is_none() {
        skip(name, "there is no openssl");
        return;
    }
    let scene = Scene::new();
    let file = scene.export("kept.key");
    let passphrase = format!("file:{}", text(&scene.passphrase));
    let opened = openssl(&["pkcs8", "-in", text(&file), "-passin", &passphrase]).unwrap();
    assert_eq!(opened, std::fs::read_to_string(scene.root()).unwrap());
    // Under the means that its versions take by themselves.
    let of_file = ["--passphrase-file", text(&scene.passphrase)];
    for (name, means) in [("scrypt.key", &["-scrypt"][..]), ("pbkdf2.key", &[])] {
        let (root, made) = (scene.root(), scene.path(name));
        let convert = ["pkcs8", "-topk8", "-in", text(&root), "-out", text(&made)];
        openssl(&[&convert[..], &["-passout", &passphrase], means].concat()).unwrap();
        let put = ["key", "root", "use", text(&made)];
        Ambit::text(&scene.party.home, &[&put[..], &of_file].concat());
        assert_eq!(scene.kept(), "in-home-under-passphrase");
        std::fs::write(scene.root(), &opened).unwrap();
    }
}

/// What is typed is not shown, a mistyped one is asked for again, and a repetition that differs writes nothing.
#[cfg(target_os = "linux")]
#[test]
fn passphrases_are_asked_for_at_the_terminal() {
    let name = "passphrases_are_asked_for_at_the_terminal";
    let scene = Scene::new();
    let program = Ambit::program().display();
    let home = scene.party.home.path().display();
    let terminal = scene.path("terminal");
    let is_hidden = || {
        let name = std::fs::read_to_string(&terminal).unwrap();
        let output = Command::new("stty")
            .args(["-a", "-F", name.trim()])
            .output();
        String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .contains("-echo ")
    };
    // Each line is typed once it was asked for, and the terminal shows nothing of it.
    let typing = |command: &str, lines: &[&str]| {
        let call = format!(
            "tty > {}; {program} --home {home} {command}",
            text(&terminal)
        );
        let mut script = Command::new("script");
        script.args(["-qec", &call, "/dev/null"]);
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().ok()?;
        let (mut typed, mut shown) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut told, mut chunk, mut lines) = (Vec::new(), [0; 512], lines.iter());
        while let Ok(count @ 1..) = shown.read(&mut chunk) {
            told.extend_from_slice(&chunk[..count]);
            if told.ends_with(b": ")
                && let Some(line) = lines.next()
            {
                wait_until(LIMIT, "nothing to be shown", is_hidden);
                writeln!(typed, "{line}").unwrap();
            }
        }
        let code = child.wait().unwrap().code().unwrap();
        assert_eq!(lines.next(), None, "{command}");
        Some((code, String::from_utf8_lossy(&told).into_owned()))
    };
    let Some((code, _)) = typing("--version", &[]) else {
        skip(name, "there is no script, which makes terminals");
        return;
    };
    assert_eq!(code, 0);
    let file = scene.path("kept.key");
    let export = format!("key root export -o {}", text(&file));
    let (code, told) = typing(&export, &[PASSPHRASE, "correct horse batterie"]).unwrap();
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("its repetition differ"), "{told}");
    assert!(!file.exists());
    let (code, told) = typing(&export, &[PASSPHRASE, PASSPHRASE]).unwrap();
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("A passphrase for "), "{told}");
    assert!(!told.contains("horse"), "{told}");
    let remove = format!("key root remove --copy {}", text(&file));
    let (code, told) = typing(&remove, &["one", "two", "three"]).unwrap();
    assert_eq!(code, 6, "{told}");
    assert!(told.contains("the passphrase does not open it"), "{told}");
    assert!(scene.root().exists());
    let (code, told) = typing(&remove, &["mistyped", PASSPHRASE]).unwrap();
    assert_eq!(code, 0, "{told}");
    assert_eq!(told.matches("Passphrase of ").count(), 2, "{told}");
    assert!(!told.contains("horse"), "{told}");
    assert!(!scene.root().exists());
}
