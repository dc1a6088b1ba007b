//! Properties of what is written: it is read back as it was, and one value has one encoding.

use crate::samples;
use ambit_ledger::{
    Acknowledgement, AgreedPart, Assigned, Body, Certificate, Checkpoint, DataClass, Decline,
    DerivedTerms, Digest, Disclosure, DisclosureId, Entry, ErasureExtent, ExportControl, Facts,
    Frontier, GrantId, KeyPurpose, Limits, Name, Observation, ObservationId, OrganizationId,
    Origin, PartnershipTerms, Purpose, Quality, Reading, Readings, RecordDigest, RefusedItem, Salt,
    Scope, Time, When, inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Debug;
use std::str::FromStr;

fn name<T: FromStr<Err: Debug> + Debug>() -> impl Strategy<Value = T> {
    "[!-~\u{a1}-\u{17f}\u{4e00}-\u{4e20}]([ -~\u{1f600}-\u{1f610}]{0,30}[!-~])?"
        .prop_map(|text| text.parse().unwrap())
}

fn organization() -> impl Strategy<Value = OrganizationId> {
    name()
}

/// As terms have them.
fn millis() -> impl Strategy<Value = Time> {
    time().prop_map(Time::start_of_millis)
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        (Time::EARLIEST.as_nanos()..=Time::LATEST.as_nanos()).boxed(),
        select(vec![
            0,
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            4_294_967_295,
            4_294_967_296
        ])
        .boxed(),
        Just(Time::LATEST.as_nanos()).boxed(),
    ]
    .prop_map(|nanos| nanos.try_into().unwrap())
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn salt() -> impl Strategy<Value = Salt> {
    any::<[u8; 32]>().prop_map(Salt::from_bytes)
}

fn assigned() -> impl Strategy<Value = Assigned> {
    (organization(), name()).prop_map(|(assigner, value)| Assigned { assigner, value })
}

fn export_control() -> impl Strategy<Value = ExportControl> {
    let entry = || option::of(name::<Name>());
    (
        any::<bool>(),
        any::<bool>(),
        entry(),
        entry(),
        entry(),
        entry(),
    )
        .prop_map(
            |(determined, itar, usml, eccn, eu_annex_i, licence)| ExportControl {
                determined,
                itar,
                usml,
                eccn,
                eu_annex_i,
                licence,
            },
        )
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        time().prop_map(|at| When::Instant { at }),
        (time(), time()).prop_map(|(one, other)| When::Interval {
            from: one.min(other),
            to: one.max(other),
        }),
    ]
}

fn reading() -> impl Strategy<Value = Reading> {
    let quality = select(vec![
        Quality::Good,
        Quality::Uncertain,
        Quality::Bad,
        Quality::Unavailable,
        Quality::Empty,
    ]);
    let text = || option::of(name::<Name>());
    let value = option::of(".{0,300}");
    let element = option::of(".{0,30}");
    (name(), when(), quality, value, text(), text(), element).prop_map(
        |(path, when, quality, value, value_type, unit, element)| {
            let value = value.filter(|_| quality <= Quality::Bad);
            Reading {
                path,
                when,
                quality,
                element: element.filter(|_| value.is_none()),
                value,
                value_type,
                unit,
                attachment: None,
            }
        },
    )
}

/// Readings whose instants were moved into the minute of the first.
fn readings() -> impl Strategy<Value = Readings> {
    (salt(), vec(reading(), 1..20)).prop_map(|(salt, mut readings)| {
        let mut first = None;
        for reading in &mut readings {
            if let When::Instant { at } = &mut reading.when {
                *at = *first.get_or_insert(*at);
            }
        }
        readings.sort_by(|one, other| one.path.cmp(&other.path));
        Readings { salt, readings }
    })
}

prop_compose! {
    fn facts()(
        (issuer, owner, design_authority) in
            (organization(), organization(), option::of(organization())),
        (source, submodel, semantic_id) in (name(), name(), name()),
        (site, asset, revision, serial, process, grid_cell) in (
            option::of(name()), option::of(name()), option::of(name()),
            option::of(name()), option::of(name()), option::of(name()),
        ),
        (part, lot, order, program) in (
            option::of(assigned()), option::of(assigned()),
            option::of(assigned()), option::of(assigned()),
        ),
        (data_class, trade_secret, export_control) in (name(), any::<bool>(), export_control()),
        (one, other) in (time(), time()),
        (inputs, corrects) in (btree_set(digest(), 0..4), option::of(digest())),
        grants in btree_set(digest(), 0..4),
        readings in digest(),
        reading_count in 1..=1_000_u32,
    ) -> Facts {
        Facts {
            issuer, source, site, area: None, cell: None, grid_cell, asset, submodel, semantic_id, part, revision, serial, lot, order,
            process, program, data_class, owner, design_authority, trade_secret, export_control,
            observed_from: one.min(other),
            observed_to: one.max(other),
            grants: grants.into_iter().map(GrantId::from_digest).collect(),
            inputs, corrects, readings, reading_count,
        }
    }
}

