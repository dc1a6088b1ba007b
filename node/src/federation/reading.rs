//! Reading ahead: frames wait in a short queue for the task that takes them.

use super::trouble::Trouble;
use crate::link::Arrived;
use crate::mesh::{Fault, LinkError, LinkReceiver, PeerKey};
use tokio::sync::mpsc;
use tokio::task::JoinError;

/// Frames that wait for a link's task.
pub(super) const FRAMES_AHEAD: usize = 32;
/// Frames that the task takes at once. With those that wait, as many as one credit: what is read of a peer that is to be
/// told to go is bounded by both.
const FRAMES_AT_ONCE: usize = 32;

/// What the link may send the mesh has to carry.
const _: () = assert!(crate::link::FRAME_BYTES_MAX == crate::mesh::FRAME_BYTES_MAX);

/// Reads frames until the link ends.
pub(super) async fn read(
    mut receiver: LinkReceiver,
    trouble: Trouble,
    frames: mpsc::Sender<Vec<u8>>,
) {
    loop {
        match receiver.recv().await {
            Ok(Some(frame)) => {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                charge_broken(&trouble, &receiver.peer(), &error);
                tracing::debug!(%error, "a link broke");
                return;
            }
        }
    }
}

/// Charges what no honest peer declares. A link that breaks otherwise is nobody's fault.
pub(super) fn charge_broken(trouble: &Trouble, peer: &PeerKey, error: &LinkError) {
    if matches!(error, LinkError::PeerFrameTooLarge { .. }) {
        trouble.charge(peer, Fault::Dishonest);
    }
}

/// Reads a frame and those that wait behind it, off the async threads: they may be large, and be anything.
///
/// Not as many as there are: a peer that sends without pause would never be told to go.
pub(super) async fn read_waiting(
    first: Vec<u8>,
    frames: &mut mpsc::Receiver<Vec<u8>>,
) -> Result<Vec<Arrived>, JoinError> {
    let mut waiting = vec![first];
    while waiting.len() < FRAMES_AT_ONCE
        && let Ok(frame) = frames.try_recv()
    {
        waiting.push(frame);
    }
    tokio::task::spawn_blocking(move || waiting.iter().map(|frame| Arrived::read(frame)).collect())
        .await
}
