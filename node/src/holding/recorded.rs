//! What the ledger says became of one observation for one recipient, last.

use crate::node::{Answer, Became, Node, Stands, stored};
use crate::store::{BoxKey, StoreError};
use ambit_ledger::{ObservationId, Purpose, RefusalCode, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Its index; of what was offered again by another disclosure, that of the entry that holds this.
    pub entry: u64,
    /// When it was written.
    pub at: Time,
    /// What it was disclosed for; nothing where it was not disclosed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<Purpose>,
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
    /// Whether the recipient has asked for it, and this node's own layers keep it back now: it goes once they let it.
    #[serde(default)]
    pub is_kept_back: bool,
}

impl Node {
    /// What the ledger says last; nothing where it was neither disclosed nor withheld yet.
    pub(super) fn recorded(
        &self,
        id: &ObservationId,
        outbox: &BoxKey,
    ) -> Result<Option<Recorded>, StoreError> {
        let store = self.store();
        let Some(stands) = Stands::now(store, id, outbox)? else {
            return Ok(None);
        };
        let mut entry = stands.entry;
        let mut purposes = BTreeSet::new();
        let mut is_offered_again = false;
        let mut answer = None;
        if let Some((number, answered)) = stands.answered(store, outbox)? {
            let stored = stored(self, outbox, number)?;
            entry = stored.entry;
            purposes = stored.disclosure.scope.purposes;
            is_offered_again = stands.first() != Some(number);
            answer = answered.map(|answered| RecipientAnswer {
                is_kept_back: self.is_kept_back(outbox, number, &answered),
                ..RecipientAnswer::from(answered)
            });
        }
        let Some(recorded) = store.entry(entry)? else {
            return Ok(None);
        };
        let outcome = match stands.became {
            Became::Released { .. } => Outcome::Disclosed,
            Became::Withdrawn => Outcome::Withdrawn,
            Became::Withheld {
                is_undecided: true, ..
            } => Outcome::Undecided,
            Became::Withheld { .. } => Outcome::Withheld,
        };
        Ok(Some(Recorded {
            outcome,
            entry,
            at: recorded.entry.time,
            purposes,
            is_offered_again,
            answer,
        }))
    }
}

impl Node {
    /// Whether a recipient has asked for what it did not take under the last number that it had.
    fn is_kept_back(&self, outbox: &BoxKey, number: u64, answer: &Answer) -> bool {
        let code = answer.code.filter(|code| code.may_come_again());
        let state = self.store().outbox(outbox);
        let asked = code
            .zip(state)
            .and_then(|(code, state)| state.asked_for.get(&code.number()).copied());
        asked.is_some_and(|asked| asked.kept_back > 0 && number <= asked.upto)
    }
}

impl From<Answer> for RecipientAnswer {
    fn from(answer: Answer) -> Self {
        Self {
            entry: answer.entry,
            code: answer.code.map(|code| code.to_string()),
            comes_again: answer.code.is_some_and(RefusalCode::may_come_again),
            is_kept_back: false,
        }
    }
}
