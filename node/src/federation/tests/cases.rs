//! What a dishonest peer may bring, and the code each is refused by.

use super::peer::{Item, Parts, Peer, decode_readings, edition_of, encode_readings, hello};
use super::refusals::Pair;
use super::*;
use ambit_ledger::{
    Chain, DerivedTerms, Digest, Disclosure, DisclosureId, ExportControl, Facts, GrantId,
    ITEM_BYTES_MAX, ItemBody, Observation, ObservationId, Quality, RecordDigest, RefusalCode, Salt,
    SecretKey, Signature, When, encode,
};
use serde_bytes::ByteBuf;

/// An item that has its place on the link and is refused for what it is.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) code: RefusalCode,
    /// Changes what is signed.
    pub(super) change: fn(&Pair, &mut Parts),
    /// Changes what was signed.
    pub(super) tamper: fn(&Pair, &mut Item),
}

const fn parts(name: &'static str, code: RefusalCode, change: fn(&Pair, &mut Parts)) -> Case {
    let tamper = |_: &Pair, _: &mut Item| {};
    Case {
        name,
        code,
        change,
        tamper,
    }
}

const fn bytes(name: &'static str, code: RefusalCode, tamper: fn(&Pair, &mut Item)) -> Case {
    let change = |_: &Pair, _: &mut Parts| {};
    Case {
        name,
        code,
        change,
        tamper,
    }
}

pub(super) fn item_cases() -> Vec<Case> {
    use RefusalCode::{
        BadSignature, UnknownKey, WrongChain, WrongObservation, WrongOrigin, WrongPartnership,
        WrongRecipient,
    };
    let mut cases = vec![
        bytes("the observation's signature", BadSignature, |_, item| {
            *item.observation.last_mut().unwrap() ^= 1;
        }),
        bytes("the disclosure's signature", BadSignature, |_, item| {
            *item.disclosure.last_mut().unwrap() ^= 1;
        }),
        bytes(
            "an observation by an uncertified key",
            UnknownKey,
            |_, item| {
                let payload = payload_of(&item.observation);
                let facts = ambit_ledger::decode(&payload).unwrap();
                item.observation = Observation::sign(&facts, &stranger());
            },
        ),
        bytes(
            "a disclosure by an uncertified key",
            UnknownKey,
            |_, item| {
                let disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
                item.disclosure = disclosure.sign(&stranger());
            },
        ),
        bytes(
            "a key certified for something else",
            UnknownKey,
            |pair, item| {
                let disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
                item.disclosure = disclosure.sign(&pair.supplier.keys().checkpoint);
            },
        ),
        parts(
            "an issuer whose root nobody compared",
            UnknownKey,
            |_, parts| {
                parts.facts.issuer = organization("nobody");
            },
        ),
        bytes(
            "an observation by the recipient",
            WrongOrigin,
            |pair, item| {
                let payload = payload_of(&item.observation);
                let mut facts: Facts = ambit_ledger::decode(&payload).unwrap();
                facts.issuer = organization("one");
                let key = &pair.recipient.node.keys().statement;
                item.observation = Observation::sign(&facts, key);
            },
        ),
        parts("another's data", WrongOrigin, |_, parts| {
            parts.facts.owner = organization("one");
        }),
        bytes(
            "a disclosure by the recipient",
            WrongOrigin,
            |pair, item| {
                let mut disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
                disclosure.discloser = organization("one");
                item.disclosure = disclosure.sign(&pair.recipient.node.keys().statement);
            },
        ),
        parts("under a mandate", WrongOrigin, |_, parts| {
            parts.disclosure.mandate = Some(Digest::of(b"a mandate"));
        }),
        parts("derived", WrongChain, |_, parts| {
            parts.facts.inputs = inputs(1);
        }),
        parts("a part of an observation", WrongChain, |_, parts| {
            parts.disclosure.leaves = [Digest::of(b"a leaf")].into();
        }),
        parts("with a derivation", WrongChain, |_, parts| {
            parts.disclosure.derivation = Some(Digest::of(b"a derivation"));
        }),
        parts("handed on", WrongOrigin, |_, parts| {
            parts.disclosure.parent = Some(DisclosureId::of(b"another disclosure"));
        }),
        bytes("header and payload differ", WrongOrigin, |pair, item| {
            let mut disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
            disclosure.observation = ObservationId::of(b"another");
            let key = &pair.supplier.keys().statement;
            item.disclosure = with_payload(&item.disclosure, encode(&disclosure), key);
        }),
        parts("for another recipient", WrongRecipient, |_, parts| {
            parts.disclosure.recipient = organization("two");
        }),
        parts("of another observation", WrongObservation, |_, parts| {
            parts.is_bound = false;
        }),
        parts("another partnership", WrongPartnership, |_, parts| {
            parts.disclosure.partnership = "two/shop".parse().unwrap();
        }),
        parts("another edition", WrongPartnership, |_, parts| {
            parts.disclosure.edition = Digest::of(b"another edition");
        }),
    ];
    cases.extend(canonical_cases());
    cases.extend(terms_cases());
    cases.extend(readings_cases());
    cases.extend(policy_cases());
    cases
}

