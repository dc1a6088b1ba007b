//! The frame record: a diagnostic that appends every frame sent and received to a file, **in plaintext**.
//!
//! It exists so that a test, or an operator on a test federation, can search what really crossed a link. It is off unless a
//! path is configured, and it must never be on where the data is not the operator's own to show.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::peer::PeerKey;

/// Which way a recorded frame went.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Sent,
    Received,
}

/// Appends one line per frame: `sent|received`, the peer's key in hex, the length in bytes, the body in hex; spaces between.
#[derive(Debug)]
pub(super) struct FrameRecord {
    file: Mutex<File>,
}

impl FrameRecord {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        // What crosses in plain is for nobody else; what is there stays as it was made.
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path)?;
        Ok(Self {
            file: Mutex::new(file),
        })
    }

    /// A record that fails is reported and otherwise ignored: a diagnostic must not stop a link.
    pub(super) fn append(&self, direction: Direction, peer: &PeerKey, body: &[u8]) {
        let way = match direction {
            Direction::Sent => "sent",
            Direction::Received => "received",
        };
        let line = format!("{way} {peer} {} {}\n", body.len(), hex::encode(body));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write per line, so lines of several processes that share a file do not mix.
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!(%error, "failed to append to the frame record");
        }
    }
}
