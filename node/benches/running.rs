//! Running: an import through a node that runs, of the same import into a node that does not.
//!
//! Both are the real command on the same file. The first is given to a node that runs, whose peer does not: what is
//! disclosed waits in the outbox at either. The rounds take turns, each with files of its own.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

#[expect(dead_code, reason = "this bench imports files")]
mod bed;
#[path = "../../tests/measure/mod.rs"]
mod measure;
#[expect(dead_code, reason = "this bench measures no processor time")]
mod process;

use bed::Bed;
use measure::{Ratio, Row, many_or, rate, record};
use process::{Running, call};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ROUNDS: usize = 5;
/// Rows in one file: an observation for each, and a second or two of work.
const ROWS: usize = 8_192;
/// And in a short run.
const ROWS_FEW: usize = 64;

const MAP: &str = r#"delimiter = ","

[time]
column = "t"
zone = "in-value"

[facts]
source = "cmm-1"
submodel = "urn:shop.example:submodel:1"
semantic_id = "urn:shop.example:inspection"
data_class = "inspection-result"
trade_secret = false
program = { assigner = "did:web:one.example", value = "F-ONE" }
export_control = { determined = true, itar = false, eccn = "EAR99" }

[facts_columns]
serial = "serial"
"#;

const COLUMNS: usize = 16;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let homes = ["running", "alone"].map(|name| {
        let folder = folder.path().join(name);
        drop(Bed::make(&folder));
        folder.join("shop")
    });
    let map = folder.path().join("map.toml");
    std::fs::write(&map, map_text()).expect("the map is written");
    let running = Running::start(&homes[0]);
    let count = many_or(ROWS_FEW, ROWS);
    let import = |home: &Path, next: &mut usize| {
        let file = rows(folder.path(), *next, count);
        *next += count;
        rate(count, || {
            let file = file.to_str().expect("a path is text");
            let map = map.to_str().expect("a path is text");
            let done = call(home, &["import", file, "--map", map]).status();
            assert!(done.expect("the command runs").success());
        })
    };
    let mut rates = Vec::new();
    let (mut through, mut alone) = (0, 0);
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            let rate = import(&homes[0], &mut through);
            rates.push(rate);
            rate
        },
        || import(&homes[1], &mut alone),
    );
    drop(running);
    if rates.len() > 1 {
        // The first round warmed up.
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    let middle = rates.get(rates.len() / 2).expect("a round was made");
    let stated = format!("{middle:.0} observations/s");
    let what = "an import through a running node, of one that does not run";
    record(
        "running",
        &[ratio.row(what, 1.0 / 1.3), Row::stated("the same", stated)],
    );
}

fn map_text() -> String {
    let mut map = MAP.to_owned();
    for column in 0..COLUMNS {
        let _ = write!(
            map,
            "\n[[column]]\nname = \"d{column}\"\npath = \"Diameter{column:02}\"\nvalue_type = \"xs:double\"\n"
        );
    }
    map
}

/// A file of rows that differ from those of every other, each with its own serial number.
fn rows(folder: &Path, from: usize, count: usize) -> PathBuf {
    let mut text = "t,serial".to_owned();
    for column in 0..COLUMNS {
        let _ = write!(text, ",d{column}");
    }
    text.push('\n');
    for number in from..from + count {
        let (minute, second) = (number / 60 % 60, number % 60);
        let hour = number / 3_600 % 24;
        let _ = write!(
            text,
            "2017-07-11T{hour:02}:{minute:02}:{second:02}Z,S-{number:08}"
        );
        for column in 0..COLUMNS {
            let _ = write!(text, ",{}.{:04}", 10 + column, number % 10_000);
        }
        text.push('\n');
    }
    let path = folder.join(format!("{from}.csv"));
    std::fs::write(&path, text).expect("the rows are written");
    path
}
