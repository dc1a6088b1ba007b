//! What a party might tell untruly with its own keys, though each statement is signed as it should be.

use crate::Rule;
use crate::fixture::{Ledger, Story, facts, organization, supplier, terms, time};
use ambit_ledger::{
    AgreementState, Body, Digest, Disclosure, KeyCertified, KeyPurpose, Kind, Layer, OfferedAgain,
    PartnershipTerms, RefusalCode, RefusedItem, Withdrawal,
};
use ambit_policy::schema_digest;
use serde_bytes::ByteBuf;

const UNDECIDED: RefusalCode = RefusalCode::Undecided;

fn untaken(seq: u64) -> RefusedItem {
    RefusedItem {
        seq,
        code: UNDECIDED,
    }
}

/// One observation disclosed as number 1 and set aside.
fn set_aside() -> Story {
    let mut story = Story::begin();
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
    story.acknowledge(1, &[untaken(1)]);
    story
}

fn push_offer(story: &mut Story, seq: u64, change: impl FnOnce(&mut OfferedAgain)) {
    let mut offer = story.offer(1, seq);
    change(&mut offer);
    story.supplier.push(Body::OfferedAgain(offer));
}

fn expect_last(story: &Story, rule: Rule) {
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[(rule, Some(last))]);
}

#[test]
fn what_was_taken_at_last_is_not_offered_again_and_taken_back() {
    // The recipient has signed that it took number 2; under number 3 it would seem to have been taken back.
    let mut story = set_aside();
    push_offer(&mut story, 2, |_| {});
    story.acknowledge(2, &[untaken(1)]);
    story.supplier.expect(&[]);
    push_offer(&mut story, 3, |_| {});
    expect_last(&story, Rule::OfferedAgain);
    // Nor before it answered to number 2, nor once it refused that for good.
    let mut story = set_aside();
    push_offer(&mut story, 2, |_| {});
    let mut open = story.clone();
    push_offer(&mut open, 3, |_| {});
    expect_last(&open, Rule::OfferedAgain);
    let code = RefusalCode::BadSignature;
    story.acknowledge(2, &[untaken(1), RefusedItem { seq: 2, code }]);
    push_offer(&mut story, 3, |_| {});
    expect_last(&story, Rule::OfferedAgain);
}

#[test]
fn what_is_offered_in_the_place_of_another_is_of_the_same_observation() {
    let renewed = |change: fn(&mut Disclosure)| {
        let mut story = set_aside();
        let disclosed = story.supplier.nth(Kind::Disclosed, 0);
        let Ok(Body::Disclosed(body)) = story.supplier.entries[disclosed].body() else {
            panic!()
        };
        let mut disclosure = Disclosure::from_own_ledger(&body.disclosure).unwrap();
        change(&mut disclosure);
        let key = story.supplier.keys.statement();
        push_offer(&mut story, 2, |offer| {
            disclosure.decisions = [offer.decision].into();
            offer.disclosure = Some(ByteBuf::from(disclosure.sign(&key)));
        });
        let last = story.supplier.entries.len() - 1;
        let report = story.supplier.verify();
        let found = report.findings().iter();
        found
            .filter(|found| found.entry == Some(last as u64))
            .any(|found| found.rule == Rule::OfferedAgain)
    };
    // The same edition takes no new disclosure.
    assert!(renewed(|_| {}));
    let other_edition = |disclosure: &mut Disclosure| disclosure.edition = Digest::of(b"another");
    assert!(!renewed(other_edition));
    assert!(renewed(|disclosure| {
        disclosure.edition = Digest::of(b"another");
        disclosure.observation = ambit_ledger::ObservationId::of(b"another");
    }));
    assert!(renewed(|disclosure| {
        disclosure.edition = Digest::of(b"another");
        disclosure.recipient = organization("did:web:another.example");
    }));
}

#[test]
fn what_is_in_force_is_not_proposed_again_to_take_something_back() {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    let proposed = story.supplier.nth(Kind::PartnershipEdition, 0);
    let proposed = story.supplier.entries[proposed].body().unwrap();
    story.supplier.push(proposed);
    let state = AgreementState::Proposed;
    let withdrawn = story.withdrawal(1, Withdrawal::Agreement { state });
    story.supplier.push(Body::Withdrawn(withdrawn));
    let last = story.supplier.entries.len() - 1;
    story.supplier.expect(&[
        (Rule::EditionChain, Some(last - 1)),
        (Rule::WithdrawalUnasked, Some(last)),
    ]);
}

