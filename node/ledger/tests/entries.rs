//! Entries, their kinds and bodies, and the questions a decision and facts answer.

use crate::samples::{self, named};
use ambit_ledger::{
    Acknowledged, Admitted, Body, CodecError, ComparedRoot, Decided, Decision, Digest, Disclosed,
    DisclosureId, EditionStage, Entry, ITEM_BYTES_MAX, KeyCertified, KeyPurpose, Kind, Layer,
    LimitsSet, ManifestSignature, Name, Observation, ObservationId, Observed, Opened,
    PartnershipDeclined, PartnershipEdition, ProfileActivated, RefusalCode, Refused, StatementKind,
    TaxonomyActivated, Time, Verdict, Withdrawn, Withheld,
};
use serde_bytes::ByteBuf;

pub fn entry(body: &Body, reason: Option<Name>) -> Entry {
    let time = named("2026-05-01T08:03:00.000000001Z");
    Entry::new(samples::salt(0x55), time, named("operator-1"), reason, body)
}

/// Of a kind that a later version adds.
pub fn unread() -> Body {
    Body::Unread {
        kind: 70_000,
        bytes: b"of a later version".to_vec(),
    }
}

/// One body of every kind that has one, with every optional field, in the order of their numbers.
pub fn bodies() -> Vec<Body> {
    let mut bodies = agreement_bodies();
    bodies.extend(observation_bodies());
    bodies.sort_by_key(Body::kind);
    bodies
}

/// The same kinds without optional fields, where they have any.
pub fn least_bodies() -> Vec<(&'static str, Body)> {
    let mut least = Vec::new();
    for body in bodies() {
        match body {
            Body::Observed(body) => {
                let body = Observed {
                    import: None,
                    ..body
                };
                least.push(("observed-least", Body::Observed(body)));
            }
            Body::Withheld(body) => {
                let (decision, undecided) = (None, false);
                let body = Withheld {
                    decision,
                    undecided,
                    ..body
                };
                least.push(("withheld-least", Body::Withheld(body)));
            }
            Body::Withdrawn(body) => {
                let body = Withdrawn {
                    decision: None,
                    ..body
                };
                least.push(("withdrawn-least", Body::Withdrawn(body)));
            }
            Body::LimitsSet(mut body) => {
                body.limits.program = None;
                least.push(("limits-set-least", Body::LimitsSet(body)));
            }
            _ => {}
        }
    }
    least
}

fn agreement_bodies() -> Vec<Body> {
    let root = samples::forge_root();
    let key = samples::forge_key();
    let certificate =
        samples::certificate(samples::forge(), &root, KeyPurpose::Statement, &key).sign(&root);
    let terms = samples::terms();
    let signature = ManifestSignature::sign(&terms, &samples::forge(), &key);
    vec![
        Body::Opened(Opened {
            organization: samples::forge(),
            name: named("Forge GmbH"),
            seat: named("DE"),
            root: root.public().fingerprint(),
            software: named("ambit 0.1.0"),
        }),
        Body::KeyCertified(KeyCertified {
            certificate: ByteBuf::from(certificate),
        }),
        Body::PartnershipEdition(PartnershipEdition {
            partnership: terms.partnership.clone(),
            edition: terms.digest(),
            stage: EditionStage::Active,
            signatures: vec![Digest::of(&signature)],
            roots: vec![ComparedRoot {
                organization: samples::airframe(),
                root: samples::airframe_root().public().fingerprint(),
            }],
            profile: terms.profile,
        }),
        Body::ProfileActivated(ProfileActivated {
            layer: Layer::TradeSecret,
            profile: Digest::of(b"profile"),
            schema: Digest::of(b"schema"),
        }),
        Body::TaxonomyActivated(TaxonomyActivated {
            taxonomies: Digest::of(b"taxonomies"),
        }),
        Body::LimitsSet(LimitsSet {
            limits: samples::limits(),
        }),
        Body::PartnershipDeclined(PartnershipDeclined {
            partnership: terms.partnership,
            decline: ByteBuf::from(samples::decline().sign(&samples::airframe_key())),
        }),
    ]
}

