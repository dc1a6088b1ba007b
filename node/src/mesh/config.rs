//! How a mesh is set up, and why it did not start.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

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

/// Why the mesh did not start.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The seed gives no key pair.
    #[error("failed to read the connection key: put `keys/transport.key` back from a backup")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The encryption of connections could not be set up.
    #[error("failed to set up the encryption of connections")]
    Encryption(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A listen address has the wrong form.
    #[error(
        "failed to read the listen address `{address}`: write `listen` under [mesh] in node.toml like `/ip4/0.0.0.0/tcp/4001`"
    )]
    ListenAddress {
        /// The address as it was given.
        address: String,
    },
    /// A listen address is taken, or not one of this machine.
    #[error(
        "failed to listen on `{address}`: set `listen` under [mesh] in node.toml to an address of this machine and a port that no other program uses"
    )]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The system reported no bound address in time.
    #[error(
        "failed to listen within {seconds} seconds, for no network interface came up: set `listen` under [mesh] in node.toml \
         to an address of one that is up"
    )]
    ListenTimeout {
        /// How long was waited.
        seconds: u64,
    },
    /// The file for recorded frames can't be opened.
    #[error(
        "failed to open the frame record `{}`: set `record_frames` under [mesh] in node.toml to a file that can be written, \
         or leave it out",
        path.display()
    )]
    Record {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
