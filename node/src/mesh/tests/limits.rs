//! What peers and strangers may hold, and how often they may try.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Node, link_at_last, link_between, linked_pair, within};
use crate::mesh::{Fault, LinkEnd, LinkError, MeshEvent, OpenError, PeerKey};

#[tokio::test]
async fn one_peer_holds_only_so_many_connections() {
    const CONNECTIONS_MAX: usize = 4;
    let mut two = Node::start(2).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        // All with the same key, as if one peer dialled again and again.
        let mut one = Node::start(1).await;
        two.admit(&[(&one, false)]);
        one.admit(&[(&two, true)]);
        one.await_connected(two.key()).await;
        let links = link_between(&one, &mut two).await;
        held.push((one, links));
    }
    let mut surplus = Node::start(1).await;
    surplus.admit(&[(&two, true)]);
    surplus.await_disconnected(two.key()).await;

    let (first, _) = held.remove(0);
    first.handle.stop().await;
    link_at_last(&mut surplus, &mut two).await;
}

#[tokio::test]
async fn strangers_hold_only_so_many_handshakes_and_not_for_long() {
    /// Of one address.
    const HANDSHAKES_MAX: usize = 32;
    let mut two = Node::start(2).await;
    let address = two.handle.listen_addresses()[0].clone();
    let port: u16 = address.rsplit('/').next().unwrap().parse().unwrap();
    let mut silent = Vec::new();
    for _ in 0..HANDSHAKES_MAX {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let surplus = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    within(surplus.readable()).await.unwrap();
    assert!(matches!(surplus.try_read(&mut [0]), Ok(0) | Err(_)));
    let waits = silent[0].try_read(&mut [0]);
    assert!(waits.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));

    // None of them sends anything: they lose their places, and a member gets in.
    for stranger in &silent {
        within(stranger.readable()).await.unwrap();
        assert!(matches!(stranger.try_read(&mut [0]), Ok(0) | Err(_)));
    }
    let mut one = Node::start(1).await;
    two.admit(&[(&one, false)]);
    one.admit(&[(&two, true)]);
    link_at_last(&mut one, &mut two).await;
}

#[tokio::test]
async fn a_barred_peer_loses_everything_and_comes_back_when_its_time_is_over() {
    let (mut one, mut two, mut ours, mut theirs) = linked_pair().await;
    let mut faults = 0;
    while theirs.send(b"still there").await.is_ok() {
        two.handle.note_fault(&one.key(), Fault::Dishonest);
        faults += 1;
    }
    // Its connection cost it some of its patience.
    assert!((30..=33).contains(&faults), "{faults}");
    let sent = theirs.send(b"too late").await;
    assert!(matches!(sent, Err(LinkError::Ended(LinkEnd::Barred))));
    two.await_disconnected(one.key()).await;
    while let Ok(Some(_)) = within(ours.recv()).await {}
    let refused = two.handle.open_link(one.key()).await;
    assert!(matches!(refused, Err(OpenError::NotConnected)));

    // It dials again and again, and is let in without anybody's doing.
    let (mut ours, mut theirs) = link_at_last(&mut one, &mut two).await;
    ours.send(b"again").await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"again");
}

#[tokio::test]
async fn links_opened_without_pause_are_dropped_and_then_their_peer_is_barred() {
    let (one, mut two, _ours, _theirs) = linked_pair().await;
    let peer = two.key();
    let opening = tokio::spawn(async move {
        let mut opened = 0;
        while one.handle.open_link(peer).await.is_ok() {
            opened += 1;
        }
        opened
    });
    while !opening.is_finished() {
        match two.next_event().await {
            MeshEvent::Inbound { link, .. } => drop(link),
            MeshEvent::Connected { .. } => {}
            MeshEvent::Disconnected { .. } => break,
        }
    }
    // At once, and then as many as time allows.
    assert!(within(opening).await.unwrap() >= 127);
}

#[tokio::test]
async fn connections_made_again_and_again_bar_their_peer_and_nobody_else() {
    let mut two = Node::start(2).await;
    let mut honest = Node::start(3).await;
    two.admit(&[(&honest, false)]);
    honest.admit(&[(&two, true)]);
    let (mut ours, mut theirs) = link_at_last(&mut honest, &mut two).await;

    let peer = two.key();
    let address = two.handle.listen_addresses();
    let hostile = PeerKey(Node::start(1).await.key().0);
    two.handle
        .set_peers([(honest.key(), Vec::new()), (hostile, Vec::new())].into());
    let mut came = 0;
    let is_barred = loop {
        // A new mesh each time, so that it dials without waiting.
        let mut one = Node::start(1).await;
        one.handle.set_peers([(peer, address.clone())].into());
        one.await_connected(peer).await;
        match one.handle.open_link(peer).await {
            Ok(_) => {
                drop(two.await_inbound().await);
                came += 1;
            }
            Err(_) => break true,
        }
        one.handle.stop().await;
        if came > 1_000 {
            break false;
        }
    };
    assert!(is_barred && came >= 100, "{came} connections");
    ours.send(b"undisturbed").await.unwrap();
    let received = within(theirs.recv()).await.unwrap().unwrap();
    assert_eq!(received, b"undisturbed");
}

#[tokio::test]
async fn an_address_whose_handshakes_fail_waits_and_others_stay() {
    let (_one, two, mut ours, mut theirs) = linked_pair().await;
    let address = two.handle.listen_addresses()[0].clone();
    let port: u16 = address.rsplit('/').next().unwrap().parse().unwrap();
    // Begins a handshake and leaves. Whether the node answered to it.
    let knock = async || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let hello = b"\x13/multistream/1.0.0\n";
        let _ = stream.write_all(hello).await;
        let mut heard = [0; 32];
        let heard = within(stream.read(&mut heard)).await;
        heard.is_ok_and(|bytes| bytes > 0)
    };
    let mut answered = 0;
    while knock().await {
        answered += 1;
        assert!(answered < 1_000, "never turned away before the handshake");
    }
    assert!(answered >= 32, "{answered} handshakes");
    ours.send(b"undisturbed").await.unwrap();
    let received = within(theirs.recv()).await.unwrap().unwrap();
    assert_eq!(received, b"undisturbed");
}
