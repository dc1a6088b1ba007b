//! Meshes that talk over real TCP on the loopback interface.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::{
    FRAME_BYTES_MAX, Fault, Link, LinkEnd, LinkError, Mesh, MeshConfig, MeshError, MeshEvent,
    MeshHandle, OpenError, PeerKey, peer_id_text, verify_peer_address,
};

/// No condition here takes longer on a machine that works.
const LIMIT: Duration = Duration::from_secs(30);
const LOOPBACK: &str = "/ip4/127.0.0.1/tcp/0";

struct Node {
    handle: MeshHandle,
    events: mpsc::Receiver<MeshEvent>,
}

impl Node {
    async fn start(seed: u8) -> Self {
        Self::start_with(config(seed, LOOPBACK)).await
    }

    async fn start_with(config: MeshConfig) -> Self {
        let (handle, events) = Mesh::start(config).await.unwrap();
        Self { handle, events }
    }

    fn key(&self) -> PeerKey {
        self.handle.local_peer()
    }

    fn admit(&self, peers: &[(&Node, bool)]) {
        let peers = peers.iter().map(|(node, dial)| {
            let addresses = if *dial {
                node.handle.listen_addresses()
            } else {
                Vec::new()
            };
            (node.key(), addresses)
        });
        self.handle.set_peers(peers.collect());
    }

    async fn next_event(&mut self) -> MeshEvent {
        within(self.events.recv()).await.unwrap()
    }

    async fn await_connected(&mut self, expected: PeerKey) {
        while !matches!(self.next_event().await, MeshEvent::Connected { peer } if peer == expected)
        {
        }
    }

    async fn await_disconnected(&mut self, expected: PeerKey) {
        while !matches!(self.next_event().await, MeshEvent::Disconnected { peer } if peer == expected)
        {
        }
    }

    async fn await_inbound(&mut self) -> Link {
        loop {
            if let MeshEvent::Inbound { peer, link } = self.next_event().await {
                assert_eq!(peer, link.peer());
                return link;
            }
        }
    }
}

fn config(seed: u8, listen: &str) -> MeshConfig {
    MeshConfig::new(Zeroizing::new([seed; 32]), vec![listen.to_owned()])
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("in time")
}

/// Two nodes that admit each other, and one link between them. Only the first dials.
async fn linked_pair() -> (Node, Node, Link, Link) {
    let mut one = Node::start(1).await;
    let mut two = Node::start(2).await;
    two.admit(&[(&one, false)]);
    one.admit(&[(&two, true)]);
    one.await_connected(two.key()).await;
    let (ours, theirs) = link_between(&one, &mut two).await;
    (one, two, ours, theirs)
}

async fn link_between(from: &Node, to: &mut Node) -> (Link, Link) {
    let peer = to.key();
    let opening = async { from.handle.open_link(peer).await.unwrap() };
    within(async { tokio::join!(opening, to.await_inbound()) }).await
}

/// A link opened as soon as the other side lets one through. Connections that it refuses come and go before.
async fn link_at_last(from: &mut Node, to: &mut Node) -> (Link, Link) {
    let peer = to.key();
    let opening = async {
        loop {
            match from.handle.open_link(peer).await {
                Ok(link) => return link,
                Err(_) => from.await_connected(peer).await,
            }
        }
    };
    within(async { tokio::join!(opening, to.await_inbound()) }).await
}

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
            tokio::spawn(async move { handle.open_link(key).await.unwrap() })
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
async fn a_frame_that_is_too_large_is_refused_and_closes_the_link() {
    let (_one, _two, mut ours, mut theirs) = linked_pair().await;
    let sent = ours.send(&vec![0; FRAME_BYTES_MAX + 1]).await;
    assert!(
        matches!(sent, Err(LinkError::FrameTooLarge { bytes }) if bytes == FRAME_BYTES_MAX + 1)
    );
    assert!(matches!(
        ours.send(b"").await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
    assert!(matches!(
        within(theirs.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
}

#[tokio::test]
async fn a_frame_declared_too_large_is_refused_before_it_arrives() {
    let declared = u32::try_from(FRAME_BYTES_MAX).unwrap() + 1;
    let mut link = link_from_bytes(&declared.to_be_bytes());
    let received = link.recv().await;
    assert!(matches!(received, Err(LinkError::PeerFrameTooLarge { bytes }) if bytes == declared));
    assert!(matches!(
        link.send(b"").await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
}

#[tokio::test]
async fn the_end_of_the_stream_inside_a_frame_is_told_from_its_end_between_two() {
    let mut link = link_from_bytes(&[0, 0, 0, 2, b'o', b'k']);
    assert_eq!(link.recv().await.unwrap().unwrap(), b"ok");
    assert_eq!(link.recv().await.unwrap(), None);
    for torn in [&[0, 0][..], &[0, 0, 0, 3, b'o', b'k'][..]] {
        let mut link = link_from_bytes(torn);
        assert!(matches!(link.recv().await, Err(LinkError::Truncated)));
    }
}

#[tokio::test]
async fn a_receive_that_is_dropped_half_way_loses_nothing() {
    let mut link = link_from_bytes(&[0, 0, 0, 2, b'o', b'k', 0, 0, 0, 1, b'!']);
    let mut frames = Vec::new();
    // The source stalls before every byte, so each attempt is dropped at a new place.
    while frames.len() < 2 {
        tokio::select! {
            biased;
            frame = link.recv() => frames.push(frame.unwrap().unwrap()),
            () = std::future::ready(()) => {}
        }
    }
    assert_eq!(frames, [b"ok".to_vec(), b"!".to_vec()]);
}

#[tokio::test]
async fn a_dropped_half_ends_the_link() {
    let (_one, _two, ours, mut theirs) = linked_pair().await;
    let (sender, mut receiver) = ours.split();
    drop(sender);
    assert!(matches!(
        receiver.recv().await,
        Err(LinkError::Ended(LinkEnd::Broken))
    ));
    assert!(matches!(
        within(theirs.recv()).await,
        Ok(None) | Err(LinkError::Io(_))
    ));
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
async fn strangers_hold_only_so_many_handshakes_and_give_them_back() {
    const HANDSHAKES_MAX: usize = 128;
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

    drop(silent);
    let mut one = Node::start(1).await;
    two.admit(&[(&one, false)]);
    one.admit(&[(&two, true)]);
    link_at_last(&mut one, &mut two).await;
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

/// A link whose peer sends these bytes, one at a time with a stall before each, and then ends the stream.
fn link_from_bytes(bytes: &[u8]) -> Link {
    let stream = Trickle {
        bytes: bytes.to_vec(),
        ready: false,
    };
    Link::new(PeerKey([9; 32]), Box::new(stream), None)
}

struct Trickle {
    bytes: Vec<u8>,
    ready: bool,
}

impl futures::AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.ready = !self.ready;
        if self.ready {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        buffer[0] = self.bytes.remove(0);
        Poll::Ready(Ok(1))
    }
}

impl futures::AsyncWrite for Trickle {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(b.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
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
