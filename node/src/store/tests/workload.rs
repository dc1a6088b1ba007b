//! What the tests commit.

use super::super::{AskedFor, BoxKey, Commit, Write};
use crate::link::{AcknowledgementReach, Inbox};
use ambit_ledger::{
    Acknowledged, Acknowledgement, Action, Agreement, AgreementState, Assigned, Body, Decided,
    Decision, Digest, Disclosure, DisclosureId, EncodedReadings, ErasureExtent, ExportControl,
    Facts, Footprint, Inquiry, Name, Observation, ObservationId, OfferedAgain, Opened,
    OrganizationId, PartnershipId, Party, Quality, Reading, Readings, RefusalCode, Refused,
    RefusedItem, Salt, Scope, SecretKey, Time, When, Withdrawal, Withdrawn, Withheld,
};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    pub(super) fn is_heads(&mut self) -> bool {
        self.below(2) == 0
    }
}

pub(super) fn opened() -> Write {
    Write::Entry(Body::Opened(Opened {
        organization: "did:web:a.example".parse().unwrap(),
        name: "A".parse().unwrap(),
        seat: "DE".parse().unwrap(),
        root: SecretKey::from_seed(&[1; 32]).public().fingerprint(),
        software: "ambit test".parse().unwrap(),
    }))
}

fn day() -> Time {
    Time::EARLIEST.plus_days(20_000)
}

/// So that later ones are not always the latest.
fn observed_at(number: u64) -> Time {
    day().plus_seconds(u32::try_from(number % 1_000 * 7_919 % 100_000).unwrap())
}

fn salt(number: u64) -> Salt {
    Salt::from_bytes(*Digest::of(&number.to_be_bytes()).as_bytes())
}

fn facts(number: u64, readings: Digest) -> Facts {
    let assigned = |value: String| Assigned {
        assigner: "did:web:a.example".parse().unwrap(),
        value: value.parse().unwrap(),
    };
    Facts {
        issuer: "did:web:a.example".parse().unwrap(),
        source: "cmm-1".parse().unwrap(),
        site: None,
        area: None,
        cell: None,
        grid_cell: None,
        asset: None,
        submodel: "urn:submodel".parse().unwrap(),
        semantic_id: "urn:semantic".parse().unwrap(),
        part: (!number.is_multiple_of(3)).then(|| assigned(format!("part-{}", number % 3))),
        revision: None,
        serial: None,
        lot: (!number.is_multiple_of(2)).then(|| assigned("lot-1".to_owned())),
        order: None,
        process: None,
        program: None,
        data_class: "quality".parse().unwrap(),
        owner: "did:web:a.example".parse().unwrap(),
        design_authority: None,
        trade_secret: false,
        export_control: ExportControl::default(),
        observed_from: observed_at(number),
        observed_to: observed_at(number),
        grants: [].into(),
        inputs: [].into(),
        corrects: None,
        readings,
        reading_count: 1,
    }
}

/// An observation of one reading.
fn observation(number: u64, value: &str) -> Signed {
    let readings = Readings {
        salt: salt(number),
        readings: vec![Reading {
            path: format!("Value{}", number % 2).parse().unwrap(),
            when: When::Instant {
                at: observed_at(number),
            },
            quality: Quality::Good,
            value: Some(value.to_owned()),
            value_type: None,
            unit: None,
            element: None,
            attachment: None,
        }],
    };
    let facts = facts(number, readings.digest().unwrap());
    let statement = Observation::sign(&facts, &SecretKey::from_seed(&[2; 32]));
    Signed {
        id: ObservationId::of(&statement),
        facts: Box::new(facts),
        statement,
        elements: EncodedReadings::of(&readings.readings)
            .unwrap()
            .latest_instants(),
        readings: readings.encode().unwrap(),
    }
}

struct Signed {
    id: ObservationId,
    facts: Box<Facts>,
    elements: Vec<(Name, Time)>,
    statement: Vec<u8>,
    readings: Vec<u8>,
}

pub(super) fn observed(number: u64, value: &str) -> (ObservationId, Write) {
    let signed = observation(number, value);
    let write = Write::Observed {
        id: signed.id,
        is_new: false,
        facts: signed.facts,
        elements: signed.elements,
        statement: signed.statement,
        readings: signed.readings,
        import: None,
    };
    (signed.id, write)
}

