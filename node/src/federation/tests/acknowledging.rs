//! Acknowledgements that an honest recipient does not make.

use super::peer::{receive, reject};
use super::versions::Opened;
use super::*;
use crate::mesh::Link;
use crate::node::{LinkTrouble, Way};
use ambit_ledger::{
    Acknowledgement, Chain, DisclosureId, ItemBody, ObservationId, Outcome, RefusalCode,
    RefusedItem, SecretKey,
};

/// The next link, over which the first item came.
async fn first_item(opened: &mut Opened) -> (Link, PartnershipId, ItemBody) {
    let mut partnership = None;
    let mut link = opened
        .answer(|hello| {
            partnership = Some(hello.partnership.clone());
            Frame::Hello { hello }
        })
        .await;
    let partnership = partnership.unwrap();
    let credit = Frame::Credit { items: 1 };
    link.send(&credit.encode().unwrap()).await.unwrap();
    let body = loop {
        let bytes = receive(&mut link).await.unwrap();
        if let Frame::Item {
            observation,
            disclosure,
            ..
        } = Frame::decode(&bytes).unwrap()
        {
            break ItemBody::Item {
                observation: ObservationId::of(&observation),
                disclosure: DisclosureId::of(&disclosure),
            };
        }
    };
    (link, partnership, body)
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
