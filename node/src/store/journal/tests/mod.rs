//! The journal as a whole: what is acknowledged stays, what was cut off is left, what is damaged is named.

mod damage;
mod sizes;
mod stops;

use super::{Appended, Journal, JournalError, Opened, Position, Salvaged};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What is appended: groups of records.
type Groups = Vec<Vec<Vec<u8>>>;

/// A folder in memory where the system has one: these tests make thousands of journals.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// So many groups of up to three records, each below so many bytes. Some are empty.
    fn groups(&mut self, count: usize, bound: usize) -> Groups {
        let mut group = |_| {
            let records = self.below(4);
            (0..records)
                .map(|_| {
                    let length = self.below(bound);
                    self.bytes(length)
                })
                .collect()
        };
        (0..count).map(&mut group).collect()
    }
}

fn append_all(journal: &mut Journal, groups: &[Vec<Vec<u8>>]) -> Vec<Appended> {
    let mut all = Vec::new();
    for group in groups {
        all.push(journal.append(group).unwrap());
        journal.sync().unwrap();
    }
    all
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.seg"))
}

fn count(groups: &[Vec<Vec<u8>>]) -> u64 {
    groups.len() as u64
}

/// What a journal holds from a position on.
fn read(journal: &Journal, from: Position) -> Result<Groups, JournalError> {
    let groups = journal.read(from)?;
    groups
        .map(|group| {
            let records = group?.records.into_iter();
            Ok(records.map(|record| record.bytes).collect())
        })
        .collect()
}

fn open(folder: &Path, acknowledged: u64) -> Result<(Journal, Opened), JournalError> {
    Journal::open(folder, Position::START, acknowledged)
}

/// The whole groups of a journal by their numbers, and everything else that salvage names.
#[track_caller]
fn salvage(folder: &Path, model: &[Vec<Vec<u8>>]) -> (Vec<u64>, Vec<Salvaged>) {
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    for found in Journal::salvage(folder).unwrap() {
        match found.unwrap() {
            Salvaged::Group(group) => {
                let records = group.records.into_iter().map(|record| record.bytes);
                let expected = &model[usize::try_from(group.number).unwrap()];
                assert!(records.eq(expected.iter().cloned()), "wrong bytes");
                numbers.push(group.number);
            }
            other => others.push(other),
        }
    }
    assert!(numbers.is_sorted_by(|one, next| one < next));
    (numbers, others)
}
