//! An ordinary power cut: a disk that writes in order, with an ext4 of default options on it, loses its power after a write. Whatever
//! the write was, the home opens, holds all that was acknowledged, and audits clean.
//!
//! ```text
//! node ─▶ ext4 ─▶ loop device ─▶ a file that remembers ─▶ for each of its writes: that disk is mounted, and looked into
//! ```
//!
//! Each write that was asked for at once is one cut; with `AMBIT_POWER_CUTS=all` in the environment each block of 4 KiB is, of 20 files
//! (10 MB) that are imported by commands of their own. That takes an hour.

mod disk;
mod image;
mod load;
mod node;
mod recorder;

use crate::skipping::skip;
use ambit_audit::{AuditVerdict, Bundle, Trust, verify};
use disk::LoopDevice;
use image::{Event, Image};
use load::{Acknowledged, HOME, Manner, Recording};
use node::{Life, OBSERVATIONS_EACH, ids, json, text};
use serde_json::Value;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;

#[test]
fn whenever_the_power_fails_nothing_acknowledged_is_lost() {
    let name = "power_cut::whenever_the_power_fails_nothing_acknowledged_is_lost";
    if let Some(why) = disk::why_not() {
        skip(name, &why);
        return;
    }
    let is_all = std::env::var("AMBIT_POWER_CUTS").is_ok_and(|cuts| cuts == "all");
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner {
        files: if is_all { 20 } else { 3 },
        is_running: !is_all,
        write_back: Duration::from_millis(20),
    };
    let recording = Recording::make(folder.path(), manner).unwrap();
    let is_cut = |event: &Event| match is_all {
        true => event.is_write(),
        false => event.ends_request(),
    };
    let mut checker = Checker {
        recording: &recording,
        trust: Trust::parse(&recording.trust).unwrap(),
        folder: tempfile::tempdir().unwrap(),
        known: HashSet::new(),
    };
    let mut disk = Image::new(load::DISK_BYTES);
    let mut cuts = 0;
    for (event, moment) in recording.log.events().iter().zip(1..) {
        disk.apply(event);
        let Some(due) = recording.due(moment).filter(|_| is_cut(event)) else {
            continue;
        };
        if let Err(error) = checker.check(&disk, due) {
            let (files, kept) = (due.files, std::env::temp_dir().join("power-cut.image"));
            disk.save(&kept).unwrap();
            let kept = kept.display();
            panic!(
                "cut off after write {moment}, {files} files acknowledged: {error}; the disk is in {kept}"
            );
        }
        cuts += 1;
    }
    println!("{cuts} cuts, {} different homes", checker.known.len());
    assert!(cuts > 30, "{cuts} cuts tell nothing");
}

/// Checks power cuts one after the other.
struct Checker<'a> {
    recording: &'a Recording,
    trust: Trust,
    folder: tempfile::TempDir,
    /// Which homes went well, and how many files were acknowledged at each. Most blocks that are written change no file until the
    /// file system's journal says so, so that many power cuts leave the same home: it is looked into once.
    known: HashSet<(u64, u64)>,
}

impl Checker<'_> {
    /// Mounts a disk and checks the home on it.
    fn check(&mut self, image: &Image, due: &Acknowledged) -> io::Result<()> {
        // Never the same file twice: a process that was started meanwhile with mounts of its own may still have the last one
        // mounted, and writes to it.
        let file = NamedTempFile::new_in(self.folder.path())?;
        image.save(file.path())?;
        let device = LoopDevice::attach(file.path())?;
        let mounted = self.folder.path().join("mounted");
        std::fs::create_dir_all(&mounted)?;
        let disk = device.mount(&mounted)?;
        let home = disk.folder().join(HOME);
        demand(home.exists(), || "the home is lost".to_owned())?;
        let key = (digest(&home)?, due.files);
        if !self.known.contains(&key) {
            self.look_into(&home, due)?;
            self.known.insert(key);
        }
        Ok(())
    }

    fn look_into(&self, home: &Path, due: &Acknowledged) -> io::Result<()> {
        let read = |words: &[&str]| {
            let words = [words, &["--output", "json"]].concat();
            json(Life::AfterIt.ambit(home, &words)?)
        };
        let entries = read(&["status"])?["ledger_size"].as_u64().unwrap_or(0);
        demand(entries >= due.entries, || {
            format!("{entries} entries of {} acknowledged", due.entries)
        })?;
        // At most what was being imported, or the last file again.
        let all = &self.recording.acknowledged;
        let next = all.iter().find(|known| known.files > due.files);
        let next = next.or(all.last()).unwrap_or(due);
        let held = ids(&read(&["list"])?);
        let lost = due.observations.difference(&held).count();
        let made_up = held.difference(&next.observations).count();
        demand(lost == 0 && made_up == 0, || {
            format!("{lost} acknowledged observations are lost, and {made_up} were given by nobody")
        })?;
        let checked = read(&["store", "check", "--deep"])?;
        let is_whole = checked["damaged"] == Value::Array(Vec::new())
            && checked["deep"]["different"] == 0
            && checked["deep"]["unopened_count"] == 0;
        demand(is_whole, || format!("not all of it is whole: {checked}"))?;
        self.audit(home, due)?;
        // What was being imported, or would have been next, is imported again, and is there once.
        let number = next.files.saturating_sub(1);
        let imported = self.recording.files.import(&Life::AfterIt, home, number)?;
        let count = |key: &str| imported[key].as_u64().unwrap_or(0);
        let held = ids(&read(&["list"])?).len() as u64;
        let is_there_once = count("observations_new") + count("observations_known")
            == OBSERVATIONS_EACH
            && held == (number + 1) * OBSERVATIONS_EACH;
        demand(is_there_once, || {
            format!("{held} observations after importing again: {imported}")
        })
    }

    /// The ledger verifies, and that which was acknowledged is its beginning.
    fn audit(&self, home: &Path, due: &Acknowledged) -> io::Result<()> {
        let path = self.folder.path().join("bundle");
        let export = ["export", "-o", &path.to_string_lossy()];
        text(Life::AfterIt.ambit(home, &export)?)?;
        let read = |path: &Path| {
            let bytes = std::fs::read(path)?;
            Bundle::read(&bytes[..]).map_err(io::Error::other)
        };
        let (before, now) = (read(&due.bundle)?, read(&path)?);
        let report = verify(&now, &self.trust);
        demand(report.verdict() == AuditVerdict::Verified, || {
            format!("the ledger does not verify: {report:?}")
        })?;
        let mut now = now.entries();
        let is_beginning = before.entries().all(|entry| now.next() == Some(entry));
        demand(is_beginning, || {
            "what was acknowledged is not the ledger's beginning".to_owned()
        })
    }
}

/// Tells folders apart by the names and the contents of what is in them.
fn digest(folder: &Path) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let found: io::Result<Vec<_>> = std::fs::read_dir(&folder)?.collect();
        let mut paths: Vec<PathBuf> = found?.iter().map(std::fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            path.hash(&mut hasher);
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                std::fs::read(&path)?.hash(&mut hasher);
            }
        }
    }
    Ok(hasher.finish())
}

fn demand(holds: bool, why: impl FnOnce() -> String) -> io::Result<()> {
    match holds {
        true => Ok(()),
        false => Err(io::Error::other(why())),
    }
}
