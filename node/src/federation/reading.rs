//! Reading ahead: frames wait in a short queue for the task that takes them.

use super::trouble::Trouble;
use crate::link::Arrived;
use crate::mesh::{Fault, LinkError, LinkReceiver, PeerKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle};

/// Frames that wait for a link's task.
pub(super) const FRAMES_AHEAD: usize = 16;
/// Frames of one batch.
const FRAMES_AT_ONCE: usize = 16;
/// A batch that holds so many bytes takes no further frame: honest frames are mostly some thousand bytes large.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches that may be read ahead of the task: so many are looked at beside each other while it commits what it took.
const BATCHES_AHEAD: usize = 2;
/// Frames that are read of a peer that is to be told to go. What else comes waits in the connection. At the largest they are 4 MiB of
/// those that wait, and 768 KiB a batch, or 2 MiB of readings that it unpacks to.
const FRAMES_READ_MAX: usize = FRAMES_AHEAD + (1 + BATCHES_AHEAD) * FRAMES_AT_ONCE;

/// What the link may send the mesh has to carry.
const _: () = assert!(crate::link::FRAME_BYTES_MAX == crate::mesh::FRAME_BYTES_MAX);

/// A credit lets come more than is read: the rest is on its way.
const _: () = assert!(FRAMES_READ_MAX <= crate::link::CREDIT_ITEMS as usize / 2);

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
    let mut bytes = first.len();
    let mut waiting = vec![first];
    while waiting.len() < FRAMES_AT_ONCE
        && bytes < BATCH_BYTES
        && let Ok(frame) = frames.try_recv()
    {
        bytes += frame.len();
        waiting.push(frame);
    }
    waiting
}

/// What was read ahead of its turn.
pub(super) struct Ahead<T> {
    batches: mpsc::Receiver<Batch<T>>,
    /// The next, while it is awaited.
    next: Option<Batch<T>>,
    is_reading: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// Frames that were read, while they are looked at. Where nobody takes them any more, they are not looked at.
#[derive(Debug)]
struct Batch<T>(JoinHandle<Result<Vec<T>, JoinError>>);

impl<T> Drop for Batch<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Places for looking at batches, for all links of a node and by turns: as many as processors, so that no peer takes up more
/// threads, with what each keeps in memory, than can work.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors.max(2))))
    }
}

