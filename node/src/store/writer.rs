//! The one writer: takes what is queued, commits it as a group, syncs once, applies it to the database, wakes the waiters.

use super::group::Group;
use super::journal::Journal;
use super::prepare::Prepared;
use super::records::{Applied, Committed};
use super::watermark::Watermark;
use super::{Shared, StoreError};
use std::sync::mpsc;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

/// The most commits in one group: one sync serves them all, and none waits for more than that.
const GROUP_COMMITS_MAX: usize = 256;
/// About how many bytes a group brings at most, unless one commit alone brings more: a group is held in memory.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

struct Request {
    commit: Prepared,
    reply: mpsc::SyncSender<Result<Committed, StoreError>>,
}

/// A handle to the writer's thread. The thread ends with the last handle, which waits for it: once the
/// store is dropped, and no commit is waited for, its files are closed.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    thread: Arc<Thread>,
}

#[derive(Debug)]
struct Thread {
    requests: Option<mpsc::Sender<Request>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(handle) = self.handle.take() {
            // A writer that panicked has answered nobody and committed nothing more.
            let _ = handle.join();
        }
    }
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, mut tail: Tail) -> Result<Self, StoreError> {
        let (requests, queue) = mpsc::channel();
        let handle = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || run(&shared, &mut tail, &queue))
            .map_err(StoreError::Thread)?;
        Ok(Self {
            thread: Arc::new(Thread {
                requests: Some(requests),
                handle: Some(handle),
            }),
        })
    }

    pub(super) fn is_stopped(&self) -> bool {
        let handle = self.thread.handle.as_ref();
        handle.is_none_or(JoinHandle::is_finished)
    }

    pub(super) fn submit(
        &self,
        shared: &Arc<Shared>,
        commit: Prepared,
    ) -> Result<Pending, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let sent = match &self.thread.requests {
            Some(requests) => requests.send(Request { commit, reply }).is_ok(),
            None => false,
        };
        if sent {
            let shared = Arc::clone(shared);
            Ok(Pending { answer, shared })
        } else {
            Err(shared.stop_reason())
        }
    }
}

/// A commit on its way to the disk. Dropped without waiting, it is committed or not.
#[derive(Debug)]
#[must_use = "what was submitted counts only once it is on the disk"]
pub struct Pending {
    answer: mpsc::Receiver<Result<Committed, StoreError>>,
    shared: Arc<Shared>,
}

impl Pending {
    /// Returns once the commit is on the disk.
    ///
    /// # Errors
    /// Any [`StoreError`]. Where the store stopped, the next start says whether it was committed; else nothing was.
    pub fn wait(self) -> Result<Committed, StoreError> {
        match self.answer.recv() {
            Ok(Err(StoreError::Stopped)) | Err(_) => Err(self.shared.stop_reason()),
            Ok(answer) => answer,
        }
    }
}

/// The end of the ledger on the disk, which only the writer has.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) journal: Journal,
    pub(super) watermark: Watermark,
    pub(super) applied: Applied,
}

/// Runs until the last handle is gone or the disk fails. Ending closes the queue, so that every later
/// commit is answered with [`StoreError::Stopped`].
fn run(shared: &Shared, tail: &mut Tail, queue: &mpsc::Receiver<Request>) {
    let mut carried: Option<Request> = None;
    while let Some(first) = carried.take().or_else(|| queue.recv().ok()) {
        let mut bytes = first.commit.bytes();
        let mut group = vec![first];
        while group.len() < GROUP_COMMITS_MAX
            && let Ok(next) = queue.try_recv()
        {
            bytes = bytes.saturating_add(next.commit.bytes());
            if bytes > GROUP_BYTES_MAX {
                carried = Some(next);
                break;
            }
            group.push(next);
        }
        if !commit_group(shared, tail, group) {
            return;
        }
    }
}

/// Returns whether the store can go on.
fn commit_group(shared: &Shared, tail: &mut Tail, group: Vec<Request>) -> bool {
    if shared.is_stopped() {
        group.into_iter().for_each(|request| {
            let _ = request.reply.send(Err(StoreError::Stopped));
        });
        return false;
    }
    let commits: Vec<&Prepared> = group.iter().map(|request| &request.commit).collect();
    match commit_all(shared, tail, &commits) {
        Ok(done) => {
            for (request, done) in group.iter().zip(done) {
                // A waiter that went away does not undo what was committed.
                let _ = request.reply.send(Ok(done));
            }
            true
        }
        Err(error) if error.is_final() => {
            shared.stop(&error);
            let mut group = group.into_iter();
            if let Some(first) = group.next() {
                let _ = first.reply.send(Err(error));
            }
            group.for_each(|request| {
                let _ = request.reply.send(Err(StoreError::Stopped));
            });
            false
        }
        Err(error) if group.len() == 1 => {
            group
                .into_iter()
                .zip(Some(error))
                .for_each(|(request, error)| {
                    let _ = request.reply.send(Err(error));
                });
            true
        }
        // One commit of several was refused: each goes alone, so that only that one fails.
        Err(_) => group
            .into_iter()
            .all(|request| commit_group(shared, tail, vec![request])),
    }
}

fn commit_all(
    shared: &Shared,
    tail: &mut Tail,
    commits: &[&Prepared],
) -> Result<Vec<Committed>, StoreError> {
    // Only this thread changes what is published, so that holding it for reading keeps nobody waiting.
    let published = shared.published();
    let mut group = Group::new(&shared.database, &published);
    let done = commits
        .iter()
        .map(|commit| group.add(commit))
        .collect::<Result<Vec<_>, _>>()?;
    let mut group = group.end()?;
    drop(published);
    let after = tail.journal.append(group.parts())?.after;
    tail.journal.sync()?;
    // From here on it is committed, whatever becomes of the database.
    tail.watermark.note(after);
    let applied = tail.applied.next(after);
    // Who comes upon something of it in the database waits until it counts.
    let _applying = shared.applying();
    group.apply(&shared.database, &applied)?;
    tail.applied = applied;
    let mut published = shared
        .published
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    group.publish(&mut published);
    Ok(done)
}
