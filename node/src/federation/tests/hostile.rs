//! Members that break the rules on purpose: each limit trips, costs the peer its links for a time, and leaves a
//! bounded trace; an honest peer beside them notices nothing.

use super::peer::{Peer, edition_of, hello, mesh_of, open_link, receive};
use super::refusals::{Pair, pair, refused_entries};
use super::versions::Opened;
use super::*;
use crate::link::ControlKind;
use crate::mesh::{Link, MeshHandle};
use ambit_ledger::{Chain, Digest, Outcome, RefusalCode};

/// More than any limit lets through.
const TOO_MANY: u32 = 100_000;

/// A link with its hello answered.
async fn say_hello(mesh: &MeshHandle, pair: &Pair) -> Link {
    let recipient = &pair.recipient.node;
    let edition = edition_of(&pair.supplier, &pair.partnership);
    let mut link = open_link(mesh, peer_of(recipient)).await;
    let first = hello(
        &pair.partnership,
        edition,
        pair.supplier.store().incarnation(),
    );
    link.send(&first.encode().unwrap()).await.unwrap();
    receive(&mut link).await.unwrap();
    link
}

/// Two members, and the mesh of one of them with a link that it opened.
async fn begin(folder: &std::path::Path) -> (Pair, MeshHandle, Peer) {
    let pair = pair(folder, "").await;
    let recipient = &pair.recipient.node;
    let mesh = mesh_of(&pair.supplier, recipient).await;
    let peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    (pair, mesh, peer)
}

/// Sends frames until the link is cut off, and reads what is answered. Returns how many were sent.
async fn flood(link: Link, frame: impl Fn(u32) -> Vec<u8>) -> u32 {
    let (mut sender, mut receiver) = link.split();
    let reading = tokio::spawn(async move { while let Ok(Some(_)) = receiver.recv().await {} });
    let mut sent = 0;
    while sent < TOO_MANY && sender.send(&frame(sent)).await.is_ok() {
        sent += 1;
    }
    let _ = reading.await;
    sent
}

/// The frames that the recipient read of a peer, by its own record.
fn frames_of(pair: &Pair, peer: &Node) -> usize {
    let peer = peer_of(peer).to_string();
    let frames = recorded_frames(&pair.recipient_place);
    let received = frames.iter().filter(|frame| !frame.is_sent);
    received.filter(|frame| frame.peer == peer).count()
}

/// Two members beside each other: one floods, the other goes on, and the first is let in again.
async fn flood_beside_an_honest_peer(
    more: &str,
    read_at_most: usize,
    frame: impl Fn(u32) -> Vec<u8>,
) -> (Pair, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), more).await;
    let recipient = &pair.recipient.node;
    let honest = Arc::new(Node::open(&init(folder.path(), "two")).unwrap());
    let text = quality("one", "F-ONE", "").replace("one/shop", "one/two");
    let beside = agree(recipient, &honest, &text, crate::clock::now());
    let honest_mesh = mesh_of(&honest, recipient).await;
    let edition = edition_of(&honest, &beside);
    let mut beside_link = open_link(&honest_mesh, peer_of(recipient)).await;
    let first = hello(&beside, edition, honest.store().incarnation());
    beside_link.send(&first.encode().unwrap()).await.unwrap();
    receive(&mut beside_link).await.unwrap();

    let mesh = mesh_of(&pair.supplier, recipient).await;
    let link = say_hello(&mesh, &pair).await;
    let before = frames_of(&pair, &pair.supplier);
    let sent = flood(link, frame).await;
    assert!(sent < TOO_MANY, "the link was never cut off");
    let read = frames_of(&pair, &pair.supplier) - before;
    assert!(read <= read_at_most, "{read} frames were read");

    // The link of the honest peer still answers.
    let wrong = Frame::Credit { items: 1 };
    beside_link.send(&wrong.encode().unwrap()).await.unwrap();
    let answer = loop {
        let bytes = receive(&mut beside_link).await.expect("the link is open");
        let frame = Frame::decode(&bytes).unwrap();
        if !matches!(frame, Frame::Control { .. }) {
            break frame;
        }
    };
    let (seq, code) = (0, RefusalCode::Unexpected);
    assert_eq!(answer, Frame::Reject { seq, code });
    // And the other is let in again when its time is over, to do what an honest peer does.
    let mut peer = Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    peer.prove_alive("after the time is over").await;
    drop((beside_link, honest_mesh));
    audit(recipient, &[&pair.supplier, recipient, &honest]);
    (pair, folder)
}

