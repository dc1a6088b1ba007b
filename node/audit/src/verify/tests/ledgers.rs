//! Rules of the ledger as a whole.

use crate::fixture::{Keys, Ledger, Story, customer, expect, facts, supplier, time, trust};
use crate::{Bundle, BundleWriter, Rule, TrustedRoot, verify};
use ambit_ledger::{
    Body, Checkpoint, Digest, Entry, KeyPurpose, Kind, Laid, Layer, Observation, ObservationId,
    Origin, ProfileActivated, SecretKey, SoftwareChanged, TaxonomyActivated, leaf_hash, root,
};
use serde_bytes::ByteBuf;

fn observed() -> Ledger {
    let mut ledger = Ledger::open(supplier());
    ledger.observe(facts("inspection-result"));
    ledger
}

/// A bundle of these very bytes under a checkpoint over them.
fn bundle_of(entries: &[Vec<u8>]) -> Bundle {
    let keys = supplier();
    let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let checkpoint = Checkpoint {
        origin: Origin::of(&keys.organization, &leaves[0]),
        size: leaves.len() as u64,
        root: root(&leaves),
    };
    let note = checkpoint.sign(&keys.checkpoint());
    let mut writer = BundleWriter::start(Vec::new(), &keys.organization, &note).unwrap();
    entries
        .iter()
        .for_each(|entry| writer.entry(entry).unwrap());
    Bundle::read(writer.finish().unwrap().as_slice()).unwrap()
}

fn encoded(ledger: &Ledger) -> Vec<Vec<u8>> {
    ledger.entries.iter().map(Entry::encode).collect()
}

#[test]
fn entries_that_cannot_be_decoded() {
    let mut entries = encoded(&Ledger::open(supplier()));
    expect(&verify(&bundle_of(&entries), &trust()), &[]);
    entries.push(b"\xa0".to_vec());
    expect(
        &verify(&bundle_of(&entries), &trust()),
        &[(Rule::EntryShape, Some(3))],
    );
    let mut ledger = observed();
    ledger.entries[3].body = ByteBuf::from(b"\xa0".to_vec());
    ledger.expect(&[(Rule::EntryShape, Some(3)), (Rule::ReadingsStray, None)]);
}

#[test]
fn kinds_of_later_versions_are_incomplete_evidence() {
    let mut ledger = observed();
    for kind in [998, 999] {
        ledger.push(Body::Unread {
            kind,
            bytes: b"\xa0".to_vec(),
        });
    }
    let report = ledger.verify();
    expect(
        &report,
        &[(Rule::EntryKind, Some(4)), (Rule::EntryKind, Some(5))],
    );
    assert_eq!(report.exit_code(), 3);
}

#[test]
fn a_kind_that_is_read_and_not_checked_yet_says_so() {
    let mut ledger = observed();
    ledger.push(Body::Laid(Laid::SoftwareChanged(SoftwareChanged {
        from: "ambit 0.1.0".parse().unwrap(),
        to: "ambit 0.2.0".parse().unwrap(),
    })));
    ledger.expect(&[(Rule::Unchecked, Some(4))]);
}

#[test]
fn what_rests_on_entries_that_are_not_read_is_incomplete() {
    let mut story = Story::told();
    let disclosed = story.supplier.nth(Kind::Disclosed, 0);
    story.supplier.truncate(disclosed + 1);
    story.supplier.alter(disclosed, |body| {
        let Body::Disclosed(body) = body else {
            panic!()
        };
        body.seq = 7;
    });
    story.supplier.expect(&[(Rule::Sequence, Some(disclosed))]);
    let unread = Body::Unread {
        kind: 999,
        bytes: b"\xa0".to_vec(),
    };
    let taken = story.supplier.entries.pop().unwrap();
    story.supplier.now = story.supplier.entries[disclosed - 1].time;
    story.supplier.push(unread);
    story.supplier.push(taken.body().unwrap());
    let report = story.supplier.verify();
    expect(
        &report,
        &[
            (Rule::EntryKind, Some(disclosed)),
            (Rule::Unchecked, Some(disclosed + 1)),
        ],
    );
    assert_eq!(report.exit_code(), 3);
    assert!(
        report.findings()[1].how.contains(Rule::Sequence.text()),
        "{report}"
    );
}

#[test]
fn an_entry_is_there_once() {
    let mut ledger = Story::told().supplier;
    let index = ledger.nth(Kind::LimitsSet, 0);
    let mut copy = ledger.entries[index].clone();
    copy.time = ledger.now;
    ledger.entries.push(copy);
    let last = ledger.entries.len() - 1;
    ledger.expect(&[(Rule::NonceTwice, Some(last))]);
}

#[test]
fn a_key_slot_is_used_once() {
    let mut ledger = observed();
    ledger.observe(facts("inspection-result"));
    let Ok(Body::Observed(first)) = ledger.entries[3].body() else {
        panic!()
    };
    ledger.alter(4, |body| {
        let Body::Observed(body) = body else { panic!() };
        body.slot = first.slot;
    });
    ledger.expect(&[(Rule::SlotTwice, Some(4))]);
}

