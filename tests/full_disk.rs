//! A disk that becomes full: nothing is recorded while too little is free, what is there is shown and exported however full it is, and
//! nothing is lost.
//!
//! The disk is a small file system in memory. Where this user may not mount one, the tests are skipped, and say so.

use crate::skipping::skip;
use crate::support::{Ambit, Folder, Home, MAP, NOTE_COLUMN, Running, text};
use ambit_audit::{AuditVerdict, Bundle, Trust, verify};
use ambit_ledger::{Body, Entry, ObservationId};
use ambit_node::platform::free_bytes;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DISK_KIB: u32 = 64 * 1024;
/// How much is left free beside a new home: some more than has to be.
const FREE_BYTES: u64 = 36 * 1024 * 1024;
/// Enough for everything.
const LARGE_DISK_KIB: u32 = 160 * 1024;

const FILE_OBSERVATIONS: u32 = 24;
/// More than one record of the database holds.
const NOTE_BYTES: usize = 10_000;
/// A disk that takes so many files is none of the size asked for.
const FILES_MAX: u32 = 100;

/// A disk that is easily filled, with a home on it, and the files to import beside it.
struct Disk {
    folder: Folder,
    home: Home,
    map: PathBuf,
}

impl Disk {
    /// Mounts one for a test, and makes a node's home on it. None where that is not permitted: the test is skipped.
    fn mount(test: &str) -> Option<Self> {
        let folder = Folder::new();
        let disk = folder.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let size = format!("size={DISK_KIB}k,mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs", text(&disk)])
            .output();
        let why = match mounted {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            let why = format!("a small disk cannot be mounted: {}", why.trim());
            skip(&format!("full_disk::{test}"), &why);
            return None;
        }
        let map = folder.path().join("map.toml");
        std::fs::write(&map, format!("{MAP}{NOTE_COLUMN}")).unwrap();
        let home = Home::at(&disk.join("node"));
        let mounted = Self { folder, home, map };
        let organization = ["--org", "did:web:a.example", "--name", "A"];
        let country = ["--country", "DE"];
        Ambit::text(
            &mounted.home,
            &[&["init"], &organization[..], &country].concat(),
        );
        let free = free_bytes(&disk).unwrap();
        let ballast = usize::try_from(free.saturating_sub(FREE_BYTES)).unwrap();
        std::fs::write(mounted.ballast(), vec![0; ballast]).unwrap();
        Some(mounted)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    fn rest(&self) -> PathBuf {
        self.path().join("rest")
    }

