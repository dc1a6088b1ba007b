//! Whole nodes in one process over real TCP: a supplier and two competing customers.

mod acknowledging;
mod again;
mod agreements;
mod attestations;
mod cases;
mod hostile;
mod keys;
mod markers;
mod path;
mod peer;
mod purposes;
mod quotas;
mod refusals;
mod restarts;
mod standing;
mod told;
mod versions;

use super::Federation;
use crate::collect::{Draft, FactsFile, observe_values};
use crate::config::{MeshSettings, OrganizationSettings, Settings};
use crate::holding::Filter;
use crate::link::Frame;
use crate::mesh::{Mesh, MeshConfig, PeerKey};
use crate::node::Node;
use crate::work::{run, works};
use ambit_audit::{AuditVerdict, Bundle, Trust, replay, verify};
use ambit_ledger::{Body, Fingerprint, OrganizationId, PartnershipId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// An owner's layer that ends in an error where something is to be transferred.
const BROKEN: &str = r#"
@id("owner-default")
permit (principal, action, resource is Ambit::Observation);

@id("owner-broken")
forbid (principal, action in Ambit::Action::"transfer", resource is Ambit::Observation)
when { context.retentionDays + 9223372036854775807 > 5 };
"#;

const SUPPLIER_QUALITY: &str = "urn:ambit:purpose:supplier-quality";
const MANUFACTURING: &str = "urn:ambit:purpose:manufacturing";
/// When everything here was observed.
const OBSERVED_AT: &str = "2017-07-11T04:00:00Z";
/// How long to wait for what must come.
const LIMIT: Duration = Duration::from_secs(30);

struct Running {
    node: Arc<Node>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(place: &Path) -> Self {
        let node = Arc::new(Node::open(place).unwrap());
        node.catch_up(crate::clock::now()).unwrap();
        let listen = node.settings().mesh.listen.clone();
        let mut config = MeshConfig::new(node.keys().transport.seed(), listen);
        config.record_frames = Some(record_path(place));
        let (mesh, events) = Mesh::start(config).await.unwrap();
        let stop = watch::Sender::new(false);
        let federation = Federation::new(Arc::clone(&node), mesh);
        let works = works(&node, &federation.upkeep());
        let (working, stopped) = (stop.subscribe(), stop.subscribe());
        let task = tokio::spawn(async move {
            let (worked, ()) = tokio::join!(run(works, working), federation.run(events, stopped));
            worked.unwrap();
        });
        Self { node, stop, task }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// Makes a home. Its folder, its organization's id and name all follow from `name`.
fn init(folder: &Path, name: &str) -> PathBuf {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let seat = ["US".parse().unwrap()];
    let settings = Settings {
        organization: OrganizationSettings {
            id: organization(name),
            name: name.parse().unwrap(),
            seat: "US".parse().unwrap(),
            hosting: seat.clone().into(),
            personnel: seat.into(),
            claims: Vec::new(),
        },
        mesh: MeshSettings {
            listen: vec![format!("/ip4/127.0.0.1/tcp/{port}")],
            ..MeshSettings::default()
        },
        api: Default::default(),
        quotas: Default::default(),
        example: None,
    };
    let place = folder.join(name);
    // An hour old, so that its keys were good before whatever a test dates back.
    let founded = crate::clock::now().minus_seconds(3_600);
    Node::init(&place, &settings, founded).unwrap();
    place
}

fn organization(name: &str) -> OrganizationId {
    format!("did:web:{name}.example").parse().unwrap()
}

/// A declaration by `name`, with `members` others, and `more` keys.
fn declaration_of(
    name: &str,
    program: &str,
    class: &str,
    purpose: &str,
    members: usize,
    more: &str,
) -> String {
    let members = "[[member]]\ncard = \"member.card\"\n".repeat(members);
    format!(
        r#"
partnership = "{name}/shop"
title = "What {name} gets"
program = "{program}"
data_classes = ["{class}"]
purposes = ["{purpose}"]
observed_from = "2017-01-01T00:00:00Z"
observed_until = "2018-01-01T00:00:00Z"
until = "2100-01-01T00:00:00Z"
retention_days = 365
onward_hops = 0
{more}
{members}"#
    )
}

fn declaration(name: &str, program: &str, class: &str, purpose: &str) -> String {
    declaration_of(name, program, class, purpose, 1, "")
}

/// What a customer declares in most of these tests: quality data of a program.
fn quality(name: &str, program: &str, more: &str) -> String {
    declaration_of(name, program, "quality", SUPPLIER_QUALITY, 1, more)
}

fn root(node: &Node) -> (OrganizationId, Fingerprint) {
    (
        node.settings().organization.id.clone(),
        node.root_fingerprint(),
    )
}

/// The customer declares, the supplier signs; the customer learns of that over the mesh.
fn sign(customer: &Node, supplier: &Node, text: &str, now: Time) -> String {
    let invitation = customer
        .declare(
            text,
            &[supplier.card(now).unwrap()],
            &[root(supplier)].into(),
            now,
        )
        .unwrap();
    assert!(!invitation.is_active);
    let signed = supplier
        .accept(&invitation.file, &[root(customer)].into(), now)
        .unwrap();
    assert!(signed.is_active);
    signed.file
}

/// The same, with the signed file handed back: in force at both, without any mesh.
fn agree(customer: &Node, supplier: &Node, text: &str, now: Time) -> PartnershipId {
    let file = sign(customer, supplier, text, now);
    let returned = customer
        .accept(&file, &[root(supplier)].into(), now)
        .unwrap();
    assert!(returned.is_active);
    returned.partnership
}

/// The supplier's facts on one of a customer's programs; `more` are lines of a facts file, tables excepted.
fn facts(customer: &str, program: &str, class: &str, more: &str) -> FactsFile {
    let authority = if class == "toolpath" {
        format!("design_authority = \"did:web:{customer}.example\"\n")
    } else {
        String::new()
    };
    FactsFile::parse(&format!(
        r#"
source = "m-1"
submodel = "urn:sub"
semantic_id = "urn:sem"
data_class = "{class}"
owner = "did:web:shop.example"
trade_secret = false
{authority}program = {{ assigner = "did:web:{customer}.example", value = "{program}" }}
{more}
[export_control]
determined = true
itar = false
eccn = "EAR99"
"#
    ))
    .unwrap()
}

fn drafts_of(facts: &FactsFile, value: &str) -> Vec<Draft> {
    let values = [("Value".to_owned(), value.to_owned())];
    let at: Time = OBSERVED_AT.parse().unwrap();
    observe_values(
        &values,
        &BTreeMap::new(),
        facts,
        &FactsFile::default(),
        at,
        at,
    )
    .unwrap()
}

fn draft(customer: &str, program: &str, class: &str, value: u32) -> Vec<Draft> {
    drafts_of(&facts(customer, program, class, ""), &value.to_string())
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let limit = tokio::time::Instant::now() + LIMIT;
    while !condition() {
        assert!(tokio::time::Instant::now() < limit, "not in time: {what}");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn held(node: &Node) -> usize {
    node.list(&Filter::default()).unwrap().len()
}

/// How far the acknowledgements of each recipient reach, by the numbers of its outbox.
fn acknowledged(node: &Node) -> Vec<u64> {
    let status = node.status(crate::clock::now()).unwrap();
    let upto = status.pairs.iter().map(|pair| {
        let outbox = crate::store::BoxKey::new(&pair.partnership, &pair.to);
        let reach = node.store().outbox(&outbox)?.acknowledged?;
        Some(reach.upto)
    });
    upto.map(Option::unwrap_or_default).collect()
}

fn states(node: &Node) -> Vec<String> {
    let partners = node.partner_list(crate::clock::now());
    let states = partners.iter();
    states.map(|partner| partner.state.to_string()).collect()
}

fn bodies(node: &Node) -> Vec<Body> {
    node.store()
        .entries(0, u64::MAX)
        .map(|recorded| recorded.unwrap().body)
        .collect()
}

fn bundle(node: &Node) -> Vec<u8> {
    node.export(Vec::new()).unwrap().0
}

/// Audits a ledger with nothing but its bundle and the roots that were compared, and judges every decision again.
fn audit(node: &Node, trusted: &[&Node]) {
    let (bundle, trust) = evidence(node, trusted);
    let report = replay(&bundle, &trust);
    assert_eq!(report.verdict(), AuditVerdict::Verified, "{report}");
}

/// The same for a ledger that must hold no decision, so that there is none to judge again.
fn audit_without_decisions(node: &Node, trusted: &[&Node]) {
    let (bundle, trust) = evidence(node, trusted);
    let report = verify(&bundle, &trust);
    assert_eq!(report.verdict(), AuditVerdict::Verified, "{report}");
    let is_decision = |body: &Body| matches!(body, Body::Decided(_));
    assert!(!bodies(node).iter().any(is_decision));
}

fn evidence(node: &Node, trusted: &[&Node]) -> (Bundle, Trust) {
    let bytes = bundle(node);
    let bundle = Bundle::read(bytes.as_slice()).unwrap();
    let mut trust = Trust::new();
    for node in trusted {
        trust.merge(Trust::parse(&node.trust().unwrap()).unwrap());
    }
    (bundle, trust)
}

/// Where a node started here records its frames: beside its home, not in it.
fn record_path(place: &Path) -> PathBuf {
    place.with_extension("frames")
}

fn peer_of(node: &Node) -> PeerKey {
    PeerKey(*node.keys().transport.public().as_bytes())
}

/// One frame as the node at `place` recorded it.
struct FrameOf {
    is_sent: bool,
    peer: String,
    bytes: Vec<u8>,
}

impl FrameOf {
    fn frame(&self) -> Frame {
        Frame::decode(&self.bytes).unwrap().unpacked().unwrap()
    }
}

fn recorded_frames(place: &Path) -> Vec<FrameOf> {
    let text = std::fs::read_to_string(record_path(place)).unwrap_or_default();
    // A last line without its end is still being written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| {
            let [way, peer, _, body] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("not a recorded frame: {line}");
            };
            FrameOf {
                is_sent: way == "sent",
                peer: peer.to_owned(),
                bytes: hex::decode(body).unwrap(),
            }
        })
        .collect()
}

/// The sequence numbers of the items that the node at `place` sent to a peer, in order.
fn items_sent(place: &Path, peer: PeerKey) -> Vec<u64> {
    recorded_frames(place)
        .iter()
        .filter(|recorded| recorded.is_sent && recorded.peer == peer.to_string())
        .filter_map(|recorded| match recorded.frame() {
            Frame::Item { seq, .. } | Frame::Tombstone { seq, .. } => Some(seq),
            _ => None,
        })
        .collect()
}

/// Every file below a folder with its content.
fn files(place: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    let mut from = 0;
    // Candidates by their first byte: database files are large, and tests are not optimized.
    while let Some(at) = haystack[from..].iter().position(|byte| byte == first) {
        let start = from + at + 1;
        if haystack[start..].starts_with(rest) {
            return true;
        }
        from = start;
    }
    false
}
