//! The side that accepted the link: takes items in order, says what became of them after it is committed, and states it
//! in acknowledgements to be signed.

use super::divergence::is_out_of_step;
use super::state::Inbox;
use super::{
    ACKNOWLEDGEMENT_ITEMS, Arrived, CREDIT_ITEMS, Control, Divergence, Frame, Hello, Parties,
    UNACKNOWLEDGED_ITEMS_MAX,
};
use ambit_ledger::{
    Acknowledgement, Chain, Digest, ItemBody, Outcome, RefusalCode, RefusedItem, Salt, Time,
};
use std::collections::VecDeque;

/// What one frame comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Judge this item; then [`Receiver::resolve`]. What nobody can decide yet stays unresolved, and no more credit is given.
    Take(IncomingItem),
    /// The sender took this item back: resolve it as [`Outcome::Noted`] in its turn.
    Withdrawn {
        /// Its sequence number.
        seq: u64,
    },
    /// Send this; the state is as before.
    Reply(Frame),
    /// The sender committed the signed acknowledgement up to here.
    Confirmed {
        /// The last sequence number it covers.
        upto: u64,
        /// Send this, where it is there.
        reply: Option<Frame>,
    },
    /// A message about the partnership.
    Control(Control),
    /// The sender refused a frame.
    Rejected {
        /// 0: a recipient sends no items.
        seq: u64,
        /// Why.
        code: RefusalCode,
    },
}

/// An item in its place on the link, not verified and not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingItem {
    /// Its sequence number.
    pub seq: u64,
    /// The observation's statement.
    pub observation: Vec<u8>,
    /// The disclosure's statement.
    pub disclosure: Vec<u8>,
    /// The readings block.
    pub readings: Vec<u8>,
    /// What the chains hold of it.
    pub body: ItemBody,
}

/// A link that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its state.
    pub receiver: Receiver,
    /// The Hello to answer with.
    pub answer: Frame,
    /// The two ends disagree on the past. The answer is sent all the same, so that the sender sees it too; no item is taken.
    pub divergence: Option<Divergence>,
}

/// Why a link is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The Hello is for another partnership than the parties given.
    #[error("failed to accept a link: its hello is for another partnership")]
    AnotherPartnership,
}

/// Why an outcome cannot be that of the oldest item pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nothing is pending.
    #[error("failed to resolve an item: none is pending")]
    NothingPending,
    /// A tombstone is noted, and only a tombstone is.
    #[error("failed to resolve {0}: a tombstone is noted, an item admitted or refused")]
    Kind(u64),
    /// The code is one by which the link refuses a frame.
    #[error("failed to resolve {0} as `{1}`: that code refuses a place on the link, not an item")]
    Code(u64, RefusalCode),
}

/// The state of one accepted link. There is one at a time for an inbox.
#[derive(Clone, Debug)]
pub struct Receiver {
    parties: Parties,
    incarnation: Salt,
    /// After everything resolved, whether committed or not.
    tip: Inbox,
    committed: Mark,
    resolved: VecDeque<Resolved>,
    pending: VecDeque<Pending>,
    /// Given out to be signed.
    offered: Option<Mark>,
    /// Signed, and not confirmed by the sender.
    signed: VecDeque<Mark>,
    signed_upto: u64,
    granted_upto: u64,
    is_active: bool,
    /// Same edition and same past: items may come once the partnership is active.
    is_agreed: bool,
}

/// A place on the link, with the chains there.
#[derive(Clone, Copy, Debug)]
struct Mark {
    upto: u64,
    bodies: Digest,
    outcomes: Digest,
}

#[derive(Clone, Copy, Debug)]
struct Resolved {
    mark: Mark,
    refused: Option<RefusalCode>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    seq: u64,
    body: ItemBody,
    chain: Chain,
}

