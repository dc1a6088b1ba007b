//! Rules of what is taken in.

use crate::Rule;
use crate::fixture::{Story, organization, time};
use ambit_ledger::{
    Body, Digest, Disclosure, DisclosureId, EditionStage, Facts, Kind, ObservationId, RefusalCode,
    Refused, SetAside, Verdict,
};

/// The customer's ledger up to, and with, its admission.
fn admitted() -> Story {
    let mut story = Story::told();
    story
        .customer
        .truncate(story.customer.nth(Kind::Admitted, 0) + 1);
    story
}

fn expect_last(story: &Story, rule: Rule) {
    let last = story.customer.entries.len() - 1;
    story.customer.expect(&[(rule, Some(last))]);
}

#[test]
fn each_part_of_what_is_admitted_counts() {
    type Change = fn(&mut Disclosure, &mut Facts);
    let cases: [(Rule, Change); 13] = [
        (Rule::AdmissionParties, |d, _| {
            d.recipient = organization("did:web:stranger.example");
        }),
        (Rule::AdmissionObservation, |d, _| {
            d.observation = ObservationId::of(b"another");
        }),
        (Rule::AdmissionEdition, |d, _| {
            d.partnership = "another".parse().unwrap()
        }),
        (Rule::AdmissionEdition, |d, _| {
            d.edition = Digest::of(b"another")
        }),
        (Rule::AdmissionEdition, |d, _| {
            d.issued_at = time("2026-06-01T00:00:00Z")
        }),
        (Rule::AdmissionTime, |d, _| {
            d.issued_at = time("2026-05-02T00:00:00Z")
        }),
        (Rule::AdmissionTime, |d, _| {
            d.issued_at = time("2026-05-01T07:54:59Z")
        }),
        (Rule::AdmissionScope, |d, _| d.scope.onward_hops = 1),
        (Rule::AdmissionScope, |d, _| {
            d.scope.purposes = ["urn:ambit:purpose:research".parse().unwrap()].into();
        }),
        (Rule::ObservationIssuer, |d, facts| {
            facts.owner = d.recipient.clone()
        }),
        (Rule::DecisionClass, |_, facts| facts.trade_secret = true),
        (Rule::DecisionClass, |d, _| {
            d.scope.purposes = ["urn:ambit:purpose:quality.spc".parse().unwrap()].into();
        }),
        (Rule::Unchecked, |d, _| {
            d.parent = Some(DisclosureId::of(b"another"))
        }),
    ];
    admitted().customer.expect(&[]);
    for (rule, change) in cases {
        let mut story = admitted();
        story.customer.alter_admission(change);
        expect_last(&story, rule);
    }
}

#[test]
fn nothing_is_disclosed_before_it_is_observed() {
    let mut story = admitted();
    story.customer.alter_admission(|disclosure, facts| {
        facts.observed_to = disclosure.issued_at.plus_seconds(301);
    });
    let last = Some(story.customer.entries.len() - 1);
    // Its readings were observed when they were.
    let expected = [(Rule::ReadingsDiffer, last), (Rule::AdmissionTime, last)];
    story.customer.expect(&expected);
}

#[test]
fn both_statements_are_signed() {
    let break_signature = |change: fn(&mut ambit_ledger::Admitted), more: &[_]| {
        let mut story = admitted();
        story
            .customer
            .alter(story.customer.nth(Kind::Admitted, 0), |body| {
                let Body::Admitted(body) = body else { panic!() };
                change(body);
            });
        let last = Some(story.customer.entries.len() - 1);
        story
            .customer
            .expect(&[&[(Rule::Signature, last)], more].concat());
    };
    break_signature(|body| *body.disclosure.last_mut().unwrap() ^= 1, &[]);
    // It is another observation then, whose readings nobody has.
    let stray = [(Rule::ReadingsStray, None)];
    break_signature(|body| *body.observation.last_mut().unwrap() ^= 1, &stray);
}

