//! What it prints where, and how it exits.

use ambit_audit::{BundleWriter, MAGIC, Trust, TrustedRoot};
use ambit_ledger::{
    Body, Certificate, Checkpoint, Entry, Fingerprint, KeyCertified, KeyPurpose, Opened,
    OrganizationId, Origin, Salt, SecretKey, Time, leaf_hash, root,
};
use serde_bytes::ByteBuf;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn organization() -> OrganizationId {
    "did:web:supplier.example".parse().unwrap()
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// The smallest ledger there is, exported.
fn bundle() -> Vec<u8> {
    let certificate = Certificate {
        subject: organization(),
        root: key(1).public(),
        purpose: KeyPurpose::Checkpoint,
        key: key(2).public(),
        not_before: Time::EARLIEST,
        not_after: None,
    };
    let bodies = [
        Body::Opened(Opened {
            organization: organization(),
            name: "Supplier".parse().unwrap(),
            seat: "DE".parse().unwrap(),
            root: key(1).public().fingerprint(),
            software: "ambit 0.1.0".parse().unwrap(),
        }),
        Body::KeyCertified(KeyCertified {
            certificate: ByteBuf::from(certificate.sign(&key(1), &key(2))),
        }),
    ];
    let entries = bodies.map(|body| {
        let nonce = Salt::from_bytes([u8::try_from(body.kind()).unwrap(); 32]);
        Entry::new(nonce, Time::EARLIEST, "node".parse().unwrap(), None, &body).encode()
    });
    let leaves = entries.each_ref().map(|entry| leaf_hash(entry));
    let checkpoint = Checkpoint {
        origin: Origin::of(&organization(), &leaves[0]),
        size: 2,
        root: root(&leaves),
    };
    let note = checkpoint.sign(&key(2));
    let mut writer = BundleWriter::start(Vec::new(), &organization(), &note).unwrap();
    entries
        .iter()
        .for_each(|entry| writer.entry(entry).unwrap());
    writer.finish().unwrap()
}

fn trust_in(organization: &str, fingerprint: Fingerprint) -> String {
    let mut trust = Trust::new();
    trust.add(TrustedRoot {
        organization: organization.parse().unwrap(),
        fingerprint,
        from: Time::EARLIEST,
    });
    trust.to_toml()
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let root = key(1).public().fingerprint();
        desk.put("bundle", &bundle());
        desk.put(
            "trust",
            trust_in("did:web:supplier.example", root).as_bytes(),
        );
        desk.put("other", trust_in("did:web:other.example", root).as_bytes());
        desk
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_ambit-audit")));
        command.args(arguments.split_whitespace());
        command.current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &str) -> (i32, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

#[test]
fn each_answer_has_its_exit_code() {
    let desk = Desk::new();
    let (code, out, err) = desk.run("verify bundle --trust trust");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.starts_with("ledger of    did:web:supplier.example\n"),
        "{out}"
    );
    let said =
        "\nverified: 2 entries, 2 signatures; no decision is recorded, so none was judged again\n";
    assert!(out.ends_with(said), "{out}");
    assert_eq!(desk.run("verify bundle --trust other --trust trust").0, 0);

    // Nothing in the bundle is trusted in the place of a trust file.
    for call in [
        "verify bundle --trust other",
        "verify bundle",
        "replay bundle",
    ] {
        let (code, out, _) = desk.run(call);
        assert_eq!(code, 3, "{call}");
        assert!(
            out.contains(&key(1).public().fingerprint().to_string()),
            "{out}"
        );
    }
    let (code, out, _) = desk.run("replay bundle --trust trust");
    assert_eq!(code, 0);
    assert!(out.ends_with(said), "{out}");

    let mut bytes = bundle();
    let name = bytes.windows(8).position(|window| window == b"Supplier");
    bytes[name.unwrap()] = b'Z';
    desk.put("changed", &bytes);
    let (code, out, _) = desk.run("verify changed --trust trust");
    assert_eq!(code, 1);
    assert!(out.contains("\nintegrity (checkpoint): "), "{out}");

    desk.put("empty", b"");
    desk.put("cut", MAGIC);
    for file in ["empty", "cut", "trust", "absent"] {
        let (code, out, err) = desk.run(&format!("replay {file} --trust trust"));
        assert_eq!(code, 6, "{file}");
        assert!(out.ends_with("\nunreadable\n"), "{out}");
        assert!(
            err.starts_with(&format!("ambit-audit: failed to read `{file}`: ")),
            "{err}"
        );
    }
}

#[test]
fn mistakes_in_the_call_are_no_answer() {
    let desk = Desk::new();
    desk.put("broken", b"root = 1");
    for arguments in [
        "",
        "prove bundle --trust trust",
        "verify bundle --trust absent",
        "verify bundle --trust broken",
        "verify bundle --trust trust --output yaml",
    ] {
        let (code, out, err) = desk.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments}");
        assert!(!err.is_empty());
    }
}

