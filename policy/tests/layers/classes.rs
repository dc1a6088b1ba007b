//! Classes: whatever is read names another class; whatever is not does not; one class has one answer.

use crate::fixture::{
    OEM_A, OEM_B, admissible, assigned, attested, id, now, time, with_owner_rule,
};
use ambit_ledger::{Action, AgreementState, Inquiry, Layer, Time, Verdict};
use ambit_policy::{Layers, class_key, judge};
use proptest::prelude::*;

#[test]
fn every_field_read_names_another_class() {
    let (layers, inquiry) = admissible();
    let changes: Vec<fn(&mut Inquiry)> = vec![
        |i| i.action = Action::Admit,
        |i| i.recipient.organization = id(OEM_B),
        |i| i.recipient.seat = "US".parse().unwrap(),
        |i| i.recipient.hosting = ["US".parse().unwrap()].into(),
        |i| i.recipient.personnel = ["US".parse().unwrap()].into(),
        |i| i.recipient.attested = [].into(),
        |i| {
            let mut longer = attested(OEM_A);
            longer.attestation.not_after = Time::LATEST;
            i.recipient.attested = [longer].into();
        },
        |i| i.discloser = id(OEM_B),
        |i| i.footprint.issuer = id(OEM_B),
        |i| i.footprint.owner = id(OEM_B),
        |i| i.footprint.design_authority = Some(id(OEM_A)),
        |i| {
            i.footprint.named.insert(id(OEM_B));
        },
        |i| i.footprint.data_class = "spc".parse().unwrap(),
        |i| i.footprint.semantic_id = "urn:x".parse().unwrap(),
        |i| i.footprint.program = None,
        |i| i.footprint.part = Some(assigned(OEM_A, "2")),
        |i| i.footprint.site = None,
        |i| i.footprint.trade_secret = true,
        |i| i.footprint.export_control.determined = false,
        |i| i.footprint.export_control.itar = true,
        |i| i.footprint.export_control.usml = Some("VIII".parse().unwrap()),
        |i| i.footprint.export_control.eccn = Some("EAR99".parse().unwrap()),
        |i| i.footprint.export_control.eu_annex_i = Some("2E003".parse().unwrap()),
        |i| i.footprint.export_control.licence = Some("D-1".parse().unwrap()),
        |i| {
            i.scope.recipients.insert(id(OEM_B));
        },
        |i| {
            i.scope
                .purposes
                .insert("urn:ambit:purpose:research".parse().unwrap());
        },
        |i| i.scope.not_after = Time::LATEST,
        |i| i.scope.hold_until = Time::LATEST,
        |i| i.scope.keep_until = Some(Time::EARLIEST),
        |i| i.scope.erasure = ambit_ledger::ErasureExtent::All,
        |i| i.scope.onward_hops = 7,
        |i| i.scope.derived = None,
        |i| i.limits = None,
        |i| i.limits.as_mut().unwrap().not_after = Time::LATEST,
        |i| i.partnership.partnership = "x".parse().unwrap(),
        |i| i.partnership.edition = ambit_ledger::Digest::of(b"x"),
        |i| i.partnership.state = AgreementState::Suspended,
        |i| {
            i.partnership.members.insert(id(OEM_B));
        },
        |i| i.partnership.program = Some(assigned(OEM_A, "F100")),
        |i| i.partnership.until = Time::LATEST,
        |i| i.partnership.lease_until = Time::LATEST,
        |i| i.retention_days += 1,
        |i| i.hop = 1,
        |i| i.footprint.observed_from = time("2025-12-31T23:59:00Z"),
        |i| i.footprint.observed_to = time("2028-01-01T00:00:00Z"),
    ];
    let mut keys = std::collections::BTreeSet::from([class_key(&layers, &inquiry)]);
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = inquiry.clone();
        change(&mut changed);
        assert!(keys.insert(class_key(&layers, &changed)), "change {index}");
    }
    // So does another profile, and other taxonomies.
    let rule = "@id(\"f\") forbid (principal, action, resource) when { resource.tradeSecret };";
    assert!(keys.insert(class_key(&with_owner_rule(&layers, rule), &inquiry)));
    let text = std::str::from_utf8(layers.taxonomies().to_bytes()).unwrap();
    let text = text.replacen("Afghanistan", "AF", 1);
    let taxonomies = ambit_policy::Taxonomies::from_json(&text).unwrap();
    let relabelled = Layers::new(taxonomies, layers.profiles().cloned()).unwrap();
    assert!(keys.insert(class_key(&relabelled, &inquiry)));
}

