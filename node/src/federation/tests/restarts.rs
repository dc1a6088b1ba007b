//! Nothing is lost and nothing doubled, whoever restarts when.

use super::*;
use ambit_ledger::{ObservationId, Verdict};
use std::collections::BTreeSet;

const ROUNDS: u32 = 8;
const NAMES: [&str; 3] = ["shop", "one", "two"];

/// xorshift64: a test's own randomness, which its seed repeats.
struct Dice(u64);

impl Dice {
    /// The seed is printed; `AMBIT_TEST_SEED` repeats a run.
    fn new() -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).unwrap();
        let given = std::env::var("AMBIT_TEST_SEED").ok();
        let seed = given.map_or(u64::from_le_bytes(bytes) | 1, |text| text.parse().unwrap());
        println!("AMBIT_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(limit)).unwrap()
    }
}

/// The supplier and its two customers, and what each customer is to have.
struct Trio {
    places: [PathBuf; 3],
    running: [Option<Running>; 3],
    expected: [BTreeSet<ObservationId>; 2],
    made: u32,
}

impl Trio {
    async fn start(folder: &Path) -> Self {
        let places = NAMES.map(|name| init(folder, name));
        let nodes = [0, 1, 2].map(|number| Node::open(&places[number]).unwrap());
        let [shop, one, two] = &nodes;
        let now = crate::clock::now();
        agree(one, shop, &quality("one", "F-ONE", ""), now);
        let text = declaration("two", "R-TWO", "toolpath", MANUFACTURING);
        agree(two, shop, &text, now);
        drop(nodes);
        let mut running = [None, None, None];
        for (place, running) in places.iter().zip(&mut running) {
            *running = Some(Running::start(place).await);
        }
        Self {
            places,
            running,
            expected: [BTreeSet::new(), BTreeSet::new()],
            made: 0,
        }
    }

    fn node(&self, number: usize) -> &Node {
        &self.running[number].as_ref().unwrap().node
    }

    /// Some for each customer, and one that nobody gets.
    fn observe(&mut self, count: u32) {
        let mut drafts = Vec::new();
        for _ in 0..count {
            self.made += 1;
            drafts.extend(draft("one", "F-ONE", "inspection-result", self.made));
            drafts.extend(draft("two", "R-TWO", "toolpath", self.made));
        }
        drafts.extend(draft("one", "F-ONE", "process-parameters", self.made));
        let now = crate::clock::now();
        let report = self.node(0).observe(drafts, true, now).unwrap();
        for observed in report.observed {
            for outcome in &observed.outcomes {
                let number = NAMES[1..]
                    .iter()
                    .position(|name| organization(name) == outcome.recipient)
                    .unwrap();
                if outcome.verdict == Verdict::Admissible {
                    self.expected[number].insert(observed.id);
                }
            }
        }
    }

    async fn stop(&mut self, number: usize) {
        self.running[number].take().unwrap().stop().await;
    }

    /// Starts a node and waits until its links are open again, both ways.
    async fn resume(&mut self, number: usize) {
        let place = self.places[number].clone();
        let hellos = || {
            let frames = recorded_frames(&place);
            frames
                .iter()
                .filter(|recorded| matches!(recorded.frame(), Frame::Hello { .. }))
                .count()
        };
        let before = hellos();
        self.running[number] = Some(Running::start(&place).await);
        // For each peer a question and an answer of either side.
        let due = if number == 0 { 8 } else { 4 };
        until("the links are open again", || hellos() >= before + due).await;
    }

    /// Waits until everything that is to be there is there, and acknowledged.
    async fn settle(&self) {
        let counts = [0, 1].map(|number: usize| self.expected[number].len());
        let acked = counts.map(|count| u64::try_from(count).unwrap());
        until("all is acknowledged", || {
            acknowledged(self.node(0)) == acked
                && held(self.node(1)) == counts[0]
                && held(self.node(2)) == counts[1]
        })
        .await;
    }

    /// The sizes of the ledgers, once all that was handed to their writers is committed.
    fn sizes(&self) -> [u64; 3] {
        [0, 1, 2].map(|number| {
            let node = self.node(number);
            let nothing = node.commit_of(crate::clock::now(), Vec::new());
            node.store().commit(nothing).unwrap();
            node.store().size()
        })
    }

    fn check(&self) {
        let [shop, one, two] = [0, 1, 2].map(|number| self.node(number));
        for (customer, expected, place) in [
            (one, &self.expected[0], &self.places[0]),
            (two, &self.expected[1], &self.places[0]),
        ] {
            let listed = customer.list(&Filter::default()).unwrap();
            let ids: BTreeSet<ObservationId> = listed.iter().map(|item| item.id).collect();
            assert_eq!(ids.len(), listed.len(), "something is held twice");
            assert_eq!(ids, *expected);
            // Sent once each: the recipient's cursor was taken up, not its beginning.
            let last = u64::try_from(expected.len()).unwrap();
            let sent = items_sent(place, peer_of(customer));
            assert_eq!(sent, (1..=last).collect::<Vec<_>>());
        }
        audit(shop, &[shop, one, two]);
        audit(one, &[shop, one]);
        audit(two, &[shop, two]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_lose_nothing_and_double_nothing() {
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let mut trio = Trio::start(folder.path()).await;
    trio.observe(3);
    trio.settle().await;
    for round in 0..ROUNDS {
        // Each node at least once, then as the dice fall.
        let number = if round < 3 { round } else { dice.below(3) };
        let number = usize::try_from(number).unwrap();
        let count = 1 + dice.below(4);
        let (is_before, is_after) = (dice.below(2) == 0, dice.below(2) == 0);
        println!(
            "round {round}: {} restarts, {is_before}, {is_after}",
            NAMES[number]
        );
        let sizes = trio.sizes();
        trio.stop(number).await;
        // The others go on meanwhile; the supplier cannot when it is the one that is down.
        let is_before = is_before && number != 0;
        if is_before {
            trio.observe(count);
        }
        trio.resume(number).await;
        trio.settle().await;
        if !is_before {
            assert_eq!(trio.sizes(), sizes, "a restart left entries");
        }
        if is_after {
            trio.observe(count);
            trio.settle().await;
        }
    }
    trio.check();
    for number in 0..3 {
        trio.stop(number).await;
    }
}
