//! The task that owns the swarm: keeps connections and dials in line with the roster, and says what changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use libp2p::core::Multiaddr;
use libp2p::identity::PeerId;
use libp2p::ping;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, Swarm, SwarmEvent};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::addresses::{peer_id, peer_key, verified_address};
use super::frames::TooSmall;
use super::swarm::{Behaviour, BehaviourEvent};
use crate::mesh::conduct::Fault;
use crate::mesh::config::MeshConfig;
use crate::mesh::dial::Schedule;
use crate::mesh::event::{MeshEvent, News};
use crate::mesh::link::LinkEnd;
use crate::mesh::peer::PeerKey;
use crate::mesh::roster::Roster;

/// The wake-up when nothing is due.
const REST: Duration = Duration::from_secs(3_600);

/// What is asked of the driver.
#[derive(Debug, Default)]
pub(in crate::mesh) struct Wish {
    /// Counts the changes of the roster.
    pub(in crate::mesh) changes: u64,
    pub(in crate::mesh) stop: bool,
}

/// The task that owns the swarm.
pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    local_peer: PeerKey,
    roster: Arc<Roster>,
    silence_max: Duration,
    schedule: Schedule,
    dial_addresses: BTreeMap<PeerKey, Vec<Multiaddr>>,
    connections: HashMap<ConnectionId, Connection>,
    news: News,
    addresses: watch::Sender<Vec<String>>,
    accepting: AbortHandle,
}

struct Connection {
    peer: PeerKey,
    last_sign: Instant,
}

