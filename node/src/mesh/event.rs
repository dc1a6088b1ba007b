//! What the mesh reports, and what of it is still to be told.

use std::collections::BTreeSet;

use super::link::Link;
use super::peer::PeerKey;

/// What the mesh reports. An inbound link may be reported before the `Connected` of the connection it came over.
#[derive(Debug)]
pub enum MeshEvent {
    /// The first connection to an admitted peer is up. The peer may still refuse this node: only an open link shows otherwise.
    Connected {
        /// The peer.
        peer: PeerKey,
    },
    /// The last connection to the peer is gone, or was closed because the peer is no longer admitted.
    Disconnected {
        /// The peer.
        peer: PeerKey,
    },
    /// An admitted peer opened a link.
    Inbound {
        /// The peer.
        peer: PeerKey,
        /// The link it opened.
        link: Link,
    },
}

/// What the reader of events was told, and what it has to be told yet. It holds at most one entry per peer however slowly
/// the reader takes them, and a loss in between is never passed over.
#[derive(Default)]
pub(super) struct News {
    connected: BTreeSet<PeerKey>,
    told: BTreeSet<PeerKey>,
    lost: BTreeSet<PeerKey>,
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.connected == self.told
    }

    pub(super) fn take(&mut self) -> Option<MeshEvent> {
        if let Some(peer) = self.lost.pop_first() {
            self.told.remove(&peer);
            return Some(MeshEvent::Disconnected { peer });
        }
        let peer = *self.connected.difference(&self.told).next()?;
        self.told.insert(peer);
        Some(MeshEvent::Connected { peer })
    }

    pub(super) fn note_connected(&mut self, peer: PeerKey) {
        self.connected.insert(peer);
    }

    pub(super) fn note_lost(&mut self, peer: PeerKey) {
        self.connected.remove(&peer);
        if self.told.contains(&peer) {
            self.lost.insert(peer);
        }
    }
}
