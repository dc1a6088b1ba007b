//! Entries, their kinds and bodies, and the questions a decision and facts answer.

use crate::samples::{self, named};
use crate::stated;
use ambit_ledger::{
    Acknowledged, ActHeard, ActMade, Admitted, AgreementState, AttestationRecorded, Body,
    CardConfirmed, CardSeen, ClockAccepted, CodecError, ComparedRoot, Corrected, Decided, Decision,
    Declassified, DeriveDecided, Derived, Digest, Disclosed, DisclosureId, EditionStage,
    ElectronicSignature, Entry, EquivocationProved, Erased, ErasedItem, ErasureAttested,
    ErasureExtent, ErasureRule, GrantRecorded, Held, ITEM_BYTES_MAX, Incident, IssuerPinned,
    KeyCertified, KeyPurpose, KeyRevoked, KeyRotated, Kind, Label, Laid, Layer, LimitsSet,
    MandateRecorded, ManifestSignature, MemberJoined, Name, Observation, ObservationId, Observed,
    OfferedAgain, OnwardNoted, Opened, OutboxEnded, PartnershipDeclined, PartnershipDissolved,
    PartnershipEdition, PartnershipSetAside, PatternEnded, PatternOpened, PatternSignature,
    PatternSigned, PeerCheckpoint, ProfileActivated, RefusalCode, Refused, ReleasedFromHold,
    RetainDecided, RetainOutcome, Retained, SetAside, SoftwareChanged, StatementKind,
    TaxonomyActivated, Time, UseDecided, Used, Verdict, Withdrawal, Withdrawn, Withheld,
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

/// One body of every kind, with every optional field, in the order of their numbers.
pub fn bodies() -> Vec<Body> {
    let mut bodies = agreement_bodies();
    bodies.extend(life_bodies());
    bodies.extend(transfer_bodies());
    bodies.extend(holding_bodies());
    bodies.extend(ledger_bodies());
    bodies.sort_by_key(Body::kind);
    bodies
}

/// What else bodies can hold: without optional fields, and each variant of what has several.
pub fn other_bodies() -> Vec<(String, Body)> {
    let mut others: Vec<(String, Body)> = Vec::new();
    for body in bodies() {
        let (name, least) = match body {
            Body::Observed(body) => (
                "observed-least",
                Body::Observed(Observed {
                    import: None,
                    ..body
                }),
            ),
            Body::Withheld(body) => (
                "withheld-least",
                Body::Withheld(Withheld {
                    decision: None,
                    undecided: false,
                    ..body
                }),
            ),
            Body::Disclosed(body) => (
                "disclosed-least",
                Body::Disclosed(Disclosed {
                    evidence: [].into(),
                    ..body
                }),
            ),
            Body::Admitted(body) => (
                "admitted-least",
                Body::Admitted(Admitted {
                    evidence: [].into(),
                    ..body
                }),
            ),
            Body::LimitsSet(mut body) => {
                body.limits.program = None;
                body.limits.derived = None;
                ("limits-set-least", Body::LimitsSet(body))
            }
            Body::ProfileActivated(body) => (
                "profile-activated-least",
                Body::ProfileActivated(ProfileActivated {
                    anyway: None,
                    ..body
                }),
            ),
            Body::Withdrawn(body) => {
                others.extend(withdrawals().into_iter().map(|(name, grounds)| {
                    let body = Withdrawn {
                        grounds,
                        ..body.clone()
                    };
                    (format!("withdrawn-{name}"), Body::Withdrawn(body))
                }));
                continue;
            }
            Body::Laid(Laid::Erased(body)) => {
                let rules = [
                    (
                        "input",
                        ErasureRule::Input {
                            observation: ObservationId::of(b"an input"),
                        },
                    ),
                    (
                        "person",
                        ErasureRule::Person {
                            person: named("person-3"),
                        },
                    ),
                ];
                others.extend(rules.map(|(name, rule)| {
                    let body = Erased {
                        rule,
                        ..body.clone()
                    };
                    (format!("erased-{name}"), Body::Laid(Laid::Erased(body)))
                }));
                continue;
            }
            _ => continue,
        };
        others.push((name.to_owned(), least));
    }
    others
}

fn withdrawals() -> [(&'static str, Withdrawal); 4] {
    [
        (
            "agreement",
            Withdrawal::Agreement {
                state: AgreementState::Ended,
            },
        ),
        (
            "edition",
            Withdrawal::Edition {
                edition: samples::terms().digest(),
            },
        ),
        ("membership", Withdrawal::Membership),
        ("erased", Withdrawal::Erased),
    ]
}

fn agreement_bodies() -> Vec<Body> {
    let root = samples::forge_root();
    let terms = samples::terms();
    let at = samples::issued();
    let key = samples::forge_agreement();
    let signature = ManifestSignature::sign(&terms, &samples::forge(), at, &key);
    vec![
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
        Body::PartnershipDeclined(PartnershipDeclined {
            partnership: terms.partnership.clone(),
            decline: ByteBuf::from(samples::decline().sign(&samples::airframe_agreement())),
        }),
        Body::Laid(Laid::PartnershipDissolved(PartnershipDissolved {
            partnership: terms.partnership.clone(),
            edition: terms.digest(),
            acts: vec![Digest::of(b"an act")],
        })),
        Body::Laid(Laid::PartnershipSetAside(PartnershipSetAside {
            partnership: terms.partnership,
            undone: true,
        })),
        Body::Laid(Laid::CardSeen(CardSeen {
            card: ByteBuf::from(samples::card().sign(&samples::forge_key())),
        })),
        Body::Laid(Laid::CardConfirmed(CardConfirmed {
            organization: samples::forge(),
            card: Digest::of(b"a card"),
            material: samples::card().material().digest(),
        })),
        Body::IssuerPinned(IssuerPinned {
            issuer: samples::forge(),
            root: root.public().fingerprint(),
            certificates: vec![ByteBuf::from(
                stated::certified().sign(&root, &samples::forge_key()),
            )],
            undone: true,
        }),
        Body::LimitsSet(LimitsSet {
            limits: samples::limits(),
        }),
    ]
}

/// What happens to an agreement after it is signed.
fn life_bodies() -> Vec<Body> {
    let (key, agreement) = (samples::forge_key(), samples::forge_agreement());
    let partnership = samples::terms().partnership;
    let pattern = stated::pattern();
    let act = ByteBuf::from(stated::act().sign(&agreement));
    let trigger = Digest::of(b"a trigger");
    vec![
        Body::Laid(Laid::ActMade(ActMade { act: act.clone() })),
        Body::Laid(Laid::ActHeard(ActHeard {
            act: act.clone(),
            from: samples::forge(),
        })),
        Body::AttestationRecorded(AttestationRecorded {
            attestation: ByteBuf::from(stated::attestation().sign(&key)),
        }),
        Body::Laid(Laid::GrantRecorded(GrantRecorded {
            grant: ByteBuf::from(stated::grant().sign(&key)),
        })),
        Body::Laid(Laid::MandateRecorded(MandateRecorded {
            mandate: ByteBuf::from(stated::mandate().sign(&key)),
        })),
        Body::Laid(Laid::MemberJoined(MemberJoined {
            partnership: partnership.clone(),
            joined: ByteBuf::from(stated::joined().sign(&samples::airframe_agreement())),
        })),
        Body::Laid(Laid::PatternSigned(PatternSigned {
            partnership: partnership.clone(),
            pattern: pattern.digest(),
            signature: ByteBuf::from(PatternSignature::sign(
                &pattern,
                &samples::forge(),
                samples::issued(),
                &agreement,
            )),
        })),
        Body::Laid(Laid::PatternOpened(PatternOpened {
            partnership: partnership.clone(),
            pattern: pattern.digest(),
            trigger,
            evidence: vec![ByteBuf::from(b"an observation".to_vec())],
            until: samples::issued().plus_days(1),
        })),
        Body::Laid(Laid::PatternEnded(PatternEnded {
            partnership,
            pattern: pattern.digest(),
            trigger,
        })),
        Body::Laid(Laid::EquivocationProved(EquivocationProved {
            organization: samples::forge(),
            statements: vec![act, ByteBuf::from(b"another act".to_vec())],
            disclosures: vec![DisclosureId::of(b"a disclosure")],
            remark: Some(named("two acts have the number 2")),
        })),
    ]
}

fn transfer_bodies() -> Vec<Body> {
    let key = samples::forge_key();
    let observation = ByteBuf::from(Observation::sign(&samples::facts(), &key));
    let disclosure = ByteBuf::from(samples::disclosure().sign(&key));
    let acknowledgement = samples::refusing_acknowledgement().sign(&samples::airframe_key());
    let decision = samples::decision();
    let digest = decision.digest();
    let partnership = samples::terms().partnership;
    let judged = Withdrawal::Judged {
        decision: digest,
        undecided: true,
    };
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
            evidence: [Digest::of(b"a mandate")].into(),
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
            grounds: judged.clone(),
        }),
        Body::Laid(Laid::OutboxEnded(OutboxEnded {
            partnership: partnership.clone(),
            recipient: samples::airframe(),
            from_seq: 3,
            to_seq: 70_000,
            grounds: judged,
        })),
        Body::OfferedAgain(OfferedAgain {
            first: DisclosureId::of(&disclosure),
            first_seq: 1,
            disclosure: Some(disclosure.clone()),
            partnership: partnership.clone(),
            recipient: samples::airframe(),
            seq: 4,
            decision: digest,
        }),
        Body::Laid(Laid::OnwardNoted(OnwardNoted {
            disclosure: disclosure.clone(),
        })),
        Body::Admitted(Admitted {
            observation,
            disclosure,
            decisions: [digest].into(),
            seq: 3,
            slot: 4_098,
            evidence: [Digest::of(b"a mandate")].into(),
        }),
        Body::Refused(Refused {
            sender: samples::forge(),
            partnership: partnership.clone(),
            code: RefusalCode::WiderTerms,
            count: 2,
            digests: vec![Digest::of(b"one"), Digest::of(b"two")],
        }),
        Body::SetAside(SetAside {
            sender: samples::forge(),
            partnership,
            code: RefusalCode::ClocksApart,
            count: 2,
            digests: vec![Digest::of(b"one"), Digest::of(b"two")],
        }),
        Body::Acknowledged(Acknowledged {
            acknowledgement: ByteBuf::from(acknowledgement),
        }),
    ]
}

