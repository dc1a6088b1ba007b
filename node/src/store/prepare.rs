//! What a commit takes that needs no place in the ledger yet: randomness, sealing, encoding, index keys. It runs
//! on the caller's thread, so that the one writer only puts records in order.

use super::finding::FoundBy;
use super::index::{
    Mark, admitted_marks, disclosed_marks, marks_of, observed_marks, offered_marks,
};
use super::index_key::{Hashes, IndexKey};
use super::keys::BoxKey;
use super::records::{AskedFor, Commit, Outbox, Write};
use super::slots::{SlotError, SlotKey, Slots};
use super::{StoreError, seal};
use crate::link::{AcknowledgementReach, Inbox, pack_readings};
use crate::randomness::Randomness;
use ambit_ledger::{
    Admitted, Body, Digest, Disclosed, Kind, Name, ObservationId, Observed, OfferedAgain, Salt,
    Time,
};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Hands out key slots, each once: also those of commits that fail.
#[derive(Debug)]
pub(super) struct Allotment {
    slots: Slots,
    next: u64,
    /// Slots from the next one on may have been handed out before, to what a crash cut off.
    is_doubtful: bool,
}

impl Allotment {
    /// Hands out slots from `next` on.
    pub(super) fn new(slots: Slots, next: u64, is_doubtful: bool) -> Self {
        Self {
            slots,
            next,
            is_doubtful,
        }
    }

    /// Sees to it that no key is handed out that was before.
    pub(super) fn settle(&mut self) -> Result<(), SlotError> {
        if self.is_doubtful {
            self.slots.renew(self.next)?;
            self.is_doubtful = false;
        }
        Ok(())
    }

    fn allot(&mut self) -> Result<(u64, SlotKey), SlotError> {
        self.settle()?;
        let slot = self.next;
        self.next += 1;
        Ok((slot, self.slots.key(slot)?))
    }

    /// The key of a slot that was handed out. Asking for one that never was fills nothing.
    pub(super) fn key(&mut self, slot: u64) -> Result<SlotKey, SlotError> {
        if slot >= self.next {
            return Err(SlotError::Erased(slot));
        }
        self.slots.key(slot)
    }
}

/// A commit that the writer can put in its place. Dropped, its key slots are never used.
#[derive(Debug)]
pub struct Prepared {
    pub(super) actor: Name,
    pub(super) reason: Option<Name>,
    pub(super) now: Time,
    pub(super) steps: Vec<Step>,
}

/// One thing to write.
#[derive(Debug)]
pub(super) enum Step {
    Entry(PreparedEntry),
    /// An entry whose body takes its sequence number from the outbox.
    Disclosed {
        nonce: Salt,
        outbox: BoxKey,
        observation: ObservationId,
        statement: ByteBuf,
    },
    Blob {
        digest: Digest,
        bytes: Vec<u8>,
    },
    OpenOutbox(Outbox),
    Judged {
        outbox: BoxKey,
        upto: Option<u64>,
    },
    Offered {
        outbox: BoxKey,
        upto: u64,
    },
    OutboxAcknowledged {
        outbox: BoxKey,
        upto: AcknowledgementReach,
        at: Option<Time>,
        untaken: BTreeMap<u16, u64>,
    },
    /// As [`Step::Disclosed`].
    OfferedAgain {
        nonce: Salt,
        outbox: BoxKey,
        offer: OfferedAgain,
    },
    AskedFor {
        outbox: BoxKey,
        code: u16,
        asked: AskedFor,
        newly: u64,
    },
    Inbox(Inbox),
}

#[derive(Debug)]
pub(super) struct PreparedEntry {
    pub(super) nonce: Salt,
    pub(super) kind: u32,
    pub(super) body: ByteBuf,
    pub(super) marks: Vec<Mark>,
    pub(super) sealed: Option<Sealed>,
}

/// Sealed readings: the slot, then nonce and ciphertext.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) slot: u64,
    /// The slot goes first, so that readings are opened with nothing else at hand.
    pub(super) block: Vec<u8>,
}

impl Prepared {
    /// About how many bytes it brings.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |step: &Step| match step {
            Step::Entry(entry) => {
                let sealed = entry.sealed.as_ref();
                entry.body.len() + sealed.map_or(0, |sealed| sealed.block.len())
            }
            Step::Disclosed { statement, .. } => statement.len(),
            Step::Blob { bytes, .. } => bytes.len(),
            Step::OpenOutbox(_)
            | Step::Judged { .. }
            | Step::Offered { .. }
            | Step::OutboxAcknowledged { .. }
            | Step::OfferedAgain { .. }
            | Step::AskedFor { .. }
            | Step::Inbox(_) => 0,
        };
        self.steps.iter().map(bytes).sum()
    }
}

impl PreparedEntry {
    /// The body of a disclosure that has its sequence number.
    pub(super) fn disclosed(
        nonce: Salt,
        outbox: &BoxKey,
        observation: &ObservationId,
        statement: &ByteBuf,
        seq: u64,
    ) -> Self {
        let body = Body::Disclosed(Disclosed {
            disclosure: statement.clone(),
            seq,
            evidence: BTreeSet::new(),
        });
        Self {
            nonce,
            kind: Kind::Disclosed.number(),
            body: ByteBuf::from(body.encode()),
            marks: disclosed_marks(observation, outbox, seq),
            sealed: None,
        }
    }
}

