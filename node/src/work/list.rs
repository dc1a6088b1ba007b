//! The list, and the task that goes by it.

use crate::federation::Upkeep;
use crate::node::Node;
use crate::release::ObserveError;
use crate::store::StoreError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How often it is looked at whether the clock is right again, whether there is room again, and whether the ledger can still be
/// written; and how often what came is counted.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked at whether a decision that keeps something back is no longer true.
const ENDS_INTERVAL: Duration = Duration::from_secs(5);
/// How often it is looked at whether an agreement or a key ended by time.
const PEERS_INTERVAL: Duration = Duration::from_secs(5);
/// How often what was refused is recorded, where no commit took it along.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(5);

/// Everything that comes again and again while a node runs.
#[must_use]
pub fn works(node: &Arc<Node>, upkeep: &Upkeep) -> Vec<Work> {
    let [writable, clock, room, counting, deciding] = [(); 5].map(|()| Arc::clone(node));
    let refusals = upkeep.clone();
    vec![
        Work::blocking("the look at its ledger", LOOK_INTERVAL, move || {
            look_at_store(&writable)
        }),
        Work::blocking("the look at its clock", LOOK_INTERVAL, move || {
            look_at_clock(&clock)
        }),
        Work::blocking("the look at its disk", LOOK_INTERVAL, move || {
            look_at_room(&room)
        }),
        Work::blocking("the count of what it holds", LOOK_INTERVAL, move || {
            Ok(counting.count_some()?)
        }),
        Work::blocking("the look at decisions that end", ENDS_INTERVAL, move || {
            look_at_ends(&deciding)
        }),
        Work::blocking("the record of refusals", REFUSALS_INTERVAL, move || {
            match refusals.record_refused() {
                // They are counted until there is room.
                Err(StoreError::NoRoom(_)) => Ok(()),
                recorded => Ok(recorded?),
            }
        }),
        Work::waking("the look at its peers", PEERS_INTERVAL, upkeep.peers()),
    ]
}

/// One thing that comes again and again.
#[derive(Debug)]
pub struct Work {
    what: &'static str,
    every: Duration,
    thread: Thread,
}

/// On which thread a work is done.
enum Thread {
    /// One of its own while it lasts: it may block, verify and judge.
    Blocking(Arc<dyn Fn() -> Result<(), WorkFailed> + Send + Sync>),
    /// The async ones: a task that has the state is woken, and only looks at it.
    Async(Arc<Notify>),
}

impl fmt::Debug for Thread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Blocking(_) => "Blocking",
            Self::Async(_) => "Async",
        })
    }
}

impl Work {
    fn blocking(
        what: &'static str,
        every: Duration,
        work: impl Fn() -> Result<(), WorkFailed> + Send + Sync + 'static,
    ) -> Self {
        Self {
            what,
            every,
            thread: Thread::Blocking(Arc::new(work)),
        }
    }

    fn waking(what: &'static str, every: Duration, task: Arc<Notify>) -> Self {
        Self {
            what,
            every,
            thread: Thread::Async(task),
        }
    }

    /// Does it again and again; the next time begins after the last is over. Returns why it cannot go on.
    async fn repeat(self) -> WorkError {
        let what = self.what;
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match &self.thread {
                Thread::Async(task) => task.notify_one(),
                Thread::Blocking(work) => {
                    let work = Arc::clone(work);
                    match tokio::task::spawn_blocking(move || work()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(source)) => return WorkError::Failed { what, source },
                        Err(source) => return WorkError::Task { what, source },
                    }
                }
            }
        }
    }
}

/// A periodic work failed: the node cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It said why.
    #[error("the node stops, because {what} failed")]
    Failed {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: WorkFailed,
    },
    /// It broke off.
    #[error("the node stops, because {what} broke off")]
    Task {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: tokio::task::JoinError,
    },
}

/// Why a work failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkFailed {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was left open cannot be judged.
    #[error(transparent)]
    CatchUp(#[from] ObserveError),
}

/// Does all of them until `stop` changes or its sender is gone.
///
/// # Errors
/// [`WorkError`] of the first that cannot go on.
pub async fn run(works: Vec<Work>, mut stop: watch::Receiver<bool>) -> Result<(), WorkError> {
    let mut running = JoinSet::new();
    for work in works {
        running.spawn(work.repeat());
    }
    tokio::select! {
        Some(ended) = running.join_next() => Err(match ended {
            Ok(error) => error,
            Err(source) => WorkError::Task { what: "periodic work", source },
        }),
        _ = stop.changed() => Ok(()),
    }
}

/// Nothing goes on once the ledger cannot be written.
fn look_at_store(node: &Node) -> Result<(), WorkFailed> {
    if node.store().is_stopped() {
        return Err(node.store().stop_reason().into());
    }
    Ok(())
}

/// Judges what was left while the clock was wrong, once it is right again; links look at it themselves.
fn look_at_clock(node: &Node) -> Result<(), WorkFailed> {
    let now = crate::clock::now();
    if !node.is_clock_right_again(now) {
        return Ok(());
    }
    Ok(node.catch_up_when_timely(now)?)
}

/// Judges what was left while too little space was free, once there is more; links look at it themselves.
fn look_at_room(node: &Node) -> Result<(), WorkFailed> {
    if !node.store().has_room_again() {
        return Ok(());
    }
    tracing::info!("there is room on the disk again");
    Ok(node.catch_up_when_timely(crate::clock::now())?)
}

/// Judges again what was kept back until an instant, once that has come.
fn look_at_ends(node: &Node) -> Result<(), WorkFailed> {
    let now = crate::clock::now();
    if !node.decisions().has_ended(now) {
        return Ok(());
    }
    Ok(node.catch_up_when_timely(now)?)
}
