//! Reading: only what the committed head covers.

use super::database::{Database, DatabaseError};
use super::keys::{self, BoxKey};
use super::records::{Inbox, Outbox};
use super::{Store, StoreError, seal};
use ambit_ledger::{Body, Decision, Digest, Disclosure, Entry, Observation, ObservationId};
use std::sync::PoisonError;

/// An entry as it is in the ledger.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its index, from 0.
    pub index: u64,
    /// Its bytes: what the leaf is the hash of.
    pub bytes: Vec<u8>,
    /// The entry.
    pub entry: Entry,
    /// Its body.
    pub body: Body,
}

const DAMAGED_ENTRY: &str = "an entry cannot be read";

pub(super) fn join_chunks(chunks: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<u8> {
    chunks.into_iter().flat_map(|(_, value)| value).collect()
}

fn split_record(record: &[u8]) -> Result<&[u8], StoreError> {
    // The first 32 bytes are the leaf hash.
    record
        .get(32..)
        .filter(|bytes| !bytes.is_empty())
        .ok_or(StoreError::Damaged(DAMAGED_ENTRY))
}

pub(super) fn parse_entry(record: &[u8]) -> Result<Entry, StoreError> {
    Entry::decode(split_record(record)?).map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))
}

fn read_chunked(database: &Database, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
    let chunks: Vec<_> = database.scan(key).collect::<Result<_, _>>()?;
    Ok((!chunks.is_empty()).then(|| join_chunks(chunks)))
}

fn index_of(value: &[u8]) -> Result<u64, StoreError> {
    value
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::Damaged("an index cannot be read"))
}

/// The number at the end of a key.
fn last_number(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
        .ok_or(StoreError::Damaged("a key cannot be read"))
}

/// Reads an observation of this node's own ledger.
pub(crate) fn own_observation(statement: &[u8]) -> Result<Observation, StoreError> {
    Observation::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("an observation cannot be read"))
}

/// Reads a disclosure of this node's own ledger.
pub(crate) fn own_disclosure(statement: &[u8]) -> Result<Disclosure, StoreError> {
    Disclosure::from_own_ledger(statement)
        .map_err(|_| StoreError::Damaged("a disclosure cannot be read"))
}

