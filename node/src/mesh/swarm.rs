//! The libp2p swarm: the gate that admits peers, the task that keeps them connected, the streams below links.
//!
//! The only file that names libp2p; the pinned stream crate is an alpha, and this is the seam to replace it at.
//! It must never decide who is admitted: the roster says so, and the gate asks it at every connection.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use libp2p::core::transport::{ListenerId, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::core::{ConnectedPoint, Endpoint, Multiaddr, Transport as _};
use libp2p::identity::{Keypair, PeerId, PublicKey, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, StreamProtocol, Swarm,
    SwarmEvent, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{SwarmBuilder, noise, ping, tcp, yamux};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tracing::{Instrument as _, info_span};

use super::conduct::{Arrivals, Fault};
use super::dial::Schedule;
use super::handle::{MeshConfig, MeshError, MeshEvent, PeerKey, Wish};
use super::link::{Duplex, Link, LinkEnd};
use super::record::FrameRecord;
use super::roster::Roster;

/// The protocol of links.
pub(super) const LINK_PROTOCOL: &str = "/ambit/link/1";
/// How long a TCP connection may take to be encrypted and multiplexed.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many inbound connections may be in that handshake: strangers can't hold more sockets than this.
const HANDSHAKES_MAX: usize = 128;
/// How long a connection is left waiting, unread, whose address was turned away too often: whoever dials again as soon
/// as it is told to go does so seldom. Shorter than a handshake may take.
const HELD_FOR: Duration = Duration::from_secs(5);
/// How many wait so. Beyond it they are closed at once.
const HELD_MAX: usize = 128;
/// How many connections one peer may hold: one dialled from each side, and as many that died unnoticed.
const CONNECTIONS_PER_PEER_MAX: usize = 4;
/// How many streams one connection may hold: the 64 links of both directions, the pings, and those being opened or
/// closed. The peer can make this node hold 256 KiB for each of them.
const STREAMS_PER_CONNECTION_MAX: usize = 128;
/// A connection without links is kept: the set of peers says which connections exist, and silence which are dead.
const IDLE_TIMEOUT: Duration = Duration::MAX;
/// How long the system may take to report a bound address.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an accepted link may wait for its greeting to be taken.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// The wake-up when nothing is due.
const REST: Duration = Duration::from_secs(3_600);

/// What `start` leaves running, as seen from outside.
pub(super) struct Running {
    pub(super) local_peer: PeerKey,
    pub(super) opener: Opener,
    pub(super) addresses: watch::Receiver<Vec<String>>,
}

/// Binds the listen addresses and spawns the task that drives the swarm.
pub(super) async fn start(
    config: &MeshConfig,
    roster: Arc<Roster>,
    record: Option<Arc<FrameRecord>>,
    wish: watch::Receiver<Wish>,
    events: mpsc::Sender<MeshEvent>,
) -> Result<Running, MeshError> {
    // The parser wipes the copy it is given.
    let mut seed = config.secret_seed.clone();
    let keypair = Keypair::ed25519_from_bytes(seed.as_mut_slice())
        .map_err(|error| MeshError::Key(error.into()))?;
    let local_peer = peer_key(&keypair.public().to_peer_id())
        .ok_or_else(|| MeshError::Key("the key is not an Ed25519 key".into()))?;
    let mut swarm = build_swarm(keypair, config, Arc::clone(&roster))?;
    listen(&mut swarm, &config.listen).await?;

    let mut control = swarm.behaviour().streams.new_control();
    #[expect(
        clippy::expect_used,
        reason = "nothing is registered with a stream layer made above"
    )]
    let incoming = control
        .accept(StreamProtocol::new(LINK_PROTOCOL))
        .expect("the link protocol is registered once");
    let accepting = tokio::spawn(accept_links(
        incoming,
        Arc::clone(&roster),
        record,
        events.clone(),
    ));
    let bound: Vec<String> = swarm.listeners().map(ToString::to_string).collect();
    tracing::info!(listening = ?bound, "mesh started");
    let (addresses_in, addresses) = watch::channel(bound);
    let driver = Driver {
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
        addresses: addresses_in,
        accepting: accepting.abort_handle(),
    };
    tokio::spawn(driver.run(wish, events).instrument(info_span!("mesh")));
    Ok(Running {
        local_peer,
        opener: Opener(control),
        addresses,
    })
}

