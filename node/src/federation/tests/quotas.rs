//! What a member may bring in a day.

use super::*;

fn set_quota(place: &Path, quota: &str) {
    let path = place.join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let before = text.split("\n[quotas]").next().unwrap();
    std::fs::write(&path, format!("{before}\n[quotas]\n{quota}\n")).unwrap();
}

/// What is told of who brought as much as it may.
fn told(node: &Node) -> Vec<String> {
    let troubles = node.all_troubles(crate::clock::now()).into_iter();
    let of_quota = troubles.filter(|told| told.contains("it brought as much as one member may"));
    of_quota.collect()
}

/// No more comes than was granted before, after a restart neither; and all of it once more may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_brought_as_much_as_it_may_waits() {
    const COUNT: u32 = 200;
    let folder = tempfile::tempdir().unwrap();
    let place = init(folder.path(), "one");
    for quota in ["observations_a_day = 3", "bytes_a_day = 1000"] {
        set_quota(&place, quota);
        let taken = Node::open(&place).unwrap();
        assert_ne!(taken.settings().quotas, Default::default());
    }
    set_quota(&place, "classes_a_day = 1");
    let one = Running::start(&place).await;
    let shop = Running::start(&init(folder.path(), "shop")).await;
    let text = quality("one", "F-ONE", "");
    agree(&one.node, &shop.node, &text, crate::clock::now());
    let drafts: Vec<Draft> = (0..COUNT)
        .flat_map(|number| draft("one", "F-ONE", "inspection-result", number))
        .collect();
    let now = crate::clock::now();
    shop.node.observe(drafts, true, now).unwrap();
    let granted = crate::link::CREDIT_ITEMS;
    until("what was granted has come", || {
        acknowledged(&shop.node) == [u64::from(granted)]
    })
    .await;
    let words = told(&one.node);
    assert!(words[0].contains("1 kinds of observations"), "{words:?}");
    assert!(words[0].contains("[quotas] in node.toml"), "{words:?}");

    one.stop().await;
    let one = Running::start(&place).await;
    until("the link stands again", || {
        let peers = shop.node.peers(crate::clock::now()).unwrap();
        peers.iter().any(|peer| peer.connected == Some(true))
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(held(&one.node), granted as usize);
    assert_eq!(told(&one.node), words);

    one.stop().await;
    set_quota(&place, "classes_a_day = 2");
    let one = Running::start(&place).await;
    until("all has come", || held(&one.node) == COUNT as usize).await;
    assert!(told(&one.node).is_empty());
    shop.stop().await;
    one.stop().await;
}
