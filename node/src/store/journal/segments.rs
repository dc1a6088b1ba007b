//! The segments of a journal: which are there, and whether each follows the one before.

use super::error::{Cause, Damage, JournalError};
use super::files::Files;
use super::layout::{BadHeader, Header, Position, RECORDS_START, Salt};
use super::walk::Walk;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Where more segments than these are missing, the last file is none: some 150 GiB of a journal are not lost file by file, and what
/// is missing is not to be held in memory.
const MISSING_MAX: u64 = 10_000;

/// A segment whose file was looked for.
#[derive(Clone, Debug)]
pub(super) struct Surveyed {
    /// Its header, or why it is no part of the journal.
    pub(super) header: Result<Header, Cause>,
    /// How long the file is.
    pub(super) bytes: u64,
}

impl Surveyed {
    pub(super) fn usable(&self) -> Option<&Header> {
        self.header.as_ref().ok()
    }
}

/// Looks at every number from 0 to the last that a file has.
pub(super) fn survey(files: &Files) -> Result<Vec<Surveyed>, JournalError> {
    let not_there = || JournalError::NotThere(files.folder().to_owned());
    let numbers = match files.numbers() {
        Ok(numbers) => numbers,
        Err(JournalError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(not_there());
        }
        Err(error) => return Err(error),
    };
    let last = numbers.last().copied().ok_or_else(not_there)?;
    let missing = u64::from(last) - (numbers.len() as u64 - 1);
    if missing > MISSING_MAX {
        return Err(JournalError::Damaged(Damage {
            segment: files.path(last),
            offset: 0,
            groups: 0..0,
            cause: Cause::Foreign,
        }));
    }
    let mut found = Vec::new();
    for number in 0..=last {
        found.push(look_at(files, number)?);
    }
    tell_foreign(&mut found);
    Ok(found)
}

fn look_at(files: &Files, number: u32) -> Result<Surveyed, JournalError> {
    let (mut file, bytes) = match files.open(number) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let header = Err(Cause::Missing);
            return Ok(Surveyed { header, bytes: 0 });
        }
        Err(error) => return Err(files.failed(number)(error)),
    };
    let encoded = Files::header(&mut file).map_err(files.failed(number))?;
    let header = match encoded.as_ref().map(Header::decode) {
        None => Err(Cause::Cut),
        Some(Err(BadHeader::Unreadable)) => Err(Cause::Header),
        Some(Err(BadHeader::Newer(version))) => {
            let path = files.path(number);
            return Err(JournalError::Newer { path, version });
        }
        Some(Ok(header)) if header.number != number => Err(Cause::Foreign),
        Some(Ok(header)) => Ok(header),
    };
    Ok(Surveyed { header, bytes })
}

/// Whether the second header was made by who had the first segment before it.
fn is_followed(before: &Header, header: &Header) -> bool {
    header.salt_before == before.salt
        && header.first_group >= before.first_group
        && (RECORDS_START..=before.bytes).contains(&header.end_before)
}

/// Tells segments of other journals by what most headers say, and those of another course of this one by their neighbours.
fn tell_foreign(found: &mut [Surveyed]) {
    let mut counts: BTreeMap<Salt, (usize, u32)> = BTreeMap::new();
    for header in found.iter().filter_map(Surveyed::usable) {
        let (count, newest) = counts.entry(header.journal).or_default();
        *count += 1;
        *newest = header.number;
    }
    let own = counts.into_iter().max_by_key(|(_, counted)| *counted);
    let own = own.map(|(journal, _)| journal);
    for segment in &mut *found {
        if segment
            .usable()
            .is_some_and(|header| Some(header.journal) != own)
        {
            segment.header = Err(Cause::Foreign);
        }
    }
    // None where one of the two cannot say.
    let links: Vec<Option<bool>> = found
        .windows(2)
        .map(|pair| match pair {
            [before, segment] => before
                .usable()
                .zip(segment.usable())
                .map(|(before, header)| is_followed(before, header)),
            _ => None,
        })
        .collect();
    let is_linked =
        |link: Option<usize>| link.and_then(|link| links.get(link)) == Some(&Some(true));
    for (link, state) in links.iter().enumerate() {
        if *state != Some(false) {
            continue;
        }
        let odd_one = if !is_linked(link.checked_sub(1)) && is_linked(Some(link + 1)) {
            link
        } else {
            link + 1
        };
        if let Some(segment) = found.get_mut(odd_one) {
            segment.header = Err(Cause::Foreign);
        }
    }
}

/// All segments of a journal that is not damaged, as far as their headers say.
#[derive(Clone, Debug)]
pub(super) struct Segments {
    pub(super) files: Files,
    headers: Arc<Vec<Header>>,
    last: Header,
}

