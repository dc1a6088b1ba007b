//! Writes bundles as they are read out of a store: in order, without holding them in memory.

use super::{BLOB_BYTES_MAX, MAGIC, RECORD_BYTES_MAX, Record};
use ambit_ledger::{Digest, ITEM_BYTES_MAX, ObservationId, OrganizationId, encode};
use serde_bytes::ByteBuf;
use std::io::{self, Write};

/// Writes a bundle, record by record.
#[derive(Debug)]
pub struct BundleWriter<W> {
    pub(super) out: W,
    entries: u64,
    blobs: u64,
    readings: u64,
    last_blob: Option<Digest>,
    last_observation: Option<ObservationId>,
}

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleWriteError {
    /// The file cannot be written.
    #[error("failed to write the bundle")]
    Write(#[from] io::Error),
    /// A record in the wrong place, or twice.
    #[error("a record of the bundle came out of order or twice")]
    Order,
    /// Larger than its kind allows.
    #[error(
        "{size} bytes are more than the {limit} that a bundle takes in one record of this kind"
    )]
    TooLarge {
        /// How large it is.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Nothing to audit.
    #[error("a ledger without entries makes no bundle")]
    Empty,
}

impl<W: Write> BundleWriter<W> {
    /// Begins a bundle of this organization's ledger under a signed checkpoint.
    ///
    /// # Errors
    /// [`BundleWriteError::Write`].
    pub fn start(
        mut out: W,
        organization: &OrganizationId,
        checkpoint: &str,
    ) -> Result<Self, BundleWriteError> {
        out.write_all(MAGIC)?;
        let mut writer = Self {
            out,
            entries: 0,
            blobs: 0,
            readings: 0,
            last_blob: None,
            last_observation: None,
        };
        writer.write(&Record::Header {
            organization: organization.clone(),
            checkpoint: checkpoint.to_owned(),
        })?;
        Ok(writer)
    }

    /// Writes the next entry. All entries come before all blobs.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn entry(&mut self, bytes: &[u8]) -> Result<(), BundleWriteError> {
        if self.blobs > 0 || self.readings > 0 {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, ITEM_BYTES_MAX)?;
        self.entries += 1;
        self.write(&Record::Entry { bytes })
    }

    /// Writes the next blob, ascending by digest. All blobs come before all readings.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn blob(&mut self, bytes: &[u8]) -> Result<(), BundleWriteError> {
        let digest = Digest::of(bytes);
        if self.readings > 0 || self.last_blob.is_some_and(|last| last >= digest) {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, BLOB_BYTES_MAX)?;
        self.last_blob = Some(digest);
        self.blobs += 1;
        self.write(&Record::Blob { bytes })
    }

    /// Writes the next readings block, ascending by observation.
    ///
    /// # Errors
    /// Any [`BundleWriteError`] but `Empty`.
    pub fn readings(
        &mut self,
        observation: &ObservationId,
        bytes: &[u8],
    ) -> Result<(), BundleWriteError> {
        if self
            .last_observation
            .is_some_and(|last| last >= *observation)
        {
            return Err(BundleWriteError::Order);
        }
        let bytes = within(bytes, ITEM_BYTES_MAX)?;
        self.last_observation = Some(*observation);
        self.readings += 1;
        self.write(&Record::Readings {
            observation: *observation,
            bytes,
        })
    }

    /// Writes the end and flushes. Whether it is on the disk is for the caller to see to.
    ///
    /// # Errors
    /// [`BundleWriteError::Empty`] and [`BundleWriteError::Write`].
    pub fn finish(mut self) -> Result<W, BundleWriteError> {
        if self.entries == 0 {
            return Err(BundleWriteError::Empty);
        }
        self.write(&Record::End {
            entries: self.entries,
            blobs: self.blobs,
            readings: self.readings,
        })?;
        self.out.flush()?;
        Ok(self.out)
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), BundleWriteError> {
        let bytes = encode(record);
        let too_large = BundleWriteError::TooLarge {
            size: bytes.len(),
            limit: RECORD_BYTES_MAX,
        };
        let length = u32::try_from(bytes.len()).map_err(|_| too_large)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&bytes)?;
        Ok(())
    }
}

fn within(bytes: &[u8], limit: usize) -> Result<ByteBuf, BundleWriteError> {
    if bytes.len() > limit {
        return Err(BundleWriteError::TooLarge {
            size: bytes.len(),
            limit,
        });
    }
    Ok(ByteBuf::from(bytes.to_vec()))
}
