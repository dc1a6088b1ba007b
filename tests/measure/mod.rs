//! What the benches share: rounds that take turns with their yardstick, and a table of ratios.
//!
//! A figure alone says more about the machine than about the program, so every bench measures a yardstick
//! beside it in the same run, in turns, and what counts is the ratio of the two. The table lies in
//! `tests/benches.md`; a bench puts its own rows in the place of those it wrote before.
//!
//! Under `cargo test` a bench runs short: it measures little, keeps nothing, and compares the shape of its rows with
//! those in the README, what they are of and in which units. The figures of such a run say nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// Whether this run is to show only that the bench works, and what its rows look like: `cargo bench` says `--bench`.
pub fn is_short() -> bool {
    !std::env::args().any(|argument| argument == "--bench")
}

/// As many as are to be measured, or in a short run so few.
pub fn many_or(few: usize, many: usize) -> usize {
    if is_short() { few } else { many }
}

/// The ratio of two rates, measured in turns.
pub struct Ratio {
    /// Of each round, ascending.
    rounds: Vec<f64>,
}

impl Ratio {
    /// Measures the subject and its yardstick in turns, each round in the other order. Each returns its rate
    /// for the round, in any unit that both share. One round before the counted ones warms both up; a short run has
    /// one round in all.
    pub fn measure(
        rounds: usize,
        mut subject: impl FnMut() -> f64,
        mut yardstick: impl FnMut() -> f64,
    ) -> Self {
        let mut ratios = Vec::new();
        let (warming, rounds) = if is_short() { (0, 0) } else { (1, rounds) };
        for round in 0..=rounds {
            let (ours, theirs) = if round % 2 == 0 {
                let ours = subject();
                (ours, yardstick())
            } else {
                let theirs = yardstick();
                (subject(), theirs)
            };
            if round >= warming {
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
        self.rounds
            .get(self.rounds.len() / 2)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// The row of this ratio, and the least it should be.
    pub fn row(&self, what: &str, bar: f64) -> Row {
        let bound = |round: Option<&f64>| round.copied().unwrap_or(f64::NAN);
        let (least, most) = (bound(self.rounds.first()), bound(self.rounds.last()));
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

/// Prints the rows of a bench and puts them into the table. In a short run compares their shape with the README's.
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
    let own = format!("| {bench} |");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join("tests/main.rs").is_file())
        .expect("the workspace has a folder of tests");
    if is_short() {
        let readme = std::fs::read_to_string(root.join("README.md")).expect("there is a README");
        let stated = readme.lines().filter(|line| line.starts_with(&own));
        let stated: Vec<String> = stated.map(shape).collect();
        let found: Vec<String> = lines.lines().map(shape).collect();
        assert_eq!(
            found, stated,
            "the rows of {bench}, and those in the README"
        );
        println!("{bench}: its rows are as in the README, figures aside");
        return;
    }
    print!("{HEAD}{lines}");
    let path = root.join("tests/benches.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let others = before
        .lines()
        .filter(|line| line.starts_with('|') && !HEAD.contains(line) && !line.starts_with(&own));
    let mut all: Vec<&str> = others.chain(lines.lines()).collect();
    // Stable: the rows of one bench keep their order.
    all.sort_by_key(|line| line.split('|').nth(1));
    std::fs::write(&path, format!("{HEAD}{}\n", all.join("\n"))).expect("the table is written");
}

/// A row with `#` for every number that was measured: what it is of and its bar stay, figures do not.
fn shape(row: &str) -> String {
    let cells = row.split('|').enumerate();
    let cells = cells.map(|(at, cell)| match at {
        MEASURED | MORE => without_figures(cell),
        _ => cell.to_owned(),
    });
    cells.collect::<Vec<_>>().join("|")
}

/// The places of these cells in a row that is split at its bars.
const MEASURED: usize = 3;
const MORE: usize = 5;

fn without_figures(cell: &str) -> String {
    let words = cell.split(' ').map(|word| {
        // What divides by nothing, in a run that measures too little.
        let word = word.replace("NaN", "0").replace("inf", "0");
        let unit = word
            .strip_prefix(['+', '-'])
            .unwrap_or(&word)
            .trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            format!("#{unit}")
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
