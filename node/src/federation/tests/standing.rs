//! What a person is told is true now: how agreements stand, what became of each observation, what comes again.

use super::*;
use crate::failure::FailureKind;
use crate::holding::{InspectError, Outcome, RecipientAnswer, Unasked, Why};
use crate::node::{LinkTrouble, Way};
use crate::partnership::Standing;
use crate::release::OfferError;
use crate::store::{BoxKey, Write};
use ambit_ledger::{Digest, Layer, ProfileActivated, Verdict};
use ambit_policy::{NoLimits, schema_digest, schema_text};

const MENDED: &str = include_str!("../../../../policy/profiles/owner.cedar");

/// Keeps quality data in.
const STRICT: &str = r#"
@id("owner-default")
permit (principal, action, resource is Ambit::Observation);

@id("owner-not-yet")
forbid (principal, action, resource is Ambit::Observation)
when { resource.dataClass in Ambit::DataClass::"quality" };
"#;

/// Takes nothing in.
const CLOSED: &str = r#"
@id("owner-default")
permit (principal, action, resource is Ambit::Observation);

@id("owner-closed")
forbid (principal, action == Ambit::Action::"admit", resource is Ambit::Observation);
"#;

/// Facts of the customer's own.
const OWN: &str = r#"
source = "m-2"
submodel = "urn:sub"
semantic_id = "urn:sem"
data_class = "inspection-result"
owner = "did:web:one.example"
trade_secret = false
program = { assigner = "did:web:one.example", value = "F-ONE" }

[export_control]
determined = true
itar = false
eccn = "EAR99"
"#;

/// A supplier and a customer that agree, neither of which runs.
struct Two {
    _folder: tempfile::TempDir,
    places: [PathBuf; 2],
    shop: Node,
    one: Node,
    now: Time,
}

impl Two {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = ["shop", "one"].map(|name| init(folder.path(), name));
        let [shop, one] = [0, 1].map(|number: usize| Node::open(&places[number]).unwrap());
        let now = crate::clock::now();
        agree(&one, &shop, text, now);
        Self {
            _folder: folder,
            places,
            shop,
            one,
            now,
        }
    }

    fn observe(&self, number: u32) -> String {
        let drafts = draft("one", "F-ONE", "inspection-result", number);
        let report = self.shop.observe(drafts, true, self.now).unwrap();
        report.observed[0].id.to_string()
    }

    fn why(&self, id: &str, now: Time) -> Why {
        let mut answers = self.shop.why(id, &organization("one"), now).unwrap();
        answers.remove(0)
    }

    fn activate(&self, text: &str) {
        self.shop
            .activate_profile(Layer::Owner, text, self.now)
            .unwrap();
    }

    /// Released, withdrawn, withheld and undecided.
    fn counts(&self) -> [u64; 4] {
        counts(&self.shop)
    }

    fn audit(&self) {
        audit(&self.shop, &[&self.shop, &self.one]);
    }
}

fn counts(node: &Node) -> [u64; 4] {
    let status = node.status(crate::clock::now()).unwrap();
    let pair = &status.pairs[0];
    [pair.released, pair.withdrawn, pair.withheld, pair.undecided]
}

fn layers(node: &Node) -> Vec<(Layer, u64)> {
    let status = node.status(crate::clock::now()).unwrap();
    status.pairs[0].layers.clone().into_iter().collect()
}

#[test]
fn what_was_withheld_under_a_profile_comes_again_when_it_is_mended() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.activate(STRICT);
    let ids: Vec<String> = (0..70).map(|number| two.observe(number)).collect();
    assert_eq!(two.counts(), [0, 0, 70, 0]);
    assert_eq!(layers(&two.shop), [(Layer::Owner, 70)]);
    let recorded = two.why(&ids[3], two.now).recorded.unwrap();
    assert_eq!(recorded.outcome, Outcome::Withheld);

    two.activate(MENDED);
    assert_eq!(two.counts(), [70, 0, 0, 0]);
    assert_eq!(layers(&two.shop), []);
    let why = two.why(&ids[3], two.now);
    assert_eq!(why.recorded.unwrap().outcome, Outcome::Disclosed);
    assert!(!why.may_be_offered);
    two.audit();
    // Nothing of it has to be passed over again, and that is no damage.
    let outbox = BoxKey::new(&"one/shop".parse().unwrap(), &organization("one"));
    let decisions = two.shop.store().withholding_decisions(&outbox).unwrap();
    assert_eq!(decisions, []);
    // A node that counts all at once comes to the same.
    let Two {
        _folder,
        places,
        shop,
        one,
        ..
    } = two;
    drop((shop, one));
    let checked = crate::store::check(&places[0], true, &|_| {}).unwrap();
    assert!(checked.is_sound(), "{checked:?}");
    assert_eq!(counts(&Node::open(&places[0]).unwrap()), [70, 0, 0, 0]);
}

