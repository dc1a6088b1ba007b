//! The key under which values are hashed before they stand in an index: whoever has the database without it finds no part
//! number there, also not by trying all there may be. It lies beside the slots, so that both can be erased.

use super::{DatabaseError, StoreError};
use crate::randomness::Randomness;
use ambit_ledger::Digest;
use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// Another one for each shape of the records that are made from the journal.
const RECORDS_SHAPE: &[u8] = b"records/3\0";
/// The shape before: what of it is asked for can be read, but it has no records of what is to be held until when.
const SHAPE_BEFORE: &[u8] = b"records/2\0";

/// What stands in an index in the place of a value.
pub(super) type Hash = [u8; 16];

/// The key of one store's indexes.
#[derive(Debug)]
pub(super) struct IndexKey(Zeroizing<[u8; KEY_BYTES]>);

impl IndexKey {
    /// Reads the key of a home, or makes one where there is none, or a crash left a part of it: a database that was made with
    /// another key is built again.
    ///
    /// # Errors
    /// [`StoreError::Database`] of the file, [`StoreError::Randomness`].
    pub(super) fn open(home: &Path) -> Result<Self, StoreError> {
        let path = home.join("index.key");
        DatabaseError::check_file(&path)?;
        let failed = |source| DatabaseError::sync(&path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = crate::platform::open_private(&mut options, &path);
        let opened = opened.or_else(|error| match error.kind() {
            // Another user made it, with a command that it ran here. Another one does as well.
            ErrorKind::PermissionDenied => {
                std::fs::remove_file(&path).map_err(|_| error)?;
                crate::platform::open_private(&mut options, &path)
            }
            _ => Err(error),
        });
        let mut file = opened.map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES));
        file.read_to_end(&mut bytes).map_err(failed)?;
        let read = bytes.as_slice().try_into().ok().map(Zeroizing::new);
        if let Some(key) = read.filter(|key| **key != [0; KEY_BYTES]) {
            return Ok(Self(key));
        }
        let drawn = Self::draw()?;
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(&*drawn.0))
            .and_then(|()| file.sync_all())
            .and_then(|()| crate::platform::sync_folder(home))
            .map_err(failed)?;
        Ok(drawn)
    }

    /// The key of a home, where there is one: nothing is written.
    pub(super) fn read(home: &Path) -> Option<Self> {
        let path = home.join("index.key");
        crate::platform::check_file(&path).ok()?;
        let bytes = Zeroizing::new(std::fs::read(path).ok()?);
        let key = bytes.as_slice().try_into().ok().map(Zeroizing::new)?;
        Some(Self(key))
    }

    /// Draws one.
    ///
    /// # Errors
    /// [`StoreError::Randomness`].
    pub(super) fn draw() -> Result<Self, StoreError> {
        Ok(Self(Zeroizing::new(Randomness::default().take()?)))
    }

    /// What stands in an index in the place of a value of a kind.
    pub(super) fn hash(&self, kind: u8, value: &str) -> Hash {
        let digest = Digest::of_parts(&[b"ambit index\0", &*self.0, &[kind], value.as_bytes()]);
        let mut hash = [0; 16];
        hash.iter_mut()
            .zip(digest.as_bytes())
            .for_each(|(to, from)| *to = *from);
        hash
    }

    /// Names the key, and does not say what it is; and the shape of the records that were made with it, so that a database whose
    /// records have another shape is built again as well.
    pub(super) fn name(&self) -> Digest {
        self.name_of(RECORDS_SHAPE)
    }

    /// Whether what was made with this key, as a name says, can be read.
    pub(super) fn can_read(&self, name: &Digest) -> bool {
        [RECORDS_SHAPE, SHAPE_BEFORE]
            .iter()
            .any(|shape| self.name_of(shape) == *name)
    }

    /// What it was named in the shape before.
    #[cfg(test)]
    pub(super) fn name_before(&self) -> Digest {
        self.name_of(SHAPE_BEFORE)
    }

    fn name_of(&self, shape: &[u8]) -> Digest {
        Digest::of_parts(&[b"ambit index key\0", shape, &*self.0])
    }
}

/// What stands in indexes in the place of values, each made once: the observations of a commit have most in common.
#[derive(Debug)]
pub(super) struct Hashes<'a> {
    key: &'a IndexKey,
    known: BTreeMap<u8, HashMap<String, Hash>>,
}

impl<'a> Hashes<'a> {
    pub(super) fn with(key: &'a IndexKey) -> Self {
        Self {
            key,
            known: BTreeMap::new(),
        }
    }

    /// As [`IndexKey::hash`].
    pub(super) fn of(&mut self, kind: u8, value: &str) -> Hash {
        let known = self.known.entry(kind).or_default();
        if let Some(hash) = known.get(value) {
            return *hash;
        }
        let hash = self.key.hash(kind, value);
        known.insert(value.to_owned(), hash);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_one_that_was_cut_off_or_erased_is_another() {
        let home = tempfile::tempdir().unwrap();
        let open = || IndexKey::open(home.path()).unwrap();
        let first = open();
        assert_eq!(open().name(), first.name());
        assert_eq!(open().hash(1, "A"), first.hash(1, "A"));
        assert_ne!(first.hash(1, "A"), first.hash(2, "A"));
        let path = home.path().join("index.key");
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), KEY_BYTES);
        for left in [&bytes[..0], &bytes[..31], &[0; KEY_BYTES]] {
            std::fs::write(&path, left).unwrap();
            let other = open();
            assert_ne!(other.name(), first.name());
            assert_eq!(open().name(), other.name());
        }
    }
}
