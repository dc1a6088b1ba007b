//! What is not taken at first: refused and set aside on both sides' books, and taken once the recipient's grounds change.

use super::*;
use crate::federation::outbound::ready::{Judged, Ready};
use crate::holding::{self, Filter};
use crate::link::{AcknowledgementReach, Hello, Outgoing, untaken_since};
use crate::release;
use crate::store::{BoxKey, Outbox, Write};
use ambit_ledger::{
    Acknowledged, Acknowledgement, Chain, ItemBody, Kind, Layer, Outcome, RefusalCode, RefusedItem,
    Salt,
};
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

/// The supplier's only outbox.
fn outbox(shop: &Node) -> (BoxKey, Outbox) {
    let governance = shop.governance();
    let (partnership, recipient) = governance.signed().next().unwrap();
    let outbox = BoxKey::new(&partnership.terms().partnership, recipient);
    (outbox, shop.store().outbox(&outbox).unwrap())
}

/// How many items the supplier's recipient did not take, by code.
fn untaken(shop: &Node) -> BTreeMap<u16, u64> {
    outbox(shop).1.untaken
}

/// The numbers under which what was offered again went at first.
fn offered_again(shop: &Node) -> Vec<u64> {
    let offers = bodies(shop).into_iter().filter_map(|body| match body {
        Body::OfferedAgain(offer) => Some(offer.first_seq),
        _ => None,
    });
    offers.collect()
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
    let known = |expected: u64| {
        let pair = shop.node.status(crate::clock::now()).unwrap();
        let pair = &pair.pairs[0];
        assert_eq!((pair.released, pair.acknowledged), (expected, expected));
        let now = crate::clock::now();
        let offered = shop.node.offer(&pair.partnership, None, true, now);
        assert_eq!(offered.unwrap()[0].not_taken, pair.not_taken);
    };
    known(70);
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
    // Offered twice and acknowledged twice, it is no more than was released.
    known(70);
    for node in [&shop.node, &one.node] {
        assert_eq!(
            told(node),
            (nothing.clone(), nothing.clone(), nothing.clone())
        );
    }
    assert_eq!(offered_again(&shop.node).len(), 70);

    // A second change right after it asks again, and no answer was lost on the way.
    one.node.activate_profile(Layer::Owner, layer, now).unwrap();
    observe(&shop.node, 1_000, 1, 141).await;
    assert_eq!(untaken(&shop.node), BTreeMap::from([(code.number(), 1)]));
    one.node
        .activate_profile(Layer::Owner, shipped, now)
        .unwrap();
    until("it came again at once", || held(&one.node) == 71).await;
    until("that is acknowledged", || acknowledged(&shop.node) == [142]).await;
    observe(&shop.node, 2_000, 1, 143).await;
    assert_eq!(held(&one.node), 72);
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
async fn what_was_asked_for_over_a_link_that_broke_comes_over_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (places, [shop, one]) = running(folder.path(), STRICT).await;
    observe(&shop.node, 0, 3, 3).await;
    shop.stop().await;
    let inbox = BoxKey::new(&"one/shop".parse().unwrap(), &organization("shop"));
    let asked = || one.node.store().inbox(&inbox).unwrap().asked;
    assert_eq!(asked(), BTreeMap::new());
    let code = RefusalCode::NotAdmissible;
    // A supplier that is gone before it does anything about what it is asked for.
    {
        let supplier = Node::open(&places[0]).unwrap();
        let mesh = peer::mesh_of(&supplier, &one.node).await;
        let mut link = peer::open_link(&mesh, peer_of(&one.node)).await;
        link.send(&hello_of(&supplier).encode().unwrap())
            .await
            .unwrap();
        let shipped = default_profile(Layer::Owner).unwrap();
        let now = crate::clock::now();
        one.node
            .activate_profile(Layer::Owner, shipped, now)
            .unwrap();
        loop {
            let bytes = peer::receive(&mut link).await.expect("the link is open");
            if let Frame::Again { code: of, upto } = Frame::decode(&bytes).unwrap() {
                break assert_eq!((of, upto), (code, 3));
            }
        }
        assert_eq!(offered_again(&supplier), [0; 0]);
        drop(link);
        mesh.stop().await;
    }
    let before = asked();
    assert_eq!(before[&code.number()].upto, 3);

    let shop = Running::start(&places[0]).await;
    until("it came again", || held(&one.node) == 3).await;
    until("that is acknowledged", || acknowledged(&shop.node) == [6]).await;
    assert_eq!(offered_again(&shop.node), [1, 2, 3]);
    assert_eq!(untaken(&shop.node), BTreeMap::new());
    // Nothing was asked for that was not before, and what is repeated once more counts no more.
    assert_eq!(asked(), before);
    shop.stop().await;
    let repeats = || {
        let frames = recorded_frames(&places[1]);
        let repeats = frames
            .iter()
            .filter(|frame| frame.is_sent && matches!(frame.frame(), Frame::Again { .. }));
        repeats.count()
    };
    let count = repeats();
    let shop = Running::start(&places[0]).await;
    until("it is repeated", || repeats() > count).await;
    observe(&shop.node, 3, 1, 7).await;
    assert_eq!(held(&one.node), 4);
    assert_eq!(offered_again(&shop.node), [1, 2, 3]);
    audit(&shop.node, &[&shop.node, &one.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one] {
        running.stop().await;
    }
}

/// What the supplier opens a link with, by what it has recorded.
fn hello_of(supplier: &Node) -> Frame {
    let partnership = "one/shop".parse().unwrap();
    let edition = peer::edition_of(supplier, &partnership);
    let incarnation = supplier.store().incarnation();
    let known = outbox(supplier).1.acknowledged.unwrap();
    let Frame::Hello { hello } = peer::hello(&partnership, edition, incarnation) else {
        panic!("it is a hello");
    };
    Frame::Hello {
        hello: Hello {
            peer_incarnation: Some(known.incarnation),
            cursor: known.upto,
            chain: Some(known.bodies),
            ..hello
        },
    }
}

/// Records at the supplier what its recipient signed: that it has everything up to a number, and did not take these.
fn record_acknowledgement(shop: &Node, one: &Node, upto: u64, refused: &[u64]) {
    record_acknowledgement_by(one.store().incarnation(), shop, one, upto, refused);
}

/// The same by a store of the recipient's.
fn record_acknowledgement_by(
    incarnation: Salt,
    shop: &Node,
    one: &Node,
    upto: u64,
    refused: &[u64],
) {
    let partnership: PartnershipId = "one/shop".parse().unwrap();
    let (sender, recipient) = (organization("shop"), organization("one"));
    let code = RefusalCode::NotAdmissible;
    let (outbox, state) = outbox(shop);
    let start = Chain::start(&partnership, &sender, &recipient, &incarnation);
    let (mut bodies, mut outcomes) = (start, start);
    for (seq, body) in (1..).zip(release::bodies(shop, &outbox, 1, upto).unwrap()) {
        let outcome = match body {
            ItemBody::Tombstone => Outcome::Noted,
            ItemBody::Item { .. } if refused.contains(&seq) => Outcome::Refused(code),
            ItemBody::Item { .. } => Outcome::Admitted,
        };
        bodies = bodies.with_body(seq, &body);
        outcomes = outcomes.with_outcome(seq, &body.digest(), outcome);
    }
    let before = state.acknowledged;
    let before = before.filter(|reach| reach.incarnation == incarnation);
    let before = before.map_or(0, |reach| reach.upto);
    let refused = refused.iter().filter(|seq| **seq > before);
    let now = crate::clock::now();
    let acknowledgement = Acknowledgement {
        partnership,
        sender,
        recipient,
        incarnation,
        upto,
        outcomes: outcomes.digest(),
        refused: refused.map(|seq| RefusedItem { seq: *seq, code }).collect(),
        set_aside: Vec::new(),
        heard: Vec::new(),
        at: now,
    };
    let statement = acknowledgement.sign(&one.keys().statement);
    let writes = vec![
        Write::Entry(Body::Acknowledged(Acknowledged {
            acknowledgement: statement.into(),
        })),
        Write::OutboxAcknowledged {
            outbox,
            upto: AcknowledgementReach {
                incarnation,
                upto,
                bodies: bodies.digest(),
                outcomes: outcomes.digest(),
            },
            at: Some(now),
            untaken: untaken_since(&acknowledgement, before),
        },
    ];
    let commit = shop.commit_of(now, writes);
    shop.store().commit(commit).unwrap();
}

#[test]
fn what_lies_beyond_an_ask_waits_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder.path(), name)).unwrap());
    let now = crate::clock::now();
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    for number in 0..4 {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        shop.observe(drafts, true, now).unwrap();
    }
    let code = RefusalCode::NotAdmissible;
    let ask = |upto| release::offer_again(&shop, &outbox(&shop).0, code, upto).unwrap();
    let left = |count| BTreeMap::from([(code.number(), count)]);
    assert_eq!(ask(4), None, "nothing is known of it yet");
    // All in one acknowledgement.
    record_acknowledgement(&shop, &one, 4, &[1, 2, 3, 4]);
    assert_eq!(untaken(&shop), left(4));
    assert_eq!(ask(2), Some(2));
    assert_eq!(offered_again(&shop), [1, 2]);
    assert_eq!(untaken(&shop), left(2));

    // Whatever is repeated, nothing is written for it.
    let size = shop.store().size();
    assert_eq!([ask(2), ask(1), ask(0)], [None; 3]);
    assert_eq!(shop.store().size(), size);
    // What this node keeps back, and lets out by itself, is what was asked for.
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    assert_eq!(ask(3), Some(0));
    assert_eq!(untaken(&shop), left(1));
    assert_eq!(outbox(&shop).1.asked_for[&code.number()].kept_back, 1);
    let shipped = default_profile(Layer::Owner).unwrap();
    shop.activate_profile(Layer::Owner, shipped, now).unwrap();
    assert_eq!(offered_again(&shop), [1, 2, 3]);

    // Beyond what is acknowledged, nothing is asked for.
    assert_eq!(ask(u64::MAX), Some(1));
    assert_eq!(offered_again(&shop), [1, 2, 3, 4]);
    assert_eq!(untaken(&shop), BTreeMap::new());
    assert_eq!(ask(u64::MAX), None);
    record_acknowledgement(&shop, &one, 8, &[1, 2, 3, 4, 6, 7]);
    assert_eq!(untaken(&shop), left(2));
    assert_eq!(ask(6), Some(1));
    assert_eq!(ask(8), Some(1));
    assert_eq!(offered_again(&shop), [1, 2, 3, 4, 2, 3]);
    assert_eq!(untaken(&shop), BTreeMap::new());
    audit(&shop, &[&shop, &one]);
}