fn build_swarm(
    keypair: Keypair,
    config: &MeshConfig,
    roster: Arc<Roster>,
) -> Result<Swarm<Behaviour>, MeshError> {
    let ping = ping::Config::new()
        .with_interval(config.ping_interval)
        .with_timeout(config.silence_max);
    let multiplexer = || {
        let mut multiplexer = yamux::Config::default();
        multiplexer.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
        multiplexer
    };
    let arrivals = Arc::new(Arrivals::default());
    let waiting = Arc::clone(&arrivals);
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|keypair| {
            let noise = noise::Config::new(keypair)?;
            Ok(
                tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
                    .and_then(move |stream, endpoint| hold_back(waiting, stream, endpoint))
                    .upgrade(Version::V1Lazy)
                    .authenticate(noise)
                    .multiplex(multiplexer()),
            )
        })
        .map_err(|error| MeshError::Encryption(Box::new(error)))?
        .with_behaviour(|_| Behaviour {
            gate: Gate::new(roster, arrivals),
            streams: libp2p_stream::Behaviour::new(),
            ping: ping::Behaviour::new(ping),
        });
    let builder = match builder {
        Ok(builder) => builder,
        Err(never) => match never {},
    };
    Ok(builder
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_TIMEOUT))
        .with_connection_timeout(HANDSHAKE_TIMEOUT)
        .build())
}

/// Before the handshake, which is what costs: leaves a connection waiting whose address was turned away too often.
async fn hold_back<S>(
    arrivals: Arc<Arrivals>,
    stream: S,
    endpoint: ConnectedPoint,
) -> Result<S, GateRefusal> {
    if let ConnectedPoint::Listener { send_back_addr, .. } = &endpoint
        && let Some(from) = ip_address(send_back_addr)
        && !arrivals.may_come(from, Instant::now())
    {
        tokio::time::sleep(HELD_FOR).await;
        return Err(GateRefusal::TurnedAway);
    }
    Ok(stream)
}

/// Starts all listeners and waits until each has reported a bound address.
async fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[String]) -> Result<(), MeshError> {
    let unreadable = |address: &String| MeshError::ListenAddress {
        address: address.clone(),
    };
    let failed = |address: &String, source| MeshError::Listen {
        address: address.clone(),
        source,
    };
    // libp2p shares a listening port with any other of its kind (SO_REUSEPORT): two nodes of one user would take turns on one
    // port, with no error. A plain bind finds that out; all of them come first, because `::` would collide with our own `0.0.0.0`.
    let mut multiaddrs = Vec::new();
    for address in addresses {
        let multiaddr: Multiaddr = address.parse().map_err(|_| unreadable(address))?;
        let socket = socket_address(&multiaddr).ok_or_else(|| unreadable(address))?;
        drop(TcpListener::bind(socket).map_err(|source| failed(address, source))?);
        multiaddrs.push((multiaddr, address));
    }
    let mut waiting: HashMap<ListenerId, &String> = HashMap::new();
    for (multiaddr, address) in multiaddrs {
        let listener = swarm
            .listen_on(multiaddr)
            .map_err(|error| failed(address, io::Error::other(error)))?;
        waiting.insert(listener, address);
    }
    let bound = async {
        while !waiting.is_empty() {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    waiting.remove(&listener_id);
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    reason: Err(source),
                    ..
                } => {
                    if let Some(address) = waiting.remove(&listener_id).cloned() {
                        return Err(MeshError::Listen { address, source });
                    }
                }
                // Nobody is admitted yet, so whatever else happens has no consequence.
                _ => {}
            }
        }
        Ok(())
    };
    let seconds = LISTEN_TIMEOUT.as_secs();
    tokio::time::timeout(LISTEN_TIMEOUT, bound)
        .await
        .unwrap_or(Err(MeshError::ListenTimeout { seconds }))
}

/// The gate is the first field: the others are not even asked about a connection it refuses.
#[derive(NetworkBehaviour)]
struct Behaviour {
    gate: Gate,
    streams: libp2p_stream::Behaviour,
    ping: ping::Behaviour,
}

/// Refuses every peer that is not in the roster or is barred, and limits what those in it, and strangers, may hold.
struct Gate {
    roster: Arc<Roster>,
    arrivals: Arc<Arrivals>,
    held: HashSet<ConnectionId>,
    handshakes: HashSet<ConnectionId>,
    established: HashMap<ConnectionId, PeerId>,
}

/// Why the gate refused a connection.
#[derive(Debug, thiserror::Error)]
enum GateRefusal {
    #[error("the peer is not admitted")]
    NotAdmitted,
    #[error("the peer is barred for a time")]
    Barred,
    #[error("too many from this address were turned away lately")]
    TurnedAway,
    #[error("the peer holds {CONNECTIONS_PER_PEER_MAX} connections already")]
    TooManyConnections,
    #[error("{HANDSHAKES_MAX} inbound connections are in their handshake already")]
    TooManyHandshakes,
}

impl Gate {
    fn new(roster: Arc<Roster>, arrivals: Arc<Arrivals>) -> Self {
        Self {
            roster,
            arrivals,
            held: HashSet::new(),
            handshakes: HashSet::new(),
            established: HashMap::new(),
        }
    }

