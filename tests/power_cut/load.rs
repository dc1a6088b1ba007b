//! What is done to the disk while it is recorded: a node is made on it and imports files, and it is noted when which of that was
//! acknowledged.

use super::disk::{LoopDevice, call};
use super::image::{Image, Log};
use super::node::{Files, Life, Running, ids, json, text};
use super::recorder::Recorder;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub const DISK_BYTES: u64 = 256 * 1024 * 1024;
/// Where on its disk a node lives.
pub const HOME: &str = "home";

/// How a load is given.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub files: u64,
    /// Whether the files are imported through a node that runs, instead of by commands that open the home each.
    pub is_running: bool,
    /// After which times anew all is written back that nobody has synced yet, as a busy machine does at any moment.
    pub write_back: Duration,
}

/// What a node said was kept.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub files: u64,
    /// How much had happened to the disk when it said so.
    pub said: usize,
    /// The last flush of the disk before that, from which on it has to be there.
    pub flushed: usize,
    pub entries: u64,
    pub observations: BTreeSet<String>,
    /// The ledger as it was.
    pub bundle: PathBuf,
}

/// What was done to a disk, and what was acknowledged meanwhile.
#[derive(Debug)]
pub struct Recording {
    pub log: Log,
    pub acknowledged: Vec<Acknowledged>,
    pub files: Files,
    pub trust: String,
}

impl Recording {
    /// Makes one, with what it keeps in a folder.
    pub fn make(folder: &Path, manner: Manner) -> io::Result<Self> {
        let files = Files(folder.to_owned());
        files.write(manner.files)?;
        let life = Life::before_the_cut(folder)?;
        let (served, mounted) = (folder.join("served"), folder.join("mounted"));
        std::fs::create_dir(&served)?;
        std::fs::create_dir(&mounted)?;
        let recorder = Recorder::mount(&served, Image::new(DISK_BYTES))?;
        let (mut acknowledged, trust) = {
            let device = LoopDevice::attach(recorder.file())?;
            device.make_ext4()?;
            let disk = device.mount(&mounted)?;
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| write_back(disk.folder(), manner.write_back, &stop));
                let _raised = Raised(&stop);
                let giving = Giving {
                    life: &life,
                    recorder: &recorder,
                    home: disk.folder().join(HOME),
                    folder,
                };
                giving.all(&files, manner)
            })?
        };
        let log = recorder.finish()?;
        for acknowledged in &mut acknowledged {
            acknowledged.flushed = log.flushed_before(acknowledged.said);
        }
        Ok(Self {
            log,
            acknowledged,
            files,
            trust,
        })
    }

    /// What has to be there at a moment: nothing before the node was made.
    pub fn due(&self, moment: usize) -> Option<&Acknowledged> {
        let mut all = self.acknowledged.iter();
        all.rfind(|known| known.flushed <= moment)
    }
}

struct Giving<'a> {
    life: &'a Life,
    recorder: &'a Recorder,
    home: PathBuf,
    folder: &'a Path,
}

impl Giving<'_> {
    /// Makes the node and lets it import.
    fn all(&self, files: &Files, manner: Manner) -> io::Result<(Vec<Acknowledged>, String)> {
        let organization = ["--org", "did:web:shop.example", "--name", "Shop"];
        let init = [&["init"], &organization[..], &["--country", "DE"]].concat();
        text(self.life.ambit(&self.home, &init)?)?;
        let mut acknowledged = vec![self.look(self.recorder.moment(), 0)?];
        let trust = text(
            self.life
                .ambit(&self.home, &["--read-only", "key", "trust"])?,
        )?;
        let running = match manner.is_running {
            true => Some(self.life.run(&self.home)?),
            false => None,
        };
        for number in 0..manner.files {
            files.import(self.life, &self.home, number)?;
            acknowledged.push(self.look(self.recorder.moment(), number + 1)?);
        }
        running.map_or(Ok(()), Running::stop)?;
        Ok((acknowledged, trust))
    }

    /// Notes what the node holds, without writing to its disk.
    fn look(&self, said: usize, files: u64) -> io::Result<Acknowledged> {
        let call = |words: &[&str]| {
            let words = [&["--read-only"], words].concat();
            self.life.ambit(&self.home, &words)
        };
        let bundle = self.folder.join(format!("{files}.bundle"));
        text(call(&["export", "-o", &bundle.to_string_lossy()])?)?;
        let status = json(call(&["status", "--output", "json"])?)?;
        let entries = status["ledger_size"].as_u64();
        Ok(Acknowledged {
            files,
            said,
            flushed: 0,
            entries: entries.ok_or_else(|| io::Error::other("status names no size"))?,
            observations: ids(&json(call(&["list", "--output", "json"])?)?),
            bundle,
        })
    }
}

/// Says that it is over when dropped, also where what is waited for failed: the scope ends only once its threads do.
struct Raised<'a>(&'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has the file system write all that it holds, again and again.
fn write_back(folder: &Path, period: Duration, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = call(Command::new("sync").arg("-f").arg(folder)) {
            eprintln!("could not write back: {error}");
        }
        std::thread::sleep(period);
    }
}