/// One observation that its recipient did not take, and that was offered again as number 2.
fn offered_twice(folder: &Path) -> [Node; 2] {
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder, name)).unwrap());
    let now = crate::clock::now();
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let drafts = draft("one", "F-ONE", "inspection-result", 0);
    shop.observe(drafts, true, now).unwrap();
    record_acknowledgement(&shop, &one, 1, &[1]);
    let outbox = outbox(&shop).0;
    let asked = release::offer_again(&shop, &outbox, RefusalCode::NotAdmissible, 1);
    assert_eq!(asked.unwrap(), Some(1));
    [shop, one]
}

fn hand_over(shop: &Node, seq: u64) -> Outgoing {
    hand_over_to(None, shop, seq)
}

/// Hands an item over to another store of its recipient's, where one is given.
fn hand_over_to(new: Option<Salt>, shop: &Node, seq: u64) -> Outgoing {
    let outgoing = release::outgoing_some(shop, &outbox(shop).0, (seq, 1), (new, false));
    outgoing.unwrap().0
}

/// How many entries disclose, withhold, take back and offer again.
fn said(shop: &Node) -> [usize; 4] {
    let kinds = [
        Kind::Disclosed,
        Kind::Withheld,
        Kind::Withdrawn,
        Kind::OfferedAgain,
    ];
    let bodies = bodies(shop);
    kinds.map(|kind| {
        bodies
            .iter()
            .filter(|body| body.kind() == kind.number())
            .count()
    })
}