impl Driver {
    /// Nobody is admitted yet.
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        local_peer: PeerKey,
        roster: Arc<Roster>,
        config: &MeshConfig,
        accepting: AbortHandle,
    ) -> Self {
        let bound: Vec<String> = swarm.listeners().map(ToString::to_string).collect();
        tracing::info!(listening = ?bound, "mesh started");
        Self {
            swarm,
            local_peer,
            roster,
            // Shorter, and a connection would be closed for want of a ping that was not due.
            silence_max: config
                .silence_max
                .max(config.ping_interval.saturating_mul(2)),
            schedule: Schedule::default(),
            dial_addresses: BTreeMap::new(),
            connections: HashMap::new(),
            news: News::default(),
            addresses: watch::Sender::new(bound),
            accepting,
        }
    }

    /// The multiaddrs really bound. Its sender is dropped when the mesh has stopped.
    pub(super) fn addresses(&self) -> watch::Receiver<Vec<String>> {
        self.addresses.subscribe()
    }

    pub(super) async fn run(
        mut self,
        mut wish: watch::Receiver<Wish>,
        events: mpsc::Sender<MeshEvent>,
    ) {
        let roster = Arc::clone(&self.roster);
        loop {
            let wake = tokio::time::Instant::from_std(self.next_wake(Instant::now()));
            tokio::select! {
                changed = wish.changed() => {
                    if changed.is_err() || wish.borrow_and_update().stop {
                        break;
                    }
                    self.on_roster_changed(Instant::now());
                }
                permit = events.reserve(), if !self.news.is_empty() => {
                    let Ok(permit) = permit else { break };
                    if let Some(event) = self.news.take() {
                        permit.send(event);
                    }
                }
                () = roster.some_barred() => self.drop_barred(Instant::now()),
                event = self.swarm.select_next_some() => self.on_event(event, Instant::now()),
                () = tokio::time::sleep_until(wake) => self.on_time(Instant::now()),
            }
        }
        self.accepting.abort();
        self.roster.end_all();
        drop(self.swarm);
        tracing::info!("mesh stopped");
        // Last, because it tells those who wait that the ports are free.
        drop(self.addresses);
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>, now: Instant) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => self.on_established(connection_id, &peer_id, now),
            SwarmEvent::ConnectionClosed {
                connection_id,
                cause,
                ..
            } => {
                if let Some(connection) = self.connections.remove(&connection_id) {
                    tracing::debug!(peer = %connection.peer, ?cause, "connection closed");
                    if cause.is_some_and(|cause| TooSmall::is_in(&cause)) {
                        tracing::warn!(peer = %connection.peer, "connection closed: {TooSmall}");
                        self.roster
                            .note_fault(&connection.peer, Fault::Dishonest, now);
                    }
                    self.settle(connection.peer, now);
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer_id),
                error,
                ..
            } => self.on_dial_failed(&peer_id, &error, now),
            SwarmEvent::IncomingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "inbound connection refused");
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) => self.on_ping(ping, now),
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.publish_addresses();
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                tracing::error!(?addresses, ?reason, "a listener closed, restart the node");
                self.publish_addresses();
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "failed to accept a connection");
            }
            _ => {}
        }
    }

    fn on_established(&mut self, connection: ConnectionId, peer_id: &PeerId, now: Instant) {
        let Some(peer) = peer_key(peer_id) else {
            return;
        };
        self.connections.insert(
            connection,
            Connection {
                peer,
                last_sign: now,
            },
        );
        self.roster.note_connected(&peer, true);
        self.schedule.connected(&peer, now);
        self.news.note_connected(peer);
        tracing::debug!(%peer, "connection established");
    }

    fn on_dial_failed(&mut self, peer_id: &PeerId, error: &DialError, now: Instant) {
        if matches!(error, DialError::WrongPeerId { .. }) {
            tracing::warn!(%peer_id, "another node answers at this peer's address, ask for its present one");
        } else {
            tracing::debug!(%peer_id, %error, "failed to dial");
        }
        if let Some(peer) = peer_key(peer_id) {
            self.schedule.failed(&peer, now);
        }
    }

    fn on_ping(&mut self, ping: ping::Event, now: Instant) {
        let Some(connection) = self.connections.get_mut(&ping.connection) else {
            return;
        };
        let peer = connection.peer;
        match ping.result {
            Ok(_) => connection.last_sign = now,
            Err(error) => {
                tracing::debug!(%peer, %error, "ping failed");
                self.drop_peer(peer, LinkEnd::Silent, now);
            }
        }
    }

    fn on_time(&mut self, now: Instant) {
        let silent: BTreeSet<PeerKey> = self
            .connections
            .values()
            .filter(|connection| connection.last_sign + self.silence_max <= now)
            .map(|connection| connection.peer)
            .collect();
        for peer in silent {
            tracing::debug!(%peer, "connection silent for too long");
            self.drop_peer(peer, LinkEnd::Silent, now);
        }
        self.dial_due(now);
    }

    fn dial_due(&mut self, now: Instant) {
        for peer in self.schedule.take_due(now) {
            let addresses = self.dial_addresses.get(&peer).cloned().unwrap_or_default();
            let Some(peer_id) = peer_id(&peer) else {
                continue;
            };
            // A port of its own: dialling from the listening port would let two nodes that dial each other meet in one TCP
            // connection, of which both believe to be the dialer. And not "only when disconnected": a dead connection can
            // count as connected until the system gives it up. The schedule knows better.
            let dial = DialOpts::peer_id(peer_id)
                .condition(PeerCondition::NotDialing)
                .addresses(addresses)
                .allocate_new_port()
                .build();
            if let Err(error) = self.swarm.dial(dial) {
                self.on_dial_failed(&peer_id, &error, now);
            }
        }
    }

    /// Brings connections and dials in line with the roster.
    fn on_roster_changed(&mut self, now: Instant) {
        let peers = self.roster.addresses();
        let connected: BTreeSet<PeerKey> = self.connections.values().map(|c| c.peer).collect();
        let dialled = self.dial_addresses.keys().copied();
        let known: BTreeSet<PeerKey> = connected.iter().copied().chain(dialled).collect();
        for peer in known.iter().filter(|peer| !peers.contains_key(peer)) {
            self.schedule.exclude(peer);
            self.dial_addresses.remove(peer);
            self.drop_peer(*peer, LinkEnd::NotAdmitted, now);
        }
        for (peer, addresses) in peers {
            let is_connected = connected.contains(&peer);
            // A peer taken out and put back before this task woke has kept its connections.
            self.roster.note_connected(&peer, is_connected);
            let addresses = self.readable_addresses(&peer, &addresses);
            if addresses.is_empty() {
                self.schedule.exclude(&peer);
                self.dial_addresses.remove(&peer);
            } else if self.dial_addresses.get(&peer) != Some(&addresses) {
                self.schedule.include(peer, is_connected, now);
                self.dial_addresses.insert(peer, addresses);
            }
        }
        self.dial_due(now);
    }

    fn readable_addresses(&self, peer: &PeerKey, addresses: &[String]) -> Vec<Multiaddr> {
        if *peer == self.local_peer {
            return Vec::new();
        }
        let mut readable = Vec::new();
        for address in addresses {
            match verified_address(peer, address) {
                Ok(multiaddr) => readable.push(multiaddr),
                Err(error) => tracing::warn!(%error, "peer address left out"),
            }
        }
        readable
    }

    /// Closes what barred peers hold.
    fn drop_barred(&mut self, now: Instant) {
        let connected: BTreeSet<PeerKey> = self.connections.values().map(|c| c.peer).collect();
        for peer in connected {
            if self.roster.is_barred(&peer, now) {
                self.drop_peer(peer, LinkEnd::Barred, now);
            }
        }
    }

    /// Closes all connections to a peer, those being dialled too, without waiting for a dead or hostile one to agree.
    fn drop_peer(&mut self, peer: PeerKey, reason: LinkEnd, now: Instant) {
        self.roster.end_links(&peer, reason);
        let gate = &mut self.swarm.behaviour_mut().gate;
        self.connections.retain(|id, connection| {
            let other = connection.peer != peer;
            if !other {
                gate.forget(*id);
            }
            other
        });
        if let Some(peer_id) = peer_id(&peer) {
            // An error means that nothing was connected.
            let _ = self.swarm.disconnect_peer_id(peer_id);
        }
        self.settle(peer, now);
    }

    /// After a connection went away: was it the last?
    fn settle(&mut self, peer: PeerKey, now: Instant) {
        if self.connections.values().any(|other| other.peer == peer) {
            return;
        }
        self.roster.note_connected(&peer, false);
        self.schedule.lost(&peer, now);
        self.news.note_lost(peer);
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let silence = self
            .connections
            .values()
            .map(|connection| connection.last_sign + self.silence_max);
        silence
            .chain(self.schedule.next_due())
            .min()
            .unwrap_or(now + REST)
    }

    fn publish_addresses(&self) {
        let bound = self.swarm.listeners().map(ToString::to_string).collect();
        self.addresses.send_replace(bound);
    }
}
