//! Agreements for several purposes, some of which are admissible and others not, or not yet.

use super::*;
use crate::holding::Outcome;
use crate::partnership::Standing;
use ambit_ledger::{Layer, Purpose};
use std::collections::BTreeSet;

const MAINTENANCE: &str = "urn:ambit:purpose:maintenance";

/// An owner's layer that does not do this for maintenance.
fn without_maintenance(action: &str) -> String {
    format!(
        r#"
@id("owner-default")
permit (principal, action, resource is Ambit::Observation);

@id("owner-no-maintenance")
forbid (principal, action == Ambit::Action::"{action}", resource is Ambit::Observation)
when {{ context.purpose == Ambit::Purpose::"{MAINTENANCE}" }};
"#
    )
}

/// Does not do this once an instant has come.
fn until_then(action: &str, instant: Time) -> String {
    without_maintenance(action).replace(
        "when {",
        &format!("when {{ context.now >= datetime(\"{instant}\") && "),
    )
}

/// Does not do this at all.
fn closed(action: &str) -> String {
    let partly = without_maintenance(action);
    partly.split("when {").next().unwrap().trim_end().to_owned() + ";\n"
}

/// For two purposes.
fn declared() -> String {
    let both = format!("[\"{SUPPLIER_QUALITY}\", \"{MAINTENANCE}\"]");
    quality("one", "F-ONE", "").replace(&format!("[\"{SUPPLIER_QUALITY}\"]"), &both)
}

fn purposes(names: &[&str]) -> BTreeSet<Purpose> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// What the supplier says of an observation for the customer.
fn why(shop: &Node, id: &str) -> crate::holding::Why {
    let mut answers = shop
        .why(id, &organization("one"), crate::clock::now())
        .unwrap();
    answers.remove(0)
}

/// A supplier that has something for a customer that does not run.
async fn waiting(folder: &Path) -> (Running, PathBuf, String) {
    let places = ["shop", "one"].map(|name| init(folder, name));
    let one = Node::open(&places[1]).unwrap();
    let shop = Running::start(&places[0]).await;
    let now = crate::clock::now();
    agree(&one, &shop.node, &declared(), now);
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    let observed = shop.node.observe(drafts, true, now).unwrap().observed;
    let id = observed[0].id.to_string();
    let recorded = why(&shop.node, &id).recorded.unwrap();
    assert_eq!(
        recorded.purposes,
        purposes(&[MAINTENANCE, SUPPLIER_QUALITY])
    );
    let [_, one] = places;
    (shop, one, id)
}

/// That, and the customer, which runs and has refused it.
async fn refused(folder: &Path) -> ([Running; 2], PathBuf, String) {
    let (shop, place, id) = waiting(folder).await;
    let one = Node::open(&place).unwrap();
    let now = crate::clock::now();
    one.activate_profile(Layer::Owner, &closed("admit"), now)
        .unwrap();
    drop(one);
    let one = Running::start(&place).await;
    until("it was refused", || acknowledged(&shop.node) == [1]).await;
    ([shop, one], place, id)
}

/// Both ledgers audit clean, and both nodes end.
async fn audited(both: [Running; 2]) {
    let nodes = [&*both[0].node, &*both[1].node];
    audit(nodes[0], &nodes);
    audit(nodes[1], &nodes);
    for running in both {
        running.stop().await;
    }
}

