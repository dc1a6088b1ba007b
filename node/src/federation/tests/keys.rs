//! Keys that ended, as a card says that a node took in: nobody is known by one, and an operator reads which they are.

use super::*;
use crate::agree::PinIssuer;
use crate::config::Home;
use crate::node::{peer_key, peer_key_on_card};
use crate::partnership::{KeyStanding, read_card, write_card};
use crate::store::Write;
use ambit_ledger::{Card, Certificate, KeyCertified, KeyPurpose, Member, SignedCard};
use serde_bytes::ByteBuf;

/// The root of the node at `place` certifies its key for a purpose once more, with an end.
fn certified_until(place: &Path, node: &Node, purpose: KeyPurpose, end: Time) -> ByteBuf {
    let home = Home::open(place).unwrap();
    let root = home.key(KeyPurpose::Root).unwrap();
    let key = home.key(purpose).unwrap();
    let certificate = Certificate {
        subject: node.settings().organization.id.clone(),
        root: root.public(),
        purpose,
        key: key.public(),
        not_before: crate::clock::now().minus_seconds(3_600).start_of_millis(),
        not_after: Some(end),
    };
    ByteBuf::from(certificate.sign(&root, &key))
}

/// A card of the node at `place` that ends its key for a purpose.
pub(super) fn card_that_ends(place: &Path, node: &Node, purpose: KeyPurpose, end: Time) -> String {
    let now = crate::clock::now();
    let member = read_card(&node.card(now).unwrap()).unwrap();
    let mut card = Card::clone(&member.card);
    // Dated while each key was good.
    card.number = now.minus_seconds(600).start_of_millis();
    for certificate in &mut card.certificates {
        if Certificate::read(certificate).unwrap().purpose == purpose {
            *certificate = certified_until(place, node, purpose, end);
        }
    }
    let card = SignedCard::sign(card, &node.keys().statement);
    write_card(&Member {
        claims: member.claims,
        ..Member::of(card)
    })
}

/// Pins an issuer with this card.
pub(super) fn pin(node: &Node, issuer: &Node, card: String) {
    let root = issuer.root_fingerprint();
    let pin = PinIssuer { card, root };
    node.pin_issuer(pin, crate::clock::now()).unwrap();
}

