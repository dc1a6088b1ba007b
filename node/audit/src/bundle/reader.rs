//! Reads bundles: everything in its place, nothing twice, nothing after the end.

use super::entries::{Entries, Inner};
use super::records::{Batch, Counted, Stop, count, decode, read_record};
use super::source::{Block, Place, Source};
use super::{MAGIC, Record};
use crate::allowance::Allowance;
use crate::cores::share;
use ambit_ledger::{CodecError, Digest, ObservationId, OrganizationId, Origin, leaf_hash};
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// How many entries are read to come to one.
const ENTRIES_PER_MARK: u64 = 64;

/// A bundle as read: its shape was checked, nothing else.
#[derive(Clone, Debug)]
pub struct Bundle {
    organization: OrganizationId,
    checkpoint: String,
    /// Where they are kept in memory.
    entries: Vec<ByteBuf>,
    entry_count: u64,
    /// Where every so many entries the next one lies.
    marks: Vec<u64>,
    blobs: BTreeMap<Digest, Block>,
    readings: BTreeMap<ObservationId, Block>,
    size_bytes: u64,
    source: Source,
}

/// What of a bundle is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// All of it.
    All,
    /// Where everything lies, so that it is read again when it is needed.
    Places,
    /// Nothing: only its shape is looked at.
    Nothing,
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file cannot be read.
    #[error("failed to read the bundle")]
    Read(#[from] io::Error),
    /// Other first bytes.
    #[error("this is no bundle of version 1: it does not begin with `ambit-bundle/1`")]
    Magic,
    /// Ends before its end record.
    #[error("the bundle ends early, in record {0}; it was cut off: get it again")]
    Truncated(u64),
    /// A record that is not what it must be.
    #[error("record {record} of the bundle cannot be decoded; get the bundle again")]
    Record {
        /// Which, from 0.
        record: u64,
        /// Why.
        #[source]
        source: CodecError,
    },
    /// A record in the wrong place, or twice.
    #[error("record {0} of the bundle is out of order or there twice; get the bundle again")]
    Order(u64),
    /// The end record counts otherwise.
    #[error("the bundle's end record counts other records than there are; get the bundle again")]
    Counts,
    /// Reading it takes more memory than it may.
    #[error(
        "memory: it takes more than {0} MiB to read the bundle; nothing was checked. Allow more with `--limit-mib`, or save to a file what comes through a pipe"
    )]
    Memory(u64),
    /// Bytes after the end record.
    #[error("bytes follow the bundle's end record; get the bundle again")]
    Trailing,
}

