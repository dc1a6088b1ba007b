//! Memory: what a node holds resident, freshly started on the home that the demo leaves its supplier with, and one through which
//! machine logs were imported.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

#[path = "../../tests/measure/mod.rs"]
#[expect(dead_code, reason = "this bench has no yardstick")]
mod measure;

use jiff::{SignedDuration, Timestamp};
use measure::{Row, many_or, record};
use std::fmt::Write as _;
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
    let node = started(&home);
    let fresh = resident(node.0.id()) as f64 / MIB;
    drop(node);
    let [first, second] = imported(folder.path());
    let row = |what: &str, measured: String, bar: &str, more: &str| Row {
        what: what.to_owned(),
        measured,
        bar: bar.to_owned(),
        more: more.to_owned(),
    };
    record(
        "memory",
        &[
            row(
                "resident, freshly started on the demo's supplier",
                format!("{fresh:.0} MiB"),
                "≤ 64 MiB",
                "once it has answered `ambit status`",
            ),
            row(
                "resident, after two imports of a log through it",
                format!("{second:.0} MiB"),
                "≤ 160 MiB",
                "each of 1,000,000 rows of 5 values, 53 MB",
            ),
            row(
                "the same, to that after the first of them",
                format!("{:.2}", second / first),
                "≤ 1.10",
                "",
            ),
        ],
    );
}

/// A node that runs for a home, and answers.
fn started(home: &Path) -> Started {
    let mut node = Started(
        Command::new(AMBIT)
            .arg("--home")
            .arg(home)
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the node starts"),
    );
    let limit = Instant::now() + LIMIT;
    // Without the file the command would open the database itself.
    while !home.join("api.json").exists() || !answers(home) {
        let ended = node.0.try_wait().expect("the node can be asked");
        assert!(
            ended.is_none() && Instant::now() < limit,
            "the node does not answer"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    node
}

/// What a node holds resident after each of two imports through it, in MiB.
fn imported(folder: &Path) -> [f64; 2] {
    let (home, map) = (folder.join("shop"), folder.join("map.toml"));
    let organization = "did:web:shop.example";
    let init = [
        "init",
        "--org",
        organization,
        "--name",
        "Shop",
        "--country",
        "DE",
    ];
    call(&home, &init.map(str::to_owned));
    fs::write(&map, MAP).expect("the map is written");
    let node = started(&home);
    [1, 2].map(|number| {
        let log = folder.join(format!("log-{number}.csv"));
        fs::write(&log, log_of(many_or(1_000, 1_000_000), number)).expect("the log is written");
        let paths = ["import", text(&log), "--map", text(&map), "--fact"];
        let owner = format!("owner={organization}");
        call(&home, &[&paths.map(str::to_owned)[..], &[owner]].concat());
        fs::remove_file(log).expect("the log is removed");
        resident(node.0.id()) as f64 / MIB
    })
}

const MAP: &str = r#"
[time]
column = "time"
zone = "in-value"
[facts]
source = "cnc-1"
submodel = "urn:example:log"
semantic_id = "urn:example:machine-log"
data_class = "process-ip"
trade_secret = false
[[column]]
name = "Speed"
path = "Speed"
value_type = "xs:long"
[[column]]
name = "Load"
path = "Load"
value_type = "xs:double"
[[column]]
name = "Temperature"
path = "Temperature"
value_type = "xs:double"
[[column]]
name = "X"
path = "X"
value_type = "xs:double"
[[column]]
name = "Y"
path = "Y"
value_type = "xs:double"
"#;

/// A log of two rows a second, from midnight of a day of May on.
fn log_of(rows: usize, day: u64) -> String {
    let mut log = "time,Speed,Load,Temperature,X,Y\n".to_owned();
    let begun: Timestamp = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let mut random = day;
    for row in 0..rows {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(day | 1);
        let draw = |below: u64| (random >> 33) % below;
        let half_seconds = i64::try_from(row).expect("a number of rows");
        let since = (i64::try_from(day).expect("a day") - 1) * 864_000_000 + half_seconds * 500;
        let at = begun + SignedDuration::from_millis(since);
        let (speed, load, warm) = (1_200 + draw(50), draw(100), 200 + draw(370));
        let (x, y) = (draw(100_000), draw(99_991));
        let _ = writeln!(
            log,
            "{at:.3},{speed},{}.{},{}.{},{}.{:03},{}.{:03}",
            load / 10,
            load % 10,
            warm / 10,
            warm % 10,
            x / 1_000,
            x % 1_000,
            y / 1_000,
            y % 1_000,
        );
    }
    log
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of this bench is text")
}

fn call(home: &Path, arguments: &[String]) {
    let called = Command::new(AMBIT)
        .arg("--home")
        .arg(home)
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    assert!(called.expect("ambit starts").success(), "{arguments:?}");
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
        } else if entry.path().is_file() && entry.file_name() != "api.json" {
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