prop_compose! {
    fn derived()(
        data_classes in btree_set(name::<DataClass>(), 0..3),
        recipients in btree_set(organization(), 0..3),
        purposes in btree_set(name::<Purpose>(), 0..3),
        (not_after, hold_until) in (option::of(millis()), option::of(millis())),
        onward_hops in option::of(any::<u32>()),
        (again, outlives_inputs) in any::<(bool, bool)>(),
    ) -> DerivedTerms {
        DerivedTerms {
            data_classes, recipients, purposes, not_after, hold_until, onward_hops, again,
            outlives_inputs,
        }
    }
}

prop_compose! {
    fn scope()(
        recipients in btree_set(organization(), 1..4),
        record in option::of(digest()),
        purposes in btree_set(name::<Purpose>(), 1..4),
        (not_after, one, other) in (millis(), millis(), millis()),
        (is_kept, falls_with_inputs) in any::<(bool, bool)>(),
        erasure in select(vec![ErasureExtent::Readings, ErasureExtent::All]),
        onward_hops in any::<u32>(),
        derived in option::of(derived()),
    ) -> Scope {
        let records = record.map(|material| RecordDigest {
            organization: recipients.first().unwrap().clone(),
            material,
        });
        Scope {
            records: records.into_iter().collect(),
            recipients, purposes, not_after,
            hold_until: one.max(other),
            keep_until: is_kept.then_some(one.min(other)),
            erasure, onward_hops, derived, falls_with_inputs,
        }
    }
}

prop_compose! {
    fn disclosure()(
        scope in scope(),
        recipient in organization(),
        partnership in name(),
        (observation, edition) in (digest(), digest()),
        decisions in btree_set(digest(), 1..4),
        leaves in btree_set(digest(), 0..4),
        (parent, derivation) in (option::of(digest()), option::of(digest())),
        issued_at in issued(),
        salt in salt(),
    ) -> Disclosure {
        Disclosure {
            discloser: samples::forge(),
            observation: ObservationId::from_digest(observation),
            leaves, partnership, edition, recipient, scope,
            parent: parent.map(DisclosureId::from_digest),
            mandate: None,
            derivation, decisions, issued_at, salt,
        }
    }
}

fn item((seq, code): (u64, u16)) -> RefusedItem {
    let code = code.into();
    RefusedItem { seq, code }
}

/// When the keys of the samples are good.
fn issued() -> impl Strategy<Value = Time> {
    let begun = samples::begun();
    time().prop_map(move |time| time.max(begun))
}

