//! Acknowledgements that an honest recipient does not make.

use super::peer::{receive, reject};
use super::versions::Opened;
use super::*;
use crate::mesh::Link;
use crate::node::{LinkTrouble, Way};
use ambit_ledger::{
    Acknowledgement, Chain, DisclosureId, ItemBody, ObservationId, Outcome, RefusalCode,
    RefusedItem, Salt, SecretKey,
};

/// The next link, over which the first item came.
async fn first_item(opened: &mut Opened) -> (Link, PartnershipId, ItemBody) {
    let incarnation = opened.recipient.store().incarnation();
    let (mut link, partnership) = link_of(opened, incarnation).await;
    let body = next_item(&mut link).await;
    (link, partnership, body)
}

/// The next link, answered with a store of this incarnation, which has nothing.
async fn link_of(opened: &mut Opened, incarnation: Salt) -> (Link, PartnershipId) {
    let mut partnership = None;
    let link = opened
        .answer(|mut hello| {
            let (from, to) = (organization("shop"), organization("one"));
            let start = Chain::start(&hello.partnership, &from, &to, &incarnation);
            (hello.incarnation, hello.cursor) = (incarnation, 0);
            hello.chain = Some(start.digest());
            partnership = Some(hello.partnership.clone());
            Frame::Hello { hello }
        })
        .await;
    (link, partnership.unwrap())
}

/// One item more.
async fn next_item(link: &mut Link) -> ItemBody {
    let credit = Frame::Credit { items: 1 };
    link.send(&credit.encode().unwrap()).await.unwrap();
    loop {
        let bytes = receive(link).await.unwrap();
        if let Frame::Item {
            observation,
            disclosure,
            ..
        } = Frame::decode(&bytes).unwrap().unpacked().unwrap()
        {
            break ItemBody::Item {
                observation: ObservationId::of(&observation),
                disclosure: DisclosureId::of(&disclosure),
            };
        }
    }
}

