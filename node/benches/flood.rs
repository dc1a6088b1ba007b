//! How much of an honest peer's throughput is left while hostile members attack the node that receives from it, and
//! what that costs the node in memory.
//!
//! The receiver is this process; the honest peer and the hostile ones are processes of their own, so that its
//! resident set counts nothing of theirs. An attacker's own computing takes place on a machine of its own, and here on
//! the same two cores: so the hostile processes have the lowest priority where the system knows such, and what the
//! receiver does for them has the usual one and counts. The processor time of the receiver is stated beside. Every round brings members that the receiver did not meet before, or
//! the bars of the round before would protect it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench stops at the first surprise"
)]

#[expect(dead_code, reason = "other benches use what this one does not")]
mod bed;
#[path = "flood/hostile.rs"]
mod hostile;
#[path = "../../tests/measure/mod.rs"]
#[expect(dead_code, reason = "other benches use what this one does not")]
mod measure;
#[path = "flood/members.rs"]
mod members;

use ambit_ledger::{OrganizationId, PartnershipId};
use ambit_node::node::Node;
use ambit_node::service::Service;
use ambit_node::store::BoxKey;
use hostile::{Attack, Counts};
use measure::{Ratio, Row, is_short, many_or};
use members::HONEST;
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// Between two windows, so that none sees the end of the one before.
const PAUSE: Duration = Duration::from_millis(500);
/// After an attack: until the address that all here share is forgiven, or the next one would not be let in at all.
const FORGIVEN_AFTER: Duration = Duration::from_secs(17);
const ROLE: &str = "AMBIT_FLOOD_ROLE";
const HOME: &str = "AMBIT_FLOOD_HOME";
const MIB: f64 = 1_048_576.0;

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("honest") => members::observe_without_end(&home()),
        Ok(role) => hostile::run(Attack::named(role), &home()),
        Err(_) => run(),
    }
}

/// How long each side of a round lasts.
fn window() -> Duration {
    if is_short() {
        Duration::from_millis(500)
    } else {
        Duration::from_secs(4)
    }
}

fn home() -> std::path::PathBuf {
    std::env::var_os(HOME).expect("a home is given").into()
}

/// Another process of this program. It ends with this value.
struct Role(Child);

