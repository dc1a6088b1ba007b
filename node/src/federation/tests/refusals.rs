//! Every code by which a recipient refuses, each provoked by a peer that holds the supplier's own keys; and
//! each time the link lives on.

use super::peer::{
    Item, Parts, Peer, decode_readings, edition_of, hello, mesh_of, open_link, receive, reject,
};
use super::*;
use crate::mesh::MeshEvent;
use ambit_ledger::{
    Chain, DerivedTerms, Digest, Disclosure, DisclosureId, ExportControl, ITEM_BYTES_MAX,
    ItemBody, Observation, ObservationId, Outcome, Quality, RefusalCode, Refused, Salt, SecretKey,
    Signature, When, encode,
};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// In every item that is refused, and nowhere else.
const REFUSED_MARKER: &str = "refused-6b1f0c";

/// Two nodes in one partnership: the recipient runs, the supplier only signs.
struct Pair {
    supplier: Arc<Node>,
    recipient: Running,
    recipient_place: PathBuf,
    partnership: PartnershipId,
}

async fn pair(folder: &Path, more: &str) -> Pair {
    let supplier = Arc::new(Node::open(&init(folder, "shop")).unwrap());
    let recipient_place = init(folder, "one");
    let recipient = Running::start(&recipient_place).await;
    let text = quality("one", "F-ONE", more);
    let now = crate::clock::now();
    let partnership = agree(&recipient.node, &supplier, &text, now);
    Pair {
        supplier,
        recipient,
        recipient_place,
        partnership,
    }
}