#[test]
fn every_layer_judges_from_the_beginning() {
    for layer in Layer::ALL {
        if layer == Layer::Partnership {
            continue;
        }
        let mut story = Story::told();
        let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
        story.supplier.truncate(length);
        story.supplier.alter_decision(0, |decision| {
            decision.profiles.retain(|named| named.layer != layer)
        });
        story.supplier.entries.retain(|entry| {
            !matches!(entry.body(), Ok(Body::ProfileActivated(body)) if body.layer == layer)
        });
        let report = story.supplier.verify();
        let decided = story.supplier.nth(Kind::Decided, 0) as u64;
        let found = report.findings().iter();
        let found = found.filter(|found| found.rule == Rule::DecisionLayers);
        assert!(
            found
                .clone()
                .any(|found| found.entry == Some(decided) && found.how.contains(layer.name())),
            "{report}"
        );
    }
}

#[test]
fn a_decision_is_recorded_while_what_it_was_made_with_is_in_force() {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    let disclosure = story.supplier.entries.pop().unwrap().body().unwrap();
    let text = "@id(\"all\") permit (principal, action, resource);";
    let ledger = &mut story.supplier;
    let profile = ledger.activate(Layer::Owner, text.as_bytes(), schema_digest());
    story.supplier.push(disclosure);
    story.supplier.alter_decision(0, |decision| {
        for named in &mut decision.profiles {
            if named.layer == Layer::Owner {
                named.profile = profile;
            }
        }
    });
    let decided = story.supplier.nth(Kind::Decided, 0) as u64;
    let report = story.supplier.verify();
    let found = report.findings().iter();
    assert!(
        found
            .clone()
            .any(|found| (found.rule, found.entry) == (Rule::DecisionLayers, Some(decided))),
        "{report}"
    );
}

fn agreed(change: impl FnOnce(&mut PartnershipTerms)) -> Ledger {
    let mut terms = terms();
    change(&mut terms);
    let mut ledger = Ledger::open(supplier());
    ledger.agree(&terms);
    ledger
}

#[test]
fn terms_that_nobody_keeps_are_not_called_kept() {
    let active = Some(5);
    agreed(|terms| terms.hold_until = Some(terms.until)).expect(&[(Rule::Unchecked, active)]);
    agreed(|terms| terms.needs = ["forward".parse().unwrap()].into())
        .expect(&[(Rule::Unchecked, active)]);
    let stranger = agreed(|terms| terms.declarer = organization("did:web:stranger.example"));
    stranger.expect(&[(Rule::EditionTerms, Some(4)), (Rule::EditionTerms, active)]);
    let later = agreed(|terms| terms.declared_at = time("2027-05-01T08:00:00Z"));
    later.expect(&[
        (Rule::EditionTerms, Some(4)),
        (Rule::EditionSignatures, Some(4)),
        (Rule::EditionTerms, active),
        (Rule::EditionSignatures, active),
    ]);
}

#[test]
fn nobody_signs_an_agreement_after_it_came_into_force() {
    let terms = terms();
    let mut ledger = Ledger::open(supplier());
    let now = ledger.now;
    ledger.now = now.plus_days(100);
    ledger.agree(&terms);
    for (index, entry) in ledger.entries.iter_mut().enumerate().skip(3) {
        entry.time = now.plus_seconds(u32::try_from(index).unwrap());
    }
    ledger.expect(&[
        (Rule::EditionSignatures, Some(4)),
        (Rule::EditionSignatures, Some(5)),
    ]);
}

#[test]
fn a_checkpoint_is_signed_by_no_key_that_had_ended() {
    let mut ledger = Ledger::open(supplier());
    let key = ledger.keys.checkpoint();
    let good = (time("2026-01-01T00:00:00Z"), Some(ledger.now));
    let certificate = ledger
        .keys
        .certificate_between(KeyPurpose::Checkpoint, &key, good);
    ledger.push(Body::KeyCertified(KeyCertified { certificate }));
    ledger.expect(&[(Rule::CheckpointKey, None)]);
}

#[test]
fn nothing_is_observed_before_it_happens() {
    let mut story = Story::begin();
    let mut ahead = facts("inspection-result");
    let from = time("2027-05-01T08:00:00Z");
    (ahead.observed_from, ahead.observed_to) = (from, from.plus_seconds(1));
    story.supplier.observe(ahead);
    expect_last(&story, Rule::ObservationAhead);
}

#[test]
fn evidence_that_is_named_is_there() {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    let last = length - 1;
    story.supplier.alter(last, |body| {
        let Body::Disclosed(body) = body else {
            panic!()
        };
        body.evidence = [Digest::of(b"nowhere")].into();
    });
    story.supplier.expect(&[
        (Rule::BlobMissing, Some(last)),
        (Rule::Unchecked, Some(last)),
    ]);
}
