//! The bytes of a file beside the rows that they are divided into: only they show what a quotation mark did.

use csv::StringRecord;
use std::io::Read;

/// A row of a file, as it stands there and as it was divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileRow<'a> {
    /// The line it starts on, counted from 1.
    pub(super) line: u64,
    pub(super) record: &'a StringRecord,
    /// With the line feed that ends it, and with empty lines before it.
    pub(super) bytes: &'a [u8],
    pub(super) delimiter: u8,
}

impl FileRow<'_> {
    /// What is wrong with its quotation marks by RFC 4180 (section 2), where one opens a field: that stands at its start, one that
    /// closes it at its end, and one within it is doubled. In a row in which none opens a field they are letters like others.
    pub(super) fn quotation_fault(&self) -> Option<&'static str> {
        let (mut at, mut has_opened, mut has_stray) = (Place::Start, false, false);
        for byte in line_of(self.bytes) {
            let is_delimiter = *byte == self.delimiter;
            at = match (at, *byte) {
                (Place::Start, b'"') => {
                    has_opened = true;
                    Place::Quoted
                }
                (Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Start | Place::Plain | Place::Closed, _) if is_delimiter => Place::Start,
                (Place::Closed, b'\r') => Place::Closed,
                (Place::Closed, _) => return Some(STRAY),
                (Place::Start | Place::Plain, byte) => {
                    has_stray |= byte == b'"';
                    Place::Plain
                }
            };
        }
        if matches!(at, Place::Quoted) {
            return Some("a quotation mark is never closed");
        }
        (has_opened && has_stray).then_some(STRAY)
    }

    /// The delimiter that it names, where it is the line `sep=;` that Excel writes and heeds.
    pub(super) fn named_delimiter(&self) -> Option<u8> {
        named_delimiter(self.bytes)
    }
}

const STRAY: &str = "a quotation mark opens or closes within a field: put the field between two of them, and double it where it \
                     is one of the text";

/// Where a byte of a row stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the start of a field.
    Start,
    /// In a field without quotation marks.
    Plain,
    /// Between two quotation marks.
    Quoted,
    /// After the second of them.
    Closed,
}

/// The delimiter that a line `sep=;` names.
pub(super) fn named_delimiter(line: &[u8]) -> Option<u8> {
    let line = line_of(line);
    let bare = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""));
    match bare.unwrap_or(line) {
        [s, e, p, b'=', delimiter]
            if [*s, *e, *p].eq_ignore_ascii_case(b"sep")
                && (delimiter.is_ascii_punctuation() || *delimiter == b'\t')
                && *delimiter != b'"' =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// Without empty lines before it, and the line feed that ends it.
fn line_of(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().take_while(|byte| **byte == b'\n').count();
    let line = bytes.get(start..).unwrap_or_default();
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// A reader that keeps what it read until nobody needs it any more.
#[derive(Debug)]
pub(super) struct Kept<R> {
    reader: R,
    bytes: Vec<u8>,
    /// How many bytes were before those that are kept.
    from: u64,
    /// Up to which nobody needs them.
    done: u64,
}

impl<R> Kept<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self {
            reader,
            bytes: Vec::new(),
            from: 0,
            done: 0,
        }
    }

    pub(super) fn between(&self, from: u64, upto: u64) -> &[u8] {
        let place = |at: u64| usize::try_from(at.saturating_sub(self.from)).unwrap_or(usize::MAX);
        self.bytes.get(place(from)..place(upto)).unwrap_or_default()
    }

    /// Lets what lies before go, with the next read: that is once for many rows.
    pub(super) const fn done(&mut self, upto: u64) {
        self.done = upto;
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let gone = usize::try_from(self.done.saturating_sub(self.from)).unwrap_or(usize::MAX);
        let gone = gone.min(self.bytes.len());
        self.bytes.drain(..gone);
        self.from += u64::try_from(gone).unwrap_or_default();
        self.bytes
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotation_marks_are_well_placed_or_not() {
        let record = StringRecord::new();
        let is_well_quoted = |text: &str| {
            let row = FileRow {
                line: 1,
                record: &record,
                bytes: text.as_bytes(),
                delimiter: b',',
            };
            row.quotation_fault().is_none()
        };
        for text in [
            "a,b\n",
            "a,\"b\nc,d\"\n",
            "\n\n\"a\",\"\",\"\"\"b\"\"\"\n",
            "\"a\",b",
            "a,\n",
            "a\"b\",c 5\"\n",
            "a,\"b\"\r\n",
        ] {
            assert!(is_well_quoted(text), "{text}");
        }
        for text in [
            "a,\"b\n",
            "a,\"b\nc,\"d\n",
            "a,\"b\nc,\",d\"\n",
            "\"a\" ,b\n",
            "\"1\"2,b\n",
        ] {
            assert!(!is_well_quoted(text), "{text}");
        }
    }

    #[test]
    fn a_line_that_names_the_delimiter_is_known() {
        for (line, delimiter) in [
            ("sep=,\n", Some(b',')),
            ("SEP=;", Some(b';')),
            ("sep=\t\n", Some(b'\t')),
            ("\"sep=;\"\n", Some(b';')),
            ("sep=ab\n", None),
            ("sep=a\n", None),
            ("sep=\n", None),
            ("sep,b\n", None),
        ] {
            assert_eq!(named_delimiter(line.as_bytes()), delimiter, "{line}");
        }
    }

    #[test]
    fn what_was_read_is_kept_until_it_is_done_with() {
        let mut kept = Kept::new(&b"abcdef"[..]);
        let mut two = [0; 2];
        kept.read_exact(&mut two).unwrap();
        kept.read_exact(&mut two).unwrap();
        assert_eq!(kept.between(1, 3), b"bc");
        kept.done(3);
        kept.read_exact(&mut two).unwrap();
        assert_eq!(
            (kept.bytes.as_slice(), kept.between(3, 6)),
            (&b"def"[..], &b"def"[..])
        );
    }
}