    fn refuse_stranger(&self, peer: &PeerId, now: Instant) -> Result<PeerKey, GateRefusal> {
        match peer_key(peer) {
            Some(key) if self.roster.is_barred(&key, now) => Err(GateRefusal::Barred),
            Some(key) if self.roster.admits(&key) => Ok(key),
            Some(_) | None => Err(GateRefusal::NotAdmitted),
        }
    }

    fn admit_inbound(&self, peer: &PeerId, now: Instant) -> Result<(), GateRefusal> {
        let key = self.refuse_stranger(peer, now)?;
        self.roster.note_fault(&key, Fault::Connection, now);
        if self.roster.is_barred(&key, now) {
            return Err(GateRefusal::Barred);
        }
        self.refuse_surplus(peer)
    }

    fn refuse_surplus(&self, peer: &PeerId) -> Result<(), GateRefusal> {
        let held = self.established.values().filter(|held| *held == peer);
        if held.count() >= CONNECTIONS_PER_PEER_MAX {
            return Err(GateRefusal::TooManyConnections);
        }
        Ok(())
    }

    fn note_turned_away(&self, from: &Multiaddr, now: Instant) {
        if let Some(address) = ip_address(from) {
            self.arrivals.note_turned_away(address, now);
        }
    }

    /// Counts a connection no more that is being closed: a dead one can take long to go.
    fn forget(&mut self, connection: ConnectionId) {
        self.established.remove(&connection);
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let now = Instant::now();
        // The only refusal before the handshake, which is what costs: nobody knows yet who it is.
        if ip_address(from).is_some_and(|address| !self.arrivals.may_come(address, now)) {
            if self.held.len() >= HELD_MAX {
                return Err(ConnectionDenied::new(GateRefusal::TurnedAway));
            }
            self.held.insert(connection);
            return Ok(());
        }
        if self.handshakes.len() >= HANDSHAKES_MAX {
            return Err(ConnectionDenied::new(GateRefusal::TooManyHandshakes));
        }
        self.handshakes.insert(connection);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let now = Instant::now();
        // Held, and let in all the same: its time had come when it was looked at again.
        self.held.remove(&connection);
        self.handshakes.remove(&connection);
        if let Err(refusal) = self.admit_inbound(&peer, now) {
            self.note_turned_away(from, now);
            return Err(ConnectionDenied::new(refusal));
        }
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        match peer {
            Some(peer) => self.refuse_stranger(&peer, Instant::now()).map(|_| ()),
            None => Err(GateRefusal::NotAdmitted),
        }
        .map_err(ConnectionDenied::new)?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.refuse_stranger(&peer, Instant::now())
            .and_then(|_| self.refuse_surplus(&peer))
            .map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(opened) => {
                self.established
                    .insert(opened.connection_id, opened.peer_id);
            }
            FromSwarm::ConnectionClosed(closed) => self.forget(closed.connection_id),
            FromSwarm::ListenFailure(failure) => {
                let id = failure.connection_id;
                // Those refused here are not among them any more, or were not yet; those held cost nothing.
                if !self.held.remove(&id) && self.handshakes.remove(&id) {
                    self.note_turned_away(failure.send_back_addr, Instant::now());
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// The task that owns the swarm.
struct Driver {
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

/// What the reader of events was told, and what it has to be told yet. It holds at most one entry per peer however slowly
/// the reader takes them, and a loss in between is never passed over.
#[derive(Default)]
struct News {
    connected: BTreeSet<PeerKey>,
    told: BTreeSet<PeerKey>,
    lost: BTreeSet<PeerKey>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.connected == self.told
    }

    fn take(&mut self) -> Option<MeshEvent> {
        if let Some(peer) = self.lost.pop_first() {
            self.told.remove(&peer);
            return Some(MeshEvent::Disconnected { peer });
        }
        let peer = *self.connected.difference(&self.told).next()?;
        self.told.insert(peer);
        Some(MeshEvent::Connected { peer })
    }

    fn note_connected(&mut self, peer: PeerKey) {
        self.connected.insert(peer);
    }

    fn note_lost(&mut self, peer: PeerKey) {
        self.connected.remove(&peer);
        if self.told.contains(&peer) {
            self.lost.insert(peer);
        }
    }
}

impl Driver {
    async fn run(mut self, mut wish: watch::Receiver<Wish>, events: mpsc::Sender<MeshEvent>) {
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

/// Takes the streams that peers open. It only registers and spawns: whatever it keeps waiting is dropped below it.
async fn accept_links(
    mut incoming: libp2p_stream::IncomingStreams,
    roster: Arc<Roster>,
    record: Option<Arc<FrameRecord>>,
    events: mpsc::Sender<MeshEvent>,
) {
    while let Some((peer_id, stream)) = incoming.next().await {
        let Some(peer) = peer_key(&peer_id) else {
            continue;
        };
        let mut link = Link::new(peer, Box::new(stream), record.clone());
        if let Err(refusal) = roster.enter_inbound(&link, Instant::now()) {
            tracing::debug!(%peer, ?refusal, "link refused");
            continue;
        }
        let events = events.clone();
        // The roster's limit on links bounds these tasks too.
        tokio::spawn(async move {
            match tokio::time::timeout(GREETING_TIMEOUT, link.greet()).await {
                // An error means that nobody reads events any more.
                Ok(Ok(())) => drop(events.send(MeshEvent::Inbound { peer, link }).await),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "an accepted link broke"),
                Err(_) => tracing::debug!(%peer, "an accepted link was not taken in time"),
            }
        });
    }
}

/// Why no stream was opened.
pub(super) enum OpenFailure {
    Unsupported,
    Connection(io::Error),
}

/// Opens streams on existing connections.
#[derive(Clone)]
pub(super) struct Opener(libp2p_stream::Control);

impl Opener {
    /// The caller sets the time limit: a peer can leave this waiting.
    pub(super) async fn open(&self, peer: &PeerKey) -> Result<Box<dyn Duplex>, OpenFailure> {
        let peer_id = peer_id(peer)
            .ok_or_else(|| OpenFailure::Connection(io::ErrorKind::InvalidInput.into()))?;
        let protocol = StreamProtocol::new(LINK_PROTOCOL);
        match self.0.clone().open_stream(peer_id, protocol).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(libp2p_stream::OpenStreamError::UnsupportedProtocol(_)) => {
                Err(OpenFailure::Unsupported)
            }
            Err(error) => Err(OpenFailure::Connection(io::Error::other(error))),
        }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Opener")
    }
}

/// Why a peer's address is refused.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The address has the wrong form.
    #[error("failed to read the peer address `{address}`: write it like `/ip4/192.0.2.7/tcp/4001`")]
    Form {
        /// The address as it was given.
        address: String,
    },
    /// The address ends in the identity of another peer.
    #[error(
        "failed to take the peer address `{address}`: its `/p2p/` part names another peer, leave that part away"
    )]
    OtherPeer {
        /// The address as it was given.
        address: String,
    },
}

/// Verifies that an address is one this node can dial the peer at: an IP address and a TCP port, and if a `/p2p/` part
/// follows, the peer's own.
pub fn verify_peer_address(peer: &PeerKey, address: &str) -> Result<(), AddressError> {
    verified_address(peer, address).map(|_| ())
}

/// Verifies that an address is one this node can listen on: an IP address and a TCP port, which may be 0 for one that
/// the system picks.
///
/// # Errors
/// [`AddressError::Form`].
pub fn verify_listen_address(address: &str) -> Result<(), AddressError> {
    let multiaddr = address.parse::<Multiaddr>().ok();
    let socket = multiaddr.as_ref().and_then(socket_address);
    socket.map(|_| ()).ok_or_else(|| AddressError::Form {
        address: address.to_owned(),
    })
}

fn verified_address(peer: &PeerKey, address: &str) -> Result<Multiaddr, AddressError> {
    let form = || AddressError::Form {
        address: address.to_owned(),
    };
    let mut multiaddr: Multiaddr = address.parse().map_err(|_| form())?;
    if let Some(Protocol::P2p(named)) = multiaddr.iter().last() {
        if Some(named) != peer_id(peer) {
            let address = address.to_owned();
            return Err(AddressError::OtherPeer { address });
        }
        multiaddr.pop();
    }
    match socket_address(&multiaddr) {
        Some(socket) if socket.port() != 0 && !socket.ip().is_unspecified() => Ok(multiaddr),
        Some(_) | None => Err(form()),
    }
}

/// The socket address a multiaddr stands for, if it is nothing but an IP address and a TCP port.
fn socket_address(multiaddr: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = multiaddr.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match (parts.next()?, parts.next()) {
        (Protocol::Tcp(port), None) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// The peer's identity as people see it in other libp2p tools (`12D3KooW…`), or a note that the key is none.
pub fn peer_id_text(peer: &PeerKey) -> String {
    peer_id(peer).map_or_else(
        || format!("not an Ed25519 key: {peer}"),
        |id| id.to_string(),
    )
}

fn ip_address(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

fn peer_id(peer: &PeerKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&peer.0).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The key inside a peer id, which for Ed25519 holds the key itself and not a digest of it.
fn peer_key(peer_id: &PeerId) -> Option<PeerKey> {
    let key = PublicKey::try_decode_protobuf(peer_id.as_ref().digest()).ok()?;
    Some(PeerKey(key.try_into_ed25519().ok()?.to_bytes()))
}
