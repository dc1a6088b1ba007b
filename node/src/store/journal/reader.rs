//! Reads groups back, each checked: what cannot be read is an error that names it.

use super::error::{Cause, Damage, JournalError};
use super::layout::{Position, RECORDS_START};
use super::segments::Segments;
use super::walk::{Group, Walk};

/// Reads what was acknowledged when it was made. Clones share the journal's files, which nobody changes below that.
#[derive(Clone, Debug)]
pub struct Reader {
    segments: Segments,
    end: Position,
}

impl Reader {
    pub(super) fn new(segments: Segments, end: Position) -> Self {
        Self { segments, end }
    }

    /// Where the next group goes: the number of groups that can be read, and what lies behind them.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }

    /// The groups from a position on, one in memory at a time. After an error come no more.
    ///
    /// # Errors
    /// [`JournalError::Unknown`] where the position is not in the journal, [`JournalError::File`].
    pub fn read(&self, from: Position) -> Result<Groups, JournalError> {
        let walk = self.segments.walk(from)?;
        if walk.is_none() || from.group > self.end.group {
            return Err(self.unknown(from));
        }
        Ok(Groups {
            reader: self.clone(),
            position: from,
            walk,
            has_failed: false,
        })
    }

    fn unknown(&self, position: Position) -> JournalError {
        JournalError::Unknown {
            folder: self.segments.files.folder().to_owned(),
            position,
        }
    }
}

/// Groups, in their order.
#[derive(Debug)]
pub struct Groups {
    reader: Reader,
    position: Position,
    walk: Option<Walk>,
    has_failed: bool,
}

impl Iterator for Groups {
    type Item = Result<Group, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed || self.position.group >= self.reader.end.group {
            return None;
        }
        let group = self.group();
        self.has_failed = group.is_err();
        Some(group)
    }
}

impl Groups {
    fn group(&mut self) -> Result<Group, JournalError> {
        let segments = &self.reader.segments;
        let number = self.position.group;
        loop {
            let mut walk = match self.walk.take() {
                Some(walk) => walk,
                None => segments
                    .walk(self.position)?
                    .ok_or_else(|| self.reader.unknown(self.position))?,
            };
            if let Some(group) = walk.group(number)? {
                self.walk = Some(walk);
                self.position = group.after;
                return Ok(group);
            }
            let next = if walk.is_at_limit() {
                segments.next_segment(self.position)?
            } else {
                None
            };
            let Some(next) = next else {
                let known_to = match segments.header(self.position.segment.saturating_add(1)) {
                    Some(next) => next.first_group,
                    None => self.reader.end.group,
                };
                return Err(JournalError::Damaged(walk.damage(number, known_to)?));
            };
            self.position = next;
        }
    }
}

/// What was found in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where the next group goes; its number is how many groups there are.
    pub end: Position,
    /// How many bytes lie behind that which no acknowledged group wrote: a crash cut them off. They are left there.
    pub torn_bytes: u64,
}

/// Goes to the end, from the start of the segment up to which groups were read before: so the position is known to be one, and
/// nothing is ever appended behind acknowledged groups that are gone. So many were acknowledged: what is missing is damage.
pub(super) fn find_end(
    segments: &Segments,
    verified: Position,
    acknowledged: u64,
) -> Result<Opened, JournalError> {
    let acknowledged = acknowledged.max(verified.group);
    let unknown = |position| JournalError::Unknown {
        folder: segments.files.folder().to_owned(),
        position,
    };
    let Some(begun) = segments.start(verified.segment) else {
        return Err(missing_at_end(segments, acknowledged)?);
    };
    let mut end = begun;
    let mut is_met = end == verified;
    loop {
        let mut walk = segments.walk(end)?.ok_or_else(|| unknown(end))?;
        while let Some(group) = walk.group(end.group)? {
            end = group.after;
            is_met |= end == verified;
        }
        let is_known = is_met || end.segment != verified.segment;
        let next = segments.header(end.segment.saturating_add(1));
        match next {
            Some(_) if walk.is_at_limit() => {
                end = segments.next_segment(end)?.ok_or_else(|| unknown(end))?;
                if !is_known {
                    return Err(unknown(verified));
                }
            }
            Some(next) => {
                let known_to = next.first_group;
                return Err(JournalError::Damaged(walk.damage(end.group, known_to)?));
            }
            None => {
                let rest = walk.rest(end.offset, end.group + 1)?;
                // A later group is only begun once this one is on the disk: then no crash cut it off.
                if rest.next.is_some() || end.group < acknowledged {
                    let damage = walk.damage_with(end.group, acknowledged, rest);
                    return Err(JournalError::Damaged(damage));
                }
                let torn_bytes = rest.used_to - end.offset;
                let opened = Opened { end, torn_bytes };
                return is_known.then_some(opened).ok_or_else(|| unknown(verified));
            }
        }
    }
}

/// The error of a journal whose last segments are gone. What is there says which groups went with them.
fn missing_at_end(segments: &Segments, acknowledged: u64) -> Result<JournalError, JournalError> {
    let last = segments.last();
    let start = Position {
        group: last.first_group,
        segment: last.number,
        offset: RECORDS_START,
    };
    let found = find_end(segments, start, 0)?;
    Ok(JournalError::Damaged(Damage {
        segment: segments.files.path(last.number + 1),
        offset: 0,
        groups: found.end.group..acknowledged.max(found.end.group),
        cause: Cause::Missing,
    }))
}