impl<T: Send + 'static> Ahead<T> {
    /// Reads what comes in its order, and looks at it beside what came before, some batches ahead of whoever takes it and off the
    /// async threads.
    pub(super) fn start<R: Send + 'static>(
        mut frames: mpsc::Receiver<Vec<u8>>,
        places: Places,
        read: impl Fn(&[Vec<u8>]) -> R + Clone + Send + 'static,
        look_at: impl Fn(R) -> Vec<T> + Clone + Send + 'static,
    ) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let is_reading = Arc::new(AtomicBool::new(false));
        let reading = Arc::clone(&is_reading);
        let task = tokio::spawn(async move {
            while let Ok(place) = sender.reserve().await
                && let Some(first) = frames.recv().await
            {
                reading.store(true, Ordering::Release);
                let (waiting, read) = (with_waiting(first, &mut frames), read.clone());
                let read = tokio::task::spawn_blocking(move || read(&waiting)).await;
                let (look_at, Places(places)) = (look_at.clone(), places.clone());
                place.send(Batch(tokio::spawn(async move {
                    let read = read?;
                    let held = places.acquire_owned().await;
                    tokio::task::spawn_blocking(move || {
                        // For as long as this goes on, whoever waits for it.
                        let _held = held;
                        look_at(read)
                    })
                    .await
                })));
                reading.store(false, Ordering::Release);
            }
        });
        Self {
            batches,
            next: None,
            is_reading,
            task,
        }
    }

    /// The next batch, until the link ends. Nothing is lost where it is not awaited to the end.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<T>, JoinError>> {
        let next = match &mut self.next {
            Some(next) => next,
            none @ None => none.insert(self.batches.recv().await?),
        };
        let batch = (&mut next.0).await;
        self.next = None;
        Some(batch.flatten())
    }

    /// The next batch, where it is there.
    pub(super) async fn next_if_there(&mut self) -> Option<Result<Vec<T>, JoinError>> {
        if self.next.is_none() {
            self.next = self.batches.try_recv().ok();
        }
        if !self.next.as_ref()?.0.is_finished() {
            return None;
        }
        self.next().await
    }

    /// Whether nothing came that was not taken.
    pub(super) fn is_empty(&self) -> bool {
        // In this order: what is read is there before it is not being read any more.
        !self.is_reading.load(Ordering::Acquire) && self.next.is_none() && self.batches.is_empty()
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    #[tokio::test]
    async fn batches_come_in_the_order_they_were_read() {
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let (go_on, held) = std::sync::mpsc::channel();
        let held = Arc::new(Mutex::new(held));
        let read = |frames: &[Vec<u8>]| frames.concat();
        let mut ahead = Ahead::start(frames, Places::default(), read, move |read: Vec<u8>| {
            if read.contains(&0) {
                held.lock().unwrap().recv().unwrap();
            }
            read
        });
        let sending = tokio::spawn(async move {
            for frame in 0..=40 {
                sender.send(vec![frame]).await.unwrap();
                // As far as there is room, each comes in a batch of its own.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        // Whoever waits turns to something else.
        let waited = tokio::time::timeout(Duration::from_millis(50), ahead.next()).await;
        assert!(waited.is_err());
        assert!(ahead.next_if_there().await.is_none());
        assert!(!ahead.is_empty());
        go_on.send(()).unwrap();
        let mut all = Vec::new();
        while let Some(batch) = ahead.next().await {
            all.extend(batch.unwrap());
        }
        assert_eq!(all, (0..=40).collect::<Vec<u8>>());
        assert!(ahead.is_empty());
        sending.await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_takes_any_more_is_not_looked_at_and_holds_nobody_up() {
        let places = Places::default();
        let count = places.0.available_permits();
        let looked_at = Arc::new(Mutex::new(0));
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let read = |frames: &[Vec<u8>]| frames.concat();
        for _ in 0..50 {
            let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
            let (held, looked_at) = (Arc::clone(&held), Arc::clone(&looked_at));
            let ahead = Ahead::start(frames, places.clone(), read, move |read: Vec<u8>| {
                *looked_at.lock().unwrap() += 1;
                let _ = held.lock().unwrap().recv();
                read
            });
            sender.send(vec![1]).await.unwrap();
            while ahead.batches.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        drop(go_on);
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let mut ahead = Ahead::start(frames, places.clone(), read, |read: Vec<u8>| read);
        sender.send(vec![1]).await.unwrap();
        assert_eq!(ahead.next().await.unwrap().unwrap(), [1]);
        assert!(*looked_at.lock().unwrap() <= count);
    }

    #[tokio::test]
    async fn a_batch_is_bounded_in_frames_and_in_bytes() {
        for (bytes, count) in [(1, FRAMES_AT_ONCE), (BATCH_BYTES / 4, 4), (BATCH_BYTES, 1)] {
            let (sender, mut frames) = mpsc::channel(2 * FRAMES_AT_ONCE);
            for _ in 0..2 * FRAMES_AT_ONCE {
                sender.send(vec![0; bytes]).await.unwrap();
            }
            let first = frames.recv().await.unwrap();
            assert_eq!(with_waiting(first, &mut frames).len(), count);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_to_whoever_awaits_it() {
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let read = |_: &[Vec<u8>]| -> Vec<u8> { panic!("it cannot be read") };
        let mut ahead = Ahead::start(frames, Places::default(), read, |read: Vec<u8>| read);
        sender.send(vec![1]).await.unwrap();
        assert!(ahead.next().await.unwrap().is_err());
        drop(sender);
        assert!(ahead.next().await.is_none());
    }
}