#[test]
fn time_never_decreases() {
    let mut ledger = observed();
    ledger.entries[2].time = ledger.entries[3].time;
    ledger.expect(&[]);
    ledger.entries[2].time = ledger.now.plus_seconds(1);
    ledger.expect(&[(Rule::TimeOrder, Some(3))]);
}

#[test]
fn the_first_two_entries_are_what_they_must_be() {
    let mut ledger = observed();
    ledger.entries.swap(0, 1);
    ledger.expect(&[(Rule::FirstEntries, None)]);
    let mut ledger = observed();
    ledger.entries.swap(1, 3);
    let time = ledger.entries[1].time;
    ledger
        .entries
        .iter_mut()
        .for_each(|entry| entry.time = time);
    let found = ledger.verify();
    assert!(
        found
            .findings()
            .iter()
            .any(|found| found.rule == Rule::FirstEntries)
    );
    let mut ledger = observed();
    let opened = ledger.entries[0].body().unwrap();
    ledger.push(opened);
    ledger.expect(&[(Rule::FirstEntries, Some(4))]);
}

#[test]
fn the_bundle_is_of_the_ledgers_organization() {
    let mut ledger = observed();
    ledger.keys = Keys::of("did:web:other.example", 10);
    ledger.expect(&[(Rule::Organization, None)]);
}

#[test]
fn the_checkpoint_is_over_these_entries_and_signed() {
    let mut ledger = observed();
    let before = ledger.checkpoint();
    ledger.observe(facts("inspection-result"));
    let verify = |bytes: Vec<u8>| verify(&Bundle::read(bytes.as_slice()).unwrap(), &trust());
    expect(&verify(ledger.export_under(&before)), &[(Rule::Tree, None)]);

    // The last entry cut off, under the checkpoint over it.
    let whole = ledger.checkpoint();
    let length = ledger.entries.len() - 1;
    ledger.truncate(length);
    expect(&verify(ledger.export_under(&whole)), &[(Rule::Tree, None)]);

    let other = Ledger {
        keys: Keys::of(&supplier().organization.to_string(), 40),
        ..ledger.clone()
    };
    let by_another = verify(ledger.export_under(&other.checkpoint()));
    expect(&by_another, &[(Rule::CheckpointKey, None)]);
    expect(
        &verify(ledger.export_under("")),
        &[(Rule::Checkpoint, None)],
    );
    // That of another ledger of the same organization, over as many entries.
    let mut second = Ledger::open(supplier());
    second.entries[0].nonce = crate::fixture::salt(99);
    second.observe(facts("inspection-result"));
    let report = verify(ledger.export_under(&second.checkpoint()));
    expect(&report, &[(Rule::Checkpoint, None)]);
    assert!(
        report.findings()[0].how.contains("is of `ambit-ledger/"),
        "{report}"
    );
}

#[test]
fn certificates_are_by_the_ledgers_own_root() {
    let certify = |certificate: ByteBuf| {
        let mut ledger = observed();
        ledger.push(Body::KeyCertified(ambit_ledger::KeyCertified {
            certificate,
        }));
        ledger
    };
    let key = SecretKey::from_seed(&[50; 32]);
    certify(supplier().certificate(KeyPurpose::Witness, &key)).expect(&[]);
    let of_another = certify(customer().certificate(KeyPurpose::Witness, &key));
    of_another.expect(&[(Rule::Certificate, Some(4))]);
    certify(ByteBuf::from(b"x".to_vec())).expect(&[(Rule::Certificate, Some(4))]);

    // A second root of the same organization: not trusted, and trusted but not the one it opens with.
    let second = Keys::of(&supplier().organization.to_string(), 60);
    let ledger = certify(second.certificate(KeyPurpose::Witness, &key));
    ledger.expect(&[(Rule::Certificate, Some(4))]);
    let mut trust = trust();
    trust.add(TrustedRoot { ..second.trusted() });
    expect(
        &verify(&ledger.bundle(), &trust),
        &[(Rule::Certificate, Some(4))],
    );
}