/// What never ends is read to a bound only.
#[cfg(target_os = "linux")]
#[test]
fn no_more_of_a_trust_file_is_read_than_it_may_have() {
    let (code, out, err) = Desk::new().run("verify bundle --trust /dev/zero");
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    let told = "`/dev/zero`: it is longer than the 1048576 bytes that a trust file may have";
    assert!(err.contains(told), "{err}");
}

#[test]
fn programs_read_json() {
    let desk = Desk::new();
    let (code, out, _) = desk.run("verify bundle --trust trust --output json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(report["verdict"], "verified");
    assert_eq!(report["task"], "verify");
    assert_eq!(report["organization"], "did:web:supplier.example");
    assert_eq!(report["checked"]["entries"], 2);
    assert_eq!(report["checked"]["signatures"], 2);
    let (code, out, _) = desk.run("verify absent --trust trust --output json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["verdict"]), (6, &"unreadable".into()));
}

#[test]
fn programs_read_errors_as_json_too() {
    let desk = Desk::new();
    for (call, code, kind, said) in [
        (
            "verify bundle --trust absent --output json",
            2,
            "usage",
            "failed to read the trust file `absent`",
        ),
        (
            "verify absent --trust trust --output json",
            6,
            "unreadable",
            "failed to read `absent`",
        ),
        (
            "compare bundle absent --output=json",
            6,
            "unreadable",
            "failed to read `absent`",
        ),
        (
            "prove bundle --output json",
            2,
            "usage",
            "unrecognized subcommand",
        ),
    ] {
        let (found, _, err) = desk.run(call);
        assert_eq!(found, code, "{call}");
        let complaint: serde_json::Value = serde_json::from_str(&err).unwrap();
        assert_eq!(complaint["kind"], kind, "{call}");
        let error = complaint["message"].as_str().unwrap();
        assert!(error.starts_with(said), "{call}: {error}");
        assert_eq!(err.lines().count(), 1, "{call}");
    }
}

/// `root` alone is a root key's fingerprint, as in trust files; that of a tree is called so.
#[test]
fn a_root_in_json_is_said_to_be_of_a_tree() {
    let desk = Desk::new();
    let json = |call: &str| {
        let (_, out, _) = desk.run(&format!("{call} --trust trust --output json"));
        serde_json::from_str::<serde_json::Value>(&out).unwrap()
    };
    let report = json("verify bundle");
    assert_eq!(report["tree_root"].as_str().unwrap().len(), 64);
    assert_eq!(report["root"], serde_json::Value::Null);
    let compared = json("compare bundle bundle");
    assert_eq!(
        compared["bundles"][0]["signed_tree_root"],
        report["tree_root"]
    );
}

#[test]
fn shells_and_readers_are_served() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, out, err) = desk.run(&format!("completions {shell}"));
        assert_eq!((code, err.as_str()), (0, ""));
        for command in ["verify", "replay", "compare"] {
            assert!(out.contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(desk.run("man -o new/pages").0, 0);
    let page =
        |name: &str| std::fs::read_to_string(desk.0.path().join("new/pages").join(name)).unwrap();
    assert!(page("ambit-audit.1").contains("Exit codes"));
    let help = desk.run("--help").1;
    for code in [
        "6 unreadable",
        "74 the report or the pages could not be written",
    ] {
        assert!(help.contains(code), "{help}");
    }
    for command in ["verify", "replay", "compare"] {
        assert!(page(&format!("ambit-audit-{command}.1")).contains("out of band"));
    }
    let (code, _, err) = desk.run("man -o bundle");
    assert_eq!(code, 74);
    assert!(
        err.contains("failed to write the manual pages to `bundle`"),
        "{err}"
    );
}

#[test]
fn a_reader_that_hangs_up_changes_nothing() {
    let desk = Desk::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = desk
        .command("verify bundle --trust other")
        .stdout(Stdio::from(writer))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut complaints = String::new();
    let stderr = child.stderr.as_mut().unwrap();
    std::io::Read::read_to_string(stderr, &mut complaints).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(complaints, "");
}