/// An item that has its place on the link and is refused for what it is.
struct Case {
    name: &'static str,
    code: RefusalCode,
    /// Changes what is signed.
    change: fn(&Pair, &mut Parts),
    /// Changes what was signed.
    tamper: fn(&Pair, &mut Item),
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

fn item_cases() -> Vec<Case> {
    use RefusalCode::*;
    let mut cases = vec![
        bytes("the observation's signature", BadSignature, |_, item| {
            *item.observation.last_mut().unwrap() ^= 1;
        }),
        bytes("the disclosure's signature", BadSignature, |_, item| {
            *item.disclosure.last_mut().unwrap() ^= 1;
        }),
        bytes("an observation by an uncertified key", UnknownKey, |_, item| {
            let payload = payload_of(&item.observation);
            let facts = ambit_ledger::decode(&payload).unwrap();
            item.observation = Observation::sign(&facts, &stranger());
        }),
        bytes("a disclosure by an uncertified key", UnknownKey, |_, item| {
            let disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
            item.disclosure = disclosure.sign(&stranger());
        }),
        bytes("a key certified for something else", UnknownKey, |pair, item| {
            let disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
            item.disclosure = disclosure.sign(&pair.supplier.keys().checkpoint);
        }),
        parts("an issuer whose root nobody compared", UnknownKey, |_, parts| {
            parts.facts.issuer = organization("nobody");
        }),
        bytes("an observation by the recipient", WrongOrigin, |pair, item| {
            let payload = payload_of(&item.observation);
            let mut facts: ambit_ledger::Facts = ambit_ledger::decode(&payload).unwrap();
            facts.issuer = organization("one");
            let key = &pair.recipient.node.keys().statement;
            item.observation = Observation::sign(&facts, key);
        }),
        parts("another's data", WrongOrigin, |_, parts| {
            parts.facts.owner = organization("one");
        }),
        bytes("a disclosure by the recipient", WrongOrigin, |pair, item| {
            let mut disclosure = Disclosure::from_own_ledger(&item.disclosure).unwrap();
            disclosure.discloser = organization("one");
            item.disclosure = disclosure.sign(&pair.recipient.node.keys().statement);
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
        bytes("facts with a field by its name", NotCanonical, |pair, item| {
            let payload = with_first_by_name(&payload_of(&item.observation), "issuer");
            let key = &pair.supplier.keys().statement;
            item.observation = with_payload(&item.observation, payload, key);
        }),
        bytes("terms with a field by its name", NotCanonical, |pair, item| {
            let payload = with_first_by_name(&payload_of(&item.disclosure), "discloser");
            let key = &pair.supplier.keys().statement;
            item.disclosure = with_payload(&item.disclosure, payload, key);
        }),
        parts("readings as an array", NotCanonical, |_, parts| {
            let readings = decode_readings(&parts.readings);
            parts.readings = encode(&(readings.salt, &readings.readings));
            parts.facts.readings = Digest::of(&parts.readings);
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
    use RefusalCode::WiderTerms;
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
            });
        }),
        parts("issued after the agreement's end", WiderTerms, |_, parts| {
            parts.disclosure.issued_at = "2100-01-01T00:00:00Z".parse().unwrap();
        }),
        // What is held counts from the day of the disclosure: a later one would be held for longer.
        parts("issued on a day to come", WiderTerms, |_, parts| {
            let disclosure = &mut parts.disclosure;
            disclosure.issued_at = disclosure.issued_at.plus_days(2);
            disclosure.scope.hold_until = disclosure.scope.hold_until.plus_days(2);
        }),
    ]
}

fn readings_cases() -> Vec<Case> {
    use RefusalCode::{TooLarge, WrongReadings};
    vec![
        bytes("other readings", WrongReadings, |_, item| {
            *item.readings.last_mut().unwrap() ^= 1;
        }),
        parts("another count", WrongReadings, |_, parts| {
            parts.facts.reading_count += 1;
        }),
        parts("another span", WrongReadings, |_, parts| {
            parts.facts.observed_to = parts.facts.observed_to.plus_seconds(1);
        }),
        parts("two minutes in one observation", WrongReadings, |_, parts| {
            change_readings(parts, |readings| {
                let mut later = readings.readings[0].clone();
                let at = later.when.from().plus_seconds(60);
                later.when = When::Instant { at };
                readings.readings.push(later);
            });
        }),
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
            parts.facts.inputs = vec![Digest::of(b"input"); 1_000];
        }),
        parts("a statement beyond every limit", TooLarge, |_, parts| {
            parts.facts.inputs = vec![Digest::of(b"input"); 2_000];
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
        parts("an organization it need not know", NotAdmissible, |_, parts| {
            parts.facts.design_authority = Some(organization("two"));
        }),
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
    let mut readings = decode_readings(&parts.readings);
    change(&mut readings);
    let (from, to) = readings.span().unwrap();
    parts.readings = encode(&readings);
    parts.facts.readings = Digest::of(&parts.readings);
    parts.facts.reading_count = u32::try_from(readings.readings.len()).unwrap();
    (parts.facts.observed_from, parts.facts.observed_to) = (from, to);
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
struct FrameCase {
    name: &'static str,
    /// The sequence number in the answer, counted from the last one; `None` for 0.
    seq: Option<i64>,
    code: RefusalCode,
    bytes: fn(&Peer, &Item) -> Vec<u8>,
}

fn frame_cases() -> Vec<FrameCase> {
    use RefusalCode::*;
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
        case("a tombstone for what was taken", Some(0), Replayed, |peer, _| {
            let (seq, chain) = (peer.last(), peer.end().digest());
            encode(&Frame::Tombstone { seq, chain })
        }),
        case("a place left out", Some(2), Skipped, |peer, item| {
            let seq = peer.last() + 2;
            peer.frame(seq, peer.end().with_body(seq, &item.body()), item)
        }),
        case("a chain from nowhere", Some(1), ChainBroken, |peer, item| {
            let start = Chain::at(Digest::of(b"nowhere"));
            peer.frame(peer.last() + 1, start, item)
        }),
        case("the chain of another body", Some(1), ChainBroken, |peer, item| {
            let seq = peer.last() + 1;
            peer.frame(seq, peer.end().with_body(seq, &ItemBody::Tombstone), item)
        }),
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
        case("an unknown frame", None, NotCanonical, |_, _| vec![0xa1, 0x17, 0xa0]),
        case("an empty frame", None, NotCanonical, |_, _| Vec::new()),
        case("a second hello", None, Unexpected, |peer, _| {
            let edition = edition_of(&peer.supplier, &peer.partnership);
            let first = hello(&peer.partnership, edition, Salt::from_bytes([1; 32]));
            encode(&first)
        }),
        case("credit from the sender", None, Unexpected, |_, _| {
            encode(&Frame::Credit { items: 1_000 })
        }),
        case("an acknowledgement from the sender", None, Unexpected, |_, item| {
            let statement = item.disclosure.clone();
            encode(&Frame::Acknowledgement { statement })
        }),
        case("a confirmation of what was not signed", None, Unexpected, |peer, _| {
            let (upto, chain) = (peer.last() + 1, peer.end().digest());
            encode(&Frame::Ack { upto, chain })
        }),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_given_and_the_link_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "").await;
    let mesh = mesh_of(&pair.supplier, &pair.recipient.node).await;
    let recipient = &pair.recipient.node;
    let mut peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    let mut admitted = vec![peer.prove_alive("at first").await];
    let mut refused: BTreeMap<RefusalCode, BTreeSet<Digest>> = BTreeMap::new();
    let mut counts: BTreeMap<RefusalCode, u64> = BTreeMap::new();
    let mut note = |code, digest| {
        refused.entry(code).or_default().insert(digest);
        *counts.entry(code).or_default() += 1;
    };
    let marked = format!("serial = \"{REFUSED_MARKER}\"");
    for case in item_cases() {
        let mut parts = peer.parts(&marked);
        (case.change)(&pair, &mut parts);
        let mut item = peer.sign(parts);
        (case.tamper)(&pair, &mut item);
        let outcome = Outcome::Refused(case.code);
        peer.bring(case.name, &item, outcome).await;
        note(case.code, item.body().digest());
        admitted.push(peer.prove_alive(case.name).await);
    }
    for case in frame_cases() {
        let parts = peer.parts(&marked);
        let item = peer.sign(parts);
        let bytes = (case.bytes)(&peer, &item);
        let seq = case.seq.map_or(0, |by| peer.last().checked_add_signed(by).unwrap());
        peer.send(&bytes).await;
        let answer = peer.answer().await;
        assert_eq!(answer, reject(seq, case.code), "{}", case.name);
        note(case.code, Digest::of(&bytes));
        admitted.push(peer.prove_alive(case.name).await);
    }
    let all: BTreeSet<RefusalCode> = RefusalCode::ALL.into();
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), all);