#[test]
fn what_was_cut_off_after_a_profile_came_into_force_is_done_by_asking_again() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.activate(STRICT);
    (0..3).for_each(|number| drop(two.observe(number)));
    // In force, and nothing more: as where a process ends there.
    let mended = Body::ProfileActivated(ProfileActivated {
        layer: Layer::Owner,
        profile: Digest::of(MENDED.as_bytes()),
        schema: schema_digest(),
        anyway: None,
    });
    let writes = vec![
        Write::Blob(schema_text().as_bytes().to_vec()),
        Write::Blob(MENDED.as_bytes().to_vec()),
        Write::Entry(mended),
    ];
    two.shop.changing().commit(writes, two.now).unwrap();
    assert_eq!(two.counts(), [0, 0, 3, 0]);
    two.activate(MENDED);
    assert_eq!(two.counts(), [3, 0, 0, 0]);
    two.audit();
}

#[test]
fn a_dry_run_records_nothing_and_an_offer_says_who_still_withholds() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.activate(STRICT);
    two.observe(1);
    two.observe(2);
    let partnership = "one/shop".parse().unwrap();
    let one = organization("one");
    let size = two.shop.store().size();
    let offer = |is_dry_run| {
        let offered = two
            .shop
            .offer(&partnership, Some(&one), is_dry_run, two.now);
        let offered = offered.unwrap().remove(0);
        assert_eq!((offered.released, offered.withheld), (0, 2));
        assert_eq!(offered.layers, [(Layer::Owner, 2)].into());
    };
    offer(true);
    assert_eq!(two.shop.store().size(), size);
    offer(false);
    // The same no again is no news.
    assert_eq!(two.shop.store().size(), size);
    assert_eq!(two.counts(), [0, 0, 2, 0]);

    let unknown = "no/such".parse().unwrap();
    let error = two.shop.offer(&unknown, None, true, two.now).unwrap_err();
    assert!(matches!(error, OfferError::Unknown(_)), "{error}");
    let stranger = organization("two");
    let offered = two.shop.offer(&partnership, Some(&stranger), true, two.now);
    assert!(matches!(offered, Err(OfferError::NotMember { .. })));
    two.audit();
}

#[test]
fn an_answer_that_changes_from_one_no_to_another_is_told() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.activate(STRICT);
    two.observe(1);
    assert_eq!(two.counts(), [0, 0, 1, 0]);
    two.activate(BROKEN);
    assert_eq!(two.counts(), [0, 0, 0, 1]);
    assert_eq!(layers(&two.shop), []);
    two.activate(STRICT);
    assert_eq!(two.counts(), [0, 0, 1, 0]);
    assert_eq!(layers(&two.shop), [(Layer::Owner, 1)]);
    two.audit();
}

#[test]
fn a_permit_beside_an_error_is_told_as_a_permit() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.activate(BROKEN);
    let id = two.observe(1);
    assert_eq!(two.counts(), [0, 0, 0, 1]);
    let why = two.why(&id, two.now);
    assert_eq!(why.recorded.unwrap().outcome, Outcome::Undecided);
    let owner = &why.purposes[0].layers[0];
    assert_eq!(
        (owner.layer, owner.verdict),
        (Layer::Owner, Verdict::Undecided)
    );
    assert_eq!(owner.policies.len(), 1);
    assert_eq!(owner.policies[0].policy, "owner-default");
    assert!(!owner.policies[0].forbids);
    assert_eq!(owner.near_misses[0].policy, "owner-broken");
    two.activate(MENDED);
    assert_eq!(two.counts(), [1, 0, 0, 0]);
    two.audit();
}

#[test]
fn nobody_is_asked_about_for_its_own_organization() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    let id = two.observe(1);
    let error = two.shop.why(&id, &organization("shop"), two.now);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("is this node's own organization"), "{error}");
}

