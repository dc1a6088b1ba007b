//! Opens the journal of a home, or begins one.

use super::journal::{Journal, JournalError, Position};
use super::opening::Way;
use super::places::journal_path;
use super::records::{self, Head};
use super::{StoreError, parts};
use crate::randomness::{Randomness, RandomnessError};
use ambit_ledger::{Frontier, Salt, Time};
use std::path::Path;

/// Opens it. What was noted as committed is known to be there.
pub(super) fn open_journal(home: &Path, way: Way, noted: Position) -> Result<Journal, StoreError> {
    let folder = journal_path(home);
    let opened = match Journal::open(&folder, noted, noted.group) {
        // So many groups are known to be there all the same.
        Err(JournalError::Unknown { .. }) => Journal::open(&folder, Position::START, noted.group),
        // Making it may have been cut off.
        Err(JournalError::NotThere(_)) if way == Way::Make && noted == Position::START => {
            let mut journal = Journal::create(&folder)?;
            first_group(&mut journal)?;
            return Ok(journal);
        }
        opened => opened,
    };
    let (mut journal, found) = opened?;
    if found.torn_bytes > 0 {
        let bytes = found.torn_bytes;
        tracing::info!(
            bytes,
            "leaving behind what was cut off before it was committed"
        );
    }
    if journal.acknowledged().group == 0 {
        if way != Way::Make {
            return Err(StoreError::Empty(folder));
        }
        first_group(&mut journal)?;
    }
    Ok(journal)
}

/// The first group of every journal has nothing but the head that all go on from.
fn first_group(journal: &mut Journal) -> Result<(), StoreError> {
    let mut import_key = [0; 32];
    getrandom::fill(&mut import_key).map_err(RandomnessError::from)?;
    let head = Head {
        version: records::VERSION,
        frontier: Frontier::default(),
        time: Time::EARLIEST,
        slot: 0,
        incarnation: Randomness::default().salt()?,
        import_key: Salt::from_bytes(import_key),
    };
    journal.append(&[parts::head(&head)])?;
    Ok(journal.sync()?)
}
