//! Acknowledgements that an honest recipient does not make.

use super::peer::receive;
use super::versions::Opened;
use super::*;
use ambit_ledger::{
    Acknowledgement, Chain, DisclosureId, ItemBody, ObservationId, Outcome, RefusalCode,
    RefusedItem,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_is_dated_back_is_not_recorded() {
    let mut opened = Opened::new().await;
    let shop = Arc::clone(&opened.supplier.node);
    let now = crate::clock::now();
    shop.observe(draft("one", "F-ONE", "inspection-result", 1), true, now)
        .unwrap();
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

    let (sender, recipient) = (organization("shop"), organization("one"));
    let incarnation = opened.recipient.store().incarnation();
    let start = Chain::start(&partnership, &sender, &recipient, &incarnation);
    let code = RefusalCode::ClocksApart;
    let statement = |seconds: i64, outcome: Outcome| {
        let set_aside = (outcome != Outcome::Admitted).then_some(RefusedItem { seq: 1, code });
        let at = now.as_nanos() + seconds * 1_000_000_000;
        let acknowledgement = Acknowledgement {
            partnership: partnership.clone(),
            sender: sender.clone(),
            recipient: recipient.clone(),
            incarnation,
            upto: 1,
            outcomes: start.with_outcome(1, &body.digest(), outcome).digest(),
            refused: Vec::new(),
            set_aside: set_aside.into_iter().collect(),
            heard: Vec::new(),
            at: at.try_into().unwrap(),
        };
        let key = &opened.recipient.keys().statement;
        Frame::Acknowledgement {
            statement: acknowledgement.issue(key).unwrap(),
        }
    };
    // The first is dropped; the second, by a clock that is behind, says that nothing was taken in. Frames are read in turn.
    for frame in [
        statement(-301, Outcome::Admitted),
        statement(-301, Outcome::SetAside(code)),
    ] {
        link.send(&frame.encode().unwrap()).await.unwrap();
    }
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
    drop(link);
    opened.stop().await;
}
