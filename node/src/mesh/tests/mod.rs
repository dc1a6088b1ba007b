//! Meshes that talk over real TCP on the loopback interface.

mod admission;
mod connections;
mod exchange;
mod frames;
mod limits;

use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{Link, Mesh, MeshConfig, MeshEvent, MeshHandle, PeerKey};

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