#[test]
fn an_admission_is_what_its_decision_says() {
    let mut story = admitted();
    story.customer.alter_decision(0, |decision| {
        for verdict in &mut decision.verdicts {
            verdict.verdict = Verdict::Withheld;
        }
    });
    expect_last(&story, Rule::DecisionVerdict);
    let mut story = admitted();
    let index = story.customer.nth(Kind::Admitted, 0);
    story.customer.alter(index, |body| {
        let Body::Admitted(body) = body else { panic!() };
        body.decisions = [Digest::of(b"another")].into();
    });
    expect_last(&story, Rule::DecisionUnknown);
    // Taken in without having been judged.
    let mut story = admitted();
    story.customer.alter(index, |body| {
        let Body::Admitted(body) = body else { panic!() };
        body.decisions.clear();
    });
    expect_last(&story, Rule::DecisionUnknown);
    let mut story = admitted();
    story.customer.entries[index].time = time("2026-07-01T00:00:00Z");
    expect_last(&story, Rule::DecisionExpired);
}

#[test]
fn nothing_is_admitted_outside_an_agreement_in_force() {
    let mut story = admitted();
    let active = story.customer.nth(Kind::PartnershipEdition, 1);
    story.customer.alter(active, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        body.stage = EditionStage::Proposed;
    });
    let last = story.customer.entries.len() - 1;
    story.customer.expect(&[
        (Rule::EditionSignatures, Some(active)),
        (Rule::AdmissionEdition, Some(last)),
    ]);
}

#[test]
fn sequence_numbers_ascend() {
    let mut story = admitted();
    let mut again = story.customer.entries.last().unwrap().body().unwrap();
    let Body::Admitted(body) = &mut again else {
        panic!()
    };
    body.slot = 2;
    story.customer.push(again.clone());
    let last = Some(story.customer.entries.len() - 1);
    story
        .customer
        .expect(&[(Rule::Sequence, last), (Rule::AdmissionTwice, last)]);
    story.customer.entries.pop();
    // A tombstone between them leaves a number out; the same disclosure is no other for that.
    let Body::Admitted(body) = &mut again else {
        panic!()
    };
    body.seq = 3;
    story.customer.push(again);
    expect_last(&story, Rule::AdmissionTwice);
}

#[test]
fn refusals_name_what_they_count() {
    let refuse = |count: u64, named: usize| {
        let mut story = Story::told();
        let last = story.customer.entries.len() - 1;
        story.customer.alter(last, |body| {
            let Body::Refused(body) = body else { panic!() };
            body.count = count;
            body.digests = vec![Digest::of(b"x"); named];
        });
        story
    };
    refuse(7, 1).customer.expect(&[]);
    assert_eq!(refuse(7, 1).customer.verify().checked().refused, 7);
    expect_last(&refuse(1, 0), Rule::Refusal);
    expect_last(&refuse(1, 2), Rule::Refusal);
}

#[test]
fn refusals_and_what_is_set_aside_have_codes_of_their_own() {
    let coded = |code: RefusalCode, is_set_aside: bool| {
        let mut story = Story::told();
        let last = story.customer.entries.len() - 1;
        story.customer.alter(last, |body| {
            let Body::Refused(refused) = body.clone() else {
                panic!()
            };
            *body = if is_set_aside {
                Body::SetAside(SetAside {
                    sender: refused.sender,
                    partnership: refused.partnership,
                    code,
                    count: refused.count,
                    digests: refused.digests,
                })
            } else {
                Body::Refused(Refused { code, ..refused })
            };
        });
        story
    };
    let (refuses, sets_aside) = (RefusalCode::NotAdmissible, RefusalCode::Undecided);
    coded(refuses, false).customer.expect(&[]);
    coded(sets_aside, true).customer.expect(&[]);
    expect_last(&coded(sets_aside, false), Rule::Refusal);
    expect_last(&coded(refuses, true), Rule::Refusal);
}
