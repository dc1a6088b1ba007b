//! One number of an outbox: what was put there under it, and what its recipient said of that.

use super::fault::At;
use ambit_ledger::{
    Digest, Disclosure, DisclosureId, ObservationId, Outcome, RefusalCode, Salt, Time,
};

/// One sequence number of an outbox.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) observation: ObservationId,
    pub(super) disclosure: DisclosureId,
    /// The salt of the disclosure: each has its own, under whatever signature.
    pub(super) salt: Salt,
    pub(super) edition: Digest,
    /// From when on it may be taken in: it was issued then, or put there again.
    pub(super) since: Time,
    /// The entry that discloses it.
    pub(super) entry: u64,
    /// When it was taken back, if it was.
    pub(super) withdrawn_at: Option<Time>,
    /// What the recipient signed for; that it was admitted stays true whatever follows.
    pub(super) outcome: Option<Outcome>,
    /// With which code it said last that it did not take it; absent where it said last that it did, or nothing.
    pub(super) untaken: Option<RefusalCode>,
    /// Which of its stores said so.
    pub(super) said_by: Option<Salt>,
    /// The number before this one under which the same was put there; a lower one.
    pub(super) before: Option<u64>,
    /// Whether the same was put there again, under a further number.
    pub(super) is_followed: bool,
    /// Whether it is the disclosure of an earlier number.
    pub(super) is_repeated: bool,
}

impl Item {
    pub(super) fn new(entry: u64, disclosure: &Disclosure, id: DisclosureId) -> Self {
        Self {
            observation: disclosure.observation,
            disclosure: id,
            salt: disclosure.salt,
            edition: disclosure.edition,
            since: disclosure.issued_at,
            entry,
            withdrawn_at: None,
            outcome: None,
            untaken: None,
            said_by: None,
            before: None,
            is_followed: false,
            is_repeated: false,
        }
    }

    /// The same under a further number, where it is from this entry on.
    pub(super) fn again(&self, at: At) -> Self {
        Self {
            since: at.time,
            withdrawn_at: None,
            outcome: None,
            untaken: None,
            said_by: None,
            before: None,
            is_followed: false,
            is_repeated: true,
            ..*self
        }
    }

    /// Whether the recipient says, with the store of this incarnation, that it has it.
    pub(super) fn is_taken(&self, by: Option<Salt>) -> bool {
        by.is_some()
            && self.said_by == by
            && matches!(self.untaken, None | Some(RefusalCode::Duplicate))
    }

    /// With which code the store of this incarnation said that it did not take it; absent where it said anything else, or
    /// nothing.
    pub(super) fn untaken_by(&self, by: Option<Salt>) -> Option<RefusalCode> {
        self.untaken.filter(|_| self.said_by == by)
    }

    /// Takes down what the recipient signed for.
    pub(super) fn answer(&mut self, outcome: Outcome, by: Salt) {
        self.said_by = Some(by);
        self.untaken = match outcome {
            Outcome::Refused(code) | Outcome::SetAside(code) => Some(code),
            Outcome::Admitted | Outcome::Noted => None,
        };
        if self.outcome != Some(Outcome::Admitted) {
            self.outcome = Some(outcome);
        }
    }
}
