//! What the rest of the node holds of a mesh that runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::conduct::Fault;
use super::config::{MeshConfig, MeshError};
use super::event::MeshEvent;
use super::link::Link;
use super::net::{self, LINK_PROTOCOL, OpenFailure, Opener, Wish};
use super::peer::PeerKey;
use super::record::FrameRecord;
use super::roster::{LinkRefusal, Roster};

/// How long opening a link may take in all, attempts included.
const LINK_OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a link is asked for before it counts as refused. A peer's stream layer drops streams that arrive at the same
/// instant, so the second and third attempt are not in vain.
const LINK_OPEN_ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles with each further one.
const LINK_OPEN_PAUSE: Duration = Duration::from_millis(50);
/// How many events may wait for the reader. When it is full, new links wait to be announced; nothing is dropped.
const EVENTS_MAX: usize = 256;

/// Why a link was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The peer is not in the admitted set.
    #[error("failed to open a link: the peer is not admitted")]
    NotAdmitted,
    /// There is no connection to the peer now. It is dialled in the background where its address is known.
    #[error("failed to open a link: the peer is not connected")]
    NotConnected,
    /// Too many links with this peer are open already.
    #[error("failed to open a link: too many are open with this peer, close some first")]
    TooMany,
    /// The peer is connected but does not speak the link protocol.
    #[error("failed to open a link: the peer does not speak `{}`", LINK_PROTOCOL)]
    Unsupported,
    /// The peer did not take the link: it is busy, it does not admit this node, or the connection broke.
    #[error("failed to open a link: the peer did not take it")]
    Refused,
    /// The peer did not answer in time.
    #[error("failed to open a link within {} seconds", LINK_OPEN_TIMEOUT.as_secs())]
    Timeout,
}

/// The connections of this node to its peers. See [`Mesh::start`].
#[derive(Debug, Clone, Copy)]
pub struct Mesh;

impl Mesh {
    /// Listens, and runs the connections in a task of the current tokio runtime. Nobody is admitted yet.
    ///
    /// Returns once every listen address is bound. The mesh runs until [`MeshHandle::stop`], until the last handle is
    /// dropped, or until the events have no reader.
    pub async fn start(
        config: MeshConfig,
    ) -> Result<(MeshHandle, mpsc::Receiver<MeshEvent>), MeshError> {
        let record = match &config.record_frames {
            None => None,
            Some(path) => {
                let record = open_record(path.clone()).await;
                let record = record.map_err(|source| MeshError::Record {
                    path: path.clone(),
                    source,
                })?;
                tracing::warn!(path = %path.display(), "recording every frame in plaintext");
                Some(Arc::new(record))
            }
        };
        let roster = Arc::new(Roster::default());
        let wish = Arc::new(watch::Sender::new(Wish::default()));
        let (events_in, events) = mpsc::channel(EVENTS_MAX);
        let running = net::start(
            &config,
            Arc::clone(&roster),
            record.clone(),
            wish.subscribe(),
            events_in,
        )
        .await?;
        let handle = MeshHandle {
            local_peer: running.local_peer,
            addresses: running.addresses,
            opener: running.opener,
            roster,
            record,
            wish,
        };
        Ok((handle, events))
    }
}

/// Off the async threads: to open a pipe waits for its reader.
async fn open_record(path: PathBuf) -> std::io::Result<FrameRecord> {
    tokio::task::spawn_blocking(move || FrameRecord::open(&path))
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

/// Steers a running mesh. Clones steer the same one.
#[derive(Debug, Clone)]
pub struct MeshHandle {
    local_peer: PeerKey,
    roster: Arc<Roster>,
    record: Option<Arc<FrameRecord>>,
    opener: Opener,
    wish: Arc<watch::Sender<Wish>>,
    /// Its sender is dropped when the mesh has stopped.
    addresses: watch::Receiver<Vec<String>>,
}

impl MeshHandle {
    /// This node's own key.
    pub fn local_peer(&self) -> PeerKey {
        self.local_peer
    }

    /// The multiaddrs really bound at present, with the port the system chose.
    pub fn listen_addresses(&self) -> Vec<String> {
        self.addresses.borrow().clone()
    }

    /// Puts the full set of admitted peers in force, with the multiaddrs to dial each at; a peer without any only dials in.
    ///
    /// When this returns, a peer that was left out can open nothing more and its links are ended; its connections are closed
    /// right after. An address that [`verify_peer_address`](super::verify_peer_address) refuses is reported and not dialled;
    /// it keeps no other peer from being served.
    pub fn set_peers(&self, peers: BTreeMap<PeerKey, Vec<String>>) {
        self.roster.replace(peers);
        self.wish.send_modify(|wish| wish.changes += 1);
    }

    /// Notes what an admitted peer did wrong on one of its links. Where that was one too many, the peer is barred for a
    /// time: its links are ended when this returns, its connections are closed right after.
    pub fn note_fault(&self, peer: &PeerKey, fault: Fault) {
        self.roster.note_fault(peer, fault, Instant::now());
    }

    /// The admitted peers that are barred now, and for how long still.
    #[must_use]
    pub fn barred(&self) -> BTreeMap<PeerKey, Duration> {
        self.roster.barred(Instant::now())
    }

    /// Opens a link to a connected peer and waits until the peer has taken it.
    pub async fn open_link(&self, peer: PeerKey) -> Result<Link, OpenError> {
        tokio::time::timeout(LINK_OPEN_TIMEOUT, self.ask_for_link(peer))
            .await
            .unwrap_or(Err(OpenError::Timeout))
    }

    async fn ask_for_link(&self, peer: PeerKey) -> Result<Link, OpenError> {
        let mut pause = LINK_OPEN_PAUSE;
        for attempt in 0..LINK_OPEN_ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            if !self.roster.admits(&peer) {
                return Err(OpenError::NotAdmitted);
            }
            if !self.roster.is_connected(&peer) {
                return Err(OpenError::NotConnected);
            }
            let stream = match self.opener.open(&peer).await {
                Ok(stream) => stream,
                Err(OpenFailure::Unsupported) => return Err(OpenError::Unsupported),
                Err(OpenFailure::Connection(error)) => {
                    tracing::debug!(%peer, attempt, %error, "no stream for a link");
                    continue;
                }
            };
            let mut link = Link::new(peer, stream, self.record.clone());
            self.roster
                .enter(&link, Instant::now())
                .map_err(|refusal| match refusal {
                    LinkRefusal::NotAdmitted => OpenError::NotAdmitted,
                    LinkRefusal::Barred => OpenError::NotConnected,
                    LinkRefusal::TooMany | LinkRefusal::TooOften => OpenError::TooMany,
                })?;
            match link.await_greeting().await {
                Ok(true) => return Ok(link),
                Ok(false) => tracing::debug!(%peer, attempt, "the peer did not take the link"),
                Err(error) => tracing::debug!(%peer, attempt, %error, "no answer to a link"),
            }
        }
        Err(OpenError::Refused)
    }

    /// Stops the mesh: ends all links, closes all connections, frees the listen addresses. Returns when that is done.
    pub async fn stop(&self) {
        self.wish.send_modify(|wish| wish.stop = true);
        let mut addresses = self.addresses.clone();
        while addresses.changed().await.is_ok() {}
    }
}
