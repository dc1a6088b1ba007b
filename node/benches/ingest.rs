//! Ingest: drafts to committed observations, each signed, sealed, judged for one recipient and disclosed to it.
//!
//! The yardstick is sled alone, with what makes it power-safe: for each observation the sealed readings, one
//! record with statement, entry and leaf, two index keys and an outbox id, all of the sizes that ingest has before it
//! packs the readings, in as few batches as they fit into, and a head; 32 observations to a sync, and never more than
//! 64 KiB: without that a power cut leaves a database that does not open. It signs, packs, seals and judges nothing, and
//! has no entry for a disclosure. One row has a yardstick that syncs after 32 observations only. Ingest waits for its
//! journal, and writes to sled besides.
//!
//! Ingest is given as many drafts at once as `ambit import` gives. It commits 32 at a time, with up to twelve commits
//! ahead of the disk, which its writer may sync together. All observations are of one class, but in the last row,
//! where each 32 have a lot of their own, so that each commit records a decision that the next must not overtake.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a bench ends where it cannot go on, and counts small things"
)]

mod bed;
#[path = "../../tests/measure/mod.rs"]
mod measure;

use ambit_ledger::{Body, ObservationId};
use ambit_node::clock;
use ambit_node::collect::Draft;
use ambit_node::node::Node;
use bed::Bed;
use measure::{Ratio, Row, is_short, many_or, rate, record};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Instant;

const GROUP: usize = 32;
const ROUNDS: usize = 9;
/// What sled alone may leave unsynced at most.
const UNSYNCED_BYTES_MAX: usize = 64 * 1024;
/// What an observation's keys and small values come to, beside its readings and its entry.
const KEYS_BYTES: usize = 160;
/// Drafts in one operation, at most.
const GIVEN_MAX: usize = 1_024;
/// Enough that no observation of the yardstick gets the id of another.
const NOISE_BYTES: usize = 4 * 1024 * 1024;
/// About what one observation of 64 readings brings to the journal.
const SINGLE_BYTES: usize = 4 * 1024;

fn main() {
    let mut rows = Vec::new();
    for (readings, what, bar) in [
        (64, "observations of 64 readings, of bare sled", 0.7),
        (1, "observations of one reading, of bare sled", 0.65),
    ] {
        let (ratio, rate) = ingest(readings, u64::MAX, UNSYNCED_BYTES_MAX);
        rows.push(ratio.row(what, bar));
        rows.push(Row::stated(
            &format!("the same, readings: {readings}"),
            rate,
        ));
    }
    for (lot, unsynced_bytes, what) in [
        (
            GROUP as u64,
            UNSYNCED_BYTES_MAX,
            "observations of 64 readings, a new lot every 32",
        ),
        (
            u64::MAX,
            usize::MAX,
            "observations of 64 readings, of sled that may not open after a power cut",
        ),
    ] {
        let (ratio, _) = ingest(64, lot, unsynced_bytes);
        rows.push(Row {
            bar: String::new(),
            ..ratio.row(what, 0.0)
        });
    }
    rows.push(single());
    record("ingest", &rows);
}

/// How long one observation takes until it is acknowledged, given alone: what ninety-nine of a hundred stay under, of what a bare
/// `fdatasync` of as much takes in the midst of them.
fn single() -> Row {
    let folder = tempfile::tempdir().expect("a folder");
    let Bed { supplier, customer } = Bed::make(folder.path());
    drop(customer);
    let mut file = tempfile::tempfile_in(folder.path()).expect("a file");
    let block = random(SINGLE_BYTES);
    let count = many_or(8, 4_000);
    // Its space is there, as that of a segment of the journal is.
    for _ in 0..count {
        file.write_all(&block).expect("the file is written");
    }
    file.sync_all().expect("the file is synced");
    file.seek(SeekFrom::Start(0))
        .expect("back to its beginning");
    let (mut observed, mut synced) = (Vec::new(), Vec::new());
    for number in 0..count as u64 {
        let draft = bed::drafts("one", number, 1, 64, u64::MAX);
        observed.push(microseconds(|| {
            supplier
                .observe(draft, false, clock::now())
                .expect("observed");
        }));
        synced.push(microseconds(|| {
            file.write_all(&block).expect("the file is written");
            file.sync_data().expect("the file is synced");
        }));
    }
    let of = |times: &mut Vec<f64>, percent: usize| {
        times.sort_by(f64::total_cmp);
        times[(times.len() * percent / 100).min(times.len() - 1)]
    };
    let (late, usual) = (of(&mut observed, 99), of(&mut observed, 50));
    let (sync_late, sync_usual) = (of(&mut synced, 99), of(&mut synced, 50));
    Row {
        what: "99 of 100 single observations, acknowledged, of 99 of 100 `fdatasync`".to_owned(),
        measured: format!("{:.2}", late / sync_late),
        bar: "≤ 3.00".to_owned(),
        more: format!(
            "{late:.0} µs beside {sync_late:.0} µs; usually {usual:.0} µs beside {sync_usual:.0} µs"
        ),
    }
}

fn microseconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e6
}

