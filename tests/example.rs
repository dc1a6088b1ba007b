//! The federation examples: their README's commands, run as printed with real processes, and the demo.

use crate::support::{Ambit, Folder, Home, LIMIT, Running, free_ports, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the README has the reader work.
const WORK: &str = "/tmp/supplier-quality";
/// The ports it has the three nodes listen on. A test takes free ones instead.
const PORTS: [&str; 3] = ["4101", "4102", "4103"];

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// A fenced block of commands, and what the README says that it prints.
#[derive(Debug)]
struct Step {
    commands: String,
    kind: Kind,
    expected: Option<String>,
}

/// How a block is run, from the words behind `sh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// To its end, with this exit code.
    Ends(i32),
    /// A node that runs from now on: `running`.
    Runs,
    /// Again until it prints what is said below: `eventually`.
    Repeats,
}

/// The blocks of a README in their order. `sh` blocks are commands; a `text` block is the output of the one above.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.join("\n");
        let kind = match info {
            "sh" => Kind::Ends(0),
            "sh running" => Kind::Runs,
            "sh eventually" => Kind::Repeats,
            "text" => {
                steps.last_mut().unwrap().expected = Some(block);
                continue;
            }
            other => Kind::Ends(other.strip_prefix("sh exit=").unwrap().parse().unwrap()),
        };
        steps.push(Step {
            commands: block,
            kind,
            expected: None,
        });
    }
    steps
}

/// Whether a text is what was expected, where `…` in a line stands for anything, and a line of only that for
/// any lines.
fn fits(expected: &str, found: &str) -> bool {
    fn lines_fit(expected: &[&str], found: &[&str]) -> bool {
        match (expected, found) {
            ([], []) => true,
            (["…", rest @ ..], _) => {
                lines_fit(rest, found)
                    || found
                        .split_first()
                        .is_some_and(|(_, more)| lines_fit(expected, more))
            }
            ([line, rest @ ..], [other, more @ ..]) => {
                line_fits(line, other) && lines_fit(rest, more)
            }
            _ => false,
        }
    }
    let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
    let found: Vec<&str> = found.lines().map(str::trim_end).collect();
    lines_fit(&expected, &found)
}

