//! What lies on a disk after some of its writes, and what was done to it, in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// What a disk writes as a whole or not at all. (Its sectors may be smaller; the file system's blocks are not.)
pub const BLOCK: u64 = 4096;

/// A disk. Blocks that were never written hold zeros and are not kept.
#[derive(Clone, Debug)]
pub struct Image {
    size: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Image {
    /// One that nothing was written to.
    pub fn new(size: u64) -> Self {
        assert!(size.is_multiple_of(BLOCK));
        Self {
            size,
            blocks: BTreeMap::new(),
        }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// What a file of the disk gives for a read: less than asked for past its end.
    pub fn read(&self, offset: u64, length: u64) -> Vec<u8> {
        let end = offset.saturating_add(length).min(self.size);
        let mut bytes = Vec::new();
        let mut at = offset;
        while at < end {
            let within = at % BLOCK;
            let count = (BLOCK - within).min(end - at);
            match self.blocks.get(&(at / BLOCK)) {
                Some(block) => bytes.extend_from_slice(&block[range(within, count)]),
                None => bytes.resize(bytes.len() + length_of(count), 0),
            }
            at += count;
        }
        bytes
    }

    /// Writes; false where that would go past the end, and then nothing is written.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return false;
        }
        for (at, piece) in pieces(offset, bytes) {
            let block = self
                .blocks
                .entry(at / BLOCK)
                .or_insert_with(|| vec![0; length_of(BLOCK)].into());
            block[range(at % BLOCK, piece.len() as u64)].copy_from_slice(piece);
        }
        true
    }

    /// Does again what a log says was done.
    pub fn apply(&mut self, event: &Event) {
        if let Event::Write { offset, bytes, .. } = event {
            assert!(self.write(*offset, bytes), "a log of another disk");
        }
    }

    /// Makes a file of it, with holes for what was never written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.size)?;
        for (number, block) in &self.blocks {
            file.write_all_at(block, number * BLOCK)?;
        }
        Ok(())
    }
}

/// Cuts what is written at an offset where blocks begin.
pub fn pieces(offset: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut at, mut rest) = (offset, bytes);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let count = length_of(BLOCK - at % BLOCK).min(rest.len());
        let (piece, after) = rest.split_at(count);
        pieces.push((at, piece));
        at += count as u64;
        rest = after;
    }
    pieces
}

fn range(from: u64, count: u64) -> std::ops::Range<usize> {
    length_of(from)..length_of(from + count)
}

/// A length within a block, which fits.
fn length_of(count: u64) -> usize {
    usize::try_from(count).unwrap()
}

/// One thing that was done to a disk.
#[derive(Clone, Debug)]
pub enum Event {
    /// A block, or a part of one, was written.
    Write {
        offset: u64,
        bytes: Vec<u8>,
        /// Whether it was the last block of what was asked for at once.
        ends_request: bool,
    },
    /// All written before was to be made durable: the disk's cache was flushed.
    Flush,
}

impl Event {
    /// Whether the power may fail after it with another outcome than before it.
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. })
    }

    /// Whether nothing more was asked for at once.
    pub fn ends_request(&self) -> bool {
        matches!(
            self,
            Self::Write {
                ends_request: true,
                ..
            }
        )
    }
}

/// All that was done to a disk. A moment in its life is how many of these events had happened.
#[derive(Clone, Debug, Default)]
pub struct Log {
    events: Vec<Event>,
}

impl Log {
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// A request to write takes an event for each block that it touches, since the power may fail between any two.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let pieces = pieces(offset, bytes);
        let last = pieces.len().saturating_sub(1);
        for (index, (offset, piece)) in pieces.into_iter().enumerate() {
            self.events.push(Event::Write {
                offset,
                bytes: piece.to_owned(),
                ends_request: index == last,
            });
        }
    }

    pub fn flush(&mut self) {
        self.events.push(Event::Flush);
    }

    /// How many events had happened when the last flush before a moment was done. What came later may have been in the
    /// disk's cache only, so nobody could rely on it at that moment.
    pub fn flushed_before(&self, moment: usize) -> usize {
        let flush = self.events[..moment]
            .iter()
            .rposition(|event| matches!(event, Event::Flush));
        flush.map_or(0, |index| index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_also_across_blocks() {
        let mut image = Image::new(4 * BLOCK);
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        assert!(image.write(1000, &bytes));
        assert_eq!(image.read(1000, 10_000), bytes);
        assert_eq!(image.read(998, 4), [0, 0, 0, 1]);
        assert_eq!(image.read(4 * BLOCK - 2, 10), [0, 0]);
        assert!(!image.write(4 * BLOCK - 1, &[1, 1]));
        assert_eq!(image.read(4 * BLOCK - 1, 1), [0]);
    }

    #[test]
    fn pieces_end_where_blocks_do() {
        let bytes = vec![7; 9000];
        let cut: Vec<(u64, usize)> = pieces(4000, &bytes)
            .into_iter()
            .map(|(at, piece)| (at, piece.len()))
            .collect();
        assert_eq!(cut, [(4000, 96), (4096, 4096), (8192, 4096), (12288, 712)]);
    }
}
