//! Rules of what is disclosed, withheld and taken back.

use crate::Rule;
use crate::fixture::{Story, facts, organization, time};
use ambit_ledger::{
    Action, Body, Digest, Disclosure, DisclosureId, EditionStage, Kind, LimitsSet, ObservationId,
    Verdict, Withheld,
};

/// The supplier's ledger up to, and with, the n-th entry of this kind.
fn until(kind: Kind, n: usize) -> Story {
    let mut story = Story::told();
    let length = story.supplier.nth(kind, n) + 1;
    story.supplier.truncate(length);
    story
}

fn disclosed() -> Story {
    until(Kind::Disclosed, 0)
}

fn last(story: &Story) -> Option<usize> {
    story.supplier.entries.len().checked_sub(1)
}

fn expect_last(story: &Story, rule: Rule) {
    story.supplier.expect(&[(rule, last(story))]);
}

#[test]
fn each_part_of_a_disclosure_counts() {
    type Change = fn(&mut Disclosure);
    let cases: [(Rule, Change); 17] = [
        (Rule::DisclosureParties, |d| {
            d.recipient = organization("did:web:stranger.example");
        }),
        (Rule::DisclosureParties, |d| {
            d.recipient = d.discloser.clone()
        }),
        (Rule::DisclosureObservation, |d| {
            d.observation = ObservationId::of(b"another");
        }),
        (Rule::DisclosureEdition, |d| {
            d.partnership = "another".parse().unwrap()
        }),
        (Rule::DisclosureEdition, |d| {
            d.edition = Digest::of(b"another")
        }),
        (Rule::DisclosureTime, |d| {
            d.issued_at = d.issued_at.plus_seconds(2)
        }),
        (Rule::DisclosureTime, |d| {
            d.issued_at = time("2026-05-01T08:00:00Z")
        }),
        (Rule::DisclosureScope, |d| {
            d.scope.hold_until = d.scope.hold_until.plus_days(1);
        }),
        (Rule::DisclosureScope, |d| d.scope.onward_hops = 1),
        (Rule::DisclosureScope, |d| {
            let stranger = organization("did:web:stranger.example");
            d.scope.recipients.insert(stranger);
        }),
        (Rule::DisclosureScope, |d| {
            d.scope.purposes = ["urn:ambit:purpose:research".parse().unwrap()].into();
        }),
        (Rule::DisclosureLimits, |d| {
            d.scope.not_after = time("2027-12-30T00:00:00Z")
        }),
        (Rule::DecisionUnknown, |d| {
            d.decisions = [Digest::of(b"another")].into();
        }),
        (Rule::DecisionClass, |d| {
            d.scope.not_after = time("2026-12-30T00:00:00Z")
        }),
        (Rule::DisclosurePurposes, |d| {
            d.scope.purposes = ["urn:ambit:purpose:quality.spc".parse().unwrap()].into();
        }),
        (Rule::Signature, |d| d.scope.purposes.clear()),
        (Rule::Unchecked, |d| {
            d.parent = Some(DisclosureId::of(b"another"))
        }),
    ];
    disclosed().supplier.expect(&[]);
    for (rule, change) in cases {
        let mut story = disclosed();
        story.supplier.alter_disclosure(0, change);
        expect_last(&story, rule);
    }
}

#[test]
fn a_disclosure_is_signed_by_this_organizations_statement_key() {
    let mut story = disclosed();
    let index = last(&story).unwrap();
    story.supplier.alter(index, |body| {
        let Body::Disclosed(body) = body else {
            panic!()
        };
        let disclosure = Disclosure::from_own_ledger(&body.disclosure).unwrap();
        let key = crate::fixture::supplier().checkpoint();
        body.disclosure = serde_bytes::ByteBuf::from(disclosure.sign(&key));
    });
    expect_last(&story, Rule::Key);
    let mut story = disclosed();
    story
        .supplier
        .alter_disclosure(0, |d| d.discloser = organization("did:web:x.example"));
    // Nobody vouches for the key of a stranger.
    let index = last(&story);
    story
        .supplier
        .expect(&[(Rule::RootMissing, index), (Rule::DisclosureParties, index)]);
}