fn observation_bodies() -> Vec<Body> {
    let key = samples::forge_key();
    let observation = ByteBuf::from(Observation::sign(&samples::facts(), &key));
    let disclosure = ByteBuf::from(samples::disclosure().sign(&key));
    let acknowledgement = samples::refusing_acknowledgement().sign(&samples::airframe_key());
    let decision = samples::decision();
    let digest = decision.digest();
    let partnership = samples::terms().partnership;
    vec![
        Body::Observed(Observed {
            observation: observation.clone(),
            slot: 4_097,
            import: Some(Digest::of(b"import")),
        }),
        Body::Decided(Decided { decision }),
        Body::Disclosed(Disclosed {
            disclosure: disclosure.clone(),
            seq: 1,
        }),
        Body::Withheld(Withheld {
            observation: ObservationId::of(&observation),
            partnership: partnership.clone(),
            recipient: samples::airframe(),
            decision: Some(digest),
            undecided: true,
        }),
        Body::Withdrawn(Withdrawn {
            disclosure: DisclosureId::of(&disclosure),
            observation: ObservationId::of(&observation),
            partnership: partnership.clone(),
            recipient: samples::airframe(),
            seq: 2,
            decision: Some(digest),
            undecided: false,
        }),
        Body::Admitted(Admitted {
            observation,
            disclosure,
            decision: digest,
            seq: 3,
            slot: 4_098,
        }),
        Body::Refused(Refused {
            sender: samples::forge(),
            partnership,
            code: RefusalCode::WiderTerms,
            count: 2,
            digests: vec![Digest::of(b"one"), Digest::of(b"two")],
        }),
        Body::Acknowledged(Acknowledged {
            acknowledgement: ByteBuf::from(acknowledgement),
        }),
    ]
}

#[test]
fn every_entry_round_trips() {
    let least = least_bodies().into_iter().map(|(_, body)| body);
    for body in bodies().into_iter().chain(least).chain([unread()]) {
        for reason in [None, Some(named("a reason"))] {
            let entry = entry(&body, reason);
            let bytes = entry.encode();
            assert_eq!(Entry::decode(&bytes).unwrap(), entry);
            assert_eq!(entry.body().unwrap(), body);
            assert_eq!(entry.kind, body.kind());
        }
    }
}

#[test]
fn an_unknown_kind_is_kept_and_a_known_kind_of_another_shape_is_refused() {
    let entry = entry(&unread(), None);
    assert_eq!(Kind::from_number(entry.kind), None);
    assert_eq!(
        Entry::decode(&entry.encode()).unwrap().body().unwrap(),
        unread()
    );
    // A kind that is known by name only.
    let held = Body::decode(Kind::Held.number(), b"anything").unwrap();
    assert!(matches!(held, Body::Unread { kind: 20, .. }));
    for body in bodies() {
        let mut entry = self::entry(&body, None);
        entry.body = ByteBuf::from(vec![0xf5]);
        assert!(matches!(entry.body(), Err(CodecError::Shape(_))));
        let mut longer = body.encode();
        longer.push(0);
        entry.body = ByteBuf::from(longer);
        assert!(matches!(entry.body(), Err(CodecError::Trailing(_))));
    }
}

#[test]
fn an_entry_that_is_too_large_or_out_of_time_is_refused() {
    let body = Body::Unread {
        kind: 70_000,
        bytes: vec![0; ITEM_BYTES_MAX],
    };
    assert!(matches!(
        Entry::decode(&entry(&body, None).encode()),
        Err(CodecError::TooLarge { .. })
    ));
    // The time as a negative integer.
    let bytes = entry(&unread(), None).encode();
    let time = entry(&unread(), None).time.as_nanos().to_be_bytes();
    let at = bytes.windows(8).position(|window| window == time).unwrap();
    let mut before_1970 = bytes;
    before_1970[at - 1] |= 0x20;
    assert!(matches!(
        Entry::decode(&before_1970),
        Err(CodecError::Shape(_))
    ));
}

#[test]
fn kinds_have_one_number_and_one_name_each() {
    let numbers: Vec<u32> = Kind::ALL.iter().map(|kind| kind.number()).collect();
    assert_eq!(numbers, (1..=29).collect::<Vec<u32>>());
    for kind in Kind::ALL {
        assert_eq!(Kind::from_number(kind.number()), Some(*kind));
        let same_name = Kind::ALL.iter().filter(|other| other.name() == kind.name());
        assert_eq!(same_name.count(), 1);
    }
    assert_eq!(Kind::from_number(0), None);
    assert_eq!(Kind::from_number(30), None);
}

