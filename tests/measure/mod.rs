//! What the benches share: rounds that take turns with their yardstick, and a table of ratios.
//!
//! A figure alone says more about the machine than about the program, so every bench measures a yardstick
//! beside it in the same run, in turns, and what counts is the ratio of the two. The table lies in
//! `tests/benches.md`; a bench puts its own rows in the place of those it wrote before.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// The ratio of two rates, measured in turns.
pub struct Ratio {
    /// Of each round, ascending.
    rounds: Vec<f64>,
}

impl Ratio {
    /// Measures the subject and its yardstick in turns, each round in the other order. Each returns its rate
    /// for the round, in any unit that both share. One round before the counted ones warms both up.
    pub fn measure(
        rounds: usize,
        mut subject: impl FnMut() -> f64,
        mut yardstick: impl FnMut() -> f64,
    ) -> Self {
        let mut ratios = Vec::new();
        for round in 0..=rounds {
            let (ours, theirs) = if round % 2 == 0 {
                let ours = subject();
                (ours, yardstick())
            } else {
                let theirs = yardstick();
                (subject(), theirs)
            };
            if round > 0 {
                ratios.push(ours / theirs);
            }
        }
        Self::of(ratios)
    }

    /// The ratios of rounds that were measured by other means.
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Self { rounds }
    }

    /// The median over the rounds.
    pub fn median(&self) -> f64 {
        self.rounds[self.rounds.len() / 2]
    }

    /// The row of this ratio, and the least it should be.
    pub fn row(&self, what: &str, bar: f64) -> Row {
        let (least, most) = (self.rounds[0], self.rounds[self.rounds.len() - 1]);
        Row {
            what: what.to_owned(),
            measured: format!("{:.2}", self.median()),
            bar: format!("≥ {bar:.2}"),
            more: format!("{least:.2} to {most:.2} in {} rounds", self.rounds.len()),
        }
    }
}

/// One row of the table.
pub struct Row {
    /// What was measured, and against what.
    pub what: String,
    /// The figure: a ratio, or a figure with its unit.
    pub measured: String,
    /// What it should be; empty where it is only stated.
    pub bar: String,
    /// How far it varied, or what else belongs to it.
    pub more: String,
}

impl Row {
    /// A figure that is stated beside ratios and has no bar.
    pub fn stated(what: &str, measured: String) -> Self {
        Self {
            what: what.to_owned(),
            measured,
            bar: String::new(),
            more: String::new(),
        }
    }
}

/// How many of `count` passed in a second, while `work` ran.
pub fn rate(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    count as f64 / start.elapsed().as_secs_f64()
}

const HEAD: &str = "| bench | what | measured | bar | more |\n| --- | --- | ---: | ---: | --- |\n";

/// Prints the rows of a bench and puts them into the table.
pub fn record(bench: &str, rows: &[Row]) {
    let mut lines = String::new();
    for Row {
        what,
        measured,
        bar,
        more,
    } in rows
    {
        let _ = writeln!(lines, "| {bench} | {what} | {measured} | {bar} | {more} |");
    }
    print!("{HEAD}{lines}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/benches.md"))
        .find(|path| {
            path.parent()
                .is_some_and(|folder| folder.join("main.rs").is_file())
        })
        .expect("the workspace has a folder of tests");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let own = format!("| {bench} |");
    let others = before
        .lines()
        .filter(|line| line.starts_with('|') && !HEAD.contains(line) && !line.starts_with(&own));
    let mut all: Vec<&str> = others.chain(lines.lines()).collect();
    // Stable: the rows of one bench keep their order.
    all.sort_by_key(|line| line.split('|').nth(1));
    std::fs::write(&path, format!("{HEAD}{}\n", all.join("\n"))).expect("the table is written");
}
