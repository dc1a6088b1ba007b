//! What is in force, as guards: it stays so while one is held.
//!
//! Judging takes a guard, and what was judged can only be committed while that guard is held: to judge under one set of
//! terms and commit under another does not compile.

use super::{Actor, Deciding, Node};
use crate::partnership::{Governance, GovernanceError, Partnership};
use crate::store::{BoxKey, Commit, Pending, Prepared, StoreError, Write};
use ambit_ledger::{Member, OrganizationId, PartnershipId, Time};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, MutexGuard, PoisonError, RwLockReadGuard};

/// What is in force. It stays so while this is held.
#[derive(Debug)]
pub struct InForce<'a> {
    node: &'a Node,
    governance: Arc<Governance>,
    since: Time,
    _judging: RwLockReadGuard<'a, ()>,
}

/// What is in force, while nobody else observes or changes it: what is judged up to an entry stays so.
#[derive(Debug)]
pub struct Releasing<'a> {
    in_force: InForce<'a>,
    _alone: MutexGuard<'a, ()>,
}

/// What is in force, looked at by whoever is about to change it. Nobody else observes or changes it meanwhile.
#[derive(Debug)]
pub struct Changing<'a> {
    node: &'a Node,
    governance: Arc<Governance>,
    by: Actor,
    _alone: MutexGuard<'a, ()>,
}

/// Another member, under a partnership that is in force.
#[derive(Clone, Copy, Debug)]
pub struct Counterpart<'g> {
    partnership: &'g Partnership,
    member: &'g Member,
}

/// What is to be committed of what was judged, while what it was judged under is held.
#[derive(Clone, Debug)]
pub struct JudgedWrites<'g> {
    writes: Vec<Write>,
    under: PhantomData<&'g Governance>,
}

/// A commit of what was judged, made ready.
#[derive(Debug)]
pub struct Ready<'g> {
    prepared: Prepared,
    under: PhantomData<&'g Governance>,
}

/// A change of what is in force was not made, or not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What would be in force could not be read, so nothing was recorded.
    #[error(
        "nothing was recorded, because this node could not read it again: {0}; please report it"
    )]
    Unreadable(String),
    /// What is in force now cannot be read.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
}

impl Node {
    /// What is in force, for judging. It stays so while this is held.
    pub fn judging(&self) -> InForce<'_> {
        let judging = self
            .governing
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        InForce {
            node: self,
            governance: self.governance(),
            since: self.store.last_time(),
            _judging: judging,
        }
    }

    /// What is in force, for judging one's own observations for everybody.
    pub(crate) fn releasing(&self) -> Releasing<'_> {
        let alone = self.alone();
        Releasing {
            in_force: self.judging(),
            _alone: alone,
        }
    }

    /// What is in force, for an operator's change of it.
    pub(crate) fn changing(&self) -> Changing<'_> {
        self.changing_by(Actor::Operator)
    }

    /// What is in force, for changing it.
    pub(crate) fn changing_by(&self, by: Actor) -> Changing<'_> {
        let alone = self.alone();
        Changing {
            node: self,
            governance: self.governance(),
            by,
            _alone: alone,
        }
    }

    /// Keeps others from observing and from changing what is in force, whatever is judged meanwhile.
    pub(crate) fn alone(&self) -> MutexGuard<'_, ()> {
        self.releasing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for InForce<'_> {
    type Target = Governance;

    fn deref(&self) -> &Governance {
        &self.governance
    }
}

impl<'a> Deref for Releasing<'a> {
    type Target = InForce<'a>;

    fn deref(&self) -> &InForce<'a> {
        &self.in_force
    }
}

impl Deref for Changing<'_> {
    type Target = Governance;

    fn deref(&self) -> &Governance {
        &self.governance
    }
}

