//! Whole bundles: clean ones, changed ones, and ones that lack something.

use crate::fixture::{Ledger, Story, customer, expect, facts, supplier, time, trust};
use crate::{AuditVerdict, Bundle, Rule, Trust, TrustedRoot, replay, verify};
use ambit_ledger::{Body, Kind, Layer, SecretKey, Verdict};

fn small() -> Ledger {
    let mut ledger = Ledger::open(supplier());
    ledger.observe(facts("inspection-result"));
    let profile = ledger.put(b"@id(\"none\") forbid (principal, action, resource);");
    let body = ambit_ledger::ProfileActivated {
        layer: Layer::Owner,
        profile,
        schema: profile,
        anyway: None,
    };
    ledger.push(Body::ProfileActivated(body));
    ledger
}

fn is_verified(bytes: &[u8]) -> bool {
    Bundle::read(bytes).is_ok_and(|bundle| verify(&bundle, &trust()).exit_code() == 0)
}

#[test]
fn clean_ledgers_verify_and_replay() {
    let story = Story::told();
    for (ledger, decisions) in [(&story.supplier, 3), (&story.customer, 1)] {
        let bundle = ledger.bundle();
        expect(&verify(&bundle, &trust()), &[]);
        let report = replay(&bundle, &trust());
        expect(&report, &[]);
        assert_eq!(report.verdict(), AuditVerdict::Verified);
        let checked = report.checked();
        assert_eq!(checked.decisions, decisions);
        assert_eq!(checked.decisions_replayed, decisions);
        assert_eq!(
            usize::try_from(checked.entries).unwrap(),
            ledger.entries.len()
        );
        assert_eq!(usize::try_from(checked.blobs).unwrap(), ledger.blobs.len());
        assert_eq!(
            usize::try_from(checked.readings).unwrap(),
            ledger.readings.len()
        );
        assert_eq!(checked.unjudged, 0);
    }
    let checked = *story.supplier.verify().checked();
    assert_eq!((checked.observations, checked.disclosures), (4, 3));
    assert_eq!((checked.withheld, checked.withdrawn), (2, 1));
    assert_eq!(checked.acknowledgements, 2);
    let checked = *story.customer.verify().checked();
    assert_eq!((checked.admitted, checked.refused), (1, 1));
}

#[test]
fn any_changed_byte_of_a_small_bundle_is_found() {
    let bytes = small().export();
    assert!(is_verified(&bytes));
    for index in 0..bytes.len() {
        // Every byte once, and every bit of one byte in sixteen.
        let bits = if index % 16 == 0 {
            0..8
        } else {
            index % 8..index % 8 + 1
        };
        for bit in bits {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            assert!(!is_verified(&changed), "byte {index}, bit {bit}");
        }
    }
}

#[test]
fn changed_bytes_of_a_whole_bundle_are_found() {
    let bytes = Story::told().supplier.export();
    assert!(is_verified(&bytes));
    for index in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut changed = bytes.clone();
        changed[index] ^= 0x10;
        assert!(!is_verified(&changed), "byte {index}");
    }
}

#[test]
fn a_statement_changed_under_a_new_checkpoint_is_found() {
    // A node can sign its checkpoint again; a statement's signature is over the statement's own bytes.
    for kind in [Kind::Observed, Kind::Disclosed, Kind::Acknowledged] {
        let mut ledger = Story::told().supplier;
        let index = ledger.nth(kind, 0);
        let body = &mut ledger.entries[index].body;
        let middle = body.len() / 2;
        body[middle] ^= 1;
        assert_eq!(ledger.verify().exit_code(), 1, "{kind:?}");
    }
}

#[test]
fn no_entries_prove_nothing() {
    let mut bytes = crate::MAGIC.to_vec();
    for record in [
        &b"\xa1\x00\xa2\x00\x61a\x01\x60"[..],
        b"\xa1\x04\xa3\x00\x00\x01\x00\x02\x00",
    ] {
        bytes.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
        bytes.extend(record);
    }
    let bundle = Bundle::read(bytes.as_slice()).unwrap();
    for report in [verify(&bundle, &trust()), replay(&bundle, &trust())] {
        assert_eq!(report.exit_code(), 3);
        assert_eq!(report.findings()[0].rule, Rule::NoEntries);
    }
    let error = Bundle::read(&b""[..]).unwrap_err();
    let report = crate::Report::unreadable(crate::Task::Verify, &error);
    assert_eq!(
        (report.exit_code(), report.verdict()),
        (6, AuditVerdict::Unreadable)
    );
}

#[test]
fn without_decisions_a_replay_says_that_none_was_judged() {
    let bundle = small().bundle();
    assert_eq!(verify(&bundle, &trust()).exit_code(), 0);
    let report = replay(&bundle, &trust());
    expect(&report, &[]);
    let said =
        "\nverified: 5 entries, 4 signatures; no decision is recorded, so none was judged again\n";
    assert!(report.to_string().ends_with(said), "{report}");
}

#[test]
fn without_the_own_root_nothing_is_proved() {
    let bundle = Story::told().supplier.bundle();
    let mut trust = Trust::new();
    trust.add(customer().trusted());
    let report = replay(&bundle, &trust);
    assert_eq!(report.exit_code(), 3);
    assert_eq!(report.findings()[0].rule, Rule::RootMissing);
    let fingerprint = supplier().root().public().fingerprint().to_string();
    assert!(report.findings()[0].how.contains(&fingerprint));
    assert_eq!(verify(&bundle, &Trust::new()).exit_code(), 3);
}