/// What a recipient says of the first item.
fn acknowledgement(
    recipient: &Node,
    partnership: &PartnershipId,
    body: &ItemBody,
    outcome: Outcome,
    at: Time,
) -> Acknowledgement {
    let code = RefusalCode::ClocksApart;
    let set_aside = (outcome != Outcome::Admitted).then_some(RefusedItem { seq: 1, code });
    let (sender, to) = (organization("shop"), organization("one"));
    let incarnation = recipient.store().incarnation();
    let start = Chain::start(partnership, &sender, &to, &incarnation);
    Acknowledgement {
        partnership: partnership.clone(),
        sender,
        recipient: to,
        incarnation,
        upto: 1,
        outcomes: start.with_outcome(1, &body.digest(), outcome).digest(),
        refused: Vec::new(),
        set_aside: set_aside.into_iter().collect(),
        heard: Vec::new(),
        at,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_by_a_key_that_does_not_count_is_told_at_once_on_both_sides() {
    let mut opened = Opened::new().await;
    let shop = Arc::clone(&opened.supplier.node);
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    let (mut link, partnership, body) = first_item(&mut opened).await;
    let stated = acknowledgement(
        &opened.recipient,
        &partnership,
        &body,
        Outcome::Admitted,
        now,
    );
    let statement = |key| Frame::Acknowledgement {
        statement: stated.issue(key).unwrap(),
    };
    let stranger = SecretKey::from_seed(&[0x5b; 32]);
    let bytes = statement(&stranger).encode().unwrap();
    link.send(&bytes).await.unwrap();
    // The recipient reads why the link ends.
    let refusal = reject(0, RefusalCode::UnknownKey);
    let mut said = Vec::new();
    while let Some(bytes) = receive(&mut link).await {
        said.push(Frame::decode(&bytes).unwrap());
    }
    assert_eq!(said.last(), Some(&refusal), "{said:?}");
    opened.until_told("that its card does not certify").await;
    // That it does not acknowledge follows from it.
    let one = organization("one");
    let stalled = Some(LinkTrouble::Stalled);
    shop.note_link(&partnership, &one, Way::Outbound, stalled);
    opened.until_told("take its new card in").await;

    let (mut link, ..) = first_item(&mut opened).await;
    opened.until_told("that its card does not certify").await;
    let bytes = statement(&opened.recipient.keys().statement)
        .encode()
        .unwrap();
    link.send(&bytes).await.unwrap();
    until("the supplier tells of it no longer", || {
        shop.all_troubles(crate::clock::now()).is_empty()
    })
    .await;
    assert_eq!(acknowledged(&shop), [1]);
    drop(link);
    opened.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_is_dated_back_is_not_recorded() {
    let mut opened = Opened::new().await;
    let shop = Arc::clone(&opened.supplier.node);
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    let code = RefusalCode::ClocksApart;
    let dated_back = now.minus_seconds(301);
    // The first is dropped, and the link with it: on the next one it would be signed anew. The second, by a clock that is
    // behind, says that nothing was taken in.
    let mut links = Vec::new();
    let mut of = None;
    for outcome in [Outcome::Admitted, Outcome::SetAside(code)] {
        let (mut link, partnership, body) = first_item(&mut opened).await;
        let one = &opened.recipient;
        let stated = acknowledgement(one, &partnership, &body, outcome, dated_back);
        let frame = Frame::Acknowledgement {
            statement: stated.issue(&one.keys().statement).unwrap(),
        };
        link.send(&frame.encode().unwrap()).await.unwrap();
        links.push(link);
        of = Some(partnership);
    }
    let partnership = of.unwrap();
    until("what was set aside is recorded", || {
        acknowledged(&shop) == [1]
    })
    .await;
    let recorded = bodies(&shop).into_iter().filter_map(|body| match body {
        Body::Acknowledged(body) => Some(body.acknowledgement),
        _ => None,
    });
    let governance = shop.governance();
    let known = governance.partnership(&partnership).unwrap();
    let recorded: Vec<Acknowledgement> = recorded
        .map(|bytes| Acknowledgement::verify(&bytes, known.keyring()).unwrap())
        .collect();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].set_aside.len(), 1);
    audit(&shop, &[&shop, &opened.recipient]);
    drop(links);
    opened.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_another_one_followed_acknowledges_nothing_more() {
    let mut opened = Opened::new().await;
    let shop = Arc::clone(&opened.supplier.node);
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    let first = opened.recipient.store().incarnation();
    let other = Salt::from_bytes([7; 32]);
    for (incarnation, count) in [(first, 1), (other, 2)] {
        let (mut link, partnership) = link_of(&mut opened, incarnation).await;
        let body = next_item(&mut link).await;
        let one = &opened.recipient;
        let start = Chain::start(
            &partnership,
            &organization("shop"),
            &organization("one"),
            &incarnation,
        );
        let outcome = Outcome::Admitted;
        let at = crate::clock::now();
        let stated = Acknowledgement {
            incarnation,
            outcomes: start.with_outcome(1, &body.digest(), outcome).digest(),
            ..acknowledgement(one, &partnership, &body, outcome, at)
        };
        let frame = Frame::Acknowledgement {
            statement: stated.issue(&one.keys().statement).unwrap(),
        };
        link.send(&frame.encode().unwrap()).await.unwrap();
        until("it is recorded", || recorded(&shop) == count).await;
    }
    // As from a backup of the first home.
    let (mut link, _) = link_of(&mut opened, first).await;
    opened.until_told("another one followed").await;
    let mut said = Vec::new();
    while let Some(bytes) = receive(&mut link).await {
        said.push(Frame::decode(&bytes).unwrap());
    }
    assert_eq!(
        said.last(),
        Some(&reject(0, RefusalCode::Replayed)),
        "{said:?}"
    );
    assert_eq!(recorded(&shop), 2);
    audit(&shop, &[&shop, &opened.recipient]);
    opened.stop().await;
}

/// How many acknowledgements a ledger has.
fn recorded(node: &Node) -> usize {
    let is_one = |body: &Body| matches!(body, Body::Acknowledged(_));
    bodies(node).iter().filter(|body| is_one(body)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_acknowledgement_repeats_is_what_it_said_before() {
    let mut opened = Opened::new().await;
    let shop = Arc::clone(&opened.supplier.node);
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
    let (mut link, partnership, body) = first_item(&mut opened).await;
    let code = RefusalCode::ClocksApart;
    let outcome = Outcome::SetAside(code);
    let at = crate::clock::now();
    let first = acknowledgement(&opened.recipient, &partnership, &body, outcome, at);
    let seed = *opened.recipient.keys().statement.seed();
    let frame = |stated: &Acknowledgement| {
        let statement = stated.issue(&SecretKey::from_seed(&seed)).unwrap();
        Frame::Acknowledgement { statement }.encode().unwrap()
    };
    link.send(&frame(&first)).await.unwrap();
    until("it is recorded", || recorded(&shop) == 1).await;
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 2), true, now)
        .unwrap();
    let body = next_item(&mut link).await;
    let outcomes = Chain::at(first.outcomes).with_outcome(2, &body.digest(), Outcome::Admitted);
    let second = Acknowledgement {
        upto: 2,
        outcomes: outcomes.digest(),
        at: crate::clock::now(),
        ..first.clone()
    };
    let mut otherwise = second.clone();
    otherwise.set_aside[0].code = RefusalCode::UnknownClass;
    link.send(&frame(&otherwise)).await.unwrap();
    opened
        .until_told("of 1 the recipient said otherwise before")
        .await;
    link.send(&frame(&second)).await.unwrap();
    until("it is recorded", || recorded(&shop) == 2).await;
    audit(&shop, &[&shop, &opened.recipient]);
    drop(link);
    opened.stop().await;
}
