//! What crosses links, and in which order.

use super::{LOOPBACK, Node, config, link_between, linked_pair, within};
use crate::mesh::{FRAME_BYTES_MAX, OpenError};

#[tokio::test]
async fn admitted_peers_exchange_frames_both_ways() {
    let (one, two, mut ours, mut theirs) = linked_pair().await;
    assert_eq!(ours.peer(), two.key());
    assert_eq!(theirs.peer(), one.key());

    ours.send(b"from one").await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"from one");
    theirs.send(b"").await.unwrap();
    assert_eq!(within(ours.recv()).await.unwrap().unwrap(), b"");
    let largest = vec![7; FRAME_BYTES_MAX];
    let (sent, received) = within(async { tokio::join!(theirs.send(&largest), ours.recv()) }).await;
    sent.unwrap();
    assert_eq!(received.unwrap().unwrap(), largest);

    ours.send(b"last").await.unwrap();
    ours.close().await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"last");
    assert_eq!(within(theirs.recv()).await.unwrap(), None);
    assert_eq!(within(theirs.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn a_thousand_frames_arrive_in_order_from_two_tasks_each_way() {
    let (_one, _two, ours, theirs) = linked_pair().await;
    let (mut out, mut back) = ours.split();
    let (mut echo, mut incoming) = theirs.split();
    let sending = tokio::spawn(async move {
        for number in 0..1_000_u32 {
            let body = number
                .to_be_bytes()
                .repeat(1 + usize::try_from(number).unwrap() % 500);
            out.send(&body).await.unwrap();
        }
        out.close().await.unwrap();
    });
    let echoing = tokio::spawn(async move {
        while let Some(body) = incoming.recv().await.unwrap() {
            echo.send(&body).await.unwrap();
        }
        echo.close().await.unwrap();
    });
    let mut expected = 0_u32;
    while let Some(body) = within(back.recv()).await.unwrap() {
        assert_eq!(body[..4], expected.to_be_bytes());
        assert_eq!(
            body.len(),
            4 * (1 + usize::try_from(expected).unwrap() % 500)
        );
        expected += 1;
    }
    assert_eq!(expected, 1_000);
    within(sending).await.unwrap();
    within(echoing).await.unwrap();
}

#[tokio::test]
async fn peers_that_dial_each_other_at_once_get_usable_links() {
    let mut one = Node::start(1).await;
    let mut two = Node::start(2).await;
    one.admit(&[(&two, true)]);
    two.admit(&[(&one, true)]);
    one.await_connected(two.key()).await;
    two.await_connected(one.key()).await;
    for _ in 0..5 {
        let (mut ours, mut theirs) = link_between(&one, &mut two).await;
        ours.send(b"hello").await.unwrap();
        assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"hello");
        let (mut ours, mut theirs) = link_between(&two, &mut one).await;
        ours.send(b"hello").await.unwrap();
        assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"hello");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn links_opened_by_many_at_the_same_instant_all_arrive() {
    const PEERS: u8 = 8;
    const LINKS_EACH: usize = 6;
    let mut hub = Node::start(1).await;
    let mut peers = Vec::new();
    for seed in 2..2 + PEERS {
        peers.push(Node::start(seed).await);
    }
    hub.admit(&peers.iter().map(|peer| (peer, false)).collect::<Vec<_>>());
    for peer in &mut peers {
        peer.admit(&[(&hub, true)]);
        peer.await_connected(hub.key()).await;
    }
    let key = hub.key();
    let opening = peers.iter().flat_map(|peer| {
        let handle = peer.handle.clone();
        (0..LINKS_EACH).map(move |_| {
            let handle = handle.clone();
            tokio::spawn(async move {
                loop {
                    match handle.open_link(key).await {
                        Ok(link) => return link,
                        // What it does not take in its rush is opened again, as the federation does.
                        Err(OpenError::Refused) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
    });
    let opening = futures::future::try_join_all(opening);
    let accepting = async {
        let mut inbound = Vec::new();
        while inbound.len() < peers.len() * LINKS_EACH {
            inbound.push(hub.await_inbound().await);
        }
        inbound
    };
    let (opened, inbound) = within(async { tokio::join!(opening, accepting) }).await;
    assert_eq!(opened.unwrap().len(), inbound.len());
}

#[tokio::test]
async fn the_frame_record_holds_what_was_sent_and_received() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("frames");
    let mut recording = config(1, LOOPBACK);
    recording.record_frames = Some(path.clone());
    let mut one = Node::start_with(recording).await;
    let mut two = Node::start(2).await;
    two.admit(&[(&one, false)]);
    one.admit(&[(&two, true)]);
    one.await_connected(two.key()).await;
    let (mut ours, mut theirs) = link_between(&one, &mut two).await;
    ours.send(b"\x01\x02").await.unwrap();
    theirs.send(b"\xff").await.unwrap();
    within(ours.recv()).await.unwrap();

    let record = std::fs::read_to_string(path).unwrap();
    let peer = two.key();
    assert_eq!(
        record,
        format!("sent {peer} 2 0102\nreceived {peer} 1 ff\n")
    );
}
