//! The swarm as this node sets it up: how connections are made and carried, and what listens.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::core::{Multiaddr, Transport as _};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{SwarmBuilder, noise, ping, tcp};

use super::addresses::socket_address;
use super::gate::{Gate, hold_back};
use super::multiplexer::Multiplexing;
use crate::mesh::conduct::Arrivals;
use crate::mesh::config::{MeshConfig, MeshError};
use crate::mesh::roster::Roster;

/// How long a TCP connection may take to be encrypted and multiplexed.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection without links is kept: the set of peers says which connections exist, and silence which are dead.
const IDLE_TIMEOUT: Duration = Duration::MAX;
/// How long the system may take to report a bound address.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// The gate is the first field: the others are not even asked about a connection it refuses.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) gate: Gate,
    pub(super) streams: libp2p_stream::Behaviour,
    pub(super) ping: ping::Behaviour,
}

pub(super) fn build_swarm(
    keypair: Keypair,
    config: &MeshConfig,
    roster: Arc<Roster>,
) -> Result<Swarm<Behaviour>, MeshError> {
    let ping = ping::Config::new()
        .with_interval(config.ping_interval)
        .with_timeout(config.silence_max);
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
                    .multiplex(Multiplexing),
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

/// Starts all listeners and waits until each has reported a bound address.
pub(super) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[String],
) -> Result<(), MeshError> {
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
