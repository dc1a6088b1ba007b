//! The real program, run by a bench.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const AMBIT: &str = env!("CARGO_BIN_EXE_ambit");
/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(300);

/// The map of a file of rows, an observation for each; the columns of values follow.
pub const MAP: &str = r#"delimiter = ","

[time]
column = "t"
zone = "in-value"

[facts]
source = "cmm-1"
submodel = "urn:shop.example:submodel:1"
semantic_id = "urn:shop.example:inspection"
data_class = "inspection-result"
trade_secret = false
program = { assigner = "did:web:one.example", value = "F-ONE" }
export_control = { determined = true, itar = false, eccn = "EAR99" }

[facts_columns]
serial = "serial"
"#;

/// A node that runs in a process of its own, until this is dropped.
pub struct Running(Child);

impl Running {
    /// Starts the node of a home and waits until it answers.
    pub fn start(home: &Path) -> Self {
        // Of one that was killed, it would be taken for this one's.
        let _ = std::fs::remove_file(home.join("api.json"));
        let mut running = Self(call(home, &["run"]).spawn().expect("the node starts"));
        let limit = Instant::now() + LIMIT;
        // Without the file the command would open the database itself.
        let answers = || {
            home.join("api.json").exists()
                && call(home, &["status"])
                    .status()
                    .is_ok_and(|status| status.success())
        };
        while !answers() {
            let ended = running.0.try_wait().expect("the node can be asked");
            assert!(
                ended.is_none() && Instant::now() < limit,
                "the node does not answer"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// Ends it as an operator would, and waits until it has ended.
    pub fn stop(mut self) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("there is a kill").success());
        let ended = self.0.wait().expect("it ends");
        assert!(ended.success(), "{ended}");
    }

    /// The processor time of all its threads so far.
    pub fn time(&self) -> Duration {
        processor_time(self.0.id()).expect("the system counts it")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A call of the program for one home, that writes nowhere.
pub fn call(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(AMBIT);
    command
        .env_remove("RUST_LOG")
        .arg("--home")
        .arg(home)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The processor time of a process, of all threads that it has; nothing where the system does not say.
pub fn processor_time(process: u32) -> Option<Duration> {
    let threads = PathBuf::from(format!("/proc/{process}/task"));
    let mut nanoseconds: Option<u64> = None;
    for thread in std::fs::read_dir(threads).ok()? {
        // One that just ended is gone.
        let Ok(text) = std::fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        // One that has just begun may have used none that was counted.
        let of_thread = text.split(' ').next()?.parse::<u64>().ok()?;
        nanoseconds = Some(nanoseconds.unwrap_or_default() + of_thread);
    }
    nanoseconds.map(Duration::from_nanos)
}
