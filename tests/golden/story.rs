//! How the golden home comes to be: a supplier and a customer, by the real program, until the supplier's ledger holds one
//! of each thing that a node does.

use crate::support::{Ambit, Folder, Home, LIMIT, MAP, Party, Running, agree, text, wait_until};
use ambit_audit::{AuditVerdict, Bundle, Trust, replay};
use ambit_ledger::{Body, EditionStage, Entry};
use serde_json::Value;

pub const CUSTOMER: &str = "did:web:customer.example";
const NAME: &str = "customer/supplier/golden";

/// Lets everything be.
const ALL: &str = r#"@id("all")
permit (principal, action, resource is Ambit::Observation);
"#;

/// Takes nothing of one part, which was measured with a worn gauge.
const WORN_GAUGE: &str = r#"
@id("worn-gauge")
forbid (principal, action == Ambit::Action::"admit", resource is Ambit::Observation)
when { resource has serial && resource.serial == "11" };
"#;

/// Cannot decide on another: the product is beyond what a number can be.
const TOO_LARGE: &str = r#"
@id("too-large")
forbid (principal, action == Ambit::Action::"admit", resource is Ambit::Observation)
when { resource has serial && resource.serial == "12" && context.retentionDays * 9223372036854775807 > 0 };
"#;

/// And discloses nothing of one part any more.
const BLOCKED_PART: &str = r#"
@id("blocked-part")
forbid (principal, action == Ambit::Action::"disclose", resource is Ambit::Observation)
when { resource has serial && resource.serial == "3" };
"#;

/// The customer's, for as long as it does not know a part.
const UNKNOWN_PART: &str = r#"
@id("unknown-part")
forbid (principal, action == Ambit::Action::"admit", resource is Ambit::Observation)
when { resource has serial && resource.serial == "4" };
"#;

/// Stops nothing, which takes a reason.
const OPEN: &str = "@id(\"open\")\npermit (principal, action, resource is Ambit::Observation);\n";

/// The two at the end of it.
pub struct Story {
    folder: Folder,
    pub supplier: Party,
    customer: Party,
}

impl Story {
    /// Tells it from the beginning, with keys that anybody can make.
    pub fn told() -> Self {
        let folder = Folder::new();
        let seed = ["--example-seed", "golden"];
        let story = Self {
            supplier: Party::with(&folder, "supplier", &seed),
            customer: Party::with(&folder, "customer", &seed),
            folder,
        };
        agree(&story.folder, NAME, &story.customer, &story.supplier);
        story.attest();
        let rules = |more: &[&str]| format!("{ALL}{}", more.concat());
        let (supplier, customer) = (&story.supplier, &story.customer);
        // One is disclosed, one is withheld: its program is not the customer's to know.
        story.import(supplier, &["08:00:00Z,1,F-ONE", "08:01:00Z,2,F-TWO"]);
        story.activate(supplier, "owner", &rules(&[WORN_GAUGE, TOO_LARGE]), &[]);
        story.activate(customer, "owner", &rules(&[UNKNOWN_PART]), &[]);
        let nodes = story.run();
        story.wait("the acknowledgement", |pair| pair["acknowledged"] == 1);
        // One is not taken, and comes again once it would be.
        story.import(supplier, &["08:02:00Z,4,F-ONE"]);
        let is_empty = |counts: &Value| counts.as_object().unwrap().is_empty();
        story.wait("what is not taken", |pair| !is_empty(&pair["not_taken"]));
        story.activate(customer, "owner", ALL, &[]);
        story.wait("it to be taken", |pair| is_empty(&pair["not_taken"]));
        // One is taken in, one is refused, one is set aside.
        story.import(
            customer,
            &[
                "08:03:00Z,10,F-ONE",
                "08:04:00Z,11,F-ONE",
                "08:05:00Z,12,F-ONE",
            ],
        );
        story.wait("the refusal", |pair| !is_empty(&pair["refused"]));
        story.wait("what is set aside", |pair| !is_empty(&pair["set_aside"]));
        nodes.into_iter().for_each(end);
        // One is taken back before it leaves.
        story.import(supplier, &["08:06:00Z,3,F-ONE"]);
        let blocked = rules(&[WORN_GAUGE, TOO_LARGE, BLOCKED_PART]);
        story.activate(supplier, "owner", &blocked, &[]);
        let reason = "a person looks at every delivery of this site";
        let anyway = ["--anyway", "--reason", reason];
        story.activate(supplier, "regulatory", OPEN, &anyway);
        let nodes = story.run();
        story.wait("the withdrawal", |pair| pair["withdrawn"] == 1);
        nodes.into_iter().for_each(end);
        story
    }