prop_compose! {
    fn acknowledgement()(
        (partnership, sender) in (name(), organization()),
        incarnation in salt(),
        least in any::<u64>(),
        outcomes in digest(),
        untaken in proptest::collection::btree_map(1..=u64::MAX, prop_oneof![0..1_000_u16, any::<u16>()], 0..10),
        at in issued(),
    ) -> Acknowledgement {
        // What was not taken lies within what is covered, and each number in one of the two lists.
        let upto = untaken.last_key_value().map_or(least, |(last, _)| least.max(*last));
        let (set_aside, refused) = untaken
            .into_iter()
            .map(item)
            .partition(|item| item.code.is_set_aside());
        Acknowledgement {
            partnership, sender,
            recipient: samples::airframe(),
            incarnation, upto, outcomes, refused, set_aside,
            heard: Vec::new(),
            at,
        }
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let program = option::of(assigned());
    let classes = btree_set(name::<DataClass>(), 0..4);
    let purposes = btree_set(name::<Purpose>(), 0..4);
    let derived = option::of(derived());
    let hops = any::<u32>();
    (
        program,
        classes,
        purposes,
        millis(),
        millis(),
        hops,
        derived,
    )
        .prop_map(
            |(program, data_classes, purposes, not_after, hold_until, onward_hops, derived)| {
                Limits {
                    program,
                    data_classes,
                    purposes,
                    not_after,
                    hold_until,
                    onward_hops,
                    derived,
                }
            },
        )
}

prop_compose! {
    fn terms()(
        (title, program) in (name(), option::of(assigned())),
        parts in btree_set((assigned(), option::of(name())), 0..3),
        (lots, known) in (btree_set(assigned(), 0..3), btree_set(organization(), 0..3)),
        needs in btree_set(name(), 0..3),
        forbids in option::of(".{0,200}"),
        previous in btree_set(digest(), 0..3),
        derived in option::of(derived()),
        (observed_from, observed_until, until, lease_until) in (time(), time(), time(), time()),
        (edition, retention_days, onward_hops) in any::<(u32, u32, u32)>(),
        salt in salt(),
    ) -> PartnershipTerms {
        let part = |(part, revision)| AgreedPart { part, revision };
        PartnershipTerms {
            parts: parts.into_iter().map(part).collect(),
            title, program, lots, known, needs, forbids, previous, derived, observed_from,
            observed_until, until, lease_until, edition, retention_days, onward_hops, salt,
            ..samples::least_terms()
        }
    }
}

fn body() -> impl Strategy<Value = Body> {
    let unread = (54..=u32::MAX, vec(any::<u8>(), 0..300))
        .prop_map(|(kind, bytes)| Body::Unread { kind, bytes });
    let limits = limits().prop_map(|limits| Body::LimitsSet(ambit_ledger::LimitsSet { limits }));
    prop_oneof![unread, limits, select(crate::entries::bodies())]
}

#[test]
fn organizations_that_differ_in_white_space_have_ledgers_of_their_own() {
    let origin = |text: &str| {
        let checkpoint = Checkpoint {
            origin: samples::origin(text),
            ..samples::checkpoint()
        };
        let note = checkpoint.sign(&samples::forge_key());
        let line = note.lines().next().unwrap();
        line.rsplit_once('/').unwrap().0.to_owned()
    };
    let origins = ["a b", "a\u{a0}b", "a\u{3000}b", "a%20b", "a+b"].map(origin);
    assert_eq!(
        origins,
        [
            "ambit-ledger/a%20b",
            "ambit-ledger/a%C2%A0b",
            "ambit-ledger/a%E3%80%80b",
            "ambit-ledger/a%2520b",
            "ambit-ledger/a%2Bb",
        ]
    );
}

/// Reads back what is written, and refuses every prefix of it.
fn keep<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T) {
    let bytes = ambit_ledger::encode(value);
    assert_eq!(&ambit_ledger::decode::<T>(&bytes).unwrap(), value);
    assert!(ambit_ledger::decode::<T>(&bytes[..bytes.len() - 1]).is_err());
}

