//! Reading ahead: frames wait in a short queue for the task that takes them.

use super::trouble::Trouble;
use crate::link::Arrived;
use crate::mesh::{Fault, LinkError, LinkReceiver, PeerKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

/// Frames that wait for a link's task.
pub(super) const FRAMES_AHEAD: usize = 16;
/// Frames that the task takes at once, and as many that may be read ahead of it. With those that wait, as many as one credit: what
/// is read of a peer that is to be told to go is bounded by that.
const FRAMES_AT_ONCE: usize = 24;

/// What the link may send the mesh has to carry.
const _: () = assert!(crate::link::FRAME_BYTES_MAX == crate::mesh::FRAME_BYTES_MAX);

const _: () = assert!(FRAMES_AHEAD + 2 * FRAMES_AT_ONCE == crate::link::CREDIT_ITEMS as usize);

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
pub(super) async fn read_waiting(
    first: Vec<u8>,
    frames: &mut mpsc::Receiver<Vec<u8>>,
) -> Result<Vec<Arrived>, JoinError> {
    let waiting = with_waiting(first, frames);
    tokio::task::spawn_blocking(move || read_all(&waiting)).await
}

pub(super) fn read_all(frames: &[Vec<u8>]) -> Vec<Arrived> {
    frames.iter().map(|frame| Arrived::read(frame)).collect()
}

/// A frame and those that wait behind it.
///
/// Not as many as there are: a peer that sends without pause would never be told to go.
fn with_waiting(first: Vec<u8>, frames: &mut mpsc::Receiver<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut waiting = vec![first];
    while waiting.len() < FRAMES_AT_ONCE
        && let Ok(frame) = frames.try_recv()
    {
        waiting.push(frame);
    }
    waiting
}

/// What was read ahead of its turn.
pub(super) struct Ahead<T> {
    batches: mpsc::Receiver<Result<Vec<T>, JoinError>>,
    is_reading: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Reads what comes, one batch ahead of whoever takes it, off the async threads.
    pub(super) fn start(
        mut frames: mpsc::Receiver<Vec<u8>>,
        read: impl Fn(&[Vec<u8>]) -> Vec<T> + Clone + Send + 'static,
    ) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let is_reading = Arc::new(AtomicBool::new(false));
        let reading = Arc::clone(&is_reading);
        let task = tokio::spawn(async move {
            while let Ok(place) = sender.reserve().await
                && let Some(first) = frames.recv().await
            {
                reading.store(true, Ordering::Relaxed);
                let (waiting, read) = (with_waiting(first, &mut frames), read.clone());
                let batch = tokio::task::spawn_blocking(move || read(&waiting)).await;
                // Before it is there, so that whoever took it never finds this still reading.
                reading.store(false, Ordering::Relaxed);
                place.send(batch);
            }
        });
        Self {
            batches,
            is_reading,
            task,
        }
    }

    /// The next batch, until the link ends.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<T>, JoinError>> {
        self.batches.recv().await
    }

    /// Whether nothing came that was not taken.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_reading.load(Ordering::Relaxed) && self.batches.is_empty()
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
