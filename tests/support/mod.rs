//! What the integration tests share: homes, the real program, nodes that run, waiting.

mod party;
mod random;

pub use party::{MAP, NOTE_COLUMN, Party, agree, declaration, invite, text};
pub use random::Random;

use ambit_node::api::{Client, Operation, Request};
use ambit_node::holding::GetStatus;
use serde_json::Value;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take on a machine that does other things too.
pub const LIMIT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Waits until `condition` gives a value, and fails the test when it gives none within the limit.
#[track_caller]
pub fn wait_for<T>(limit: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < until,
            "waited {limit:?} in vain for {what}"
        );
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Waits until `condition` holds, and fails the test when it does not within the limit.
#[track_caller]
pub fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(limit, what, || condition().then_some(()));
}

/// As many different free ports of the loopback address, for addresses that peers have to know beforehand.
pub fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect()
}

/// A folder of this test's own, gone with it.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ambit-test-").tempdir();
        Self(folder.unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The home of one node in it. Nothing is made yet.
    pub fn home(&self, name: &str) -> Home {
        Home(self.path().join(name))
    }
}

/// Where a node lives, or will live.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The running node's answer to an operation; nothing where no node answers.
    pub fn ask_running<A: Operation>(&self, asked: &A) -> Option<A::Answer> {
        let home = ambit_node::config::Home::open(self.path()).ok()?;
        let request = Request::new(asked).ok()?;
        Client::find(&home).ok()?.ask(&request).ok()
    }
}

/// The real `ambit`.
#[derive(Debug)]
pub struct Ambit;

impl Ambit {
    /// Where the program is.
    pub fn program() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_ambit"))
    }

    /// A call of it for one home, with nothing on standard input.
    pub fn command(home: &Home) -> Command {
        let mut command = Command::new(Self::program());
        command
            .env_remove("AMBIT_HOME")
            .env_remove("RUST_LOG")
            .arg("--home")
            .arg(home.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end and returns what it wrote, whatever the exit code.
    pub fn call(home: &Home, arguments: &[&str]) -> Output {
        Self::command(home).args(arguments).output().unwrap()
    }

    /// Runs it to its end, which has to be a success, and returns its standard output.
    #[track_caller]
    pub fn text(home: &Home, arguments: &[&str]) -> String {
        let output = Self::call(home, arguments);
        assert!(
            output.status.success(),
            "`ambit {}` ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Ambit::text`], with `--output json`, read.
    #[track_caller]
    pub fn json(home: &Home, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--output", "json"])
            .collect();
        serde_json::from_str(&Self::text(home, &arguments)).unwrap()
    }

    /// Starts the node of a home and waits until it answers.
    #[track_caller]
    pub fn run(home: &Home) -> Running {
        let mut command = Self::command(home);
        command.arg("run");
        Running::start(home, &mut command)
    }
}

/// A node that runs in a process of its own. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    home: Home,
    stderr: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a command that runs the node of a home, and waits until the node answers.
    #[track_caller]
    pub fn start(home: &Home, command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let reader = child.stderr.take().map(|mut pipe| {
            let stderr = Arc::clone(&stderr);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                    stderr.lock().unwrap().extend_from_slice(&chunk[..count]);
                }
            })
        });
        let mut running = Self {
            child,
            home: home.clone(),
            stderr,
            reader,
        };
        wait_until(LIMIT, "the node to answer", || {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "the node ended: {}", running.stderr());
            running.home.ask_running(&GetStatus {}).is_some()
        });
        running
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Ends it as a crash would: it gets no chance to do anything more.
    pub fn kill(mut self) {
        self.end();
    }

    /// Ends it as an operator would, and returns what it wrote to standard error.
    #[cfg(unix)]
    #[track_caller]
    pub fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        let status = wait_for(LIMIT, "the node to stop", || self.child.try_wait().unwrap());
        self.end();
        assert!(status.success(), "{status}: {}", self.stderr());
        self.stderr()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
