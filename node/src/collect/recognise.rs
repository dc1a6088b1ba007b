//! What a file shows of itself without doubt: its encoding and its delimiter. Whatever leaves a doubt is refused, with
//! the key of the map that settles it.

use super::raw::named_delimiter;
use super::text::Text;
use encoding_rs::{DecoderResult, Encoding, UTF_8};
use std::io::{Read, Seek};

/// The delimiters that are looked for. Others can be declared.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Why a file does not say how it is to be read.
#[derive(Debug, thiserror::Error)]
pub enum RecognitionError {
    /// It cannot be read.
    #[error("failed to read the file")]
    Read(#[from] std::io::Error),
    /// Some other encoding.
    #[error(
        "the file is not UTF-8 and has no byte order mark: set `encoding` in the map, such as encoding = \"windows-1252\""
    )]
    NotUtf8,
    /// Most likely UTF-16 without its mark.
    #[error(
        "the file has zero bytes and no byte order mark: set `encoding` in the map, such as encoding = \"utf-16le\""
    )]
    ZeroBytes,
    /// It says something else than its map.
    #[error(
        "the file starts with the byte order mark of {marked}, but the map declares `encoding` {declared}"
    )]
    OtherMark {
        /// What the file says.
        marked: &'static str,
        /// What the map says.
        declared: &'static str,
    },
    /// It says something else than its map.
    #[error(
        "the first line of the file, `sep=`, names {named} as the delimiter, but the map declares `delimiter` {declared}: set it \
         to the one that divides the lines, or take the first line out"
    )]
    OtherDelimiter {
        /// What the file says.
        named: String,
        /// What the map says.
        declared: String,
    },
    /// No candidate divides all lines alike.
    #[error(
        "no comma, semicolon, tab or bar divides every line of the file alike: set `delimiter` in the map, such as delimiter = \";\""
    )]
    NoDelimiter,
    /// More than one candidate does.
    #[error(
        "{0} all divide every line of the file alike: set `delimiter` in the map to the one that is meant"
    )]
    ManyDelimiters(String),
}

/// The encoding: the declared one where it does not contradict a byte order mark, else what the mark says, else UTF-8
/// if all bytes are. Leaves the reader at the start.
pub(super) fn encoding<R: Read + Seek>(
    reader: &mut R,
    declared: Option<&'static Encoding>,
) -> Result<&'static Encoding, RecognitionError> {
    reader.rewind()?;
    let mut start = Vec::new();
    reader.by_ref().take(3).read_to_end(&mut start)?;
    let marked = Encoding::for_bom(&start).map(|(encoding, _)| encoding);
    reader.rewind()?;
    match (declared, marked) {
        (Some(declared), Some(marked)) if declared != marked => Err(RecognitionError::OtherMark {
            marked: marked.name(),
            declared: declared.name(),
        }),
        (Some(encoding), _) | (None, Some(encoding)) => Ok(encoding),
        (None, None) => {
            check_utf8(reader)?;
            reader.rewind()?;
            Ok(UTF_8)
        }
    }
}

