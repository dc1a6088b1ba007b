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
            .all(|customer| stages(&customer.node) == ["active"])
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
    let status = shop.node.status().unwrap();
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
    for running in [shop, one, two] {
        running.stop().await;
    }
}