#[test]
fn nothing_is_judged_for_an_agreement_that_is_over() {
    let now = crate::clock::now().start_of_millis();
    let (end, later) = (now.plus_seconds(60), now.plus_seconds(240));
    let text = quality("one", "F-ONE", "").replace("2100-01-01T00:00:00Z", &end.to_string());
    let two = Two::new(&text);
    let size = two.shop.store().size();
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    let report = two.shop.observe(drafts, true, later).unwrap();
    assert_eq!(report.observed[0].outcomes, []);
    // The observation, and nothing of what became of it.
    assert_eq!(two.shop.store().size(), size + 1);
    two.shop.catch_up(later).unwrap();
    assert_eq!(two.shop.store().size(), size + 1);

    let listed = two.shop.partner_list(later).remove(0);
    assert_eq!((listed.state, listed.since), (Standing::Ended, Some(end)));
    let peer = two.shop.peers(later).unwrap().remove(0);
    assert_eq!((peer.state, peer.since), (Standing::Ended, Some(end)));
    let status = two.shop.status(later).unwrap();
    assert_eq!(status.pairs[0].state, Standing::Ended);
    let why = two.why(&report.observed[0].id.to_string(), later);
    assert_eq!(why.unasked, Some(Unasked::Ended { ended: end }));
    assert_eq!(why.recorded, None);
    let offered = two
        .shop
        .offer(&"one/shop".parse().unwrap(), None, true, later);
    let error = offered.unwrap_err().to_string();
    assert!(error.contains("is ended"), "{error}");
    audit_without_decisions(&two.shop, &[&two.shop, &two.one]);
}

#[test]
fn what_waits_under_an_agreement_that_is_over_is_said_not_to_go() {
    let now = crate::clock::now().start_of_millis();
    let (end, later) = (now.plus_seconds(60), now.plus_seconds(240));
    let text = quality("one", "F-ONE", "").replace("2100-01-01T00:00:00Z", &end.to_string());
    let two = Two::new(&text);
    let drafts = draft("one", "F-ONE", "inspection-result", 1);
    two.shop.observe(drafts, true, two.now).unwrap();
    for (at, waiting) in [(two.now, (1, 0)), (later, (0, 1))] {
        let peer = two.shop.peers(at).unwrap().remove(0);
        assert_eq!((peer.waiting, peer.stranded), waiting);
        assert_eq!(peer.acknowledged, 0);
    }
    two.audit();
}

#[test]
fn what_no_limits_cover_names_what_was_missed() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    let unasked = |program: &str, class: &str| {
        let drafts = draft("one", program, class, 1);
        let report = two.shop.observe(drafts, true, two.now).unwrap();
        let why = two.why(&report.observed[0].id.to_string(), two.now);
        why.unasked.unwrap()
    };
    let program = unasked("F-TWO", "inspection-result");
    assert!(
        matches!(&program, Unasked::NoLimits(NoLimits::Program { .. })),
        "{program}"
    );
    let text = program.to_string();
    assert!(text.contains("`F-TWO") && text.contains("`F-ONE"), "{text}");
    let class = unasked("F-ONE", "toolpath");
    let text = class.to_string();
    assert!(
        text.contains("`toolpath`") && text.contains("`quality`"),
        "{text}"
    );
    audit_without_decisions(&two.shop, &[&two.shop, &two.one]);
}

#[test]
fn filters_take_what_lies_within_and_name_what_is_near() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.observe(1);
    let list = |filter| two.shop.list(&filter);
    let of_class = |class: &str| Filter {
        data_class: Some(class.parse().unwrap()),
        ..Filter::default()
    };
    for (class, count) in [("quality", 1), ("inspection-result", 1), ("toolpath", 0)] {
        assert_eq!(list(of_class(class)).unwrap().len(), count, "{class}");
    }
    let error = list(of_class("qualty")).unwrap_err().to_string();
    assert!(error.contains("did you mean `quality`?"), "{error}");
    let of_origin = |name: &str| Filter {
        origin: Some(organization(name)),
        ..Filter::default()
    };
    assert_eq!(list(of_origin("one")).unwrap(), []);
    let error = list(of_origin("shpo")).unwrap_err();
    assert!(
        matches!(error, InspectError::UnknownOrganization { .. }),
        "{error}"
    );
    let failure = crate::failure::Failure::from(error);
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(
        failure.message.contains("`did:web:shop.example`"),
        "{}",
        failure.message
    );
}