#[test]
fn sequence_numbers_leave_none_out_and_repeat_none() {
    for seq in [0, 2] {
        let mut story = disclosed();
        story.supplier.alter(last(&story).unwrap(), |body| {
            let Body::Disclosed(body) = body else {
                panic!()
            };
            body.seq = seq;
        });
        expect_last(&story, Rule::Sequence);
    }
    let mut story = disclosed();
    let again = story.supplier.entries[last(&story).unwrap()]
        .body()
        .unwrap();
    story.supplier.push(again);
    expect_last(&story, Rule::Sequence);
}

#[test]
fn an_observation_is_disclosed_once() {
    let mut story = disclosed();
    let mut again = story.supplier.entries[last(&story).unwrap()]
        .body()
        .unwrap();
    let Body::Disclosed(body) = &mut again else {
        panic!()
    };
    body.seq = 2;
    story.supplier.push(again);
    expect_last(&story, Rule::DisclosureTwice);
}

#[test]
fn nothing_is_disclosed_outside_an_agreement_in_force() {
    let mut story = disclosed();
    let active = story.supplier.nth(Kind::PartnershipEdition, 1);
    story.supplier.alter(active, |body| {
        let Body::PartnershipEdition(body) = body else {
            panic!()
        };
        body.stage = EditionStage::Proposed;
    });
    story.supplier.expect(&[
        (Rule::EditionSignatures, Some(active)),
        (Rule::DisclosureEdition, last(&story)),
    ]);

    // After the lease: the clock of ledger and disclosure goes past it.
    let mut story = disclosed();
    let index = last(&story).unwrap();
    let late = story.terms.lease_until;
    story.supplier.entries[index].time = late;
    story.supplier.alter_disclosure(0, |d| d.issued_at = late);
    expect_last(&story, Rule::DisclosureEdition);
}

#[test]
fn limits_in_force_at_that_point_bind() {
    let replace = |change: fn(&mut ambit_ledger::Limits)| {
        let mut story = disclosed();
        story
            .supplier
            .alter(story.supplier.nth(Kind::LimitsSet, 0), |body| {
                let Body::LimitsSet(LimitsSet { limits }) = body else {
                    panic!()
                };
                change(limits);
            });
        story
    };
    let other_class = |limits: &mut ambit_ledger::Limits| {
        limits.data_classes = ["operations".parse().unwrap()].into();
    };
    expect_last(&replace(other_class), Rule::DisclosureLimits);
    let earlier = |limits: &mut ambit_ledger::Limits| {
        limits.hold_until = time("2026-12-01T00:00:00Z");
    };
    expect_last(&replace(earlier), Rule::DisclosureLimits);
    let wider = |limits: &mut ambit_ledger::Limits| {
        limits.hold_until = time("2040-12-01T00:00:00Z");
    };
    expect_last(&replace(wider), Rule::DecisionClass);
    // Limits set afterwards change nothing of what was disclosed.
    let mut story = disclosed();
    let mut limits = story.limits.clone();
    other_class(&mut limits);
    story.supplier.push(Body::LimitsSet(LimitsSet { limits }));
    story.supplier.expect(&[]);
}