impl Receiver {
    /// Accepts a link whose first frame was this Hello. Takes the incarnation of this node's own store and the state of the
    /// inbox, where there is one; `is_active` says whether items may come under the partnership now.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn accept(
        parties: Parties,
        incarnation: Salt,
        inbox: Option<Inbox>,
        is_active: bool,
        hello: &Hello,
    ) -> Result<Accepted, AcceptError> {
        if hello.partnership != parties.partnership {
            return Err(AcceptError::AnotherPartnership);
        }
        let mut tip = inbox.unwrap_or_else(|| empty_inbox(&parties, &incarnation));
        let divergence = compare(&tip, &incarnation, hello);
        if divergence.is_none() && hello.peer_incarnation == Some(incarnation) {
            confirm(&mut tip, hello.cursor);
        }
        let mut receiver = Self {
            is_active,
            is_agreed: divergence.is_none() && hello.edition == parties.edition,
            committed: Mark {
                upto: tip.cursor,
                bodies: tip.bodies,
                outcomes: tip.outcomes,
            },
            signed_upto: tip.signed,
            granted_upto: tip.cursor,
            parties,
            incarnation,
            tip,
            resolved: VecDeque::new(),
            pending: VecDeque::new(),
            offered: None,
            signed: VecDeque::new(),
        };
        let credit = receiver.grant();
        let answer = Frame::Hello {
            hello: Hello {
                partnership: receiver.parties.partnership.clone(),
                edition: receiver.parties.edition,
                incarnation,
                peer_incarnation: Some(hello.incarnation),
                cursor: receiver.tip.cursor,
                chain: Some(receiver.tip.bodies),
                credit,
            },
        };
        Ok(Accepted {
            receiver,
            answer,
            divergence,
        })
    }

    /// Takes one frame from the sender.
    pub fn receive(&mut self, arrived: Arrived) -> Received {
        match (arrived.frame, arrived.body) {
            (
                Ok(Frame::Item {
                    seq,
                    chain,
                    observation,
                    disclosure,
                    readings,
                }),
                Some(body),
            ) => match self.take(seq, body, &chain) {
                Ok(()) => Received::Take(IncomingItem {
                    seq,
                    observation,
                    disclosure,
                    readings,
                    body,
                }),
                Err(code) => reject(seq, code),
            },
            (Ok(Frame::Tombstone { seq, chain }), _) => {
                match self.take(seq, ItemBody::Tombstone, &chain) {
                    Ok(()) => Received::Withdrawn { seq },
                    Err(code) => reject(seq, code),
                }
            }
            (Ok(Frame::Ack { upto, chain }), _) => self.take_confirmation(upto, &chain),
            (Ok(Frame::Control { message }), _) => Received::Control(message),
            // Never answered with a rejection: two nodes would go on for ever.
            (Ok(Frame::Reject { seq, code }), _) => Received::Rejected { seq, code },
            (
                Ok(
                    Frame::Item { .. }
                    | Frame::Hello { .. }
                    | Frame::Credit { .. }
                    | Frame::Acknowledgement { .. },
                ),
                _,
            ) => reject(0, RefusalCode::Unexpected),
            (Err(error), _) => reject(0, error.code()),
        }
    }

    /// Says what became of the oldest pending item. Returns the inbox to commit together with what the outcome writes;
    /// where several are resolved before one commit, the last inbox stands for all.
    ///
    /// # Errors
    /// [`ResolveError`]; the state is as before.
    pub fn resolve(&mut self, outcome: Outcome) -> Result<Inbox, ResolveError> {
        let pending = *self.pending.front().ok_or(ResolveError::NothingPending)?;
        let refused = match (pending.body, outcome) {
            // Nothing is set aside by this version: what it cannot decide waits in its turn.
            (ItemBody::Item { .. }, Outcome::SetAside(code)) => {
                return Err(ResolveError::Code(pending.seq, code));
            }
            (ItemBody::Item { .. }, Outcome::Refused(code))
                if is_out_of_step(code) || code.is_set_aside() =>
            {
                return Err(ResolveError::Code(pending.seq, code));
            }
            (ItemBody::Item { .. }, Outcome::Refused(code)) => Some(code),
            (ItemBody::Item { .. }, Outcome::Admitted) | (ItemBody::Tombstone, Outcome::Noted) => {
                None
            }
            (ItemBody::Item { .. }, Outcome::Noted)
            | (
                ItemBody::Tombstone,
                Outcome::Admitted | Outcome::Refused(_) | Outcome::SetAside(_),
            ) => {
                return Err(ResolveError::Kind(pending.seq));
            }
        };
        self.pending.pop_front();
        let seq = pending.seq;
        self.tip.cursor = seq;
        self.tip.bodies = pending.chain.digest();
        self.tip.outcomes = Chain::at(self.tip.outcomes)
            .with_outcome(seq, &pending.body.digest(), outcome)
            .digest();
        if let Some(code) = refused {
            self.tip.refused.push(RefusedItem { seq, code });
        }
        self.resolved.push_back(Resolved {
            mark: Mark {
                upto: seq,
                bodies: self.tip.bodies,
                outcomes: self.tip.outcomes,
            },
            refused,
        });
        Ok(self.tip.clone())
    }

    /// The inbox with this cursor is committed. Returns the frames that may be sent now.
    #[must_use]
    pub fn committed(&mut self, cursor: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        let before = self.committed.upto;
        while let Some(resolved) = self.resolved.front().copied()
            && resolved.mark.upto <= cursor
        {
            self.resolved.pop_front();
            self.committed = resolved.mark;
            if let Some(code) = resolved.refused {
                let seq = resolved.mark.upto;
                frames.push(Frame::Reject { seq, code });
            }
        }
        if self.committed.upto > before {
            frames.push(Frame::Ack {
                upto: self.committed.upto,
                chain: self.committed.bodies,
            });
            frames.extend(self.credit());
        }
        frames
    }

    /// Items may come under the partnership from now on. Returns the credit to send, where there is any to give: none where
    /// the sender has another edition, whose link is to be opened anew.
    #[must_use]
    pub fn activate(&mut self) -> Option<Frame> {
        self.is_active = true;
        self.credit()
    }

    /// What is to be signed: when nothing is being committed, or after [`ACKNOWLEDGEMENT_ITEMS`]. To be asked when no frame waits to
    /// be read, so that one signature covers what came together; and once more only after the one before is signed.
    #[must_use]
    pub fn acknowledgement_due(&mut self, now: Time) -> Option<Acknowledgement> {
        let unsigned = self.committed.upto - self.signed_upto;
        // What is pending when this is asked waits for a decision that nobody can make yet, for how long is open.
        let is_idle = self.resolved.is_empty();
        let is_due = unsigned >= ACKNOWLEDGEMENT_ITEMS || (is_idle && unsigned > 0);
        if !is_due {
            return None;
        }
        self.offered = Some(self.committed);
        Some(Acknowledgement {
            partnership: self.parties.partnership.clone(),
            sender: self.parties.sender.clone(),
            recipient: self.parties.recipient.clone(),
            incarnation: self.incarnation,
            upto: self.committed.upto,
            outcomes: self.committed.outcomes,
            refused: self
                .tip
                .refused
                .iter()
                .filter(|refused| refused.seq <= self.committed.upto)
                .copied()
                .collect(),
            set_aside: Vec::new(),
            heard: Vec::new(),
            at: now,
        })
    }

    /// It is signed: returns the frame to send. All it states is committed; the refusals in it are kept until the sender
    /// confirms that it has them.
    #[must_use]
    pub fn acknowledgement_signed(
        &mut self,
        acknowledgement: &Acknowledgement,
        statement: Vec<u8>,
    ) -> Frame {
        let offered = self.offered.take();
        if let Some(mark) = offered.filter(|mark| mark.upto == acknowledgement.upto) {
            self.signed_upto = mark.upto;
            self.signed.push_back(mark);
        }
        Frame::Acknowledgement { statement }
    }

    /// How many items were taken and not resolved. At most [`CREDIT_ITEMS`].
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    fn take(&mut self, seq: u64, body: ItemBody, chain: &Digest) -> Result<(), RefusalCode> {
        let (before, end) = self
            .pending
            .back()
            .map_or((self.tip.cursor, Chain::at(self.tip.bodies)), |pending| {
                (pending.seq, pending.chain)
            });
        let next = before + 1;
        if seq < next {
            return Err(RefusalCode::Replayed);
        }
        if seq > next {
            return Err(RefusalCode::Skipped);
        }
        if seq > self.granted_upto {
            return Err(RefusalCode::Unexpected);
        }
        let computed = end.with_body(seq, &body);
        if computed.digest() != *chain {
            return Err(RefusalCode::ChainBroken);
        }
        self.pending.push_back(Pending {
            seq,
            body,
            chain: computed,
        });
        Ok(())
    }

    fn take_confirmation(&mut self, upto: u64, chain: &Digest) -> Received {
        let Some(mark) = self.signed.iter().find(|mark| mark.upto == upto) else {
            return reject(0, RefusalCode::Unexpected);
        };
        if mark.bodies != *chain {
            return reject(0, RefusalCode::ChainBroken);
        }
        self.signed.retain(|mark| mark.upto > upto);
        confirm(&mut self.tip, upto);
        Received::Confirmed {
            upto,
            reply: self.credit(),
        }
    }

    fn credit(&mut self) -> Option<Frame> {
        let items = self.grant();
        (items > 0).then_some(Frame::Credit { items })
    }

    /// How many more items may come, counted as granted.
    fn grant(&mut self) -> u32 {
        if !self.is_active || !self.is_agreed {
            return 0;
        }
        let window = self.committed.upto.saturating_add(CREDIT_ITEMS.into());
        let unacknowledged = self.tip.signed.saturating_add(UNACKNOWLEDGED_ITEMS_MAX);
        let target = window.min(unacknowledged);
        let items = target.saturating_sub(self.granted_upto);
        self.granted_upto = self.granted_upto.max(target);
        u32::try_from(items).unwrap_or(CREDIT_ITEMS)
    }
}