#[test]
fn what_a_new_store_took_under_an_earlier_number_is_said_nothing_else_of() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = offered_twice(folder.path());
    let now = crate::clock::now();
    let partnership = "one/shop".parse().unwrap();
    // Its recipient lost its store, and takes with the new one what it had refused.
    let new = Salt::from_bytes([7; 32]);
    record_acknowledgement_by(new, &shop, &one, 1, &[]);
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    assert!(matches!(hand_over(&shop, 2), Outgoing::Tombstone));
    assert_eq!(said(&shop), [1, 0, 1, 1]);
    let shipped = default_profile(Layer::Owner).unwrap();
    for layer in [STRICT, shipped] {
        shop.activate_profile(Layer::Owner, layer, now).unwrap();
        let offered = shop.offer(&partnership, None, false, now).unwrap();
        let counts = (
            offered[0].released,
            offered[0].withheld,
            offered[0].offered_again,
        );
        assert_eq!(counts, (0, 0, 0));
        assert_eq!(said(&shop), [1, 0, 1, 1]);
    }
    let pair = shop.status(now).unwrap().pairs.remove(0);
    let counts = (pair.released, pair.withdrawn, pair.withheld, pair.kept_back);
    assert_eq!(counts, (1, 0, 0, 0));
    assert_eq!(pair.not_taken, BTreeMap::new());
    let id = shop.list(&Filter::default()).unwrap()[0].id.to_string();
    let why = shop.why(&id, &organization("one"), now).unwrap().remove(0);
    let recorded = why.recorded.unwrap();
    assert_eq!(recorded.outcome, holding::Outcome::Disclosed);
    assert_eq!(recorded.answer.unwrap().code, None);
    record_acknowledgement_by(new, &shop, &one, 2, &[]);
    audit(&shop, &[&shop, &one]);
}

