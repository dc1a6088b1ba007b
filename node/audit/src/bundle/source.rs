//! Where records are read from that do not lie in memory: a file, once more, when they are needed.

use super::Record;
use super::records::decode;
use ambit_ledger::{Digest, ObservationId};
use serde_bytes::ByteBuf;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How much is read at a time of records that follow one another, at least.
const CHUNK_BYTES: usize = 256 * 1024;

/// The bytes of a record.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Here(ByteBuf),
    At(Place),
}

/// Where a record lies in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Place {
    /// Where the record begins, with its length before it.
    pub(super) fn start(self) -> u64 {
        self.offset.saturating_sub(4)
    }

    /// The first byte behind it.
    pub(super) fn end(self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }
}

/// The file of a bundle, and whether it could be read once more.
#[derive(Clone, Debug)]
pub(super) struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Option<Mutex<File>>,
    failed: OnceLock<(io::ErrorKind, String)>,
}

impl Source {
    /// What is read lies in memory.
    pub(super) fn none() -> Self {
        Self::new(None)
    }

    pub(super) fn of(file: File) -> Self {
        Self::new(Some(Mutex::new(file)))
    }

    fn new(file: Option<Mutex<File>>) -> Self {
        Self(Arc::new(Inner {
            file,
            failed: OnceLock::new(),
        }))
    }

    /// The readings at a place, where they are those of the observation that lay there before.
    pub(super) fn readings(&self, place: Place, observation: &ObservationId) -> Option<Vec<u8>> {
        self.told(self.record(place).and_then(|record| match record {
            (
                Record::Readings {
                    observation: of,
                    bytes,
                },
                _,
            ) if of == *observation => Ok(bytes),
            _ => Err(changed()),
        }))
    }

    /// The blob at a place, where it is the one that lay there before.
    pub(super) fn blob(&self, place: Place, digest: &Digest) -> Option<Vec<u8>> {
        self.told(self.record(place).and_then(|record| match record {
            (Record::Blob { bytes }, of) if of == Some(*digest) => Ok(bytes),
            _ => Err(changed()),
        }))
    }

    fn told(&self, read: io::Result<ByteBuf>) -> Option<Vec<u8>> {
        read.map(ByteBuf::into_vec)
            .map_err(|error| self.fail(&error))
            .ok()
    }

    /// Notes that something could not be read. The first one says why.
    fn fail(&self, error: &io::Error) {
        let _ = self.0.failed.set((error.kind(), error.to_string()));
    }

    /// Notes that the file is not what it was.
    pub(super) fn fail_as_changed(&self) {
        self.fail(&changed());
    }

    fn record(&self, place: Place) -> io::Result<(Record, Option<Digest>)> {
        let length = usize::try_from(place.length).unwrap_or(usize::MAX);
        let mut record = vec![0; length];
        let read = self.read_at(place.offset, &mut record)?;
        if read < length {
            return Err(changed());
        }
        decode(&record).map_err(|_| changed())
    }

    /// Reads from a place on, and returns how much.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let file = self.0.file.as_ref().ok_or_else(changed)?;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// The entries that follow one another from a place on.
    pub(super) fn entries_from(&self, offset: u64) -> EntriesFrom<'_> {
        EntriesFrom {
            source: self,
            offset,
            chunk: Vec::new(),
            begun: 0,
        }
    }

    /// Why something could not be read.
    pub(super) fn failed(&self) -> Option<io::Error> {
        let (kind, why) = self.0.failed.get()?;
        Some(io::Error::new(*kind, why.clone()))
    }
}

fn changed() -> io::Error {
    io::Error::other("the file was changed while it was read")
}

/// Reads entries one after another, a chunk at a time.
#[derive(Debug)]
pub(super) struct EntriesFrom<'a> {
    source: &'a Source,
    /// Where the file is read next.
    offset: u64,
    chunk: Vec<u8>,
    /// How much of the chunk is done with.
    begun: usize,
}

impl EntriesFrom<'_> {
    /// The next entry; `None` where there is none, which is noted.
    pub(super) fn next_entry(&mut self) -> Option<Vec<u8>> {
        match self.read_entry() {
            Ok(entry) => Some(entry),
            Err(error) => {
                self.source.fail(&error);
                None
            }
        }
    }

    fn read_entry(&mut self) -> io::Result<Vec<u8>> {
        let head = self.take(4)?.try_into().map_err(|_| changed())?;
        let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
        if length > super::RECORD_BYTES_MAX {
            return Err(changed());
        }
        match decode(self.take(length)?) {
            Ok((Record::Entry { bytes }, _)) => Ok(bytes.into_vec()),
            Ok(_) | Err(_) => Err(changed()),
        }
    }

    fn take(&mut self, length: usize) -> io::Result<&[u8]> {
        let has = self.chunk.len().saturating_sub(self.begun);
        if has < length {
            self.chunk.drain(..self.begun);
            self.begun = 0;
            let wanted = length.max(CHUNK_BYTES);
            self.chunk.resize(wanted, 0);
            let rest = self.chunk.get_mut(has..).unwrap_or_default();
            let read = self.source.read_at(self.offset, rest)?;
            self.chunk.truncate(has + read);
            self.chunk.shrink_to(wanted);
            self.offset += u64::try_from(read).unwrap_or(u64::MAX);
        }
        let end = self.begun.saturating_add(length);
        let taken = self.chunk.get(self.begun..end).ok_or_else(changed)?;
        self.begun = end;
        Ok(taken)
    }
}
