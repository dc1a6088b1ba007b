//! What is not taken at first: refused and set aside on both sides' books, and taken once the recipient's grounds change.

use super::*;
use ambit_ledger::{Layer, Outcome, RefusalCode};
use ambit_policy::default_profile;

/// An owner's layer of the recipient's that takes in nothing of this kind.
const STRICT: &str = r#"
@id("owner-all")
permit (principal, action, resource);

@id("owner-not-this")
forbid (principal, action, resource)
when { resource.semanticId == "urn:sem" };
"#;

/// One that fails for it, so that nobody can say.
const DOUBTFUL: &str = r#"
@id("owner-all")
permit (principal, action, resource);

@id("owner-broken")
forbid (principal, action in Ambit::Action::"transfer", resource is Ambit::Observation)
when {
  resource.semanticId == "urn:sem" &&
  resource.scope.onwardHops - 9223372036854775807 - 2 < 0
};
"#;

/// A supplier and a customer that run, with an agreement in force, and this layer of the customer's.
async fn running(folder: &Path, layer: &str) -> ([PathBuf; 2], [Running; 2]) {
    let places = ["shop", "one"].map(|name| init(folder, name));
    let now = crate::clock::now();
    {
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        agree(&one, &shop, &quality("one", "F-ONE", ""), now);
        one.activate_profile(Layer::Owner, layer, now).unwrap();
    }
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    (places, [shop, one])
}

/// How many items the supplier's recipient did not take, by code.
fn untaken(shop: &Node) -> BTreeMap<u16, u64> {
    let governance = shop.governance();
    let (partnership, recipient) = governance.signed().next().unwrap();
    let outbox = crate::store::BoxKey::new(&partnership.terms().partnership, recipient);
    shop.store().outbox(&outbox).unwrap().untaken
}

type Counts = BTreeMap<String, u64>;

fn counted(code: &str, count: u64) -> Counts {
    BTreeMap::from([(code.to_owned(), count)])
}

/// What the other did not take, what was refused here and what was set aside here, as `status` and `peers` say.
fn told(node: &Node) -> (Counts, Counts, Counts) {
    let now = crate::clock::now();
    let pair = node.status(now).unwrap().pairs.remove(0);
    let peer = node.peers(now).unwrap().remove(0);
    let told = (pair.not_taken, pair.refused, pair.set_aside);
    assert_eq!(told, (peer.not_taken, peer.refused, peer.set_aside));
    told
}

/// Observes so many, and waits until what became of them is known at the supplier.
async fn observe(shop: &Node, from: u32, count: u32, acknowledged_upto: u64) {
    for number in from..from + count {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        shop.observe(drafts, true, crate::clock::now()).unwrap();
    }
    until("all is acknowledged", || {
        acknowledged(shop) == [acknowledged_upto]
    })
    .await;
}

