//! Reads out of a damaged journal what is whole, and names each gap: for whoever has no backup that is whole.

use super::error::{Cause, Damage, JournalError};
use super::files::Files;
use super::layout::{Header, Position, RECORDS_START, Salt};
use super::segments::{Surveyed, survey};
use super::walk::{Group, Walk};
use std::collections::VecDeque;

/// What salvage comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Salvaged {
    /// A group that is whole.
    Group(Group),
    /// Something damaged, after what follows it was found, so that it says which groups are missing. Two of the same groups come
    /// after each other where nothing says which of them were in which place.
    Gap(Damage),
    /// Bytes at the end that are no whole group: a crash cut them off, or they are damaged and were the last.
    Torn {
        /// Where they begin.
        at: Position,
        /// How many they are.
        bytes: u64,
    },
}

/// What is known of a segment, whatever is left of its header.
#[derive(Debug)]
struct Known {
    number: u32,
    /// What is the matter with it.
    cause: Option<Cause>,
    /// Its own, or the one that the segment after it says it had.
    salt: Option<Salt>,
    first_group: Option<u64>,
    /// Where the last whole group ends, as the segment after it says; else how long the file is.
    limit: u64,
    /// The segment after it says so.
    is_end_known: bool,
    /// The file is shorter than it has to be.
    is_cut: bool,
}

/// The groups of a damaged journal in their order, one in memory at a time.
#[derive(Debug)]
pub struct Salvage {
    files: Files,
    segments: VecDeque<Known>,
    walk: Option<(Walk, Known)>,
    /// The number of the group that comes next.
    expected: u64,
    /// What is damaged between the last whole group and the next.
    gaps: Vec<Damage>,
    found: VecDeque<Salvaged>,
}

impl Salvage {
    pub(super) fn open(files: Files) -> Result<Self, JournalError> {
        let surveyed = survey(&files)?;
        let nexts = surveyed.iter().skip(1).map(Surveyed::usable);
        let nexts = nexts.chain([None]);
        let segments = surveyed.iter().zip(nexts).zip(0..);
        let segments = segments
            .map(|((segment, next), number)| known(number, segment, next))
            .collect();
        Ok(Self {
            files,
            segments,
            walk: None,
            expected: 0,
            gaps: Vec::new(),
            found: VecDeque::new(),
        })
    }

    fn gap(&mut self, number: u32, offset: u64, cause: Cause) {
        // Those before reach up to here.
        self.end_gaps(self.expected);
        self.gaps.push(Damage {
            segment: self.files.path(number),
            offset,
            groups: self.expected..self.expected,
            cause,
        });
    }

    fn end_gaps(&mut self, to: u64) {
        for gap in &mut self.gaps {
            if gap.groups.is_empty() {
                gap.groups.end = to.max(gap.groups.start);
            }
        }
    }

    /// The next group found has this number: what is missing up to it is lost.
    fn close_gaps(&mut self, to: u64) {
        self.end_gaps(to);
        let gaps = self.gaps.drain(..).map(Salvaged::Gap);
        self.found.extend(gaps);
    }

    /// Goes on until something is found. False at the end.
    fn step(&mut self) -> Result<bool, JournalError> {
        let Some((mut walk, known)) = self.walk.take() else {
            let Some(known) = self.segments.pop_front() else {
                self.close_gaps(self.expected);
                return Ok(false);
            };
            self.enter(known)?;
            return Ok(true);
        };
        let whole = walk.group(self.expected);
        // What the disk cannot give back is lost as well as what it gives back wrong, and so is what comes behind.
        let Ok(whole) = whole else {
            self.gap(known.number, walk.offset(), Cause::Record);
            return Ok(true);
        };
        if let Some(group) = whole {
            self.close_gaps(group.number);
            self.expected = group.after.group;
            self.found.push_back(Salvaged::Group(group));
            self.walk = Some((walk, known));
        } else if !(walk.is_at_limit() && known.is_end_known) {
            self.go_past(walk, known)?;
        }
        Ok(true)
    }

    /// Begins with a segment.
    fn enter(&mut self, known: Known) -> Result<(), JournalError> {
        if let Some(cause) = known.cause {
            self.gap(known.number, 0, cause);
        }
        let (Some(salt), None | Some(Cause::Header)) = (known.salt, known.cause) else {
            return Ok(());
        };
        match known.first_group {
            Some(first) if first < self.expected => {
                // Another course of this journal: its groups are not those that were read before them.
                self.gap(known.number, 0, Cause::Foreign);
                return Ok(());
            }
            Some(first) => {
                if first > self.expected && self.gaps.is_empty() {
                    self.gap(known.number, 0, Cause::Lost);
                }
                self.expected = first;
            }
            None => {}
        }
        let salted = (known.number, &salt);
        let mut walk = Walk::open(&self.files, salted, RECORDS_START, known.limit)?;
        if known.first_group.is_none() {
            let next = walk.rest(RECORDS_START, self.expected)?.next;
            let Some((offset, group)) = next else {
                return Ok(());
            };
            walk.go_to(offset)?;
            self.expected = group;
        }
        self.walk = Some((walk, known));
        Ok(())
    }

    /// Looks behind what is no whole group.
    fn go_past(&mut self, mut walk: Walk, known: Known) -> Result<(), JournalError> {
        let place = walk.offset();
        let Ok(rest) = walk.rest(place, self.expected + 1) else {
            self.gap(known.number, place, Cause::Record);
            return Ok(());
        };
        if let Some((offset, group)) = rest.next {
            self.gap(known.number, place, Cause::Record);
            walk.go_to(offset)?;
            self.expected = group;
            self.walk = Some((walk, known));
        } else if known.is_cut {
            self.gap(known.number, place, Cause::Cut);
        } else if known.is_end_known {
            self.gap(known.number, place, Cause::Record);
        } else if rest.used_to > place && !self.segments.is_empty() {
            // Where the next segment cannot say where this one ended, this may be what a crash cut off.
            self.gap(known.number, place, Cause::Record);
        } else if rest.used_to > place {
            let group = self.expected;
            self.close_gaps(group);
            self.found.push_back(Salvaged::Torn {
                at: Position {
                    group,
                    segment: known.number,
                    offset: place,
                },
                bytes: rest.used_to - place,
            });
        }
        Ok(())
    }
}

impl Iterator for Salvage {
    type Item = Result<Salvaged, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Some(Ok(found));
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return self.found.pop_front().map(Ok),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn known(number: u32, segment: &Surveyed, next: Option<&Header>) -> Known {
    let header = segment.usable();
    let end = next.map(|next| next.end_before);
    let needed = end.or(header.map(|header| header.bytes));
    Known {
        number,
        cause: segment.header.as_ref().err().copied(),
        salt: header
            .map(|header| header.salt)
            .or(next.map(|next| next.salt_before)),
        first_group: header.map(|header| header.first_group),
        limit: end.unwrap_or(segment.bytes),
        is_end_known: end.is_some(),
        is_cut: needed.is_some_and(|needed| segment.bytes < needed),
    }
}
