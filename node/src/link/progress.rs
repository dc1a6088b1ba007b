//! What a sender sent beyond the last signed acknowledgement, and the check of the next one against it.

use super::state::AcknowledgementReach;
use super::{Divergence, Parties, UNACKNOWLEDGED_ITEMS_MAX};
use ambit_ledger::{Acknowledgement, Chain, Digest, ItemBody, Outcome, RefusalCode, Salt, Time};
use std::collections::{BTreeMap, VecDeque};

/// Why a verified acknowledgement is not about what this link carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgementError {
    /// Nothing was sent on this link that could be acknowledged.
    #[error("failed to take an acknowledgement: the link is not open")]
    NotOpen,
    /// Of another partnership, or between other parties.
    #[error("failed to take an acknowledgement: it is of another partnership or other parties")]
    Parties,
    /// It names acts, and this version sends none.
    #[error("failed to take an acknowledgement: it says which acts were heard, and none was sent")]
    Heard,
    /// Of another incarnation of the recipient's store.
    #[error(
        "failed to take an acknowledgement: it is of another incarnation of the recipient's store"
    )]
    Incarnation,
    /// Covers no more than the one before, or more than was sent.
    #[error(
        "failed to take an acknowledgement: it reaches to {upto}; the one before to {before}, what was sent to {sent}"
    )]
    Range {
        /// What it covers.
        upto: u64,
        /// What the one before covers.
        before: u64,
        /// What was sent.
        sent: u64,
    },
    /// What it says was not taken is not ascending, lies beyond what it covers, stands there twice, or is a tombstone.
    #[error("failed to take an acknowledgement: what it says of {seq} has no place in it")]
    Refused {
        /// The refusal.
        seq: u64,
    },
    /// It says otherwise than the recipient said when it did not take the item.
    #[error(
        "failed to take an acknowledgement: the recipient did not take {seq}, as `{code}`, before"
    )]
    Contradiction {
        /// The item.
        seq: u64,
        /// What the recipient said then.
        code: RefusalCode,
    },
    /// It says that something was taken in before it was disclosed, or noted before it was taken back: dated back, it would verify by a key that had ended.
    #[error(
        "failed to take an acknowledgement: it is of {at}, and what it covers is there from {since} on"
    )]
    Early {
        /// When it says it was made.
        at: Time,
        /// When the last item was issued that it covers, or something was taken back.
        since: Time,
    },
    /// It says of something that one before settled, by the same store, that it was not taken, or not for the same reason.
    #[error("failed to take an acknowledgement: of {seq} the recipient said otherwise before")]
    Otherwise {
        /// The item.
        seq: u64,
    },
    /// It is dated before another one of the same recipient's.
    #[error(
        "failed to take an acknowledgement: it is of {at}, after one of {latest}: the recipient's clock was set back; once it has passed that instant, it is signed anew"
    )]
    Back {
        /// When it says it was made.
        at: Time,
        /// When the one before was made, by the recipient's clock of then.
        latest: Time,
    },
    /// It is dated minutes ahead.
    #[error(
        "failed to take an acknowledgement: it is of {at}, and it is {now} here: one of the two clocks is wrong; once it is right, it is signed anew"
    )]
    Ahead {
        /// When it says it was made.
        at: Time,
        /// Now.
        now: Time,
    },
    /// The chain over outcomes is another.
    #[error("failed to take an acknowledgement: the chains over outcomes differ at {upto}")]
    Chain {
        /// What it covers.
        upto: u64,
    },
}

impl AcknowledgementError {
    /// Whether it says nothing that one before did not.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        matches!(self, Self::Range { upto, before, .. } if *upto <= *before)
    }
}

/// One sequence number that was sent and is not covered by a signed acknowledgement.
#[derive(Clone, Copy, Debug)]
struct Sent {
    body: ItemBody,
    chain: Chain,
    untaken: Option<RefusalCode>,
}

/// From the last signed acknowledgement to the last frame sent. At most [`UNACKNOWLEDGED_ITEMS_MAX`] items long.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    base: AcknowledgementReach,
    sent: VecDeque<Sent>,
    acked: u64,
}

impl Progress {
    /// Nothing beyond this acknowledgement.
    pub(super) fn from_acknowledged(base: AcknowledgementReach) -> Self {
        let acked = base.upto;
        Self {
            base,
            sent: VecDeque::new(),
            acked,
        }
    }

    /// What one incarnation of a recipient's store starts from.
    pub(super) fn start(parties: &Parties, incarnation: Salt) -> AcknowledgementReach {
        let start = parties.start(&incarnation).digest();
        AcknowledgementReach {
            incarnation,
            upto: 0,
            bodies: start,
            outcomes: start,
        }
    }

    /// Adds the next body. Returns its sequence number and the chain after it.
    pub(super) fn push(&mut self, body: ItemBody) -> (u64, Digest) {
        let seq = self.sent_upto() + 1;
        let chain = self.chain_end().with_body(seq, &body);
        self.sent.push_back(Sent {
            body,
            chain,
            untaken: None,
        });
        (seq, chain.digest())
    }

    /// The recipient has all of it: the state of a link that was just reconciled.
    pub(super) fn ack_all(&mut self) {
        self.acked = self.sent_upto();
    }

