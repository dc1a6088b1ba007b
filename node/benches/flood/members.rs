//! The receiver, the honest peer and the hostile ones: their homes and agreements, and what the honest one does.

use crate::bed;
use crate::hostile::Attack;
use ambit_ledger::{EncodedReadings, OrganizationId, PartnershipId, Salt, Time};
use ambit_node::clock;
use ambit_node::collect::{Draft, FactsFile, observe_values};
use ambit_node::mesh::{PeerKey, peer_id_text};
use ambit_node::node::Node;
use ambit_node::release;
use ambit_node::service::Service;
use ambit_node::store::BoxKey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const RECEIVER: &str = "receiver";
pub const HONEST: &str = "honest";
/// How many observations the honest peer keeps ahead of the receiver, and makes at a time.
const AHEAD: u64 = 512;
const BATCH: u32 = 64;

pub struct Places {
    pub receiver: PathBuf,
    pub honest: PathBuf,
    /// For each round.
    pub hostile: Vec<Vec<(Attack, PathBuf)>>,
}

/// Makes all homes, and an agreement of the receiver with each other one.
pub fn found(folder: &Path, rounds: usize) -> Places {
    let receiver = init(folder, RECEIVER);
    let honest = init(folder, HONEST);
    let node = Node::open(&receiver).expect("the receiver opens");
    agree(&node, &honest);
    let key = PeerKey(*node.keys().transport.public().as_bytes());
    let identity = receiver.with_extension("peer");
    std::fs::write(identity, peer_id_text(&key)).expect("its identity is written");
    let mut hostile = Vec::new();
    for round in 0..rounds {
        let mut places = Vec::new();
        for attack in Attack::ALL {
            let name = format!("{}-{round}", attack.name());
            let place = init(folder, &name);
            if attack.is_member() {
                agree(&node, &place);
            }
            places.push((attack, place));
        }
        hostile.push(places);
    }
    Places {
        receiver,
        honest,
        hostile,
    }
}

pub fn organization(name: &str) -> OrganizationId {
    let id = format!("did:web:{name}.example");
    id.parse().expect("a name of an organization")
}

pub fn partnership(name: &str) -> PartnershipId {
    let id = format!("{RECEIVER}/{name}");
    id.parse().expect("a name of a partnership")
}

fn init(folder: &Path, name: &str) -> PathBuf {
    let place = folder.join(name);
    Node::init(&place, &bed::settings(name), clock::now()).expect("a home is made");
    place
}

fn agree(receiver: &Node, place: &Path) {
    let other = Node::open(place).expect("a member opens");
    bed::agree(&other, receiver);
}

fn facts(owner: &OrganizationId) -> FactsFile {
    let text = format!(
        r#"
source = "m-1"
submodel = "urn:sub"
semantic_id = "urn:sem"
data_class = "inspection-result"
owner = "{owner}"
trade_secret = false
program = {{ assigner = "did:web:{RECEIVER}.example", value = "F-ONE" }}
[export_control]
determined = true
itar = false
eccn = "EAR99"
"#
    );
    FactsFile::parse(&text).expect("facts are parsed")
}

fn draft(facts: &FactsFile, value: u32) -> Draft {
    let values = [("Value".to_owned(), value.to_string())];
    let at: Time = "2017-07-11T04:00:00Z".parse().expect("an instant");
    observe_values(
        &values,
        &BTreeMap::new(),
        facts,
        &FactsFile::default(),
        at,
        at,
    )
    .expect("values are observed")
    .remove(0)
}

/// An observation of this member's own whose signature is wrong: it must be verified to find out.
pub fn forged_observation(node: &Node) -> Vec<u8> {
    let me = &node.settings().organization.id;
    let draft = draft(&facts(me), 0);
    let salt = Salt::from_bytes([7; 32]);
    let readings = EncodedReadings::of(&draft.readings).expect("readings are encoded");
    let signed = release::sign(draft, &readings, me, &node.keys().statement, salt, None);
    let mut statement = signed.expect("an observation is signed").statement;
    if let Some(last) = statement.last_mut() {
        *last ^= 1;
    }
    statement
}

/// The honest peer: always some observations ahead of what the receiver acknowledged.
pub fn observe_without_end(home: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let node = Arc::new(Node::open(home).expect("the honest peer opens"));
    let _service = runtime
        .block_on(Service::start(Arc::clone(&node)))
        .expect("the honest peer starts");
    let outbox = BoxKey::new(&partnership(HONEST), &organization(RECEIVER));
    let facts = facts(&organization(HONEST));
    let mut made = 0;
    loop {
        let state = node.store().outbox(&outbox);
        let ahead = state.map_or(0, |state| {
            let acknowledged = state.acknowledged.map_or(0, |known| known.upto);
            state.last - acknowledged
        });
        if ahead >= AHEAD {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        }
        let drafts = (made..made + BATCH).map(|value| draft(&facts, value));
        node.observe(drafts.collect(), false, clock::now())
            .expect("the honest peer observes");
        made += BATCH;
    }
}