impl Segments {
    /// Reads the headers. So many groups were acknowledged.
    pub(super) fn open(files: Files, acknowledged: u64) -> Result<Self, JournalError> {
        let found = survey(&files)?;
        let mut headers = Vec::new();
        for (segment, number) in found.iter().zip(0..) {
            let cause = match &segment.header {
                Ok(header) => {
                    headers.push(header.clone());
                    continue;
                }
                Err(cause) => *cause,
            };
            let later = found.iter().skip(headers.len());
            let next = later.filter_map(Surveyed::usable).next();
            let known_to = next.map_or(acknowledged, |header| header.first_group);
            let lost_from = groups_in_last(&files, &headers)?;
            return Err(JournalError::Damaged(Damage {
                segment: files.path(number),
                offset: 0,
                groups: lost_from..known_to.max(lost_from),
                cause,
            }));
        }
        let last = headers.last().cloned();
        let segments = Self {
            last: last.ok_or_else(|| JournalError::NotThere(files.folder().to_owned()))?,
            files,
            headers: Arc::new(headers),
        };
        segments.check_lengths(&found, acknowledged)?;
        Ok(segments)
    }

    /// A segment is never shorter than it was made: its length was on the disk before it was used.
    fn check_lengths(&self, found: &[Surveyed], acknowledged: u64) -> Result<(), JournalError> {
        for (header, segment) in self.headers.iter().zip(found) {
            let limit = self.limit(header.number).unwrap_or(header.bytes);
            if segment.bytes >= limit {
                continue;
            }
            let lost_from = groups_before(&self.files, header, segment.bytes)?;
            let next = self.header(header.number + 1);
            let known_to = next.map_or(acknowledged, |next| next.first_group);
            return Err(JournalError::Damaged(Damage {
                segment: self.files.path(header.number),
                offset: segment.bytes,
                groups: lost_from..known_to.max(lost_from),
                cause: Cause::Cut,
            }));
        }
        Ok(())
    }

    /// Those of a journal that was just made.
    pub(super) fn first(files: Files, header: Header) -> Self {
        Self {
            files,
            headers: Arc::new(vec![header.clone()]),
            last: header,
        }
    }

    pub(super) fn add(&mut self, header: Header) {
        Arc::make_mut(&mut self.headers).push(header.clone());
        self.last = header;
    }

    pub(super) fn header(&self, number: u32) -> Option<&Header> {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.headers.get(number))
    }

    pub(super) fn last(&self) -> &Header {
        &self.last
    }

    /// Where the last whole group of a segment ends. None for the last segment, of which only reading it says that.
    pub(super) fn limit(&self, number: u32) -> Option<u64> {
        let next = self.header(number.checked_add(1)?)?;
        Some(next.end_before)
    }

    /// Where the first group of a segment begins.
    pub(super) fn start(&self, number: u32) -> Option<Position> {
        self.header(number).map(|header| Position {
            group: header.first_group,
            segment: number,
            offset: RECORDS_START,
        })
    }

    /// Goes to this position in its segment. None where the journal has no such place.
    pub(super) fn walk(&self, position: Position) -> Result<Option<Walk>, JournalError> {
        let Some(header) = self.header(position.segment) else {
            return Ok(None);
        };
        let limit = self.limit(header.number).unwrap_or(header.bytes);
        let is_there = (RECORDS_START..=limit).contains(&position.offset)
            && position.group >= header.first_group;
        if !is_there {
            return Ok(None);
        }
        let salted = (header.number, &header.salt);
        Walk::open(&self.files, salted, position.offset, limit).map(Some)
    }

    /// The start of the segment after this one, for a group that begins there. An error where another one does.
    pub(super) fn next_segment(
        &self,
        position: Position,
    ) -> Result<Option<Position>, JournalError> {
        let Some(next) = self.header(position.segment.saturating_add(1)) else {
            return Ok(None);
        };
        if next.first_group == position.group {
            return Ok(Some(Position {
                group: position.group,
                segment: next.number,
                offset: RECORDS_START,
            }));
        }
        Err(JournalError::Damaged(Damage {
            segment: self.files.path(position.segment),
            offset: position.offset,
            groups: position.group..next.first_group.max(position.group),
            cause: Cause::Lost,
        }))
    }
}

/// The number of the group after the last one that is whole in the last of these segments.
fn groups_in_last(files: &Files, headers: &[Header]) -> Result<u64, JournalError> {
    let last = headers.last();
    last.map_or(Ok(0), |header| groups_before(files, header, header.bytes))
}

/// The number of the group after the last one that is whole in a segment below this limit.
fn groups_before(files: &Files, header: &Header, limit: u64) -> Result<u64, JournalError> {
    let salted = (header.number, &header.salt);
    let mut walk = Walk::open(files, salted, RECORDS_START, limit)?;
    let mut number = header.first_group;
    while walk.group(number)?.is_some() {
        number += 1;
    }
    Ok(number)
}
