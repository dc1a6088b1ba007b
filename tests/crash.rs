//! Two nodes that are killed again and again, at any moment, and lose nothing and take nothing twice.
//!
//! The seed of a run is printed; `AMBIT_TEST_SEED` repeats its choices, `AMBIT_CRASH_KILLS` says how many kills. The
//! only waiting for a time is the one before a kill, a part of a second that is drawn anew for each: when the
//! crash comes is what this test is about. Everything else waits for a condition.

mod contents;
mod peer;

use crate::support::{
    Ambit, Folder, LIMIT, MAP, NOTE_COLUMN, Random, declaration, text, wait_until,
};
use ambit_audit::{AuditVerdict, Bundle, Trust, replay};
use contents::{Contents, check_heads};
use peer::Peer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many kills where the environment does not say.
const KILLS: u64 = 14;
/// A kill comes so long, at most, after what it is to interrupt was set off.
const KILL_AFTER_MAX_MICROS: u64 = 300_000;
/// One partnership for each program, and no more than this: every observation is judged for every one of them.
const PARTNERSHIPS_MAX: usize = 8;
/// How many observations a file holds at most: a commit takes 32, so that some files are several commits.
const OBSERVATIONS_MAX: u64 = 80;
/// One file of so many has long texts in it: its commits are larger than what the database keeps in memory, so that
/// a kill may leave a part of one on the disk.
const LONG_EACH: u64 = 2;
/// More than one record of the database holds.
const LONG_BYTES: usize = 20_000;

#[test]
fn what_was_reported_survives_kills_at_any_moment() {
    let seed = number("AMBIT_TEST_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos())
    });
    let kills = number("AMBIT_CRASH_KILLS").unwrap_or(KILLS);
    println!("AMBIT_TEST_SEED={seed} AMBIT_CRASH_KILLS={kills}");
    let mut trial = Trial::new(seed);
    let rounds = [
        Trial::interrupt_acceptance,
        Trial::interrupt_release,
        Trial::interrupt_admission,
        Trial::interrupt_import_alone,
        Trial::interrupt_recovery,
        Trial::interrupt_both,
    ];
    for round in rounds.into_iter().cycle() {
        if trial.kills >= kills {
            break;
        }
        round(&mut trial);
        trial.check();
    }
    trial.settle();
    trial.audit();
    println!("{}", trial.figures());
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap())
}

/// Waits for a while that is drawn.
fn wait(random: &mut Random) {
    let micros = random.below(KILL_AFTER_MAX_MICROS + 1);
    std::thread::sleep(Duration::from_micros(micros));
}

/// A file that the supplier imports.
struct Batch {
    path: PathBuf,
    /// Serial numbers, and the program of each.
    programs: BTreeMap<String, String>,
    /// Whether the command said that all of it was kept.
    is_reported: bool,
}

