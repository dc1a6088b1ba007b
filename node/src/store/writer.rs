//! The one writer: takes what is queued, commits it as a group, syncs once, wakes the waiters.

use super::group::{Group, STATES_MAX};
use super::prepare::Prepared;
use super::records::Committed;
use super::{Shared, StoreError};
use std::sync::mpsc;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

/// The most commits in one group: one sync serves them all, and none waits for more than that.
const GROUP_COMMITS_MAX: usize = 256;

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
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let (requests, queue) = mpsc::channel();
        let handle = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || run(&shared, &queue))
            .map_err(|_| StoreError::Stopped)?;
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

/// Runs until the last handle is gone or the database fails. Ending closes the queue, so that every later
/// commit is answered with [`StoreError::Stopped`].
fn run(shared: &Shared, queue: &mpsc::Receiver<Request>) {
    let mut carried: Option<Request> = None;
    while let Some(first) = carried.take().or_else(|| queue.recv().ok()) {
        let mut states = first.commit.states();
        let mut group = vec![first];
        while group.len() < GROUP_COMMITS_MAX
            && let Ok(next) = queue.try_recv()
        {
            states.extend(next.commit.states());
            if states.len() > STATES_MAX {
                carried = Some(next);
                break;
            }
            group.push(next);
        }
        if !commit_group(shared, group) {
            return;
        }
    }
}

/// Returns whether the store can go on.
fn commit_group(shared: &Shared, group: Vec<Request>) -> bool {
    if shared.is_stopped() {
        group.into_iter().for_each(|request| {
            let _ = request.reply.send(Err(StoreError::Stopped));
        });
        return false;
    }
    let commits: Vec<&Prepared> = group.iter().map(|request| &request.commit).collect();
    match commit_all(shared, &commits) {
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
            .all(|request| commit_group(shared, vec![request])),
    }
}

fn commit_all(shared: &Shared, commits: &[&Prepared]) -> Result<Vec<Committed>, StoreError> {
    // Only this thread changes what is published, so that holding it for reading keeps nobody waiting.
    let published = shared.published();
    let mut group = Group::new(&shared.database, &published);
    let done = commits
        .iter()
        .map(|commit| group.add(commit))
        .collect::<Result<Vec<_>, _>>()?;
    let changes = group.apply()?;
    shared.database.sync()?;
    shared.note_committed(changes.size());
    drop(published);
    let mut published = shared
        .published
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    changes.publish(&mut published);
    Ok(done)
}
