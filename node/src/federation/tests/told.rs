//! A link over which nothing goes is told at both ends, whatever it is that keeps it, and told no longer once that is over.

use super::keys::{card_that_ends, is_told, pin};
use super::*;
use ambit_ledger::KeyPurpose;

/// Copies a home that is not in use: a backup, or what is restored from one.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    for (path, content) in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, content).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&target, mode).unwrap();
        let folder = std::fs::metadata(path.parent().unwrap()).unwrap();
        std::fs::set_permissions(target.parent().unwrap(), folder.permissions()).unwrap();
    }
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
async fn an_agreement_that_the_other_end_does_not_have_is_told_at_both() {
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
    copy(&backup, &places[1]);

    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    observe(&shop.node, 1);
    until("both say that one does not have the agreement", || {
        is_told(&shop.node, "does not have this agreement")
            && is_told(&one.node, "asks for the agreement `one/shop-2`")
    })
    .await;
    assert!(is_told(&shop.node, "hand the file over again"));
    assert_eq!(shop.node.all_troubles(now).len(), 1);
    assert_eq!(one.node.all_troubles(now).len(), 1);

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

    copy(&backup, &places[0]);
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

    copy(&present, &places[0]);
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