/// It came for the rest, and both sides say so.
async fn came_for_the_rest(shop: Running, one: &Path, id: &str) {
    let one = Running::start(one).await;
    until("it came for the rest", || held(&one.node) == 1).await;
    let rest = purposes(&[SUPPLIER_QUALITY]);
    let now = crate::clock::now();
    let detail = one.node.detail(id, now).unwrap();
    assert_eq!(detail.terms[0].scope.purposes, rest);
    assert_eq!(detail.terms[0].agreement, Standing::Active);
    let said = why(&shop.node, id);
    let recorded = said.recorded.unwrap();
    assert_eq!(
        (recorded.outcome, recorded.purposes),
        (Outcome::Disclosed, rest)
    );
    assert!(!said.may_be_offered);
    let status = shop.node.status(now).unwrap();
    assert_eq!((status.pairs[0].released, status.pairs[0].withheld), (1, 0));
    let nodes = [&*shop.node, &*one.node];
    until("it was acknowledged", || acknowledged(&shop.node) == [2]).await;
    audit(nodes[0], &nodes);
    audit(nodes[1], &nodes);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_goes_for_the_purposes_that_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, one, id) = waiting(folder.path()).await;
    let now = crate::clock::now();
    shop.node
        .activate_profile(Layer::Owner, &without_maintenance("disclose"), now)
        .unwrap();
    came_for_the_rest(shop, &one, &id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_goes_for_the_purposes_that_time_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    // In force before anything is observed, and true for some instants only.
    let end = Time::from_millis(crate::clock::now().as_millis() / 1_000 * 1_000 + 4_000).unwrap();
    let text = until_then("disclose", end);
    let one = Node::open(&places[1]).unwrap();
    let shop = Running::start(&places[0]).await;
    let now = crate::clock::now();
    shop.node
        .activate_profile(Layer::Owner, &text, now)
        .unwrap();
    agree(&one, &shop.node, &declared(), now);
    drop(one);
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    let observed = shop.node.observe(drafts, true, now).unwrap().observed;
    let id = observed[0].id.to_string();
    until("that time is over", || crate::clock::now() > end).await;
    came_for_the_rest(shop, &places[1], &id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_back_until_an_instant_goes_then() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let end = Time::from_millis(crate::clock::now().as_millis() / 1_000 * 1_000 + 6_000).unwrap();
    let not_yet = closed("disclose").replace(
        "resource is Ambit::Observation);\n\n@id(\"owner-no-maintenance\")",
        "resource is Ambit::Observation);\n\n@id(\"owner-not-yet\")",
    );
    let not_yet = not_yet.trim_end().trim_end_matches(';').to_owned()
        + &format!("\nwhen {{ context.now < datetime(\"{end}\") }};\n");
    {
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        let now = crate::clock::now();
        agree(&one, &shop, &declared(), now);
        shop.activate_profile(Layer::Owner, &not_yet, now).unwrap();
        let drafts = draft("one", "F-ONE", "inspection-result", 1);
        shop.observe(drafts, true, now).unwrap();
        assert_eq!(shop.status(now).unwrap().pairs[0].withheld, 1);
    }
    // Nothing else happens here, neither before nor after a start.
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    until("it came", || held(&one.node) == 1).await;
    assert!(crate::clock::now() >= end);
    let nodes = [&*shop.node, &*one.node];
    until("it was acknowledged", || acknowledged(&shop.node) == [1]).await;
    audit(nodes[0], &nodes);
    audit(nodes[1], &nodes);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purposes_that_a_recipient_does_not_admit_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, place, id) = waiting(folder.path()).await;
    let one = Node::open(&place).unwrap();
    let now = crate::clock::now();
    one.activate_profile(Layer::Owner, &without_maintenance("admit"), now)
        .unwrap();
    drop(one);
    let one = Running::start(&place).await;
    until("it came", || held(&one.node) == 1).await;
    let detail = one.node.detail(&id, now).unwrap();
    let terms = &detail.terms[0];
    assert_eq!(terms.scope.purposes, purposes(&[SUPPLIER_QUALITY]));
    assert_eq!(terms.purposes_not_admitted, purposes(&[MAINTENANCE]));
    assert!(!terms.is_past);
    let later = terms.scope.hold_until.plus_seconds(1);
    assert!(one.node.detail(&id, later).unwrap().terms[0].is_past);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_of_what_stays_kept_back_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let ([shop, one], _, _) = refused(folder.path()).await;
    let now = crate::clock::now();
    shop.node
        .activate_profile(Layer::Owner, &closed("disclose"), now)
        .unwrap();
    one.node
        .activate_profile(Layer::Owner, &closed("disclose"), now)
        .unwrap();
    let outbox = crate::store::BoxKey::new(&"one/shop".parse().unwrap(), &organization("one"));
    let kept_back = || {
        let state = shop.node.store().outbox(&outbox).unwrap();
        state.asked_for.values().any(|asked| asked.kept_back == 1)
    };
    until("it was asked for and kept back", kept_back).await;
    // What comes next rests on what was decided then.
    let drafts = draft("one", "F-ONE", "inspection-result", 2);
    shop.node.observe(drafts, true, now).unwrap();
    audited([shop, one]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_comes_again_for_the_purposes_that_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let ([shop, one], place, id) = refused(folder.path()).await;
    let now = crate::clock::now();
    shop.node
        .activate_profile(Layer::Owner, &without_maintenance("disclose"), now)
        .unwrap();
    // The recipient asks for it, and takes it for the rest.
    one.node
        .activate_profile(Layer::Owner, &without_maintenance("disclose"), now)
        .unwrap();
    until("it came for the rest", || held(&one.node) == 1).await;
    one.stop().await;
    came_for_the_rest(shop, &place, &id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_comes_again_for_all_that_is_admissible_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let ([shop, one], _, id) = refused(folder.path()).await;
    let now = crate::clock::now();
    let put = |node: &Node, text: &str| node.activate_profile(Layer::Owner, text, now).unwrap();
    put(&shop.node, &without_maintenance("disclose"));
    // It comes for the rest, which the recipient does not take either; the sender lets all of it go again.
    put(&one.node, &(closed("admit") + "\n// Another.\n"));
    until("it was refused again", || acknowledged(&shop.node) == [2]).await;
    put(
        &shop.node,
        &(without_maintenance("admit") + "\n// Another.\n"),
    );
    let recorded = why(&shop.node, &id).recorded.unwrap();
    assert_eq!(recorded.purposes, purposes(&[SUPPLIER_QUALITY]));
    assert!(recorded.is_offered_again);
    put(&one.node, &without_maintenance("disclose"));
    until("it came", || held(&one.node) == 1).await;
    let detail = one.node.detail(&id, now).unwrap();
    let all = purposes(&[MAINTENANCE, SUPPLIER_QUALITY]);
    assert_eq!(detail.terms[0].scope.purposes, all);
    assert_eq!(why(&shop.node, &id).recorded.unwrap().purposes, all);
    until("it was acknowledged", || acknowledged(&shop.node) == [3]).await;
    audited([shop, one]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_until_an_instant_is_asked_for_then() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, place, _) = waiting(folder.path()).await;
    let now = crate::clock::now();
    let end = Time::from_millis(now.as_millis() / 1_000 * 1_000 + 6_000).unwrap();
    let not_yet = closed("admit").trim_end().trim_end_matches(';').to_owned()
        + &format!("\nwhen {{ context.now < datetime(\"{end}\") }};\n");
    let one = Node::open(&place).unwrap();
    one.activate_profile(Layer::Owner, &not_yet, now).unwrap();
    drop(one);
    let one = Running::start(&place).await;
    until("it came", || held(&one.node) == 1).await;
    assert!(crate::clock::now() >= end);
    until("it was acknowledged", || {
        acknowledged(&shop.node).iter().sum::<u64>() > 0
    })
    .await;
    audited([shop, one]).await;
}

#[test]
fn a_layer_that_cannot_judge_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| {
        let place = init(folder.path(), name);
        Node::open(&place).unwrap()
    });
    let now = crate::clock::now();
    agree(&one, &shop, &declared(), now);
    shop.activate_profile(Layer::Owner, BROKEN, now).unwrap();
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    shop.observe(drafts, true, now).unwrap();
    let told = shop.all_troubles(now).join("\n");
    let words = ["the layer `owner` cannot judge", "owner-broken", "overflow"];
    for word in words {
        assert!(told.contains(word), "{told}");
    }
    let mended = without_maintenance("disclose");
    shop.activate_profile(Layer::Owner, &mended, now).unwrap();
    assert!(shop.all_troubles(now).is_empty());
}