/// Measures observations of so many readings, with a new lot after so many, beside a yardstick that leaves so many
/// bytes unsynced.
fn ingest(readings: usize, lot: u64, unsynced_bytes: usize) -> (Ratio, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let Bed { supplier, customer } = Bed::make(folder.path());
    drop(customer);
    let sizes = Sizes::measure(&supplier, readings);
    let mut yardstick = Yardstick::open(&folder.path().join("yardstick"), sizes, unsynced_bytes);
    // Observations in one round: a second or so.
    let round = many_or(2, 64) * GROUP;
    let given_each = round.min(GIVEN_MAX);
    let mut next = 1_000;
    let mut rates = Vec::new();
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            let given: Vec<Vec<Draft>> = (0..round / given_each)
                .map(|_| {
                    next += given_each as u64;
                    bed::drafts("one", next, given_each as u64, readings, lot)
                })
                .collect();
            let rate = rate(round, || {
                for drafts in given {
                    let report = supplier.observe(drafts, true, clock::now());
                    assert_eq!(report.expect("observed").observed.len(), given_each);
                }
            });
            rates.push(rate);
            rate
        },
        || {
            rate(round, || {
                (0..round / GROUP).for_each(|_| yardstick.write_group())
            })
        },
    );
    if !is_short() {
        // The first round warmed up.
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    (ratio, format!("{:.0}/s", rates[rates.len() / 2]))
}

/// What ingest writes for one observation, in bytes.
struct Sizes {
    sealed: usize,
    entry: usize,
}

impl Sizes {
    fn measure(supplier: &Node, readings: usize) -> Self {
        let drafts = bed::drafts("one", 0, 1, readings, u64::MAX);
        let report = supplier.observe(drafts, true, clock::now());
        assert_eq!(report.expect("observed").observed[0].outcomes.len(), 1);
        let store = supplier.store();
        let (entry, block) = store
            .entries(0, u64::MAX)
            .map(|recorded| recorded.expect("the entry is there"))
            .filter_map(|recorded| match recorded.body {
                Body::Observed(observed) => {
                    let id = ObservationId::of(&observed.observation);
                    let block = store.readings(recorded.index, &id).expect("the readings");
                    Some((recorded.bytes.len(), block.len()))
                }
                _ => None,
            })
            .last()
            .expect("an observation");
        // Slot, nonce and tag; and the leaf hash.
        Self {
            sealed: block + 8 + 24 + 16,
            entry: entry + 32,
        }
    }
}

struct Yardstick {
    database: sled::Db,
    file: File,
    sizes: Sizes,
    count: u64,
    unsynced_bytes: usize,
    unsynced_bytes_max: usize,
    /// Bytes that do not compress, as sealed and signed ones do not; drawn before the measuring.
    noise: Vec<u8>,
}

impl Yardstick {
    fn open(path: &Path, sizes: Sizes, unsynced_bytes_max: usize) -> Self {
        let database = sled::Config::new()
            .path(path)
            .cache_capacity(64 * 1024 * 1024)
            .flush_every_ms(None)
            .open()
            .expect("sled opens");
        database.flush().expect("sled flushes");
        let file = File::options()
            .read(true)
            .write(true)
            .open(path.join("db"))
            .expect("the file is there");
        Self {
            database,
            file,
            sizes,
            count: 0,
            unsynced_bytes: 0,
            unsynced_bytes_max,
            noise: random(NOISE_BYTES),
        }
    }

    fn write_group(&mut self) {
        // Batches of at most 64 items; the last has the head.
        for count in [12, 12, 8] {
            let mut batch = sled::Batch::default();
            for _ in 0..count {
                self.observation(&mut batch);
            }
            if count < 12 {
                batch.insert(b"h", self.noise(600));
            }
            let bytes = count * (self.sizes.sealed + self.sizes.entry + KEYS_BYTES);
            if self.unsynced_bytes > 0 && self.unsynced_bytes + bytes > self.unsynced_bytes_max {
                self.sync();
            }
            self.unsynced_bytes += bytes;
            self.database.apply_batch(batch).expect("sled applies");
        }
        self.sync();
    }

    fn sync(&mut self) {
        self.database.flush().expect("sled flushes");
        self.file.sync_data().expect("the file is synced");
        self.unsynced_bytes = 0;
    }

    fn observation(&mut self, batch: &mut sled::Batch) {
        let index = self.count.to_be_bytes();
        self.count += 1;
        let key = |prefix: u8, rest: &[u8]| [&[prefix], rest].concat();
        let sequential = |prefix| key(prefix, &index);
        let sealed = self.noise(self.sizes.sealed);
        for (chunk, number) in sealed.chunks(6 * 1024).zip(0_u16..) {
            let key = [sequential(b'r').as_slice(), &number.to_be_bytes()].concat();
            batch.insert(key, chunk);
        }
        batch.insert(sequential(b'e'), self.noise(self.sizes.entry));
        batch.insert(key(b'i', self.id(1)), &index);
        batch.insert(key(b'f', self.id(2)), &index);
        batch.insert([sequential(b'o').as_slice(), &[0; 16]].concat(), &index);
    }

    fn noise(&self, bytes: usize) -> &[u8] {
        let start = self.count as usize * 7_919 % (self.noise.len() - bytes);
        &self.noise[start..start + bytes]
    }

    /// A key in no order, as a digest is, and its own for each observation.
    fn id(&self, kind: usize) -> &[u8] {
        let start = self.count as usize * 32 * kind % (self.noise.len() - 32);
        &self.noise[start..start + 32]
    }
}

fn random(bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).expect("there is randomness");
    random
}