#[test]
fn a_decision_is_made_with_the_layers_in_force() {
    type Change = fn(&mut ambit_ledger::Decision);
    let cases: [(Rule, Change); 5] = [
        (Rule::DecisionLayers, |d| {
            d.profiles.pop();
        }),
        (Rule::DecisionLayers, |d| d.taxonomies = d.schema),
        (Rule::DecisionLayers, |d| d.schema = d.taxonomies),
        (Rule::DecisionClass, |d| d.inquiry.action = Action::Admit),
        (Rule::DecisionClass, |d| {
            d.class_key = Digest::of(b"another")
        }),
    ];
    for (rule, change) in cases {
        let mut story = disclosed();
        story.supplier.alter_decision(0, change);
        let decided = story.supplier.nth(Kind::Decided, 0);
        let last = story.supplier.entries.len() - 1;
        // Other layers than those in force are found where it is recorded, too.
        let found = (rule == Rule::DecisionLayers).then_some((rule, Some(decided)));
        let expected: Vec<_> = found.into_iter().chain([(rule, Some(last))]).collect();
        story.supplier.expect(&expected);
    }
    // A profile that came into force after the decision.
    let mut story = disclosed();
    let text = "@id(\"all\") permit (principal, action, resource);";
    let profile = story.supplier.put(text.as_bytes());
    let disclosure = story.supplier.entries.pop().unwrap().body().unwrap();
    let index = story.supplier.nth(Kind::ProfileActivated, 1);
    let mut activated = story.supplier.entries[index].body().unwrap();
    let Body::ProfileActivated(body) = &mut activated else {
        panic!()
    };
    body.profile = profile;
    story.supplier.now = story.supplier.entries.last().unwrap().time;
    story.supplier.push(activated);
    story.supplier.push(disclosure);
    expect_last(&story, Rule::DecisionLayers);
}

#[test]
fn a_decision_is_true_when_it_is_used() {
    let mut story = disclosed();
    story
        .supplier
        .alter_decision(0, |d| d.true_until = Some(d.now.plus_seconds(1)));
    expect_last(&story, Rule::DecisionExpired);
    let mut story = disclosed();
    story
        .supplier
        .alter_decision(0, |d| d.now = d.now.plus_seconds(2));
    let decided = story.supplier.nth(Kind::Decided, 0);
    story
        .supplier
        .expect(&[(Rule::DecisionTime, Some(decided))]);
}

#[test]
fn one_decision_does_not_stand_for_another_class() {
    // What policy withholds, disclosed by the decision on something else.
    let mut story = disclosed();
    let index = story.supplier.nth(Kind::Decided, 0);
    let Ok(Body::Decided(decided)) = story.supplier.entries[index].body() else {
        panic!()
    };
    let mut unclassified = facts("inspection-result");
    unclassified.export_control.determined = false;
    let (id, facts) = story.supplier.observe(unclassified);
    story.disclose(id, &facts, &decided.decision, 2);
    expect_last(&story, Rule::DecisionClass);
}

#[test]
fn a_withholding_is_what_its_decision_says() {
    type Change = fn(&mut Withheld);
    let cases: [(Rule, Change); 7] = [
        (Rule::DecisionVerdict, |w| w.undecided = true),
        (Rule::DecisionUnknown, |w| {
            w.decision = Some(Digest::of(b"another"))
        }),
        (Rule::WithheldUnasked, |w| w.decision = None),
        (Rule::DisclosureObservation, |w| {
            w.observation = ObservationId::of(b"another")
        }),
        (Rule::DisclosureEdition, |w| {
            w.partnership = "another".parse().unwrap()
        }),
        (Rule::DisclosureParties, |w| {
            w.recipient = organization("did:web:x.example")
        }),
        (Rule::DisclosureParties, |w| {
            w.recipient = organization(crate::fixture::SUPPLIER);
        }),
    ];
    until(Kind::Withheld, 1).supplier.expect(&[]);
    for (rule, change) in cases {
        let mut story = until(Kind::Withheld, 1);
        story.supplier.alter(last(&story).unwrap(), |body| {
            let Body::Withheld(body) = body else { panic!() };
            change(body);
        });
        expect_last(&story, rule);
    }
    // By the decision that admits the class of another observation.
    let mut story = until(Kind::Withheld, 1);
    let index = story.supplier.nth(Kind::Decided, 0);
    let Ok(Body::Decided(admissible)) = story.supplier.entries[index].body() else {
        panic!()
    };
    let digest = admissible.decision.digest();
    story.supplier.alter(last(&story).unwrap(), |body| {
        let Body::Withheld(body) = body else { panic!() };
        body.decision = Some(digest);
    });
    expect_last(&story, Rule::DecisionVerdict);
}

