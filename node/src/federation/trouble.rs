//! What peers do wrong: counted for the ledger, charged to their patience, told to the operator; each of it bounded,
//! so that no peer can fill the ledger, the log or this node's time.
//!
//! It keeps digests and numbers, and must never keep what was refused.

use super::members::organization_of;
use super::turned_away::TurnedAway;
use crate::admit::{Refusals, refusal_writes};
use crate::link::{ASK_EARNED_SECONDS, ASKS_AT_ONCE};
use crate::mesh::{Fault, MeshHandle, PeerKey};
use crate::node::Node;
use crate::store::{StoreError, Write};
use ambit_ledger::{OrganizationId, PartnershipId, RefusalCode, Time};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many frames a recipient may send before it got an item.
const ANSWERS_FIRST: u32 = 64;
/// How many more it may send for each item: that it is committed, refused, stated, and that more may come.
const ANSWERS_PER_ITEM: u32 = 4;
/// What is saved up at most: for all items that may be on the way.
const ANSWERS_MAX: u32 = 2_048;

/// In what time a recipient earns another ask for one code: what it holds itself to, but for what clocks differ.
const ASK_EARNED: Duration = Duration::from_secs(ASK_EARNED_SECONDS as u64 - 10);
/// For how many codes it may ask.
const CODES_ASKED_MAX: usize = 16;

/// What an operator is told of, each kind by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Complaint {
    /// A message about a partnership could not be taken in.
    Control,
    /// A signed acknowledgement could not be relied on, or did not fit.
    Acknowledgement,
    /// An item of the peer's was refused.
    Item,
    /// The peer refused an item, or a frame.
    Rejected,
    /// It does not have an agreement that this node has with it.
    NotKnown,
    /// It opened a link for an agreement that this node does not have with it.
    Unknown,
    /// It does not rely on what this node signs.
    OwnKey,
    /// Its store and this one disagree about the past.
    Divergence,
    /// An item of the peer's was set aside, because nobody can decide it.
    Doubt,
    /// It sent what only a newer version knows, or said so of what this node sent.
    Newer,
}

/// What all links share about what peers do wrong.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    mesh: MeshHandle,
    refused: Arc<Mutex<RefusedBy>>,
    /// One number for each admitted peer and kind.
    complaints: Arc<Mutex<BTreeMap<(PeerKey, Complaint), u64>>>,
    turned_away: TurnedAway,
}

type RefusedBy = BTreeMap<(OrganizationId, PartnershipId), BTreeMap<RefusalCode, Refusals>>;

impl Trouble {
    pub(super) fn new(mesh: MeshHandle) -> Self {
        Self {
            mesh,
            refused: Arc::default(),
            complaints: Arc::default(),
            turned_away: TurnedAway::default(),
        }
    }

    /// Charges a fault to the patience with a peer.
    pub(super) fn charge(&self, peer: &PeerKey, fault: Fault) {
        self.mesh.note_fault(peer, fault);
    }

    /// Charges what was refused with this code, where an honest peer has no part in it.
    pub(super) fn charge_refusal(&self, peer: &PeerKey, code: RefusalCode, bytes: usize) {
        if let Some(fault) = fault(code, bytes) {
            self.charge(peer, fault);
        }
    }

    /// Counts a complaint. Says how many there were, where that is worth a line: at 1, 10, 100 and so on, over all
    /// links of the peer.
    pub(super) fn count(&self, peer: &PeerKey, complaint: Complaint) -> Option<u64> {
        let mut complaints = lock(&self.complaints);
        let count = complaints.entry((*peer, complaint)).or_default();
        *count = count.saturating_add(1);
        is_power_of_ten(*count).then_some(*count)
    }

    /// Counts what only the newer of two programs knows. Nobody is to blame for it, and it is no refusal.
    pub(super) fn note_newer(&self, peer: &PeerKey, code: RefusalCode) {
        if let Some(count) = self.count(peer, Complaint::Newer) {
            tracing::info!(%peer, %code, count, "the peer's program and this one are of different versions");
        }
    }

