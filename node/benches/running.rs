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
#[expect(
    dead_code,
    reason = "this bench measures no processor time, and stops no node"
)]
mod process;

use ambit_node::clock;
use ambit_node::node::Node;
use bed::{Bed, settings};
use measure::{Ratio, Row, many_or, rate, record};
use process::{MAP, Running, call};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ROUNDS: usize = 5;
/// An import through a running node takes at most 1.3 times as long.
const BAR: f64 = 1.0 / 1.3;
/// Rows in one file: an observation for each, and a second or two of work.
const ROWS: usize = 8_192;
/// And in a short run.
const ROWS_FEW: usize = 64;

/// The columns of values, with an agreement to judge each row for.
const COLUMNS: usize = 16;
/// And of a wide file that nobody is to have: then what counts is how the values come to the node.
const COLUMNS_WIDE: usize = 64;
/// Rows of a wide file: as many values.
const ROWS_WIDE: usize = ROWS * COLUMNS / COLUMNS_WIDE * 2;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let [shop, shop_alone] = ["running", "alone"].map(|name| {
        let folder = folder.path().join(name);
        drop(Bed::make(&folder));
        folder.join("shop")
    });
    let [wide, wide_alone] = ["wide", "wide-alone"].map(|name| {
        let home = folder.path().join(name);
        Node::init(&home, &settings("shop"), clock::now()).expect("the home is made");
        home
    });
    let (ratio, stated) = measure_imports(folder.path(), COLUMNS, ROWS, [&shop, &shop_alone]);
    let what = "an import through a running node, of one that does not run";
    let mut rows = vec![ratio.row(what, BAR), Row::stated("the same", stated)];
    let (ratio, stated) =
        measure_imports(folder.path(), COLUMNS_WIDE, ROWS_WIDE, [&wide, &wide_alone]);
    rows.push(ratio.row("64 values a row, for nobody", BAR));
    rows.push(Row::stated("the same, of 64 values", stated));
    record("running", &rows);
}

/// Imports in turns through a node that runs for the first home, and into the second, for which none does. Returns the
/// ratio of the two, and the rate of the first.
fn measure_imports(
    folder: &Path,
    columns: usize,
    rows: usize,
    homes: [&Path; 2],
) -> (Ratio, String) {
    let map = folder.join(format!("{columns}.toml"));
    std::fs::write(&map, map_text(columns)).expect("the map is written");
    let count = many_or(ROWS_FEW, rows);
    let import = |home: &Path, next: &mut usize| {
        let file = file_of_rows(folder, columns, *next, count);
        *next += count;
        rate(count, || {
            let file = file.to_str().expect("a path is text");
            let map = map.to_str().expect("a path is text");
            let done = call(home, &["import", file, "--map", map]).status();
            assert!(done.expect("the command runs").success());
        })
    };
    let [through, alone] = homes;
    let running = Running::start(through);
    let mut rates = Vec::new();
    let (mut next, mut next_alone) = (0, 0);
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            let rate = import(through, &mut next);
            rates.push(rate);
            rate
        },
        || import(alone, &mut next_alone),
    );
    drop(running);
    if rates.len() > 1 {
        // The first round warmed up.
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    let middle = rates.get(rates.len() / 2).expect("a round was made");
    (ratio, format!("{middle:.0} observations/s"))
}

fn map_text(columns: usize) -> String {
    let mut map = MAP.to_owned();
    for column in 0..columns {
        let _ = write!(
            map,
            "\n[[column]]\nname = \"d{column}\"\npath = \"Diameter{column:02}\"\nvalue_type = \"xs:double\"\n"
        );
    }
    map
}

/// A file of rows that differ from those of every other, each with its own serial number.
fn file_of_rows(folder: &Path, columns: usize, from: usize, count: usize) -> PathBuf {
    let mut text = "t,serial".to_owned();
    for column in 0..columns {
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
        for column in 0..columns {
            let _ = write!(text, ",{}.{:04}", 10 + column, number % 10_000);
        }
        text.push('\n');
    }
    let path = folder.join(format!("{columns}-{from}.csv"));
    std::fs::write(&path, text).expect("the rows are written");
    path
}
