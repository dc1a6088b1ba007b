//! A disk that remembers in which order it was written: a file that this process serves by FUSE. A loop device over it
//! makes a disk of it.
//!
//! The thread that serves it must never wait for what lies on that disk, or both wait for ever. So it works in memory only, and holds
//! its lock for as long as one request takes.

use super::image::{Image, Log};
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, Session, WriteFlags,
};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

const NAME: &str = "disk";
const NUMBER: INodeNo = INodeNo(2);
/// Nothing about the file ever changes but its contents.
const VALID: Duration = Duration::from_secs(3600);
/// What the kernel gives in one request at most, so that what the loop device writes at once comes as one.
const REQUEST_MAX: u32 = 1024 * 1024;

struct Disk {
    image: Image,
    log: Log,
}

/// The disk, as long as it is mounted.
#[derive(Debug)]
pub struct Recorder {
    file: PathBuf,
    disk: Arc<Mutex<Disk>>,
    /// Unmounts when dropped.
    session: Option<BackgroundSession>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Serves a disk in a folder, which has to be there. What it holds already is not in the log.
    pub fn mount(folder: &Path, image: Image) -> io::Result<Self> {
        let disk = Arc::new(Mutex::new(Disk {
            image,
            log: Log::default(),
        }));
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("recorder".to_owned())];
        let session = Session::new(Served(Arc::clone(&disk)), folder, &config)?;
        let session = session.spawn()?;
        Ok(Self {
            file: folder.join(NAME),
            disk,
            session: Some(session),
        })
    }

    /// The disk as a file, for a loop device.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How much has happened so far.
    pub fn moment(&self) -> usize {
        lock(&self.disk).log.events().len()
    }

    /// Unmounts it, for which nobody may use it, and returns all that happened.
    pub fn finish(mut self) -> io::Result<Log> {
        if let Some(session) = self.session.take() {
            session.umount_and_join()?;
        }
        Ok(std::mem::take(&mut lock(&self.disk).log))
    }
}

/// What was there before a panic is as good as ever: each request is done under one lock.
fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What answers the kernel.
struct Served(Arc<Mutex<Disk>>);

impl Served {
    fn attributes(&self, number: INodeNo) -> Option<FileAttr> {
        let (kind, perm, size) = match number {
            INodeNo::ROOT => (FileType::Directory, 0o700, 0),
            NUMBER => (FileType::RegularFile, 0o600, lock(&self.0).image.size()),
            _ => return None,
        };
        Some(FileAttr {
            ino: number,
            size,
            blocks: size / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for Served {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Nothing is asked for, so the kernel keeps no writes back (`FUSE_WRITEBACK_CACHE`).
        config
            .set_max_write(REQUEST_MAX)
            .map_err(|_| io::Error::other("requests cannot be that large"))?;
        Ok(())
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let is_disk = parent == INodeNo::ROOT && name == NAME;
        match self.attributes(NUMBER).filter(|_| is_disk) {
            Some(attributes) => reply.entry(&VALID, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(
        &self,
        _request: &Request,
        number: INodeNo,
        _file: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        match self.attributes(number) {
            Some(attributes) => reply.attr(&VALID, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _request: &Request, _number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        // So every write comes here at once, and as large as it was made.
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _request: &Request,
        _number: INodeNo,
        _file: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let bytes = lock(&self.0).image.read(offset, u64::from(size));
        reply.data(&bytes);
    }

    fn write(
        &self,
        _request: &Request,
        _number: INodeNo,
        _file: FileHandle,
        offset: u64,
        bytes: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut disk = lock(&self.0);
        if !disk.image.write(offset, bytes) {
            return reply.error(Errno::ENOSPC);
        }
        disk.log.write(offset, bytes);
        drop(disk);
        match u32::try_from(bytes.len()) {
            Ok(length) => reply.written(length),
            Err(_) => reply.error(Errno::EINVAL),
        }
    }

    fn fsync(
        &self,
        _request: &Request,
        _number: INodeNo,
        _file: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        lock(&self.0).log.flush();
        reply.ok();
    }

    /// That a file is closed is no flush of a disk.
    fn flush(
        &self,
        _request: &Request,
        _number: INodeNo,
        _file: FileHandle,
        _owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        reply.ok();
    }
}
