//! The whole path: declared, signed, observed, judged, sent, admitted, acknowledged, audited.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_admissible_part_reaches_each() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one", "two"].map(|name| init(folder.path(), name));
    let [shop_place, one_place, two_place] = &places;
    let shop = Running::start(shop_place).await;
    let one = Running::start(one_place).await;
    let two = Running::start(two_place).await;
    let now = crate::clock::now();
    sign(&one.node, &shop.node, &quality("one", "F-ONE", ""), now);
    let text = declaration("two", "R-TWO", "toolpath", MANUFACTURING);
    sign(&two.node, &shop.node, &text, now);
    shop.node.catch_up(now).unwrap();
    until("the acceptances return over the mesh", || {
        [&one, &two]
            .iter()
            .all(|customer| states(&customer.node) == ["active"])
    })
    .await;
    let mut drafts = Vec::new();
    for number in 0..10 {
        drafts.extend(draft("one", "F-ONE", "inspection-result", number));
        drafts.extend(draft("two", "R-TWO", "toolpath", number));
    }
    let report = shop.node.observe(drafts.clone(), true, now).unwrap();
    assert_eq!(report.observed.len(), 20);
    let again = shop.node.observe(drafts, true, now).unwrap();
    assert_eq!((again.observed.len(), again.known), (0, 20));
    until("each holds its part", || {
        held(&one.node) == 10 && held(&two.node) == 10
    })
    .await;
    until("all is acknowledged", || {
        acknowledged(&shop.node) == [10, 10]
    })
    .await;
    let status = shop.node.status(crate::clock::now()).unwrap();
    for pair in &status.pairs {
        assert_eq!((pair.released, pair.withheld, pair.undecided), (10, 10, 0));
    }
    audit(&shop.node, &[&shop.node, &one.node, &two.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    audit(&two.node, &[&shop.node, &two.node]);
    // A restart at a quiet moment loses nothing and doubles nothing.
    one.stop().await;
    let report = shop
        .node
        .observe(draft("one", "F-ONE", "inspection-result", 99), true, now)
        .unwrap();
    assert_eq!(report.observed.len(), 1);
    let one = Running::start(one_place).await;
    until("the restarted node resumes", || held(&one.node) == 11).await;
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [&shop, &one] {
        expires(&running.node);
    }
    for running in [shop, one, two] {
        running.stop().await;
    }
}

/// Whether what is to be held no longer than until an instant is found by that.
#[track_caller]
fn expires(node: &Node) {
    let listed = |expires_by| {
        let filter = Filter {
            expires_by,
            ..Filter::default()
        };
        node.list(&filter).unwrap()
    };
    let untils = listed(None).into_iter().flat_map(|item| {
        let grounds = node.grounds(&item.id.to_string(), crate::clock::now());
        grounds.unwrap().held
    });
    let untils: Vec<Time> = untils.map(|held| held.hold_until).collect();
    for by in untils.iter().copied() {
        let count = untils.iter().filter(|until| **until <= by).count();
        assert_eq!(listed(Some(by)).len(), count);
    }
    assert!(listed(Some(Time::EARLIEST)).is_empty());
    assert_eq!(listed(Some(Time::LATEST)).len(), untils.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_outlasts_a_busy_ledger() {
    const OBSERVATIONS: u32 = 400;
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let now = crate::clock::now();
    {
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    }
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let observers = [0, 1].map(|observer| {
        let node = Arc::clone(&shop.node);
        tokio::task::spawn_blocking(move || {
            for number in 0..OBSERVATIONS / 2 {
                let drafts = draft("one", "F-ONE", "inspection-result", number * 2 + observer);
                node.observe(drafts, true, now).unwrap();
            }
        })
    });
    for observer in observers {
        observer.await.unwrap();
    }
    until("all is acknowledged", || {
        acknowledged(&shop.node) == [u64::from(OBSERVATIONS)]
    })
    .await;
    assert_eq!(held(&one.node), 400);
    let hellos = recorded_frames(&places[0])
        .iter()
        .filter(|recorded| matches!(recorded.frame(), Frame::Hello { .. }))
        .count();
    // A question and an answer of either side: no link was ever opened again.
    assert_eq!(hellos, 4);
    audit(&shop.node, &[&shop.node, &one.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one] {
        running.stop().await;
    }
}
