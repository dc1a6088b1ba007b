//! How many signatures a replay verifies in a second, against bare Ed25519 on all cores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop at the first surprise"
)]

#[path = "../../src/fixture/mod.rs"]
#[expect(dead_code, reason = "the tests read all of it")]
mod fixture;
#[path = "../../../../tests/measure/mod.rs"]
mod measure;

// Where the fixture looks for what it uses of this crate.
use ambit_audit::{Bundle, BundleWriter, Finding, Report, Rule, Trust, TrustedRoot, verify};

use ambit_audit::replay;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use fixture::{Story, facts, trust};
use measure::{Ratio, Row, many_or, rate};
use std::thread::available_parallelism;

const ROUNDS: usize = 20;

/// Each of its own template, so that each is judged once.
const CLASSES: usize = 8;

/// The least share of what the cores can verify that a replay verifies.
const BAR: f64 = 0.7;

fn main() {
    let per_class = many_or(10, 1_000);
    let (bytes, messages) = bundle(per_class);
    let trust = trust();
    let report = replay(&Bundle::read(bytes.as_slice()).unwrap(), &trust);
    assert_eq!(report.exit_code(), 0, "{report}");
    let checked = *report.checked();
    assert_eq!(checked.decisions_replayed, CLASSES as u64);
    let signatures = usize::try_from(checked.signatures).unwrap();
    let bare = Bare::sign(&messages, signatures);
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            rate(signatures, || {
                let bundle = Bundle::read(bytes.as_slice()).unwrap();
                assert_eq!(replay(&bundle, &trust).exit_code(), 0);
            })
        },
        || rate(signatures, || bare.verify()),
    );
    let threads = available_parallelism().unwrap();
    let mut per_second = rate(signatures, || {
        let bundle = Bundle::read(bytes.as_slice()).unwrap();
        assert_eq!(replay(&bundle, &trust).exit_code(), 0);
    });
    per_second = per_second.round();
    let row = ratio.row("signatures of a replay / bare Ed25519 on all cores", BAR);
    let more = format!(
        "{}; {per_class} observations per class, {threads} cores",
        row.more
    );
    let entries = format!("{} entries", checked.entries);
    measure::record(
        "replay",
        &[
            Row { more, ..row },
            Row {
                more: entries,
                ..Row::stated("signatures of a replay", format!("{per_second}/s"))
            },
        ],
    );
}

/// A supplier's bundle: classes of observations, each observed, disclosed and acknowledged; and all statements in it.
fn bundle(per_class: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut story = Story::begin();
    let mut seq = 0;
    for class in 0..CLASSES {
        let mut asked = facts("inspection-result");
        asked.semantic_id = format!("urn:example:template:{class}").parse().unwrap();
        let judged = story.judge(&asked);
        story.supplier.decide(&judged);
        for _ in 0..per_class {
            seq += 1;
            let (id, facts) = story.supplier.observe(asked.clone());
            story.disclose(id, &facts, &judged.decision, seq);
        }
        story.acknowledge(seq, &[]);
    }
    let statements = story
        .supplier
        .entries
        .iter()
        .map(|entry| entry.body.to_vec());
    (story.supplier.export(), statements.collect())
}

/// The yardstick: signatures by a key at hand over messages at hand, as long as what the ledger holds, shared out
/// among all cores.
struct Bare {
    key: VerifyingKey,
    signed: Vec<(Vec<u8>, Signature)>,
}

impl Bare {
    fn sign(messages: &[Vec<u8>], count: usize) -> Self {
        let key = SigningKey::from_bytes(&[1; 32]);
        let messages = messages.iter().cycle().take(count);
        let signed = messages.map(|message| (message.clone(), key.sign(message)));
        Self {
            key: key.verifying_key(),
            signed: signed.collect(),
        }
    }

    fn verify(&self) {
        let threads = available_parallelism().unwrap().get();
        std::thread::scope(|scope| {
            for part in self.signed.chunks(self.signed.len().div_ceil(threads)) {
                scope.spawn(move || {
                    for (message, signature) in part {
                        self.key.verify_strict(message, signature).unwrap();
                    }
                });
            }
        });
    }
}
