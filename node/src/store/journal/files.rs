//! Every operation that changes the journal's files, so that tests can stop or fail each. The rest only reads.

use super::error::JournalError;
#[cfg(test)]
use super::faults::{Change, Faults, Point};
use super::layout::HEADER_BYTES;
use crate::platform;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// How many zeros are written at a time where the system has no call that reserves space.
const ZEROS_BYTES: usize = 64 * 1024;
/// How many digits a segment's number has in its name, at least.
const DIGITS: usize = 8;

/// The folder of a journal.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
    #[cfg(test)]
    faults: Faults,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            #[cfg(test)]
            faults: Faults::of(folder),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:0DIGITS$}.seg"))
    }

    /// What a segment is called until it can be used.
    fn new_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:0DIGITS$}.new"))
    }

    /// The error of an operation on a segment.
    pub(super) fn failed(&self, number: u32) -> impl Fn(io::Error) -> JournalError + use<> {
        let path = self.path(number);
        move |source| JournalError::file(&path, source)
    }

    /// Makes the folder, where it is not there.
    pub(super) fn make_folder(&self) -> Result<(), JournalError> {
        let made = match platform::create_private_folder(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        };
        let parent = match self.folder.parent() {
            // A path of one part lies in the folder that the process is in.
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => &self.folder,
        };
        made.and_then(|()| platform::sync_folder(parent))
            .map_err(|source| JournalError::file(&self.folder, source))
    }

    /// The numbers of the segments that are there, ascending.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, JournalError> {
        let failed = |source| JournalError::file(&self.folder, source);
        let mut numbers = Vec::new();
        for found in std::fs::read_dir(&self.folder).map_err(failed)? {
            let name = found.map_err(failed)?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_suffix(".seg"));
            let Some(number) = digits.and_then(|digits| digits.parse().ok()) else {
                continue;
            };
            // Of two names for one number, only the journal's own counts.
            if self.path(number).file_name() == Some(&name) {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Opens a segment to read it, and says how long it is.
    pub(super) fn open(&self, number: u32) -> io::Result<(File, u64)> {
        let path = self.path(number);
        platform::check_file(&path)?;
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    }

    /// Opens a segment to append to it. What it holds then is on the disk, also what a process that was killed had only handed
    /// to the system, and it is read from there.
    pub(super) fn open_tail(&self, number: u32) -> Result<File, JournalError> {
        let opened = || {
            let mut options = OpenOptions::new();
            let file = platform::open_private(options.read(true).write(true), &self.path(number))?;
            self.sync(&file, number)?;
            // Where an earlier sync failed, what the system holds in memory is not what is on the disk, and no later sync says so.
            platform::forget_cached(&file);
            Ok(file)
        };
        let file = opened().map_err(self.failed(number))?;
        self.sync_folder()
            .map_err(|source| JournalError::file(&self.folder, source))?;
        Ok(file)
    }

    /// The header of a segment. None where the file is too short for one.
    pub(super) fn header(file: &mut File) -> io::Result<Option<[u8; HEADER_BYTES]>> {
        let mut bytes = [0; HEADER_BYTES];
        file.seek(SeekFrom::Start(0))?;
        match file.read_exact(&mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a segment of this size: all of it is on the disk before it gets the name under which it is looked for. So its
    /// header is never torn, and a full disk leaves nothing in the way.
    pub(super) fn make(
        &self,
        number: u32,
        bytes: u64,
        header: &[u8],
    ) -> Result<File, JournalError> {
        self.make_whole(number, bytes, header).map_err(|source| {
            // What is left of it would only take space away. Where it stays, the next one of its name takes its place.
            let _ = self.discard(number);
            JournalError::file(&self.path(number), source)
        })
    }

    fn make_whole(&self, number: u32, bytes: u64, header: &[u8]) -> io::Result<File> {
        let new_path = self.new_path(number);
        #[cfg(test)]
        self.faults.pass(Point::Reserve)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let mut file = platform::open_private(&mut options, &new_path)?;
        #[cfg(test)]
        self.faults.note(|| Change::Create(new_path.clone()));
        #[cfg(test)]
        self.faults.pass(Point::Reserving)?;
        take_space(&mut file, bytes)?;
        #[cfg(test)]
        self.faults.note(|| Change::Resize(new_path.clone(), bytes));
        self.write_in(&mut file, &new_path, 0, header)?;
        #[cfg(test)]
        self.faults.pass(Point::SegmentSync)?;
        file.sync_all()?;
        #[cfg(test)]
        self.faults.note(|| Change::Sync(new_path.clone()));
        #[cfg(test)]
        self.faults.pass(Point::Rename)?;
        let path = self.path(number);
        std::fs::rename(&new_path, &path)?;
        #[cfg(test)]
        self.faults.note(|| Change::Rename(new_path, path));
        self.sync_folder()?;
        Ok(file)
    }

    fn discard(&self, number: u32) -> io::Result<()> {
        #[cfg(test)]
        self.faults.pass(Point::Discard)?;
        let path = self.new_path(number);
        std::fs::remove_file(&path)?;
        #[cfg(test)]
        self.faults.note(|| Change::Remove(path));
        Ok(())
    }

    /// Writes a group, with one call.
    pub(super) fn write(
        &self,
        file: &mut File,
        number: u32,
        offset: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.write_in(file, &self.path(number), offset, bytes)
    }

    #[cfg(not(test))]
    fn write_in(&self, file: &mut File, _: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    /// The same in two parts, so that a test can stop between.
    #[cfg(test)]
    fn write_in(&self, file: &mut File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.faults.pass(Point::Write)?;
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(half)?;
        let path = path.to_owned();
        self.faults
            .note(|| Change::Write(path.clone(), offset, half.to_vec()));
        self.faults.pass(Point::Half)?;
        file.write_all(rest)?;
        self.faults
            .note(|| Change::Write(path, offset + half.len() as u64, rest.to_vec()));
        Ok(())
    }

    /// Waits until what was written to a segment is on the disk.
    pub(super) fn sync(&self, file: &File, number: u32) -> io::Result<()> {
        #[cfg(test)]
        self.faults.pass(Point::Sync)?;
        file.sync_data()?;
        #[cfg(test)]
        self.faults.note(|| Change::Sync(self.path(number)));
        #[cfg(test)]
        self.faults.pass(Point::Synced)?;
        #[cfg(not(test))]
        let _ = number;
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        #[cfg(test)]
        self.faults.pass(Point::FolderSync)?;
        platform::sync_folder(&self.folder)?;
        #[cfg(test)]
        self.faults.note(|| Change::SyncFolder);
        #[cfg(test)]
        self.faults.pass(Point::FolderSynced)?;
        Ok(())
    }
}

/// Fixes the size of a new file and the space that it takes.
pub(in crate::store) fn take_space(file: &mut File, bytes: u64) -> io::Result<()> {
    if platform::reserve_space(file, bytes)? {
        return Ok(());
    }
    write_zeros(file, bytes)
}

fn write_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let zeros = io::repeat(0).take(bytes);
    let mut from = io::BufReader::with_capacity(ZEROS_BYTES, zeros);
    io::copy(&mut from, file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_reserved_with_or_without_a_call_for_it() {
        for take_space in [take_space, write_zeros] {
            let mut file = tempfile::tempfile().unwrap();
            take_space(&mut file, 150_000).unwrap();
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, vec![0; 150_000]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let files = Files::of(&home.path().join("journal"));
        files.make_folder().unwrap();
        files.make(0, 4_096, &[0; HEADER_BYTES]).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(files.folder()), 0o700);
        assert_eq!(mode(&files.path(0)), 0o600);
    }
}
