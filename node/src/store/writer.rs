//! One writer at a time: takes what is queued, commits it as a group, syncs once, applies it to the database, wakes the waiters.
//!
//! Whoever waits for a commit while nobody writes does it itself: to wake a thread and be woken by it takes longer than the rest of
//! the work. What nobody waits for yet is done by a thread.

use super::group::Group;
use super::journal::Journal;
use super::prepare::Prepared;
use super::records::{Applied, Committed};
use super::watermark::Watermark;
use super::{Shared, StoreError};
use std::collections::VecDeque;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The most commits in one group: one sync serves them all, and none waits for more than that.
const GROUP_COMMITS_MAX: usize = 256;
/// About how many bytes a group brings at most, unless one commit alone brings more: a group is held in memory.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A commit of so many bytes is left to the thread, whoever waits: to wake it takes little beside the work, and what it allocates
/// for one such commit goes on in the next, where many threads would each keep some.
const LED_BYTES_MAX: usize = 64 * 1024;

struct Request {
    commit: Prepared,
    reply: mpsc::SyncSender<Result<Committed, StoreError>>,
}

/// A handle to the writer. Its thread ends with the last handle, which waits for it: once the store is dropped, and no commit is
/// waited for, its files are closed.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    thread: Arc<Thread>,
}

#[derive(Debug)]
struct Thread {
    desk: Arc<Desk>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.desk.queue().is_closed = true;
        self.desk.come.notify_all();
        if let Some(handle) = self.handle.take() {
            // A writer that panicked has answered nobody and committed nothing more.
            let _ = handle.join();
        }
    }
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, tail: Tail) -> Result<Self, StoreError> {
        let desk = Arc::new(Desk {
            queue: Mutex::default(),
            come: Condvar::new(),
            tail: Mutex::new(tail),
            shared,
        });
        let of_thread = Arc::clone(&desk);
        let handle = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || of_thread.run())
            .map_err(StoreError::Thread)?;
        Ok(Self {
            thread: Arc::new(Thread {
                desk,
                handle: Some(handle),
            }),
        })
    }

    pub(super) fn is_stopped(&self) -> bool {
        let handle = self.thread.handle.as_ref();
        self.thread.desk.queue().is_closed || handle.is_none_or(JoinHandle::is_finished)
    }

    pub(super) fn submit(&self, commit: Prepared) -> Result<Pending, StoreError> {
        let desk = Arc::clone(&self.thread.desk);
        let (reply, answer) = mpsc::sync_channel(1);
        let is_large = commit.bytes() > LED_BYTES_MAX;
        let mut queue = desk.queue();
        if queue.is_closed {
            return Err(desk.shared.stop_reason());
        }
        queue.requests.push_back(Request { commit, reply });
        drop(queue);
        let mut pending = Pending {
            answer,
            desk,
            is_begun: false,
        };
        if is_large {
            pending.begin();
        }
        Ok(pending)
    }
}

/// A commit on its way to the disk. Dropped without waiting, it is committed or not; if nobody began with it, at the latest with
/// the next.
#[derive(Debug)]
#[must_use = "what was submitted counts only once it is on the disk"]
pub struct Pending {
    answer: mpsc::Receiver<Result<Committed, StoreError>>,
    desk: Arc<Desk>,
    /// The thread does it.
    is_begun: bool,
}

impl Pending {
    /// Has the thread begin with it, while something else is done here.
    pub fn begin(&mut self) {
        self.is_begun = true;
        self.desk.come.notify_one();
    }

    /// Returns once the commit is on the disk.
    ///
    /// # Errors
    /// Any [`StoreError`]. Where the store stopped, the next start says whether it was committed; else nothing was.
    pub fn wait(self) -> Result<Committed, StoreError> {
        match self.lead().or_else(|| self.answer.recv().ok()) {
            Some(Err(StoreError::Stopped)) | None => Err(self.desk.shared.stop_reason()),
            Some(answer) => answer,
        }
    }

    /// Commits what is queued, up to this, where nobody is at it.
    fn lead(&self) -> Option<Result<Committed, StoreError>> {
        if self.is_begun {
            return None;
        }
        let mut tail = self.desk.tail.try_lock().ok()?;
        let mut answer = None;
        self.desk.write(&mut tail, || {
            answer = self.answer.try_recv().ok();
            answer.is_some()
        });
        drop(tail);
        // What came meanwhile is not left to whoever waits for it next.
        if !self.desk.queue().requests.is_empty() {
            self.desk.come.notify_one();
        }
        answer
    }
}

/// The end of the ledger on the disk, which only who writes has.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) journal: Journal,
    pub(super) watermark: Watermark,
    pub(super) applied: Applied,
}

/// Where commits are handed in.
#[derive(Debug)]
struct Desk {
    queue: Mutex<Queue>,
    /// Told when something comes that the thread is to do.
    come: Condvar,
    /// Held by who writes.
    tail: Mutex<Tail>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Queue {
    /// In their order.
    requests: VecDeque<Request>,
    /// Nothing more is taken.
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Queue")
            .field("requests", &self.requests.len())
            .field("is_closed", &self.is_closed)
            .finish()
    }
}

/// Closes the desk where who writes panics: what it began is not gone on with.
struct Writing<'a>(&'a Desk);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

impl Desk {
    /// Nothing panics with it held.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread does, until the last handle is gone or the disk fails.
    fn run(&self) {
        loop {
            let mut queue = self.queue();
            while queue.requests.is_empty() {
                if queue.is_closed {
                    return;
                }
                let waited = self.come.wait(queue);
                queue = waited.unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            match self.tail.lock() {
                Ok(mut tail) => self.write(&mut tail, || false),
                Err(_) => self.close(),
            }
        }
    }

    /// Commits what is queued, group by group, until that is done which is waited for.
    fn write(&self, tail: &mut Tail, mut is_done: impl FnMut() -> bool) {
        let _writing = Writing(self);
        while !is_done() {
            let group = self.next_group();
            if group.is_empty() {
                return;
            }
            if !commit_group(&self.shared, tail, group) {
                return self.close();
            }
        }
    }

    fn next_group(&self) -> Vec<Request> {
        let mut queue = self.queue();
        let mut bytes = 0_usize;
        let mut group: Vec<Request> = Vec::new();
        while group.len() < GROUP_COMMITS_MAX
            && let Some(next) = queue.requests.front()
        {
            bytes = bytes.saturating_add(next.commit.bytes());
            if bytes > GROUP_BYTES_MAX && !group.is_empty() {
                break;
            }
            group.extend(queue.requests.pop_front());
        }
        group
    }

    /// Takes nothing more. Every waiter is told that the store stopped, as every later commit is.
    fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        for request in queue.requests.drain(..) {
            let _ = request.reply.send(Err(StoreError::Stopped));
        }
        self.come.notify_all();
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
    // Only who writes changes what is published, so that holding it for reading keeps nobody waiting.
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
