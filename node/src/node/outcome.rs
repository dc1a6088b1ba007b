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

/// The number under which an observation stands in an outbox: the last that its last disclosure has there, where that was
/// not taken back. What was taken back may be an earlier number of it, which goes once more to a recipient that lost its store.
pub(crate) fn standing_number(
    store: &Store,
    observation: &ObservationId,
    outbox: &BoxKey,
) -> Result<Option<u64>, StoreError> {
    let mut until = u64::MAX;
    while let Some(index) = store.outcome_before(observation, outbox, until)? {
        match Outcome::at(store, index)?.map(|outcome| outcome.became) {
            Some(Became::Released { seq, disclosure }) => {
                let latest = store.latest_number(&disclosure, seq)?;
                let is_taken_back = store.withdrawn(outbox, latest)?.is_some();
                return Ok((!is_taken_back).then_some(latest));
            }
            Some(Became::Withdrawn) => until = index,
            Some(Became::Withheld { .. }) | None => return Ok(None),
        }
    }
    Ok(None)
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