fn empty_inbox(parties: &Parties, incarnation: &Salt) -> Inbox {
    let start = parties.start(incarnation).digest();
    Inbox {
        partnership: parties.partnership.clone(),
        sender: parties.sender.clone(),
        cursor: 0,
        bodies: start,
        outcomes: start,
        refused: Vec::new(),
        signed: 0,
    }
}

/// What the opener knows, against what this node has.
fn compare(inbox: &Inbox, incarnation: &Salt, hello: &Hello) -> Option<Divergence> {
    let (cursor, confirmed) = (inbox.cursor, inbox.signed);
    let acknowledged = match hello.peer_incarnation {
        Some(known) if known == *incarnation => hello.cursor,
        // It knows another store of this node, or none: nothing of this one.
        Some(_) | None => 0,
    };
    if acknowledged > cursor {
        Some(Divergence::RecipientWentBack {
            cursor,
            acknowledged,
        })
    } else if acknowledged < confirmed {
        Some(Divergence::SenderForgot {
            acknowledged,
            confirmed,
        })
    } else if acknowledged == cursor && cursor > 0 && hello.chain != Some(inbox.bodies) {
        Some(Divergence::Chain { upto: cursor })
    } else {
        None
    }
}

/// The sender has the acknowledgement up to here: its refusals need not be stated again.
fn confirm(inbox: &mut Inbox, upto: u64) {
    inbox.signed = inbox.signed.max(upto);
    inbox.refused.retain(|refused| refused.seq > upto);
}

fn reject(seq: u64, code: RefusalCode) -> Received {
    Received::Reply(Frame::Reject { seq, code })
}
