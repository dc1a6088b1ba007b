//! Every code by which a recipient refuses, each provoked by a peer that holds the supplier's own keys; and
//! each time the link lives on.

use super::cases::{frame_cases, item_cases};
use super::peer::{Peer, edition_of, hello, mesh_of, open_link, receive, reject};
use super::*;
use crate::mesh::MeshEvent;
use ambit_ledger::{Digest, ObservationId, Outcome, RefusalCode, Refused, encode};
use std::collections::BTreeSet;

/// In every item that is refused, and nowhere else.
const REFUSED_MARKER: &str = "refused-6b1f0c";

/// Two nodes in one partnership: the recipient runs, the supplier only signs.
pub(super) struct Pair {
    pub(super) supplier: Arc<Node>,
    pub(super) recipient: Running,
    pub(super) recipient_place: PathBuf,
    pub(super) partnership: PartnershipId,
}

pub(super) async fn pair(folder: &Path, more: &str) -> Pair {
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
        peer.bring(case.name, &item, Outcome::not_taken(case.code))
            .await;
        // What is set aside is no refusal.
        if !case.code.is_set_aside() {
            note(case.code, item.body().digest());
        }
        admitted.push(peer.prove_alive(case.name).await);
    }
    for case in frame_cases() {
        let parts = peer.parts(&marked);
        let item = peer.sign(parts);
        let bytes = (case.bytes)(&peer, &item);
        let seq = case
            .seq
            .map_or(0, |by| peer.last().checked_add_signed(by).unwrap());
        peer.send(&bytes).await;
        let answer = peer.answer().await;
        assert_eq!(answer, reject(seq, case.code), "{}", case.name);
        if !case.code.is_set_aside() {
            note(case.code, Digest::of(&bytes));
        }
        admitted.push(peer.prove_alive(case.name).await);
    }
    // A confirmation of what was signed, over another past.
    let wrong = peer.bring_unconfirmed().await;
    peer.send(&wrong).await;
    assert_eq!(peer.answer().await, reject(0, RefusalCode::ChainBroken));
    note(RefusalCode::ChainBroken, Digest::of(&wrong));
    admitted.push(peer.last_observation());
    admitted.push(peer.prove_alive("after a wrong confirmation").await);
    let (observation, body) = peer.bring_twice().await;
    admitted.push(observation);
    note(RefusalCode::Duplicate, body);
    admitted.push(peer.prove_alive("after a duplicate").await);
    let refusals = RefusalCode::ALL.iter().filter(|code| !code.is_set_aside());
    let all: BTreeSet<RefusalCode> = refusals.copied().collect();
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), all);

    let listed: Vec<ObservationId> = recipient
        .list(&Filter::default())
        .unwrap()
        .iter()
        .map(|item| item.id)
        .collect();
    assert_eq!(listed, admitted);
    let recorded = || {
        refused_entries(recipient)
            .iter()
            .map(|entry| entry.count)
            .sum::<u64>()
    };
    until("all refusals are recorded", || {
        recorded() == counts.values().sum::<u64>()
    })
    .await;
    let entries = refused_entries(recipient);
    let mut counted: BTreeMap<RefusalCode, u64> = BTreeMap::new();
    for entry in &entries {
        assert_eq!(entry.sender, organization("shop"));
        for digest in &entry.digests {
            assert!(refused[&entry.code].contains(digest), "{}", entry.code);
        }
        *counted.entry(entry.code).or_default() += entry.count;
    }
    assert_eq!(counted, counts);
    audit(recipient, &[&pair.supplier, recipient]);
    assert!(!contains(&bundle(recipient), REFUSED_MARKER.as_bytes()));
    drop(peer);
    pair.recipient.stop().await;
    // What was refused left digests, and not a byte of its content.
    for (path, content) in files(&pair.recipient_place) {
        assert!(
            !contains(&content, REFUSED_MARKER.as_bytes()),
            "{}",
            path.display()
        );
    }
    let received = recorded_frames(&pair.recipient_place);
    let marked = received
        .iter()
        .filter(|frame| contains(&frame.bytes, REFUSED_MARKER.as_bytes()));
    assert!(marked.count() > 20, "the marker was never sent");
}

pub(super) fn refused_entries(node: &Node) -> Vec<Refused> {
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
    let recorded = || {
        refused_entries(recipient)
            .iter()
            .map(|entry| entry.count)
            .sum::<u64>()
    };
    until("all refusals are recorded", || recorded() == FRAMES).await;
    let entries = refused_entries(recipient);
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
        let asked = std::time::Instant::now();
        link.send(&first.encode().unwrap()).await.unwrap();
        let mut answer = Vec::new();
        while let Some(frame) = receive(&mut link).await {
            answer.push(frame);
        }
        // Whatever was looked up, it is answered when it would have been for anything else.
        assert!(asked.elapsed() >= Duration::from_millis(50));
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
    // Under another edition no item has a place.
    let first = hello(
        &pair.partnership,
        Digest::of(b"another edition"),
        incarnation,
    );
    peer.send_first(&mesh, target, &first).await;
    let parts = peer.parts("");
    let item = peer.sign(parts);
    let seq = peer.last() + 1;
    peer.send(&peer.next_frame(&item)).await;
    assert_eq!(peer.answer().await, reject(seq, RefusalCode::Unexpected));
    assert_eq!(held(recipient), 1);
    // Of all the frames that came and went, none was the stranger's.
    let heard = recorded_frames(&pair.recipient_place);
    let with = |peer: PeerKey| {
        let peer = peer.to_string();
        heard.iter().filter(|frame| frame.peer == peer).count()
    };
    assert!(with(mesh.local_peer()) > 0);
    assert_eq!(with(stranger.local_peer()), 0);
    audit(recipient, &[&pair.supplier, recipient, &two]);
    pair.recipient.stop().await;
}
