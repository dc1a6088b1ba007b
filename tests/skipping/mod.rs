//! Tests that cannot be run on a machine say so where a person sees it: at once, and counted in one line at the end of
//! `cargo test --workspace`, which `tests/untested.rs` prints.

use std::io::Write as _;
use std::path::PathBuf;

/// Says that a test, or a part of one, is skipped, and why.
pub fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {}\n", why.trim());
    // The harness keeps what `println!` and `eprintln!` write to itself unless the test fails; this it does not.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let folder = folder();
    let name = test.replace(|letter: char| !letter.is_alphanumeric(), "-");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), line).unwrap();
}

/// Where the lines of the skipped tests are kept until they are counted, beside the programs of this build.
pub fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    // Test programs lie in `deps` of the build's own folder.
    let build = program.ancestors().nth(2).unwrap();
    build.join("skipped-tests")
}
