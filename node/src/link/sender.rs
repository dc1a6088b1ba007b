//! The side that opened the link: sends its outbox from where the recipient stands, as far as credit goes.
//!
//! Feed one input, then poll until nothing comes, then feed the next.

use super::divergence::is_out_of_step;
use super::frames::PACKED_SINCE;
use super::progress::Progress;
use super::state::AcknowledgementReach;
use super::wanted::{Outgoing, SenderOutput};
use super::{
    AcknowledgementError, Arrived, Control, Divergence, Frame, Hello, Parties,
    STALLED_AFTER_SECONDS, UNACKNOWLEDGED_ITEMS_MAX, Versions,
};
use ambit_ledger::{
    Acknowledgement, Digest, DisclosureId, ItemBody, ObservationId, RefusalCode, Salt, Time,
};
use serde_bytes::ByteBuf;
use std::collections::VecDeque;

/// The state of one opened link.
#[derive(Clone, Debug)]
pub struct Sender {
    parties: Parties,
    acknowledged: Option<AcknowledgementReach>,
    last: u64,
    stage: Stage,
    queue: VecDeque<SenderOutput>,
    waiting_since: Option<Time>,
    is_stalled: bool,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Said Hello.
    Opening,
    /// Asked for what was sent, to compare the chain in the answer.
    Checking {
        answer: Hello,
        chain: Digest,
        base: AcknowledgementReach,
    },
    Open(Open),
    Stopped,
}

#[derive(Clone, Debug)]
struct Open {
    progress: Progress,
    credit: u32,
    /// The editions are the same.
    is_agreed: bool,
    has_asked: bool,
    /// What both ends speak.
    version: u16,
}

impl Open {
    /// How many items may go by now, up to this number.
    fn sendable(&self, last: u64) -> u64 {
        let left = last.saturating_sub(self.progress.sent_upto());
        left.min(u64::from(self.credit)).min(self.progress.room())
    }
}

impl Sender {
    /// Opens a link: the first output is its Hello. Takes the incarnation of this node's own store, how far the recipient
    /// acknowledged, and the last sequence number in the outbox.
    #[must_use]
    pub fn open(
        parties: Parties,
        incarnation: Salt,
        acknowledged: Option<AcknowledgementReach>,
        last: u64,
    ) -> Self {
        let known = acknowledged.as_ref();
        let hello = Hello {
            versions: Versions::OWN,
            partnership: parties.partnership.clone(),
            edition: parties.edition,
            incarnation,
            peer_incarnation: known.map(|known| known.incarnation),
            cursor: known.map_or(0, |known| known.upto),
            chain: known.map(|known| known.bodies),
            credit: 0,
        };
        Self {
            parties,
            acknowledged,
            last,
            stage: Stage::Opening,
            queue: VecDeque::from([SenderOutput::Send(Frame::Hello { hello })]),
            waiting_since: None,
            is_stalled: false,
        }
    }

    /// What is wanted next, until nothing is.
    pub fn poll(&mut self) -> Option<SenderOutput> {
        if let Some(output) = self.queue.pop_front() {
            return Some(output);
        }
        let Stage::Open(open) = &mut self.stage else {
            return None;
        };
        let next = open.progress.sent_upto() + 1;
        let may_send =
            open.is_agreed && open.sendable(self.last) > 0 && !open.has_asked && !self.is_stalled;
        if !may_send {
            return None;
        }
        open.has_asked = true;
        Some(SenderOutput::NeedItem { seq: next })
    }

    /// Takes one frame from the recipient.
    pub fn receive(&mut self, arrived: Arrived) {
        if matches!(self.stage, Stage::Stopped) {
            return;
        }
        match arrived.frame {
            Ok(Frame::Hello { hello }) if matches!(self.stage, Stage::Opening) => {
                self.reconcile(hello);
            }
            Ok(Frame::Control { kind, statement }) => self
                .queue
                .push_back(SenderOutput::Control(Control { kind, statement })),
            Ok(Frame::Again { code, upto }) => match self.stage {
                Stage::Open(_) => self.queue.push_back(SenderOutput::Again { code, upto }),
                Stage::Opening | Stage::Checking { .. } | Stage::Stopped => self.refuse_frame(),
            },
            Ok(Frame::Reject { seq, code }) => self.take_rejection(seq, code),
            Ok(Frame::Ack { upto, chain }) => self.take_ack(upto, &chain),
            Ok(Frame::Credit { items }) => match &mut self.stage {
                Stage::Open(open) => open.credit = open.credit.saturating_add(items),
                Stage::Opening | Stage::Checking { .. } | Stage::Stopped => self.refuse_frame(),
            },
            Ok(Frame::Acknowledgement { statement }) => match self.stage {
                Stage::Open(_) => self
                    .queue
                    .push_back(SenderOutput::Acknowledgement { statement }),
                Stage::Opening | Stage::Checking { .. } | Stage::Stopped => self.refuse_frame(),
            },
            Ok(
                Frame::Hello { .. }
                | Frame::Item { .. }
                | Frame::PackedItem { .. }
                | Frame::Tombstone { .. }
                | Frame::Evidence { .. },
            ) => {
                self.refuse_frame();
            }
            Err(error) => self.reject(error.code()),
        }
    }

