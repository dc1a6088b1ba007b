//! The shared ground: one node's home, keys and store, what is in force, its clock, and how it is opened. What is done with
//! it is in the rooms beside: `release`, `admit`, `agree` and `holding`.
//!
//! Methods block on the store; callers keep them off the async threads.

mod ask;
mod clock;
mod connected;
mod decisions;
mod held_back;
mod in_force;
mod link_trouble;
mod open;
mod outcome;
mod stored;
mod tally;
mod troubles;

pub use ask::Ask;
pub use clock::{AcceptClockError, ClockAccepted};
pub(crate) use connected::{peer_key, peer_key_on_card};
pub use decisions::{DECISIONS_BYTES, Deciding, Decisions, Judgement};
pub use in_force::{ChangeError, Changing, Counterpart, InForce, JudgedWrites, Ready, Releasing};
pub(crate) use link_trouble::{LinkNews, LinkTrouble, Way};
pub use open::OpenError;
pub(crate) use outcome::{Answer, Became, Stands};
pub(crate) use stored::{Stored, stored};
pub use tally::Held;
pub(crate) use tally::Tally;

use crate::config::{Home, NodeKeys, Settings};
use crate::mesh::PeerKey;
use crate::partnership::{Governance, GovernanceError};
use crate::store::{BoxKey, Commit, Store, Write};
use ambit_ledger::{Fingerprint, Name, Time};
use clock::ClockState;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::watch;
use troubles::Troubles;

/// A node that is open. One per home at a time.
#[derive(Debug)]
pub struct Node {
    home: Home,
    settings: Settings,
    keys: NodeKeys,
    store: Store,
    decisions: Decisions,
    governance: RwLock<Arc<Governance>>,
    /// Held while observations are judged and committed: what is judged up to an entry stays so.
    releasing: Mutex<()>,
    /// Held while what a recipient did not take is offered again: two at a time would find the same.
    offering_again: Mutex<()>,
    /// Held, each for some of the outboxes, from where it is looked at how something stands there until what follows is committed.
    outboxes: [Mutex<()>; 64],
    /// Read while something is judged and committed, written while what is in force changes.
    governing: RwLock<()>,
    changes: watch::Sender<u64>,
    /// The peers that are connected now; nothing while the node does not run.
    connected: RwLock<Option<BTreeSet<PeerKey>>>,
    troubles: Troubles,
    clock: ClockState,
    /// What was counted for those who ask how it stands.
    tally: Mutex<Tally>,
}

impl Node {
    /// Its home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &NodeKeys {
        &self.keys
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Its memory of decisions.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// What is in force.
    #[must_use]
    pub fn governance(&self) -> Arc<Governance> {
        Arc::clone(
            &self
                .governance
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// This node's own root key's fingerprint.
    #[must_use]
    pub fn root_fingerprint(&self) -> Fingerprint {
        self.governance().opened().root
    }

    /// Counts what other tasks have to look at again: a grown outbox, a change of what is in force.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn notify(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Keeps others from offering again what a recipient did not take, but not from observing meanwhile.
    pub(crate) fn offering_again(&self) -> MutexGuard<'_, ()> {
        self.offering_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps others from changing how something stands in an outbox: from taking it back, offering it again, and recording
    /// what its recipient says of it. Whoever also judges takes the guard of what is in force first.
    pub(crate) fn outbox_alone(&self, outbox: &BoxKey) -> MutexGuard<'_, ()> {
        outbox
            .one_of(&self.outboxes)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What was counted for those who ask how it stands.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is in force again, after entries that change it were committed.
    /// What was read ahead of that commit is not verified and compiled once more.
    fn reload(&self, ahead: &Governance) -> Result<(), GovernanceError> {
        let governance = Arc::new(Governance::read_after(&self.store, Some(ahead))?);
        *self
            .governance
            .write()
            .unwrap_or_else(PoisonError::into_inner) = governance;
        self.notify();
        Ok(())
    }

    /// A commit of this node's own.
    #[must_use]
    pub(crate) fn commit_of(&self, now: Time, writes: Vec<Write>) -> Commit {
        Commit {
            actor: Actor::Node.name(),
            reason: None,
            now,
            writes,
        }
    }
}

/// Who caused an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Actor {
    /// A person here, who put something in force.
    Operator,
    /// Another member of an agreement, by a message that came over the mesh.
    Member,
    /// The node itself, also where a person or a source gave it what to observe.
    Node,
}

impl Actor {
    /// Its opaque id.
    pub(crate) fn name(self) -> Name {
        literal(match self {
            Self::Operator => "operator",
            Self::Member => "member",
            Self::Node => "node",
        })
    }
}

/// A name that stands in this crate.
fn literal(text: &'static str) -> Name {
    #[expect(clippy::expect_used, reason = "the names are literals of this crate")]
    text.parse().expect("a literal is a name")
}
