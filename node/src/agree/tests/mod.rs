//! What is signed and what is not, between two nodes that hand files to each other.

mod cards;
mod signable;

use super::*;
use crate::config::{ApiSettings, MeshSettings, OrganizationSettings, Settings};
use crate::failure::{Failure, FailureKind};
use crate::link::Quota;
use crate::node::{Actor, Ask as _, Node};
use crate::partnership::{ArmorLabel, PartnershipFile, read_armor, write_armor};
use crate::store::Write;
use ambit_audit::{AuditVerdict, Bundle, Trust, verify};
use ambit_ledger::{
    AgreementState, Body, Decline, Digest, Fingerprint, Layer, ManifestSignature, Name,
    OrganizationId, PartnershipTerms, ProfileActivated, Time,
};
use ambit_policy::{TermsError, default_profile, schema_digest};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Roots = BTreeMap<OrganizationId, Fingerprint>;

/// A customer, who declares, and a supplier, who accepts.
struct Scene {
    folder: TempDir,
    customer: Node,
    supplier: Node,
    now: Time,
}

fn place(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}

fn settings(name: &str) -> Settings {
    Settings {
        organization: OrganizationSettings {
            id: format!("did:web:{name}.example").parse().unwrap(),
            name: name.parse().unwrap(),
            seat: "DE".parse().unwrap(),
            hosting: ["DE".parse().unwrap()].into(),
            personnel: ["DE".parse().unwrap()].into(),
            claims: Vec::new(),
        },
        mesh: MeshSettings::default(),
        api: ApiSettings::default(),
        quotas: Quota::default(),
        example: None,
    }
}

fn node(folder: &Path, name: &str, settings: &Settings, now: Time) -> Node {
    let place = place(folder, name);
    Node::init(&place, settings, now).unwrap();
    Node::open(&place).unwrap()
}

fn root(node: &Node) -> Roots {
    let id = node.settings().organization.id.clone();
    [(id, node.root_fingerprint())].into()
}

/// The text of a declaration with these other members.
fn declaration(name: &str, until: Time, more: &str, members: &[&str]) -> String {
    let members = members.iter();
    let members: Vec<String> = members
        .map(|member| format!("[[member]]\ncard = \"{member}.card\"\n"))
        .collect();
    let members = members.concat();
    format!(
        r#"
partnership = "{name}"
title = "Quality"
program = "F-ONE"
data_classes = ["quality"]
purposes = ["urn:ambit:purpose:supplier-quality"]
observed_from = "2026-01-01T00:00:00Z"
observed_until = "2027-01-01T00:00:00Z"
until = "{until}"
retention_days = 365
onward_hops = 0
{more}
{members}"#
    )
}

impl Scene {
    fn new() -> Self {
        Self::with(settings("supplier"))
    }

    /// With these settings of the supplier.
    fn with(supplier: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = whole_seconds(crate::clock::now());
        let customer = node(folder.path(), "customer", &settings("customer"), now);
        let supplier = node(folder.path(), "supplier", &supplier, now);
        Self {
            folder,
            customer,
            supplier,
            now: now.plus_seconds(1),
        }
    }

    /// The customer declares an agreement of this name that ends then, with `more` keys.
    fn declare(&self, name: &str, until: Time, more: &str) -> Proposal {
        self.try_declare(name, until, more).unwrap()
    }

    /// Likewise, whatever comes of it.
    fn try_declare(&self, name: &str, until: Time, more: &str) -> Result<Proposal, PartnerError> {
        let card = self.supplier.card(self.now).unwrap();
        self.declare_with(name, until, more, card)
    }

    /// With this card of the supplier.
    fn declare_with(
        &self,
        name: &str,
        until: Time,
        more: &str,
        card: String,
    ) -> Result<Proposal, PartnerError> {
        let text = declaration(name, until, more, &["supplier"]);
        let roots = root(&self.supplier);
        self.customer.declare(&text, &[card], &roots, self.now)
    }