/// Whether all that is told of one other member, in either place, names this.
pub(super) fn is_told(node: &Node, text: &str) -> bool {
    let now = crate::clock::now();
    let status = node.status(now).unwrap().troubles;
    let peers = node.peers(now).unwrap();
    let of_peers = peers.iter().flat_map(|peer| &peer.troubles);
    status.iter().any(|told| told.contains(text))
        && of_peers.into_iter().any(|told| told.contains(text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_over_a_link_once_the_key_of_its_peer_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let now = crate::clock::now();
    agree(&one.node, &shop.node, &quality("one", "F-ONE", ""), now);
    let observe = |number| {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        let now = crate::clock::now();
        shop.node.observe(drafts, true, now).unwrap();
    };
    observe(1);
    until("the first is acknowledged", || {
        acknowledged(&shop.node) == [1]
    })
    .await;

    // Long enough to pin the card while the key is good, and ahead of when it is looked for ends.
    let end = crate::clock::now().plus_seconds(2).start_of_millis();
    let card = card_that_ends(&places[1], &one.node, KeyPurpose::Transport, end);
    pin(&shop.node, &one.node, card);
    let is_connected = || {
        let peer = shop.node.peers(crate::clock::now()).unwrap().remove(0);
        peer.connected.unwrap()
    };
    assert!(is_connected());
    until("the key ended", || end < crate::clock::now()).await;
    observe(2);
    until("the peer is let go of", || !is_connected()).await;
    let text = format!("(the transport key) ended at {end}, so that this node neither calls it");
    assert!(is_told(&shop.node, &text));
    assert_eq!(items_sent(&places[0], peer_of(&one.node)), [1]);
    assert_eq!(held(&one.node), 1);

    // A restart changes nothing of it, from the first moment on.
    shop.stop().await;
    let shop = Running::start(&places[0]).await;
    let frames = recorded_frames(&places[0]).len();
    let (stranger, mut events) = {
        let config = MeshConfig::new(one.node.keys().transport.seed(), Vec::new());
        Mesh::start(config).await.unwrap()
    };
    one.stop().await;
    let listen = shop.node.settings().mesh.listen.clone();
    stranger.set_peers([(peer_of(&shop.node), listen)].into());
    loop {
        let event = tokio::time::timeout(LIMIT, events.recv()).await.unwrap();
        match event.unwrap() {
            crate::mesh::MeshEvent::Connected { peer } => {
                assert!(stranger.open_link(peer).await.is_err());
            }
            crate::mesh::MeshEvent::Disconnected { .. } => break,
            crate::mesh::MeshEvent::Inbound { .. } => panic!("a link was opened"),
        }
    }
    assert!(is_told(&shop.node, &text));
    assert_eq!(recorded_frames(&places[0]).len(), frames);
    stranger.stop().await;
    shop.stop().await;
}

#[test]
fn a_member_is_known_by_a_key_that_is_good_under_all_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    let now = crate::clock::now();
    let text = quality("one", "F-ONE", "");
    let partnership = agree(&one, &shop, &text, now);
    let end = now.plus_seconds(60).start_of_millis();
    let known = |node: &Node, other: &Node, at| {
        let governance = node.governance();
        let partnership = governance.partnership(&partnership).unwrap();
        let member = &other.settings().organization.id;
        assert_eq!(peer_key_on_card(partnership, member), Some(peer_of(other)));
        peer_key(&governance, partnership, member, at)
    };
    let (before, after) = (end.minus_seconds(1), end);
    assert_eq!(known(&shop, &one, after), Some(peer_of(&one)));
    // At one node by what was pinned, at the other by the card of another agreement, which is only proposed.
    let card = card_that_ends(&places[1], &one, KeyPurpose::Transport, end);
    pin(&shop, &one, card);
    let card = card_that_ends(&places[0], &shop, KeyPurpose::Transport, end);
    let other = text.replace("one/shop", "one/shop-2");
    one.declare(&other, &[card], &[root(&shop)].into(), now)
        .unwrap();
    for (node, other) in [(&shop, &one), (&one, &shop)] {
        assert_eq!(known(node, other, before), Some(peer_of(other)));
        assert_eq!(known(node, other, after), None);
        let told = |at| node.all_troubles(at);
        assert!(told(before).is_empty(), "{:?}", told(before));
        let text = format!("ended at {end}, so that this node neither calls it nor lets it in");
        assert!(told(after)[0].contains(&text), "{:?}", told(after));
        assert!(told(after)[0].contains("take its new card in"));
    }
    // Certified minutes ahead of the clock here is good, and later is not.
    let begun = now.minus_seconds(3_600);
    assert_eq!(
        known(&shop, &one, begun.minus_seconds(240)),
        Some(peer_of(&one))
    );
    assert_eq!(known(&shop, &one, begun.minus_seconds(400)), None);
}

#[test]
fn a_node_whose_own_key_ended_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let place = init(folder.path(), "shop");
    let shop = Node::open(&place).unwrap();
    let now = crate::clock::now();
    let end = now.plus_seconds(60).start_of_millis();
    let certificate = certified_until(&place, &shop, KeyPurpose::Transport, end);
    let entry = Write::Entry(Body::KeyCertified(KeyCertified { certificate }));
    shop.store()
        .commit(shop.commit_of(now, vec![entry]))
        .unwrap();
    drop(shop);
    let shop = Node::open(&place).unwrap();
    assert!(shop.all_troubles(end.minus_seconds(1)).is_empty());
    let told = shop.all_troubles(end);
    let text = format!("known to others (the transport key) ended at {end}");
    assert!(told[0].contains(&text), "{told:?}");
    let governance = shop.governance();
    let standing = governance.own_key_standing(KeyPurpose::Statement, end);
    assert_eq!(standing, Some(KeyStanding::Good { until: None }));
}