impl Role {
    fn start(role: &str, home: &Path) -> Self {
        let program = std::env::current_exe().expect("the program has a path");
        let mut command = if role != "honest" && cfg!(unix) {
            let mut command = Command::new("nice");
            command.args(["-n", "19"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command
            .env(ROLE, role)
            .env(HOME, home)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts again");
        Self(child)
    }

    /// Keeps the last line that it printed.
    fn follow(&mut self) -> Arc<Mutex<Counts>> {
        let counts = Arc::new(Mutex::new(Counts::default()));
        let out = self.0.stdout.take().expect("its output is piped");
        let last = Arc::clone(&counts);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                *last.lock().expect("no thread panics") = Counts::parse(&line);
            }
        });
        counts
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Receiver {
    node: Arc<Node>,
    honest: BoxKey,
}

impl Receiver {
    fn taken(&self) -> u64 {
        let inbox = self.node.store().inbox(&self.honest);
        inbox.map_or(0, |inbox| inbox.cursor)
    }

    /// Observations a second that were committed here in one window.
    fn measure_window(&self) -> f64 {
        let (start, before) = (Instant::now(), self.taken());
        std::thread::sleep(window());
        let taken = self.taken() - before;
        taken as f64 / start.elapsed().as_secs_f64()
    }
}

/// How memory and counts moved over all windows of a kind.
#[derive(Default)]
struct Moved {
    rates: Vec<f64>,
    bytes: f64,
    /// Processor seconds of the receiver, and the observations it took meanwhile.
    seconds: f64,
    taken: u64,
    frames: u64,
    links: u64,
    connections: u64,
    ledger: u64,
}

fn run() {
    let folder = tempfile::tempdir().expect("a folder for the homes");
    // One round warms up.
    let places = members::found(folder.path(), ROUNDS + 1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let node = Arc::new(Node::open(&places.receiver).expect("the receiver opens"));
    let service = runtime
        .block_on(Service::start(Arc::clone(&node)))
        .expect("the receiver starts");
    let partnership: PartnershipId = members::partnership(HONEST);
    let organization: OrganizationId = members::organization(HONEST);
    let receiver = Receiver {
        node,
        honest: BoxKey::new(&partnership, &organization),
    };
    let honest = Role::start("honest", &places.honest);
    let limit = Instant::now() + Duration::from_secs(60);
    let met = many_or(1, 500) as u64;
    while receiver.taken() < met {
        assert!(Instant::now() < limit, "the honest peer does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    let attacked = RefCell::new(Moved::default());
    let alone = RefCell::new(Moved::default());
    let mut hostile = places.hostile.iter();
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            let homes = hostile.next().expect("members for each round");
            let mut roles: Vec<Role> = homes
                .iter()
                .map(|(attack, home)| Role::start(attack.name(), home))
                .collect();
            let counts: Vec<_> = roles.iter_mut().map(Role::follow).collect();
            let rate = observe_window(&receiver, &mut attacked.borrow_mut());
            drop(roles);
            if !is_short() {
                std::thread::sleep(FORGIVEN_AFTER);
            }
            let mut attacked = attacked.borrow_mut();
            for counts in counts {
                let counts = counts.lock().expect("no thread panics");
                attacked.frames += counts.frames;
                attacked.links += counts.links;
                attacked.connections += counts.connections;
            }
            rate
        },
        || {
            let rate = observe_window(&receiver, &mut alone.borrow_mut());
            std::thread::sleep(PAUSE);
            rate
        },
    );
    drop(honest);
    runtime.block_on(service.stop());
    let (attacked, alone) = (attacked.into_inner(), alone.into_inner());
    measure::record("flood", &rows(&ratio, &attacked, &alone));
}

fn observe_window(receiver: &Receiver, moved: &mut Moved) -> f64 {
    let (before, entries) = (resident_bytes(), receiver.node.store().size());
    let (taken, seconds) = (receiver.taken(), processor_seconds());
    let rate = receiver.measure_window();
    moved.bytes += resident_bytes() - before;
    moved.rates.push(rate);
    moved.seconds += processor_seconds() - seconds;
    moved.taken += receiver.taken() - taken;
    let entries = receiver.node.store().size() - entries;
    // What the honest peer brings is an entry each, and now and then a decision.
    moved.ledger += entries.saturating_sub(receiver.taken() - taken);
    eprintln!(
        "{rate:7.0} observations/s, {:.1} MiB resident",
        resident_bytes() / MIB
    );
    rate
}

fn rows(ratio: &Ratio, attacked: &Moved, alone: &Moved) -> Vec<Row> {
    let seconds = (attacked.rates.len() as f64) * window().as_secs_f64();
    let median = |rates: &[f64]| {
        let mut rates = rates.to_vec();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let grown = |moved: &Moved| format!("{:+.1} MiB", moved.bytes / MIB);
    let load = |moved: &Moved| {
        let cores = moved.seconds / (moved.rates.len() as f64 * window().as_secs_f64());
        let each = moved.seconds / moved.taken as f64 * 1e6;
        format!("{cores:.2} cores, {each:.0} µs per observation")
    };
    vec![
        ratio.row("an honest peer beside hostile ones, to alone", 0.8),
        Row::stated(
            "an honest peer alone",
            format!("{:.0} observations/s", median(&alone.rates)),
        ),
        Row::stated(
            "an honest peer beside hostile ones",
            format!("{:.0} observations/s", median(&attacked.rates)),
        ),
        Row {
            what: "resident set of the receiver, all windows with hostile peers".to_owned(),
            measured: grown(attacked),
            bar: String::new(),
            more: format!("{} in the windows without", grown(alone)),
        },
        Row {
            what: "processor time of the receiver beside hostile peers".to_owned(),
            measured: load(attacked),
            bar: String::new(),
            more: format!("{} alone", load(alone)),
        },
        Row {
            what: "what the hostile peers sent and opened".to_owned(),
            measured: format!("{:.0} frames/s", attacked.frames as f64 / seconds),
            bar: String::new(),
            more: format!(
                "{:.0} links/s and {:.0} connections/s begun",
                attacked.links as f64 / seconds,
                attacked.connections as f64 / seconds
            ),
        },
        Row {
            what: "entries beyond observations, in windows with hostile peers".to_owned(),
            measured: format!("{:.1} /s", attacked.ledger as f64 / seconds),
            bar: String::new(),
            more: format!("{:.1} /s without", alone.ledger as f64 / seconds),
        },
    ]
}

/// The resident set of this process; 0 where the system does not say.
fn resident_bytes() -> f64 {
    /// Of every system on which the file below exists and this is measured.
    const PAGE_BYTES: f64 = 4_096.0;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0.0) * PAGE_BYTES
}

/// The processor time of this process so far, in seconds; 0 where the system does not say.
fn processor_seconds() -> f64 {
    /// Linux counts in hundredths of a second, whatever its kernel was built with.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before it may hold anything, spaces too.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}
