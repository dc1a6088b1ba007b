//! Idle: what a node with a thousand agreements in force costs while nothing happens, of what one with a single
//! agreement costs.
//!
//! Both are the real program, on homes made beforehand, and are measured over the same time: processor time of all
//! their threads. Their peer does not run, as a partner's node at night.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

#[expect(dead_code, reason = "this bench observes nothing")]
mod bed;
#[path = "../../tests/measure/mod.rs"]
#[expect(dead_code, reason = "this bench has rounds of its own")]
mod measure;
#[expect(dead_code, reason = "this bench imports nothing and stops no node")]
mod process;

use ambit_node::clock;
use ambit_node::node::Node;
use bed::{agree_on, settings};
use measure::{Ratio, Row, is_short, many_or, record};
use process::{Running, processor_time};
use std::path::{Path, PathBuf};
use std::time::Duration;

const AGREEMENTS: usize = 1_000;
/// So few in a short run.
const AGREEMENTS_FEW: usize = 3;
const ROUNDS: usize = 5;
/// How long a round takes: several times the longest interval of what comes again and again.
const ROUND: Duration = Duration::from_secs(20);
/// And in a short run: enough for something to come once.
const ROUND_SHORT: Duration = Duration::from_secs(1);
/// How long the nodes are left alone after their start.
const REST: Duration = Duration::from_secs(10);

fn main() {
    if processor_time(std::process::id()).is_none() {
        println!("skipped: this system has no /proc to read a process' time from");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let agreements = many_or(AGREEMENTS_FEW, AGREEMENTS);
    let many = home(&folder.path().join("many"), agreements);
    let one = home(&folder.path().join("one"), 1);
    let (many, one) = (Running::start(&many), Running::start(&one));
    let (rest, round, rounds) = if is_short() {
        (ROUND_SHORT, ROUND_SHORT, 1)
    } else {
        (REST, ROUND, ROUNDS)
    };
    std::thread::sleep(rest);
    let mut ratios = Vec::new();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let before = [many.time(), one.time()];
        std::thread::sleep(round);
        let [many, one] = [many.time() - before[0], one.time() - before[1]];
        ratios.push(many.as_secs_f64() / one.as_secs_f64());
        times.push([many, one].map(|time| time.as_secs_f64() / round.as_secs_f64() * 1_000.0));
    }
    times.sort_by(|one, other| one[0].total_cmp(&other[0]));
    let [many, one] = *times.get(rounds / 2).expect("a round was made");
    let what = "processor time at rest, 1,000 agreements, of one agreement";
    let mut row = Ratio::of(ratios).row(what, 0.0);
    row.bar = "≤ 2.00".to_owned();
    let stated = format!("{many:.2} ms/s beside {one:.2} ms/s");
    record("idle", &[row, Row::stated("the same, of one core", stated)]);
}

/// The home of a supplier that has agreed so often with a customer.
fn home(folder: &Path, agreements: usize) -> PathBuf {
    std::fs::create_dir_all(folder).expect("the folder is made");
    let [supplier, customer] = ["shop", "one"].map(|name| {
        let place = folder.join(name);
        Node::init(&place, &settings(name), clock::now()).expect("the home is made");
        Node::open(&place).expect("the node opens")
    });
    for number in 0..agreements {
        agree_on(&format!("one/shop/{number}"), &supplier, &customer);
    }
    drop(supplier);
    folder.join("shop")
}
