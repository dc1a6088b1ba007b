//! A node that is told to stop ends, whatever keeps one of its threads.

use crate::support::{Ambit, Folder, LIMIT, Party, wait_for, wait_until};
use std::process::{Command, Stdio};

/// A signal that comes before the thread is kept ends the node at once, and shows nothing.
const ATTEMPTS_MAX: usize = 10;

#[test]
fn a_thread_that_never_ends_does_not_keep_the_node() {
    let folder = Folder::new();
    let party = Party::new(&folder, "keeper");
    let home = party.home.path();
    // A pipe that nobody reads: to open it for the record of frames never ends.
    let made = Command::new("mkfifo").arg(home.join("pipe")).status();
    assert!(made.unwrap().success());
    let settings = home.join("node.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let (before, after) = text.split_once("[mesh]\n").unwrap();
    let text = format!("{before}[mesh]\nrecord_frames = \"pipe\"\n{after}");
    std::fs::write(&settings, text).unwrap();

    for _ in 0..ATTEMPTS_MAX {
        let mut child = Ambit::command(&party.home)
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Written right before the pipe is opened.
        wait_until(LIMIT, "the node to start", || {
            home.join("api.json").exists()
        });
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        let status = wait_for(LIMIT, "the node to stop", || child.try_wait().unwrap());
        let stderr = child.wait_with_output().unwrap().stderr;
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        if !status.success() {
            assert_eq!(status.code(), Some(1), "{stderr}");
            assert!(stderr.contains("a thread was still busy"), "{stderr}");
            // Nothing is left that keeps the next from starting.
            return std::fs::remove_file(home.join("pipe")).unwrap();
        }
        let _ = std::fs::remove_file(home.join("api.json"));
    }
    panic!("no thread was kept");
}