    /// The supplier accepts, whatever comes of it.
    fn accept(&self, file: &str, now: Time) -> Result<Proposal, PartnerError> {
        self.supplier.accept(file, &root(&self.customer), now)
    }

    /// Audits a ledger with the roots of these.
    fn audit(node: &Node, trusted: &[&Node]) {
        let bytes = node.export(Vec::new()).unwrap().0;
        let mut trust = Trust::new();
        for node in trusted {
            trust.merge(Trust::parse(&node.trust().unwrap()).unwrap());
        }
        let report = verify(&Bundle::read(bytes.as_slice()).unwrap(), &trust);
        assert_eq!(report.verdict(), AuditVerdict::Verified, "{report}");
    }
}

fn whole_seconds(time: Time) -> Time {
    Time::from_millis(time.as_millis() / 1_000 * 1_000).unwrap()
}

fn kind(error: PartnerError) -> (FailureKind, String) {
    let failure = Failure::from(error);
    (failure.kind, failure.message)
}

/// Nothing was recorded since.
#[track_caller]
fn unchanged(node: &Node, before: u64) {
    assert_eq!(node.store().size(), before);
}

#[test]
fn what_is_over_is_not_signed() {
    let scene = Scene::new();
    let end = scene.now.plus_seconds(60);
    let lease = format!("lease_until = \"{end}\"");
    let far = scene.now.plus_days(300);
    for (name, until, more, words) in [
        ("c/s/ended", end, "", "`c/s/ended` ended at"),
        (
            "c/s/leased",
            far,
            lease.as_str(),
            "the lease of `c/s/leased` ran out at",
        ),
    ] {
        let invitation = scene.declare(name, until, more).file;
        let before = scene.supplier.store().size();
        for now in [end, end.plus_seconds(1)] {
            let page = scene.supplier.review(&invitation, now).unwrap();
            assert!(page.words.contains("DO NOT SIGN"), "{}", page.words);
            assert!(page.over.unwrap().contains(&end.to_string()));
            let (_, message) = kind(scene.accept(&invitation, now).unwrap_err());
            for words in [
                words,
                &end.to_string(),
                "nothing was signed",
                "ask `did:web:customer",
            ] {
                assert!(message.contains(words), "{words}: {message}");
            }
            // Nobody is asked to telephone for it, either.
            let uncompared = scene.supplier.accept(&invitation, &Roots::new(), now);
            assert!(matches!(uncompared, Err(PartnerError::Past(_))));
            unchanged(&scene.supplier, before);
            // Nor is an invitation to it written again: who declared it asks nobody for another.
            let again = scene.customer.invite(&name.parse().unwrap(), now);
            let (_, message) = kind(again.unwrap_err());
            let own = "nothing was signed: declare a new agreement";
            assert!(message.contains(own), "{message}");
            // Its declarer does not wait for a signature, and judges nothing for it.
            let governance = scene.customer.governance();
            let proposal = governance.partnership(&name.parse().unwrap()).unwrap();
            assert!(proposal.standing(now).is_over() && !proposal.is_judged(now));
            assert_eq!(
                proposal.state(now) == AgreementState::Ended,
                more.is_empty()
            );
            let listed = scene.customer.partner_list(now);
            let listed = listed.iter().find(|one| one.partnership.as_str() == name);
            assert_eq!(listed.unwrap().since, Some(end));
        }
        assert!(
            scene
                .supplier
                .governance()
                .partnership(&name.parse().unwrap())
                .is_none()
        );
    }
}

