//! Where the content that entries name by its digest is read from: the store, and what is about to be put there.

use super::GovernanceError;
use super::governance::{Activations, failed};
use crate::store::{Recorded, Store, StoreError, Write};
use ambit_ledger::Digest;
use ambit_policy::{Layers, Taxonomies};
use std::collections::BTreeMap;

/// Finds content by its digest.
pub(super) trait Content {
    /// The content; nothing where there is none of this digest.
    fn find(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// The content that an entry names.
    fn of(&self, entry: u64, digest: &Digest) -> Result<Vec<u8>, GovernanceError> {
        self.find(digest)?.ok_or_else(|| GovernanceError::Entry {
            index: entry,
            what: format!("the content {digest} is missing"),
        })
    }

    /// The text that an entry names.
    fn text_of(&self, entry: u64, digest: &Digest) -> Result<String, GovernanceError> {
        String::from_utf8(self.of(entry, digest)?).map_err(|error| failed(entry, &error))
    }
}

impl Content for Store {
    fn find(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.blob(digest)
    }
}

/// A store as it will be once a commit is on the disk.
pub(super) struct Ahead<'a> {
    store: &'a Store,
    written: BTreeMap<Digest, &'a [u8]>,
}

impl<'a> Ahead<'a> {
    pub(super) fn of(store: &'a Store, writes: &'a [Write]) -> Self {
        let written = writes.iter().filter_map(|write| match write {
            Write::Blob(bytes) => Some((Digest::of(bytes), bytes.as_slice())),
            _ => None,
        });
        Self {
            store,
            written: written.collect(),
        }
    }
}

impl Content for Ahead<'_> {
    fn find(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        match self.written.get(digest) {
            Some(bytes) => Ok(Some(bytes.to_vec())),
            None => self.store.blob(digest),
        }
    }
}

/// The layers that these entries put in force.
pub(super) fn layers_of(
    store: &Store,
    activations: &Activations,
    (taxonomies, activation): &(Digest, Recorded),
) -> Result<Layers, GovernanceError> {
    let text = store.text_of(activation.index, taxonomies)?;
    let taxonomies =
        Taxonomies::from_json(&text).map_err(|error| failed(activation.index, &error))?;
    let mut texts = Vec::new();
    for (layer, (how, recorded)) in activations {
        texts.push((*layer, store.text_of(recorded.index, &how.profile)?));
    }
    // One that does not compile leaves all undecided, and keeps no home from opening: it can be replaced.
    let texts = texts.iter().map(|(layer, text)| (*layer, text.as_str()));
    Ok(Layers::of_texts(taxonomies, texts))
}