fn holding_bodies() -> Vec<Body> {
    let decision = samples::retain_decision();
    let decisions = [decision.digest()];
    let observation = ObservationId::of(b"an observation");
    let signature = ByteBuf::from(stated::person_signature().sign(&samples::forge_person()));
    vec![
        Body::Laid(Laid::RetainDecided(RetainDecided { decision })),
        Body::Laid(Laid::DeriveDecided(DeriveDecided {
            decision: samples::derive_decision(),
        })),
        Body::Laid(Laid::UseDecided(UseDecided {
            decision: samples::use_decision(),
        })),
        Body::Laid(Laid::Retained(Retained {
            decisions: decisions.into(),
            count: 70_000,
            outcome: RetainOutcome::Frozen,
            next_due: Some(samples::issued()),
        })),
        Body::Laid(Laid::Used(Used {
            decision: samples::use_decision().digest(),
            agent: named("agent-7"),
            purpose: named("urn:purpose:quality"),
            data_class: named("quality.geometry"),
            hour: named("2026-05-01T08:00:00Z"),
            reads: Some(70_000),
        })),
        Body::Laid(Laid::Derived(Derived {
            derivation: ByteBuf::from(stated::derivation().sign(&samples::airframe_key())),
            decisions: [samples::derive_decision().digest()].into(),
        })),
        Body::Laid(Laid::Held(Held {
            hold: named("H-1"),
            person: named("person-3"),
            review: samples::issued().plus_days(90),
            observations: [observation].into(),
        })),
        Body::Laid(Laid::ReleasedFromHold(ReleasedFromHold {
            hold: named("H-1"),
            person: named("person-3"),
            observations: [observation].into(),
        })),
        Body::Laid(Laid::Erased(Erased {
            observations: vec![ErasedItem {
                observation,
                slot: 4_097,
                leaves: [Digest::of(b"a leaf")].into(),
                kept_slot: Some(4_099),
            }],
            extent: ErasureExtent::All,
            rule: ErasureRule::Retention {
                decisions: decisions.into(),
            },
        })),
        Body::Laid(Laid::ErasureAttested(ErasureAttested {
            attestation: ByteBuf::from(
                stated::erasure_attestation().sign(&samples::airframe_key()),
            ),
            is_own: true,
        })),
        Body::Laid(Laid::Declassified(Declassified {
            observation,
            labels: [
                Label::DataClass,
                Label::DesignAuthority,
                Label::TradeSecret,
                Label::ExportControl,
            ]
            .into(),
            signature: signature.clone(),
        })),
        Body::Laid(Laid::Corrected(Corrected {
            observation,
            by: ObservationId::of(b"a later one"),
            salt: samples::salt(0x5b),
            disclosures: [DisclosureId::of(b"a disclosure")].into(),
        })),
        Body::Laid(Laid::ElectronicSignature(ElectronicSignature { signature })),
    ]
}