#[test]
fn a_signature_that_comes_too_late_is_not_taken_in() {
    let scene = Scene::new();
    let end = scene.now.plus_seconds(60);
    let name = "c/s/late".parse().unwrap();
    let invitation = scene.declare("c/s/late", end, "").file;
    let in_time = end.plus_seconds(0);
    let last = Time::from_millis(in_time.as_millis() - 1).unwrap();
    let signed = scene.accept(&invitation, last).unwrap();
    assert!(signed.is_active && signed.over.is_none());

    let before = scene.customer.store().size();
    let roots = root(&scene.supplier);
    let late = scene.customer.accept(&signed.file, &roots, end);
    assert!(matches!(
        late,
        Err(PartnerError::Past(PastError::Ended { .. }))
    ));
    for statement in PartnershipFile::read(&signed.file).unwrap().statements {
        match scene
            .customer
            .take_signature(&statement, Actor::Member, end)
        {
            Err(PartnerError::Past(_)) => {}
            // Its own, which it has.
            Ok(is_new) => assert!(!is_new),
            Err(error) => panic!("{error}"),
        }
    }
    unchanged(&scene.customer, before);

    // Where all signed in time, what is asked later is answered with how it stands.
    let before = scene.supplier.store().size();
    let known = scene.accept(&signed.file, end).unwrap();
    assert_eq!(known.over.unwrap(), format!("ended at {end}"));
    assert!(scene.supplier.invite(&name, end).unwrap().over.is_some());
    unchanged(&scene.supplier, before);
}

#[test]
fn a_window_that_holds_nothing_is_not_signed() {
    let scene = Scene::new();
    let far = scene.now.plus_days(300);
    let invitation = scene.declare("c/s/window", far, "").file;
    let forged = resigned(&scene.customer, &invitation, |terms| {
        terms.observed_until = terms.observed_from;
    });
    let refused = scene.accept(&forged, scene.now);
    assert!(
        matches!(
            refused,
            Err(PartnerError::Terms(TermsError::EmptyWindow(_)))
        ),
        "{refused:?}"
    );
    let (_, message) = kind(refused.unwrap_err());
    assert!(
        message.contains("must end after 2026-01-01T00:00:00Z"),
        "{message}"
    );
}

/// An invitation to other terms, truly signed by its declarer.
fn resigned(
    declarer: &Node,
    invitation: &str,
    change: impl FnOnce(&mut PartnershipTerms),
) -> String {
    let file = PartnershipFile::read(invitation).unwrap();
    let mut terms = file.unverified_terms().unwrap().unwrap();
    change(&mut terms);
    let key = &declarer.keys().agreement;
    let statement = ManifestSignature::sign(&terms, &terms.declarer, terms.declared_at, key);
    PartnershipFile {
        statements: vec![ByteBuf::from(statement)],
        decline: None,
    }
    .write()
}

#[test]
fn no_key_but_that_for_agreements_makes_one() {
    let scene = Scene::new();
    let invitation = scene.declare("c/s/key", scene.now.plus_days(300), "").file;
    let terms = PartnershipFile::read(&invitation).unwrap();
    let terms = terms.unverified_terms().unwrap().unwrap();
    let keys = scene.customer.keys();
    let before = scene.supplier.store().size();
    for key in [&keys.statement, &keys.checkpoint, &keys.transport] {
        let signed = ManifestSignature::sign(&terms, &terms.declarer, terms.declared_at, key);
        let forged = PartnershipFile {
            statements: vec![ByteBuf::from(signed)],
            decline: None,
        }
        .write();
        for refused in [
            scene.supplier.review(&forged, scene.now),
            scene.accept(&forged, scene.now),
        ] {
            let (kind, message) = kind(refused.unwrap_err());
            assert_eq!(kind, FailureKind::Verification, "{message}");
            assert!(
                message.contains("not certified for this purpose"),
                "{message}"
            );
        }
    }
    unchanged(&scene.supplier, before);

    // Nor does another key decline one.
    let declined = |key| {
        let decline = Decline {
            member: scene.supplier.settings().organization.id.clone(),
            edition: terms.digest(),
            reason: "retention is too long".parse().unwrap(),
            at: scene.now,
        };
        scene
            .customer
            .take_decline(&decline.sign(key), Actor::Member, scene.now)
    };
    let before = scene.customer.store().size();
    let keys = scene.supplier.keys();
    for key in [&keys.statement, &keys.checkpoint, &keys.transport] {
        let (kind, _) = kind(declined(key).unwrap_err());
        assert_eq!(kind, FailureKind::Verification);
    }
    unchanged(&scene.customer, before);
    declined(&keys.agreement).unwrap();
    unchanged(&scene.customer, before + 1);
    for node in [&scene.customer, &scene.supplier] {
        Scene::audit(node, &[&scene.customer, &scene.supplier]);
    }
}