fn canonical_cases() -> Vec<Case> {
    use RefusalCode::NotCanonical;
    vec![
        bytes(
            "facts with a field by its name",
            NotCanonical,
            |pair, item| {
                let payload = with_first_by_name(&payload_of(&item.observation), "issuer");
                let key = &pair.supplier.keys().statement;
                item.observation = with_payload(&item.observation, payload, key);
            },
        ),
        bytes(
            "terms with a field by its name",
            NotCanonical,
            |pair, item| {
                let payload = with_first_by_name(&payload_of(&item.disclosure), "discloser");
                let key = &pair.supplier.keys().statement;
                item.disclosure = with_payload(&item.disclosure, payload, key);
            },
        ),
        parts("readings as an array", NotCanonical, |_, parts| {
            let readings = decode_readings(parts);
            parts.readings = encode(&(readings.salt, &readings.readings));
        }),
        bytes("a statement without its tag", NotCanonical, |_, item| {
            item.observation.remove(0);
        }),
        bytes("a statement of another kind", NotCanonical, |_, item| {
            item.observation = item.disclosure.clone();
        }),
        bytes("bytes after a statement", NotCanonical, |_, item| {
            item.disclosure.push(0);
        }),
        bytes("no bytes at all", NotCanonical, |_, item| {
            item.observation.clear();
        }),
        parts("no purpose", NotCanonical, |_, parts| {
            parts.disclosure.scope.purposes.clear();
        }),
        parts("kept longer than held", NotCanonical, |_, parts| {
            let hold_until = parts.disclosure.scope.hold_until;
            parts.disclosure.scope.keep_until = Some(hold_until.plus_seconds(1));
        }),
        parts("observed backwards", NotCanonical, |_, parts| {
            parts.facts.observed_from = parts.facts.observed_to.plus_seconds(1);
        }),
        parts("no reading stated", NotCanonical, |_, parts| {
            parts.facts.reading_count = 0;
        }),
    ]
}