#[test]
fn a_layer_that_could_not_judge_for_some_time_is_told_for_that_time() {
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| {
        let place = init(folder.path(), name);
        Node::open(&place).unwrap()
    });
    let now = crate::clock::now();
    let end = Time::from_millis(now.as_millis() / 1_000 * 1_000 + 60_000).unwrap();
    agree(&one, &shop, &declared(), now);
    let text = format!(
        r#"
@id("owner-default")
permit (principal, action, resource is Ambit::Observation);

@id("owner-broken")
forbid (principal, action in Ambit::Action::"transfer", resource is Ambit::Observation)
when {{ context.now < datetime("{end}") && context.retentionDays + 9223372036854775807 > 5 }};
"#
    );
    shop.activate_profile(Layer::Owner, &text, now).unwrap();
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    shop.observe(drafts, true, now).unwrap();
    let told = |now| shop.all_troubles(now).join("\n");
    assert!(told(now).contains("the layer `owner` cannot judge"));
    assert_eq!(told(end), "");
    // Another process learns it from what it still withholds.
    let place = folder.path().join("shop");
    drop(shop);
    let shop = Node::open(&place).unwrap();
    assert!(shop.all_troubles(now).is_empty());
    shop.catch_up(now).unwrap();
    assert!(
        shop.all_troubles(now)
            .join("")
            .contains("`owner` cannot judge")
    );
}
