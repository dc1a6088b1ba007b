//! Addresses and identities as libp2p writes them.

use std::net::{IpAddr, SocketAddr};

use libp2p::core::Multiaddr;
use libp2p::identity::{PeerId, PublicKey, ed25519};
use libp2p::multiaddr::Protocol;

use crate::mesh::peer::PeerKey;

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

pub(super) fn verified_address(peer: &PeerKey, address: &str) -> Result<Multiaddr, AddressError> {
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
pub(super) fn socket_address(multiaddr: &Multiaddr) -> Option<SocketAddr> {
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

pub(super) fn ip_address(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

pub(super) fn peer_id(peer: &PeerKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&peer.0).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The key inside a peer id, which for Ed25519 holds the key itself and not a digest of it.
pub(super) fn peer_key(peer_id: &PeerId) -> Option<PeerKey> {
    let key = PublicKey::try_decode_protobuf(peer_id.as_ref().digest()).ok()?;
    Some(PeerKey(key.try_into_ed25519().ok()?.to_bytes()))
}