fn terms_cases() -> Vec<Case> {
    use RefusalCode::{ClocksApart, NewerVersion, UnknownClass, WiderTerms};
    vec![
        parts("disclosed for longer", WiderTerms, |_, parts| {
            let scope = &mut parts.disclosure.scope;
            scope.not_after = scope.not_after.plus_seconds(1);
        }),
        parts("held for longer", WiderTerms, |_, parts| {
            let scope = &mut parts.disclosure.scope;
            scope.hold_until = scope.hold_until.plus_seconds(1);
        }),
        parts("one more hop", WiderTerms, |_, parts| {
            parts.disclosure.scope.onward_hops += 1;
        }),
        parts("a recipient outside", WiderTerms, |_, parts| {
            let recipients = &mut parts.disclosure.scope.recipients;
            recipients.insert(organization("two"));
        }),
        parts("the owner named too", WiderTerms, |_, parts| {
            let recipients = &mut parts.disclosure.scope.recipients;
            recipients.insert(organization("shop"));
        }),
        parts("to be kept for long", WiderTerms, |_, parts| {
            let scope = &mut parts.disclosure.scope;
            scope.keep_until = Some(scope.hold_until);
        }),
        parts("under a record", WiderTerms, |_, parts| {
            let record = RecordDigest {
                organization: organization("one"),
                material: Digest::of(b"made up"),
            };
            parts.disclosure.scope.records = [record].into();
        }),
        parts("ending with inputs", WiderTerms, |_, parts| {
            parts.disclosure.scope.falls_with_inputs = true;
        }),
        parts("a correction", NewerVersion, |_, parts| {
            parts.facts.corrects = Some(Digest::of(b"another"));
        }),
        parts("resting on grants", NewerVersion, |_, parts| {
            parts.facts.grants = [GrantId::of(b"a grant")].into();
        }),
        parts("another purpose", WiderTerms, |_, parts| {
            let purposes = &mut parts.disclosure.scope.purposes;
            purposes.insert("urn:ambit:purpose:research".parse().unwrap());
        }),
        parts("the purpose above", WiderTerms, |_, parts| {
            let purposes = &mut parts.disclosure.scope.purposes;
            purposes.insert("urn:ambit:purpose:quality".parse().unwrap());
        }),
        parts("terms for derived data", WiderTerms, |_, parts| {
            let scope = &mut parts.disclosure.scope;
            scope.derived = Some(DerivedTerms {
                data_classes: ["spc".parse().unwrap()].into(),
                recipients: scope.recipients.clone(),
                purposes: scope.purposes.clone(),
                not_after: None,
                hold_until: None,
                onward_hops: None,
                again: false,
                outlives_inputs: false,
            });
        }),
        parts(
            "issued after the agreement's end",
            WiderTerms,
            |_, parts| {
                parts.disclosure.issued_at = "2100-01-01T00:00:00Z".parse().unwrap();
            },
        ),
        parts("issued before the terms", WiderTerms, |pair, parts| {
            let governance = pair.supplier.governance();
            let known = governance.partnership(&pair.partnership).unwrap();
            let declared = known.terms().declared_at.as_nanos();
            let early = declared - 301_000_000_000;
            parts.disclosure.issued_at = Time::try_from(early).unwrap();
        }),
        // One of the two clocks is wrong. What is held counts from the day of the disclosure, so it is not taken before.
        parts("issued on a day to come", ClocksApart, |_, parts| {
            let disclosure = &mut parts.disclosure;
            disclosure.issued_at = disclosure.issued_at.plus_days(2);
            disclosure.scope.hold_until = disclosure.scope.hold_until.plus_days(2);
        }),
        // Taken in, it would be the latest value until its time comes.
        parts("observed on a day to come", ClocksApart, |_, parts| {
            let facts = &mut parts.facts;
            facts.observed_from = facts.observed_from.plus_days(20_000);
            facts.observed_to = facts.observed_to.plus_days(20_000);
        }),
        parts(
            "of a class that is not known here",
            UnknownClass,
            |_, parts| {
                parts.facts.data_class = "vibration-of-later".parse().unwrap();
            },
        ),
    ]
}

