//! The program under test, in the life of the system before the power cut or in the one after it, and files for it to import.

use crate::support::{LIMIT, Random, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// No call takes as long, whatever else the machine does.
const CALL_SECONDS: &str = "120";

pub const OBSERVATIONS_EACH: u64 = 13;
const READINGS_EACH: u64 = 800;
const ELEMENTS: u64 = 10;

/// Where Linux names the time since it was started.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// In which life of the system the program runs.
///
/// A node relies on what it gave to the system for as long as that runs. Whoever checks a power cut after it runs on the same
/// system as whoever was cut off, so one of the two has to be told of another start.
#[derive(Clone, Debug)]
pub enum Life {
    BeforeTheCut {
        /// A file that the program sees in the place of [`BOOT_ID`].
        boot_id: PathBuf,
    },
    AfterIt,
}

impl Life {
    pub fn before_the_cut(folder: &Path) -> io::Result<Self> {
        let boot_id = folder.join("boot_id");
        std::fs::write(&boot_id, "00000000-0000-4000-8000-000000000000\n")?;
        Ok(Self::BeforeTheCut { boot_id })
    }

    /// Runs `ambit` for one home to its end.
    pub fn ambit(&self, home: &Path, arguments: &[&str]) -> io::Result<Output> {
        let mut command = self.command(&["timeout", CALL_SECONDS]);
        command.arg("--home").arg(home).args(arguments);
        command.stdin(Stdio::null()).output()
    }

    /// Starts a node and waits until it takes calls.
    pub fn run(&self, home: &Path) -> io::Result<Running> {
        let mut command = self.command(&[]);
        command.arg("--home").arg(home).arg("run");
        let running = Running(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let is_ready = || home.join("api.json").exists();
        wait_until(LIMIT, "the node to get ready", is_ready);
        Ok(running)
    }

    /// A call of the program, by way of others that replace themselves with what follows them.
    fn command(&self, by_way_of: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_ambit");
        let mut command = match self {
            Self::BeforeTheCut { boot_id } => {
                // Nobody but the program sees this mount.
                let mut unshare = Command::new("unshare");
                let script = format!("mount --bind \"$0\" {BOOT_ID} && exec \"$@\"");
                unshare.args(["--mount", "sh", "-c", &script]).arg(boot_id);
                unshare.args(by_way_of).arg(program);
                unshare
            }
            Self::AfterIt => match by_way_of.split_first() {
                Some((first, rest)) => {
                    let mut command = Command::new(first);
                    command.args(rest).arg(program);
                    command
                }
                None => Command::new(program),
            },
        };
        command.env_remove("AMBIT_HOME").env_remove("RUST_LOG");
        command
    }
}

/// A node that runs. Killed when dropped, so that it keeps no disk in use.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Ends it as an operator would.
    pub fn stop(mut self) -> io::Result<()> {
        let id = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let ended = self.0.wait()?;
        if ended.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the node ended with {ended}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Standard output of a call that has to succeed.
pub fn text(output: Output) -> io::Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let ended = output.status;
    Err(io::Error::other(format!("{ended}: {}", complaint.trim())))
}

/// What a call with `--output json` says, which has to succeed.
pub fn json(output: Output) -> io::Result<Value> {
    Ok(serde_json::from_str(&text(output)?)?)
}

/// The ids in what `list` says.
pub fn ids(list: &Value) -> BTreeSet<String> {
    let observations = list.as_array().into_iter().flatten();
    observations
        .filter_map(|observation| Some(observation["id"].as_str()?.to_owned()))
        .collect()
}

/// Files to import, in a folder.
#[derive(Clone, Debug)]
pub struct Files(pub PathBuf);

impl Files {
    fn map(&self) -> PathBuf {
        self.0.join("map.toml")
    }

    fn file(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number}.csv"))
    }

    /// Imports one.
    pub fn import(&self, life: &Life, home: &Path, number: u64) -> io::Result<Value> {
        let (file, map) = (self.file(number), self.map());
        let names = [&file, &map].map(|path| path.to_string_lossy().into_owned());
        let [file, map] = &names;
        json(life.ambit(home, &["import", file, "--map", map, "--output", "json"])?)
    }

    /// Writes so many. An observation is a minute of a machine: readings that can hardly be made smaller.
    pub fn write(&self, count: u64) -> io::Result<()> {
        let mut map = MAP.to_owned();
        for element in 0..ELEMENTS {
            let names = format!("key = \"e{element}\"\npath = \"e{element}\"");
            write!(map, "[[element]]\n{names}\nvalue_type = \"xs:double\"\n").unwrap();
        }
        std::fs::write(self.map(), map)?;
        let mut random = Random(1);
        for number in 0..count {
            let mut rows = "time,item,value\n".to_owned();
            for minute in number * OBSERVATIONS_EACH..(number + 1) * OBSERVATIONS_EACH {
                for reading in 0..READINGS_EACH {
                    let millis = reading * 60_000 / READINGS_EACH;
                    let (seconds, millis) = (millis / 1_000, millis % 1_000);
                    let (hour, minute) = (minute / 60, minute % 60);
                    let element = reading % ELEMENTS;
                    let (whole, part) = (random.below(1_000), random.below(1_000_000_000_000));
                    let time =
                        format!("2026-05-01T{hour:02}:{minute:02}:{seconds:02}.{millis:03}Z");
                    writeln!(rows, "{time},e{element},{whole}.{part:012}").unwrap();
                }
            }
            std::fs::write(self.file(number), rows)?;
        }
        Ok(())
    }
}

const MAP: &str = r#"delimiter = ","

[time]
column = "time"
zone = "in-value"

[facts]
source = "mill"
submodel = "urn:shop.example:submodel:run"
semantic_id = "urn:shop.example:semantic:run:1"
serial = "1"
process = "milling"
data_class = "toolpath"
owner = "did:web:shop.example"
trade_secret = false
export_control = { determined = true, itar = false, eccn = "EAR99" }

[long]
path_column = "item"
value_column = "value"

"#;
