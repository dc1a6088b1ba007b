//! What the rest of the node holds of the mesh: its configuration, its handle, its events.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::conduct::Fault;
use super::link::Link;
use super::record::FrameRecord;
use super::roster::{LinkRefusal, Roster};
use super::swarm::{self, OpenFailure, Opener};

/// How long opening a link may take in all, attempts included.
const LINK_OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a link is asked for before it counts as refused. A peer's stream layer drops streams that arrive at the same
/// instant, so the second and third attempt are not in vain.
const LINK_OPEN_ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles with each further one.
const LINK_OPEN_PAUSE: Duration = Duration::from_millis(50);
/// How many events may wait for the reader. When it is full, new links wait to be announced; nothing is dropped.
const EVENTS_MAX: usize = 256;

/// A peer: the raw Ed25519 public key of its connections, which its organization's root certified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl fmt::Display for PeerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PeerKey({self})")
    }
}

/// How a mesh is set up.
#[derive(Clone)]
pub struct MeshConfig {
    /// The 32-byte Ed25519 seed of this node's connection key. Wiped from memory with this value.
    pub secret_seed: Zeroizing<[u8; 32]>,
    /// Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4001`; port 0 lets the system choose. Empty: this node only dials.
    pub listen: Vec<String>,
    /// How often each connection is pinged.
    pub ping_interval: Duration,
    /// How long a connection may give no sign of life before it is closed; at least twice `ping_interval`.
    pub silence_max: Duration,
    /// A diagnostic, off by default: append every frame, **in plaintext**, to this file. One line each:
    /// `sent` or `received`, the peer's key in hex, the length in bytes, the body in hex, with one space between.
    pub record_frames: Option<PathBuf>,
}

impl MeshConfig {
    /// The usual set-up: ping every 10 seconds, close after 30 seconds of silence, record nothing.
    pub fn new(secret_seed: Zeroizing<[u8; 32]>, listen: Vec<String>) -> Self {
        Self {
            secret_seed,
            listen,
            ping_interval: Duration::from_secs(10),
            silence_max: Duration::from_secs(30),
            record_frames: None,
        }
    }
}

impl fmt::Debug for MeshConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MeshConfig")
            .field("secret_seed", &"…")
            .field("listen", &self.listen)
            .field("ping_interval", &self.ping_interval)
            .field("silence_max", &self.silence_max)
            .field("record_frames", &self.record_frames)
            .finish()
    }
}

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

/// Why the mesh did not start.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The seed gives no key pair.
    #[error("failed to read the connection key")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The encryption of connections could not be set up.
    #[error("failed to set up the encryption of connections")]
    Encryption(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A listen address has the wrong form.
    #[error("failed to read the listen address `{address}`: write it like `/ip4/0.0.0.0/tcp/4001`")]
    ListenAddress {
        /// The address as it was given.
        address: String,
    },
    /// A listen address is taken, or not one of this machine.
    #[error(
        "failed to listen on `{address}`: choose an address of this machine and a port that no other program uses"
    )]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The system reported no bound address in time.
    #[error("failed to listen within {seconds} seconds: no network interface came up")]
    ListenTimeout {
        /// How long was waited.
        seconds: u64,
    },
    /// The file for recorded frames can't be opened.
    #[error("failed to open the frame record `{}`", path.display())]
    Record {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

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
    #[error(
        "failed to open a link: the peer does not speak `{}`",
        swarm::LINK_PROTOCOL
    )]
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
            Some(path) => match FrameRecord::open(path) {
                Ok(record) => {
                    tracing::warn!(path = %path.display(), "recording every frame in plaintext");
                    Some(Arc::new(record))
                }
                Err(source) => {
                    let path = path.clone();
                    return Err(MeshError::Record { path, source });
                }
            },
        };
        let roster = Arc::new(Roster::default());
        let wish = Arc::new(watch::Sender::new(Wish::default()));
        let (events_in, events) = mpsc::channel(EVENTS_MAX);
        let running = swarm::start(
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

/// What the handle asks of the running mesh.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// Counts the changes of the roster.
    pub(super) changes: u64,
    pub(super) stop: bool,
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