fn check_utf8(reader: &mut impl Read) -> Result<(), RecognitionError> {
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut chunk = vec![0; 65_536];
    // As wide as the decoder could ever ask for, so that only bad bytes stop it.
    let mut sink = vec![0; 65_536 * 3 + 16];
    loop {
        let count = reader.read(&mut chunk)?;
        let bytes = chunk.get(..count).unwrap_or_default();
        if bytes.contains(&0) {
            return Err(RecognitionError::ZeroBytes);
        }
        let (result, _, _) =
            decoder.decode_to_utf8_without_replacement(bytes, &mut sink, count == 0);
        if result != DecoderResult::InputEmpty {
            return Err(RecognitionError::NotUtf8);
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// The delimiter: the declared one where it does not contradict a first line `sep=;`, else what that line names, else the
/// one that divides all lines into the same number of fields, more than one. Quoted parts and empty lines do not count.
/// Leaves the reader at the start.
pub(super) fn delimiter<R: Read + Seek>(
    reader: &mut R,
    encoding: &'static Encoding,
    declared: Option<u8>,
) -> Result<u8, RecognitionError> {
    reader.rewind()?;
    let named = named_in(Text::new(reader.by_ref(), encoding, |_| ()))?;
    reader.rewind()?;
    match (declared, named) {
        (Some(declared), Some(named)) if declared != named => {
            return Err(RecognitionError::OtherDelimiter {
                named: name(named),
                declared: name(declared),
            });
        }
        (Some(delimiter), _) | (None, Some(delimiter)) => return Ok(delimiter),
        (None, None) => {}
    }
    let found = dividing(Text::new(reader.by_ref(), encoding, |_| ()))?;
    reader.rewind()?;
    match found.as_slice() {
        [] => Err(RecognitionError::NoDelimiter),
        [delimiter] => Ok(*delimiter),
        _ => Err(RecognitionError::ManyDelimiters(
            found
                .iter()
                .map(|byte| name(*byte))
                .collect::<Vec<_>>()
                .join(" and "),
        )),
    }
}

/// The delimiter that the first line of a UTF-8 text names.
pub(super) fn named_in(text: impl Read) -> Result<Option<u8>, std::io::Error> {
    let mut line = Vec::new();
    // A line that names one is no longer than this.
    let start = text.take(16);
    std::io::BufRead::read_until(&mut std::io::BufReader::new(start), b'\n', &mut line)?;
    Ok(named_delimiter(&line))
}

/// The delimiters that divide all lines of a UTF-8 text alike.
pub(super) fn dividing(text: impl Read) -> Result<Vec<u8>, std::io::Error> {
    let mut counts = [0_u64; DELIMITERS.len()];
    let mut first: Option<[u64; DELIMITERS.len()]> = None;
    let mut alike = [true; DELIMITERS.len()];
    let (mut quoted, mut empty) = (false, true);
    for byte in std::io::BufReader::new(text).bytes() {
        match byte? {
            b'\n' if quoted => {}
            b'\n' => {
                if !empty {
                    let expected = first.get_or_insert(counts);
                    for ((alike, count), expected) in alike.iter_mut().zip(counts).zip(expected) {
                        *alike &= count == *expected && count > 0;
                    }
                }
                counts = [0; DELIMITERS.len()];
                empty = true;
            }
            byte => {
                empty = false;
                quoted ^= byte == b'"';
                for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
                    *count += u64::from(!quoted && byte == delimiter);
                }
            }
        }
    }
    let any = first.is_some();
    let found = DELIMITERS.into_iter().zip(alike);
    Ok(found
        .filter(|(_, alike)| any && *alike)
        .map(|(delimiter, _)| delimiter)
        .collect())
}

/// A delimiter as the map writes it.
pub(super) fn name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "`tab`".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn encodings_are_recognised_or_refused() {
        let recognise = |bytes: &[u8], declared: Option<&'static Encoding>| {
            encoding(&mut Cursor::new(bytes), declared)
        };
        assert_eq!(recognise(b"a,\xc2\xb5", None).unwrap(), UTF_8);
        assert_eq!(
            recognise(b"\xff\xfea\0", None).unwrap(),
            encoding_rs::UTF_16LE
        );
        assert_eq!(
            recognise(b"\xfe\xff\0a", None).unwrap(),
            encoding_rs::UTF_16BE
        );
        assert!(matches!(
            recognise(b"a\xb5", None),
            Err(RecognitionError::NotUtf8)
        ));
        assert!(matches!(
            recognise(b"a\xc2", None),
            Err(RecognitionError::NotUtf8)
        ));
        assert!(matches!(
            recognise(b"a\0b\0", None),
            Err(RecognitionError::ZeroBytes)
        ));
        let latin = Some(encoding_rs::WINDOWS_1252);
        assert_eq!(
            recognise(b"a\xb5", latin).unwrap(),
            encoding_rs::WINDOWS_1252
        );
        assert!(matches!(
            recognise(b"\xef\xbb\xbfa", latin),
            Err(RecognitionError::OtherMark { .. })
        ));
    }

    #[test]
    fn delimiters_are_recognised_or_refused() {
        let recognise = |text: &str| delimiter(&mut Cursor::new(text.as_bytes()), UTF_8, None);
        assert_eq!(recognise("a,b\n1,2\n\n3,4").unwrap(), b',');
        assert_eq!(recognise("a;b\n1,5;2,5\n").unwrap(), b';');
        assert_eq!(recognise("a\tb\r\n1\t2\r\n").unwrap(), b'\t');
        assert_eq!(recognise("a,b\n\"1;\n,\",2\n").unwrap(), b',');
        for none in ["", "\n", "a\n1\n", "a,b\n1,2\n3\n"] {
            assert!(
                matches!(recognise(none), Err(RecognitionError::NoDelimiter)),
                "{none}"
            );
        }
        assert_eq!(recognise("sep=;\na,b;c\n1,2;3\n").unwrap(), b';');
        let declared = |text: &str| delimiter(&mut Cursor::new(text.as_bytes()), UTF_8, Some(b','));
        assert_eq!(declared("sep=,\na\n").unwrap(), b',');
        let error = declared("sep=;\na;b\n").unwrap_err().to_string();
        let told = "names `;` as the delimiter, but the map declares `delimiter` `,`";
        assert!(error.contains(told), "{error}");
        let error = recognise("1,5;2\n3,5;4\n").unwrap_err();
        assert!(matches!(error, RecognitionError::ManyDelimiters(_)));
        assert!(error.to_string().starts_with("`,` and `;` all"), "{error}");
    }
}