#[test]
fn stores_that_disagree_are_told_until_they_agree() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    let (partnership, one) = ("one/shop".parse().unwrap(), organization("one"));
    let told = || {
        let status = two.shop.status(two.now).unwrap();
        let peer = two.shop.peers(two.now).unwrap().remove(0);
        (status.troubles.len(), peer.troubles.len())
    };
    assert_eq!(told(), (0, 0));
    let note = |way, trouble| two.shop.note_link(&partnership, &one, way, trouble);
    let how = "the cursor is beyond the outbox".to_owned();
    note(Way::Outbound, Some(LinkTrouble::Diverged(how.clone())));
    assert_eq!(told(), (1, 1));
    note(Way::Inbound, Some(LinkTrouble::Diverged(how)));
    assert_eq!(told(), (2, 2));
    let troubles = two.shop.status(two.now).unwrap().troubles;
    assert!(troubles[0].contains("about what was sent"), "{troubles:?}");
    assert!(troubles[1].contains("about what it sent"), "{troubles:?}");
    note(Way::Inbound, None);
    note(Way::Outbound, Some(LinkTrouble::NoCommonVersion));
    let troubles = two.shop.status(two.now).unwrap().troubles;
    assert!(
        troubles[0].ends_with("update the older one"),
        "{troubles:?}"
    );
    let until = two.now.plus_seconds(60);
    two.shop.note_barred([(peer_of(&two.one), until)].into());
    assert_eq!(told(), (2, 2));
    note(Way::Outbound, None);
    two.shop.note_barred(BTreeMap::new());
    assert_eq!(told(), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_recipient_refuses_is_told_on_both_sides() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    let id = two.observe(1);
    let now = two.now;
    two.one.activate_profile(Layer::Owner, CLOSED, now).unwrap();
    let Two {
        _folder,
        places,
        shop,
        one,
        ..
    } = two;
    drop((shop, one));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    until("the refusal is acknowledged", || {
        acknowledged(&shop.node) == [1]
    })
    .await;
    let refused = BTreeMap::from([("not-admissible".to_owned(), 1)]);
    let status = shop.node.status(now).unwrap();
    assert_eq!(status.pairs[0].not_taken, refused);
    assert_eq!(counts(&shop.node), [1, 0, 0, 0]);
    let why = shop.node.why(&id, &organization("one"), now).unwrap();
    let answer = why[0].recorded.as_ref().unwrap().answer.clone();
    let Some(RecipientAnswer { code, .. }) = answer else {
        panic!("the recipient answered");
    };
    assert_eq!(code.as_deref(), Some("not-admissible"));
    until("the recipient recorded it", || {
        let status = one.node.status(now).unwrap();
        status.pairs[0].refused == refused
    })
    .await;
    let peer = shop.node.peers(now).unwrap().remove(0);
    assert_eq!(peer.not_taken, refused);
    for running in [shop, one] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_say_of_one_submodel_is_never_mixed() {
    let two = Two::new(&quality("one", "F-ONE", ""));
    two.observe(1);
    let now = two.now;
    // The customer speaks of a submodel of the same id, later, and of one more element.
    let own = FactsFile::parse(OWN).unwrap();
    let values =
        [("Value", "9"), ("Other", "2")].map(|(path, value)| (path.to_owned(), value.to_owned()));
    let at: Time = "2017-07-12T04:00:00Z".parse().unwrap();
    let drafts = observe_values(
        &values,
        &BTreeMap::new(),
        &own,
        &FactsFile::default(),
        at,
        now,
    );
    two.one.observe(drafts.unwrap(), true, now).unwrap();
    let Two {
        _folder,
        places,
        shop,
        one,
        ..
    } = two;
    drop((shop, one));
    let shop = Running::start(&places[0]).await;
    let one = Running::start(&places[1]).await;
    until("the customer holds both", || held(&one.node) == 2).await;
    let latest = one.node.latest("urn:sub", None).unwrap();
    let said = |name: &str| -> Vec<(String, String)> {
        let elements = latest[&organization(name)].iter();
        elements
            .map(|element| {
                let value = element.value.clone().unwrap_or_default();
                (element.path.clone(), value.to_string())
            })
            .collect()
    };
    let pair = |path: &str, value: &str| (path.to_owned(), value.to_owned());
    assert_eq!(said("shop"), [pair("Value", "1")]);
    assert_eq!(said("one"), [pair("Other", "2"), pair("Value", "9")]);
    let shops = organization("shop");
    let latest = one.node.latest("urn:sub", Some(&shops)).unwrap();
    assert_eq!(latest.keys().collect::<Vec<_>>(), [&shops]);
    for running in [shop, one] {
        running.stop().await;
    }
}
