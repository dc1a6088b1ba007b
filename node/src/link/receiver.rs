//! The side that accepted the link: takes items in order, says what became of them after it is committed, and states it
//! in acknowledgements to be signed.

use super::asking::{Asking, Asks};
use super::quota::{Brought, BroughtOn};
use super::received::{AcceptError, IncomingItem, Received, ResolveError, untaken};
use super::state::{Inbox, compare, confirm, empty_inbox};
use super::{
    ACKNOWLEDGEMENT_ITEMS, Arrived, CREDIT_ITEMS, Control, Divergence, EVIDENCE_STATEMENTS_MAX,
    Frame, Hello, Parties, UNACKNOWLEDGED_ITEMS_MAX, Versions,
};
use ambit_ledger::{
    Acknowledgement, Chain, Digest, ItemBody, Outcome, RefusalCode, RefusedItem, Salt, Time,
};
use serde_bytes::ByteBuf;
use std::collections::VecDeque;

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
    /// What came ahead of the item of this number, which is to come next.
    evidence: Option<(u64, Vec<Vec<u8>>)>,
    /// Given out to be signed.
    offered: Option<Mark>,
    /// Signed, and not confirmed by the sender.
    signed: VecDeque<Mark>,
    signed_upto: u64,
    granted_upto: u64,
    asking: Asking,
    is_active: bool,
    /// However active it is.
    is_paused: bool,
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
    untaken: Option<RefusalCode>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    seq: u64,
    body: ItemBody,
    chain: Chain,
}

