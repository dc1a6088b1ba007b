//! A clock that cannot be believed: nothing is judged, sent or taken in; everything can be read; and once it is right
//! again, all goes on by itself.

use super::{NAME, Pair, ids};
use crate::support::{Ambit, Home, LIMIT, MAP, Running, agree, declaration, text, wait_until};
use ambit_audit::{Bundle, verify};
use ambit_ledger::{Layer, Time};
use ambit_node::agree::ActivateProfile;
use ambit_node::clock;
use ambit_node::failure::FailureKind;
use ambit_node::holding::GetStatus;
use ambit_node::node::{AcceptClockError, Ask as _, Node};

const PROFILE: &str = "@id(\"all\")\npermit (principal, action, resource);\n";
const ALARM: &str = "nothing is judged, sent or taken in";
/// What the clock may be behind.
const BEHIND_SECONDS: u32 = 5 * 60;
/// That, and time enough to start two nodes before it is within that again.
const SOON_SECONDS: u32 = BEHIND_SECONDS + 20;

impl Pair {
    fn agreed() -> Self {
        let pair = Self::new();
        agree(&pair.folder, NAME, &pair.customer, &pair.supplier);
        pair.import();
        pair
    }

    fn run(&self) -> [Running; 2] {
        [&self.supplier, &self.customer].map(|party| Ambit::run(&party.home))
    }

    fn acknowledged(&self) -> u64 {
        let status = Ambit::json(&self.supplier.home, &["status"]);
        status["pairs"][0]["acknowledged"].as_u64().unwrap()
    }

    #[track_caller]
    fn refused(&self, home: &Home, arguments: &[&str]) {
        let before = self.customer.ledger();
        let output = Ambit::call(home, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(75), "{arguments:?}: {told}");
        for word in ["before the ledger's last entry at", "set the clock right"] {
            assert!(told.contains(word), "{arguments:?}: {told}");
        }
        assert_eq!(output.stdout, b"");
        assert_eq!(self.customer.ledger(), before);
    }
}

/// Puts the last entry of a ledger ahead of the clock: to its node the clock has stepped back. Returns that entry's time.
#[track_caller]
fn step_back(home: &Home, seconds: u32) -> Time {
    let node = Node::open(home.path()).unwrap();
    let ahead = clock::now().plus_seconds(seconds);
    node.activate_profile(Layer::Owner, PROFILE, ahead).unwrap();
    ahead
}

