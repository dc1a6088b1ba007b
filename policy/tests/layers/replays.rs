//! Replay: the same answer from the same bytes, and each tampering found.

use crate::fixture::{OEM_B, admissible, id, now, time};
use ambit_ledger::{Decision, Digest, Layer, LayerProfile, Salt, Verdict};
use ambit_policy::{Layers, ReplayError, Replayer, class_key, judge, schema_digest};
use std::collections::BTreeMap;

fn blobs(layers: &Layers) -> BTreeMap<Digest, Vec<u8>> {
    let blobs = layers.blobs().into_iter();
    blobs
        .map(|(digest, bytes)| (digest, bytes.to_vec()))
        .collect()
}

fn salt() -> Salt {
    Salt::from_bytes([9; 32])
}

fn recorded() -> (Decision, BTreeMap<Digest, Vec<u8>>) {
    let (layers, inquiry) = admissible();
    (
        judge(&layers, &inquiry, now()).decision.salted(salt()),
        blobs(&layers),
    )
}

fn replay(decision: &Decision, blobs: &BTreeMap<Digest, Vec<u8>>) -> Result<(), ReplayError> {
    Replayer::new().replay(decision, |digest| blobs.get(digest).cloned())
}

#[test]
fn a_decision_replays_from_its_own_bytes() {
    let (decision, blobs) = recorded();
    assert_eq!(decision.verdict(), Verdict::Admissible);
    let bytes = ambit_ledger::encode(&decision);
    let read: Decision = ambit_ledger::decode(&bytes).unwrap();
    replay(&read, &blobs).unwrap();

    // Blobs are read once.
    let mut replayer = Replayer::new();
    replayer
        .replay(&decision, |digest| blobs.get(digest).cloned())
        .unwrap();
    replayer.replay(&decision, |_| None).unwrap();
    let mut other = decision.inquiry.clone();
    other.footprint.observed_to = time("2026-05-01T08:00:59Z");
    let named = replayer.class_key(&decision, |_| None);
    assert_eq!(named.unwrap(), decision.class_key);
    let of_class = replayer.is_of_class(&decision, &other, |_| None);
    assert!(of_class.unwrap());
    other.footprint.trade_secret = true;
    let of_class = replayer.is_of_class(&decision, &other, |_| None);
    assert!(!of_class.unwrap());
}

#[test]
fn undecided_replays_too() {
    let (layers, mut inquiry) = admissible();
    inquiry.recipient.seat = "ZZ".parse().unwrap();
    let decision = judge(&layers, &inquiry, now()).decision.salted(salt());
    assert_eq!(decision.verdict(), Verdict::Undecided);
    replay(&decision, &blobs(&layers)).unwrap();
}

#[test]
fn a_layer_that_does_not_compile_replays_too() {
    let (layers, inquiry) = admissible();
    for text in [
        "nonsense",
        "@id(\"f\") forbid (principal, action, resource is Ambit::Observation)\n\
         when { resource.dataClass in Ambit::DataClass::\"desing-ip\" };",
    ] {
        let layers = layers.with_text(Layer::Owner, text);
        let decision = judge(&layers, &inquiry, now()).decision.salted(salt());
        assert_eq!(decision.verdict(), Verdict::Undecided);
        replay(&decision, &blobs(&layers)).unwrap();
    }
}

#[test]
fn every_blob_is_needed_and_checked() {
    let (decision, blobs) = recorded();
    for digest in blobs.keys() {
        let mut fewer = blobs.clone();
        fewer.remove(digest);
        let error = replay(&decision, &fewer).unwrap_err();
        assert!(matches!(error, ReplayError::MissingBlob(missing) if missing == *digest));
        let mut forged = blobs.clone();
        forged.get_mut(digest).unwrap().push(b' ');
        let error = replay(&decision, &forged).unwrap_err();
        assert!(matches!(error, ReplayError::BlobDigest { .. }), "{error}");
    }
}

