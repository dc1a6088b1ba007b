//! Crossing: from drafts at the supplier to observations committed at the customer, both nodes running in this
//! process on the same cores, over TCP, Noise and yamux on the loopback address.
//!
//! The yardstick is the same ingest at another supplier's node, whose customer does not run: signed, judged,
//! disclosed and queued, and nothing sent.
//!
//! Both nodes in one process share what sled keeps for a process, so that a batch of one holds off the other's, as
//! it would not on two machines.

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

use ambit_ledger::Body;
use ambit_node::clock;
use ambit_node::node::Node;
use ambit_node::service::Service;
use ambit_node::store::BoxKey;
use bed::Bed;
use measure::{Ratio, Row, is_short, many_or, rate, record};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the customer may take to commit a round.
const LIMIT: Duration = Duration::from_secs(120);
const ROUNDS: usize = 5;
const READINGS: usize = 64;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("there are threads");
    let folder = tempfile::tempdir().expect("a folder");
    let alone = Bed::make(&folder.path().join("alone"));
    let together = Bed::make(&folder.path().join("together"));
    let [supplier, customer] = [together.supplier, together.customer].map(|node| {
        let service = runtime.block_on(Service::start(Arc::new(node)));
        service.expect("the node starts")
    });
    let (mut crossed, mut ingested) = (0, 0);
    let round = round();
    let mut rates = Vec::new();
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            let rate = cross(supplier.node(), customer.node(), crossed, round);
            crossed += round;
            rates.push(rate);
            rate
        },
        || {
            ingested += round;
            let drafts = bed::drafts("one", ingested, round, READINGS, u64::MAX);
            rate(round as usize, || observe(&alone.supplier, drafts))
        },
    );
    if !is_short() {
        // The first round warmed up.
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    record(
        "crossing",
        &[
            ratio.row("observed to committed at the peer, of ingest alone", 0.3),
            Row::stated(
                "the same, observations of 64 readings",
                format!("{:.0}/s", rates[rates.len() / 2]),
            ),
        ],
    );
    assert_eq!(admitted(customer.node()), taken(customer.node()));
    runtime.block_on(async {
        supplier.stop().await;
        customer.stop().await;
    });
}

fn observe(node: &Node, drafts: Vec<ambit_node::collect::Draft>) {
    let count = drafts.len();
    let report = node.observe(drafts, true, clock::now()).expect("observed");
    assert_eq!(report.observed.len(), count);
}

/// Observations in one round: a second or so.
fn round() -> u64 {
    many_or(32, 2_048) as u64
}

fn cross(supplier: &Arc<Node>, customer: &Arc<Node>, from: u64, round: u64) -> f64 {
    let drafts = bed::drafts("one", from, round, READINGS, u64::MAX);
    rate(round as usize, || {
        observe(supplier, drafts);
        let limit = Instant::now() + LIMIT;
        while taken(customer) < from + round {
            assert!(
                Instant::now() < limit,
                "the customer does not take what is sent"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

/// How many of the supplier's items the customer committed.
fn taken(customer: &Node) -> u64 {
    let governance = customer.governance();
    let (partnership, supplier) = governance.signed().next().expect("an agreement");
    let inbox = BoxKey::new(&partnership.terms().partnership, supplier);
    let inbox = customer.store().inbox(&inbox);
    inbox.map_or(0, |inbox| inbox.cursor)
}

/// How many of them it took in.
fn admitted(customer: &Node) -> u64 {
    let entries = customer.store().entries(0, u64::MAX);
    let is_admitted = |body: &Body| matches!(body, Body::Admitted(_));
    let admitted = entries.filter(|entry| {
        let entry = entry.as_ref().expect("the entry is there");
        is_admitted(&entry.body)
    });
    admitted.count() as u64
}