impl InForce<'_> {
    /// The node it is in force at.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.node
    }

    /// All that is in force, to be compared with what was another time.
    #[must_use]
    pub(crate) fn governance(&self) -> &Arc<Governance> {
        &self.governance
    }

    /// No earlier than everything that is in force came into force, by the entries that say so.
    #[must_use]
    pub(crate) fn since(&self) -> Time {
        self.since
    }

    /// Begins what one commit is to record of decisions.
    #[must_use]
    pub fn deciding(&self) -> Deciding<'_> {
        Deciding::begin(self, self.node.decisions(), self.node.store())
    }

    /// Every other member of every partnership that all have signed, over or not.
    pub fn signed(&self) -> impl Iterator<Item = Counterpart<'_>> {
        self.governance
            .signed()
            .filter_map(|(partnership, organization)| {
                let member = partnership.terms().member(organization)?;
                Some(Counterpart {
                    partnership,
                    member,
                })
            })
    }

    /// Every other member of every partnership that is judged for at an instant.
    pub fn recipients(&self, now: Time) -> impl Iterator<Item = Counterpart<'_>> {
        self.signed()
            .filter(move |to| to.partnership.is_judged(now))
    }

    /// A member of a partnership that is known here, active or not.
    #[must_use]
    pub fn counterpart(
        &self,
        partnership: &PartnershipId,
        member: &OrganizationId,
    ) -> Option<Counterpart<'_>> {
        let partnership = self.partnership(partnership)?;
        let member = partnership.terms().member(member)?;
        Some(Counterpart {
            partnership,
            member,
        })
    }

    /// What is to be committed before anything is judged: nothing.
    #[must_use]
    pub fn nothing_judged(&self) -> JudgedWrites<'_> {
        JudgedWrites {
            writes: Vec::new(),
            under: PhantomData,
        }
    }

    /// Commits what was judged.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it was recorded.
    pub fn commit(&self, now: Time, judged: JudgedWrites<'_>) -> Result<(), StoreError> {
        let commit = self.node.commit_of(now, judged.writes);
        self.node.store().commit(commit)?;
        Ok(())
    }

    /// Makes a commit of what was judged ready: encodes and seals it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prepare<'g>(
        &'g self,
        now: Time,
        judged: JudgedWrites<'g>,
    ) -> Result<Ready<'g>, StoreError> {
        let commit = self.node.commit_of(now, judged.writes);
        Ok(Ready {
            prepared: self.node.store().prepare(commit)?,
            under: PhantomData,
        })
    }

    /// Hands a commit over to the writer. It is on the disk once it was waited for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn submit(&self, ready: Ready<'_>) -> Result<Pending, StoreError> {
        self.node.store().submit(ready.prepared)
    }
}

impl Changing<'_> {
    /// Records a change of what is in force, and takes it over. Nothing is judged meanwhile.
    ///
    /// # Errors
    /// [`ChangeError::Store`] and [`ChangeError::Unreadable`], then nothing was recorded; [`ChangeError::Governance`].
    pub(crate) fn commit(self, writes: Vec<Write>, now: Time) -> Result<(), ChangeError> {
        let node = self.node;
        let _nobody_judges = node
            .governing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let ahead = self.governance.read_ahead(node.store(), &writes);
        let ahead = ahead.map_err(|error| match error {
            GovernanceError::Entry { what, .. } => ChangeError::Unreadable(what),
            error => error.into(),
        })?;
        node.store().commit(Commit {
            actor: self.by.name(),
            reason: None,
            now,
            writes,
        })?;
        Ok(node.reload(&ahead)?)
    }
}

impl<'g> Counterpart<'g> {
    /// The partnership.
    #[must_use]
    pub fn partnership(&self) -> &'g Partnership {
        self.partnership
    }

    /// The member as the terms name it.
    #[must_use]
    pub fn member(&self) -> &'g Member {
        self.member
    }

    /// The member's id.
    #[must_use]
    pub fn organization(&self) -> &'g OrganizationId {
        &self.member.card.organization
    }

    /// The partnership's id.
    #[must_use]
    pub fn partnership_id(&self) -> &'g PartnershipId {
        &self.partnership.terms().partnership
    }

    /// What is on its way to it.
    #[must_use]
    pub fn outbox(&self) -> BoxKey {
        BoxKey::new(self.partnership_id(), self.organization())
    }
}

impl JudgedWrites<'_> {
    /// Adds what goes with it.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Adds what was judged under the same.
    pub fn extend(&mut self, more: Self) {
        self.writes.extend(more.writes);
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