/// With this many bytes in its value.
fn imported(number: u64, bytes: usize) -> (ObservationId, Write) {
    let (id, mut write) = observed(number, &format!("\"{}\"", "7".repeat(bytes)));
    if let Write::Observed { import, is_new, .. } = &mut write {
        *is_new = true;
        *import = Some(Digest::of(&number.to_le_bytes()));
    }
    (id, write)
}

/// An observation that is there already.
fn known(mut write: Write) -> Write {
    if let Write::Observed { is_new, .. } = &mut write {
        *is_new = false;
    }
    write
}

/// A partnership with one other member.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) partnership: PartnershipId,
    pub(super) other: OrganizationId,
}

impl Pair {
    pub(super) fn new(name: &str) -> Self {
        Self {
            partnership: format!("p/{name}").parse().unwrap(),
            other: format!("did:web:{name}.example").parse().unwrap(),
        }
    }

    pub(super) fn key(&self) -> BoxKey {
        BoxKey::new(&self.partnership, &self.other)
    }

    pub(super) fn open(&self) -> Write {
        Write::OpenOutbox {
            partnership: self.partnership.clone(),
            recipient: self.other.clone(),
        }
    }

    fn disclosure(&self, observation: ObservationId, hold_until: Time) -> Vec<u8> {
        let disclosure = Disclosure {
            discloser: "did:web:a.example".parse().unwrap(),
            observation,
            leaves: [].into(),
            partnership: self.partnership.clone(),
            edition: Digest::of(b"edition"),
            recipient: self.other.clone(),
            scope: Scope {
                hold_until,
                ..scope(&self.other)
            },
            parent: None,
            mandate: None,
            derivation: None,
            decisions: [Digest::of(b"decision")].into(),
            issued_at: day(),
            salt: salt(3),
        };
        disclosure.sign(&SecretKey::from_seed(&[2; 32]))
    }

    pub(super) fn disclosed(&self, observation: ObservationId) -> Write {
        Write::Disclosed {
            outbox: self.key(),
            observation,
            statement: self.disclosure(observation, day()),
        }
    }

    pub(super) fn withheld(&self, observation: ObservationId, undecided: bool) -> Write {
        Write::Entry(Body::Withheld(Withheld {
            observation,
            partnership: self.partnership.clone(),
            recipient: self.other.clone(),
            decision: undecided.then(|| Digest::of(b"undecided")),
            undecided,
        }))
    }

    fn withdrawn(&self, observation: ObservationId, seq: u64, undecided: bool) -> Write {
        Write::Entry(Body::Withdrawn(Withdrawn {
            disclosure: DisclosureId::of(&self.disclosure(observation, day())),
            observation,
            partnership: self.partnership.clone(),
            recipient: self.other.clone(),
            seq,
            grounds: Withdrawal::Judged {
                decision: Digest::of(b"to take it back"),
                undecided,
            },
        }))
    }

    /// With so many refusals that it has about this size.
    fn acknowledged(&self, upto: u64, bytes: usize) -> [Write; 2] {
        let refused = (0..).take(bytes / 24).map(|seq| RefusedItem {
            seq,
            code: [RefusalCode::NotCanonical, RefusalCode::NotAdmissible][usize::from(seq % 2 > 0)],
        });
        let stated = Acknowledgement {
            partnership: self.partnership.clone(),
            sender: "did:web:a.example".parse().unwrap(),
            recipient: self.other.clone(),
            incarnation: salt(4),
            upto,
            outcomes: Digest::of(&upto.to_le_bytes()),
            refused: refused.collect(),
            set_aside: Vec::new(),
            heard: Vec::new(),
            at: day(),
        };
        let state = AcknowledgementReach {
            incarnation: salt(4),
            upto,
            bodies: Digest::of(&upto.to_be_bytes()),
            outcomes: Digest::of(&upto.to_le_bytes()),
        };
        let entry = Body::Acknowledged(Acknowledged {
            acknowledgement: ByteBuf::from(stated.sign(&SecretKey::from_seed(&[2; 32]))),
        });
        let state = Write::OutboxAcknowledged {
            outbox: self.key(),
            upto: state,
            at: Some(day()),
            untaken: [(RefusalCode::NotAdmissible.number(), upto % 3)].into(),
        };
        [Write::Entry(entry), state]
    }