/// The entry of an offer that has its sequence number.
pub(super) fn offered_again(nonce: Salt, offer: &OfferedAgain, seq: u64) -> PreparedEntry {
    let offer = OfferedAgain {
        seq,
        ..offer.clone()
    };
    let marks = offered_marks(&offer);
    PreparedEntry {
        nonce,
        kind: Kind::OfferedAgain.number(),
        body: ByteBuf::from(Body::OfferedAgain(offer).encode()),
        marks,
        sealed: None,
    }
}

/// Prepares a commit.
pub(super) fn prepare(
    allotment: &Mutex<Allotment>,
    key: &IndexKey,
    commit: Commit,
) -> Result<Prepared, StoreError> {
    let mut randomness = Randomness::default();
    let mut hashes = Hashes::with(key);
    let steps = commit
        .writes
        .into_iter()
        .map(|write| step(allotment, &mut hashes, &mut randomness, write));
    Ok(Prepared {
        actor: commit.actor,
        reason: commit.reason,
        now: commit.now,
        steps: steps.collect::<Result<_, _>>()?,
    })
}

fn step(
    allotment: &Mutex<Allotment>,
    hashes: &mut Hashes<'_>,
    randomness: &mut Randomness,
    write: Write,
) -> Result<Step, StoreError> {
    match write {
        Write::Entry(body) => {
            let marks = marks_of(&body, hashes, None)?;
            entry(randomness, &body, marks, None)
        }
        Write::Blob(bytes) => Ok(Step::Blob {
            digest: Digest::of(&bytes),
            bytes,
        }),
        Write::Observed {
            id,
            is_new,
            facts,
            elements,
            statement,
            readings,
            import,
        } => {
            let sealed = seal_readings(allotment, randomness, &id, &readings)?;
            let body = Body::Observed(Observed {
                observation: ByteBuf::from(statement),
                slot: sealed.slot,
                import,
            });
            entry(
                randomness,
                &body,
                observed_marks(
                    id,
                    is_new,
                    FoundBy::of(hashes, &facts, Some(&elements)),
                    import.as_ref(),
                ),
                Some(sealed),
            )
        }
        Write::Admitted {
            id,
            edition,
            facts,
            elements,
            statement,
            disclosure,
            hold_until,
            decision,
            seq,
            readings,
        } => {
            let sealed = seal_readings(allotment, randomness, &id, &readings)?;
            let body = Body::Admitted(Admitted {
                observation: ByteBuf::from(statement),
                disclosure: ByteBuf::from(disclosure),
                decisions: [decision].into(),
                seq,
                slot: sealed.slot,
                evidence: BTreeSet::new(),
            });
            entry(
                randomness,
                &body,
                admitted_marks(
                    &id,
                    FoundBy::of(hashes, &facts, Some(&elements)),
                    &edition,
                    hold_until,
                ),
                Some(sealed),
            )
        }
        Write::Disclosed {
            outbox,
            observation,
            statement,
        } => Ok(Step::Disclosed {
            nonce: randomness.salt()?,
            outbox,
            observation,
            statement: ByteBuf::from(statement),
        }),
        Write::OpenOutbox {
            partnership,
            recipient,
        } => Ok(Step::OpenOutbox(Outbox {
            partnership,
            recipient,
            last: 0,
            judged: 0,
            offered: 0,
            acknowledged: None,
            acknowledged_at: None,
            untaken: BTreeMap::new(),
            asked_for: BTreeMap::new(),
        })),
        Write::Judged { outbox, upto } => Ok(Step::Judged { outbox, upto }),
        Write::Offered { outbox, upto } => Ok(Step::Offered { outbox, upto }),
        Write::OutboxAcknowledged {
            outbox,
            upto,
            at,
            untaken,
        } => Ok(Step::OutboxAcknowledged {
            outbox,
            upto,
            at,
            untaken,
        }),
        Write::OfferedAgain { outbox, offer } => Ok(Step::OfferedAgain {
            nonce: randomness.salt()?,
            outbox,
            offer,
        }),
        Write::AskedFor {
            outbox,
            code,
            asked,
            newly,
        } => Ok(Step::AskedFor {
            outbox,
            code,
            asked,
            newly,
        }),
        Write::Inbox(inbox) => Ok(Step::Inbox(inbox)),
    }
}

fn entry(
    randomness: &mut Randomness,
    body: &Body,
    marks: Vec<Mark>,
    sealed: Option<Sealed>,
) -> Result<Step, StoreError> {
    Ok(Step::Entry(PreparedEntry {
        nonce: randomness.salt()?,
        kind: body.kind(),
        body: ByteBuf::from(body.encode()),
        marks,
        sealed,
    }))
}

fn seal_readings(
    allotment: &Mutex<Allotment>,
    randomness: &mut Randomness,
    id: &ObservationId,
    readings: &[u8],
) -> Result<Sealed, StoreError> {
    let (slot, key) = allotment
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .allot()?;
    let packed = pack_readings(readings);
    let sealed = seal::seal(&packed, id, slot, &key, randomness.take()?)?;
    let block = [slot.to_be_bytes().as_slice(), &sealed].concat();
    Ok(Sealed { slot, block })
}