impl Store {
    /// The entry at an index; `None` above the head.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn entry(&self, index: u64) -> Result<Option<Recorded>, StoreError> {
        if index >= self.size() {
            return Ok(None);
        }
        let record = read_chunked(&self.shared.database, &keys::entry(index))?
            .ok_or(StoreError::Damaged("an entry is missing"))?;
        let bytes = split_record(&record)?.to_vec();
        let entry = Entry::decode(&bytes).map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
        let body = entry
            .body()
            .map_err(|_| StoreError::Damaged(DAMAGED_ENTRY))?;
        Ok(Some(Recorded {
            index,
            bytes,
            entry,
            body,
        }))
    }

    /// The entries from an index up to, and without, another, which is at most the head.
    pub fn entries(
        &self,
        from: u64,
        until: u64,
    ) -> impl Iterator<Item = Result<Recorded, StoreError>> + '_ {
        (from..until.min(self.size())).filter_map(|index| self.entry(index).transpose())
    }

    /// The entries that say who is who and what is in force, in order.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn control_entries(&self) -> Result<Vec<Recorded>, StoreError> {
        self.shared
            .database
            .scan(&keys::controls())
            .map(|pair| last_number(&pair?.0))
            .filter_map(|index| index.and_then(|index| self.entry(index)).transpose())
            .collect()
    }

    fn committed(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let index = self.shared.database.read(key)?;
        let index = index.map(|value| index_of(&value)).transpose()?;
        Ok(index.filter(|index| *index < self.size()))
    }

    /// The content of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(read_chunked(&self.shared.database, &keys::blob(digest))?)
    }

    /// The entry with this observation.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observation(&self, id: &ObservationId) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::observation(id))
    }

    /// The observations whose id starts with these bytes, at most `limit` of them.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn observations_with_prefix(
        &self,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<(ObservationId, u64)>, StoreError> {
        let size = self.size();
        self.shared
            .database
            .scan(&keys::observations(prefix))
            .map(|pair| {
                let (key, value) = pair?;
                let digest = key
                    .get(1..)
                    .and_then(|bytes| Digest::try_from(bytes).ok())
                    .ok_or(StoreError::Damaged("a key cannot be read"))?;
                Ok((ObservationId::from_digest(digest), index_of(&value)?))
            })
            .filter(|found| {
                found
                    .as_ref()
                    .map_or(true, |(_, index): &(_, u64)| *index < size)
            })
            .take(limit)
            .collect()
    }

    /// Whether this was imported before.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn was_imported(&self, import: &Digest) -> Result<bool, StoreError> {
        Ok(self.committed(&keys::import(import))?.is_some())
    }

    /// The readings block of the observation recorded at this entry.
    ///
    /// # Errors
    /// [`StoreError::Slot`] where they were erased; any other [`StoreError`].
    pub fn readings(&self, index: u64, id: &ObservationId) -> Result<Vec<u8>, StoreError> {
        let block = read_chunked(&self.shared.database, &keys::readings(index))?
            .ok_or(StoreError::Damaged("sealed readings are missing"))?;
        let (slot, sealed) = block
            .split_first_chunk::<8>()
            .ok_or(StoreError::Damaged("sealed readings cannot be read"))?;
        let slot = u64::from_be_bytes(*slot);
        let key = self
            .shared
            .allotment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .key(slot)?;
        Ok(seal::open(sealed, id, slot, &key)?)
    }

    /// The latest decision of a class.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_of_class(&self, class_key: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.committed(&keys::class(class_key))?)
    }

    /// The decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision(&self, digest: &Digest) -> Result<Option<Decision>, StoreError> {
        self.decision_at(self.decision_entry(digest)?)
    }

    /// The entry that holds the decision of this digest.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn decision_entry(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::decision(digest))
    }

    fn decision_at(&self, index: Option<u64>) -> Result<Option<Decision>, StoreError> {
        let recorded = index.map(|index| self.entry(index)).transpose()?.flatten();
        match recorded.map(|recorded| recorded.body) {
            Some(Body::Decided(decided)) => Ok(Some(decided.decision)),
            Some(_) => Err(StoreError::Damaged("a decision is missing")),
            None => Ok(None),
        }
    }

    /// The state of an outbox; `None` where it was never opened.
    #[must_use]
    pub fn outbox(&self, outbox: &BoxKey) -> Option<Outbox> {
        self.shared.published().outboxes.get(outbox).cloned()
    }

    /// The state of an inbox; `None` before the first item.
    #[must_use]
    pub fn inbox(&self, inbox: &BoxKey) -> Option<Inbox> {
        self.shared.published().inboxes.get(inbox).cloned()
    }

    /// The entry that took an observation in under an edition of a partnership.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn admitted_under(
        &self,
        edition: &Digest,
        id: &ObservationId,
    ) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::admitted(edition, id))
    }

    /// The entry that put an item into an outbox.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn outbox_item(&self, outbox: &BoxKey, seq: u64) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::outbox_item(outbox, seq))
    }

    /// The entry that took an item of an outbox back.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn withdrawn(&self, outbox: &BoxKey, seq: u64) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::withdrawn(outbox, seq))
    }

    /// The latest entry that disclosed an observation to an outbox's recipient, or withheld it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn outcome_for(
        &self,
        id: &ObservationId,
        outbox: &BoxKey,
    ) -> Result<Option<u64>, StoreError> {
        self.committed(&keys::pair(id, outbox))
    }

    /// The observations that are undecided for an outbox.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn undecided(&self, outbox: &BoxKey) -> Result<Vec<ObservationId>, StoreError> {
        let size = self.size();
        let mut undecided = Vec::new();
        for pair in self.shared.database.scan(&keys::undecideds(outbox)) {
            let (key, value) = pair?;
            let digest = key
                .last_chunk::<32>()
                .ok_or(StoreError::Damaged("a key cannot be read"))?;
            if index_of(&value)? < size {
                undecided.push(ObservationId::from_digest(Digest::from_bytes(*digest)));
            }
        }
        Ok(undecided)
    }
}