fn ledger_bodies() -> Vec<Body> {
    let (root, key) = (samples::forge_root(), samples::forge_key());
    let certificate = ByteBuf::from(stated::certified().sign(&root, &key));
    vec![
        Body::Opened(Opened {
            organization: samples::forge(),
            name: named("Forge GmbH"),
            seat: named("DE"),
            root: root.public().fingerprint(),
            software: named("ambit 0.1.0"),
        }),
        Body::KeyCertified(KeyCertified {
            certificate: certificate.clone(),
        }),
        Body::Laid(Laid::KeyRotated(KeyRotated {
            certificate: certificate.clone(),
            ended: certificate.clone(),
        })),
        Body::Laid(Laid::KeyRevoked(KeyRevoked {
            certificate,
            compromised: true,
        })),
        Body::ProfileActivated(ProfileActivated {
            layer: Layer::TradeSecret,
            profile: Digest::of(b"profile"),
            schema: Digest::of(b"schema"),
            anyway: Some(named("the auditor asked for it")),
        }),
        Body::TaxonomyActivated(TaxonomyActivated {
            taxonomies: Digest::of(b"taxonomies"),
        }),
        Body::Laid(Laid::PeerCheckpoint(PeerCheckpoint {
            organization: samples::airframe(),
            note: samples::checkpoint().sign(&key),
            is_consistent: true,
        })),
        Body::Laid(Laid::Incident(Incident {
            what: named("clock-back"),
            organization: Some(samples::airframe()),
            remark: Some(named("by a day")),
            digests: vec![Digest::of(b"what shows it")],
        })),
        Body::Laid(Laid::SoftwareChanged(SoftwareChanged {
            from: named("ambit 0.1.0"),
            to: named("ambit 0.2.0"),
        })),
        Body::Laid(Laid::ClockAccepted(ClockAccepted {
            believed: samples::begun(),
            accepted: samples::issued(),
        })),
    ]
}

