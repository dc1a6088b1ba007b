//! What is attested lets through what may cross, at both ends, and no longer than it is true.

use super::*;
use crate::agree::{Attest, AttestError, AttestationState, Attesting, IssuerError, PinIssuer};
use crate::partnership::{ArmorLabel, write_armor};
use ambit_ledger::{
    Attestation, AttestationError, AttestationStatement, Authorization, Regime, Verdict,
};

/// Facts of technical data of a defence article, which goes to registered organizations alone.
const ITAR: &str = r#"
source = "m-1"
submodel = "urn:sub"
semantic_id = "urn:sem"
data_class = "inspection-result"
owner = "did:web:shop.example"
trade_secret = false
program = { assigner = "did:web:one.example", value = "F-ONE" }

[export_control]
determined = true
itar = true
"#;

fn defence(number: u32) -> Vec<Draft> {
    drafts_of(&FactsFile::parse(ITAR).unwrap(), &number.to_string())
}

fn registered(of: &Node, until: Option<Time>) -> Attest {
    Attest {
        subject: of.settings().organization.id.clone(),
        what: "ddtc-registered".parse().unwrap(),
        number: Some("M-1".parse().unwrap()),
        until,
        authorization: None,
    }
}

fn verdict(shop: &Node, number: u32, now: Time) -> Verdict {
    let report = shop.observe(defence(number), true, now).unwrap();
    report.observed[0].outcomes[0].verdict
}

fn released(shop: &Node) -> u64 {
    shop.status(crate::clock::now()).unwrap().pairs[0].released
}

fn pin(node: &Node, issuer: &Node, now: Time) {
    let pin = PinIssuer {
        card: issuer.card(now).unwrap(),
        root: issuer.root_fingerprint(),
    };
    node.pin_issuer(pin, now).unwrap();
}

fn state(node: &Node, now: Time) -> Vec<(AttestationState, String)> {
    let listed = node.attestation_list(now).into_iter();
    listed
        .map(|Attesting { now, not_after, .. }| (now, not_after))
        .collect()
}

#[test]
fn a_registration_lets_out_what_was_withheld_and_no_longer_than_it_holds() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    // What the member claims of itself counts for nothing.
    assert_eq!(verdict(&shop, 1, now), Verdict::Withheld);
    let end = Time::from_millis(now.plus_seconds(60).as_millis()).unwrap();
    let attested = shop.attest(registered(&one, Some(end)), now).unwrap();
    assert_eq!(attested.now, AttestationState::InForce);
    assert_eq!(released(&shop), 1);
    assert_eq!(verdict(&shop, 2, now), Verdict::Admissible);
    let last = Time::from_millis(end.as_millis() - 1).unwrap();
    assert_eq!(verdict(&shop, 3, last), Verdict::Admissible);
    assert_eq!(verdict(&shop, 4, end), Verdict::Withheld);
    assert_eq!(
        state(&shop, end),
        [(AttestationState::Ended, end.to_string())]
    );

    // Renewed under its number it replaces the first, and what was withheld is judged again; ended, it counts no more.
    let later = end.plus_seconds(60);
    shop.attest(registered(&one, Some(later)), end).unwrap();
    assert_eq!(released(&shop), 4);
    assert_eq!(verdict(&shop, 5, end), Verdict::Admissible);
    shop.attest(registered(&one, None), end).unwrap();
    assert_eq!(state(&shop, end)[0].0, AttestationState::Ended);
    assert_eq!(verdict(&shop, 6, end), Verdict::Withheld);
    audit(&shop, &[&shop, &one]);
    // It is read again as it was.
    drop(shop);
    let shop = Node::open(&places[0]).unwrap();
    assert_eq!(verdict(&shop, 7, end.plus_seconds(1)), Verdict::Withheld);
    audit(&shop, &[&shop, &one]);
}

#[test]
fn what_is_attested_of_one_is_no_ground_for_others() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one", "two"].map(|name| init(folder.path(), name));
    let [shop, one, two] = [0, 1, 2].map(|number: usize| Node::open(&places[number]).unwrap());
    let ids = [(&one, "one"), (&two, "two")]
        .map(|(customer, name)| agree(customer, &shop, &quality(name, "F-ONE", ""), now));
    let since = || {
        let governance = shop.governance();
        let partnerships = ids.each_ref().map(|id| governance.partnership(id).unwrap());
        partnerships.map(|partnership| governance.in_force_since(partnership))
    };
    let before = since();
    shop.attest(registered(&one, Some(now.plus_seconds(60))), now)
        .unwrap();
    let after = since();
    assert!(after[0] > before[0]);
    assert_eq!(after[1], before[1]);
    // One that holds for this organization holds in all its agreements.
    let register = Node::open(&init(folder.path(), "register")).unwrap();
    pin(&shop, &register, now);
    let pinned = since();
    assert!(pinned.iter().all(|since| *since > after[0]));
}

