//! The record that an observation's id leads to: the entry that holds it, and what the same group says became of it. What becomes of
//! it later has records of its own, so that this one never changes.

use super::StoreError;
use super::database::Database;
use super::keys::{self, BoxKey};
use ambit_ledger::ObservationId;

/// An entry's index, and after it each outbox with the index of the entry that says what became of the observation for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldRecord {
    /// The entry that holds it.
    pub(super) index: u64,
    /// In the order of the entries.
    pub(super) became: Vec<(BoxKey, u64)>,
}

impl HeldRecord {
    pub(super) fn of(index: u64) -> Self {
        Self {
            index,
            became: Vec::new(),
        }
    }

    /// Whether nothing before an index can say what became of it for an outbox, because the first entry that does is here.
    pub(super) fn begins_with(&self, outbox: &BoxKey, until: u64) -> bool {
        let first = self.became.iter().find(|(of, _)| of == outbox);
        first.is_some_and(|(_, index)| until <= *index)
    }

    /// The last entry before an index that says what became of it for an outbox.
    pub(super) fn outcome_before(&self, outbox: &BoxKey, until: u64) -> Option<u64> {
        let of_outbox = self.became.iter().filter(|(of, _)| of == outbox);
        of_outbox
            .map(|(_, index)| *index)
            .filter(|index| *index < until)
            .max()
    }

    pub(super) fn value(&self) -> Vec<u8> {
        let mut value = self.index.to_be_bytes().to_vec();
        for (outbox, index) in &self.became {
            value.extend_from_slice(outbox.as_bytes());
            value.extend_from_slice(&index.to_be_bytes());
        }
        value
    }

    /// That of an observation, where an entry holds it.
    pub(super) fn read(
        database: &Database,
        id: &ObservationId,
    ) -> Result<Option<Self>, StoreError> {
        let value = database.read(&keys::observation(id))?;
        value.map(|value| Self::parse(&value)).transpose()
    }

    pub(super) fn parse(value: &[u8]) -> Result<Self, StoreError> {
        let damaged = StoreError::Damaged("what an observation's id leads to cannot be read");
        let Some((index, mut rest)) = value.split_first_chunk::<8>() else {
            return Err(damaged);
        };
        let mut held = Self::of(u64::from_be_bytes(*index));
        while !rest.is_empty() {
            let Some((outbox, after)) = rest.split_first_chunk::<16>() else {
                return Err(damaged);
            };
            let Some((index, after)) = after.split_first_chunk::<8>() else {
                return Err(damaged);
            };
            held.became
                .push((BoxKey::from_bytes(*outbox), u64::from_be_bytes(*index)));
            rest = after;
        }
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_it_is_read_as_it_was_written_and_the_last_counts() {
        let outbox = |byte| BoxKey::from_bytes([byte; 16]);
        let mut held = HeldRecord::of(7);
        assert_eq!(HeldRecord::parse(&held.value()).unwrap(), held);
        assert_eq!(held.value(), 7_u64.to_be_bytes());
        held.became = vec![(outbox(1), 8), (outbox(2), 9), (outbox(1), 11)];
        let value = held.value();
        assert_eq!(HeldRecord::parse(&value).unwrap(), held);
        assert_eq!(held.outcome_before(&outbox(1), 12), Some(11));
        assert_eq!(held.outcome_before(&outbox(1), 11), Some(8));
        assert_eq!(held.outcome_before(&outbox(1), 8), None);
        assert_eq!(held.outcome_before(&outbox(3), 12), None);
        assert!(held.begins_with(&outbox(1), 8));
        assert!(!held.begins_with(&outbox(1), 9));
        assert!(!held.begins_with(&outbox(3), 8));
        for length in (0..value.len()).filter(|length| length % 24 != 8) {
            assert!(HeldRecord::parse(&value[..length]).is_err(), "{length}");
        }
    }
}
