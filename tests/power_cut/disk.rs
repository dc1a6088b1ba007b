//! Disks made of files: loop devices, and ext4 on them. What is attached is detached when it goes out of use, whatever else fails.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why disks cannot be made of files here; nothing where they can.
pub fn why_not() -> Option<String> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Some("only root may mount".to_owned());
    }
    let devices = ["/dev/fuse", "/dev/loop-control"];
    if let Some(device) = devices.iter().find(|device| !Path::new(device).exists()) {
        return Some(format!("there is no {device}"));
    }
    let systems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !systems.lines().any(|line| line.trim() == "ext4") {
        return Some("the kernel has no ext4".to_owned());
    }
    let programs = ["losetup", "mkfs.ext4", "mount", "unshare"];
    let is_missing = |program: &&&str| Command::new(program).arg("-V").output().is_err();
    let missing = programs.iter().find(is_missing)?;
    Some(format!("there is no `{missing}`"))
}

/// A file as a disk. Detached when dropped.
#[derive(Debug)]
pub struct LoopDevice {
    device: PathBuf,
}

impl LoopDevice {
    pub fn attach(file: &Path) -> io::Result<Self> {
        // Without direct IO the loop driver writes one request after the other, each as one write of the file.
        let mut losetup = Command::new("losetup");
        losetup.args(["--find", "--show", "--direct-io=off"]);
        let device = call(losetup.arg(file))?;
        Ok(Self {
            device: PathBuf::from(device.trim()),
        })
    }

    /// Makes an ext4 as a disk of an ordinary size has it: without `-b` and `-i` one as small as ours would get smaller
    /// blocks. What else `mkfs` would leave to be written in the background is written now.
    pub fn make_ext4(&self) -> io::Result<()> {
        let mut mkfs = Command::new("mkfs.ext4");
        mkfs.args(["-q", "-b", "4096", "-i", "16384"]);
        mkfs.args(["-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"]);
        call(mkfs.arg(&self.device)).map(drop)
    }

    /// Mounts the ext4 on it with its default options. Where it was not unmounted, that carries out its journal first.
    pub fn mount(&self, folder: &Path) -> io::Result<Mounted<'_>> {
        let mut mount = Command::new("mount");
        call(mount.args(["-t", "ext4"]).arg(&self.device).arg(folder))?;
        Ok(Mounted {
            folder: folder.to_owned(),
            device: std::marker::PhantomData,
        })
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        report(call(Command::new("losetup").arg("-d").arg(&self.device)));
    }
}

/// A mounted disk, which stays attached as long. Unmounted when dropped.
#[derive(Debug)]
pub struct Mounted<'a> {
    folder: PathBuf,
    device: std::marker::PhantomData<&'a LoopDevice>,
}

impl Mounted<'_> {
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if let Err(error) = call(Command::new("umount").arg(&self.folder)) {
            report(Err(error));
            // Somebody still uses it, such as a program that a failed check left behind: it goes with its last user.
            report(call(Command::new("umount").arg("-l").arg(&self.folder)));
        }
    }
}

/// Runs a command to its end, which has to be a success, and returns what it printed.
pub fn call(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim();
    let ended = output.status;
    Err(io::Error::other(format!(
        "{command:?}: {ended}: {complaint}"
    )))
}

/// Whoever cleans up after a failure can only say what fails in it.
fn report(result: io::Result<String>) {
    if let Err(error) = result {
        eprintln!("could not clean up: {error}");
    }
}