/// Waits until all refusals of one code are in the ledger. Returns in how many entries.
async fn await_refusals(pair: &Pair, code: RefusalCode, count: u64) -> usize {
    let of_code = || {
        let entries = refused_entries(&pair.recipient.node);
        entries.into_iter().filter(move |entry| entry.code == code)
    };
    let counted = || of_code().map(|entry| entry.count).sum::<u64>();
    until("the refusals are recorded", || counted() >= count).await;
    for entry in of_code() {
        assert_eq!(entry.sender, organization("shop"));
        assert!(entry.digests.len() <= 16);
    }
    of_code().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_out_of_turn_is_cut_off_and_recorded_as_one() {
    let junk = |number: u32| {
        let seq = 1_000 + u64::from(number);
        let chain = Digest::of(b"junk");
        Frame::Tombstone { seq, chain }.encode().unwrap()
    };
    // What was on its way is read, and no more: a patience of 512, the frames ahead, one being read.
    let (pair, _folder) = flood_beside_an_honest_peer("", 512 + 64 + 2, junk).await;
    // Its connections cost it some of that.
    let entries = await_refusals(&pair, RefusalCode::Skipped, 480).await;
    assert!(entries <= 2, "{entries} entries");
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_cut_off_sooner() {
    let junk = |number: u32| format!("no frame {number}").into_bytes();
    let (pair, _folder) = flood_beside_an_honest_peer("", 32 + 64 + 2, junk).await;
    let entries = await_refusals(&pair, RefusalCode::NotCanonical, 30).await;
    assert!(entries <= 2, "{entries} entries");
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_control_message_again_and_again_is_cut_off() {
    let same = |_| {
        let statement = b"no statement".to_vec();
        let kind = ControlKind::Signature;
        Frame::Control { kind, statement }.encode().unwrap()
    };
    let (pair, _folder) = flood_beside_an_honest_peer("", 512 + 64 + 2, same).await;
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_messages_in_vain_are_cut_off() {
    let different = |number: u32| {
        let statement = number.to_be_bytes().to_vec();
        let kind = ControlKind::Declined;
        Frame::Control { kind, statement }.encode().unwrap()
    };
    let (pair, _folder) = flood_beside_an_honest_peer("", 128 + 64 + 2, different).await;
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejections_are_cut_off_too() {
    let reject = |number: u32| {
        let (seq, code) = (u64::from(number), RefusalCode::NotCanonical);
        Frame::Reject { seq, code }.encode().unwrap()
    };
    let (pair, _folder) = flood_beside_an_honest_peer("", 512 + 64 + 2, reject).await;
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_items_are_cut_off_after_few_verifications() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, mesh, mut peer) = begin(folder.path()).await;
    let recipient = &pair.recipient.node;
    let parts = peer.parts("");
    let mut item = peer.sign(parts);
    *item.observation.last_mut().unwrap() ^= 1;
    // One credit of them, all in their turn.
    let mut chain: Chain = peer.end();
    for seq in 1..=u64::from(crate::link::CREDIT_ITEMS) {
        chain = chain.with_body(seq, &item.body());
        let frame = peer.frame(seq, chain, &item);
        if peer.link.send(&frame).await.is_err() {
            break;
        }
    }
    while let Ok(Some(_)) = tokio::time::timeout(LIMIT, peer.link.recv()).await.unwrap() {}
    // A new link starts behind those that were refused; the peer is let in when its time is over.
    let mut link = say_hello(&mesh, &pair).await;
    link.send(b"no frame").await.unwrap();
    await_refusals(&pair, RefusalCode::BadSignature, 30).await;
    assert_eq!(held(recipient), 0);
    drop(link);
    audit_without_decisions(recipient, &[&pair.supplier, recipient]);
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_end_before_their_items_had_their_turn_are_cut_off() {
    /// Opened more slowly than a peer may.
    const LINKS: u32 = 400;
    let folder = tempfile::tempdir().unwrap();
    let (pair, mesh, mut peer) = begin(folder.path()).await;
    let recipient = &pair.recipient.node;
    let parts = peer.parts("");
    let item = peer.sign(parts);
    // Not the chain that comes next: nothing of it is taken, and each link begins at the same place.
    let mut chain: Chain = peer.end().with_body(9, &item.body());
    let mut frames = Vec::new();
    for seq in 1..=40 {
        chain = chain.with_body(seq, &item.body());
        frames.push(peer.frame(seq, chain, &item));
    }
    drop(peer);
    let edition = edition_of(&pair.supplier, &pair.partnership);
    let incarnation = pair.supplier.store().incarnation();
    let first = hello(&pair.partnership, edition, incarnation)
        .encode()
        .unwrap();
    let mut links = 0;
    'links: while links < LINKS {
        links += 1;
        let Ok(mut link) = mesh.open_link(peer_of(recipient)).await else {
            break;
        };
        if link.send(&first).await.is_err() || receive(&mut link).await.is_none() {
            break;
        }
        for frame in &frames {
            if link.send(frame).await.is_err() {
                break 'links;
            }
        }
        tokio::time::sleep(Duration::from_millis(12)).await;
    }
    assert!(links < LINKS, "never cut off");
    assert_eq!(held(recipient), 0);
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_on_many_links_are_recorded_together() {
    const LINKS: u64 = 24;
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "").await;
    let mesh = mesh_of(&pair.supplier, &pair.recipient.node).await;
    for _ in 0..LINKS {
        let mut link = say_hello(&mesh, &pair).await;
        link.send(b"no frame").await.unwrap();
        let code = RefusalCode::NotCanonical;
        loop {
            let bytes = receive(&mut link).await.unwrap();
            match Frame::decode(&bytes).unwrap() {
                Frame::Control { .. } => {}
                frame => break assert_eq!(frame, Frame::Reject { seq: 0, code }),
            }
        }
    }
    let entries = await_refusals(&pair, RefusalCode::NotCanonical, LINKS).await;
    assert!(entries <= 3, "{entries} entries for {LINKS} links");
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_that_answers_what_was_not_asked_is_cut_off() {
    let mut opened = Opened::new().await;
    // Twice: it is let in again, and cut off again.
    for _ in 0..2 {
        let link = opened.answer(|hello| Frame::Hello { hello }).await;
        let credit = |_| Frame::Credit { items: 0 }.encode().unwrap();
        assert!(flood(link, credit).await < TOO_MANY, "never cut off");
    }
    opened.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_honest_peer_can_get_refused_never_cuts_it_off() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, _mesh, mut peer) = begin(folder.path()).await;
    let parts = peer.parts("");
    let item = peer.sign(parts);
    peer.bring("an item", &item, Outcome::Admitted).await;
    // More than the patience of 512, and nothing of it is spent.
    for _ in 0..600 {
        let again = Outcome::Refused(RefusalCode::Duplicate);
        peer.bring("a duplicate", &item, again).await;
        peer.confirm_all().await;
    }
    peer.prove_alive("after all").await;
    pair.recipient.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_has_no_recorded_decision_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, _mesh, mut peer) = begin(folder.path()).await;
    let remembered = || pair.recipient.node.decisions().remembered();
    let parts = peer.parts("");
    let item = peer.sign(parts);
    peer.bring("an item", &item, Outcome::Admitted).await;
    assert_eq!(remembered(), [1, 0]);
    for count in 1..=3 {
        let mut parts = peer.parts("");
        let program = parts.facts.program.as_mut().unwrap();
        program.value = format!("F-OTHER-{count}").parse().unwrap();
        let item = peer.sign(parts);
        let refused = Outcome::Refused(RefusalCode::NotAdmissible);
        peer.bring("of another program", &item, refused).await;
        peer.confirm_all().await;
        assert_eq!(remembered(), [1, count]);
    }
    pair.recipient.stop().await;
}
