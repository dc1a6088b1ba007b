//! What an agreement starts, and what its end stops: nothing leaves before all have signed, or after the lease.

use super::*;
use crate::link::ControlKind;
use crate::mesh::LINKS_PER_PEER_MAX;
use ambit_ledger::{Body, Layer, ManifestSignature, Verdict};

/// The place of the first frame that satisfies a condition.
fn first(frames: &[FrameOf], condition: impl Fn(&FrameOf) -> bool) -> Option<usize> {
    frames.iter().position(condition)
}

fn is_item(recorded: &FrameOf) -> bool {
    matches!(
        recorded.frame(),
        Frame::Item { .. } | Frame::Tombstone { .. }
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_before_all_three_have_signed() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one", "two"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let two = Running::start(&places[2]).await;
    let roots = [&shop, &one, &two].map(|running| root(&running.node));
    let now = crate::clock::now();
    let text = declaration_of("one", "F-ONE", "quality", SUPPLIER_QUALITY, 2, "");
    let cards = [
        shop.node.card(crate::clock::now()).unwrap(),
        two.node.card(crate::clock::now()).unwrap(),
    ];
    let others = [roots[0].clone(), roots[2].clone()];
    let proposal = one
        .node
        .declare(&text, &cards, &others.into(), now)
        .unwrap();
    let others = [roots[1].clone(), roots[2].clone()];
    let signed = shop
        .node
        .accept(&proposal.file, &others.into(), now)
        .unwrap();
    assert!(!signed.is_active);
    let drafts = (0..5).flat_map(|number| draft("one", "F-ONE", "inspection-result", number));
    let report = shop.node.observe(drafts.collect(), true, now).unwrap();
    assert!(
        report
            .observed
            .iter()
            .all(|observed| observed.outcomes.is_empty())
    );
    until("the declarer learns of the first signature", || {
        one.node.partner_list(crate::clock::now())[0].members[&roots[0].0] == Some(true)
    })
    .await;
    assert_eq!(states(&one.node), ["proposed"]);
    assert_eq!(states(&shop.node), ["proposed"]);
    assert!(
        recorded_frames(&places[0])
            .iter()
            .all(|recorded| !is_item(recorded))
    );

    let others = [roots[0].clone(), roots[1].clone()];
    two.node
        .accept(&proposal.file, &others.into(), now)
        .unwrap();
    until("it is in force at all three", || {
        [&shop, &one, &two]
            .iter()
            .all(|running| states(&running.node) == ["active"])
    })
    .await;
    until("both get what was observed before", || {
        held(&one.node) == 5 && held(&two.node) == 5
    })
    .await;
    until("all is acknowledged", || acknowledged(&shop.node) == [5, 5]).await;

    let governance = shop.node.governance();
    let keyring = governance
        .partnership(&proposal.partnership)
        .unwrap()
        .keyring();
    let frames = recorded_frames(&places[0]);
    let item = first(&frames, is_item).unwrap();
    let last_signature = first(&frames, |recorded| match recorded.frame() {
        Frame::Control {
            kind: ControlKind::Signature,
            statement,
        } => {
            let signature = ManifestSignature::verify(&statement, keyring).unwrap();
            !recorded.is_sent && *signature.signer() == organization("two")
        }
        _ => false,
    });
    assert!(
        last_signature.unwrap() < item,
        "an item left before the last signature came"
    );
    let nodes = [&*shop.node, &*one.node, &*two.node];
    for node in nodes {
        audit(node, &nodes);
    }
    for running in [shop, one, two] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decline_arrives_with_its_reason_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let now = crate::clock::now();
    let (text, cards) = (
        quality("one", "F-ONE", ""),
        [shop.node.card(crate::clock::now()).unwrap()],
    );
    let proposal = one
        .node
        .declare(&text, &cards, &[root(&shop.node)].into(), now)
        .unwrap();
    let reason = "retention is too long".parse().unwrap();
    shop.node
        .decline(&proposal.file, &[root(&one.node)].into(), reason, now)
        .unwrap();
    shop.node
        .observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    until("the decline arrives", || {
        let partners = one.node.partner_list(crate::clock::now());
        let told = partners[0].declined.as_deref().unwrap_or_default();
        told.contains("did:web:shop.example") && told.contains("retention is too long")
    })
    .await;
    for running in [&shop, &one] {
        assert_eq!(states(&running.node), ["declined"]);
        audit_without_decisions(&running.node, &[&shop.node, &one.node]);
    }
    assert!(
        recorded_frames(&places[0])
            .iter()
            .all(|recorded| !is_item(recorded))
    );
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_once_the_lease_or_the_agreement_is_over() {
    let now = crate::clock::now();
    // So far ahead, at most, that the clock's error covers it when the nodes run.
    let (end, later) = (
        now.start_of_millis().plus_seconds(60),
        now.plus_seconds(240),
    );
    let leased = quality("one", "F-ONE", &format!("lease_until = \"{end}\""));
    let over = quality("one", "F-ONE", "").replace("2100-01-01T00:00:00Z", &end.to_string());
    // A lease may be renewed, so that its end leaves a doubt; after the end of the agreement nothing is asked.
    for (text, after) in [(leased, Some(Verdict::Undecided)), (over, None)] {
        let folder = tempfile::tempdir().unwrap();
        let places = ["shop", "one"].map(|name| init(folder.path(), name));
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        let now = crate::clock::now();
        agree(&one, &shop, &text, now);
        let verdict = |number, at| {
            let drafts = draft("one", "F-ONE", "inspection-result", number);
            let report = shop.observe(drafts, true, at).unwrap();
            let outcomes = report.observed[0].outcomes.first();
            outcomes.map(|outcome| outcome.verdict)
        };
        assert_eq!(verdict(1, now), Some(Verdict::Admissible));
        assert_eq!(verdict(2, now), Some(Verdict::Admissible));
        assert_eq!(verdict(3, end), after);
        assert_eq!(verdict(4, later), after);
        drop((shop, one));
        // What was released in time and not sent in time is taken back: its place is there, its content is not.
        let shop = Running::start(&places[0]).await;
        let one = Running::start(&places[1]).await;
        until("both places are acknowledged", || {
            acknowledged(&shop.node) == [2]
        })
        .await;
        let is_withdrawn = |body: &&Body| matches!(body, Body::Withdrawn(_));
        assert_eq!(bodies(&shop.node).iter().filter(is_withdrawn).count(), 2);
        assert_eq!(held(&one.node), 0);
        let status = shop.node.status(crate::clock::now()).unwrap();
        let pair = &status.pairs[0];
        assert_eq!((pair.released, pair.withdrawn), (0, 2));
        let frames = recorded_frames(&places[0]);
        let is_observation = |recorded: &FrameOf| matches!(recorded.frame(), Frame::Item { .. });
        assert_eq!(first(&frames, is_observation), None);
        assert_eq!(items_sent(&places[0], peer_of(&one.node)), [1, 2]);
        audit(&shop.node, &[&shop.node, &one.node]);
        audit_without_decisions(&one.node, &[&shop.node, &one.node]);
        for running in [shop, one] {
            running.stop().await;
        }
    }
}

/// What is held of an observation that is `inspection-result`, by partnership, in the order of their names.
fn released(node: &Node) -> Vec<(String, u64)> {
    let status = node.status(crate::clock::now()).unwrap();
    let pairs = status.pairs.iter();
    pairs
        .map(|pair| (pair.partnership.to_string(), pair.released))
        .collect()
}

#[test]
fn agreements_that_share_a_program_do_not_take_from_each_other() {
    let first = quality("one", "F-ONE", "");
    let second = first
        .replace("one/shop", "one/shop/compliance")
        .replace("supplier-quality", "compliance");
    let wider = first
        .replace("one/shop", "one/shop/wider")
        .replace("[\"quality\"]", "[\"quality\", \"operations\"]")
        .replace("supplier-quality", "maintenance");
    let orders = [
        [&first, &second, &wider],
        [&wider, &first, &second],
        [&second, &wider, &first],
    ];
    for order in orders {
        let folder = tempfile::tempdir().unwrap();
        let places = ["shop", "one"].map(|name| init(folder.path(), name));
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        let now = crate::clock::now();
        for (number, text) in (1..).zip(order) {
            agree(&one, &shop, text, now);
            shop.observe(
                draft("one", "F-ONE", "inspection-result", number),
                true,
                now,
            )
            .unwrap();
        }
        // Each agreement gets all three, those from before it among them.
        let names = ["one/shop", "one/shop/compliance", "one/shop/wider"];
        let expected: Vec<(String, u64)> = names.map(|name| (name.to_owned(), 3)).into();
        assert_eq!(released(&shop), expected);
        audit(&shop, &[&shop, &one]);
    }
}

#[test]
fn more_recipients_than_one_commit_takes_are_all_judged() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let now = crate::clock::now();
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    let text = quality("one", "F-ONE", "");
    for number in 0..40 {
        let name = format!("one/shop/{number}");
        agree(&one, &shop, &text.replace("one/shop", &name), now);
    }
    let report = shop
        .observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    let outcomes = &report.observed[0].outcomes;
    assert_eq!(outcomes.len(), 40);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.verdict == Verdict::Admissible)
    );
    assert!(released(&shop).iter().all(|(_, count)| *count == 1));
    audit(&shop, &[&shop, &one]);
}