fn readings_cases() -> Vec<Case> {
    use RefusalCode::{TooLarge, WrongReadings};
    vec![
        bytes("other readings", WrongReadings, |_, item| {
            // Within the salt, behind two maps and a head.
            item.readings[6] ^= 1;
        }),
        parts("another count", WrongReadings, |_, parts| {
            parts.facts.reading_count += 1;
        }),
        parts("another span", WrongReadings, |_, parts| {
            parts.facts.observed_to = parts.facts.observed_to.plus_seconds(1);
        }),
        parts(
            "two minutes in one observation",
            WrongReadings,
            |_, parts| {
                change_readings(parts, |readings| {
                    let mut later = readings.readings[0].clone();
                    let at = later.when.from().plus_seconds(60);
                    later.when = When::Instant { at };
                    readings.readings.push(later);
                });
            },
        ),
        parts("a value of what is missing", WrongReadings, |_, parts| {
            change_readings(parts, |readings| {
                readings.readings[0].quality = Quality::Unavailable;
            });
        }),
        parts("readings beyond the limit", TooLarge, |_, parts| {
            change_readings(parts, |readings| {
                readings.readings[0].value = Some("7".repeat(ITEM_BYTES_MAX));
            });
        }),
        parts("a statement beyond its limit", TooLarge, |_, parts| {
            parts.facts.inputs = inputs(1_000);
        }),
        parts("a statement beyond every limit", TooLarge, |_, parts| {
            parts.facts.inputs = inputs(2_000);
        }),
    ]
}

fn policy_cases() -> Vec<Case> {
    use RefusalCode::NotAdmissible;
    vec![
        parts("nobody classified it", NotAdmissible, |_, parts| {
            parts.facts.export_control = ExportControl::default();
        }),
        parts("a class outside", NotAdmissible, |_, parts| {
            parts.facts.data_class = "process-parameters".parse().unwrap();
        }),
        parts("another program", NotAdmissible, |_, parts| {
            let program = parts.facts.program.as_mut().unwrap();
            program.value = "F-OTHER".parse().unwrap();
        }),
        parts(
            "an organization it need not know",
            NotAdmissible,
            |_, parts| {
                parts.facts.design_authority = Some(organization("two"));
            },
        ),
        parts("observed outside the window", NotAdmissible, |_, parts| {
            let at: Time = "2019-07-11T04:00:00Z".parse().unwrap();
            change_readings(parts, |readings| {
                readings.readings[0].when = When::Instant { at };
            });
            (parts.facts.observed_from, parts.facts.observed_to) = (at, at);
        }),
    ]
}

fn change_readings(parts: &mut Parts, change: impl FnOnce(&mut ambit_ledger::Readings)) {
    let mut readings = decode_readings(parts);
    change(&mut readings);
    let (from, to) = readings.span().unwrap();
    parts.readings = encode_readings(&readings);
    // Readings that break a rule have no digest; they are refused before it is looked at.
    if let Ok(digest) = readings.digest() {
        parts.facts.readings = digest;
    }
    parts.facts.reading_count = u32::try_from(readings.readings.len()).unwrap();
    (parts.facts.observed_from, parts.facts.observed_to) = (from, to);
}

fn inputs(count: u32) -> BTreeSet<Digest> {
    (0..count)
        .map(|input| Digest::of(&input.to_be_bytes()))
        .collect()
}

/// A key that no root certified.
fn stranger() -> SecretKey {
    SecretKey::from_seed(&[0x5a; 32])
}

/// The four parts of a COSE_Sign1 behind its tag.
type Sign1 = (ByteBuf, BTreeMap<u8, u8>, ByteBuf, ByteBuf);

fn payload_of(statement: &[u8]) -> Vec<u8> {
    let (_, _, payload, _): Sign1 = ambit_ledger::decode(&statement[1..]).unwrap();
    payload.into_vec()
}

/// The same header around another payload, signed all the same (RFC 9052 §4.4).
fn with_payload(statement: &[u8], payload: Vec<u8>, key: &SecretKey) -> Vec<u8> {
    let (protected, unprotected, _, _): Sign1 = ambit_ledger::decode(&statement[1..]).unwrap();
    let payload = ByteBuf::from(payload);
    let to_be_signed = encode(&("Signature1", &protected, ByteBuf::new(), &payload));
    let signature: Signature = key.sign(&to_be_signed);
    let signature = ByteBuf::from(signature.as_bytes().to_vec());
    let array = encode(&(protected, unprotected, payload, signature));
    [&[0xd2], array.as_slice()].concat()
}