#[test]
fn an_hour_behind_nothing_is_recorded_and_everything_can_be_read() {
    let pair = Pair::agreed();
    let home = &pair.supplier.home;
    let ids = ids(home);
    step_back(home, 3_600);
    let file = |name: &str, content: &str| {
        let path = pair.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let rows = file(
        "new.csv",
        "t,serial,program,d\n2026-05-02T08:00:00Z,9,F-ONE,1.25\n",
    );
    let map = file("new.map.toml", MAP);
    let profile = file("owner.cedar", &PROFILE.replace("all", "other"));
    let declared = file(
        "d.toml",
        &declaration("supplier/customer/more", &pair.customer),
    );
    let fingerprint = pair.customer.fingerprint();
    let writing = [
        vec!["import", text(&rows), "--map", text(&map)],
        vec!["profile", "activate", text(&profile), "--layer", "owner"],
        vec![
            "partner",
            "declare",
            text(&declared),
            "--fingerprint",
            &fingerprint,
        ],
        vec!["clock", "accept"],
    ];
    let customer = pair.customer.id.as_str();
    let why = ["why", &ids[0], "--to", customer];
    let answers = || {
        for command in &writing {
            pair.refused(home, command);
        }
        for command in [&["list"][..], &["get", &ids[0]], &why, &["partner", "list"]] {
            assert!(!Ambit::text(home, command).is_empty());
        }
        let table = Ambit::text(home, &["status"]);
        assert!(
            table.contains("ALARM: ") && table.contains(ALARM),
            "{table}"
        );
        let status = Ambit::json(home, &["status"]);
        let alarm = status["clock"].as_str().unwrap();
        assert!(alarm.contains("min"), "{alarm}");
        pair.supplier.ledger()
    };
    let before = answers();
    pair.audit();

    let theirs = pair.customer.ledger();
    let [supplier, held] = pair.run();
    wait_until(LIMIT, "the two to be connected", || {
        Ambit::json(home, &["peers"])[0]["connected"] == true
    });
    assert_eq!(answers(), before);
    assert_eq!(pair.acknowledged(), 0);
    assert_eq!(pair.customer.ledger(), theirs);
    let told = supplier.stderr();
    assert_eq!(told.matches(ALARM).count(), 1, "{told}");
    assert!(!held.stderr().contains(ALARM));
    drop((supplier, held));
    assert_eq!(pair.supplier.ledger(), before);
    pair.audit();
}

/// Once the clock is within its error, what waited goes over, and nothing of it was refused.
#[track_caller]
fn goes_on_by_itself(pair: &Pair, behind: usize, last: Time) {
    let nodes = pair.run();
    let log = || nodes[behind].stderr();
    wait_until(LIMIT, "the alarm", || log().contains(ALARM));
    wait_until(LIMIT, "the clock to be right again", || {
        let taken = (ids(&pair.customer.home).len(), pair.acknowledged());
        // Looked at after that: so far nothing may have gone over.
        if clock::now().plus_seconds(BEHIND_SECONDS) < last {
            assert_eq!(taken, (0, 0));
        }
        log().contains("the clock is right again")
    });
    wait_until(LIMIT, "both to be acknowledged", || {
        pair.acknowledged() == 2
    });
    assert_eq!(log().matches(ALARM).count(), 1, "{}", log());
    assert_eq!(ids(&pair.customer.home).len(), 2);
    for home in [&pair.supplier.home, &pair.customer.home] {
        assert!(Ambit::json(home, &["status"]).get("clock").is_none());
    }
    drop(nodes);
    let bundle = Bundle::read(&pair.bundle(&pair.customer, "held.bundle")[..]).unwrap();
    assert_eq!(verify(&bundle, &pair.trust()).checked().refused, 0);
    pair.audit();
}

#[test]
fn a_sender_goes_on_once_its_clock_is_right() {
    let pair = Pair::agreed();
    let last = step_back(&pair.supplier.home, SOON_SECONDS);
    goes_on_by_itself(&pair, 0, last);
}

#[test]
fn a_recipient_goes_on_once_its_clock_is_right() {
    let pair = Pair::agreed();
    let last = step_back(&pair.customer.home, SOON_SECONDS);
    goes_on_by_itself(&pair, 1, last);
}

#[test]
fn a_clock_far_past_the_ledger_is_confirmed_first() {
    let pair = Pair::agreed();
    let home = &pair.supplier.home;
    let told = Ambit::text(home, &["clock", "accept"]);
    assert!(told.contains("nothing to confirm"), "{told}");
    assert!(!home.path().join("clock.accepted").exists());

    let node = Node::open(home.path()).unwrap();
    let before = node.store().tree_head();
    let last = node.store().last_time();
    let far = last.plus_days(clock::QUIET_DAYS_MAX).plus_seconds(1);
    let activate = |text: &str| ActivateProfile {
        anyway: None,
        layer: Layer::Owner,
        text: text.to_owned(),
    };
    let failure = activate(PROFILE).answer(&node, far).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TryAgain);
    for word in [
        far.to_string().as_str(),
        &last.to_string(),
        " clock accept`",
    ] {
        assert!(failure.message.contains(word), "{failure}");
    }
    let status = GetStatus {}.answer(&node, far).unwrap();
    assert!(status.clock.unwrap().contains("`ambit clock accept`"));
    assert_eq!(node.store().tree_head(), before);
    // A second before that nobody is asked.
    let quiet = last.plus_days(clock::QUIET_DAYS_MAX);
    activate(PROFILE).answer(&node, quiet).unwrap();

    let last = node.store().last_time();
    let far = last.plus_days(clock::QUIET_DAYS_MAX + 1);
    assert!(node.instant(far).is_err());
    let early = clock::now();
    assert!(matches!(
        node.accept_clock(early),
        Err(AcceptClockError::Clock(_))
    ));
    let accepted = node.accept_clock(far).unwrap();
    assert!(accepted.was_refused);
    assert_eq!(accepted.last_entry, last.to_string());
    drop(node);
    // Whoever opens it next knows.
    let node = Node::open(home.path()).unwrap();
    assert_eq!(node.instant(far), Ok(far));
    assert!(node.instant(Time::LATEST).is_err());
    activate(&PROFILE.replace("all", "other"))
        .answer(&node, far)
        .unwrap();
    assert_eq!(node.store().last_time(), far);
}