#[test]
fn each_tampering_is_found() {
    let (decision, mut blobs) = recorded();
    let forged = b"namespace Other {}".to_vec();
    let forged_digest = Digest::of(&forged);
    blobs.insert(forged_digest, forged);
    type Found = fn(&ReplayError) -> bool;
    let check = |change: &dyn Fn(&mut Decision), is_found: Found| {
        let mut decision = decision.clone();
        change(&mut decision);
        let error = replay(&decision, &blobs).unwrap_err();
        assert!(is_found(&error), "{error}");
    };
    check(&|d| d.engine = "cedar-policy 9.9.9".parse().unwrap(), |e| {
        matches!(e, ReplayError::Engine { .. })
    });
    check(&|d| d.schema = forged_digest, |e| {
        matches!(e, ReplayError::Schema(_))
    });
    check(&|d| d.schema = Digest::of(b""), |e| {
        matches!(e, ReplayError::MissingBlob(_))
    });
    check(&|d| d.taxonomies = schema_digest(), |e| {
        matches!(e, ReplayError::Taxonomies(..))
    });
    // It does not compile, which another class of decisions says, and leaves undecided.
    check(&|d| d.profiles[0].profile = forged_digest, |e| {
        matches!(e, ReplayError::ClassKey { .. })
    });
    check(&|d| d.profiles.reverse(), |e| {
        matches!(e, ReplayError::ProfileOrder)
    });
    check(
        &|d| {
            let first = d.profiles[0];
            d.profiles.push(LayerProfile { ..first });
        },
        |e| matches!(e, ReplayError::ProfileOrder),
    );
    // A layer left out, or a field of the inquiry changed: another class.
    check(
        &|d| {
            d.profiles.pop();
        },
        |e| matches!(e, ReplayError::ClassKey { .. }),
    );
    check(&|d| d.class_key = Digest::of(b""), |e| {
        matches!(e, ReplayError::ClassKey { .. })
    });
    check(&|d| d.inquiry.recipient.organization = id(OEM_B), |e| {
        matches!(e, ReplayError::ClassKey { .. })
    });
    check(&|d| d.slice = Digest::of(b""), |e| {
        matches!(e, ReplayError::Slice { .. })
    });
    check(&|d| d.now = time("2026-05-01T09:00:01Z"), |e| {
        matches!(e, ReplayError::Slice { .. })
    });
    check(&|d| d.inquiry.footprint.observed_to = now(), |e| {
        matches!(e, ReplayError::Slice { .. })
    });
    check(&|d| d.true_from = now(), |e| {
        matches!(e, ReplayError::Interval { .. })
    });
    check(&|d| d.true_until = None, |e| {
        matches!(e, ReplayError::Interval { .. })
    });
    check(&|d| d.verdicts[0].verdict = Verdict::Withheld, |e| {
        matches!(e, ReplayError::Verdict { .. })
    });
    check(&|d| d.verdicts[0].layers[0].determining.clear(), |e| {
        matches!(e, ReplayError::Verdict { .. })
    });
    check(
        &|d| {
            d.verdicts.pop();
        },
        |e| matches!(e, ReplayError::Verdict { recorded: None, .. }),
    );
    check(
        &|d| {
            d.verdicts.push(d.verdicts[0].clone());
        },
        |e| matches!(e, ReplayError::Verdict { replayed: None, .. }),
    );
}

#[test]
fn a_verdict_that_was_made_up_consistently_is_found() {
    let (layers, mut inquiry) = admissible();
    inquiry.limits = None;
    let mut decision = judge(&layers, &inquiry, now()).decision.salted(salt());
    assert_eq!(decision.verdict(), Verdict::Withheld);
    decision.verdicts = judge(&layers, &admissible().1, now()).decision.verdicts;
    assert_eq!(class_key(&layers, &inquiry), decision.class_key);
    let error = replay(&decision, &blobs(&layers)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("recorded admissible, replayed withheld"),
        "{error}"
    );
}