    /// What was not taken, asked for and offered again, and that all of it was.
    fn offered_again(&self, observation: ObservationId, first_seq: u64) -> [Write; 2] {
        let offer = OfferedAgain {
            first: DisclosureId::of(&self.disclosure(observation, day())),
            first_seq,
            disclosure: None,
            partnership: self.partnership.clone(),
            recipient: self.other.clone(),
            seq: 0,
            decision: Digest::of(b"decision"),
        };
        let outbox = self.key();
        let code = RefusalCode::NotAdmissible.number();
        let asked = AskedFor {
            upto: first_seq,
            from: 2,
            until: 3,
            kept_back: 1,
        };
        [
            Write::OfferedAgain { outbox, offer },
            Write::AskedFor {
                outbox,
                code,
                asked,
                newly: 1,
            },
        ]
    }

    fn judged(&self) -> Write {
        Write::Judged {
            outbox: self.key(),
            upto: None,
        }
    }

    fn inbox(&self, cursor: u64) -> Write {
        Write::Inbox(Inbox {
            partnership: self.partnership.clone(),
            sender: self.other.clone(),
            cursor,
            bodies: Digest::of(&cursor.to_be_bytes()),
            outcomes: Digest::of(&cursor.to_le_bytes()),
            refused: Vec::new(),
            set_aside: Vec::new(),
            signed: cursor / 2,
            untaken: [].into(),
            asked: [].into(),
            brought: None,
        })
    }

    fn admitted(&self, number: u64, seq: u64, bytes: usize) -> Write {
        let signed = observation(number, &"8".repeat(bytes));
        let hold_until = day().plus_days(u32::try_from(number % 4).unwrap());
        Write::Admitted {
            id: signed.id,
            edition: Digest::of(b"edition"),
            facts: signed.facts,
            elements: signed.elements,
            statement: signed.statement,
            disclosure: self.disclosure(signed.id, hold_until),
            hold_until,
            decision: Digest::of(b"to admit"),
            seq,
            readings: signed.readings,
        }
    }

    fn refused(&self, number: u64) -> Write {
        Write::Entry(Body::Refused(Refused {
            sender: self.other.clone(),
            partnership: self.partnership.clone(),
            code: RefusalCode::ALL[0],
            count: 1,
            digests: vec![Digest::of(&number.to_be_bytes())],
        }))
    }

    pub(super) fn decided(&self, class: u64, number: u64) -> Write {
        let organization: OrganizationId = "did:web:a.example".parse().unwrap();
        let decision = Decision {
            class_key: Digest::of(&class.to_be_bytes()),
            engine: "engine".parse().unwrap(),
            schema: Digest::of(b"schema"),
            taxonomies: Digest::of(b"taxonomies"),
            profiles: Vec::new(),
            inquiry: Inquiry {
                action: Action::Disclose,
                recipient: Party {
                    organization: self.other.clone(),
                    seat: "DE".parse().unwrap(),
                    hosting: BTreeSet::new(),
                    personnel: BTreeSet::new(),
                    attested: BTreeSet::new(),
                },
                discloser: organization,
                footprint: Footprint::from(&facts(0, Digest::of(b""))),
                scope: scope(&self.other),
                limits: None,
                partnership: Agreement {
                    partnership: self.partnership.clone(),
                    edition: Digest::of(b"edition"),
                    state: AgreementState::Active,
                    members: [self.other.clone()].into(),
                    program: None,
                    until: day(),
                    lease_until: day(),
                },
                retention_days: 1,
                hop: 0,
            },
            slice: Digest::of(b"slice"),
            now: day(),
            true_from: day(),
            true_until: None,
            verdicts: Vec::new(),
            salt: salt(number),
        };
        Write::Entry(Body::Decided(Decided { decision }))
    }
}

fn scope(recipient: &OrganizationId) -> Scope {
    Scope {
        recipients: [recipient.clone()].into(),
        records: [].into(),
        purposes: ["urn:purpose".parse().unwrap()].into(),
        not_after: day(),
        hold_until: day(),
        keep_until: None,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: None,
        falls_with_inputs: false,
    }
}

fn blob(number: u64, bytes: usize) -> Write {
    let block = *Digest::of(&number.to_be_bytes()).as_bytes();
    Write::Blob(block.into_iter().cycle().take(bytes).collect())
}

pub(super) fn commit(writes: Vec<Write>) -> Commit {
    by("node", writes)
}

