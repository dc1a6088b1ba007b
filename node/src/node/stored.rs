//! What is in an outbox under a number.

use super::Node;
use crate::store::{BoxKey, StoreError, own_disclosure};
use ambit_ledger::{Body, Disclosure, OfferedAgain};

/// What a number of an outbox carries.
pub(crate) struct Stored {
    pub(crate) disclosure: Disclosure,
    pub(crate) statement: Vec<u8>,
    /// The number under which this very disclosure was put there.
    pub(crate) first_seq: u64,
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
    let missing = StoreError::Damaged("an item of an outbox is missing");
    let body = |seq| -> Result<_, StoreError> {
        let index = node.store().outbox_item(outbox, seq)?;
        let recorded = index.map(|index| node.store().entry(index)).transpose()?;
        Ok(recorded.flatten().map(|recorded| recorded.body))
    };
    let (statement, first_seq) = match body(seq)? {
        Some(Body::Disclosed(disclosed)) => (disclosed.disclosure, seq),
        Some(Body::OfferedAgain(OfferedAgain {
            disclosure: Some(statement),
            ..
        })) => (statement, seq),
        Some(Body::OfferedAgain(offer)) => match body(offer.first_seq)? {
            Some(Body::Disclosed(disclosed)) => (disclosed.disclosure, offer.first_seq),
            Some(Body::OfferedAgain(OfferedAgain {
                disclosure: Some(statement),
                ..
            })) => (statement, offer.first_seq),
            _ => return Err(missing),
        },
        _ => return Err(missing),
    };
    Ok(Stored {
        disclosure: own_disclosure(&statement)?,
        statement: statement.into_vec(),
        first_seq,
    })
}
