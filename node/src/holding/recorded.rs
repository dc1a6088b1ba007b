//! What the ledger says became of one observation for one recipient, last.

use crate::node::{Node, not_taken};
use crate::store::{BoxKey, StoreError, own_acknowledgement};
use ambit_ledger::{Body, DisclosureId, ObservationId, RefusalCode, Time};
use serde::{Deserialize, Serialize};

/// What became of an observation for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Put into the recipient's outbox.
    Disclosed,
    /// Put into the outbox, and taken back before it left.
    Withdrawn,
    /// Withheld.
    Withheld,
    /// Withheld, because nobody could say.
    Undecided,
}

impl Outcome {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disclosed => "disclosed",
            Self::Withdrawn => "withdrawn",
            Self::Withheld => "withheld",
            Self::Undecided => "undecided",
        }
    }
}

/// The entry that says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What it says.
    pub outcome: Outcome,
    /// Its index.
    pub entry: u64,
    /// When it was written.
    pub at: Time,
    /// Whether it was offered again since, because the recipient had not taken it in.
    pub is_offered_again: bool,
    /// What the recipient says of what was disclosed to it, or offered again last; absent before it says anything.
    pub answer: Option<RecipientAnswer>,
}

/// What a recipient acknowledged of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientAnswer {
    /// The entry that holds the acknowledgement.
    pub entry: u64,
    /// Why it was not taken in; absent where it was.
    pub code: Option<String>,
    /// Whether it is offered again once the recipient asks, because what it judges by is another then.
    pub comes_again: bool,
}

impl Node {
    /// What the ledger says last; nothing where it was neither disclosed nor withheld yet.
    pub(super) fn recorded(
        &self,
        id: &ObservationId,
        outbox: &BoxKey,
    ) -> Result<Option<Recorded>, StoreError> {
        let Some(entry) = self.store().outcome_for(id, outbox)? else {
            return Ok(None);
        };
        let Some(recorded) = self.store().entry(entry)? else {
            return Ok(None);
        };
        let mut is_offered_again = false;
        let (outcome, answer) = match &recorded.body {
            Body::Disclosed(disclosed) => {
                // The last one, where it was offered again.
                let first = DisclosureId::of(&disclosed.disclosure);
                let seq = self.store().latest_number(&first, disclosed.seq)?;
                is_offered_again = seq != disclosed.seq;
                (Outcome::Disclosed, self.answer_to(outbox, seq)?)
            }
            Body::Withdrawn(_) => (Outcome::Withdrawn, None),
            Body::Withheld(withheld) if withheld.undecided => (Outcome::Undecided, None),
            Body::Withheld(_) => (Outcome::Withheld, None),
            // No other kind says what became of an observation for a recipient.
            Body::Opened(_)
            | Body::KeyCertified(_)
            | Body::PartnershipEdition(_)
            | Body::PartnershipDeclined(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::LimitsSet(_)
            | Body::Observed(_)
            | Body::Admitted(_)
            | Body::Decided(_)
            | Body::Refused(_)
            | Body::SetAside(_)
            | Body::Acknowledged(_)
            | Body::OfferedAgain(_)
            | Body::IssuerPinned(_)
            | Body::AttestationRecorded(_)
            | Body::Laid(_)
            | Body::Unread { .. } => return Ok(None),
        };
        Ok(Some(Recorded {
            outcome,
            entry,
            at: recorded.entry.time,
            is_offered_again,
            answer,
        }))
    }

    fn answer_to(&self, outbox: &BoxKey, seq: u64) -> Result<Option<RecipientAnswer>, StoreError> {
        let Some(entry) = self.store().acknowledgement_of(outbox, seq)? else {
            return Ok(None);
        };
        let recorded = self.store().entry(entry)?;
        let Some(Body::Acknowledged(acknowledged)) = recorded.map(|recorded| recorded.body) else {
            return Ok(None);
        };
        let stated = own_acknowledgement(&acknowledged.acknowledgement)?;
        let code = not_taken(&stated).find(|(item, _)| *item == seq);
        let code = code.map(|(_, code)| code);
        Ok(Some(RecipientAnswer {
            entry,
            code: code.map(|code| code.to_string()),
            comes_again: code.is_some_and(RefusalCode::may_come_again),
        }))
    }
}