/// Not taken with this code under this layer, counted at both, and taken when the shipped layer is in force again.
async fn comes_again(layer: &str, code: RefusalCode) {
    const COUNT: u32 = 70;
    let folder = tempfile::tempdir().unwrap();
    let (_, [shop, one]) = running(folder.path(), layer).await;
    observe(&shop.node, 0, COUNT, COUNT.into()).await;
    assert_eq!(held(&one.node), 0);
    // Both sides say so, of themselves and of each other.
    let not_taken = counted(&code.to_string(), 70);
    let (nothing, is_set_aside) = (BTreeMap::new(), code.is_set_aside());
    assert_eq!(
        told(&shop.node),
        (not_taken.clone(), nothing.clone(), nothing.clone())
    );
    let expected = if is_set_aside {
        (nothing.clone(), nothing.clone(), not_taken)
    } else {
        (nothing.clone(), not_taken, nothing.clone())
    };
    assert_eq!(told(&one.node), expected);
    assert_eq!(untaken(&shop.node), BTreeMap::from([(code.number(), 70)]));
    until("it is in the customer's ledger", || {
        let counts = bodies(&one.node).into_iter().map(|body| match body {
            Body::Refused(refused) if refused.code == code => refused.count,
            Body::SetAside(set_aside) if set_aside.code == code => set_aside.count,
            _ => 0,
        });
        counts.sum::<u64>() == 70
    })
    .await;

    let shipped = default_profile(Layer::Owner).unwrap();
    let now = crate::clock::now();
    one.node
        .activate_profile(Layer::Owner, shipped, now)
        .unwrap();
    until("it came again", || held(&one.node) == 70).await;
    until("that is acknowledged", || acknowledged(&shop.node) == [140]).await;
    assert_eq!(untaken(&shop.node), BTreeMap::new());
    for node in [&shop.node, &one.node] {
        assert_eq!(
            told(node),
            (nothing.clone(), nothing.clone(), nothing.clone())
        );
    }
    let offered = bodies(&shop.node);
    let offered = offered
        .iter()
        .filter(|body| matches!(body, Body::OfferedAgain(_)));
    assert_eq!(offered.count(), 70);

    // A second change within the hour asks for nothing, and no answer was lost on the way.
    one.node.activate_profile(Layer::Owner, layer, now).unwrap();
    observe(&shop.node, 1_000, 1, 141).await;
    assert_eq!(untaken(&shop.node), BTreeMap::from([(code.number(), 1)]));
    one.node
        .activate_profile(Layer::Owner, shipped, now)
        .unwrap();
    observe(&shop.node, 2_000, 1, 142).await;
    assert_eq!(held(&one.node), 71);
    audit(&shop.node, &[&shop.node, &one.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_policy_refused_comes_again_once_the_policy_is_another() {
    comes_again(STRICT, RefusalCode::NotAdmissible).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_could_decide_comes_again_once_somebody_can() {
    comes_again(DOUBTFUL, RefusalCode::Undecided).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_the_recipient_was_down_is_asked_for_at_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let (places, [shop, one]) = running(folder.path(), STRICT).await;
    observe(&shop.node, 0, 3, 3).await;
    one.stop().await;
    let shipped = default_profile(Layer::Owner).unwrap();
    let now = crate::clock::now();
    {
        let one = Node::open(&places[1]).unwrap();
        one.activate_profile(Layer::Owner, shipped, now).unwrap();
    }
    let one = Running::start(&places[1]).await;
    until("it came again", || held(&one.node) == 3).await;
    until("that is acknowledged", || acknowledged(&shop.node) == [6]).await;
    audit(&shop.node, &[&shop.node, &one.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_no_longer_leave_is_not_offered_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, [shop, one]) = running(folder.path(), STRICT).await;
    observe(&shop.node, 0, 3, 3).await;
    let now = crate::clock::now();
    shop.node
        .activate_profile(Layer::Owner, STRICT, now)
        .unwrap();
    let shipped = default_profile(Layer::Owner).unwrap();
    one.node
        .activate_profile(Layer::Owner, shipped, now)
        .unwrap();
    until("it was asked for", || untaken(&shop.node).is_empty()).await;
    let offers = || {
        let is_offer = |body: &&Body| matches!(body, Body::OfferedAgain(_));
        bodies(&shop.node).iter().filter(is_offer).count()
    };
    assert_eq!((offers(), held(&one.node)), (0, 0));
    // It is kept back, and still not taken.
    let not_taken = counted("not-admissible", 3);
    until("it is kept back", || told(&shop.node).0 == not_taken).await;
    audit(&shop.node, &[&shop.node, &one.node]);
    let partnership = "one/shop".parse().unwrap();
    let dry = shop.node.offer(&partnership, None, true, now).unwrap();
    assert_eq!((dry[0].offered_again, dry[0].kept_back), (0, 3));
    assert_eq!(offers(), 0);

    // Once it may leave, nobody has to ask a second time.
    shop.node
        .activate_profile(Layer::Owner, shipped, now)
        .unwrap();
    until("it came", || held(&one.node) == 3).await;
    assert_eq!(offers(), 3);
    until("that is acknowledged", || acknowledged(&shop.node) == [6]).await;
    assert_eq!(told(&shop.node).0, BTreeMap::new());
    audit(&shop.node, &[&shop.node, &one.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_nobody_can_decide_holds_up_none_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let pair = refusals::pair(folder.path(), "").await;
    let recipient = &pair.recipient.node;
    let now = crate::clock::now();
    recipient
        .activate_profile(Layer::Owner, DOUBTFUL, now)
        .unwrap();
    let mesh = peer::mesh_of(&pair.supplier, recipient).await;
    let mut peer = peer::Peer::open(&mesh, &pair.supplier, recipient, &pair.partnership).await;
    let mut doubtful = peer.parts("");
    doubtful.facts.semantic_id = "urn:sem".parse().unwrap();
    let doubtful = peer.sign(doubtful);
    let mut other = peer.parts("");
    other.facts.semantic_id = "urn:other".parse().unwrap();
    let other = peer.sign(other);
    let set_aside = Outcome::SetAside(RefusalCode::Undecided);
    peer.bring("one nobody can decide", &doubtful, set_aside)
        .await;
    peer.bring("the next", &other, Outcome::Admitted).await;
    peer.bring("the first again", &doubtful, set_aside).await;
    audit(recipient, &[&pair.supplier, recipient]);
    drop(peer);
    pair.recipient.stop().await;
}