proptest! {
    #[test]
    fn facts_survive_their_statement(mut facts in facts()) {
        keep(&facts);
        facts.issuer = samples::forge();
        let statement = Observation::sign(&facts, &samples::forge_key());
        let observation = Observation::verify(&statement, &samples::keyring(), samples::issued());
        let observation = observation.unwrap();
        prop_assert_eq!(observation.facts(), &facts);
    }

    #[test]
    fn readings_survive_their_block(readings in readings()) {
        let bytes = readings.encode().unwrap();
        let (observed_from, observed_to) = readings.span().unwrap();
        let facts = Facts {
            observed_from,
            observed_to,
            readings: readings.digest().unwrap(),
            reading_count: readings.readings.len().try_into().unwrap(),
            ..samples::facts()
        };
        prop_assert_eq!(Readings::decode(&bytes, &facts).unwrap(), readings);
    }

    #[test]
    fn disclosures_survive_their_statement(disclosure in disclosure()) {
        let statement = disclosure.sign(&samples::forge_key());
        let verified = Disclosure::verify(&statement, &samples::keyring()).unwrap();
        prop_assert_eq!(verified, disclosure);
    }

    #[test]
    fn acknowledgements_survive_their_statement(acknowledgement in acknowledgement()) {
        let statement = acknowledgement.sign(&samples::airframe_key());
        let verified = Acknowledgement::verify(&statement, &samples::keyring()).unwrap();
        prop_assert_eq!(verified, acknowledgement);
    }

    #[test]
    fn declines_and_certificates_survive_their_statements(
        (edition, reason, at) in (digest(), name(), issued()),
        purpose in select(KeyPurpose::ALL[1..].to_vec()),
        (one, other, is_ended) in (time(), time(), any::<bool>()),
    ) {
        let decline = Decline { member: samples::airframe(), edition, reason, at };
        let statement = decline.sign(&samples::airframe_agreement());
        prop_assert_eq!(Decline::verify(&statement, &samples::keyring()).unwrap(), decline);
        let (root, key) = (samples::forge_root(), samples::forge_key());
        let mut certificate = Certificate {
            not_before: one.min(other),
            not_after: (is_ended && one != other).then_some(one.max(other)),
            ..samples::certificate(samples::forge(), &root, purpose, &key)
        };
        let statement = if purpose.signs() {
            certificate.sign(&root, &key)
        } else {
            certificate.key = samples::forge_seal().public();
            certificate.sign_unproved(&root)
        };
        prop_assert_eq!(Certificate::read(&statement).unwrap(), certificate);
    }

    #[test]
    fn terms_scopes_and_limits_are_kept(
        terms in terms(),
        scope in scope(),
        limits in limits(),
    ) {
        keep(&terms);
        keep(&scope);
        keep(&limits);
    }

    #[test]
    fn decisions_are_kept(
        (facts, scope) in (facts(), scope()),
        limits in option::of(limits()),
        true_until in option::of(time()),
        (retention_days, hop) in any::<(u32, u32)>(),
    ) {
        let mut decision = samples::decision();
        decision.inquiry.footprint = (&facts).into();
        decision.inquiry.scope = scope;
        decision.inquiry.limits = limits;
        decision.inquiry.retention_days = retention_days;
        decision.inquiry.hop = hop;
        decision.true_until = true_until;
        keep(&decision);
    }

    #[test]
    fn entries_are_kept(
        (nonce, time, actor) in (salt(), time(), name()),
        reason in option::of(name()),
        body in body(),
    ) {
        let entry = Entry::new(nonce, time, actor, reason, &body);
        let read = Entry::decode(&entry.encode()).unwrap();
        prop_assert_eq!(read.body().unwrap(), body);
        prop_assert_eq!(read, entry);
    }

    #[test]
    fn checkpoints_survive_their_note(
        organization in organization(),
        size in any::<u64>(),
        root in digest(),
    ) {
        let origin = Origin::of(&organization, &root);
        let checkpoint = Checkpoint { origin, size, root };
        let key = samples::forge_key();
        let note = checkpoint.sign(&key);
        let verified = Checkpoint::verify(&note, &checkpoint.origin, [key.public()]);
        prop_assert_eq!(verified.unwrap(), checkpoint);
    }

    #[test]
    fn a_frontier_continues_from_its_encoding(before in 0..70_usize, after in 0..70_usize) {
        let leaves: Vec<Digest> =
            (0..before + after).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        leaves[..before].iter().for_each(|leaf| frontier.append(*leaf));
        keep(&frontier);
        let mut frontier: Frontier =
            ambit_ledger::decode(&ambit_ledger::encode(&frontier)).unwrap();
        leaves[before..].iter().for_each(|leaf| frontier.append(*leaf));
        prop_assert_eq!(frontier.root(), root(&leaves));
        prop_assert_eq!(frontier.size(), leaves.len() as u64);
    }

    #[test]
    fn a_proof_changed_anywhere_shows_nothing(
        size in 2..200_usize,
        index in any::<proptest::sample::Index>(),
        step in any::<proptest::sample::Index>(),
    ) {
        let leaves: Vec<Digest> =
            (0..size).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let (root, index) = (root(&leaves), index.index(size));
        let mut proof = inclusion_proof(&leaves, index).unwrap();
        let shows = |proof: &[Digest]| {
            verify_inclusion(&leaves[index], index as u64, size as u64, proof, &root)
        };
        prop_assert!(shows(&proof));
        let longer = [proof.as_slice(), &[root]].concat();
        prop_assert!(!shows(&longer) && !shows(&proof[1..]));
        let step = step.index(proof.len());
        proof[step] = leaf_hash(b"other");
        prop_assert!(!shows(&proof));
    }

    #[test]
    fn any_proof_is_checked_without_a_panic(
        (from, to) in any::<(u64, u64)>(),
        proof in vec(digest(), 0..70),
        root in digest(),
    ) {
        prop_assert!(!verify_inclusion(&root, from, to, &proof, &root) || proof.is_empty());
        let other = leaf_hash(b"other");
        prop_assert!(!verify_consistency((from, &other), (to, &root), &proof));
    }
}
