//! The streams below links: opened on existing connections, and taken where peers open them.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use libp2p::swarm::StreamProtocol;
use tokio::sync::mpsc;

use super::addresses::{peer_id, peer_key};
use crate::mesh::event::MeshEvent;
use crate::mesh::link::{Duplex, Link};
use crate::mesh::peer::PeerKey;
use crate::mesh::record::FrameRecord;
use crate::mesh::roster::Roster;

/// The protocol of links.
pub(in crate::mesh) const LINK_PROTOCOL: &str = "/ambit/link/2";
/// How long an accepted link may wait for its greeting to be taken.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes the streams that peers open. It only registers and spawns: whatever it keeps waiting is dropped below it.
pub(super) async fn accept_links(
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
pub(in crate::mesh) enum OpenFailure {
    Unsupported,
    Connection(io::Error),
}

/// Opens streams on existing connections.
#[derive(Clone)]
pub(in crate::mesh) struct Opener(pub(super) libp2p_stream::Control);

impl Opener {
    /// The caller sets the time limit: a peer can leave this waiting.
    pub(in crate::mesh) async fn open(
        &self,
        peer: &PeerKey,
    ) -> Result<Box<dyn Duplex>, OpenFailure> {
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
