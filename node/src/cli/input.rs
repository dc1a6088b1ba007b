//! Files that are named, read as a whole: never more of one than its kind may have.

use super::files::FileError;
use crate::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MEBIBYTE: u64 = 1024 * 1024;

/// What a file that is read as a whole holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Card,
    Partnership,
    Attestation,
    Declaration,
    Profile,
    Map,
    Facts,
    Submodel,
}

impl FileKind {
    /// What it is called, for people.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Card => "an identity card",
            Self::Partnership => "a partnership file",
            Self::Attestation => "an attestation",
            Self::Declaration => "a declaration",
            Self::Profile => "a profile",
            Self::Map => "a map",
            Self::Facts => "a file of facts",
            Self::Submodel => "a file of submodels",
        }
    }

    /// How many MiB of it are read at most. Each is several times what its content may come to, since what was sent may stand in
    /// the message it came with; the content has bounds of its own, which are told in its own terms. Submodels have none,
    /// and take several times their size while they are read.
    pub(super) const fn mebibytes_max(self) -> u64 {
        match self {
            Self::Card
            | Self::Attestation
            | Self::Declaration
            | Self::Profile
            | Self::Map
            | Self::Facts => 1,
            Self::Partnership => 8,
            Self::Submodel => 256,
        }
    }
}

/// Reads a text file; `-` stands for standard input. The mark that some editors put first is no part of the text.
pub(super) fn read_text(path: &Path, kind: FileKind) -> Result<String, Failure> {
    let text = String::from_utf8(read_bytes(path, kind)?).map_err(|_| {
        let source = io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8 text");
        FileError::read(path)(source)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Reads a file; `-` stands for standard input.
pub(super) fn read_bytes(path: &Path, kind: FileKind) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        read_within(io::stdin().lock(), kind)
    } else {
        File::open(path).and_then(|file| read_within(file, kind))
    };
    let bytes = read.map_err(FileError::read(path))?;
    bytes.ok_or_else(|| {
        let path = path.to_owned();
        FileError::TooLong { path, kind }.into()
    })
}

/// `None` where there is more than the kind may have.
fn read_within(from: impl Read, kind: FileKind) -> io::Result<Option<Vec<u8>>> {
    let limit = kind.mebibytes_max() * MEBIBYTE;
    let mut bytes = Vec::new();
    let read = from.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((read as u64 <= limit).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_a_kind_may_have() {
        for kind in [FileKind::Card, FileKind::Partnership] {
            let limit = kind.mebibytes_max() * MEBIBYTE;
            let all = read_within(io::repeat(b'x').take(limit), kind).unwrap();
            assert_eq!(all.unwrap().len() as u64, limit);
            assert_eq!(read_within(io::repeat(b'x'), kind).unwrap(), None);
        }
    }

    #[test]
    fn the_mark_of_an_editor_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("owner.cedar");
        std::fs::write(&path, "\u{feff}permit\u{feff}").unwrap();
        assert_eq!(
            read_text(&path, FileKind::Profile).unwrap(),
            "permit\u{feff}"
        );
        std::fs::write(&path, b"\xff\xfep\0e\0").unwrap();
        let error = read_text(&path, FileKind::Profile).unwrap_err();
        assert!(error.message.contains("no UTF-8"), "{error}");
    }
}
