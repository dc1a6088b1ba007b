//! Connections that come, go and fall silent, and the addresses they are made at.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{LOOPBACK, Node, config, link_at_last, link_between, linked_pair, within};
use crate::mesh::{LinkEnd, LinkError, Mesh, MeshError, peer_id_text, verify_peer_address};

#[tokio::test]
async fn a_restarted_peer_is_dialled_again() {
    let (mut one, two, mut ours, _theirs) = linked_pair().await;
    let address = two.handle.listen_addresses()[0].clone();
    let two_key = two.key();
    two.handle.stop().await;
    assert!(matches!(
        within(ours.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
    one.await_disconnected(two_key).await;

    let mut two = Node::start_with(config(2, &address)).await;
    assert_eq!(two.key(), two_key);
    two.admit(&[(&one, false)]);
    let (mut ours, mut theirs) = link_at_last(&mut one, &mut two).await;
    ours.send(b"back").await.unwrap();
    assert_eq!(within(theirs.recv()).await.unwrap().unwrap(), b"back");
}

#[tokio::test]
async fn stopping_ends_the_links_and_frees_the_port() {
    let (_one, two, _ours, mut theirs) = linked_pair().await;
    let address = two.handle.listen_addresses()[0].clone();
    two.handle.stop().await;
    assert!(matches!(
        theirs.send(b"").await,
        Err(LinkError::Ended(LinkEnd::Stopped))
    ));
    Node::start_with(config(3, &address)).await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_closed_and_dialled_again() {
    let mut two = Node::start(2).await;
    let proxy = Proxy::start(&two.handle.listen_addresses()[0]).await;
    let mut quick = config(1, LOOPBACK);
    quick.ping_interval = Duration::from_millis(50);
    quick.silence_max = Duration::from_secs(1);
    let mut one = Node::start_with(quick).await;
    two.admit(&[(&one, false)]);
    one.handle
        .set_peers(BTreeMap::from([(two.key(), vec![proxy.address.clone()])]));
    one.await_connected(two.key()).await;
    let (mut ours, _theirs) = link_between(&one, &mut two).await;

    // The sockets stay open and nothing passes: as if the cable were cut.
    proxy.stalled.send_replace(true);
    let received = within(ours.recv()).await;
    assert!(matches!(received, Err(LinkError::Ended(LinkEnd::Silent))));
    one.await_disconnected(two.key()).await;

    proxy.stalled.send_replace(false);
    one.await_connected(two.key()).await;
}

#[tokio::test]
async fn a_taken_listen_address_is_a_clear_error() {
    let one = Node::start(1).await;
    let address = one.handle.listen_addresses()[0].clone();
    let refused = Mesh::start(config(2, &address)).await;
    assert!(
        matches!(refused, Err(MeshError::Listen { address: named, .. }) if named == address),
        "two nodes must not share a port"
    );
    let unreadable = Mesh::start(config(2, "127.0.0.1:0")).await;
    assert!(matches!(unreadable, Err(MeshError::ListenAddress { .. })));
}

#[tokio::test]
async fn peer_addresses_are_verified() {
    let one = Node::start(1).await;
    let two = Node::start(2).await;
    let own = peer_id_text(&one.key());
    assert!(own.starts_with("12D3KooW"));
    let verify = |address: &str| verify_peer_address(&one.key(), address);
    assert!(verify("/ip4/192.0.2.7/tcp/4001").is_ok());
    assert!(verify("/ip6/2001:db8::7/tcp/4001").is_ok());
    assert!(verify(&format!("/ip4/192.0.2.7/tcp/4001/p2p/{own}")).is_ok());
    let other = peer_id_text(&two.key());
    assert!(verify(&format!("/ip4/192.0.2.7/tcp/4001/p2p/{other}")).is_err());
    for address in [
        "",
        "192.0.2.7:4001",
        "/ip4/192.0.2.7",
        "/ip4/192.0.2.7/tcp/0",
        "/ip4/0.0.0.0/tcp/4001",
    ] {
        assert!(verify(address).is_err(), "{address}");
    }
    assert!(!format!("{:?}", config(1, LOOPBACK)).contains("1, 1, 1"));
}

/// Passes TCP connections on to one address, and holds all bytes back while stalled.
struct Proxy {
    address: String,
    stalled: watch::Sender<bool>,
}

impl Proxy {
    async fn start(target: &str) -> Self {
        let port = target.rsplit('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!(
            "/ip4/127.0.0.1/tcp/{}",
            listener.local_addr().unwrap().port()
        );
        let stalled = watch::Sender::new(false);
        let gate = stalled.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(format!("127.0.0.1:{port}"))
                    .await
                    .unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass_on(from_client, to_server, gate.clone()));
                tokio::spawn(pass_on(from_server, to_client, gate.clone()));
            }
        });
        Self { address, stalled }
    }
}

async fn pass_on(
    from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut stalled: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 4_096];
    loop {
        if stalled.wait_for(|stalled| !stalled).await.is_err() {
            return;
        }
        from.readable().await.unwrap();
        // A connection that was stalled never passes anything again: what it held back is stale.
        if *stalled.borrow() {
            poll_fn(|_| Poll::<()>::Pending).await;
        }
        match from.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(bytes) => {
                if to.write_all(&buffer[..bytes]).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