#[test]
fn observations_are_signed_by_this_organization_and_recorded_once() {
    let mut ledger = observed();
    let again = ledger.entries[3].body().unwrap();
    ledger.push(again);
    ledger.expect(&[
        (Rule::ObservationTwice, Some(4)),
        (Rule::SlotTwice, Some(4)),
    ]);
    // Signed once more, the same is another id, and said twice all the same.
    let mut ledger = observed();
    let Body::Observed(mut again) = ledger.entries[3].body().unwrap() else {
        panic!()
    };
    let said = Observation::from_own_ledger(&again.observation).unwrap();
    let second = SecretKey::from_seed(&[70; 32]);
    ledger.push(Body::KeyCertified(ambit_ledger::KeyCertified {
        certificate: supplier().certificate(KeyPurpose::Statement, &second),
    }));
    again.observation = ByteBuf::from(Observation::sign(said.facts(), &second));
    again.slot += 1;
    let block = ledger.readings[&said.id()].clone();
    let id = ObservationId::of(&again.observation);
    ledger.readings.insert(id, block.clone());
    ledger.push(Body::Observed(again));
    ledger.expect(&[(Rule::ObservationTwice, Some(5))]);
    // Also behind another that has the same readings.
    let mut ledger = observed();
    let Body::Observed(first) = ledger.entries[3].body().unwrap() else {
        panic!()
    };
    let said = Observation::from_own_ledger(&first.observation).unwrap();
    let mut other = said.facts().clone();
    other.source = "m-9".parse().unwrap();
    ledger.push(Body::KeyCertified(ambit_ledger::KeyCertified {
        certificate: supplier().certificate(KeyPurpose::Statement, &second),
    }));
    let own = supplier().statement();
    for (facts, key) in [(&other, &own), (&other, &second), (said.facts(), &second)] {
        let mut again = first.clone();
        again.observation = ByteBuf::from(Observation::sign(facts, key));
        again.slot += 10 + ledger.entries.len() as u64;
        let id = ObservationId::of(&again.observation);
        ledger.readings.insert(id, block.clone());
        ledger.push(Body::Observed(again));
    }
    ledger.expect(&[
        (Rule::ObservationTwice, Some(6)),
        (Rule::ObservationTwice, Some(7)),
    ]);

    let mut ledger = Ledger::open(supplier());
    ledger.keys = Keys::of(&supplier().organization.to_string(), 40);
    ledger.observe(facts("inspection-result"));
    ledger.keys = supplier();
    ledger.expect(&[(Rule::Key, Some(3))]);

    let mut ledger = Story::told().supplier;
    ledger.truncate(ledger.nth(Kind::LimitsSet, 0));
    let mut facts = facts("inspection-result");
    facts.issuer = customer().organization;
    ledger.keys = customer();
    let (id, _) = ledger.observe(facts);
    ledger.keys = supplier();
    let index = ledger.entries.len() - 1;
    let expected = [
        (Rule::ObservationIssuer, Some(index)),
        (Rule::ReadingsStray, None),
    ];
    ledger.expect(&expected);
    ledger.readings.remove(&id);
    ledger.expect(&expected[..1]);
}

#[test]
fn readings_are_those_of_the_facts() {
    let mut ledger = observed();
    let id: ObservationId = *ledger.readings.keys().next().unwrap();
    let block = ledger.readings.get_mut(&id).unwrap();
    *block.last_mut().unwrap() ^= 1;
    ledger.expect(&[(Rule::ReadingsDiffer, Some(3))]);
    ledger.readings.clear();
    ledger.expect(&[(Rule::ReadingsMissing, Some(3))]);
}

#[test]
fn blobs_are_what_entries_say() {
    let mut ledger = Ledger::open(supplier());
    let taxonomies = ledger.put(b"{}");
    ledger.push(Body::TaxonomyActivated(TaxonomyActivated { taxonomies }));
    ledger.expect(&[(Rule::BlobShape, Some(3))]);
    let mut ledger = Ledger::open(supplier());
    let profile = ledger.put(b"text");
    ledger.push(Body::ProfileActivated(ProfileActivated {
        layer: Layer::Partnership,
        profile,
        schema: profile,
        anyway: None,
    }));
    ledger.expect(&[(Rule::EditionProfile, Some(3))]);
}

#[test]
fn a_key_signs_nothing_before_it_is_good_nor_after_its_end() {
    let key = supplier().statement();
    let purpose = KeyPurpose::Statement;
    let mut ledger = observed();
    let later = ledger.now.plus_days(1);
    ledger.alter(1, |body| {
        let Body::KeyCertified(body) = body else {
            panic!()
        };
        body.certificate = supplier().certificate_from(purpose, &key, later);
    });
    ledger.expect(&[(Rule::KeyTime, Some(3))]);

    // Ended by the root, and used on: also where what it signs was prepared while it was good.
    let mut ledger = observed();
    let good = (
        time("2026-01-01T00:00:00Z"),
        Some(ledger.now.plus_seconds(1)),
    );
    let certificate = supplier().certificate_between(purpose, &key, good);
    ledger.push(Body::KeyCertified(ambit_ledger::KeyCertified {
        certificate,
    }));
    ledger.observe(facts("inspection-result"));
    ledger.expect(&[(Rule::KeyTime, Some(5))]);
}

#[test]
fn a_statement_of_a_later_version_is_incomplete_evidence() {
    let renamed = |from: &[u8], to: &[u8]| {
        let mut ledger = observed();
        let observed = &mut ledger.entries[3].body;
        let place = observed
            .windows(from.len())
            .position(|window| window == from);
        let place = place.unwrap();
        observed[place..place + from.len()].copy_from_slice(to);
        ledger
    };
    // A media type of this program that this version does not know, and one of another.
    let later = renamed(b"vnd.ambit.observation", b"vnd.ambit.observatios");
    let report = later.verify();
    assert_eq!(report.exit_code(), 3, "{report}");
    assert_eq!(report.findings()[0].rule, Rule::EntryKind, "{report}");
    let other = renamed(b"vnd.ambit.observation", b"vnd.other.observation");
    assert_eq!(other.verify().findings()[0].rule, Rule::Signature);
}