/// Columns are as wide as what stands in them, so runs of spaces count as one.
fn line_fits(expected: &str, found: &str) -> bool {
    let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = expected.split('…');
    let first = parts.next().unwrap();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn expected_output_is_compared_with_its_gaps() {
    assert!(fits("a  1\n…\nb…d", "a 1\nx\ny\nb c d"));
    assert!(fits("…\nb", "b"));
    assert!(!fits("a\n…", "b\na"));
    assert!(!fits("a…b…c", "a c b"));
    assert!(!fits("a", "ab"));
}

/// The auditor's program. `cargo test --workspace` builds it; a run of this package's tests alone does not.
fn auditor() -> PathBuf {
    let folder = Ambit::program().parent().unwrap();
    let program = folder.join(format!("ambit-audit{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut command = Command::new(env!("CARGO"));
        command.args([
            "build",
            "--quiet",
            "--locked",
            "--offline",
            "--package",
            "ambit-audit",
        ]);
        command.arg("--target-dir").arg(folder.parent().unwrap());
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        assert!(command.current_dir(root()).status().unwrap().success());
    }
    program
}

/// A reader at work: a folder, and a shell in which the programs are found.
struct Reader {
    folder: Folder,
    ports: BTreeMap<&'static str, u16>,
    running: Vec<Running>,
}

impl Reader {
    fn new() -> Self {
        auditor();
        Self {
            folder: Folder::new(),
            ports: PORTS.into_iter().zip(free_ports(PORTS.len())).collect(),
            running: Vec::new(),
        }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("supplier-quality")
    }

    /// The shell for some commands, in the checkout until the reader has a folder to work in.
    fn shell(&self, commands: &str) -> Command {
        let mut commands = commands.replace(WORK, self.work().to_str().unwrap());
        for (printed, free) in &self.ports {
            commands = commands.replace(printed, &free.to_string());
        }
        let programs = Ambit::program().parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [programs].into_iter().chain(std::env::split_paths(&path));
        let work = self.work();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", &commands])
            .current_dir(if work.is_dir() { work } else { root() })
            .env("PATH", std::env::join_paths(paths).unwrap())
            .env_remove("AMBIT_HOME")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        shell
    }

    fn follow(&mut self, step: &Step) {
        match step.kind {
            Kind::Ends(code) => {
                let output = self.shell(&step.commands).output().unwrap();
                assert_eq!(output.status.code(), Some(code), "{}", told(step, &output));
                if let Some(expected) = &step.expected {
                    assert!(fits(expected, &stdout(&output)), "{}", told(step, &output));
                }
            }
            Kind::Runs => {
                // In the shell's place, so that ending this process ends the node.
                let commands = step.commands.replace("\nambit ", "\nexec ambit ");
                let home = commands.split_once("--home ").unwrap().1;
                let home = self.work().join(home.split_whitespace().next().unwrap());
                let mut shell = self.shell(&commands);
                self.running
                    .push(Running::start(&Home::at(&home), &mut shell));
            }
            Kind::Repeats => {
                let expected = step.expected.as_deref().unwrap();
                wait_until(LIMIT, &step.commands, || {
                    let output = self.shell(&step.commands).output().unwrap();
                    assert!(output.status.success(), "{}", told(step, &output));
                    fits(expected, &stdout(&output))
                });
            }
        }
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(step: &Step, output: &Output) -> String {
    format!(
        "{}\n--- {}, printed:\n{}--- and on standard error:\n{}--- expected:\n{}",
        step.commands,
        output.status,
        stdout(output),
        String::from_utf8_lossy(&output.stderr),
        step.expected.as_deref().unwrap_or("anything")
    )
}

#[test]
fn supplier_quality_does_what_its_readme_says() {
    let readme = root().join("federation-examples/supplier-quality/README.md");
    let steps = steps(&std::fs::read_to_string(readme).unwrap());
    assert!(steps.len() > 10, "{} steps", steps.len());
    let mut reader = Reader::new();
    for step in &steps {
        reader.follow(step);
    }
    assert_eq!(reader.running.len(), PORTS.len());
    assert_nothing_of_the_other(&reader.work());
    #[cfg(unix)]
    for running in reader.running {
        let told = running.stop();
        assert!(told.ends_with("stopped\n"), "{told}");
    }
}

/// Each customer's bundle holds the ids of its own observations, and none of the other's.
fn assert_nothing_of_the_other(work: &Path) {
    let ids = |name: &str| -> Vec<Vec<u8>> {
        let text = std::fs::read_to_string(work.join(format!("expected/{name}.txt"))).unwrap();
        text.lines().map(|id| hex::decode(id).unwrap()).collect()
    };
    for (name, other) in [("aero-one", "rotor-two"), ("rotor-two", "aero-one")] {
        let bundle = std::fs::read(work.join(format!("{name}.bundle"))).unwrap();
        let holds = |id: &Vec<u8>| bundle.windows(id.len()).any(|bytes| bytes == id);
        assert!(ids(name).iter().all(holds), "{name} lacks an id");
        assert!(
            !ids(other).iter().any(holds),
            "{name} holds an id of {other}"
        );
    }
}

/// A call of `ambit demo` whose temporary files go into this folder.
fn demo(folder: &Folder) -> Command {
    let mut command = Command::new(Ambit::program());
    command
        .arg("demo")
        .env("TMPDIR", folder.path())
        .env_remove("AMBIT_HOME")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

fn is_empty(folder: &Folder) -> bool {
    std::fs::read_dir(folder.path()).unwrap().next().is_none()
}

#[test]
fn the_demo_reports_what_crossed_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let output = demo(&folder)
        .args(["--exit", "--output", "json"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();

    let pairs = report["pairs"].as_array().unwrap();
    let counts = |from: &str, to: &str| {
        let pair = pairs
            .iter()
            .find(|pair| pair["from"] == from && pair["to"] == to);
        let pair = pair.unwrap();
        ["released", "withheld", "undecided"].map(|count| pair[count].as_u64().unwrap())
    };
    let [supplier, aero, rotor] =
        ["plates", "aero-one", "rotor-two"].map(|name| format!("did:web:{name}.example"));
    assert_eq!(pairs.len(), 4);
    assert_eq!(counts(&supplier, &aero), [20, 11, 0]);
    assert_eq!(counts(&supplier, &rotor), [11, 20, 0]);
    assert_eq!(counts(&aero, &supplier), [0, 0, 0]);
    assert_eq!(counts(&rotor, &supplier), [0, 0, 0]);
    let to_aero = pairs
        .iter()
        .find(|pair| pair["to"] == aero.as_str())
        .unwrap();
    assert_eq!(to_aero["layers"]["ip"], 11);

    let organizations = report["organizations"].as_array().unwrap();
    let held = [(&supplier, 31, 4767), (&aero, 20, 760), (&rotor, 11, 4007)];
    assert_eq!(organizations.len(), held.len());
    for (organization, (id, observations, readings)) in organizations.iter().zip(held) {
        assert_eq!(organization["id"], id.as_str());
        assert_eq!(organization["held"].as_object().unwrap().len(), 1);
        assert_eq!(
            organization["held"][&supplier]["observations"],
            observations
        );
        assert_eq!(organization["held"][&supplier]["readings"], readings);
        assert_eq!(organization["ids_as_expected"], true);
        assert_eq!(organization["audit"]["verdict"], "verified");
        assert!(organization["ledger_size"].as_u64().unwrap() > observations);
        assert_eq!(organization["tree_root"].as_str().unwrap().len(), 64);
    }
    assert!(is_empty(&folder));
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut child = demo(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(LIMIT, "the demo to make its first node", || {
        let mut demos = std::fs::read_dir(folder.path()).unwrap();
        demos.any(|demo| demo.unwrap().path().join("plates/node.toml").is_file())
    });
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    wait_until(LIMIT, "the demo to end", || {
        child.try_wait().unwrap().is_some()
    });
    assert!(is_empty(&folder));
}

#[cfg(unix)]
#[test]
fn what_a_demo_was_told_to_keep_stays() {
    use std::io::{BufRead as _, BufReader};
    let folder = Folder::new();
    let place = folder.path().join("three nodes");
    let own = folder.path().join("own");
    let mut child = demo(&folder)
        .arg("--home")
        .arg(&place)
        // A person's own node has no part in it.
        .env("AMBIT_HOME", &own)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = String::new();
    for line in lines.map_while(Result::ok) {
        told.push_str(&line);
        told.push('\n');
        if line.contains("ambit-audit") && line.contains("replay") {
            break;
        }
    }
    // What it says to write is written where the person is.
    assert!(told.contains("export -o plates.bundle"), "{told}");
    assert!(told.contains("--trust plates.trust"), "{told}");
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
    wait_until(LIMIT, "the demo to end", || {
        child.try_wait().unwrap().is_some()
    });
    assert!(!own.exists());
    let plates = Home::at(&place.join("plates"));
    let list = Ambit::json(&plates, &["list"]);
    assert_eq!(list.as_array().unwrap().len(), 31);

    let again = demo(&folder).arg("--home").arg(&place).output().unwrap();
    let told = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(1), "{told}");
    assert!(told.contains("is not empty; name a new folder"), "{told}");
}