#[test]
fn every_kind_has_a_body_here() {
    let kinds: Vec<u32> = bodies().iter().map(Body::kind).collect();
    let all: Vec<u32> = Kind::all().map(|kind| kind.number()).collect();
    assert_eq!(kinds, all);
}

#[test]
fn what_took_a_disclosure_back_says_whether_it_is_judged_again() {
    let decision = Digest::of(b"a decision");
    let judged = |undecided| Withdrawal::Judged {
        decision,
        undecided,
    };
    assert_eq!(judged(false).decision(), Some(decision));
    assert!(judged(true).is_undecided() && !judged(false).is_undecided());
    for (_, grounds) in withdrawals() {
        assert_eq!((grounds.decision(), grounds.is_undecided()), (None, false));
    }
}

#[test]
fn every_entry_round_trips() {
    let others = other_bodies().into_iter().map(|(_, body)| body);
    for body in bodies().into_iter().chain(others).chain([unread()]) {
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
    let numbers: Vec<u32> = Kind::all().map(|kind| kind.number()).collect();
    assert_eq!(numbers, (1..=53).collect::<Vec<u32>>());
    for kind in Kind::all() {
        assert_eq!(Kind::from_number(kind.number()), Some(kind));
        let same_name = Kind::all().filter(|other| other.name() == kind.name());
        assert_eq!(same_name.count(), 1);
    }
    assert_eq!(Kind::from_number(0), None);
    assert_eq!(Kind::from_number(54), None);
}

#[test]
fn each_kind_is_signed_by_keys_of_one_purpose() {
    for kind in StatementKind::ALL {
        let purpose = match kind {
            StatementKind::Certificate => KeyPurpose::Root,
            StatementKind::PersonSignature => KeyPurpose::Person,
            StatementKind::Manifest
            | StatementKind::Decline
            | StatementKind::Act
            | StatementKind::Pattern
            | StatementKind::Joined => KeyPurpose::Agreement,
            StatementKind::Observation
            | StatementKind::Disclosure
            | StatementKind::Acknowledgement
            | StatementKind::Card
            | StatementKind::Attestation
            | StatementKind::Grant
            | StatementKind::Mandate
            | StatementKind::Derivation
            | StatementKind::ErasureAttestation => KeyPurpose::Statement,
        };
        assert_eq!(kind.signed_by(), purpose);
        assert!(purpose.signs());
    }
    let names = KeyPurpose::ALL.map(KeyPurpose::name);
    assert_eq!(
        names,
        [
            "root",
            "statement",
            "checkpoint",
            "witness",
            "transport",
            "person",
            "agreement",
            "seal"
        ]
    );
    // All but the root itself, and those of persons.
    let mut of_node = KeyPurpose::OF_NODE.to_vec();
    of_node.extend([KeyPurpose::Root, KeyPurpose::Person]);
    of_node.sort_unstable();
    assert_eq!(of_node, KeyPurpose::ALL);
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