    /// The supplier attests something of its customer, and takes in what its customer attests of it.
    fn attest(&self) {
        let (supplier, customer) = (&self.supplier, &self.customer);
        let attested = self.folder.path().join("a.attestation");
        let attest = |by: &Party, of: &Party, what| {
            let until = ["--until", "2199-01-01T00:00:00Z", "-o", text(&attested)];
            let attest = ["attest", &of.id, "--as", what, "--number", "G-1"];
            Ambit::text(&by.home, &[&attest[..], &until].concat());
        };
        attest(supplier, customer, "ddtc-registered");
        attest(customer, supplier, "iso27001");
        let (card, compared) = (text(customer.card()), customer.fingerprint());
        let pin = ["issuer", "pin", card, "--fingerprint", &compared];
        Ambit::text(&supplier.home, &pin);
        Ambit::text(&supplier.home, &["attest", "--file", text(&attested)]);
    }

    /// Imports rows of one day, each a time, a serial number and a program.
    fn import(&self, party: &Party, rows: &[&str]) {
        let mut lines = vec!["t,serial,program,d".to_owned()];
        lines.extend(rows.iter().map(|row| format!("2026-05-01T{row},1.25")));
        let rows = self.file("rows.csv", &lines.join("\n"));
        let map = self.file("rows.map.toml", MAP);
        Ambit::text(&party.home, &["import", &rows, "--map", &map]);
    }

    fn activate(&self, party: &Party, layer: &str, profile: &str, more: &[&str]) {
        let file = self.file("profile.cedar", profile);
        let activate = ["profile", "activate", &file, "--layer", layer];
        Ambit::text(&party.home, &[&activate[..], more].concat());
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }

    fn run(&self) -> [Running; 2] {
        [
            Ambit::run(&self.supplier.home),
            Ambit::run(&self.customer.home),
        ]
    }

    /// Waits for what the supplier's node says of its agreement.
    fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        wait_until(LIMIT, what, || {
            let status = Ambit::json(&self.supplier.home, &["status"]);
            is_so(&status["pairs"][0])
        });
    }

    /// The root keys of both.
    pub fn trust(&self) -> Trust {
        let mut trust = Trust::new();
        for party in [&self.supplier, &self.customer] {
            let file = Ambit::text(&party.home, &["key", "trust"]);
            trust.merge(Trust::parse(&file).unwrap());
        }
        trust
    }

    /// Both ledgers are good; returns the supplier's bundle.
    pub fn audited(&self) -> Vec<u8> {
        let trust = self.trust();
        let [bundle, _] = [&self.supplier, &self.customer].map(|party| {
            let bytes = exported(&party.home, &self.folder.path().join("a.bundle"));
            let report = replay(&Bundle::read(bytes.as_slice()).unwrap(), &trust);
            assert_eq!(report.verdict(), AuditVerdict::Verified, "{report}");
            bytes
        });
        bundle
    }
}

/// Ends a node as its operator would, so that nothing of its running is left in its home.
fn end(running: Running) {
    #[cfg(unix)]
    running.stop();
    #[cfg(not(unix))]
    running.kill();
}

/// The bundle that the program writes of a home's ledger.
pub fn exported(home: &Home, path: &std::path::Path) -> Vec<u8> {
    Ambit::text(home, &["export", "-o", text(path)]);
    std::fs::read(path).unwrap()
}

/// What each entry says.
pub fn bodies(bundle: &Bundle) -> Vec<Body> {
    let entries = bundle.entries().map(|entry| Entry::decode(&entry).unwrap());
    entries.map(|entry| entry.body().unwrap()).collect()
}

/// What a golden ledger has to hold, each with whether this one does.
pub fn contents(bundle: &Bundle) -> Vec<(&'static str, bool)> {
    let bodies = bodies(bundle);
    let has = |is_it: fn(&Body) -> bool| bodies.iter().any(is_it);
    vec![
        (
            "an agreement in force",
            has(
                |body| matches!(body, Body::PartnershipEdition(edition) if edition.stage == EditionStage::Active),
            ),
        ),
        ("limits", has(|body| matches!(body, Body::LimitsSet(_)))),
        ("a decision", has(|body| matches!(body, Body::Decided(_)))),
        (
            "an observation disclosed",
            has(|body| matches!(body, Body::Disclosed(_))),
        ),
        (
            "one withheld",
            has(|body| matches!(body, Body::Withheld(_))),
        ),
        (
            "one withdrawn",
            has(|body| matches!(body, Body::Withdrawn(_))),
        ),
        (
            "one taken in",
            has(|body| matches!(body, Body::Admitted(_))),
        ),
        (
            "one set aside",
            has(|body| matches!(body, Body::SetAside(_))),
        ),
        (
            "one offered again",
            has(|body| matches!(body, Body::OfferedAgain(_))),
        ),
        (
            "an issuer pinned",
            has(|body| matches!(body, Body::IssuerPinned(_))),
        ),
        (
            "an attestation",
            has(|body| matches!(body, Body::AttestationRecorded(_))),
        ),
        ("a refusal", has(|body| matches!(body, Body::Refused(_)))),
        (
            "an acknowledgement",
            has(|body| matches!(body, Body::Acknowledged(_))),
        ),
        (
            "a profile put in force with a reason",
            has(|body| matches!(body, Body::ProfileActivated(profile) if profile.anyway.is_some())),
        ),
    ]
}