#[test]
fn what_is_taken_back_under_its_further_number_is_kept_back_under_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = offered_twice(folder.path());
    let now = crate::clock::now();
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    assert!(matches!(hand_over(&shop, 2), Outgoing::Tombstone));
    // It is not withheld: it is there as number 1, and goes under a further one as soon as it may.
    assert_eq!(said(&shop), [1, 0, 1, 1]);
    let pair = || shop.status(now).unwrap().pairs.remove(0);
    assert_eq!((pair().released, pair().kept_back), (1, 1));
    assert_eq!(pair().not_taken, BTreeMap::new());
    record_acknowledgement(&shop, &one, 2, &[1]);
    let shipped = default_profile(Layer::Owner).unwrap();
    shop.activate_profile(Layer::Owner, shipped, now).unwrap();
    assert_eq!(said(&shop), [1, 0, 1, 2]);
    assert_eq!((pair().released, pair().kept_back), (1, 0));
    assert!(matches!(hand_over(&shop, 3), Outgoing::Item { .. }));
    record_acknowledgement(&shop, &one, 3, &[1]);
    audit(&shop, &[&shop, &one]);
}

#[test]
fn what_was_judged_with_others_leaves_only_under_what_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder.path(), name)).unwrap());
    let now = crate::clock::now();
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    for number in 0..3 {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        shop.observe(drafts, true, now).unwrap();
    }
    let outbox = outbox(&shop).0;
    let mut ready = Ready::default();
    let judge = |ready: &mut Ready| {
        let judged = Judged::now(&shop);
        let some = release::outgoing_some(&shop, &outbox, (1, 3), (None, false));
        let (first, rest) = some.unwrap();
        assert_eq!(rest.len(), 2);
        ready.put(judged, 1, first, rest);
    };
    let is_item = |item: &Option<Outgoing>| matches!(item, Some(Outgoing::Item { .. }));
    judge(&mut ready);
    for seq in 1..=3 {
        assert!(is_item(&ready.take(&shop, &outbox, seq).unwrap()));
    }
    assert_eq!(ready.take(&shop, &outbox, 4).unwrap(), None);
    // Out of its turn it is not there, nor is what came with it.
    judge(&mut ready);
    assert!(is_item(&ready.take(&shop, &outbox, 1).unwrap()));
    assert_eq!(ready.take(&shop, &outbox, 3).unwrap(), None);
    assert_eq!(ready.take(&shop, &outbox, 2).unwrap(), None);
    // Also the first of them was judged under something else.
    judge(&mut ready);
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    assert_eq!(ready.take(&shop, &outbox, 1).unwrap(), None);
    // What was taken back stays so, whatever is in force.
    judge(&mut ready);
    let shipped = default_profile(Layer::Owner).unwrap();
    shop.activate_profile(Layer::Owner, shipped, now).unwrap();
    for seq in 1..=3 {
        let item = ready.take(&shop, &outbox, seq).unwrap();
        assert_eq!(item, Some(Outgoing::Tombstone));
    }
}

