//! Who gets a link, and who loses it.

use std::collections::BTreeMap;

use super::{Node, link_at_last, linked_pair, within};
use crate::mesh::{LinkEnd, LinkError, OpenError};

#[tokio::test]
async fn a_peer_that_is_not_admitted_gets_no_link_and_causes_no_event() {
    let mut closed = Node::start(1).await;
    let mut stranger = Node::start(2).await;
    stranger.admit(&[(&closed, true)]);
    // The stranger sees connections that are closed on it; after two of them the gate has surely had its say.
    for _ in 0..2 {
        stranger.await_connected(closed.key()).await;
        assert!(
            within(stranger.handle.open_link(closed.key()))
                .await
                .is_err()
        );
        stranger.await_disconnected(closed.key()).await;
    }
    assert!(closed.events.try_recv().is_err());

    let refused = closed.handle.open_link(stranger.key()).await;
    assert!(matches!(refused, Err(OpenError::NotAdmitted)));
}

#[tokio::test]
async fn an_admitted_peer_that_is_not_connected_is_reported_as_such() {
    let one = Node::start(1).await;
    let two = Node::start(2).await;
    one.admit(&[(&two, false)]);
    let refused = one.handle.open_link(two.key()).await;
    assert!(matches!(refused, Err(OpenError::NotConnected)));
}

#[tokio::test]
async fn removal_from_the_set_ends_links_and_connections() {
    let (mut one, mut two, mut ours, mut theirs) = linked_pair().await;
    two.handle.set_peers(BTreeMap::new());
    // At the side that removed, the link has ended when the call returns.
    let sent = theirs.send(b"too late").await;
    assert!(matches!(sent, Err(LinkError::Ended(LinkEnd::NotAdmitted))));
    let received = within(theirs.recv()).await;
    assert!(matches!(
        received,
        Err(LinkError::Ended(LinkEnd::NotAdmitted))
    ));
    // The other side sees the end of the stream, or of the connection below it.
    assert!(matches!(
        within(ours.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
    one.await_disconnected(two.key()).await;
    two.await_disconnected(one.key()).await;
    assert!(within(one.handle.open_link(two.key())).await.is_err());
}

#[tokio::test]
async fn removal_wakes_a_receiver_that_waits() {
    let (_one, two, _ours, mut theirs) = linked_pair().await;
    let waiting = tokio::spawn(async move { theirs.recv().await });
    two.handle.set_peers(BTreeMap::new());
    let received = within(waiting).await.unwrap();
    assert!(matches!(
        received,
        Err(LinkError::Ended(LinkEnd::NotAdmitted))
    ));
}

#[tokio::test]
async fn a_peer_put_back_is_reached_again() {
    let (mut one, mut two, _ours, _theirs) = linked_pair().await;
    two.handle.set_peers(BTreeMap::new());
    one.await_disconnected(two.key()).await;
    two.await_disconnected(one.key()).await;
    two.admit(&[(&one, true)]);
    two.await_connected(one.key()).await;
    let (mut ours, mut theirs) = link_at_last(&mut one, &mut two).await;
    ours.send(b"again").await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"again");
}

#[tokio::test]
async fn a_peer_taken_out_and_put_back_at_once_stays_usable() {
    let (one, mut two, _ours, mut theirs) = linked_pair().await;
    two.handle.set_peers(BTreeMap::new());
    two.admit(&[(&one, false)]);
    assert!(matches!(
        theirs.send(b"").await,
        Err(LinkError::Ended(LinkEnd::NotAdmitted))
    ));
    // Its connection either survived or is dialled again.
    let (mut ours, mut theirs) = within(async {
        loop {
            match one.handle.open_link(two.key()).await {
                Ok(ours) => return (ours, two.await_inbound().await),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    ours.send(b"still here").await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"still here");
}