    /// Counts that a member asks for an agreement that this node does not have with it: an invitation that waits, or was
    /// declined, or what a backup did not hold. Which one, only the other end knows, and tells there.
    fn note_unknown(&self, node: &Node, peer: PeerKey, now: Time) {
        let governance = node.governance();
        let Some(organization) = organization_of(&governance, peer, now) else {
            return;
        };
        if let Some(count) = self.count(&peer, Complaint::Unknown) {
            let text = "a member asks for an agreement that this node does not have with it";
            tracing::info!(%organization, count, "{text}");
        }
    }

    /// Waits until a peer may be answered that this node has no such agreement with it. Who asks too often is charged for it.
    pub(super) async fn let_wait(
        &self,
        node: &Node,
        (peer, arrived): (PeerKey, std::time::Instant),
        now: Time,
    ) {
        self.note_unknown(node, peer, now);
        let due = self.turned_away.due(peer, arrived);
        if due.is_too_often {
            self.charge(&peer, Fault::InVain);
        }
        tokio::time::sleep_until(due.at.into()).await;
    }

    /// Keeps what a link refused, to be recorded together with what others of the same peer refuse.
    pub(super) fn keep_refused(
        &self,
        from: &OrganizationId,
        partnership: &PartnershipId,
        refused: BTreeMap<RefusalCode, Refusals>,
    ) {
        if refused.is_empty() {
            return;
        }
        let mut all = lock(&self.refused);
        let known = all.entry((from.clone(), partnership.clone())).or_default();
        for (code, tally) in refused {
            known.entry(code).or_default().merge(tally);
        }
    }

    /// Records all that is kept, in one commit. While the clock is wrong, or too little space is free, it is kept on.
    pub(super) fn record_refused(&self, node: &Node) -> Result<(), StoreError> {
        let Ok(now) = node.instant(crate::clock::now()) else {
            return Ok(());
        };
        if node.store().want_of_room().is_some() {
            return Ok(());
        }
        let refused = std::mem::take(&mut *lock(&self.refused));
        let writes: Vec<Write> = refused
            .into_iter()
            .flat_map(|((from, partnership), refused)| refusal_writes(refused, &from, &partnership))
            .collect();
        if writes.is_empty() {
            return Ok(());
        }
        node.store().commit(node.commit_of(now, writes))?;
        Ok(())
    }
}

/// What honest nodes have no part in: a code that follows from races, clocks, editions, keys that changed or policies
/// is no fault.
fn fault(code: RefusalCode, bytes: usize) -> Option<Fault> {
    match code {
        RefusalCode::NotCanonical
        | RefusalCode::BadSignature
        | RefusalCode::WrongObservation
        | RefusalCode::WrongReadings
        | RefusalCode::TooLarge => Some(Fault::Dishonest),
        RefusalCode::Unexpected
        | RefusalCode::Replayed
        | RefusalCode::Skipped
        | RefusalCode::ChainBroken => Some(Fault::OutOfTurn { bytes }),
        RefusalCode::UnknownKey
        | RefusalCode::WrongOrigin
        | RefusalCode::WrongRecipient
        | RefusalCode::WrongPartnership
        | RefusalCode::WiderTerms
        | RefusalCode::NotAdmissible
        | RefusalCode::Duplicate
        | RefusalCode::WrongChain
        | RefusalCode::Undecided
        | RefusalCode::ClocksApart
        | RefusalCode::NewerVersion
        | RefusalCode::RootNotCompared
        | RefusalCode::UnknownClass
        | RefusalCode::RecordChanged
        | RefusalCode::Unknown(_) => None,
    }
}

/// How many frames a recipient may still send: what it has to say follows from what it got.
#[derive(Debug)]
pub(super) struct Answers(u32);

impl Default for Answers {
    fn default() -> Self {
        Self(ANSWERS_FIRST)
    }
}

impl Answers {
    pub(super) fn note_item(&mut self) {
        self.0 = self.0.saturating_add(ANSWERS_PER_ITEM).min(ANSWERS_MAX);
    }