fn by(actor: &str, writes: Vec<Write>) -> Commit {
    Commit {
        actor: actor.parse().unwrap(),
        reason: None,
        now: Time::EARLIEST.plus_days(20_001),
        writes,
    }
}

/// Commits with everything there is.
pub(super) fn everything() -> Vec<Commit> {
    let (first, second) = (Pair::new("b"), Pair::new("c"));
    let mut commits = vec![
        vec![opened(), blob(1, 30_000), blob(2, 10), blob(1, 30_000)],
        vec![first.open()],
        vec![second.open(), first.open()],
    ];
    let many: Vec<_> = (0..24).map(|number| imported(number, 10)).collect();
    let mut judged = vec![first.decided(1, 1), second.decided(2, 2)];
    for (number, (id, write)) in many.iter().enumerate() {
        judged.push(write.clone());
        judged.push(first.disclosed(*id));
        judged.push(second.withheld(*id, number % 2 == 0));
    }
    judged.extend([first.judged(), second.judged()]);
    commits.push(judged);
    // Readings and entries of several records each.
    let mut large: Vec<Write> = (100..102)
        .map(|number| imported(number, 20_000).1)
        .collect();
    large.extend((1..5).flat_map(|upto| first.acknowledged(upto, 50_000)));
    commits.push(large);
    // What stands in the place of something earlier.
    let mut later = vec![second.decided(2, 3), first.decided(1, 4)];
    for (seq, (id, _)) in (1..).zip(&many) {
        later.push(second.disclosed(*id));
        later.push(first.withdrawn(*id, seq, seq % 3 == 0));
    }
    later.push(known(imported(100, 20_000).1));
    later.extend(second.acknowledged(1, 100));
    later.extend(second.offered_again(many[1].0, 2));
    commits.push(later);
    commits.push(vec![first.inbox(1)]);
    let mut taken: Vec<Write> = (0..6)
        .map(|number| first.admitted(200 + number, number + 2, 7_000))
        .collect();
    taken.extend([first.refused(1), first.inbox(8), second.inbox(1)]);
    commits.push(taken);
    commits.push(vec![blob(3, 450_000), first.decided(3, 5), first.judged()]);
    // More slots than the last fill left.
    commits.push((300..330).map(|number| imported(number, 10).1).collect());
    let named = commits.into_iter().enumerate();
    named
        .map(|(number, writes)| by(&format!("w-0-{number}"), writes))
        .collect()
}

/// Commits for one of several threads, each with an entry, so that they are told apart in the ledger.
pub(super) fn drawn(random: &mut Random, thread: u64, count: u64) -> Vec<Commit> {
    let pair = Pair::new(&format!("t{thread}"));
    let (mut disclosed, mut cursor) = (Vec::new(), 0);
    let first = by(
        &format!("w-{thread}-0"),
        vec![pair.open(), pair.decided(thread, 0)],
    );
    let mut commits = vec![first];
    for number in 1..count {
        let base = (thread * 1_000 + number) * 1_000;
        let mut writes = vec![pair.refused(base)];
        for step in 0..=u64::try_from(random.below(20)).unwrap() {
            let bytes = [10, 100, 1_000, 7_000, 30_000][random.below(5)];
            match random.below(8) {
                0 => writes.push(blob(base + step, bytes * 2)),
                1 => writes.extend(pair.acknowledged(number, bytes)),
                2 => writes.push(pair.decided(thread, base + step)),
                3 => {
                    cursor += 1;
                    writes.push(pair.admitted(base + step, cursor, bytes));
                    writes.push(pair.inbox(cursor));
                }
                4 if !disclosed.is_empty() => {
                    let seq = random.below(disclosed.len());
                    let id = disclosed[seq];
                    let seq = u64::try_from(seq).unwrap() + 1;
                    writes.push(pair.withdrawn(id, seq, random.is_heads()));
                }
                _ => {
                    let (id, write) = imported(base + step, bytes);
                    writes.push(write);
                    if random.is_heads() {
                        disclosed.push(id);
                        writes.push(pair.disclosed(id));
                    } else {
                        writes.push(pair.withheld(id, random.is_heads()));
                    }
                }
            }
        }
        writes.push(pair.judged());
        commits.push(by(&format!("w-{thread}-{number}"), writes));
    }
    commits
}
