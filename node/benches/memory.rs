//! Memory: what a node holds resident, freshly started on the home that the demo leaves its supplier with.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

#[path = "../../tests/measure/mod.rs"]
#[expect(dead_code, reason = "this bench has no yardstick")]
mod measure;

use measure::{Row, record};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const AMBIT: &str = env!("CARGO_BIN_EXE_ambit");
/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(60);
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    if !Path::new("/proc/self/status").exists() {
        println!("skipped: this system has no /proc to read a process' resident memory from");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("plates");
    copy_home_of_demo(&home);
    let mut node = Started(
        Command::new(AMBIT)
            .arg("--home")
            .arg(&home)
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the node starts"),
    );
    let limit = Instant::now() + LIMIT;
    // Without the file the command would open the database itself.
    while !home.join("api.json").exists() || !answers(&home) {
        let ended = node.0.try_wait().expect("the node can be asked");
        assert!(
            ended.is_none() && Instant::now() < limit,
            "the node does not answer"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let resident = resident(node.0.id()) as f64 / MIB;
    record(
        "memory",
        &[Row {
            what: "resident, freshly started on the demo's supplier".to_owned(),
            measured: format!("{resident:.0} MiB"),
            bar: "≤ 64 MiB".to_owned(),
            more: "once it has answered `ambit status`".to_owned(),
        }],
    );
}

/// A process that is ended with this.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the demo up to its end, and copies the supplier's home while the three nodes are at rest.
fn copy_home_of_demo(to: &Path) {
    let mut demo = Started(
        Command::new(AMBIT)
            .arg("demo")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts"),
    );
    let out = demo.0.stdout.take().expect("its output is read");
    let mut lines = BufReader::new(out).lines();
    let from = lines
        .by_ref()
        .map(|line| line.expect("its output is text"))
        .find_map(|line| home_in(&line))
        .expect("the demo names the supplier's home");
    copy(&from, to);
    // Interrupted and not killed, so that it removes its folder.
    let interrupted = Command::new("kill")
        .args(["-INT", &demo.0.id().to_string()])
        .status();
    assert!(interrupted.expect("there is a kill").success());
    lines.for_each(drop);
    demo.0.wait().expect("the demo ends");
}

fn home_in(line: &str) -> Option<PathBuf> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "--home")?;
    words
        .next()
        .map(PathBuf::from)
        .filter(|home| home.ends_with("plates"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is made");
    let permissions = fs::metadata(from).expect("it is there").permissions();
    fs::set_permissions(to, permissions).expect("it stays private");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "api.json" {
            fs::copy(entry.path(), &target).expect("the file is copied");
        }
    }
}

fn answers(home: &Path) -> bool {
    let status = Command::new(AMBIT)
        .arg("--home")
        .arg(home)
        .arg("status")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("ambit starts").success()
}

/// The bytes of a process that lie in memory (`VmRSS` of proc_pid_status(5)).
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes
        .and_then(|number| number.parse().ok())
        .map_or(0, |number: u64| number * 1024)
}
