//! Starting: a node on a home with many readings, after it was killed and after it was stopped, and building its database again.
//!
//! Both starts are the real command until the node answers, in turns: it is started after a stop, imports a file, is killed, and is
//! started again.

#![expect(
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

mod bed;
#[path = "../../tests/measure/mod.rs"]
#[expect(dead_code, reason = "this bench has rounds of its own")]
mod measure;
#[expect(dead_code, reason = "this bench measures no processor time")]
mod process;

use ambit_node::clock;
use ambit_node::node::Node;
use bed::Bed;
use measure::{Ratio, Row, many_or, rate, record};
use process::{MAP, Running, call};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

const ROUNDS: usize = 3;
/// Readings of one observation.
const READINGS: usize = 64;
/// Observations: some ten million readings.
const OBSERVATIONS: usize = 156_250;
/// Drafts in one operation, as `ambit import` gives them.
const GIVEN_MAX: usize = 1_024;
/// Rows of the file that is imported before each kill.
const ROWS: usize = 2_000;

/// The column of values.
const COLUMN: &str = r#"
[[column]]
name = "Value"
path = "Value"
value_type = "xs:double"
"#;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let Bed { supplier, customer } = Bed::make(folder.path());
    drop(customer);
    let home = folder.path().join("shop");
    let ingest = ingest(&supplier);
    drop(supplier);
    let starts = starts(folder.path(), &home);
    let entries = Node::open(&home).expect("the home opens").store().size();
    let rebuilt = rate(entries as usize, || {
        let done = call(&home, &["store", "rebuild"]).status();
        assert!(done.expect("the command runs").success());
    });
    record(
        "starting",
        &[
            Row {
                bar: "≤ 2.00".to_owned(),
                ..starts.row("a start after a kill, of one after a stop", 0.0)
            },
            Row {
                what: "entries built again from the journal, of entries observed".to_owned(),
                measured: format!("{:.2}", rebuilt / ingest),
                bar: "≥ 0.50".to_owned(),
                more: format!("{rebuilt:.0} to {ingest:.0} a second"),
            },
        ],
    );
}

/// Observes, and returns how many entries a second that makes: an observation and its disclosure each.
fn ingest(supplier: &Node) -> f64 {
    let before = supplier.store().size();
    let count = many_or(64, OBSERVATIONS);
    let mut entries = 0;
    let observed = rate(count, || {
        let mut next = 0;
        while next < count {
            let given = GIVEN_MAX.min(count - next);
            let drafts = bed::drafts("one", next as u64, given as u64, READINGS, u64::MAX);
            supplier
                .observe(drafts, true, clock::now())
                .expect("observed");
            next += given;
        }
        entries = supplier.store().size() - before;
    });
    observed * entries as f64 / count as f64
}

/// How long a start after a kill takes, of one after a stop, in each round.
fn starts(folder: &Path, home: &Path) -> Ratio {
    let map = folder.join("map.toml");
    std::fs::write(&map, format!("{MAP}{COLUMN}")).expect("the map is written");
    let start = || {
        let begun = Instant::now();
        let running = Running::start(home);
        (begun.elapsed().as_secs_f64(), running)
    };
    let mut next = 0;
    let rounds = (0..many_or(1, ROUNDS)).map(|_| {
        let (after_stop, running) = start();
        let file = file_of_rows(folder, next);
        next += many_or(64, ROWS);
        let (file, map) = (text(&file), text(&map));
        let done = call(home, &["import", file, "--map", map]).status();
        assert!(done.expect("the command runs").success());
        drop(running);
        let (after_kill, running) = start();
        running.stop();
        after_kill / after_stop
    });
    Ratio::of(rounds.collect())
}

fn file_of_rows(folder: &Path, next: usize) -> PathBuf {
    let mut rows = "t,serial,Value\n".to_owned();
    for number in next..next + many_or(64, ROWS) {
        let (minute, second) = (number / 60 % 60, number % 60);
        let hour = number / 3_600 % 24;
        let _ = writeln!(
            rows,
            "2017-08-01T{hour:02}:{minute:02}:{second:02}Z,R-{number},{number}.5"
        );
    }
    let path = folder.join("rows.csv");
    std::fs::write(&path, rows).expect("the file is written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of this bench is text")
}