#[test]
fn only_a_root_signs_certificates() {
    for (kind, purpose) in [
        (StatementKind::Observation, KeyPurpose::Statement),
        (StatementKind::Disclosure, KeyPurpose::Statement),
        (StatementKind::Acknowledgement, KeyPurpose::Statement),
        (StatementKind::Manifest, KeyPurpose::Statement),
        (StatementKind::Decline, KeyPurpose::Statement),
        (StatementKind::Certificate, KeyPurpose::Root),
    ] {
        assert_eq!(kind.signed_by(), purpose);
    }
    let names = KeyPurpose::ALL.map(KeyPurpose::name);
    assert_eq!(
        names,
        ["root", "statement", "checkpoint", "witness", "transport"]
    );
}

fn answered(verdicts: &[Verdict]) -> Decision {
    let mut decision = samples::decision();
    let answer = decision.verdicts[0].clone();
    decision.verdicts = verdicts
        .iter()
        .enumerate()
        .map(|(index, verdict)| {
            let mut answer = answer.clone();
            answer.purpose = named(&format!("urn:purpose:{index}"));
            answer.verdict = *verdict;
            answer
        })
        .collect();
    decision
}

#[test]
fn one_admissible_purpose_admits_and_doubt_outweighs_no() {
    use Verdict::{Admissible, Undecided, Withheld};
    for (verdicts, expected) in [
        (&[][..], Withheld),
        (&[Withheld], Withheld),
        (&[Withheld, Withheld], Withheld),
        (&[Undecided], Undecided),
        (&[Withheld, Undecided], Undecided),
        (&[Undecided, Withheld], Undecided),
        (&[Admissible], Admissible),
        (&[Undecided, Admissible], Admissible),
        (&[Withheld, Undecided, Admissible], Admissible),
    ] {
        let decision = answered(verdicts);
        assert_eq!(decision.verdict(), expected, "{verdicts:?}");
        let admitted: Vec<String> = decision
            .admitted()
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected: Vec<String> = (0..verdicts.len())
            .filter(|index| verdicts[*index] == Admissible)
            .map(|index| format!("urn:purpose:{index}"))
            .collect();
        assert_eq!(admitted, expected);
    }
}

#[test]
fn an_answer_is_true_from_its_start_to_just_before_its_end() {
    let (from, until) = (Time::EARLIEST.plus_days(10), Time::EARLIEST.plus_days(20));
    let before = |time: Time| Time::try_from(time.as_nanos() - 1).unwrap();
    let mut decision = samples::decision();
    decision.true_from = from;
    decision.true_until = Some(until);
    assert!(!decision.is_true_at(before(from)));
    assert!(decision.is_true_at(from));
    assert!(decision.is_true_at(before(until)));
    assert!(!decision.is_true_at(until));
    decision.true_until = None;
    assert!(decision.is_true_at(Time::LATEST));
    assert!(!decision.is_true_at(before(from)));
}

#[test]
fn facts_name_every_organization_in_them() {
    let named_by = |facts: &ambit_ledger::Facts| -> Vec<String> {
        facts
            .named_organizations()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        named_by(&samples::facts()),
        [
            "did:web:airframe.example",
            "did:web:design.example",
            "did:web:forge.example",
            "did:web:lots.example",
            "did:web:orders.example",
            "did:web:owner.example",
            "did:web:programs.example",
        ]
    );
    assert_eq!(named_by(&samples::least_facts()), ["did:web:forge.example"]);
    let footprint = ambit_ledger::Footprint::from(&samples::facts());
    assert_eq!(footprint.named, samples::facts().named_organizations());
}

#[test]
fn instants_near_the_end_of_time_stay_within_it() {
    assert_eq!(Time::LATEST.plus_seconds(u32::MAX), Time::LATEST);
    assert_eq!(Time::LATEST.plus_days(u32::MAX), Time::LATEST);
    let later = Time::EARLIEST.plus_seconds(u32::MAX);
    assert_eq!(later.as_nanos(), i64::from(u32::MAX) * 1_000_000_000);
}
