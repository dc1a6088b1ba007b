//! What an entry says became of one observation for one recipient, and what that recipient answered.

use crate::store::{BoxKey, Store, StoreError, own_acknowledgement, own_disclosure};
use ambit_ledger::{Body, Digest, DisclosureId, ObservationId, RefusalCode, Verdict};

/// What an entry says, and of what for whom.
pub(crate) struct Outcome {
    pub(crate) observation: ObservationId,
    pub(crate) outbox: BoxKey,
    pub(crate) became: Became,
}

/// What became of it.
pub(crate) enum Became {
    /// Put into the recipient's outbox.
    Released {
        /// Under this number.
        seq: u64,
        disclosure: DisclosureId,
    },
    /// Put there, and taken back before it left.
    Withdrawn,
    /// Withheld, or undecided.
    Withheld {
        decision: Option<Digest>,
        is_undecided: bool,
    },
}

impl Outcome {
    /// What the entry at an index says; nothing where there is none, or it is of a kind that says none.
    pub(crate) fn at(store: &Store, index: u64) -> Result<Option<Self>, StoreError> {
        match store.entry(index)? {
            Some(recorded) => Self::of(&recorded.body),
            None => Ok(None),
        }
    }

    /// What an entry says; nothing where it is of a kind that says none.
    pub(crate) fn of(body: &Body) -> Result<Option<Self>, StoreError> {
        let (observation, partnership, recipient, became) = match body {
            Body::Disclosed(disclosed) => {
                let disclosure = own_disclosure(&disclosed.disclosure)?;
                return Ok(Some(Self {
                    observation: disclosure.observation,
                    outbox: BoxKey::new(&disclosure.partnership, &disclosure.recipient),
                    became: Became::Released {
                        seq: disclosed.seq,
                        disclosure: DisclosureId::of(&disclosed.disclosure),
                    },
                }));
            }
            Body::Withdrawn(withdrawn) => (
                withdrawn.observation,
                &withdrawn.partnership,
                &withdrawn.recipient,
                Became::Withdrawn,
            ),
            Body::Withheld(withheld) => {
                let became = Became::Withheld {
                    decision: withheld.decision,
                    is_undecided: withheld.undecided,
                };
                let (partnership, recipient) = (&withheld.partnership, &withheld.recipient);
                (withheld.observation, partnership, recipient, became)
            }
            Body::Opened(_)
            | Body::KeyCertified(_)
            | Body::PartnershipEdition(_)
            | Body::PartnershipDeclined(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::LimitsSet(_)
            | Body::Observed(_)
            | Body::Decided(_)
            | Body::Admitted(_)
            | Body::Refused(_)
            | Body::Acknowledged(_)
            | Body::IssuerPinned(_)
            | Body::AttestationRecorded(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::Laid(_)
            | Body::Unread { .. } => return Ok(None),
        };
        Ok(Some(Self {
            observation,
            outbox: BoxKey::new(partnership, recipient),
            became,
        }))
    }
}

/// How an observation stands for a recipient.
pub(crate) struct Stands {
    /// The entry that says so.
    pub(crate) entry: u64,
    pub(crate) became: Became,
    /// The numbers under which it is in the recipient's outbox and was not taken back, in their order; none where it is not
    /// released. It has more than one where it was offered again.
    pub(crate) numbers: Vec<u64>,
}

impl Stands {
    /// What the entries below one say; nothing where none says anything.
    ///
    /// What was taken back under one number may be there under another. Nothing else is said of it before it was taken back
    /// under all of them.
    pub(crate) fn below(
        store: &Store,
        observation: &ObservationId,
        outbox: &BoxKey,
        until: u64,
    ) -> Result<Option<Self>, StoreError> {
        let mut last = None;
        let mut from = until;
        while let Some(entry) = store.outcome_before(observation, outbox, from)? {
            let Some(outcome) = Outcome::at(store, entry)? else {
                break;
            };
            from = entry;
            let numbers = match &outcome.became {
                Became::Released { seq, disclosure } => live_numbers(
                    store,
                    outbox,
                    store.numbers(disclosure, *seq, until)?,
                    until,
                )?,
                Became::Withdrawn | Became::Withheld { .. } => Vec::new(),
            };
            let goes_on = matches!(outcome.became, Became::Withdrawn);
            let stands = Self {
                entry,
                became: outcome.became,
                numbers,
            };
            if !stands.numbers.is_empty() {
                return Ok(Some(stands));
            }
            last = last.or(Some(stands));
            if !goes_on {
                break;
            }
        }
        Ok(last)
    }

    /// The number under which it was put there first; nothing where it is not released.
    pub(crate) fn first(&self) -> Option<u64> {
        match self.became {
            Became::Released { seq, .. } => Some(seq),
            Became::Withdrawn | Became::Withheld { .. } => None,
        }
    }

    /// What the ledger says now.
    pub(crate) fn now(
        store: &Store,
        observation: &ObservationId,
        outbox: &BoxKey,
    ) -> Result<Option<Self>, StoreError> {
        Self::below(store, observation, outbox, store.size())
    }

    /// The number that tells what became of it, and what the recipient's store of now said of that. Nothing where it is not
    /// released.
    pub(crate) fn answered(
        &self,
        store: &Store,
        outbox: &BoxKey,
    ) -> Result<Option<(u64, Option<Answer>)>, StoreError> {
        Answer::to_any(store, outbox, &self.numbers)
    }
}

/// Those that were not taken back below an entry.
fn live_numbers(
    store: &Store,
    outbox: &BoxKey,
    numbers: Vec<u64>,
    until: u64,
) -> Result<Vec<u64>, StoreError> {
    let mut live = Vec::new();
    for seq in numbers {
        let taken_back = store.withdrawn(outbox, seq)?;
        if taken_back.is_none_or(|entry| entry >= until) {
            live.push(seq);
        }
    }
    Ok(live)
}

impl Became {
    /// What was decided for the recipient, last.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Released { .. } => Verdict::Admissible,
            Self::Withheld {
                is_undecided: true, ..
            } => Verdict::Undecided,
            Self::Withdrawn | Self::Withheld { .. } => Verdict::Withheld,
        }
    }
}

