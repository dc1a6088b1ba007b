//! How fast inquiries are judged, against bare Cedar, and how fast a remembered decision is found.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench may stop at the first surprise"
)]

mod bare;
#[path = "../../tests/layers/fixture.rs"]
#[expect(dead_code, reason = "the tests read all of it")]
mod fixture;
#[path = "../../../tests/measure/mod.rs"]
mod measure;

use ambit_ledger::{Digest, Inquiry, Time, Unsalted, Verdict};
use ambit_policy::{Layers, class_key, judge};
use bare::{Bare, Cedar};
use measure::{Ratio, Row, many_or, rate};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

/// Short and many: the machine may have other work.
const ROUNDS: usize = 400;

/// Classes that differ in their templates, as a working day brings them.
const CLASSES: usize = 16;

/// The least share of bare Cedar's rate at which an inquiry is judged.
const JUDGED_BAR: f64 = 0.85;

/// The least number of remembered answers found in a second.
const FOUND_BAR: f64 = 1_000_000.0;

fn main() {
    let (layers, inquiry) = fixture::admissible();
    let now = fixture::now();
    let inquiries: Vec<Inquiry> = (0..CLASSES)
        .map(|number| {
            let mut inquiry = inquiry.clone();
            let template = format!("urn:example:template:{number}");
            inquiry.footprint.semantic_id = template.parse().unwrap();
            inquiry
        })
        .collect();
    let mut rows = vec![judged(&layers, &inquiries, now)];
    rows.extend(found(&layers, &inquiries, now));
    measure::record("judging", &rows);
}

/// A whole judgement, with its class, its interval and its evidence, against bare Cedar.
fn judged(layers: &Layers, inquiries: &[Inquiry], now: Time) -> Row {
    let cedar = Cedar::new(layers);
    let each = inquiries
        .iter()
        .map(|asked| Bare::new(&cedar, layers, asked, now));
    let bare: Vec<Bare<'_>> = each.collect();
    for (inquiry, bare) in inquiries.iter().zip(&bare) {
        let decision = judge(layers, inquiry, now).decision;
        assert_eq!(decision.verdict(), Verdict::Admissible);
        assert_eq!(bare.admitted(now), decision.admitted().len());
    }
    let ratio = Ratio::measure(
        ROUNDS,
        || {
            rate(inquiries.len(), || {
                for inquiry in inquiries {
                    black_box(judge(layers, black_box(inquiry), now));
                }
            })
        },
        || {
            rate(bare.len(), || {
                for bare in &bare {
                    black_box(black_box(bare).admitted(now));
                }
            })
        },
    );
    ratio.row("`judge` / bare Cedar", JUDGED_BAR)
}

/// An answer by its class, and what naming a class takes.
fn found(layers: &Layers, inquiries: &[Inquiry], now: Time) -> [Row; 2] {
    let keys: Vec<Digest> = inquiries
        .iter()
        .map(|asked| class_key(layers, asked))
        .collect();
    let decided = inquiries
        .iter()
        .map(|asked| Arc::new(judge(layers, asked, now).decision));
    let known: HashMap<Digest, Arc<Unsalted>> = keys.iter().copied().zip(decided).collect();
    const EACH: usize = 2_000;
    let rounds = many_or(1, ROUNDS);
    let mut answers: Vec<f64> = (0..rounds)
        .map(|_| {
            rate(EACH * keys.len(), || {
                for key in (0..EACH).flat_map(|_| &keys) {
                    let decision = known.get(black_box(key)).map(Arc::clone);
                    let decision = decision.filter(|decision| decision.is_true_at(black_box(now)));
                    black_box(decision.map(|decision| decision.admitted()));
                }
            })
        })
        .collect();
    answers.sort_by(f64::total_cmp);
    let mut micros: Vec<f64> = (0..rounds)
        .map(|_| {
            1e6 / rate(50 * inquiries.len(), || {
                for inquiry in (0..50).flat_map(|_| inquiries) {
                    black_box(class_key(layers, black_box(inquiry)));
                }
            })
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    let middle = rounds / 2;
    let answered = Row {
        what: "answers by class key, of one core".to_owned(),
        measured: format!("{:.0}/s", answers[middle]),
        bar: format!("≥ {FOUND_BAR:.0}/s"),
        more: format!(
            "{:.0} to {:.0} in {rounds} rounds",
            answers[0],
            answers[rounds - 1]
        ),
    };
    let named = Row::stated("`class_key`, each", format!("{:.2} µs", micros[middle]));
    [answered, named]
}