    let listed: Vec<ObservationId> = recipient
        .list(&Filter::default())
        .unwrap()
        .iter()
        .map(|item| item.id)
        .collect();
    assert_eq!(listed, admitted);
    let entries = refused_entries(recipient);
    let mut counted: BTreeMap<RefusalCode, u64> = BTreeMap::new();
    for entry in &entries {
        assert_eq!(entry.sender, organization("shop"));
        assert!(entry.digests.iter().all(|digest| refused[&entry.code].contains(digest)));
        *counted.entry(entry.code).or_default() += entry.count;
    }
    assert_eq!(counted, counts);
    audit(recipient, &[&pair.supplier, recipient]);
    assert!(!contains(&bundle(recipient), REFUSED_MARKER.as_bytes()));
    drop(peer);
    pair.recipient.stop().await;
    // What was refused left digests, and not a byte of its content.
    for (path, content) in files(&pair.recipient_place) {
        assert!(!contains(&content, REFUSED_MARKER.as_bytes()), "{}", path.display());
    }
    let received = recorded_frames(&pair.recipient_place);
    let marked = received
        .iter()
        .filter(|frame| contains(&frame.bytes, REFUSED_MARKER.as_bytes()));
    assert!(marked.count() > 20, "the marker was never sent");
}

fn refused_entries(node: &Node) -> Vec<Refused> {
    bodies(node)
        .into_iter()
        .filter_map(|body| match body {
            Body::Refused(refused) => Some(refused),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_coalesced_and_recorded_when_the_link_ends() {
    const FRAMES: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "").await;
    let mesh = mesh_of(&pair.supplier, &pair.recipient.node).await;
    let recipient = &pair.recipient.node;
    let mut peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    peer.prove_alive("at first").await;
    let junk = |number: u64| Frame::Tombstone {
        seq: 100 + number,
        chain: Digest::of(b"junk"),
    };
    for number in 0..FRAMES {
        peer.send(&junk(number).encode().unwrap()).await;
    }
    for number in 0..FRAMES {
        let expected = reject(100 + number, RefusalCode::Skipped);
        assert_eq!(peer.answer().await, expected);
    }
    peer.prove_alive("after the flood").await;
    let entries = refused_entries(recipient);
    let count: u64 = entries.iter().map(|entry| entry.count).sum();
    assert_eq!(count, FRAMES);
    // A tick of the recipient's may fall into the flood; more entries than that are not coalesced.
    assert!(entries.len() <= 2, "{} entries", entries.len());
    assert!(entries.iter().all(|entry| entry.digests.len() <= 16));

    // A peer that does not even wait for its answer leaves its trace all the same.
    peer.send(b"no frame").await;
    drop(peer);
    until("the last frame arrives", || {
        let frames = recorded_frames(&pair.recipient_place);
        frames.iter().any(|frame| frame.bytes == b"no frame")
    })
    .await;
    until("the last refusal is recorded", || {
        let entries = refused_entries(recipient);
        let last = entries.last().unwrap();
        (last.code, last.count) == (RefusalCode::NotCanonical, 1)
    })
    .await;
    assert_eq!(held(recipient), 2);
    audit(recipient, &[&pair.supplier, recipient]);
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_decide_waits() {
    let folder = tempfile::tempdir().unwrap();
    // The difference is smaller than a number can be, so nobody can say whether the rule applies.
    let rule = r#"
forbids = """
@id("doubtful")
forbid (principal, action in Ambit::Action::"transfer", resource is Ambit::Observation)
when {
  resource.semanticId == "urn:doubtful" &&
  resource.scope.onwardHops - 9223372036854775807 - 2 < 0
};
"""
"#;
    let pair = pair(folder.path(), rule).await;
    let mesh = mesh_of(&pair.supplier, &pair.recipient.node).await;
    let recipient = &pair.recipient.node;
    let mut peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    let first = peer.prove_alive("at first").await;
    let mut doubtful = peer.parts("");
    doubtful.facts.semantic_id = "urn:doubtful".parse().unwrap();
    let doubtful = peer.sign(doubtful);
    let mut chain = peer.end();
    let mut seq = peer.last();
    let mut frames = Vec::new();
    let granted = u64::from(crate::link::CREDIT_ITEMS);
    for number in 0..granted {
        let item = match number {
            0 => doubtful.clone(),
            _ => {
                let parts = peer.parts("");
                peer.sign(parts)
            }
        };
        seq += 1;
        chain = chain.with_body(seq, &item.body());
        frames.push(peer.frame(seq, chain, &item));
    }
    for frame in &frames {
        peer.send(frame).await;
    }
    // No credit is given while one waits: what comes beyond it is no item's turn. And the link answers, twice,
    // so between the answers it surely looked at what waits.
    for _ in 0..2 {
        let parts = peer.parts("");
        let item = peer.sign(parts);
        let beyond = chain.with_body(seq + 1, &item.body());
        peer.send(&peer.frame(seq + 1, beyond, &item)).await;
        let answer = peer.answer().await;
        assert_eq!(answer, reject(seq + 1, RefusalCode::Unexpected));
    }
    let listed = recipient.list(&Filter::default()).unwrap();
    assert_eq!(listed.iter().map(|item| item.id).collect::<Vec<_>>(), [first]);
    assert!(
        refused_entries(recipient)
            .iter()
            .all(|entry| entry.code == RefusalCode::Unexpected)
    );
    // A new link starts where nothing was decided.
    drop(peer);
    let mut link = open_link(&mesh, peer_of(recipient)).await;
    let edition = edition_of(&pair.supplier, &pair.partnership);
    let incarnation = pair.supplier.store().incarnation();
    let first = hello(&pair.partnership, edition, incarnation);
    link.send(&first.encode().unwrap()).await.unwrap();
    let Frame::Hello { hello } = Frame::decode(&receive(&mut link).await.unwrap()).unwrap() else {
        panic!("no hello came back");
    };
    assert_eq!(hello.cursor, 1);
    audit(recipient, &[&pair.supplier, recipient]);
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_no_stream_and_a_member_no_hint() {
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "").await;
    let recipient = &pair.recipient.node;
    let now = crate::clock::now();
    // A partnership of the recipient's that the supplier is not in.
    let two = Node::open(&init(folder.path(), "two")).unwrap();
    let text = quality("one", "S-SECRET", "").replace("one/shop", "one/two");
    let secret = agree(recipient, &two, &text, now);

    let config = MeshConfig::new(zeroize::Zeroizing::new([0x5a; 32]), Vec::new());
    let (stranger, mut events) = Mesh::start(config).await.unwrap();
    let target = peer_of(recipient);
    stranger.set_peers([(target, recipient.settings().mesh.listen.clone())].into());
    // It sees connections that are closed on it; after two of them the gate has surely had its say.
    for _ in 0..2 {
        loop {
            match tokio::time::timeout(LIMIT, events.recv()).await.unwrap() {
                Some(MeshEvent::Connected { .. }) => {
                    assert!(stranger.open_link(target).await.is_err());
                }
                Some(MeshEvent::Disconnected { .. }) => break,
                other => panic!("unasked: {other:?}"),
            }
        }
    }
    let heard = recorded_frames(&pair.recipient_place);
    assert!(heard.iter().all(|frame| frame.peer != stranger.local_peer().to_string()));

    let mesh = mesh_of(&pair.supplier, recipient).await;
    let edition = edition_of(recipient, &secret);
    let mut answers = Vec::new();
    let incarnation = pair.supplier.store().incarnation();
    for (partnership, edition) in [
        (&secret, edition),
        (&"one/nobody".parse().unwrap(), edition),
        (&secret, Digest::of(b"another edition")),
    ] {
        let mut link = open_link(&mesh, target).await;
        let first = hello(partnership, edition, incarnation);
        link.send(&first.encode().unwrap()).await.unwrap();
        let mut answer = Vec::new();
        while let Some(frame) = receive(&mut link).await {
            answer.push(frame);
        }
        answers.push(answer);
    }
    let expected = reject(0, RefusalCode::WrongPartnership).encode().unwrap();
    assert!(answers.iter().all(|answer| *answer == [expected.clone()]));

    // A link opens with a hello; anything else is turned away, and the next link is served.
    for (bytes, code) in [
        (encode(&Frame::Credit { items: 1 }), RefusalCode::Unexpected),
        (b"no frame".to_vec(), RefusalCode::NotCanonical),
    ] {
        let mut link = open_link(&mesh, target).await;
        link.send(&bytes).await.unwrap();
        let answer = receive(&mut link).await.unwrap();
        assert_eq!(Frame::decode(&answer).unwrap(), reject(0, code));
        assert!(receive(&mut link).await.is_none());
    }
    let mut peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    peer.prove_alive("after all").await;
    audit(recipient, &[&pair.supplier, recipient, &two]);
    pair.recipient.stop().await;
}