impl Receiver {
    /// Accepts a link whose first frame was this Hello. Takes the incarnation of this node's own store and the state of the
    /// inbox, where there is one; `grounds` names what this node judges by, and `is_active` says whether items may come under the partnership now.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn accept(
        parties: Parties,
        incarnation: Salt,
        inbox: Option<Inbox>,
        grounds: Digest,
        is_active: bool,
        hello: &Hello,
    ) -> Result<Accepted, AcceptError> {
        if hello.partnership != parties.partnership {
            return Err(AcceptError::AnotherPartnership);
        }
        if Versions::OWN.common(hello.versions).is_none() {
            return Err(AcceptError::NoCommonVersion);
        }
        let mut tip = inbox.unwrap_or_else(|| empty_inbox(&parties, &incarnation));
        let divergence = compare(&tip, &incarnation, hello);
        if divergence.is_none() && hello.peer_incarnation == Some(incarnation) {
            confirm(&mut tip, hello.cursor);
        }
        let mut receiver = Self {
            asking: Asking::new(grounds, &tip),
            is_active,
            is_paused: false,
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
            evidence: None,
            offered: None,
            signed: VecDeque::new(),
        };
        let credit = receiver.grant();
        let answer = Frame::Hello {
            hello: Hello {
                versions: Versions::OWN,
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
                    evidence: self.take_evidence(seq),
                    body,
                }),
                Err(code) => reject(seq, code),
            },
            (Ok(Frame::Evidence { seq, statements }), _) => self.keep_evidence(seq, statements),
            (Ok(Frame::Tombstone { seq, chain }), _) => {
                match self.take(seq, ItemBody::Tombstone, &chain) {
                    Ok(()) => {
                        self.evidence = None;
                        Received::Withdrawn { seq }
                    }
                    Err(code) => reject(seq, code),
                }
            }
            (Ok(Frame::Ack { upto, chain }), _) => self.take_confirmation(upto, &chain),
            (Ok(Frame::Control { kind, statement }), _) => {
                Received::Control(Control { kind, statement })
            }
            // Never answered with a rejection: two nodes would go on for ever.
            (Ok(Frame::Reject { seq, code }), _) => Received::Rejected { seq, code },
            (
                Ok(
                    Frame::Item { .. }
                    | Frame::PackedItem { .. }
                    | Frame::Hello { .. }
                    | Frame::Credit { .. }
                    | Frame::Acknowledgement { .. }
                    | Frame::Again { .. },
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
        self.resolve_until(outcome, None)
    }

    /// The same of an answer that is true until an instant: what was not taken is asked for again then.
    ///
    /// # Errors
    /// As [`Receiver::resolve`].
    pub fn resolve_until(
        &mut self,
        outcome: Outcome,
        until: Option<Time>,
    ) -> Result<Inbox, ResolveError> {
        let pending = *self.pending.front().ok_or(ResolveError::NothingPending)?;
        let untaken = untaken((pending.seq, pending.body), outcome)?;
        self.pending.pop_front();
        let seq = pending.seq;
        self.tip.cursor = seq;
        self.tip.bodies = pending.chain.digest();
        self.tip.outcomes = Chain::at(self.tip.outcomes)
            .with_outcome(seq, &pending.body.digest(), outcome)
            .digest();
        if let Some(code) = untaken {
            let list = if code.is_set_aside() {
                &mut self.tip.set_aside
            } else {
                &mut self.tip.refused
            };
            list.push(RefusedItem { seq, code });
            if code.may_come_again() {
                self.asking.note(&mut self.tip, code, until);
            }
        }
        self.resolved.push_back(Resolved {
            mark: Mark {
                upto: seq,
                bodies: self.tip.bodies,
                outcomes: self.tip.outcomes,
            },
            untaken,
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
            if let Some(code) = resolved.untaken {
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
        self.is_paused = false;
        self.credit()
    }

    /// Whether no more may come for now.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// No more items may come for now than were granted.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Counts what came and is being settled. Returns what came on this day with it.
    pub fn count(&mut self, brought: Brought, now: Time) -> BroughtOn {
        let all = BroughtOn::and(self.tip.brought, brought, now);
        self.tip.brought = Some(all);
        all
    }

    /// How the inbox stands with everything that was settled.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.tip
    }

    /// What is to be signed: when nothing is being committed, or after [`ACKNOWLEDGEMENT_ITEMS`]. To be asked when no frame waits to
    /// be read, so that one signature covers what came together; and once more only after the one before is signed.
    #[must_use]
    pub fn acknowledgement_due(&mut self, now: Time) -> Option<Acknowledgement> {
        let unsigned = self.committed.upto - self.signed_upto;
        // What is pending when this is asked waits for a clock that can be believed, for how long is open.
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
            refused: self.committed_of(&self.tip.refused),
            set_aside: self.committed_of(&self.tip.set_aside),
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

    /// This node judges by something else from now on, or by the same.
    pub fn set_grounds(&mut self, grounds: Digest) {
        self.asking.set_grounds(grounds, &self.tip);
    }

    /// Asks again for what was not taken and may be taken now: because its grounds have changed, for each code at most
    /// [`ASKS_AT_ONCE`](super::ASKS_AT_ONCE) times at once; or because nothing but time stands against it, once in
    /// [`ASK_AGAIN_SECONDS`](super::ASK_AGAIN_SECONDS). Only for what the sender confirmed to know of. The first time on a link, repeats what was asked for before. To be asked
    /// when nothing is resolved that is not committed.
    #[must_use]
    pub fn ask_again(&mut self, now: Time) -> Option<Asks> {
        if !self.is_agreed {
            return None;
        }
        let mut asks = self.asking.ask(&mut self.tip, now)?;
        asks.frames.extend(self.credit());
        Some(asks)
    }

    /// Whether [`Receiver::ask_again`] may find something to ask for, now or later.
    #[must_use]
    pub fn has_to_ask(&self) -> bool {
        self.is_agreed && self.asking.is_left(&self.tip)
    }

    /// The number that comes next, and the last that may come by the credit that was given.
    #[must_use]
    pub fn turn(&self) -> (u64, u64) {
        let pending = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        let next = self.tip.cursor.saturating_add(pending).saturating_add(1);
        (next, self.granted_upto)
    }

    /// How many items were taken and not resolved. At most [`CREDIT_ITEMS`].
    #[cfg(test)]
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

    /// Keeps evidence for the item that is to come next. Only that one has any, and it comes whole.
    fn keep_evidence(&mut self, seq: u64, statements: Vec<ByteBuf>) -> Received {
        let before = self
            .pending
            .back()
            .map_or(self.tip.cursor, |pending| pending.seq);
        let has_place = seq == before + 1 && seq <= self.granted_upto && self.evidence.is_none();
        if !has_place {
            return reject(0, RefusalCode::Unexpected);
        }
        if statements.len() > EVIDENCE_STATEMENTS_MAX {
            return reject(0, RefusalCode::TooLarge);
        }
        let statements = statements.into_iter().map(ByteBuf::into_vec).collect();
        self.evidence = Some((seq, statements));
        Received::Kept
    }

    fn take_evidence(&mut self, seq: u64) -> Vec<Vec<u8>> {
        let evidence = self.evidence.take();
        evidence
            .filter(|(of, _)| *of == seq)
            .map(|(_, statements)| statements)
            .unwrap_or_default()
    }

    fn committed_of(&self, untaken: &[RefusedItem]) -> Vec<RefusedItem> {
        untaken
            .iter()
            .filter(|untaken| untaken.seq <= self.committed.upto)
            .copied()
            .collect()
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
        if !self.is_active || self.is_paused || !self.is_agreed {
            return 0;
        }
        // What was set aside comes again, so less may come until then; but one item always may, or it would be held up.
        let set_aside = self.tip.set_aside_count();
        let window = u64::from(CREDIT_ITEMS).saturating_sub(set_aside).max(1);
        let window = self.committed.upto.saturating_add(window);
        let unacknowledged = self.tip.signed.saturating_add(UNACKNOWLEDGED_ITEMS_MAX);
        let target = window.min(unacknowledged);
        let items = target.saturating_sub(self.granted_upto);
        self.granted_upto = self.granted_upto.max(target);
        u32::try_from(items).unwrap_or(CREDIT_ITEMS)
    }
}

fn reject(seq: u64, code: RefusalCode) -> Received {
    Received::Reply(Frame::Reject { seq, code })
}
