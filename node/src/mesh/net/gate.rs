//! The gate: which connections are let in, and how many of them.
//!
//! It must never decide who is admitted: the roster says so, and the gate asks it at every connection.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::AsyncRead;
use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint, Multiaddr};
use libp2p::identity::PeerId;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};

use super::addresses::{ip_address, peer_key};
use super::handshakes::{Begun, Handshakes};
use super::refusal::{CONNECTIONS_PER_PEER_MAX, GateRefusal};
use crate::mesh::conduct::{Arrivals, Fault, network};
use crate::mesh::peer::PeerKey;
use crate::mesh::roster::Roster;

/// How long a connection is left waiting, unread, whose address was turned away too often: whoever dials again as soon
/// as it is told to go does so seldom. Shorter than a handshake may take.
const HELD_FOR: Duration = Duration::from_secs(5);
/// How many wait so. Beyond it they are closed at once.
const HELD_MAX: usize = 128;

/// Refuses every peer that is not in the roster or is barred, and limits what those in it, and strangers, may hold.
pub(super) struct Gate {
    roster: Arc<Roster>,
    arrivals: Arc<Arrivals>,
    held: HashSet<ConnectionId>,
    handshakes: Handshakes,
    established: HashMap<ConnectionId, PeerId>,
}

impl Gate {
    pub(super) fn new(roster: Arc<Roster>, arrivals: Arc<Arrivals>) -> Self {
        Self {
            roster,
            arrivals,
            held: HashSet::new(),
            handshakes: Handshakes::default(),
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
    pub(super) fn forget(&mut self, connection: ConnectionId) {
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
        let is_called_at = |address| self.roster.is_called_at(|called| is_at(called, address));
        self.handshakes
            .begin(connection, ip_address(from), is_called_at, now)
            .map_err(ConnectionDenied::new)
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
        self.handshakes.end(connection);
        if let Err(refusal) = self.admit_inbound(&peer, now) {
            self.note_turned_away(from, now);
            return Err(ConnectionDenied::new(refusal));
        }
        if let Some(from) = ip_address(from) {
            self.handshakes.note_known(from);
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
                if !self.held.remove(&id) && self.handshakes.end(id) {
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

/// Before the handshake, which is what costs: leaves a connection waiting whose address was turned away too often, and ends one that says
/// nothing.
pub(super) async fn hold_back<S: AsyncRead + Unpin>(
    arrivals: Arc<Arrivals>,
    stream: S,
    endpoint: ConnectedPoint,
) -> Result<Begun<S>, GateRefusal> {
    let ConnectedPoint::Listener { send_back_addr, .. } = &endpoint else {
        return Ok(Begun::by_this_end(stream));
    };
    if let Some(from) = ip_address(send_back_addr)
        && !arrivals.may_come(from, Instant::now())
    {
        tokio::time::sleep(HELD_FOR).await;
        return Err(GateRefusal::TurnedAway);
    }
    Begun::by_other_end(stream).await
}

/// Whether a member's address, as text, is at an address.
fn is_at(called: &str, address: IpAddr) -> bool {
    let called: Option<Multiaddr> = called.parse().ok();
    let called = called.as_ref().and_then(ip_address);
    called.map(network) == Some(network(address))
}