#[test]
fn whatever_byte_was_altered_is_a_failed_verification() {
    let scene = Scene::new();
    let invitation = scene
        .declare("c/s/altered", scene.now.plus_days(300), "")
        .file;
    let payload = read_armor(ArmorLabel::Partnership, &invitation).unwrap();
    let before = scene.supplier.store().size();
    for place in (0..payload.len()).step_by(11) {
        let mut altered = payload.clone();
        altered[place] ^= 1 << (place % 8);
        let file = write_armor(ArmorLabel::Partnership, &altered);
        for refused in [
            scene.supplier.review(&file, scene.now),
            scene.accept(&file, scene.now),
            decline(&scene.supplier, &file, &Roots::new(), scene.now),
        ] {
            let (kind, message) = kind(refused.unwrap_err());
            assert_eq!(kind, FailureKind::Verification, "byte {place}: {message}");
        }
    }
    unchanged(&scene.supplier, before);
    assert!(scene.accept(&invitation, scene.now).unwrap().is_active);
}

#[test]
fn signed_already_is_said_of_what_verifies_alone() {
    let scene = Scene::new();
    let invitation = scene
        .declare("c/s/twice", scene.now.plus_days(300), "")
        .file;
    scene.accept(&invitation, scene.now).unwrap();
    let payload = read_armor(ArmorLabel::Partnership, &invitation).unwrap();
    let mut altered = payload;
    // The last bytes are the declarer's signature.
    *altered.last_mut().unwrap() ^= 1;
    let altered = write_armor(ArmorLabel::Partnership, &altered);
    let ask = |file: &str| {
        let now = scene.now;
        let declined = decline(&scene.supplier, file, &Roots::new(), now);
        [
            scene.supplier.review(file, now),
            scene.accept(file, now),
            declined,
        ]
    };
    let [reviewed, accepted, declined] = ask(&invitation);
    assert!(reviewed.unwrap().is_known && accepted.unwrap().is_known);
    assert!(matches!(declined, Err(PartnerError::SignedAlready { .. })));
    for refused in ask(&altered) {
        assert!(
            matches!(refused, Err(PartnerError::Signature(_))),
            "{refused:?}"
        );
    }
}

fn decline(node: &Node, file: &str, roots: &Roots, now: Time) -> Result<Proposal, PartnerError> {
    node.decline(file, roots, "retention is too long".parse().unwrap(), now)
}