#[test]
fn nothing_goes_on_with_an_old_store_once_something_was_taken_back_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder.path(), name)).unwrap());
    let now = crate::clock::now();
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let drafts = draft("one", "F-ONE", "inspection-result", 0);
    shop.observe(drafts, true, now).unwrap();
    record_acknowledgement(&shop, &one, 1, &[]);
    let new = Salt::from_bytes([7; 32]);
    let known = || outbox(&shop).1.acknowledged.unwrap();
    // It has the new one's place, but only where the old one may have what is taken back.
    assert!(matches!(
        hand_over_to(Some(new), &shop, 1),
        Outgoing::Item { .. }
    ));
    assert_eq!(known().incarnation, one.store().incarnation());
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    let outgoing = hand_over_to(Some(new), &shop, 1);
    assert!(matches!(outgoing, Outgoing::Tombstone));
    assert_eq!((known().incarnation, known().upto), (new, 0));
    record_acknowledgement_by(new, &shop, &one, 1, &[]);
    audit(&shop, &[&shop, &one]);
}

#[test]
fn an_acknowledgement_is_not_dated_before_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = offered_twice(folder.path());
    let now = crate::clock::now();
    let signed = |incarnation, at| {
        let (outbox, state) = outbox(&shop);
        let reach = state.acknowledged.unwrap();
        let statement = Acknowledgement {
            partnership: "one/shop".parse().unwrap(),
            sender: organization("shop"),
            recipient: organization("one"),
            incarnation,
            upto: 1,
            outcomes: reach.outcomes,
            refused: Vec::new(),
            set_aside: Vec::new(),
            heard: Vec::new(),
            at,
        };
        let statement = statement.sign(&one.keys().statement);
        let partnership = "one/shop".parse().unwrap();
        let verified =
            release::verify_acknowledgement(&shop, &partnership, &outbox, &statement, now);
        verified
            .unwrap()
            .unwrap()
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let (old, new) = (one.store().incarnation(), Salt::from_bytes([7; 32]));
    let before = outbox(&shop).1.acknowledged_at.unwrap().at;
    let earlier = before.minus_seconds(1);
    assert_eq!(signed(old, earlier), Ok(()));
    assert_eq!(signed(new, before), Ok(()));
    let told = signed(new, earlier).unwrap_err();
    assert!(
        told.contains("the recipient's clock was set back"),
        "{told}"
    );
}

#[test]
fn what_a_new_store_has_not_answered_is_not_offered_again() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = offered_twice(folder.path());
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    let now = crate::clock::now();
    shop.observe(drafts, true, now).unwrap();
    record_acknowledgement(&shop, &one, 3, &[1, 2, 3]);
    // The new one refused the first number, and has not come to the others.
    record_acknowledgement_by(Salt::from_bytes([7; 32]), &shop, &one, 1, &[1]);
    let code = RefusalCode::NotAdmissible;
    let ask = |upto| release::offer_again(&shop, &outbox(&shop).0, code, upto).unwrap();
    assert_eq!(ask(3), Some(0));
    assert_eq!(offered_again(&shop), [1]);
    record_acknowledgement_by(Salt::from_bytes([7; 32]), &shop, &one, 3, &[1, 3]);
    // Under number 2 it took it.
    assert_eq!(ask(3), Some(1));
    assert_eq!(offered_again(&shop), [1, 3]);
    audit(&shop, &[&shop, &one]);
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
    let offers = || offered_again(&shop.node).len();
    assert_eq!((offers(), held(&one.node)), (0, 0));
    // It is for this node that it is kept back, no more for its recipient.
    let kept_back = || shop.node.status(now).unwrap().pairs[0].kept_back;
    until("it is kept back", || kept_back() == 3).await;
    assert_eq!(told(&shop.node).0, BTreeMap::new());
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
    assert_eq!(kept_back(), 0);
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