#[test]
fn what_begins_later_lets_out_what_was_withheld_once_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    let register = Node::open(&init(folder.path(), "register")).unwrap();
    // Its keys are good from when they were made.
    let now = crate::clock::now();
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let begin = now.plus_seconds(60);
    let statement = AttestationStatement {
        issuer: organization("register"),
        attestation: Attestation {
            subject: organization("one"),
            what: "ddtc-registered".parse().unwrap(),
            number: Some("M-1".parse().unwrap()),
            not_before: begin,
            not_after: begin.plus_days(1),
            authorization: None,
        },
        at: now,
    };
    let statement = statement.sign(&register.keys().statement);
    let file = write_armor(ArmorLabel::Attestation, &statement);
    pin(&shop, &register, now);
    let taken = shop.take_attestation(&file, now).unwrap();
    assert_eq!(taken.now, AttestationState::NotYet);
    assert_eq!(verdict(&shop, 1, now), Verdict::Withheld);
    assert_eq!(released(&shop), 0);

    shop.catch_up(begin.plus_seconds(1)).unwrap();
    assert_eq!(released(&shop), 1);
    // Let go of, its issuer says nothing more.
    let issuer = organization("register");
    let later = begin.plus_seconds(2);
    shop.unpin_issuer(&issuer, later).unwrap();
    assert_eq!(state(&shop, later)[0].0, AttestationState::IssuerNotPinned);
    assert_eq!(verdict(&shop, 2, later), Verdict::Withheld);
    let unknown = shop.unpin_issuer(&issuer, later);
    assert!(matches!(unknown, Err(IssuerError::Unknown(_))));
    audit(&shop, &[&shop, &one, &register]);
}

#[test]
fn a_licence_lets_out_what_it_names_and_nothing_else() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let licensed = |number: u32, category: &str, licence: &str| {
        let more = format!("{ITAR}usml = \"{category}\"\nlicence = \"{licence}\"\n");
        let drafts = drafts_of(&FactsFile::parse(&more).unwrap(), &number.to_string());
        let report = shop.observe(drafts, true, now).unwrap();
        report.observed[0].outcomes[0].verdict
    };
    let licence = |destination: &str| Attest {
        subject: organization("one"),
        what: "export-licence".parse().unwrap(),
        number: Some("DSP-5".parse().unwrap()),
        until: Some(now.plus_days(30)),
        authorization: Some(Authorization {
            authority: organization("ddtc"),
            number: "DSP-5".parse().unwrap(),
            not_after: now.plus_days(30),
            regime: Regime::Itar,
            items: ["VIII(h)".parse().unwrap()].into(),
            destinations: [destination.parse().unwrap()].into(),
        }),
    };
    assert_eq!(licensed(1, "VIII(h)", "DSP-5"), Verdict::Withheld);
    let nowhere = shop.attest(licence("GERMANY"), now);
    assert!(matches!(nowhere, Err(AttestError::Destination(_))));
    shop.attest(licence("DE"), now).unwrap();
    assert_eq!(licensed(2, "VIII(h)", "DSP-5"), Verdict::Withheld);
    let attested = shop.attest(licence("US"), now).unwrap();
    assert_eq!(attested.remark, None);
    assert_eq!(released(&shop), 2);
    assert_eq!(licensed(3, "VIII(h)", "DSP-5"), Verdict::Admissible);
    assert_eq!(licensed(4, "VIII(h)", "DSP-6"), Verdict::Withheld);
    assert_eq!(licensed(5, "VIII(i)", "DSP-5"), Verdict::Withheld);
    audit(&shop, &[&shop, &one]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_attested_crosses_where_both_ends_count_it() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let end = Some(now.plus_days(365));
    let attested = shop.attest(registered(&one, end), now).unwrap();
    assert_eq!(verdict(&shop, 1, now), Verdict::Admissible);

    // The recipient takes it in once it pinned the issuer, and no altered one.
    let refused = one.take_attestation(&attested.file, now);
    assert!(matches!(
        refused,
        Err(AttestError::Attestation(AttestationError::Unpinned(_)))
    ));
    pin(&one, &shop, now);
    one.take_attestation(&attested.file, now).unwrap();
    let size = one.store().size();
    one.take_attestation(&attested.file, now).unwrap();
    assert_eq!(one.store().size(), size);
    drop((shop, one));

    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    until_held(&one, 1).await;
    until("it is acknowledged", || acknowledged(&shop.node) == [1]).await;
    let nodes = [&*shop.node, &*one.node];
    for node in nodes {
        audit(node, &nodes);
    }
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_before_it_was_attested_here_comes_again() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let attested = shop
        .attest(registered(&one, Some(now.plus_days(365))), now)
        .unwrap();
    assert_eq!(verdict(&shop, 1, now), Verdict::Admissible);
    drop((shop, one));

    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    until("it is refused", || acknowledged(&shop.node) == [1]).await;
    assert_eq!(held(&one.node), 0);
    // What is pinned first is asked for and refused once more; what is taken in after that is asked for at once.
    pin(&one.node, &shop.node, now);
    until("it is refused again", || acknowledged(&shop.node) == [2]).await;
    one.node.take_attestation(&attested.file, now).unwrap();
    until_held(&one, 1).await;
    until("it is acknowledged", || acknowledged(&shop.node) == [3]).await;
    let nodes = [&*shop.node, &*one.node];
    for node in nodes {
        audit(node, &nodes);
    }
    for running in [shop, one] {
        running.stop().await;
    }
}