/// An owner's layer that lets nothing of this kind out.
const STRICT: &str = "@id(\"owner-all\")\npermit (principal, action, resource);\n\n\
                      @id(\"owner-nothing-yet\")\nforbid (principal, action, resource)\n\
                      when { resource.semanticId == \"urn:sem\" };\n";

#[test]
fn a_no_is_judged_again_once_its_grounds_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let now = crate::clock::now();
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let default = ambit_policy::default_profile(Layer::Owner).unwrap();
    shop.activate_profile(Layer::Owner, STRICT, now).unwrap();
    for number in 0..70 {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        shop.observe(drafts, true, now).unwrap();
    }
    let released = || released(&shop)[0].1;
    assert_eq!(released(), 0);

    // The same grounds again record nothing but what they are.
    let before = shop.store().size();
    let other = STRICT.replace("owner-all", "owner-any");
    shop.activate_profile(Layer::Owner, &other, now).unwrap();
    assert_eq!(released(), 0);
    let fresh = &bodies(&shop)[usize::try_from(before).unwrap()..];
    let is_withheld = |body: &Body| matches!(body, Body::Withheld(_));
    assert!(!fresh.iter().any(is_withheld), "{fresh:?}");

    shop.activate_profile(Layer::Owner, default, now).unwrap();
    assert_eq!(released(), 70);
    audit(&shop, &[&shop, &one]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_agreements_than_a_connection_has_links_for_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let one = Running::start(&init(folder.path(), "one")).await;
    let shop = Running::start(&init(folder.path(), "shop")).await;
    let now = crate::clock::now();
    for number in 0..=LINKS_PER_PEER_MAX / 2 {
        let text = quality("one", "F-ONE", "").replace("one/shop", &format!("one/shop-{number}"));
        agree(&one.node, &shop.node, &text, now);
    }
    let told = |node: &Node| {
        let troubles = node.all_troubles(crate::clock::now());
        troubles
            .iter()
            .any(|told| told.contains("no further link fits"))
    };
    until("one of the two says that links are wanting", || {
        told(&one.node) || told(&shop.node)
    })
    .await;
    one.stop().await;
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_under_two_agreements_is_held_on_the_terms_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    let now = crate::clock::now();
    let first = quality("one", "F-ONE", "");
    let second = first
        .replace("one/shop", "one/shop/upkeep")
        .replace("supplier-quality", "maintenance")
        .replace("retention_days = 365", "retention_days = 10");
    agree(&one.node, &shop.node, &first, now);
    let observed = draft("one", "F-ONE", "inspection-result", 1);
    let id = shop.node.observe(observed, true, now).unwrap().observed[0].id;
    until("it came", || held(&one.node) == 1).await;
    let id = id.to_string();
    let entry = one.node.detail(&id, now).unwrap().item.entry;
    agree(&one.node, &shop.node, &second, now);
    let terms = || one.node.detail(&id, now).unwrap().terms;
    until("it came again", || terms().len() == 2).await;
    let names = ["one/shop", "one/shop/upkeep"];
    let detail = one.node.detail(&id, now).unwrap();
    let said: Vec<&str> = detail
        .terms
        .iter()
        .map(|terms| terms.partnership.as_str())
        .collect();
    assert_eq!(said, names);
    // The entry is that of a list, by which it came first.
    assert_eq!(detail.item.entry, entry);
    assert_eq!(one.node.list(&Filter::default()).unwrap()[0].entry, entry);
    let grounds = one.node.grounds(&id, crate::clock::now()).unwrap();
    assert_eq!(grounds.entry, entry);
    let held: Vec<_> = grounds.held.iter().collect();
    let said: Vec<&str> = held.iter().map(|held| held.partnership.as_str()).collect();
    assert_eq!(said, names);
    assert!(held[1].hold_until < held[0].hold_until, "{held:?}");
    // Its own is held on nobody's terms.
    let own = shop.node.grounds(&id, crate::clock::now()).unwrap();
    assert!(own.held.is_empty() && !own.recipients.is_empty());
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_judged_for_last_gets_it_at_once_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["shop", "one", "two"];
    let places = names.map(|name| init(folder.path(), name));
    let [shop, one, two] = [0, 1, 2].map(|number: usize| Node::open(&places[number]).unwrap());
    let now = crate::clock::now();
    // More than are judged for in the commit of the observation itself.
    for number in 0..18 {
        for (name, program, node) in [("one", "F-ONE", &one), ("two", "F-TWO", &two)] {
            let text = quality(name, program, "");
            let text = text.replace(&format!("{name}/shop"), &format!("{name}/shop/{number}"));
            agree(node, &shop, &text, now);
        }
    }
    drop((shop, one, two));
    let mut running = Vec::new();
    for place in &places {
        running.push(Running::start(place).await);
    }
    let shop = &running[0].node;
    let connected = || {
        let peers = shop.peers(crate::clock::now()).unwrap();
        peers.iter().all(|peer| peer.connected == Some(true))
    };
    until("all are connected", connected).await;
    for number in 1..=2 {
        // For the second of the two, whose agreements come last.
        let drafts = draft("two", "F-TWO", "inspection-result", number);
        let observer = Arc::clone(shop);
        let observing = tokio::task::spawn_blocking(move || {
            observer.observe(drafts, true, crate::clock::now()).unwrap()
        });
        let observed = observing.await.unwrap();
        assert_eq!(observed.observed[0].outcomes.len(), 36);
        let has_it = |count: &u64| *count == u64::from(number);
        let all_have_it = || {
            acknowledged(shop)
                .iter()
                .filter(|count| has_it(count))
                .count()
                == 18
        };
        until("all have it", all_have_it).await;
    }
    for running in running {
        running.stop().await;
    }
}
