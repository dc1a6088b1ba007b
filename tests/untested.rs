//! The closing line of `cargo test --workspace`: how many tests were skipped, and which. Not a test: it runs after those
//! of this package, which is after those of all packages that skip any.

#![expect(
    clippy::unwrap_used,
    reason = "it stops at the first surprise, as a test does"
)]

#[expect(dead_code, reason = "it skips nothing")]
mod skipping;

fn main() {
    let folder = skipping::folder();
    let mut lines: Vec<String> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect(),
        Err(_) => Vec::new(),
    };
    lines.sort();
    match lines.len() {
        0 => println!("0 tests skipped"),
        1 => println!("1 test skipped:"),
        count => println!("{count} tests skipped:"),
    }
    lines.iter().for_each(|line| print!("  {line}"));
    // What is counted is not counted again.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
