//! Entries one after another, from memory or from a file.

use super::source::EntriesFrom;
use serde_bytes::ByteBuf;
use std::borrow::Cow;

/// How many bytes of entries make a batch, at least.
const BATCH_BYTES: usize = 4 << 20;

/// The entries' bytes. Where the file of a bundle cannot be read any more they end, and
/// [`Bundle::unread`](super::Bundle::unread) says why.
#[derive(Debug)]
pub struct Entries<'a>(pub(super) Inner<'a>);

#[derive(Debug)]
pub(super) enum Inner<'a> {
    Here(std::slice::Iter<'a, ByteBuf>),
    At { from: EntriesFrom<'a>, left: u64 },
}

impl<'a> Iterator for Entries<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Here(entries) => Some(Cow::Borrowed(entries.next()?)),
            Inner::At { from, left } => {
                *left = left.checked_sub(1)?;
                let entry = from.next_entry();
                if entry.is_none() {
                    *left = 0;
                }
                entry.map(Cow::Owned)
            }
        }
    }
}

impl<'a> Entries<'a> {
    /// The next ones, no more than so many; fewer where they are large. None where there are no more.
    pub(crate) fn batch(&mut self, length_max: usize) -> Vec<Cow<'a, [u8]>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < length_max
            && bytes < BATCH_BYTES
            && let Some(entry) = self.next()
        {
            bytes += entry.len();
            batch.push(entry);
        }
        batch
    }
}