impl Bundle {
    /// Reads a bundle and checks its shape.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn read(input: impl Read) -> Result<Self, BundleError> {
        Self::read_from(input, Source::none(), Keep::All, Room::default())
    }

    /// Reads the bundle in a file and checks its shape. What is in it stays in the file until it is needed: what cannot be read then
    /// is told by [`Bundle::unread`].
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        Self::open_within(path, Allowance::unlimited())
    }

    /// The same, within an allowance of memory.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn open_within(path: &Path, allowance: Allowance) -> Result<Self, BundleError> {
        let found = path.metadata()?;
        let input = BufReader::new(File::open(path)?);
        // A pipe is read once, and kept in memory.
        if !found.is_file() {
            return Self::read_from(input, Source::none(), Keep::All, Room::of(allowance, 0));
        }
        let source = Source::of(File::open(path)?);
        let room = Room::of(allowance, found.len());
        Self::read_from(input, source, Keep::Places, room)
    }

    /// Reads a bundle, keeps nothing of it, and returns how many entries it has.
    ///
    /// # Errors
    /// Any [`BundleError`].
    pub fn check(input: impl Read) -> Result<u64, BundleError> {
        let bundle = Self::read_from(input, Source::none(), Keep::Nothing, Room::default())?;
        Ok(bundle.entry_count)
    }

    fn read_from(
        mut input: impl Read,
        source: Source,
        keep: Keep,
        room: Room,
    ) -> Result<Self, BundleError> {
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(|error| match error {
            error if error.kind() == io::ErrorKind::UnexpectedEof => BundleError::Magic,
            error => BundleError::Read(error),
        })?;
        if magic != *MAGIC {
            return Err(BundleError::Magic);
        }
        let mut input = Counted {
            input,
            position: count(MAGIC.len()),
        };
        let header = read_record(&mut input).map_err(|stop| stop.at(0))?;
        let (header, _) =
            decode(&header).map_err(|source| BundleError::Record { record: 0, source })?;
        let Record::Header {
            organization,
            checkpoint,
        } = header
        else {
            return Err(BundleError::Order(0));
        };
        let bundle = Self {
            organization,
            checkpoint,
            entries: Vec::new(),
            entry_count: 0,
            marks: Vec::new(),
            blobs: BTreeMap::new(),
            readings: BTreeMap::new(),
            size_bytes: 0,
            source,
        };
        bundle.read_records(input, keep, room)
    }

    /// Reads what follows the header, a batch ahead of what all cores decode.
    fn read_records(
        mut self,
        mut input: Counted<impl Read>,
        keep: Keep,
        room: Room,
    ) -> Result<Self, BundleError> {
        let mut number = 1;
        let mut batch = Batch::read(&mut input);
        loop {
            room.look()?;
            let mut next = Batch::default();
            let decoded = share(
                &batch.records,
                |(bytes, _)| decode(bytes),
                || {
                    if batch.stop.is_none() {
                        next = Batch::read(&mut input);
                    }
                },
            );
            let places = batch.records.iter().map(|(_, place)| *place);
            let mut decoded = decoded.into_iter().zip(places);
            while let Some((record, place)) = decoded.next() {
                let (record, digest) = record.map_err(|source| BundleError::Record {
                    record: number,
                    source,
                })?;
                self.size_bytes = place.end();
                if !self.take(record, (digest, place), number, keep)? {
                    let is_followed = decoded.next().is_some() || !next.records.is_empty();
                    return match batch.stop.or(next.stop) {
                        _ if is_followed => Err(BundleError::Trailing),
                        None | Some(Stop::End) => Ok(self),
                        Some(Stop::Cut | Stop::TooLarge(_)) => Err(BundleError::Trailing),
                        Some(Stop::Read(error)) => Err(BundleError::Read(error)),
                    };
                }
                number += 1;
            }
            if let Some(stop) = batch.stop {
                return Err(stop.at(number));
            }
            batch = next;
        }
    }

    /// Takes one record in; false at the end record.
    fn take(
        &mut self,
        record: Record,
        (digest, place): (Option<Digest>, Place),
        number: u64,
        keep: Keep,
    ) -> Result<bool, BundleError> {
        let kept = |bytes: ByteBuf| match keep {
            Keep::All => Block::Here(bytes),
            Keep::Places | Keep::Nothing => Block::At(place),
        };
        let is_in_order = match record {
            Record::Header { .. } => false,
            Record::Entry { bytes } => {
                if keep == Keep::All {
                    self.entries.push(bytes);
                } else if self.entry_count.is_multiple_of(ENTRIES_PER_MARK) {
                    self.marks.push(place.start());
                }
                self.entry_count += 1;
                self.blobs.is_empty() && self.readings.is_empty()
            }
            Record::Blob { bytes } => {
                let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
                let is_ascending = self
                    .blobs
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < digest);
                self.blobs.insert(digest, kept(bytes));
                is_ascending && self.readings.is_empty()
            }
            Record::Readings { observation, bytes } => {
                let is_ascending = self
                    .readings
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < observation);
                self.readings.insert(observation, kept(bytes));
                is_ascending
            }
            Record::End {
                entries,
                blobs,
                readings,
            } => {
                let is_counted = self.entry_count == entries
                    && count(self.blobs.len()) == blobs
                    && count(self.readings.len()) == readings;
                return if is_counted {
                    Ok(false)
                } else {
                    Err(BundleError::Counts)
                };
            }
        };
        if is_in_order {
            Ok(true)
        } else {
            Err(BundleError::Order(number))
        }
    }

    /// Whose ledger it claims to be.
    #[must_use]
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// The signed note it claims to be under.
    #[must_use]
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The name that a checkpoint of this ledger has; absent where there is no entry.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let first = leaf_hash(&self.entry(0)?);
        Some(Origin::of(&self.organization, &first))
    }

    /// The bytes of one entry.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<Cow<'_, [u8]>> {
        self.entries_from(index).next()
    }

    /// How many entries it has.
    #[must_use]
    pub fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// The entries' bytes, from index 0.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        self.entries_from(0)
    }

    fn entries_from(&self, index: u64) -> Entries<'_> {
        let left = self.entry_count.saturating_sub(index);
        let Some(mark) = usize::try_from(index / ENTRIES_PER_MARK)
            .ok()
            .and_then(|mark| self.marks.get(mark))
        else {
            let from = usize::try_from(index).unwrap_or(usize::MAX);
            let entries = self.entries.get(from..).unwrap_or_default();
            return Entries(Inner::Here(entries.iter()));
        };
        let mut from = self.source.entries_from(*mark);
        if left > 0 {
            (0..index % ENTRIES_PER_MARK).for_each(|_| drop(from.next_entry()));
        }
        Entries(Inner::At { from, left })
    }

    /// The blob of this digest.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<Cow<'_, [u8]>> {
        match self.blobs.get(digest)? {
            Block::Here(bytes) => Some(Cow::Borrowed(bytes)),
            Block::At(place) => self.source.blob(*place, digest).map(Cow::Owned),
        }
    }

    /// Whether it holds the blob of this digest.
    #[must_use]
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blobs.contains_key(digest)
    }

    /// The digests of all blobs, ascending.
    pub fn blobs(&self) -> impl ExactSizeIterator<Item = &Digest> {
        self.blobs.keys()
    }

    /// The readings block of an observation.
    #[must_use]
    pub fn readings_of(&self, observation: &ObservationId) -> Option<Cow<'_, [u8]>> {
        match self.readings.get(observation)? {
            Block::Here(bytes) => Some(Cow::Borrowed(bytes)),
            Block::At(place) => self.source.readings(*place, observation).map(Cow::Owned),
        }
    }

    /// The observations whose readings it holds, ascending.
    pub fn observations(&self) -> impl ExactSizeIterator<Item = &ObservationId> {
        self.readings.keys()
    }

    /// Notes that what was read again is not what was read first.
    pub(crate) fn fail_as_changed(&self) {
        self.source.fail_as_changed();
    }

    /// Why something that is there could not be read when it was needed: then whatever was said counts for nothing.
    pub fn unread(&self) -> Option<BundleError> {
        self.source.failed().map(BundleError::Read)
    }
}

/// How much memory reading may take.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    allowance: Option<(Allowance, u64)>,
}

impl Room {
    fn of(allowance: Allowance, file_bytes: u64) -> Self {
        Self {
            allowance: Some((allowance, file_bytes)),
        }
    }

    fn look(self) -> Result<(), BundleError> {
        let exceeded = self
            .allowance
            .and_then(|(allowance, file_bytes)| allowance.exceeded_mib(file_bytes));
        exceeded.map_or(Ok(()), |mib| Err(BundleError::Memory(mib)))
    }
}