    /// Takes the last of the space, so that not even a small file has room.
    fn fill(&self) {
        let mut options = File::options();
        let mut file = options.create(true).append(true).open(self.rest()).unwrap();
        for block in [[0; 4096].as_slice(), &[0]] {
            let error = loop {
                if let Err(error) = file.write_all(block) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.rest()).unwrap();
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn grow(&self) {
        let size = format!("remount,size={LARGE_DISK_KIB}k");
        let path = self.path();
        let mut mount = Command::new("mount");
        let grown = mount.args(["-o", &size, text(&path)]).status().unwrap();
        assert!(grown.success());
    }

    /// Writes a file of new observations. Returns where it is.
    fn write_file(&self, name: &str) -> PathBuf {
        let mut rows = "t,serial,program,d,note\n".to_owned();
        for index in 0..FILE_OBSERVATIONS {
            let note = noise(NOTE_BYTES);
            let time = format!("2026-05-01T00:{index:02}:00Z");
            writeln!(rows, "{time},{name}-{index},F-ONE,{index}.5,{note}").unwrap();
        }
        let path = self.folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, rows).unwrap();
        path
    }

    /// Imports one file after the other, until one fails. Returns those that were acknowledged, and how the last one
    /// ended.
    fn import_until_full(&self, prefix: &str) -> (Vec<String>, Output) {
        let mut acknowledged = Vec::new();
        for number in 0..FILES_MAX {
            let name = format!("{prefix}{number}");
            let path = self.write_file(&name);
            let output = self.call(&["import", text(&path), "--map", text(&self.map)]);
            if !output.status.success() {
                return (acknowledged, output);
            }
            acknowledged.push(name);
        }
        panic!("the disk is never full");
    }

    /// The same from three at once, so that some wait while the disk becomes full. After each first file something is done.
    fn import_from_three(&self, after_first: impl Fn() + Sync) -> Vec<(Vec<String>, Output)> {
        std::thread::scope(|scope| {
            let importing = ["a", "b", "c"].map(|name| {
                let after_first = &after_first;
                scope.spawn(move || {
                    let first = self.write_file(name);
                    let output = self.call(&["import", text(&first), "--map", text(&self.map)]);
                    if !output.status.success() {
                        return (Vec::new(), output);
                    }
                    after_first();
                    let (mut acknowledged, output) = self.import_until_full(name);
                    acknowledged.push(name.to_owned());
                    (acknowledged, output)
                })
            });
            importing.map(|thread| thread.join().unwrap()).into()
        })
    }

    fn call(&self, arguments: &[&str]) -> Output {
        Ambit::call(&self.home, arguments)
    }

    /// A call that is refused, and says in one line why and what to do.
    #[track_caller]
    fn refuses(&self, arguments: &[&str]) {
        self.check_refusal(&self.call(arguments));
    }

    #[track_caller]
    fn check_refusal(&self, output: &Output) {
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let error = complaint.lines().find(|line| line.starts_with("error: "));
        self.check_message(error.unwrap());
        assert!(!complaint.contains("panicked"), "{complaint}");
    }

    #[track_caller]
    fn check_message(&self, message: &str) {
        let home = text(self.home.path());
        let disk = format!("too little space is free on the disk that holds `{home}`");
        for said in [disk.as_str(), "free some there", "meanwhile"] {
            assert!(message.contains(said), "{said}: {message}");
        }
        for raw in ["Os {", "IO error", "os error", "orrupt"] {
            assert!(!message.contains(raw), "{message}");
        }
    }

    /// What `status` warns of.
    fn troubles(&self) -> String {
        Ambit::json(&self.home, &["status"])["troubles"].to_string()
    }

    /// The serial numbers of all observations, each of which is there once.
    #[track_caller]
    fn serials(&self) -> BTreeSet<String> {
        self.serials_with(&[])
    }

    fn serials_with(&self, options: &[&str]) -> BTreeSet<String> {
        let mut serials = BTreeSet::new();
        let list = [options, &["list"]].concat();
        for item in Ambit::json(&self.home, &list).as_array().unwrap() {
            let serial = item["serial"].as_str().unwrap();
            assert!(serials.insert(serial.to_owned()), "{serial} is there twice");
        }
        serials
    }

    #[track_caller]
    fn check_present(&self, files: &[String]) {
        self.check_present_in(&[], files);
    }

    #[track_caller]
    fn check_present_in(&self, options: &[&str], files: &[String]) {
        let serials = self.serials_with(options);
        for file in files {
            for index in 0..FILE_OBSERVATIONS {
                let serial = format!("{file}-{index}");
                assert!(serials.contains(&serial), "{serial} was acknowledged");
            }
        }
    }

    /// Imports every file again: what is missing is added, and nothing else.
    #[track_caller]
    fn complete(&self) {
        let before = u64::try_from(self.serials().len()).unwrap();
        let (mut known, mut new) = (0, 0);
        let mut files = 0;
        for found in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = found.unwrap().path();
            if path.extension().is_some_and(|end| end == "csv") {
                let import = ["import", text(&path), "--map", text(&self.map)];
                let report = Ambit::json(&self.home, &import);
                known += report["observations_known"].as_u64().unwrap();
                new += report["observations_new"].as_u64().unwrap();
                files += 1;
            }
        }
        let all = files * u64::from(FILE_OBSERVATIONS);
        assert_eq!((known, known + new), (before, all));
        assert_eq!(u64::try_from(self.serials().len()).unwrap(), all);
    }

