//! The libp2p swarm: the gate that admits peers, the task that keeps them connected, the streams below links.
//!
//! The only folder that names libp2p; the pinned stream crate is an alpha, and this is the seam to replace it at.

mod addresses;
mod driver;
mod frames;
mod gate;
mod handshakes;
mod multiplexer;
mod refusal;
mod streams;
mod swarm;

pub use addresses::{AddressError, peer_id_text, verify_listen_address, verify_peer_address};
pub(super) use driver::Wish;
pub(super) use streams::{LINK_PROTOCOL, OpenFailure, Opener};

use std::sync::Arc;

use libp2p::identity::Keypair;
use libp2p::swarm::StreamProtocol;
use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, info_span};

use super::config::{MeshConfig, MeshError};
use super::event::MeshEvent;
use super::peer::PeerKey;
use super::record::FrameRecord;
use super::roster::Roster;

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
    let local_peer = addresses::peer_key(&keypair.public().to_peer_id())
        .ok_or_else(|| MeshError::Key("the key is not an Ed25519 key".into()))?;
    let mut swarm = swarm::build_swarm(keypair, config, Arc::clone(&roster))?;
    swarm::listen(&mut swarm, &config.listen).await?;

    let mut control = swarm.behaviour().streams.new_control();
    #[expect(
        clippy::expect_used,
        reason = "nothing is registered with a stream layer made above"
    )]
    let incoming = control
        .accept(StreamProtocol::new(LINK_PROTOCOL))
        .expect("the link protocol is registered once");
    let accepting = tokio::spawn(streams::accept_links(
        incoming,
        Arc::clone(&roster),
        record,
        events.clone(),
    ));
    let driver = driver::Driver::new(swarm, local_peer, roster, config, accepting.abort_handle());
    let addresses = driver.addresses();
    tokio::spawn(driver.run(wish, events).instrument(info_span!("mesh")));
    Ok(Running {
        local_peer,
        opener: Opener(control),
        addresses,
    })
}