    /// The chain over bodies after the last one.
    pub(super) fn chain_end(&self) -> Chain {
        self.sent
            .back()
            .map_or(Chain::at(self.base.bodies), |sent| sent.chain)
    }

    pub(super) fn sent_upto(&self) -> u64 {
        self.base.upto + count(&self.sent)
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.sent_upto() - self.acked
    }

    pub(super) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many items more may be sent.
    pub(super) fn room(&self) -> u64 {
        UNACKNOWLEDGED_ITEMS_MAX.saturating_sub(count(&self.sent))
    }

    /// Takes a cumulative ack. Whether it moved anything.
    pub(super) fn ack(&mut self, upto: u64, chain: &Digest) -> Result<bool, Divergence> {
        if upto < self.acked || upto > self.sent_upto() {
            return Err(Divergence::AckOutOfRange { upto });
        }
        if self.bodies_at(upto) != Some(*chain) {
            return Err(Divergence::Chain { upto });
        }
        let has_moved = upto > self.acked;
        self.acked = upto;
        Ok(has_moved)
    }

    /// Notes that the recipient did not take an item that is not covered by a signed acknowledgement. Whether it is one.
    pub(super) fn note_untaken(&mut self, seq: u64, code: RefusalCode) -> bool {
        let found = self
            .offset(seq)
            .and_then(|offset| self.sent.get_mut(offset));
        match found {
            Some(sent) => {
                sent.untaken = Some(code);
                true
            }
            None => false,
        }
    }

    /// Checks a signed acknowledgement against what was sent, and drops what it covers.
    pub(super) fn acknowledge(
        &mut self,
        parties: &Parties,
        statement: &Acknowledgement,
    ) -> Result<AcknowledgementReach, AcknowledgementError> {
        if statement.partnership != parties.partnership
            || statement.sender != parties.sender
            || statement.recipient != parties.recipient
        {
            return Err(AcknowledgementError::Parties);
        }
        if !statement.heard.is_empty() {
            return Err(AcknowledgementError::Heard);
        }
        if statement.incarnation != self.base.incarnation {
            return Err(AcknowledgementError::Incarnation);
        }
        let upto = statement.upto;
        // One that covers nothing new is none: it would only fill this node's ledger.
        let bodies = self.bodies_at(upto).filter(|_| upto > self.base.upto);
        let Some(bodies) = bodies else {
            return Err(AcknowledgementError::Range {
                upto,
                before: self.base.upto,
                sent: self.sent_upto(),
            });
        };
        let untaken = untaken(statement)?;
        let outcomes = self.outcomes_at(upto, &untaken)?;
        if outcomes.digest() != statement.outcomes {
            return Err(AcknowledgementError::Chain { upto });
        }
        while self.base.upto < upto && self.sent.pop_front().is_some() {
            self.base.upto += 1;
        }
        self.base.bodies = bodies;
        self.base.outcomes = statement.outcomes;
        self.acked = self.acked.max(upto);
        Ok(self.base.clone())
    }

    fn outcomes_at(
        &self,
        upto: u64,
        untaken: &BTreeMap<u64, RefusalCode>,
    ) -> Result<Chain, AcknowledgementError> {
        let mut chain = Chain::at(self.base.outcomes);
        for (seq, sent) in (self.base.upto + 1..=upto).zip(&self.sent) {
            let outcome = match (sent.body, untaken.get(&seq)) {
                (ItemBody::Item { .. }, Some(code)) => Outcome::not_taken(*code),
                (ItemBody::Item { .. }, None) => Outcome::Admitted,
                (ItemBody::Tombstone, None) => Outcome::Noted,
                (ItemBody::Tombstone, Some(_)) => {
                    return Err(AcknowledgementError::Refused { seq });
                }
            };
            if let Some(code) = sent.untaken
                && untaken.get(&seq) != Some(&code)
            {
                return Err(AcknowledgementError::Contradiction { seq, code });
            }
            chain = chain.with_outcome(seq, &sent.body.digest(), outcome);
        }
        Ok(chain)
    }

    fn bodies_at(&self, upto: u64) -> Option<Digest> {
        if upto == self.base.upto {
            return Some(self.base.bodies);
        }
        let sent = self.sent.get(self.offset(upto)?)?;
        Some(sent.chain.digest())
    }

    fn offset(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.base.upto)?.checked_sub(1)?).ok()
    }
}

/// By sequence number. Those that an acknowledgement before covered may be among them: the recipient repeats them until it
/// knows that this node has them.
fn untaken(
    statement: &Acknowledgement,
) -> Result<BTreeMap<u64, RefusalCode>, AcknowledgementError> {
    let mut untaken = BTreeMap::new();
    for list in [&statement.refused, &statement.set_aside] {
        let mut previous = 0;
        for item in list {
            let is_first = untaken.insert(item.seq, item.code).is_none();
            if item.seq <= previous || item.seq > statement.upto || !is_first {
                return Err(AcknowledgementError::Refused { seq: item.seq });
            }
            previous = item.seq;
        }
    }
    Ok(untaken)
}

fn count(sent: &VecDeque<Sent>) -> u64 {
    u64::try_from(sent.len()).unwrap_or(u64::MAX)
}
