//! Where words go: data to standard output, everything else to standard error.
//!
//! Nothing here panics on a stream that was closed.

use super::called::called;
use super::files::{FileError, OutputError};
use super::table::Paged;
use crate::failure::Failure;
use crate::platform::sync_folder;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// For whom data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// The option of every command that writes data.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct OutputOption {
    /// For people or for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

impl OutputOption {
    /// What either asks for, where an option may stand in two places.
    pub(super) fn or(self, other: Self) -> Self {
        match self.output {
            Format::Table => other,
            Format::Json => self,
        }
    }

    /// Writes data: as JSON, or as the table that `table` makes of it.
    pub(super) fn print<T: Serialize>(
        self,
        data: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Format::Table => print(&called(&table(data))),
            Format::Json => print_json(data),
        }
    }
}

/// Rows that come page by page and are written as they come, so that a long list is held whole by nobody: as JSON one array,
/// as a table one with its columns as wide as those before it or wider.
#[derive(Debug)]
pub(super) struct Rows {
    output: OutputOption,
    table: Paged,
    is_begun: bool,
}

impl Rows {
    pub(super) fn new(output: OutputOption, header: &[&str]) -> Self {
        Self {
            output,
            table: Paged::new(header),
            is_begun: false,
        }
    }

    /// Writes a page.
    pub(super) fn print<T: Serialize>(
        &mut self,
        page: &[T],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<(), Failure> {
        if self.output.output == Format::Table {
            return print(&called(&self.table.page(page.iter().map(row))));
        }
        let mut text = String::new();
        for item in page {
            let before = if self.is_begun { "," } else { "[" };
            let indented = pretty(item)?.replace('\n', "\n  ");
            text.push_str(&format!("{before}\n  {indented}"));
            self.is_begun = true;
        }
        print(&text)
    }

    /// Ends what was begun.
    pub(super) fn end(self) -> Result<(), Failure> {
        match (self.output.output, self.is_begun) {
            (Format::Table, _) => Ok(()),
            (Format::Json, true) => print("\n]\n"),
            (Format::Json, false) => print("[]\n"),
        }
    }
}

/// Writes text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| OutputError(error).into())
}

/// Writes JSON to standard output.
pub(super) fn print_json<T: Serialize>(data: &T) -> Result<(), Failure> {
    print(&format!("{}\n", pretty(data)?))
}

fn pretty<T: Serialize>(data: &T) -> Result<String, OutputError> {
    serde_json::to_string_pretty(data).map_err(|error| OutputError(std::io::Error::other(error)))
}

/// Writes a line to standard error. Commands in it are for whoever reads it, of this node.
pub(super) fn note(text: impl Display) {
    note_as_is(called(&text.to_string()));
}

/// Writes a line to standard error whose commands are for others, or that programs read.
pub(super) fn note_as_is(text: impl Display) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Standard error for the log. Commands in it repeat the home too.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogWriter;

impl std::io::Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let told = called(&String::from_utf8_lossy(line));
        std::io::stderr().write_all(told.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// A file that will be there as a whole or not at all. Only its owner may read it.
///
/// It is made before what it is to hold, so that nothing is signed or recorded for a file that cannot be written.
#[derive(Debug)]
pub(super) struct NewFile<'a> {
    path: &'a Path,
    file: tempfile::NamedTempFile,
}

impl<'a> NewFile<'a> {
    pub(super) fn create(path: &'a Path) -> Result<Self, FileError> {
        // A device would be replaced too.
        if path.exists() && !path.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(FileError::NoFolder {
                path: path.to_owned(),
                folder: folder.to_owned(),
            });
        }
        let file = tempfile::NamedTempFile::new_in(folder).map_err(FileError::write(path))?;
        Ok(Self { path, file })
    }

    pub(super) fn finish(
        mut self,
        write: impl FnOnce(&mut std::fs::File) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        write(self.file.as_file_mut())?;
        self.file
            .as_file()
            .sync_all()
            .map_err(FileError::write(self.path))?;
        self.file
            .persist(self.path)
            .map_err(|error| FileError::write(self.path)(error.error))?;
        Ok(())
    }
}

/// A file that is not there yet, of a secret: it will be there as a whole or not at all, for its owner alone, and takes the place of
/// none.
#[derive(Debug)]
pub(super) struct SecretFile<'a>(NewFile<'a>);

impl<'a> SecretFile<'a> {
    pub(super) fn create(path: &'a Path) -> Result<Self, FileError> {
        if path.symlink_metadata().is_ok() {
            return Err(FileError::Exists(path.to_owned()));
        }
        NewFile::create(path).map(Self)
    }

    pub(super) fn finish(self, content: &[u8]) -> Result<(), FileError> {
        let Self(NewFile { path, mut file }) = self;
        file.write_all(content)
            .and_then(|()| file.as_file().sync_all())
            .map_err(FileError::write(path))?;
        file.persist_noclobber(path)
            .map_err(|failed| match failed.error.kind() {
                ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
                _ => FileError::write(path)(failed.error),
            })?;
        sync_folder(folder_of(path)).map_err(FileError::write(path))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Where a text goes: to a file, or to standard output where none is named.
#[derive(Debug)]
pub(super) struct Outlet<'a>(Option<NewFile<'a>>);

impl<'a> Outlet<'a> {
    pub(super) fn open(path: Option<&'a Path>) -> Result<Self, FileError> {
        path.map(NewFile::create).transpose().map(Self)
    }

    pub(super) fn is_file(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn hand_out(self, text: &str) -> Result<(), Failure> {
        let Some(file) = self.0 else {
            return print(text);
        };
        let path = file.path;
        file.finish(|file| {
            file.write_all(text.as_bytes())
                .map_err(|error| FileError::write(path)(error).into())
        })?;
        note(format!("wrote `{}`", path.display()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand_out(text: &str, path: &Path) -> Result<(), Failure> {
        Outlet::open(Some(path))?.hand_out(text)
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.txt");
        hand_out("one", &path).unwrap();
        hand_out("two", &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        let failed = NewFile::create(&path).unwrap().finish(|_| {
            Err(FileError::write(Path::new("x"))(std::io::Error::other("disk")).into())
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_takes_the_place_of_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let (first, second) = (SecretFile::create(&path), SecretFile::create(&path));
        first.unwrap().finish(b"one").unwrap();
        for error in [
            second.unwrap().finish(b"two").unwrap_err(),
            SecretFile::create(&path).unwrap_err(),
        ] {
            assert!(error.to_string().contains("is there already"), "{error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert!(crate::platform::check_private(&path).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_is_refused_before_it_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let no_folder = NewFile::create(&folder.path().join("none/card.txt")).unwrap_err();
        assert!(no_folder.to_string().contains("make it first"));
        let is_folder = NewFile::create(folder.path()).unwrap_err();
        assert!(is_folder.to_string().contains("name another"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
