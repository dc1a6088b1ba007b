//! Where readings are read from that do not lie in memory: a file, once more, when they are needed.

use super::Record;
use super::reader::decode;
use ambit_ledger::ObservationId;
use serde_bytes::ByteBuf;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A block of readings.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Here(ByteBuf),
    At(Place),
}

/// Where a record lies in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Place {
    /// The first byte behind it.
    pub(super) fn end(self) -> u64 {
        let length = u64::try_from(self.length).unwrap_or(u64::MAX);
        self.offset.saturating_add(length)
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
        match self.read(place, observation) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                // The first one says why.
                let _ = self.0.failed.set((error.kind(), error.to_string()));
                None
            }
        }
    }

    fn read(&self, place: Place, observation: &ObservationId) -> io::Result<Vec<u8>> {
        let changed = || io::Error::other("the file was changed while it was read");
        let mut record = vec![0; place.length];
        {
            let file = self.0.file.as_ref().ok_or_else(changed)?;
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(place.offset))?;
            file.read_exact(&mut record)?;
        }
        match decode(&record) {
            Ok((
                Record::Readings {
                    observation: of,
                    bytes,
                },
                _,
            )) if of == *observation => Ok(bytes.into_vec()),
            _ => Err(changed()),
        }
    }

    /// Why something could not be read.
    pub(super) fn failed(&self) -> Option<io::Error> {
        let (kind, why) = self.0.failed.get()?;
        Some(io::Error::new(*kind, why.clone()))
    }
}
