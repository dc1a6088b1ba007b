//! Key files as other programs read and write them.

use crate::samples;
use ambit_ledger::{SealKey, SecretKey};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a program with this input. None where it is not installed, which a person is told.
fn run(program: &str, arguments: &[&str], input: &str) -> Option<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        skipped(&format!("`{program}` is not installed"));
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaint}");
    Some(output.stdout)
}

/// Past the harness, which keeps what passing tests print to itself.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: a key file: {why}");
}

#[test]
fn openssl_reads_what_is_written_and_writes_what_is_read() {
    let key = samples::forge_key();
    let arguments = ["pkey", "-pubout", "-outform", "DER"];
    let Some(public) = run("openssl", &arguments, &key.to_pem()) else {
        return;
    };
    // The last 32 bytes of a public key's DER are the key (RFC 8410 §4).
    assert!(public.ends_with(key.public().as_bytes()));

    let written = run("openssl", &["genpkey", "-algorithm", "ed25519"], "").unwrap();
    let written = String::from_utf8(written).unwrap();
    let read = SecretKey::from_pem(&written).unwrap();
    let public = run("openssl", &arguments, &written).unwrap();
    assert!(public.ends_with(read.public().as_bytes()));
    assert_eq!(*read.to_pem(), written);

    // The same of a key that others seal to.
    let key = samples::forge_seal();
    let public = run("openssl", &arguments, &key.to_pem()).unwrap();
    assert!(public.ends_with(key.public().as_bytes()));
    let written = run("openssl", &["genpkey", "-algorithm", "x25519"], "").unwrap();
    let written = String::from_utf8(written).unwrap();
    let read = SealKey::from_pem(&written).unwrap();
    let public = run("openssl", &arguments, &written).unwrap();
    assert!(public.ends_with(read.public().as_bytes()));
    assert_eq!(*read.to_pem(), written);
    // Neither is ever taken for the other.
    assert!(SecretKey::from_pem(&written).is_err());
    assert!(SealKey::from_pem(&samples::forge_key().to_pem()).is_err());
}

#[test]
fn python_cryptography_reads_what_is_written() {
    const READ: &str = "
import sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(sys.stdin.buffer.read(), None)
sys.stdout.write(key.public_key().public_bytes_raw().hex())
";
    let probe = Command::new("python3")
        .args(["-c", "import cryptography"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skipped("`python3` with `cryptography` is not installed");
        return;
    }
    let key = samples::forge_key();
    let public = run("python3", &["-c", READ], &key.to_pem()).unwrap();
    assert_eq!(String::from_utf8(public).unwrap(), key.public().to_string());
    let key = samples::forge_seal();
    let public = run("python3", &["-c", READ], &key.to_pem()).unwrap();
    assert_eq!(String::from_utf8(public).unwrap(), key.public().to_string());
}