    /// Verifies the ledger as an auditor does, where nobody was there to judge for; each observation is in it once, and no key slot is used twice.
    #[track_caller]
    fn audit(&self) {
        let trust = Ambit::text(&self.home, &["key", "trust"]);
        let trust = Trust::parse(&trust).unwrap();
        let path = self.folder.path().join("bundle");
        Ambit::text(&self.home, &["export", "-o", text(&path)]);
        let bundle = Bundle::read(&std::fs::read(&path).unwrap()[..]).unwrap();
        std::fs::remove_file(&path).unwrap();
        let report = verify(&bundle, &trust);
        assert_eq!(report.verdict(), AuditVerdict::Verified, "{report:?}");
        let (mut slots, mut observations) = (BTreeSet::new(), BTreeSet::new());
        for entry in bundle.entries() {
            if let Body::Observed(observed) = Entry::decode(&entry).unwrap().body().unwrap() {
                assert!(slots.insert(observed.slot), "slot {}", observed.slot);
                let id = ObservationId::of(&observed.observation);
                assert!(observations.insert(id), "{id} is there twice");
            }
        }
        assert_eq!(observations.len(), self.serials().len());
    }
}

/// A text that cannot be made much smaller.
fn noise(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).unwrap();
    let letters = random.iter().map(|byte| char::from(b'0' + byte % 64));
    letters.collect()
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also where a test fails, and something still has a file open there.
        let path: &Path = &self.path();
        let _ = Command::new("umount").args(["-l", text(path)]).status();
    }
}

#[test]
fn a_command_on_a_full_disk_shows_what_is_there_and_records_nothing() {
    let name = "a_command_on_a_full_disk_shows_what_is_there_and_records_nothing";
    let Some(disk) = Disk::mount(name) else {
        return;
    };
    let (acknowledged, output) = disk.import_until_full("n");
    disk.check_refusal(&output);
    assert!(!acknowledged.is_empty());
    disk.fill();
    // However often it is tried.
    for _ in 0..3 {
        disk.check_present(&acknowledged);
    }
    let path = disk.write_file("more");
    disk.refuses(&["import", text(&path), "--map", text(&disk.map)]);
    disk.check_present_in(&["--read-only"], &acknowledged);
    disk.audit();
    // Also by a node that runs, which goes on once there is space.
    let running = Ambit::run(&disk.home);
    let too_little = "too little space is free";
    assert!(disk.troubles().contains(too_little));
    disk.check_present(&acknowledged);
    disk.refuses(&["import", text(&path), "--map", text(&disk.map)]);
    disk.audit();
    disk.free();
    assert!(!disk.troubles().contains(too_little));
    disk.complete();
    drop(running);
    disk.complete();
    disk.audit();
}

#[test]
fn a_running_node_records_nothing_while_too_little_is_free_and_goes_on_after_it() {
    let name = "a_running_node_records_nothing_while_too_little_is_free_and_goes_on_after_it";
    let Some(disk) = Disk::mount(name) else {
        return;
    };
    let running: Running = Ambit::run(&disk.home);
    let ended = disk.import_from_three(|| {});
    let mut all = Vec::new();
    for (acknowledged, output) in ended {
        disk.check_refusal(&output);
        all.extend(acknowledged);
    }
    assert!(!all.is_empty());
    disk.check_present(&all);
    disk.grow();
    disk.complete();
    drop(running);
    disk.check_present(&all);
    disk.audit();
}

#[test]
fn a_running_node_that_finds_no_space_at_all_loses_nothing() {
    let Some(disk) = Disk::mount("a_running_node_that_finds_no_space_at_all_loses_nothing") else {
        return;
    };
    let running: Running = Ambit::run(&disk.home);
    // Somebody else takes the rest while they are at it: some are refused, some find the node stopped.
    let filled = std::sync::Once::new();
    let ended = disk.import_from_three(|| filled.call_once(|| disk.fill()));
    let mut all = Vec::new();
    for (acknowledged, _) in ended {
        all.extend(acknowledged);
    }
    assert!(!all.is_empty());
    drop(running);
    // The space that was kept is enough to open it.
    disk.check_present(&all);
    disk.audit();
    disk.grow();
    disk.check_present(&all);
    disk.complete();
    disk.audit();
}
