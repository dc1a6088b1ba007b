//! Rules of what is disclosed, withheld and taken back.

use crate::fixture::{Story, facts, organization, time};
use crate::{ISSUE_DELAY_SECONDS_MAX, Rule};
use ambit_ledger::{
    Action, Body, Digest, DisclosureId, EditionStage, Kind, LimitsSet, ObservationId, Verdict,
};

/// The supplier's ledger up to, and with, its first disclosure.
fn story() -> Story {
    let mut story = Story::told();
    let length = story.supplier.nth(Kind::Disclosed, 0) + 1;
    story.supplier.truncate(length);
    // A slice that no entry names any more would be a stray blob.
    let withheld = Story::told().supplier;
    let index = withheld.nth(Kind::Decided, 1);
    let Ok(Body::Decided(body)) = withheld.entries[index].body() else {
        panic!()
    };
    story.supplier.blobs.remove(&body.decision.slice);
    story.supplier.now = story.supplier.entries[length - 1].time;
    story
}

fn last(story: &Story) -> Option<usize> {
    story.supplier.entries.len().checked_sub(1)
}

#[test]
fn each_field_of_a_disclosure_counts() {
    type Change = fn(&mut ambit_ledger::Disclosure);
    let cases: [(Rule, Change); 17] = [
        (Rule::DisclosureParties, |d| d.recipient = organization("did:web:stranger.example")),
        (Rule::DisclosureParties, |d| d.recipient = d.discloser.clone()),
        (Rule::DisclosureObservation, |d| d.observation = ObservationId::of(b"another")),
        (Rule::DisclosureEdition, |d| d.partnership = "another".parse().unwrap()),
        (Rule::DisclosureEdition, |d| d.edition = Digest::of(b"another")),
        (Rule::DisclosureTime, |d| d.issued_at = d.issued_at.plus_seconds(2)),
        (Rule::DisclosureTime, |d| d.issued_at = time("2026-05-01T08:00:00Z")),
        (Rule::DisclosureScope, |d| d.scope.hold_until = d.scope.hold_until.plus_days(1)),
        (Rule::DisclosureScope, |d| d.scope.onward_hops = 1),
        (Rule::DisclosureScope, |d| {
            d.scope.recipients.insert(organization("did:web:stranger.example"));
        }),
        (Rule::DisclosureLimits, |d| d.scope.not_after = time("2027-12-30T00:00:00Z")),
        (Rule::DisclosureLimits, |d| {
            d.scope.purposes = ["urn:ambit:purpose:quality".parse().unwrap()].into();
        }),
        (Rule::DecisionUnknown, |d| d.decision = Digest::of(b"another")),
        (Rule::DecisionClass, |d| d.scope.not_after = time("2026-12-30T00:00:00Z")),
        (Rule::DisclosurePurposes, |d| {
            d.scope.purposes = ["urn:ambit:purpose:supplier-quality", "urn:ambit:purpose:supplier-quality.x"]
                .iter()
                .take(1)
                .map(|purpose| purpose.parse().unwrap())
                .collect();
            d.scope.purposes = ["https://w3id.org/catenax/policy/cx.quality.base:1".parse().unwrap()].into();
        }),
        (Rule::Signature, |d| d.scope.purposes.clear()),
        (Rule::Unchecked, |d| d.parent = Some(DisclosureId::of(b"another"))),
    ];
    for (index, (rule, change)) in cases.into_iter().enumerate() {
        let mut story = story();
        story.supplier.expect(&[]);
        story.supplier.alter_disclosure(0, change);
        let report = story.supplier.verify();
        let found: Vec<_> = report.findings().iter().map(|found| found.rule).collect();
        // A purpose outside the limits is found as such before the decision is looked at.
        let is_found = found.contains(&rule)
            || (rule == Rule::DisclosurePurposes && found.contains(&Rule::DisclosureLimits));
        assert!(is_found, "case {index}: {report}");
    }
}