#[test]
fn a_withholding_needs_a_decision_of_its_class() {
    let mut story = until(Kind::Withheld, 0);
    // No limits cover it, so there is nothing a decision could have been about.
    let index = story.supplier.nth(Kind::Decided, 0);
    let Ok(Body::Decided(decided)) = story.supplier.entries[index].body() else {
        panic!()
    };
    let mut decision = decided.decision;
    decision.verdicts[0].verdict = Verdict::Withheld;
    let digest = decision.digest();
    story
        .supplier
        .push(Body::Decided(ambit_ledger::Decided { decision }));
    let contradicting = last(&story).map(|index| index - 1);
    let index = story.supplier.nth(Kind::Withheld, 0);
    let mut withheld = story.supplier.entries.remove(index).body().unwrap();
    let Body::Withheld(body) = &mut withheld else {
        panic!()
    };
    body.decision = Some(digest);
    story.supplier.push(withheld);
    story.supplier.expect(&[
        (Rule::DecisionContradicts, contradicting),
        (Rule::DecisionClass, last(&story)),
    ]);
}

#[test]
fn a_withholding_may_be_recorded_after_midnight() {
    let mut story = until(Kind::LimitsSet, 0);
    story.supplier.now = time("2026-05-02T23:59:50Z");
    let mut unclassified = facts("inspection-result");
    unclassified.export_control.determined = false;
    let (id, facts) = story.supplier.observe(unclassified);
    let judged = story.judge(&facts);
    story.supplier.now = time("2026-05-03T00:00:10Z");
    let decision = story.supplier.decide(&judged);
    story.withhold(id, Some(decision));
    story.supplier.expect(&[]);
    let length = story.supplier.entries.len();
    story.supplier.entries[length - 1].time = time("2026-05-03T01:00:00Z");
    expect_last(&story, Rule::DecisionClass);
}

#[test]
fn every_observation_is_judged_for_every_recipient() {
    let mut story = disclosed();
    let (skipped, facts_of) = story.supplier.observe(facts("inspection-result"));
    let skipped_at = last(&story);
    let report = story.supplier.verify();
    assert_eq!((report.exit_code(), report.checked().unjudged), (0, 1));
    let (next, _) = story.supplier.observe(facts("process-ip"));
    story.withhold(next, None);
    story.supplier.expect(&[(Rule::PassedOver, skipped_at)]);
    // That it is judged at last does not put it in its place: a rule that suits its owner may have come in between.
    let index = story.supplier.nth(Kind::Decided, 0);
    let Ok(Body::Decided(decided)) = story.supplier.entries[index].body() else {
        panic!()
    };
    story.disclose(skipped, &facts_of, &decided.decision, 2);
    story.supplier.expect(&[(Rule::PassedOver, skipped_at)]);
}

#[test]
fn what_stands_disclosed_is_not_withheld_as_well() {
    let mut story = disclosed();
    let index = story.supplier.nth(Kind::Observed, 0);
    let Ok(Body::Observed(body)) = story.supplier.entries[index].body() else {
        panic!()
    };
    story.withhold(ObservationId::of(&body.observation), None);
    let expected = [
        (Rule::WithheldDisclosed, last(&story)),
        (Rule::WithheldUnasked, last(&story)),
    ];
    story.supplier.expect(&expected);
}

#[test]
fn decisions_on_one_class_do_not_contradict_each_other() {
    let mut story = disclosed();
    let index = story.supplier.nth(Kind::Decided, 0);
    let Ok(Body::Decided(decided)) = story.supplier.entries[index].body() else {
        panic!()
    };
    let push = |change: fn(&mut ambit_ledger::Decision)| {
        let mut story = story.clone();
        let mut decision = decided.decision.clone();
        change(&mut decision);
        story
            .supplier
            .push(Body::Decided(ambit_ledger::Decided { decision }));
        story
    };
    // The same again, with another salt.
    push(|d| d.salt = crate::fixture::salt(77))
        .supplier
        .expect(&[]);
    let contrary = push(|d| d.verdicts[0].verdict = Verdict::Withheld);
    expect_last(&contrary, Rule::DecisionContradicts);
    story = contrary;
    assert!(
        story.supplier.verify().findings()[0]
            .how
            .contains(&index.to_string())
    );
}
