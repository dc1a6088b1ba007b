//! Reading ahead: frames wait in a short queue for the task that takes them.

use super::trouble::Trouble;
use crate::mesh::{Fault, LinkError, LinkReceiver, PeerKey};
use tokio::sync::mpsc;

/// Frames read ahead of a link's task: as many as one credit.
pub(super) const FRAMES_AHEAD: usize = 64;

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
