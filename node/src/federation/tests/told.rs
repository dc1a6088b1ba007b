//! A link over which nothing goes is told, at both ends where both can know, and told no longer once that is over.

use super::keys::{card_that_ends, is_told, pin};
use super::*;
use crate::store::faults::copy;
use ambit_ledger::KeyPurpose;

/// Puts a copy of a home in its place, with nothing left of what was there.
fn restore(from: &Path, place: &Path) {
    std::fs::remove_dir_all(place).unwrap();
    copy(from, place);
}

fn observe(shop: &Node, number: u32) {
    let drafts = draft("one", "F-ONE", "inspection-result", number);
    shop.observe(drafts, true, crate::clock::now()).unwrap();
}

fn has_troubles(node: &Node) -> bool {
    let now = crate::clock::now();
    let peers = node.peers(now).unwrap();
    let of_peers = peers.iter().any(|peer| !peer.troubles.is_empty());
    of_peers || !node.status(now).unwrap().troubles.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_that_the_other_end_does_not_have_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    let now = crate::clock::now();
    agree(
        &one,
        &shop,
        &declaration("one", "R-ONE", "toolpath", MANUFACTURING),
        now,
    );
    drop(one);
    let backup = folder.path().join("backup");
    copy(&places[1], &backup);
    let one = Node::open(&places[1]).unwrap();
    let text = quality("one", "F-ONE", "").replace("one/shop", "one/shop-2");
    let second = agree(&one, &shop, &text, now);
    drop((shop, one));
    restore(&backup, &places[1]);

    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    observe(&shop.node, 1);
    until(
        "it is told that the other does not have the agreement",
        || is_told(&shop.node, "does not have this agreement"),
    )
    .await;
    assert!(is_told(&shop.node, "hand the file over again"));
    assert_eq!(shop.node.all_troubles(now).len(), 1);
    // To the other it looks as an invitation that it did not accept yet.
    assert!(!has_troubles(&one.node));

    let now = crate::clock::now();
    let file = shop.node.invite(&second, now).unwrap().file;
    let taken = one.node.accept(&file, &[root(&shop.node)].into(), now);
    assert!(taken.unwrap().is_active);
    until("what waited arrives, and nothing is told any more", || {
        held(&one.node) == 1 && !has_troubles(&shop.node) && !has_troubles(&one.node)
    })
    .await;
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_or_only_proposed_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let now = crate::clock::now();
    agree(&one.node, &shop.node, &quality("one", "F-ONE", ""), now);
    observe(&shop.node, 1);
    until("it came", || held(&one.node) == 1).await;
    // An invitation that waits, at the one who is invited and at the one who invites.
    let text = quality("one", "F-ONE", "").replace("one/shop", "one/shop-2");
    let card = shop.node.card(now).unwrap();
    let invited = one
        .node
        .declare(&text, &[card], &[root(&shop.node)].into(), now);
    let invited = invited.unwrap();
    observe(&shop.node, 2);
    until("the other came", || held(&one.node) == 2).await;
    assert!(!has_troubles(&shop.node) && !has_troubles(&one.node));
    // One that was declined without a comparison of roots, so that only the file tells.
    let reason = "no capacity".parse().unwrap();
    shop.node
        .decline(&invited.file, &[].into(), reason, now)
        .unwrap();
    observe(&shop.node, 3);
    until("the third came", || held(&one.node) == 3).await;
    assert!(!has_troubles(&shop.node) && !has_troubles(&one.node));
    // What a link of an agreement that is over says is no trouble any more.
    let partnership: PartnershipId = "one/shop".parse().unwrap();
    let member = organization("one");
    let way = crate::node::Way::Outbound;
    let trouble = Some(crate::node::LinkTrouble::NotKnown);
    shop.node.note_link(&partnership, &member, way, trouble);
    let now = crate::clock::now();
    assert_eq!(shop.node.all_troubles(now).len(), 1);
    let end: Time = "2100-01-01T00:00:00Z".parse().unwrap();
    assert!(shop.node.all_troubles(end).is_empty());
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_went_back_is_told_at_both() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(
        &one,
        &shop,
        &quality("one", "F-ONE", ""),
        crate::clock::now(),
    );
    drop((shop, one));
    let [backup, present] = ["backup", "present"].map(|name| folder.path().join(name));
    copy(&places[0], &backup);
    let one = Running::start(&places[1]).await;
    let shop = Running::start(&places[0]).await;
    observe(&shop.node, 1);
    until("it is acknowledged", || acknowledged(&shop.node) == [1]).await;
    shop.stop().await;
    copy(&places[0], &present);

    restore(&backup, &places[0]);
    let shop = Running::start(&places[0]).await;
    until("both say that their stores disagree", || {
        is_told(&shop.node, "disagree about what was sent")
            && is_told(
                &one.node,
                "it refuses what this node took up to 1, as `skipped`",
            )
    })
    .await;
    shop.stop().await;

    restore(&present, &places[0]);
    let shop = Running::start(&places[0]).await;
    until("neither does, once the present store is back", || {
        !has_troubles(&shop.node) && !has_troubles(&one.node)
    })
    .await;
    observe(&shop.node, 2);
    until("the next is acknowledged", || {
        acknowledged(&shop.node) == [2]
    })
    .await;
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_whose_statement_key_ended_is_told_at_both() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    agree(
        &one.node,
        &shop.node,
        &quality("one", "F-ONE", ""),
        crate::clock::now(),
    );
    let end = crate::clock::now().minus_seconds(400).start_of_millis();
    let card = card_that_ends(&places[1], &one.node, KeyPurpose::Statement, end);
    pin(&shop.node, &one.node, card);
    let cause = format!("signs its statements with ended at {end}, so that neither");
    // It is known before anything is sent.
    assert!(is_told(&shop.node, &cause));
    observe(&shop.node, 1);
    until("the recipient is told", || {
        is_told(&one.node, "does not rely on the key that this node signs")
    })
    .await;
    assert_eq!(acknowledged(&shop.node), [0]);
    assert_eq!(shop.node.all_troubles(crate::clock::now()).len(), 1);
    shop.stop().await;
    let shop = Running::start(&places[0]).await;
    assert!(is_told(&shop.node, &cause));
    for running in [shop, one] {
        running.stop().await;
    }
}