#[test]
fn a_profile_that_hardly_does_what_is_meant_takes_a_reason() {
    let scene = Scene::new();
    let node = &scene.customer;
    let size = node.store().size();
    let nothing = "@id(\"n\") forbid (principal, action, resource);\n";
    let open = "@id(\"y\") permit (principal, action, resource);\n";
    for (layer, text, words) in [
        (Layer::Owner, nothing, "lets nothing cross"),
        (Layer::Regulatory, open, "stops nothing"),
    ] {
        let error = node.activate_profile(layer, text, scene.now).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(words) && error.contains("--anyway --reason"),
            "{error}"
        );
    }
    let typed = "@id(\"t\") permit (principal, action, resource is Ambit::Observation)\n\
                 when { resource.dataClass in Ambit::DataClass::\"toolpth\" };\n";
    assert!(
        node.activate_profile(Layer::Owner, typed, scene.now)
            .is_err()
    );
    unchanged(node, size);
    let anyway = |layer: Layer, text: &str| ActivateProfile {
        layer,
        text: text.to_owned(),
        anyway: Some("while the line is down".parse().unwrap()),
    };
    anyway(Layer::Owner, nothing)
        .answer(node, scene.now)
        .unwrap();
    let status = node.status(scene.now).unwrap();
    let owner = status.profiles.iter().find(|one| one.layer == Layer::Owner);
    let owner = owner.unwrap();
    assert_eq!(
        owner.anyway.as_ref().map(Name::as_str),
        Some("while the line is down")
    );
    assert_eq!(owner.shipped_with, None);
    let others = status
        .profiles
        .iter()
        .filter(|one| one.layer != Layer::Owner);
    assert!(others.clone().count() > 0);
    for other in others {
        assert!(other.shipped_with.is_some() && other.anyway.is_none());
    }
    // Where none was needed, no reason is recorded.
    anyway(Layer::Owner, open).answer(node, scene.now).unwrap();
    let reasons: Vec<bool> = node
        .store()
        .entries(size, u64::MAX)
        .filter_map(|entry| match entry.unwrap().body {
            Body::ProfileActivated(activated) => Some(activated.anyway.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [true, false]);
}

#[test]
fn a_layer_that_cannot_judge_is_told_and_can_be_replaced() {
    let scene = Scene::new();
    let node = &scene.customer;
    // As an older version, with other names, may have put it in force.
    let text = "@id(\"old\") permit (principal, action, resource) when { resource.gone };\n";
    let activated = ProfileActivated {
        layer: Layer::Owner,
        profile: Digest::of(text.as_bytes()),
        schema: schema_digest(),
        anyway: None,
    };
    let writes = vec![
        Write::Blob(text.as_bytes().to_vec()),
        Write::Entry(Body::ProfileActivated(activated)),
    ];
    node.changing().commit(writes, scene.now).unwrap();
    let broken = |node: &Node| -> Vec<Layer> {
        let profiles = node.status(scene.now).unwrap().profiles;
        let broken = profiles.iter().filter(|one| one.broken.is_some());
        broken.map(|one| one.layer).collect()
    };
    assert_eq!(broken(node), [Layer::Owner]);
    let shipped = default_profile(Layer::Owner).unwrap();
    node.activate_profile(Layer::Owner, shipped, scene.now)
        .unwrap();
    assert_eq!(broken(node), []);
}

fn stated_decline(file: &str) -> Vec<u8> {
    PartnershipFile::read(file)
        .unwrap()
        .decline
        .unwrap()
        .into_vec()
}

#[test]
fn nothing_is_recorded_that_was_signed_minutes_ahead_of_the_clock_here() {
    let mut scene = Scene::new();
    let (right, far) = (scene.now, scene.now.plus_days(300));
    scene.now = right.plus_seconds(302);
    let file = scene.declare("c/s/ahead", far, "").file;
    let before = scene.supplier.store().size();
    let (class, message) = kind(scene.accept(&file, right).unwrap_err());
    assert_eq!(class, FailureKind::Failed);
    assert!(
        message.contains("one of the two clocks is wrong"),
        "{message}"
    );
    let declined = decline(&scene.supplier, &file, &root(&scene.customer), right);
    assert!(
        matches!(declined, Err(PartnerError::Past(_))),
        "{declined:?}"
    );
    unchanged(&scene.supplier, before);
    // Five minutes may be between them; then an audit of both holds.
    scene.accept(&file, right.plus_seconds(2)).unwrap();
    Scene::audit(&scene.supplier, &[&scene.supplier, &scene.customer]);

    let file = scene.declare("c/s/signed", far, "").file;
    let signed = scene
        .accept(&file, scene.now.plus_seconds(302))
        .unwrap()
        .file;
    let before = scene.customer.store().size();
    let taken = scene
        .customer
        .accept(&signed, &root(&scene.supplier), scene.now);
    assert!(matches!(taken, Err(PartnerError::Past(_))), "{taken:?}");
    unchanged(&scene.customer, before);
}

#[test]
fn what_was_declined_stays_listed() {
    let scene = Scene::new();
    let far = scene.now.plus_days(300);
    let strange = scene.declare("c/s/strange", far, "").file;
    let known = scene.declare("c/s/known", far, "").file;
    decline(&scene.supplier, &strange, &Roots::new(), scene.now).unwrap();
    // Nobody is asked for the root of a stranger whose proposal was declined.
    Scene::audit(&scene.supplier, &[&scene.supplier]);
    let answer = decline(&scene.supplier, &known, &root(&scene.customer), scene.now).unwrap();
    // It is known at whoever declined it, and nowhere else.
    let other = decline(&scene.supplier, &strange, &Roots::new(), scene.now).unwrap();
    let own = scene
        .supplier
        .take_decline(&stated_decline(&other.file), Actor::Member, scene.now);
    assert_eq!(own.unwrap().as_str(), "c/s/strange");
    let elsewhere = Scene::new();
    elsewhere.declare("c/s/other", far, "");
    let unknown =
        elsewhere
            .customer
            .take_decline(&stated_decline(&answer.file), Actor::Member, scene.now);
    assert!(
        matches!(unknown, Err(PartnerError::NothingProposed)),
        "{unknown:?}"
    );
    // Again, it says the same and records nothing.
    let before = scene.supplier.store().size();
    let again = decline(&scene.supplier, &known, &root(&scene.customer), scene.now).unwrap();
    assert_eq!(again.file, answer.file);
    unchanged(&scene.supplier, before);
    Scene::audit(&scene.supplier, &[&scene.supplier, &scene.customer]);

    let Scene {
        folder,
        customer,
        supplier,
        now,
    } = scene;
    drop(supplier);
    let supplier = Node::open(&place(folder.path(), "supplier")).unwrap();
    let listed = supplier.partner_list(now);
    let states: Vec<(&str, &str)> = listed
        .iter()
        .map(|known| (known.partnership.as_str(), known.state.name()))
        .collect();
    assert_eq!(
        states,
        [("c/s/known", "declined"), ("c/s/strange", "declined")]
    );
    let accepted = supplier.accept(&strange, &root(&customer), now);
    assert!(matches!(accepted, Err(PartnerError::Declined { .. })));

    // Whose root nobody compared is no peer, whatever it proposed.
    let governance = supplier.governance();
    let peers = |name: &str| {
        let partnership = governance.partnership(&name.parse().unwrap()).unwrap();
        partnership.peers(governance.organization()).count()
    };
    assert_eq!((peers("c/s/strange"), peers("c/s/known")), (0, 1));
}

#[test]
fn settings_that_differ_from_what_was_signed_are_told() {
    let scene = Scene::new();
    let end = scene.now.plus_seconds(600);
    let invitation = scene.declare("c/s/settings", end, "").file;
    scene.accept(&invitation, scene.now).unwrap();
    assert_eq!(scene.supplier.partner_list(scene.now)[0].differs, []);
    let Scene {
        folder,
        supplier,
        now,
        ..
    } = scene;
    drop(supplier);
    let place = place(folder.path(), "supplier");
    let file = place.join("node.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text
        .replace("hosting = [\"DE\"]", "hosting = [\"DE\", \"US\"]")
        .replace("name = \"supplier\"", "name = \"Supplier Works\"")
        .replace("personnel = [\"DE\"]", "personnel = [\"FR\"]")
        .replace("seat = \"DE\"", "seat = \"FR\"")
        .replace("[mesh]", "[mesh]\nannounce = [\"/ip4/192.0.2.1/tcp/4001\"]");
    std::fs::write(&file, changed).unwrap();
    let supplier = Node::open(&place).unwrap();
    let told = |now: Time| -> Vec<String> {
        let listed = supplier.partner_list(now).remove(0).differs;
        listed.iter().map(ToString::to_string).collect()
    };
    let lines = told(now);
    for line in [
        "name is supplier in the agreement, Supplier Works in node.toml",
        "seat is DE in the agreement, FR in node.toml",
        "hosting is DE in the agreement, DE, US in node.toml",
        "personnel is DE in the agreement, FR in node.toml",
        "addresses is none in the agreement, /ip4/192.0.2.1/tcp/4001 in node.toml",
    ] {
        assert!(lines.iter().any(|told| told == line), "{line}: {lines:?}");
    }
    assert_eq!(lines.len(), 5);
    // What is over binds nobody.
    assert!(told(end).is_empty());
}

/// As after a backup from before it was put back: others hold what this node signed, and its own ledger does not.
#[test]
fn what_this_node_signed_and_does_not_know_is_signed_anew() {
    let scene = Scene::new();
    let far = scene.now.plus_days(300);
    let later = scene.now.plus_seconds(3_600);
    let me = scene.supplier.settings().organization.id.clone();
    let key = &scene.supplier.keys().agreement;
    let invitation = scene.declare("c/s/again", far, "").file;
    let mut file = PartnershipFile::read(&invitation).unwrap();
    let terms = file.unverified_terms().unwrap().unwrap();
    let old = ManifestSignature::sign(&terms, &me, scene.now, key);
    file.statements.push(ByteBuf::from(old.clone()));
    let roots = root(&scene.customer);
    let accepted = scene.supplier.accept(&file.write(), &roots, later).unwrap();
    assert!(accepted.is_active);
    let own = scene.supplier.governance();
    let own = own.partnership(&terms.partnership).unwrap().signatures()[&me].clone();
    assert_ne!(own, old);
    // The one that comes by the mesh is not taken in either.
    let taken = scene.supplier.take_signature(&old, Actor::Member, later);
    assert!(!taken.unwrap());

    // Known, and neither signed nor declined: as the other member's signature left it.
    let waiting = scene.declare("c/s/waiting", far, "");
    let taken = scene.customer.take_decline(
        &decline_of(&scene.customer, &waiting),
        Actor::Operator,
        later,
    );
    assert!(
        matches!(taken, Err(PartnerError::OwnDecline(_))),
        "{taken:?}"
    );
    Scene::audit(&scene.supplier, &[&scene.supplier, &scene.customer]);
}

#[test]
fn nodes_that_no_card_lets_anybody_call_are_told() {
    let mut reached = settings("supplier");
    reached.mesh.announce = vec!["/ip4/192.0.2.1/tcp/4001".parse().unwrap()];
    for (supplier, is_apart) in [(settings("supplier"), true), (reached, false)] {
        let scene = Scene::with(supplier);
        let far = scene.now.plus_days(300);
        let invitation = scene.declare("c/s/apart", far, "").file;
        let page = scene.supplier.review(&invitation, scene.now).unwrap().words;
        assert_eq!(page.contains("NO ADDRESS"), is_apart, "{page}");
        // Whoever declared it waits in vain for what the other signs.
        let waiting = scene.customer.all_troubles(scene.now);
        assert_eq!(waiting.len(), usize::from(is_apart));
        scene.accept(&invitation, scene.now).unwrap();
        let told = scene.supplier.all_troubles(scene.now);
        let peers = scene.supplier.peers(scene.now).unwrap();
        assert_eq!(
            (told.len(), peers[0].troubles.len()),
            (is_apart.into(), is_apart.into())
        );
        for told in told.iter().chain(&peers[0].troubles) {
            assert!(
                told.contains("never connect") && told.contains("announce = ["),
                "{told}"
            );
        }
        assert!(scene.supplier.all_troubles(far).is_empty());
    }
}

#[test]
fn fingerprints_that_are_given_are_compared_whatever_depends_on_them() {
    let scene = Scene::new();
    let far = scene.now.plus_days(300);
    let invitation = scene.declare("c/s/known", far, "").file;
    let signed = scene.accept(&invitation, scene.now).unwrap().file;
    let other: Fingerprint = "ab".repeat(32).parse().unwrap();
    let customer = scene.customer.settings().organization.id.clone();
    let wrong = Roots::from([(customer.clone(), other)]);
    let right = scene.customer.root_fingerprint();
    let stranger: OrganizationId = "customer".parse().unwrap();
    let strange = Roots::from([(customer, right), (stranger, right)]);
    let reason: Name = "no".parse().unwrap();
    let declined = scene.declare("c/s/declined", far, "");
    let declined =
        scene
            .supplier
            .decline(&declined.file, &root(&scene.customer), reason, scene.now);
    let declined = declined.unwrap().file;
    let before = (scene.supplier.store().size(), scene.customer.store().size());
    let asked = |roots: &Roots| {
        // Signed here before, signed by all, and declined: by this node again, and by another.
        [
            scene.supplier.accept(&invitation, roots, scene.now),
            scene.supplier.accept(&signed, roots, scene.now),
            scene.supplier.accept(&declined, roots, scene.now),
            decline(&scene.supplier, &signed, roots, scene.now),
        ]
    };
    for result in asked(&wrong) {
        let (kind, message) = kind(result.unwrap_err());
        assert_eq!(kind, FailureKind::Verification, "{message}");
        assert!(message.contains("which is right"), "{message}");
    }
    for result in asked(&strange) {
        let (kind, message) = kind(result.unwrap_err());
        assert_eq!(kind, FailureKind::Usage, "{message}");
        let told = "for `customer`, which is none of the other members: give one for each of `did:web:customer";
        assert!(message.contains(told), "{message}");
    }
    let supplier = scene.supplier.settings().organization.id.clone();
    let wrong = Roots::from([(supplier, other)]);
    let taken = scene.customer.accept(&declined, &wrong, scene.now);
    assert_eq!(kind(taken.unwrap_err()).0, FailureKind::Verification);
    let after = (scene.supplier.store().size(), scene.customer.store().size());
    assert_eq!(before, after);
    assert!(scene.accept(&invitation, scene.now).unwrap().is_active);
}

/// A node's own decline of a proposal, made beside its ledger.
fn decline_of(node: &Node, proposal: &Proposal) -> Vec<u8> {
    let file = PartnershipFile::read(&proposal.file).unwrap();
    let decline = Decline {
        member: node.settings().organization.id.clone(),
        edition: file.unverified_terms().unwrap().unwrap().digest(),
        reason: "too wide".parse().unwrap(),
        at: crate::clock::now(),
    };
    decline.issue(&node.keys().agreement).unwrap()
}

/// As after a backup from before the agreement was put back: what this node signed then, it may decline now.
#[test]
fn what_this_node_signed_and_does_not_know_may_be_declined() {
    for compared in [true, false] {
        let scene = Scene::new();
        let invitation = scene
            .declare("c/s/declined", scene.now.plus_days(300), "")
            .file;
        let mut file = PartnershipFile::read(&invitation).unwrap();
        let terms = file.unverified_terms().unwrap().unwrap();
        let me = scene.supplier.settings().organization.id.clone();
        let key = &scene.supplier.keys().agreement;
        let old = ManifestSignature::sign(&terms, &me, scene.now, key);
        file.statements.push(ByteBuf::from(old));
        let roots = if compared {
            root(&scene.customer)
        } else {
            Roots::new()
        };
        let later = scene.now.plus_seconds(3_600);
        let reason: Name = "no more".parse().unwrap();
        scene
            .supplier
            .decline(&file.write(), &roots, reason, later)
            .unwrap();
        let governance = scene.supplier.governance();
        let known = governance.partnership(&terms.partnership).unwrap();
        assert!(known.declined().is_some() && !known.signatures().contains_key(&me));
        assert_eq!(known.standing(later).to_string(), "declined");
        Scene::audit(&scene.supplier, &[&scene.supplier, &scene.customer]);
    }
}