async fn until_held(running: &Running, count: usize) {
    until("it is held", || held(&running.node) == count).await;
}

#[test]
fn what_was_stated_minutes_ahead_of_the_clock_here_waits() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder.path(), name)).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    pin(&one, &shop, now);
    let stated = shop.attest(
        registered(&one, Some(now.plus_days(365))),
        now.plus_seconds(400),
    );
    let file = stated.unwrap().file;
    let size = one.store().size();
    let refused = one.take_attestation(&file, now).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("one of the two clocks is wrong")
    );
    assert_eq!(one.store().size(), size);
    one.take_attestation(&file, now.plus_seconds(100)).unwrap();
}

#[test]
fn what_ended_stays_ended_then() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let [shop, one] = ["shop", "one"].map(|name| Node::open(&init(folder.path(), name)).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    shop.attest(registered(&one, Some(now.plus_days(365))), now)
        .unwrap();
    let ended = shop.attest(registered(&one, None), now.plus_seconds(60));
    let ended = ended.unwrap();
    let size = shop.store().size();
    let again = shop.attest(registered(&one, None), now.plus_days(30));
    assert_eq!(again.unwrap(), ended);
    assert_eq!(shop.store().size(), size);
}

#[test]
fn nobody_attests_anything_of_itself() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let before = one.store().size();
    let until = Some(now.plus_days(365));
    let itself = one.attest(registered(&one, until), now);
    assert!(matches!(itself, Err(AttestError::OfItself(_))));
    let past = one.attest(registered(&shop, Some(now)), now);
    assert!(matches!(past, Err(AttestError::Past { .. })));
    let nothing = one.attest(registered(&shop, None), now);
    assert!(matches!(nothing, Err(AttestError::NothingToEnd(_))));
    let stranger = Attest {
        subject: organization("stranger"),
        ..registered(&shop, until)
    };
    let unknown = one.attest(stranger, now);
    assert!(matches!(unknown, Err(AttestError::UnknownOrganization(_))));
    assert_eq!(one.store().size(), before);

    let own = PinIssuer {
        card: one.card(now).unwrap(),
        root: one.root_fingerprint(),
    };
    let own = one.pin_issuer(own, now);
    assert!(matches!(own, Err(IssuerError::Own(_))));
    let differs = PinIssuer {
        card: shop.card(now).unwrap(),
        root: one.root_fingerprint(),
    };
    let differs = one.pin_issuer(differs, now);
    assert!(matches!(differs, Err(IssuerError::Differs { .. })));
    assert_eq!(one.store().size(), before);

    // A name that no policy asks for is told.
    let slip = Attest {
        what: "ddtc-registred".parse().unwrap(),
        ..registered(&shop, until)
    };
    let remark = one.attest(slip, now).unwrap().remark.unwrap();
    assert!(remark.contains("asks for `ddtc-registred`"), "{remark}");
    assert!(
        remark.contains("they ask for `ddtc-registered`"),
        "{remark}"
    );

    // However much is attested, a decision still holds it.
    let attest = |number: usize, until: Option<Time>| {
        let more = Attest {
            number: Some(format!("{number:0>200}").parse().unwrap()),
            ..registered(&shop, until)
        };
        one.attest(more, now)
    };
    let refused = (0..200).find_map(|number| attest(number, until).err());
    assert!(matches!(refused, Some(AttestError::TooMuch(_))));
    // What takes no more room is taken in all the same, and what ends something makes room.
    attest(0, Some(now.plus_days(400))).unwrap();
    attest(1, None).unwrap();
    attest(1_000, until).unwrap();
}

#[test]
fn an_own_attestation_that_the_ledger_does_not_hold_is_made_again() {
    let now = crate::clock::now();
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one"].map(|name| init(folder.path(), name));
    let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
    agree(&one, &shop, &quality("one", "F-ONE", ""), now);
    let kept = folder.path().join("kept");
    drop(shop);
    crate::store::faults::copy(&places[0], &kept);
    let shop = Node::open(&places[0]).unwrap();
    let attested = shop
        .attest(registered(&one, Some(now.plus_days(365))), now)
        .unwrap();
    // What it holds already is known, also from a file.
    shop.take_attestation(&attested.file, now).unwrap();
    drop(shop);
    let restored = Node::open(&kept).unwrap();
    let refused = restored.take_attestation(&attested.file, now.plus_seconds(3_600));
    assert!(
        matches!(refused, Err(AttestError::OwnNotHeld(_))),
        "{refused:?}"
    );
    audit_without_decisions(&restored, &[&restored, &one]);
}