#[test]
fn what_no_policy_names_is_no_part_of_the_class() {
    let (layers, inquiry) = admissible();
    type Change = (&'static str, fn(&mut Inquiry));
    let changes: [Change; 7] = [
        ("asset", |i| i.footprint.asset = Some("x".parse().unwrap())),
        ("lot", |i| i.footprint.lot = Some(assigned(OEM_A, "2"))),
        ("order", |i| i.footprint.order = Some(assigned(OEM_A, "2"))),
        ("part", |i| i.footprint.part = Some(assigned(OEM_A, "2"))),
        ("process", |i| {
            i.footprint.process = Some("x".parse().unwrap())
        }),
        ("revision", |i| {
            i.footprint.revision = Some("x".parse().unwrap())
        }),
        ("serial", |i| {
            i.footprint.serial = Some("x".parse().unwrap())
        }),
    ];
    for (attribute, change) in changes {
        let mut other = inquiry.clone();
        change(&mut other);
        let is_one_class = class_key(&layers, &inquiry) == class_key(&layers, &other);
        // The partnership layer of this agreement is about one part, and about no lot.
        assert_eq!(is_one_class, attribute != "part", "{attribute}");
        let slice = |layers: &Layers| {
            let slice = judge(layers, &other, now()).slice;
            let slice: serde_json::Value = serde_json::from_slice(&slice).unwrap();
            slice["entities"][1]["attrs"][attribute].is_null()
        };
        assert_eq!(slice(&layers), is_one_class, "{attribute}");

        // As soon as a policy names it, by whatever detour, it is read.
        let rule = format!(
            "@id(\"f\") forbid (principal, action in Ambit::Action::\"transfer\", resource is Ambit::Observation)\n\
             when {{ (if resource.tradeSecret then resource else resource) has {attribute} && resource.tradeSecret }};"
        );
        let reading = with_owner_rule(&layers, &rule);
        assert_ne!(
            class_key(&reading, &inquiry),
            class_key(&reading, &other),
            "{attribute}"
        );
        assert!(!slice(&reading), "{attribute}");
    }
}

#[test]
fn observed_time_within_the_window_is_one_class() {
    let (layers, inquiry) = admissible();
    let at = |from: &str, to: &str| {
        let mut inquiry = inquiry.clone();
        inquiry.footprint.observed_from = time(from);
        inquiry.footprint.observed_to = time(to);
        class_key(&layers, &inquiry)
    };
    let key = class_key(&layers, &inquiry);
    assert_eq!(key, at("2026-01-01T00:00:00.001Z", "2026-01-01T00:00:59Z"));
    assert_eq!(
        key,
        at("2027-12-30T23:59:00Z", "2027-12-30T23:59:59.999999999Z")
    );
    assert_ne!(key, at("2025-12-31T23:59:59.999Z", "2026-05-01T08:00:00Z"));
    assert_ne!(key, at("2027-12-30T23:59:00Z", "2028-01-01T00:00:00Z"));
}

#[test]
fn the_answer_holds_until_the_next_instant() {
    let (layers, inquiry) = admissible();
    let decision = judge(&layers, &inquiry, now()).decision;
    // From the millisecond after the window's start, which a policy names, to the end of the lease.
    assert_eq!(decision.true_from, time("2026-01-01T00:00:00.001Z"));
    assert_eq!(decision.true_until, Some(time("2026-06-01T00:00:00Z")));
    let after = judge(&layers, &inquiry, decision.true_until.unwrap()).decision;
    assert_ne!(after.verdict(), decision.verdict());
    let last = judge(&layers, &inquiry, time("2199-01-01T00:00:00Z")).decision;
    assert_eq!(last.true_until, None);
    let first = judge(&layers, &inquiry, Time::EARLIEST).decision;
    assert_eq!(first.true_from, Time::EARLIEST);
}

#[test]
fn a_lease_that_ran_out_leaves_it_undecided_until_the_agreement_ends() {
    let (layers, inquiry) = admissible();
    let at = |now| judge(&layers, &inquiry, time(now)).decision;
    assert_eq!(
        at("2026-05-31T23:59:59.999Z").verdict(),
        Verdict::Admissible
    );
    let ran_out = at("2026-06-01T00:00:00Z");
    assert_eq!(ran_out.verdict(), Verdict::Undecided);
    let partnership = &ran_out.verdicts[0].layers[1];
    assert_eq!(partnership.layer, Layer::Partnership);
    assert_eq!(partnership.verdict, Verdict::Undecided);
    // Cedar alone denies by this policy: nothing but its name is needed to read the answer.
    assert_eq!(partnership.determining, ["undecided-lease"]);
    assert!(partnership.errors.is_empty() && ran_out.verdicts[0].errors.is_empty());
    assert_eq!(at("2027-12-31T00:00:00Z").verdict(), Verdict::Withheld);
}

#[test]
fn an_attestation_bounds_the_answer_at_both_ends() {
    let (layers, mut inquiry) = admissible();
    let mut later = attested(OEM_A);
    later.attestation.not_before = time("2026-05-10T00:00:00Z");
    later.attestation.not_after = time("2026-05-20T00:00:00Z");
    inquiry.recipient.attested = [later].into();
    let tags = |now: &str| {
        let judged = judge(&layers, &inquiry, time(now));
        let slice: serde_json::Value = serde_json::from_slice(&judged.slice).unwrap();
        let until = judged.decision.true_until.unwrap();
        (
            !slice["entities"][0]["tags"]["iso27001"].is_null(),
            until.to_string(),
        )
    };
    // It is shown while it is in force, and no answer outlasts its beginning or its end.
    let (before, during, after) = (false, true, false);
    assert_eq!(
        tags("2026-05-01T09:00:00Z"),
        (before, "2026-05-10T00:00:00Z".to_owned())
    );
    assert_eq!(
        tags("2026-05-10T00:00:00.001Z"),
        (during, "2026-05-20T00:00:00Z".to_owned())
    );
    assert_eq!(
        tags("2026-05-20T00:00:00.001Z"),
        (after, "2026-06-01T00:00:00Z".to_owned())
    );
}

/// Instants near those that something names, so that a boundary is hit often.
fn instant() -> impl Strategy<Value = Time> {
    let named = prop::sample::select(vec![
        "2026-01-01T00:00:00Z",
        "2026-06-01T00:00:00Z",
        "2027-06-01T00:00:00Z",
        "2027-12-31T00:00:00Z",
        "2028-01-01T00:00:00Z",
        "2028-05-01T00:00:00Z",
        "2026-05-01T08:00:00Z",
    ]);
    let offset = prop_oneof![
        prop::sample::select(vec![-60_000_i64, -2, -1, 0, 1, 2, 60_000]),
        -40_000_000_000_i64..40_000_000_000,
    ];
    (named, offset)
        .prop_map(|(text, offset)| Time::from_millis(time(text).as_millis() + offset).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn one_class_has_one_answer(
        from_one in instant(), to_one in instant(), from_two in instant(), to_two in instant(), now in instant()
    ) {
        let (layers, inquiry) = admissible();
        let rule = "@id(\"f\") forbid (principal, action, resource is Ambit::Observation)\n\
            when { resource.observedFrom == datetime(\"2026-06-01\") || resource.observedTo > datetime(\"2027-06-01\") };";
        let layers = with_owner_rule(&layers, rule);
        let mut one = inquiry.clone();
        (one.footprint.observed_from, one.footprint.observed_to) = (from_one, to_one);
        let mut two = inquiry;
        (two.footprint.observed_from, two.footprint.observed_to) = (from_two, to_two);
        let (one, two) = (judge(&layers, &one, now).decision, judge(&layers, &two, now).decision);
        if one.class_key == two.class_key {
            prop_assert_eq!(one.verdicts, two.verdicts);
            prop_assert_eq!((one.true_from, one.true_until), (two.true_from, two.true_until));
        }
    }

    #[test]
    fn the_answer_is_the_same_all_through_its_interval(now in instant(), later in instant()) {
        let (layers, inquiry) = admissible();
        let decision = judge(&layers, &inquiry, now).decision;
        prop_assert!(decision.is_true_at(now));
        if decision.is_true_at(later) {
            let again = judge(&layers, &inquiry, later).decision;
            prop_assert_eq!(&again.verdicts, &decision.verdicts);
            prop_assert_eq!((again.true_from, again.true_until), (decision.true_from, decision.true_until));
        }
    }
}