    /// Whether the frame that came is one of those.
    pub(super) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// When a recipient asked on one link for what it did not take, by the number of the code; of asks that follow each
/// other at once each [`ASK_EARNED`] after the one before. More often than it may it would have this node judge without
/// end: one that comes too soon waits until it is earned.
#[derive(Debug, Default)]
pub(super) struct AsksHeard {
    last: BTreeMap<u16, Option<Instant>>,
    /// Those that wait, and up to which number each is about.
    waiting: BTreeMap<u16, u64>,
}

impl AsksHeard {
    /// Whether one that comes is to be gone through now. The first on a link may only repeat one that came before, so the
    /// next may follow at once.
    pub(super) fn take(&mut self, code: RefusalCode, upto: u64, now: Instant) -> bool {
        let number = code.number();
        let has_room = self.last.len() < CODES_ASKED_MAX;
        let may_go = match self.last.get_mut(&number) {
            Some(last) => {
                let next = last.map_or(now, |last| now.max(last + ASK_EARNED));
                let is_in_time = next <= now + ASK_EARNED * (ASKS_AT_ONCE - 1);
                if is_in_time {
                    *last = Some(next);
                }
                is_in_time
            }
            None if has_room => {
                self.last.insert(number, None);
                true
            }
            None => return false,
        };
        if may_go {
            self.waiting.remove(&number);
        } else {
            let waiting = self.waiting.entry(number).or_default();
            *waiting = upto.max(*waiting);
        }
        may_go
    }

    /// Whether any waits.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// One that waited and is earned by now.
    pub(super) fn earned(&mut self, now: Instant) -> Option<(RefusalCode, u64)> {
        let waiting: Vec<(u16, u64)> = self
            .waiting
            .iter()
            .map(|(code, upto)| (*code, *upto))
            .collect();
        let mut waiting = waiting.into_iter();
        waiting
            .find(|(number, upto)| self.take((*number).into(), *upto, now))
            .map(|(number, upto)| (number.into(), upto))
    }
}

const fn is_power_of_ten(mut count: u64) -> bool {
    while count >= 10 && count.is_multiple_of(10) {
        count /= 10;
    }
    count == 1
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_at_powers_of_ten() {
        let due: Vec<u64> = (0..=100_000)
            .filter(|count| is_power_of_ten(*count))
            .collect();
        assert_eq!(due, [1, 10, 100, 1_000, 10_000, 100_000]);
    }

    #[test]
    fn a_repeat_and_some_asks_are_heard_and_then_as_they_are_earned() {
        let mut heard = AsksHeard::default();
        let code = RefusalCode::NotAdmissible;
        let start = Instant::now();
        for number in 0..=ASKS_AT_ONCE {
            assert!(heard.take(code, 1, start), "{number}");
        }
        let earned = ASK_EARNED.as_secs();
        for (seconds, is_heard) in [
            (0, false),
            (earned - 1, false),
            (earned, true),
            (earned, false),
            (2 * earned, true),
            (2 * earned + 1, false),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(heard.take(code, 1, now), is_heard, "after {seconds} s");
        }
        // What came too soon is gone through once it is earned, up to the last number.
        let now = start + Duration::from_secs(2 * earned + 1);
        assert!(!heard.take(code, 7, now));
        assert!(!heard.take(code, 5, now));
        assert_eq!(heard.earned(now), None);
        assert!(heard.has_waiting());
        let now = start + Duration::from_secs(3 * earned);
        assert_eq!(heard.earned(now), Some((code, 7)));
        assert!(!heard.has_waiting());
        // Each code by itself, and no more of them than any honest recipient has.
        let codes = (2_000..2_100).filter(|number| heard.take((*number).into(), 1, start));
        assert_eq!(codes.count(), CODES_ASKED_MAX - 1);
        assert!(!heard.take(5_000.into(), 1, start));
    }

    #[test]
    fn answers_follow_items() {
        let mut answers = Answers::default();
        let given = (0..1_000).filter(|_| answers.take());
        assert_eq!(given.count(), 64);
        answers.note_item();
        let given = (0..1_000).filter(|_| answers.take());
        assert_eq!(given.count(), 4);
        // A recipient that answers each item with all it has to say never runs out.
        for _ in 0..10_000 {
            answers.note_item();
            assert!((0..4).all(|_| answers.take()));
        }
    }
}
