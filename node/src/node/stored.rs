//! What is in an outbox under a number.

use super::Node;
use crate::store::{BoxKey, StoreError, own_disclosure};
use ambit_ledger::{Body, Disclosure, OfferedAgain, Time};

/// What a number of an outbox carries.
pub(crate) struct Stored {
    pub(crate) disclosure: Disclosure,
    pub(crate) statement: Vec<u8>,
    /// The number under which this very disclosure was put there.
    pub(crate) first_seq: u64,
    /// The entry that holds this disclosure.
    pub(crate) entry: u64,
    /// From when on it may be taken in under this number: it was issued then, or put there again.
    pub(crate) since: Time,
}

impl Stored {
    /// The observation that is disclosed: its entry and its statement.
    pub(crate) fn observation(&self, node: &Node) -> Result<(u64, Vec<u8>), StoreError> {
        let missing = StoreError::Damaged("a disclosed observation is missing");
        let Some(index) = node.store().observation(&self.disclosure.observation)? else {
            return Err(missing);
        };
        match node.store().entry(index)?.map(|recorded| recorded.body) {
            Some(Body::Observed(observed)) => Ok((index, observed.observation.into_vec())),
            _ => Err(missing),
        }
    }
}

pub(crate) fn stored(node: &Node, outbox: &BoxKey, seq: u64) -> Result<Stored, StoreError> {
    let missing = || StoreError::Damaged("an item of an outbox is missing");
    let placed = |seq| -> Result<_, StoreError> {
        let index = node.store().outbox_item(outbox, seq)?;
        let recorded = index.map(|index| node.store().entry(index)).transpose()?;
        recorded.flatten().ok_or_else(missing)
    };
    let recorded = placed(seq)?;
    let (statement, entry, first_seq, again_at) = match recorded.body {
        Body::Disclosed(disclosed) => (disclosed.disclosure, recorded.index, seq, None),
        Body::OfferedAgain(OfferedAgain {
            disclosure: Some(statement),
            ..
        }) => (statement, recorded.index, seq, None),
        Body::OfferedAgain(offer) => {
            let first = placed(offer.first_seq)?;
            let statement = match first.body {
                Body::Disclosed(disclosed) => disclosed.disclosure,
                Body::OfferedAgain(first) => first.disclosure.ok_or_else(missing)?,
                _ => return Err(missing()),
            };
            let at = recorded.entry.time;
            (statement, first.index, offer.first_seq, Some(at))
        }
        _ => return Err(missing()),
    };
    let disclosure = own_disclosure(&statement)?;
    Ok(Stored {
        since: again_at.unwrap_or(disclosure.issued_at),
        disclosure,
        statement: statement.into_vec(),
        entry,
        first_seq,
    })
}
