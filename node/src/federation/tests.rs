//! Whole nodes in one process over real TCP: a supplier and two competing customers.

use crate::collect::{Draft, FactsFile, observe_values};
use crate::config::{MeshSettings, OrganizationSettings, Settings};
use crate::mesh::{Mesh, MeshConfig};
use crate::node::{Filter, Node};
use ambit_audit::{AuditVerdict, Bundle, Trust, replay};
use ambit_ledger::{Fingerprint, OrganizationId, Time};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

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
        let config = MeshConfig::new(node.keys().transport.seed(), listen);
        let (mesh, events) = Mesh::start(config).await.unwrap();
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(super::run(
            Arc::clone(&node),
            mesh,
            events,
            stop.subscribe(),
        ));
        Self { node, stop, task }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

fn init(folder: &Path, name: &str) -> std::path::PathBuf {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let seat = ["US".parse().unwrap()];
    let settings = Settings {
        organization: OrganizationSettings {
            id: format!("did:web:{name}.example").parse().unwrap(),
            name: name.parse().unwrap(),
            seat: "US".parse().unwrap(),
            hosting: seat.clone().into(),
            personnel: seat.into(),
            licences: Default::default(),
            attestations: Vec::new(),
        },
        mesh: MeshSettings {
            listen: vec![format!("/ip4/127.0.0.1/tcp/{port}")],
            ..MeshSettings::default()
        },
        api: Default::default(),
        example: None,
    };
    let place = folder.join(name);
    Node::init(&place, &settings, crate::clock::now()).unwrap();
    place
}

fn declaration(name: &str, program: &str, class: &str, purpose: &str) -> String {
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
[[member]]
card = "shop.card"
"#
    )
}

fn root(node: &Node) -> (OrganizationId, Fingerprint) {
    (
        node.settings().organization.id.clone(),
        node.root_fingerprint(),
    )
}

fn draft(customer: &str, program: &str, class: &str, value: u32) -> Vec<Draft> {
    let authority = if class == "toolpath" {
        format!("design_authority = \"did:web:{customer}.example\"\n")
    } else {
        String::new()
    };
    let facts = FactsFile::parse(&format!(
        r#"
source = "m-1"
submodel = "urn:sub"
semantic_id = "urn:sem"
data_class = "{class}"
owner = "did:web:shop.example"
trade_secret = false
{authority}program = {{ assigner = "did:web:{customer}.example", value = "{program}" }}
[export_control]
determined = true
itar = false
eccn = "EAR99"
"#
    ))
    .unwrap();
    let at: Time = "2017-07-11T04:00:00Z".parse().unwrap();
    let values = [("Value".to_owned(), value.to_string())];
    observe_values(&values, &BTreeMap::new(), &facts, &FactsFile::default(), at).unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(tokio::time::Instant::now() < limit, "not in time: {what}");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn held(node: &Node) -> usize {
    node.list(&Filter::default()).unwrap().len()
}

fn audit(node: &Node, trusted: &[&Node]) {
    let (bytes, _) = node.export(Vec::new()).unwrap();
    let bundle = Bundle::read(bytes.as_slice()).unwrap();
    let mut trust = Trust::new();
    for node in trusted {
        trust.merge(Trust::parse(&node.trust().unwrap()).unwrap());
    }
    let report = replay(&bundle, &trust);
    assert_eq!(report.verdict(), AuditVerdict::Verified, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_admissible_part_reaches_each() {
    let folder = tempfile::tempdir().unwrap();
    let places = ["shop", "one", "two"].map(|name| init(folder.path(), name));
    let [shop_place, one_place, two_place] = &places;
    let shop = Running::start(shop_place).await;
    let one = Running::start(one_place).await;
    let two = Running::start(two_place).await;
    let now = crate::clock::now();
    let offers = [
        (
            &one,
            declaration(
                "one",
                "F-ONE",
                "quality",
                "urn:ambit:purpose:supplier-quality",
            ),
        ),
        (
            &two,
            declaration(
                "two",
                "R-TWO",
                "toolpath",
                "urn:ambit:purpose:manufacturing",
            ),
        ),
    ];
    for (customer, text) in &offers {
        let invitation = customer
            .node
            .declare(text, &[shop.node.card()], &[root(&shop.node)].into(), now)
            .unwrap();
        assert!(!invitation.is_active);
        let signed = shop
            .node
            .accept(&invitation.file, &[root(&customer.node)].into(), now)
            .unwrap();
        assert!(signed.is_active);
    }
    shop.node.catch_up(now).unwrap();
    until("the acceptances return over the mesh", || {
        [&one, &two]
            .iter()
            .all(|customer| customer.node.partner_list()[0].stage == "active")
    })
    .await;
    let mut drafts = Vec::new();
    for number in 0..10 {
        drafts.extend(draft("one", "F-ONE", "inspection-result", number));
        drafts.extend(draft("two", "R-TWO", "toolpath", number));
    }
    let report = shop.node.observe(drafts.clone(), true, now).unwrap();
    assert_eq!(report.observed.len(), 20);
    let again = shop.node.observe(drafts, true, now).unwrap();
    assert_eq!((again.observed.len(), again.known), (0, 20));
    until("each holds its part", || {
        held(&one.node) == 10 && held(&two.node) == 10
    })
    .await;
    until("all is acknowledged", || {
        let status = shop.node.status().unwrap();
        status.pairs.iter().all(|pair| pair.acknowledged == 10)
    })
    .await;
    let status = shop.node.status().unwrap();
    for pair in &status.pairs {
        assert_eq!((pair.released, pair.withheld, pair.undecided), (10, 10, 0));
    }
    audit(&shop.node, &[&shop.node, &one.node, &two.node]);
    audit(&one.node, &[&shop.node, &one.node]);
    audit(&two.node, &[&shop.node, &two.node]);
    // A restart at a quiet moment loses nothing and doubles nothing.
    one.stop().await;
    let report = shop
        .node
        .observe(draft("one", "F-ONE", "inspection-result", 99), true, now)
        .unwrap();
    assert_eq!(report.observed.len(), 1);
    let one = Running::start(one_place).await;
    until("the restarted node resumes", || held(&one.node) == 11).await;
    audit(&one.node, &[&shop.node, &one.node]);
    for running in [shop, one, two] {
        running.stop().await;
    }
}