/// The same map with its first field, a text, under its name instead of its number: the same to a lenient
/// reader, and in ascending order, because numbers come before names.
fn with_first_by_name(payload: &[u8], name: &str) -> Vec<u8> {
    let value = encode(&organization("shop"));
    let rest = payload[1..].strip_prefix(&[0]).unwrap();
    let rest = rest.strip_prefix(value.as_slice()).unwrap();
    [&payload[..1], rest, &encode(&name), &value].concat()
}

/// A frame that gets no place on the link.
pub(super) struct FrameCase {
    pub(super) name: &'static str,
    /// The sequence number in the answer, counted from the last one; `None` for 0.
    pub(super) seq: Option<i64>,
    pub(super) code: RefusalCode,
    pub(super) bytes: fn(&Peer, &Item) -> Vec<u8>,
}

pub(super) fn frame_cases() -> Vec<FrameCase> {
    use RefusalCode::{ChainBroken, NewerVersion, NotCanonical, Replayed, Skipped, Unexpected};
    let case = |name, seq, code, bytes| FrameCase {
        name,
        seq,
        code,
        bytes,
    };
    vec![
        case("the last place again", Some(0), Replayed, |peer, item| {
            let last = peer.last();
            let before = peer.chains[usize::try_from(last).unwrap() - 1];
            peer.frame(last, before.with_body(last, &item.body()), item)
        }),
        case(
            "a tombstone for what was taken",
            Some(0),
            Replayed,
            |peer, _| {
                let (seq, chain) = (peer.last(), peer.end().digest());
                encode(&Frame::Tombstone { seq, chain })
            },
        ),
        case("a place left out", Some(2), Skipped, |peer, item| {
            let seq = peer.last() + 2;
            peer.frame(seq, peer.end().with_body(seq, &item.body()), item)
        }),
        case(
            "a chain from nowhere",
            Some(1),
            ChainBroken,
            |peer, item| {
                let start = Chain::at(Digest::of(b"nowhere"));
                peer.frame(peer.last() + 1, start, item)
            },
        ),
        case(
            "the chain of another body",
            Some(1),
            ChainBroken,
            |peer, item| {
                let seq = peer.last() + 1;
                peer.frame(seq, peer.end().with_body(seq, &ItemBody::Tombstone), item)
            },
        ),
        case("a variant by its name", None, NotCanonical, |peer, item| {
            let frame = peer.next_frame(item);
            let fields = frame.strip_prefix(&[0xa1, 1]).unwrap();
            [&[0xa1], encode(&"Item").as_slice(), fields].concat()
        }),
        case("bytes after a frame", None, NotCanonical, |peer, item| {
            [peer.next_frame(item), vec![0]].concat()
        }),
        case("half a frame", None, NotCanonical, |peer, item| {
            let frame = peer.next_frame(item);
            frame[..frame.len() / 2].to_vec()
        }),
        case("a frame of a newer version", None, NewerVersion, |_, _| {
            vec![0xa1, 0x17, 0xa0]
        }),
        case("an empty frame", None, NotCanonical, |_, _| Vec::new()),
        case("a second hello", None, Unexpected, |peer, _| {
            let edition = edition_of(&peer.supplier, &peer.partnership);
            let first = hello(&peer.partnership, edition, Salt::from_bytes([1; 32]));
            encode(&first)
        }),
        case("credit from the sender", None, Unexpected, |_, _| {
            encode(&Frame::Credit { items: 1_000 })
        }),
        case(
            "an acknowledgement from the sender",
            None,
            Unexpected,
            |_, item| {
                let statement = item.disclosure.clone();
                encode(&Frame::Acknowledgement { statement })
            },
        ),
        case(
            "a confirmation of what was not signed",
            None,
            Unexpected,
            |peer, _| {
                let (upto, chain) = (peer.last() + 1, peer.end().digest());
                encode(&Frame::Ack { upto, chain })
            },
        ),
    ]
}
