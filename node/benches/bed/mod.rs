//! What the benches of the node measure on: a supplier and a customer with an agreement in force, and drafts
//! that are admissible under it.

use ambit_ledger::{Assigned, Quality, Reading, Time, When};
use ambit_node::clock;
use ambit_node::collect::{Draft, FactsFile, observe_values};
use ambit_node::config::{MeshSettings, OrganizationSettings, Settings};
use ambit_node::node::Node;
use mimalloc::MiMalloc;
use std::collections::BTreeMap;
use std::path::Path;

/// As in the program: what is measured here and its yardstick allocate as the node does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The supplier and the customer, with an agreement in force between them; neither runs.
pub struct Bed {
    /// Observes, and discloses to the customer.
    pub supplier: Node,
    /// Takes in.
    pub customer: Node,
}

impl Bed {
    /// Makes both homes in a folder.
    pub fn make(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("the folder is made");
        let [supplier, customer] = ["shop", "one"].map(|name| {
            let place = folder.join(name);
            Node::init(&place, &settings(name), clock::now()).expect("the home is made");
            Node::open(&place).expect("the node opens")
        });
        agree(&supplier, &customer);
        Self { supplier, customer }
    }
}

/// The settings of an organization whose id and name follow from `name`.
pub fn settings(name: &str) -> Settings {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = listener.local_addr().expect("it has a number").port();
    drop(listener);
    let seat = "US".parse().expect("a country");
    Settings {
        organization: OrganizationSettings {
            id: format!("did:web:{name}.example").parse().expect("an id"),
            name: name.parse().expect("a name"),
            hosting: [seat].into(),
            personnel: ["US".parse().expect("a country")].into(),
            seat: "US".parse().expect("a country"),
            claims: Vec::new(),
        },
        mesh: MeshSettings {
            listen: vec![format!("/ip4/127.0.0.1/tcp/{port}")],
            ..MeshSettings::default()
        },
        api: Default::default(),
        quotas: Default::default(),
        example: None,
    }
}

/// Brings the agreement into force at both, as files handed over.
pub fn agree(supplier: &Node, customer: &Node) {
    let [name, other] =
        [customer, supplier].map(|node| node.settings().organization.name.to_string());
    agree_on(&format!("{name}/{other}"), supplier, customer);
}

/// Brings an agreement of this id into force at both.
pub fn agree_on(partnership: &str, supplier: &Node, customer: &Node) {
    let now = clock::now();
    let root = |node: &Node| {
        (
            node.settings().organization.id.clone(),
            node.root_fingerprint(),
        )
    };
    let text = format!(
        r#"
partnership = "{partnership}"
title = "Quality data"
program = "F-ONE"
data_classes = ["quality"]
purposes = ["urn:ambit:purpose:supplier-quality"]
observed_from = "2017-01-01T00:00:00Z"
observed_until = "2018-01-01T00:00:00Z"
until = "2100-01-01T00:00:00Z"
retention_days = 365
onward_hops = 0
# A class of observations is what policies tell apart: this one reads lots.
forbids = '''
@id("no-lot-zero") forbid (principal, action, resource is Ambit::Observation)
when {{ resource has lot && resource.lot.value == "0" }};
'''
[[member]]
card = "member.card"
"#
    );
    let invitation = customer
        .declare(
            &text,
            &[supplier.card(now).expect("a card")],
            &[root(supplier)].into(),
            now,
        )
        .expect("the declaration holds");
    let signed = supplier
        .accept(&invitation.file, &[root(customer)].into(), now)
        .expect("the supplier signs");
    let returned = customer
        .accept(&signed.file, &[root(supplier)].into(), now)
        .expect("the customer takes the signature");
    assert!(returned.is_active);
}

/// Drafts that differ, each with its own serial number and instants and this many readings, for the program of
/// the customer of this name; a new lot after every `lot` of them.
pub fn drafts(customer: &str, from: u64, count: u64, readings: usize, lot: u64) -> Vec<Draft> {
    let facts = FactsFile::parse(&format!(
        r#"
source = "cmm-1"
submodel = "urn:shop.example:submodel:1"
semantic_id = "urn:shop.example:inspection"
data_class = "inspection-result"
owner = "did:web:shop.example"
trade_secret = false
program = {{ assigner = "did:web:{customer}.example", value = "F-ONE" }}
[export_control]
determined = true
itar = false
eccn = "EAR99"
"#
    ))
    .expect("the facts are whole");
    let at: Time = "2017-07-11T04:00:00Z".parse().expect("an instant");
    let value = [("Value".to_owned(), "1".to_owned())];
    let first = observe_values(
        &value,
        &BTreeMap::new(),
        &facts,
        &FactsFile::default(),
        at,
        at,
    )
    .expect("a draft")
    .remove(0);
    (from..from + count)
        .map(|number| {
            let mut draft = draft(&first, at, number, readings);
            draft.facts.lot = Some(Assigned {
                assigner: "did:web:shop.example".parse().expect("an id"),
                value: format!("L-{}", number / lot).parse().expect("a lot"),
            });
            draft
        })
        .collect()
}

fn draft(first: &Draft, start: Time, number: u64, readings: usize) -> Draft {
    let minute = u32::try_from(number % 200_000).expect("it is small") * 60;
    let readings = (0..u32::try_from(readings).expect("it is small"))
        .map(|index| Reading {
            path: format!("Diameter{index:02}.Actual")
                .parse()
                .expect("a path"),
            when: When::Instant {
                at: start.plus_seconds(minute + index % 60),
            },
            quality: Quality::Good,
            value: Some(format!("{}.{:04}", 10 + index, number % 10_000)),
            value_type: Some("xs:double".parse().expect("a type")),
            unit: Some("mm".parse().expect("a unit")),
            element: None,
            attachment: None,
        })
        .collect();
    let mut facts = first.facts.clone();
    facts.serial = Some(format!("S-{number:08}").parse().expect("a serial number"));
    Draft { facts, readings }
}