#[test]
fn without_a_partners_root_its_statements_are_not_checked() {
    let story = Story::told();
    for (ledger, other) in [(&story.supplier, customer()), (&story.customer, supplier())] {
        let mut trust = Trust::new();
        trust.add(ledger.keys.trusted());
        let report = verify(&ledger.bundle(), &trust);
        let proposed = ledger.nth(Kind::PartnershipEdition, 0);
        expect(&report, &[(Rule::RootMissing, Some(proposed))]);
        assert_eq!(report.exit_code(), 3);
        let how = &report.findings()[0].how;
        assert!(how.contains(other.organization.as_str()));
        assert!(how.contains(&other.root().public().fingerprint().to_string()));
    }
}

#[test]
fn another_root_than_the_trusted_one_is_refused() {
    let story = Story::told();
    let stranger = SecretKey::from_seed(&[99; 32]).public().fingerprint();
    let wrong = |root: TrustedRoot| TrustedRoot {
        fingerprint: stranger,
        ..root
    };
    let bundle = story.supplier.bundle();
    let mut trust = Trust::new();
    trust.add(wrong(supplier().trusted()));
    trust.add(customer().trusted());
    let report = verify(&bundle, &trust);
    expect(&report, &[(Rule::RootDiffers, None)]);
    assert_eq!(report.exit_code(), 1);

    let mut trust = Trust::new();
    trust.add(supplier().trusted());
    trust.add(wrong(customer().trusted()));
    let proposed = story.supplier.nth(Kind::PartnershipEdition, 0);
    expect(
        &verify(&bundle, &trust),
        &[(Rule::RootDiffers, Some(proposed))],
    );
}

#[test]
fn a_root_trusted_from_later_on_is_not_enough() {
    let story = Story::told();
    let late = |root: TrustedRoot| TrustedRoot {
        from: time("2026-02-01T00:00:00Z"),
        ..root
    };
    let bundle = story.supplier.bundle();
    let mut trust = Trust::new();
    trust.add(supplier().trusted());
    trust.add(late(customer().trusted()));
    let report = verify(&bundle, &trust);
    let proposed = story.supplier.nth(Kind::PartnershipEdition, 0);
    expect(&report, &[(Rule::RootFrom, Some(proposed))]);
    assert_eq!(report.exit_code(), 3);
    let mut trust = Trust::new();
    trust.add(late(supplier().trusted()));
    assert_eq!(verify(&bundle, &trust).exit_code(), 3);
}

#[test]
fn a_forged_verdict_replays_differently() {
    let mut ledger = Story::told().supplier;
    // What policy withheld is passed off as undecided, with every signature in place.
    ledger.truncate(ledger.nth(Kind::Decided, 1) + 2);
    ledger.alter_decision(1, |decision| {
        for verdict in &mut decision.verdicts {
            verdict.verdict = Verdict::Undecided;
        }
    });
    ledger.alter(ledger.entries.len() - 1, |body| {
        let Body::Withheld(body) = body else { panic!() };
        body.undecided = true;
    });
    let bundle = ledger.bundle();
    expect(&verify(&bundle, &trust()), &[]);
    let report = replay(&bundle, &trust());
    expect(
        &report,
        &[(Rule::ReplayDiffers, Some(ledger.nth(Kind::Decided, 1)))],
    );
    assert_eq!(report.exit_code(), 4);
    assert_eq!(report.checked().decisions_replayed, 1);
}

#[test]
fn an_engine_of_another_version_is_no_evidence() {
    let mut ledger = Story::told().customer;
    ledger.alter_decision(0, |decision| {
        decision.engine = "cedar-policy 1.0.0".parse().unwrap();
    });
    let (decided, admitted) = (ledger.nth(Kind::Decided, 0), ledger.nth(Kind::Admitted, 0));
    let report = replay(&ledger.bundle(), &trust());
    let expected = [
        (Rule::Unchecked, Some(admitted)),
        (Rule::ReplayInputs, Some(decided)),
    ];
    expect(&report, &expected);
    assert_eq!(report.exit_code(), 3);
}

#[test]
fn missing_and_stray_parts_are_told_apart() {
    let story = Story::told();
    let mut ledger = story.supplier.clone();
    let (id, block) = ledger.readings.pop_first().unwrap();
    let report = ledger.verify();
    assert_eq!(report.exit_code(), 3);
    assert_eq!(report.findings()[0].rule, Rule::ReadingsMissing);
    assert!(report.findings()[0].how.contains(&id.to_string()));
    let other = ambit_ledger::ObservationId::of(b"of no observation");
    ledger.readings.insert(other, block);
    assert_eq!(ledger.verify().exit_code(), 1);
    ledger.readings.remove(&other);
    ledger
        .readings
        .insert(id, story.supplier.readings.values().nth(1).unwrap().clone());
    assert_eq!(ledger.verify().findings()[0].rule, Rule::ReadingsDiffer);

    let mut ledger = story.supplier.clone();
    ledger.put(b"named by nobody");
    ledger.expect(&[(Rule::BlobStray, None)]);
    let mut ledger = story.supplier;
    let index = ledger.nth(Kind::PartnershipEdition, 0);
    let Ok(Body::PartnershipEdition(edition)) = ledger.entries[index].body() else {
        panic!()
    };
    ledger.blobs.remove(&edition.profile);
    let report = replay(&ledger.bundle(), &trust());
    assert_eq!(report.exit_code(), 3);
    assert!(
        report
            .findings()
            .iter()
            .any(|found| found.rule == Rule::BlobMissing)
    );
    ledger.blobs.remove(&edition.edition);
    assert_eq!(replay(&ledger.bundle(), &trust()).exit_code(), 3);
}