struct Trial {
    folder: Folder,
    random: Random,
    supplier: Peer,
    customer: Peer,
    map: PathBuf,
    batches: Vec<Batch>,
    /// All rows of all files.
    rows: String,
    minutes: u64,
    /// Where the invitation to each partnership is, by its program.
    invitations: BTreeMap<String, PathBuf>,
    kills: u64,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let folder = Folder::new();
        let map = folder.path().join("map.toml");
        std::fs::write(&map, format!("{MAP}{NOTE_COLUMN}")).unwrap();
        Self {
            random: Random(seed),
            supplier: Peer::new(&folder, "supplier"),
            customer: Peer::new(&folder, "customer"),
            folder,
            map,
            batches: Vec::new(),
            rows: "t,serial,program,d,note\n".to_owned(),
            minutes: 0,
            invitations: BTreeMap::new(),
            kills: 0,
        }
    }

    /// The supplier signs a new partnership, and one of the two is killed meanwhile.
    fn interrupt_acceptance(&mut self) {
        if self.invitations.len() >= PARTNERSHIPS_MAX {
            return self.interrupt_admission();
        }
        self.start();
        let program = program(self.invitations.len() as u64);
        let invitation = self.invite(&program);
        let accept = self.accept(&invitation);
        let accept: Vec<&str> = accept.iter().map(String::as_str).collect();
        let mut accepting = self.supplier.set_off(&accept);
        self.invitations.insert(program, invitation);
        wait(&mut self.random);
        if self.random.is_heads() {
            self.kill_supplier();
        } else {
            self.kill_customer();
        }
        accepting.wait().unwrap();
    }

    /// The supplier is killed while it imports, judges and signs.
    fn interrupt_release(&mut self) {
        self.start();
        let importing = self.set_off_import();
        wait(&mut self.random);
        self.kill_supplier();
        self.await_import(importing);
    }

    /// The customer is killed while the supplier's observations come in, are judged and acknowledged.
    fn interrupt_admission(&mut self) {
        self.start();
        self.complete_acceptances();
        if self.random.is_heads() {
            // With nothing left over the new ones come at once; otherwise behind what an earlier kill held up.
            self.await_acknowledgements();
        }
        let importing = self.set_off_import();
        if self.random.is_heads() {
            self.await_import(importing);
            wait(&mut self.random);
            self.kill_customer();
        } else {
            wait(&mut self.random);
            self.kill_customer();
            self.await_import(importing);
        }
    }

    /// With the supplier's node not running, the import has the database open itself, and is killed.
    fn interrupt_import_alone(&mut self) {
        self.customer.start();
        self.supplier.kill();
        let mut importing = self.set_off_import();
        wait(&mut self.random);
        self.kills += 1;
        // One that is through already is as good.
        importing.kill().unwrap();
        self.await_import(importing);
    }

    /// The supplier is killed while it imports, and again while it starts.
    fn interrupt_recovery(&mut self) {
        self.interrupt_release();
        let mut starting = self.supplier.set_off(&["run"]);
        wait(&mut self.random);
        self.kills += 1;
        starting.kill().unwrap();
        starting.wait().unwrap();
    }

    /// Both are killed at once.
    fn interrupt_both(&mut self) {
        self.start();
        let importing = self.set_off_import();
        wait(&mut self.random);
        self.kill_supplier();
        self.kill_customer();
        self.await_import(importing);
    }

    fn start(&mut self) {
        self.supplier.start();
        self.customer.start();
    }

    fn kill_supplier(&mut self) {
        self.kills += 1;
        self.supplier.kill();
    }

    fn kill_customer(&mut self) {
        self.kills += 1;
        self.customer.kill();
    }

    /// The customer declares a partnership for a program. Nothing is killed meanwhile.
    fn invite(&self, program: &str) -> PathBuf {
        let name = partnership(program);
        let declared = declaration(&name, &self.supplier.party).replace("F-ONE", program);
        let file = self.folder.path().join(format!("{program}.toml"));
        std::fs::write(&file, declared).unwrap();
        let invitation = file.with_extension("invitation");
        let fingerprint = self.supplier.party.fingerprint();
        let declare = ["partner", "declare", text(&file), "-o", text(&invitation)];
        let compared = ["--fingerprint", fingerprint.as_str()];
        Ambit::text(
            &self.customer.party.home,
            &[&declare[..], &compared].concat(),
        );
        invitation
    }

    fn accept(&self, invitation: &Path) -> Vec<String> {
        let fingerprint = self.customer.party.fingerprint();
        let accept = ["partner", "accept", text(invitation), "--yes"];
        let compared = ["--fingerprint", fingerprint.as_str()];
        let all = accept.into_iter().chain(compared);
        all.map(str::to_owned).collect()
    }

    /// Signs what a kill kept from being signed. What was signed already stays as it is.
    fn complete_acceptances(&self) {
        for invitation in self.invitations.values() {
            let accept = self.accept(invitation);
            let accept: Vec<&str> = accept.iter().map(String::as_str).collect();
            Ambit::text(&self.supplier.party.home, &accept);
        }
    }

    /// Writes a file of new observations and has the supplier import it.
    fn set_off_import(&mut self) -> Child {
        let number = self.batches.len();
        let mut programs = BTreeMap::new();
        let from = self.rows.len();
        let is_long = self.random.below(LONG_EACH) == 0;
        let note = "x".repeat(if is_long { LONG_BYTES } else { 1 });
        for index in 0..=self.random.below(OBSERVATIONS_MAX) {
            let serial = format!("{number}-{index}");
            // The last program is of no partnership, or of none yet.
            let program = program(self.random.below(self.invitations.len() as u64 + 1));
            let readings = self.random.below(3) + 1;
            self.write_rows(&serial, &program, readings, &note);
            programs.insert(serial, program);
        }
        let path = self.folder.path().join(format!("{number}.csv"));
        let header = self.rows.lines().next().unwrap();
        std::fs::write(&path, format!("{header}\n{}", &self.rows[from..])).unwrap();
        let import = ["import", text(&path), "--map", text(&self.map)];
        let importing = self.supplier.set_off(&import);
        self.batches.push(Batch {
            path,
            programs,
            is_reported: false,
        });
        importing
    }

    /// Each observation is of a minute of its own.
    fn write_rows(&mut self, serial: &str, program: &str, readings: u64, note: &str) {
        let minute = self.minutes;
        self.minutes += 1;
        let (day, hour, minute) = (minute / 1_440 + 1, minute / 60 % 24, minute % 60);
        for number in 0..readings {
            let time = format!("2026-05-{day:02}T{hour:02}:{minute:02}:{number:02}Z");
            // One long text is enough.
            let note = if number == 0 { note } else { "x" };
            writeln!(self.rows, "{time},{serial},{program},{number}.5,{note}").unwrap();
        }
    }

    /// Takes note of whether the last import reported success.
    fn await_import(&mut self, mut importing: Child) {
        let status = importing.wait().unwrap();
        self.batches.last_mut().unwrap().is_reported = status.success();
    }

    /// Starts both again and compares them with what is known of them.
    fn check(&mut self) {
        self.start();
        self.supplier.check();
        self.customer.check();
        let supplied = self.supplier.ids();
        for batch in self.batches.iter().filter(|batch| batch.is_reported) {
            for serial in batch.programs.keys() {
                let path = batch.path.display();
                assert!(supplied.contains_key(&**serial), "{serial} of {path}");
            }
        }
        for (serial, id) in self.customer.ids() {
            assert_eq!(supplied.get(serial), Some(&id), "{serial}");
        }
    }

    /// Lets both come to rest, and compares them item by item.
    fn settle(&mut self) {
        self.start();
        self.complete_acceptances();
        let programs: BTreeMap<&String, &String> = self
            .batches
            .iter()
            .flat_map(|batch| &batch.programs)
            .collect();
        let whole = self.folder.path().join("whole.csv");
        std::fs::write(&whole, &self.rows).unwrap();
        let import = ["import", text(&whole), "--map", text(&self.map)];
        let import = || Ambit::json(&self.supplier.party.home, &import);
        let (all, present) = (programs.len(), self.supplier.seen.len());
        let completed = import();
        assert_eq!(completed["observations_known"], present);
        assert_eq!(completed["observations_new"], all - present);
        self.await_acknowledgements();
        let before = self.supplier.party.ledger();
        let again = import();
        assert_eq!(again["observations_known"], all);
        assert_eq!(again["observations_new"], 0);
        assert_eq!(self.supplier.party.ledger(), before);

        let admissible: BTreeSet<&str> = programs
            .iter()
            .filter(|(_, program)| self.invitations.contains_key(**program))
            .map(|(serial, _)| serial.as_str())
            .collect();
        let expected: BTreeSet<&str> = programs.keys().map(|serial| serial.as_str()).collect();
        self.supplier.check();
        self.customer.check();
        let mut supplied = self.supplier.ids();
        assert_eq!(supplied.keys().copied().collect::<BTreeSet<_>>(), expected);
        supplied.retain(|serial, _| admissible.contains(serial));
        assert_eq!(self.customer.ids(), supplied);
        // What both had at rest, they have when they are killed there.
        self.supplier.kill();
        self.customer.kill();
        self.supplier.check();
        self.customer.check();
    }

    /// Waits until the customer has acknowledged everything there is for it.
    #[track_caller]
    fn await_acknowledgements(&self) {
        let home = &self.supplier.party.home;
        let active = |home| {
            let partners = Ambit::json(home, &["partner", "list"]);
            let partners = partners.as_array().unwrap().iter();
            partners
                .filter(|partner| partner["state"] == "active")
                .count()
        };
        wait_until(LIMIT, "the acceptances to arrive", || {
            active(&self.customer.party.home) == active(home)
        });
        wait_until(LIMIT, "everything to be acknowledged", || {
            let status = Ambit::json(home, &["status"]);
            let held = &status["held"][&self.supplier.party.id];
            let held = held["observations"].as_u64().unwrap_or_default();
            let number = |pair: &Value, name: &str| pair[name].as_u64().unwrap();
            status["pairs"].as_array().unwrap().iter().all(|pair| {
                number(pair, "released") + number(pair, "withheld") == held
                    && number(pair, "acknowledged") == number(pair, "released")
            })
        });
    }

    /// Reads both ledgers as an auditor does.
    fn audit(&self) {
        let peers = [&self.supplier, &self.customer];
        let mut trust = Trust::new();
        for peer in peers {
            let file = Ambit::text(&peer.party.home, &["key", "trust"]);
            trust.merge(Trust::parse(&file).unwrap());
        }
        let [mut supplier, customer] = peers.map(|peer| {
            let path = self.folder.path().join("bundle");
            Ambit::text(&peer.party.home, &["export", "-o", text(&path)]);
            let bundle = Bundle::read(&std::fs::read(&path).unwrap()[..]).unwrap();
            let report = replay(&bundle, &trust);
            assert_eq!(report.verdict(), AuditVerdict::Verified, "{report:?}");
            check_heads(&bundle, &peer.heads);
            Contents::read(&bundle)
        });
        // Every item of the outboxes was taken in once, in its place; nothing else was.
        supplier.disclosed.sort_unstable();
        let mut taken = customer.admitted;
        taken.sort_unstable();
        assert_eq!(supplier.disclosed, taken);
        let status = Ambit::json(&self.supplier.party.home, &["status"]);
        let pairs = status["pairs"].as_array().unwrap().iter();
        let acknowledged: u64 = pairs
            .map(|pair| pair["acknowledged"].as_u64().unwrap())
            .sum();
        assert_eq!(acknowledged, taken.len() as u64);
    }

    fn figures(&self) -> String {
        let reported = self.batches.iter().filter(|batch| batch.is_reported);
        let size = |peer: &Peer| peer.heads.last().map_or(0, |(size, _)| *size);
        format!(
            "{} kills; {} imports, {} of them reported done; {} partnerships; {} observations, {} admissible; \
             unfinished groups taken back: supplier {}, customer {}; entries: supplier {}, customer {}",
            self.kills,
            self.batches.len(),
            reported.count(),
            self.invitations.len(),
            self.supplier.seen.len(),
            self.customer.seen.len(),
            self.supplier.taken_back,
            self.customer.taken_back,
            size(&self.supplier),
            size(&self.customer),
        )
    }
}

fn program(number: u64) -> String {
    format!("F-{number}")
}

fn partnership(program: &str) -> String {
    format!("customer/supplier/{program}")
}
