//! The node's own programming interface: the operations, and how they are reached over loopback.
//!
//! ```text
//! POST /v1/operations/NAME  what the operation takes as JSON, its answer as JSON
//! GET  /v1/bundle           the bundle for an auditor; where it fails on the way, 4 bytes 0xff and the failure
//! GET  /v1/organization     whose node answers, as a JSON string
//! ```
//!
//! What fails is a [`Failure`](crate::failure::Failure) as JSON. Every request carries the token from the home's `api.json`. Commands reach it by a
//! Unix socket that only the owner of the home may connect to; where the system has none, and where node.toml names a port, it listens
//! on the loopback address, and never anywhere else.

mod client;
mod operations;
mod server;
#[cfg(unix)]
mod socket;

pub use client::{Client, ClientError, Request};
pub use operations::Operation;
pub use server::{ApiServer, ServeError};

use crate::config::Home;
use crate::platform::file_number;
use serde::{Deserialize, Serialize};

/// What stands in a bundle that is being sent, in the place of the length of a record, where it cannot be written to its end: behind
/// it comes the failure. No record is so long.
pub(crate) const BUNDLE_FAILED: [u8; 4] = [0xff; 4];

/// Where a running node answers: the content of `api.json`, which only its owner may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The Unix socket, from the home on; absent where the system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<std::path::PathBuf>,
    /// The loopback address and port; absent where there is a socket and no port was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<std::net::SocketAddr>,
    /// The token every request carries.
    pub token: String,
    /// The numbers of the file that this stands in, where the system has such: a copy of the home is another one, and nobody
    /// answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<(u64, u64)>,
}

impl Endpoint {
    /// What the `api.json` of a home says. None where there is none, where it is cut off, and where it is a copy of another home's: what
    /// runs for that one is not asked in its place.
    fn of(home: &Home) -> Option<Self> {
        let text = home.read(&home.api_path()).ok().flatten()?;
        let endpoint: Self = serde_json::from_str(&text).ok()?;
        let number = std::fs::metadata(home.api_path());
        let number = number.ok().as_ref().and_then(file_number);
        (endpoint.file.is_none() || endpoint.file == number).then_some(endpoint)
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.socket, &self.address) {
            (Some(socket), None) => socket.display().fmt(formatter),
            (_, Some(address)) => address.fmt(formatter),
            (None, None) => formatter.write_str("no place"),
        }
    }
}