/// What a recipient acknowledged of one item of its outbox.
pub(crate) struct Answer {
    /// The entry that holds the acknowledgement.
    pub(crate) entry: u64,
    /// Why it was not taken in; absent where it was.
    pub(crate) code: Option<RefusalCode>,
}

impl Answer {
    /// Whether the recipient says that it has it.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.code, None | Some(RefusalCode::Duplicate))
    }

    /// Of several numbers of one observation the one that tells what became of it, and what the recipient acknowledged of
    /// that: the number under which it took it, else the last.
    pub(crate) fn to_any(
        store: &Store,
        outbox: &BoxKey,
        numbers: &[u64],
    ) -> Result<Option<(u64, Option<Self>)>, StoreError> {
        let mut last = None;
        for seq in numbers {
            let answer = Self::to(store, outbox, *seq)?;
            let is_taken = answer.as_ref().is_some_and(Self::is_taken);
            last = Some((*seq, answer));
            if is_taken {
                break;
            }
        }
        Ok(last)
    }

    /// What it acknowledged of an item; nothing before it does.
    pub(crate) fn to(store: &Store, outbox: &BoxKey, seq: u64) -> Result<Option<Self>, StoreError> {
        let Some(entry) = store.acknowledgement_of(outbox, seq)? else {
            return Ok(None);
        };
        let recorded = store.entry(entry)?;
        let Some(Body::Acknowledged(acknowledged)) = recorded.map(|recorded| recorded.body) else {
            return Ok(None);
        };
        let stated = own_acknowledgement(&acknowledged.acknowledgement)?;
        let item = stated.not_taken().find(|item| item.seq == seq);
        Ok(Some(Self {
            entry,
            code: item.map(|item| item.code),
        }))
    }
}
