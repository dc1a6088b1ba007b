//! Bytes in any encoding, read as lines of UTF-8.

use encoding_rs::{CoderResult, Decoder, Encoding};
use std::io::Read;

/// What is read and decoded at once, in bytes.
const CHUNK_BYTES: usize = 65_536;

/// What stands for bytes that are not of the encoding; a row that holds it is unreadable.
pub(super) const UNDECODABLE: char = char::REPLACEMENT_CHARACTER;

/// A file as UTF-8, without a byte order mark, its line ends all one line feed (inside quoted fields too) and the
/// last line ended: so that a count of line feeds is a line number.
pub(super) struct Text<R, P> {
    reader: R,
    decoder: Decoder,
    progress: P,
    bytes_read: u64,
    ready: Vec<u8>,
    taken: usize,
    after_return: bool,
    line_is_open: bool,
    finished: bool,
}

impl<R, P> std::fmt::Debug for Text<R, P> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Text")
            .field("bytes_read", &self.bytes_read)
            .finish_non_exhaustive()
    }
}

impl<R: Read, P: FnMut(u64)> Text<R, P> {
    /// Reads from the start of a file. `progress` is told the bytes read so far.
    pub(super) fn new(reader: R, encoding: &'static Encoding, progress: P) -> Self {
        Self {
            reader,
            decoder: encoding.new_decoder_with_bom_removal(),
            progress,
            bytes_read: 0,
            ready: Vec::new(),
            taken: 0,
            after_return: false,
            line_is_open: false,
            finished: false,
        }
    }

    fn refill(&mut self) -> std::io::Result<()> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let limit = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
        let count = self.reader.by_ref().take(limit).read_to_end(&mut chunk)?;
        self.bytes_read += u64::try_from(count).unwrap_or(u64::MAX);
        (self.progress)(self.bytes_read);
        let last = count == 0;
        // With the worst case reserved the decoder never asks for more room.
        let room = self
            .decoder
            .max_utf8_buffer_length(count)
            .unwrap_or(count * 4 + 16);
        let mut decoded = String::with_capacity(room);
        let (result, _, _) = self.decoder.decode_to_string(&chunk, &mut decoded, last);
        debug_assert_eq!(result, CoderResult::InputEmpty, "room for the worst case");
        self.ready.clear();
        self.taken = 0;
        for byte in decoded.bytes() {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\r' => {
                    self.after_return = true;
                    self.ready.push(b'\n');
                }
                _ => {
                    self.after_return = false;
                    self.ready.push(byte);
                }
            }
        }
        if let Some(byte) = self.ready.last() {
            self.line_is_open = *byte != b'\n';
        }
        if last {
            self.finished = true;
            if self.line_is_open {
                self.ready.push(b'\n');
            }
        }
        Ok(())
    }
}

impl<R: Read, P: FnMut(u64)> Read for Text<R, P> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken == self.ready.len() && !self.finished {
            self.refill()?;
        }
        let left = self.ready.get(self.taken..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        if let (Some(from), Some(to)) = (left.get(..count), buffer.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], label: &str) -> String {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut text = String::new();
        Text::new(bytes, encoding, |_| ())
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn line_ends_become_one_and_the_last_is_added() {
        assert_eq!(read(b"a\r\nb\rc\nd", "utf-8"), "a\nb\nc\nd\n");
        assert_eq!(read(b"a\r\r\n\n", "utf-8"), "a\n\n\n");
        assert_eq!(read(b"", "utf-8"), "");
    }

    #[test]
    fn encodings_and_marks() {
        assert_eq!(read(b"\xef\xbb\xbfa", "utf-8"), "a\n");
        assert_eq!(read(b"\xff\xfea\0\xe9\0", "utf-16le"), "aé\n");
        assert_eq!(read(b"\0a\0\xe9", "utf-16be"), "aé\n");
        assert_eq!(read(b"\xb5m", "windows-1252"), "µm\n");
        assert_eq!(read(b"\xb5m", "utf-8"), "\u{fffd}m\n");
    }

    #[test]
    fn chunks_join_and_progress_is_told() {
        let text = "é\r\n".repeat(50_000);
        let mut told = Vec::new();
        let mut decoded = String::new();
        Text::new(text.as_bytes(), encoding_rs::UTF_8, |bytes| {
            told.push(bytes)
        })
        .read_to_string(&mut decoded)
        .unwrap();
        assert_eq!(decoded, "é\n".repeat(50_000));
        assert!(told.is_sorted() && told.len() > 2);
        assert_eq!(told.last(), Some(&200_000));
    }
}
