//! Every exit code, with the words that go with it.

use crate::fixture::{Ledger, Story, supplier, trust};
use ambit_ledger::{Body, Kind, Verdict};
use std::path::Path;
use std::process::Command;

/// A supplier's bundles in a folder: as it is, from the day before, and what its owner could have made of it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let Story {
            supplier, customer, ..
        } = Story::told();
        desk.put("trust", trust().to_toml().as_bytes());
        desk.put("bundle", &bytes(&supplier));
        desk.put("customer", &bytes(&customer));

        let mut changed = bytes(&supplier);
        let name = changed.windows(5).position(|window| window == b"Works");
        changed[name.unwrap()] = b'Z';
        desk.put("changed", &changed);
        let middle = changed.len() / 2;
        desk.put("cut", &bytes(&supplier)[..middle]);

        let mut earlier = supplier.clone();
        earlier.truncate(earlier.nth(Kind::Disclosed, 0));
        desk.put("earlier", &bytes(&earlier));
        desk.put("forged", &bytes(&forged(supplier.clone())));
        desk.put("fork", &bytes(&fork(supplier.clone())));
        let mut short = fork(supplier);
        short.truncate(short.entries.len() - 1);
        desk.put("short-fork", &bytes(&short));
        let mut second = Ledger::open(crate::fixture::supplier());
        second.entries[0].nonce = ambit_ledger::Salt::from_bytes([0xaa; 32]);
        desk.put("second", &bytes(&second));
        // The other party's bundle, passed off as the supplier's.
        let mut foreign = customer;
        foreign.keys.organization = supplier_id();
        desk.put("foreign", &bytes(&foreign));
        desk
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &str) -> (i32, String, String) {
        let output = Command::new(Path::new(env!("CARGO_BIN_EXE_ambit-audit")))
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

fn supplier_id() -> ambit_ledger::OrganizationId {
    supplier().organization
}

fn bytes(ledger: &Ledger) -> Vec<u8> {
    ledger.export()
}

/// What policy withheld is passed off as undecided, with every signature in place.
fn forged(mut ledger: Ledger) -> Ledger {
    ledger.truncate(ledger.nth(Kind::Decided, 1) + 2);
    ledger.alter_decision(1, |decision| {
        for verdict in &mut decision.verdicts {
            verdict.verdict = Verdict::Undecided;
        }
    });
    ledger.alter(ledger.entries.len() - 1, |body| {
        let Body::Withheld(body) = body else { panic!() };
        body.undecided = true;
    });
    ledger
}

/// The same ledger up to its last entry but one, which happened otherwise: signed as well.
fn fork(mut ledger: Ledger) -> Ledger {
    let last = ledger.entries.len() - 2;
    ledger.entries[last].nonce = ambit_ledger::Salt::from_bytes([0xee; 32]);
    ledger
}

#[test]
fn every_exit_code_has_its_cause_and_its_words() {
    let desk = Desk::new();
    for (call, code, out, err) in [
        (
            "verify bundle --trust trust",
            0,
            "; 3 decisions not judged again\n",
            "",
        ),
        (
            "replay bundle --trust trust",
            0,
            "; 3 decisions judged again\n",
            "",
        ),
        (
            "compare bundle earlier --trust trust",
            0,
            "one is the beginning of the other",
            "",
        ),
        (
            "verify changed --trust trust",
            1,
            "\nintegrity failure\n",
            "",
        ),
        (
            "verify foreign --trust trust",
            1,
            "the bundle is of `did:web:supplier.example`, the ledger of `did:web:customer.example`",
            "",
        ),
        (
            "compare changed bundle --trust trust",
            1,
            "says of each bundle what is wrong",
            "",
        ),
        ("prove bundle", 2, "", "unrecognized subcommand"),
        (
            "verify bundle --trust absent",
            2,
            "",
            "failed to read the trust file `absent`",
        ),
        (
            "compare bundle customer --trust trust",
            2,
            "",
            "the bundles are of `did:web:supplier.example` and of `did:web:customer.example`; only two",
        ),
        (
            "compare bundle second --trust trust",
            2,
            "",
            "two ledgers that `did:web:supplier.example` opened one beside the other",
        ),
        (
            "verify bundle",
            3,
            "obtain the root fingerprint of `did:web:supplier.example` out of band",
            "",
        ),
        (
            "compare bundle fork",
            3,
            "no checkpoint that a trusted key signed",
            "",
        ),
        (
            "replay forged --trust trust",
            4,
            "\na decision replays differently\n",
            "",
        ),
        (
            "compare bundle fork --trust trust",
            5,
            "its owner signed two histories",
            "",
        ),
        (
            "compare short-fork bundle --trust trust",
            5,
            "\nequivocation proved\n",
            "",
        ),
        (
            "verify cut --trust trust",
            6,
            "\nunreadable\n",
            "failed to read `cut`",
        ),
        (
            "compare bundle absent --trust trust",
            6,
            "",
            "failed to read `absent`",
        ),
    ] {
        let (found, told, complained) = desk.run(call);
        assert_eq!(found, code, "{call}: {told}{complained}");
        assert!(told.contains(out), "{call}: {told}");
        assert!(complained.contains(err), "{call}: {complained}");
        assert_eq!(told.is_empty(), out.is_empty(), "{call}: {told}");
        assert_eq!(
            complained.is_empty(),
            err.is_empty(),
            "{call}: {complained}"
        );
    }
}

#[test]
fn a_fork_is_proved_by_two_signatures_and_nothing_less() {
    let desk = Desk::new();
    let compare = |call: &str| {
        let (code, out, _) = desk.run(&format!("{call} --trust trust --output json"));
        (
            code,
            serde_json::from_str::<serde_json::Value>(&out).unwrap(),
        )
    };
    let fork = fork(Story::told().supplier);
    let (size, last) = (fork.entries.len(), fork.entries.len() - 2);
    let (code, found) = compare("compare bundle fork");
    assert_eq!(code, 5);
    assert_eq!(found["verdict"], "equivocation");
    assert_eq!(found["equivocation"]["size"], size);
    assert_eq!(found["equivocation"]["entry"], last);
    // In either order, and whichever is longer.
    let (_, found) = compare("compare bundle short-fork");
    assert_eq!(found["equivocation"]["size"], size - 1);
    assert_eq!(found["equivocation"]["entry"], last);
    // A stranger who changes an entry or the checkpoint proves nothing against the owner.
    let (code, found) = compare("compare bundle changed");
    assert_eq!(
        (code, &found["equivocation"]),
        (1, &serde_json::Value::Null)
    );
    // A line beside the signature that another of the owner's keys did not make hides nothing.
    let mut masked = fork;
    let second = ambit_ledger::SecretKey::from_seed(&[99; 32]);
    let later = crate::fixture::time("2036-01-01T00:00:00Z");
    let purpose = ambit_ledger::KeyPurpose::Checkpoint;
    let certificate = supplier().certificate_from(purpose, &second, later);
    masked.push(Body::KeyCertified(ambit_ledger::KeyCertified {
        certificate,
    }));
    let note = masked.checkpoint();
    let (text, _) = note.split_once("\n\n").unwrap();
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap();
    let (origin, size, _) = (next(), next(), next());
    let named = ambit_ledger::Checkpoint {
        origin: ambit_ledger::Origin::claimed(&note, &supplier_id()).unwrap(),
        size: size.parse().unwrap(),
        // Of another tree, so that the line names the key and does not verify.
        root: ambit_ledger::Digest::of(origin.as_bytes()),
    };
    let named = named.sign(&second);
    let line = named.lines().last().unwrap();
    desk.put("masked", &masked.export_under(&format!("{note}{line}\n")));
    let (code, _, _) = desk.run("verify masked --trust trust");
    assert_eq!(code, 0);
    assert_eq!(compare("compare bundle masked").0, 5);
    // Without two signed checkpoints nothing was compared, and nothing is verified.
    let stranger = desk.run("compare bundle fork");
    assert_eq!(stranger.0, 3);
    assert!(
        stranger.1.contains("the two could not be compared"),
        "{}",
        stranger.1
    );
    // What has the same beginning as either part of a fork contradicts neither.
    for call in [
        "compare bundle earlier",
        "compare fork earlier",
        "compare bundle bundle",
    ] {
        let (_, found) = compare(call);
        assert_eq!(found["equivocation"], serde_json::Value::Null, "{call}");
    }
}

#[test]
fn a_limit_ends_with_evidence_incomplete_and_is_named() {
    let desk = Desk::new();
    for command in ["verify", "replay"] {
        let call = format!("{command} bundle --trust trust");
        let (code, out, err) = desk.run(&format!("{call} --limit-mib 1"));
        assert_eq!((code, err.as_str()), (3, ""));
        assert!(out.contains("limit"), "{out}");
        assert!(out.contains("memory: it takes more than 1 MiB"), "{out}");
        assert!(out.ends_with("evidence incomplete\n"), "{out}");
        let (code, out, _) = desk.run(&format!("{call} --limit-mib 1 --output json"));
        assert_eq!(code, 3);
        assert!(out.contains(r#""rule": "limit""#), "{out}");
        for wider in ["--limit-mib 4096", "--limit-mib 0", "--limit-seconds 0"] {
            let (code, ..) = desk.run(&format!("{call} {wider}"));
            assert_eq!(code, 0, "{wider}");
        }
    }
    let compare = "compare bundle earlier --trust trust";
    let (code, _, err) = desk.run(&format!("{compare} --limit-mib 1"));
    assert_eq!(code, 3);
    assert!(err.contains("more than 1 MiB"), "{err}");
    let (code, ..) = desk.run(&format!("{compare} --limit-mib 4096 --limit-seconds 60"));
    assert_eq!(code, 0);
}