    /// Answers [`SenderOutput::NeedBodies`].
    pub fn supply_bodies(&mut self, bodies: Vec<ItemBody>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Stopped);
        let Stage::Checking {
            answer,
            chain,
            base,
        } = stage
        else {
            self.stage = stage;
            return;
        };
        let from = base.upto + 1;
        let mut progress = Progress::from_acknowledged(base);
        for body in bodies {
            progress.push(body);
        }
        let upto = answer.cursor;
        if progress.sent_upto() != upto {
            return self.diverge(Divergence::OwnBodies { from, upto });
        }
        if progress.chain_end().digest() != chain {
            return self.diverge(Divergence::Chain { upto });
        }
        self.start(&answer, progress);
    }

    /// Answers [`SenderOutput::NeedItem`].
    pub fn supply_item(&mut self, outgoing: Outgoing) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        if !std::mem::take(&mut open.has_asked) {
            return;
        }
        open.credit = open.credit.saturating_sub(1);
        let frame = match outgoing {
            Outgoing::Item {
                observation,
                disclosure,
                readings,
                is_packed,
                evidence,
            } => {
                let (seq, chain) = open.progress.push(ItemBody::Item {
                    observation: ObservationId::of(&observation),
                    disclosure: DisclosureId::of(&disclosure),
                });
                if !evidence.is_empty() {
                    let statements = evidence.into_iter().map(ByteBuf::from).collect();
                    let evidence = Frame::Evidence { seq, statements };
                    self.queue.push_back(SenderOutput::Send(evidence));
                }
                if is_packed {
                    Frame::PackedItem {
                        seq,
                        chain,
                        observation,
                        disclosure,
                        readings,
                    }
                } else {
                    Frame::Item {
                        seq,
                        chain,
                        observation,
                        disclosure,
                        readings,
                    }
                }
            }
            Outgoing::Tombstone => {
                let (seq, chain) = open.progress.push(ItemBody::Tombstone);
                Frame::Tombstone { seq, chain }
            }
        };
        self.queue.push_back(SenderOutput::Send(frame));
    }

    /// How many items may go by now.
    #[must_use]
    pub fn sendable(&self) -> u64 {
        match &self.stage {
            Stage::Open(open) => open.sendable(self.last),
            Stage::Opening | Stage::Checking { .. } | Stage::Stopped => 0,
        }
    }

    /// Whether the recipient reads items whose readings are packed.
    #[must_use]
    pub fn takes_packed(&self) -> bool {
        matches!(&self.stage, Stage::Open(open) if open.version >= PACKED_SINCE)
    }

    /// The outbox holds more: the last sequence number given out.
    pub fn outbox_grew(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// Sends a message about the partnership, after the Hello.
    pub fn send_control(&mut self, message: Control) {
        if !matches!(self.stage, Stage::Stopped) {
            self.send(message.into());
        }
    }

    /// Checks a verified acknowledgement against what was sent. Commit what it returns; where the incarnation is another
    /// one than before, that may cover less than before.
    ///
    /// # Errors
    /// [`AcknowledgementError`]; the state is as before.
    pub fn acknowledge(
        &mut self,
        statement: &Acknowledgement,
    ) -> Result<AcknowledgementReach, AcknowledgementError> {
        let Stage::Open(open) = &mut self.stage else {
            return Err(AcknowledgementError::NotOpen);
        };
        let acknowledged = open.progress.acknowledge(&self.parties, statement)?;
        self.note_answer();
        Ok(acknowledged)
    }

    /// The acknowledgement is committed: tells the recipient, which may then forget the refusals it states.
    pub fn acknowledgement_committed(&mut self, acknowledged: &AcknowledgementReach) {
        if matches!(self.stage, Stage::Open(_)) {
            self.send(Frame::Ack {
                upto: acknowledged.upto,
                chain: acknowledged.bodies,
            });
        }
    }

    /// Looks whether the recipient left this node waiting for more than [`STALLED_AFTER_SECONDS`], to the distance between
    /// two calls.
    pub fn tick(&mut self, now: Time) {
        if !self.is_waiting() {
            self.waiting_since = None;
            return;
        }
        // A clock that was set back starts the wait again.
        let since = self.waiting_since.filter(|since| *since <= now);
        let since = *self.waiting_since.insert(since.unwrap_or(now));
        if !self.is_stalled && since.plus_seconds(STALLED_AFTER_SECONDS) <= now {
            self.is_stalled = true;
            self.queue.push_back(SenderOutput::Stalled);
        }
    }

    /// Whether both ends agreed on the past.
    #[cfg(test)]
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Whether the link stopped for good.
    #[cfg(test)]
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.stage, Stage::Stopped)
    }

    /// How many items were sent that the recipient did not say it committed.
    #[cfg(test)]
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        match &self.stage {
            Stage::Open(open) => open.progress.in_flight(),
            Stage::Opening | Stage::Checking { .. } | Stage::Stopped => 0,
        }
    }

    fn reconcile(&mut self, answer: Hello) {
        self.note_answer();
        if Versions::OWN.common(answer.versions).is_none() {
            self.stage = Stage::Stopped;
            return self.queue.push_back(SenderOutput::NoCommonVersion);
        }
        let (true, Some(chain)) = (answer.partnership == self.parties.partnership, answer.chain)
        else {
            return self.diverge(Divergence::AnotherPartnership);
        };
        let known = self.acknowledged.take();
        let has_known = known.is_some();
        let base = match known.filter(|known| known.incarnation == answer.incarnation) {
            Some(known) => known,
            None => {
                if has_known {
                    self.queue.push_back(SenderOutput::StartsOver {
                        incarnation: answer.incarnation,
                    });
                }
                Progress::start(&self.parties, answer.incarnation)
            }
        };
        if let Some(divergence) = self.compare_cursor(answer.cursor, base.upto) {
            return self.diverge(divergence);
        }
        if answer.cursor > base.upto {
            self.queue.push_back(SenderOutput::NeedBodies {
                from: base.upto + 1,
                upto: answer.cursor,
            });
            self.stage = Stage::Checking {
                answer,
                chain,
                base,
            };
        } else if chain == base.bodies {
            self.start(&answer, Progress::from_acknowledged(base));
        } else {
            self.diverge(Divergence::Chain { upto: base.upto });
        }
    }

    fn compare_cursor(&self, cursor: u64, acknowledged: u64) -> Option<Divergence> {
        let last = self.last;
        if cursor < acknowledged {
            Some(Divergence::RecipientWentBack {
                cursor,
                acknowledged,
            })
        } else if cursor > last {
            Some(Divergence::SenderWentBack { cursor, last })
        } else if cursor - acknowledged > UNACKNOWLEDGED_ITEMS_MAX {
            Some(Divergence::Unacknowledged {
                cursor,
                acknowledged,
            })
        } else {
            None
        }
    }

    fn start(&mut self, answer: &Hello, mut progress: Progress) {
        progress.ack_all();
        self.queue.push_back(SenderOutput::Opened {
            cursor: answer.cursor,
        });
        let is_agreed = answer.edition == self.parties.edition;
        if !is_agreed {
            self.queue.push_back(SenderOutput::EditionDiffers {
                own: self.parties.edition,
                theirs: answer.edition,
            });
        }
        self.stage = Stage::Open(Open {
            progress,
            credit: answer.credit,
            is_agreed,
            has_asked: false,
            version: Versions::OWN.common(answer.versions).unwrap_or_default(),
        });
    }

    fn take_ack(&mut self, upto: u64, chain: &Digest) {
        let Stage::Open(open) = &mut self.stage else {
            return self.refuse_frame();
        };
        match open.progress.ack(upto, chain) {
            Ok(true) => {
                self.note_answer();
                self.queue.push_back(SenderOutput::Acked { upto });
            }
            Ok(false) => {}
            Err(divergence) => self.diverge(divergence),
        }
    }

    /// A rejection is never answered with a rejection: two nodes would go on for ever.
    fn take_rejection(&mut self, seq: u64, code: RefusalCode) {
        if matches!(self.stage, Stage::Opening) && code == RefusalCode::NewerVersion {
            // All that was said is the Hello.
            self.stage = Stage::Stopped;
            return self.queue.push_back(SenderOutput::NoCommonVersion);
        }
        self.queue.push_back(SenderOutput::Rejected { seq, code });
        if let Stage::Open(open) = &mut self.stage
            && open.progress.note_untaken(seq, code)
            && is_out_of_step(code)
        {
            self.diverge(Divergence::OutOfStep { seq, code });
        }
    }

    /// Whether an answer of the recipient's is due, so that [`Sender::tick`] may find a stall.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match &self.stage {
            Stage::Opening => true,
            Stage::Open(open) => open.progress.in_flight() > 0 || open.progress.is_full(),
            Stage::Checking { .. } | Stage::Stopped => false,
        }
    }

    fn note_answer(&mut self) {
        self.waiting_since = None;
        self.is_stalled = false;
    }

    fn refuse_frame(&mut self) {
        self.reject(RefusalCode::Unexpected);
    }

    fn reject(&mut self, code: RefusalCode) {
        self.send(Frame::Reject { seq: 0, code });
    }

    fn send(&mut self, frame: Frame) {
        self.queue.push_back(SenderOutput::Send(frame));
    }

    fn diverge(&mut self, divergence: Divergence) {
        self.stage = Stage::Stopped;
        // What was to be sent is not sent any more; what was said stays said.
        self.queue
            .retain(|output| !matches!(output, SenderOutput::Send(_)));
        self.queue.push_back(SenderOutput::Diverged(divergence));
    }
}
