//! A peer with the supplier's own keys that speaks the link by hand to a real node.

use super::*;
use crate::link::{Hello, Versions};
use crate::mesh::{Link, MeshHandle};
use crate::partnership::Partnership;
use crate::release;
use ambit_ledger::{
    Acknowledgement, Chain, Digest, Disclosure, DisclosureId, Facts, ItemBody, Observation,
    ObservationId, Outcome, Readings, RefusalCode, RefusedItem, Salt, encode,
};
use ambit_policy::{limits_in_force, scope_for};

/// What one item is made of, before it is signed.
pub(super) struct Parts {
    pub(super) facts: Facts,
    pub(super) readings: Vec<u8>,
    pub(super) disclosure: Disclosure,
    /// Whether the disclosure is made out for the observation that these facts become.
    pub(super) is_bound: bool,
}

/// The same, signed.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) observation: Vec<u8>,
    pub(super) disclosure: Vec<u8>,
    pub(super) readings: Vec<u8>,
}

impl Item {
    pub(super) fn body(&self) -> ItemBody {
        ItemBody::Item {
            observation: ObservationId::of(&self.observation),
            disclosure: DisclosureId::of(&self.disclosure),
        }
    }
}

/// The supplier's side of one link: what it holds, and what it was told.
pub(super) struct Peer {
    pub(super) supplier: Arc<Node>,
    pub(super) recipient: OrganizationId,
    pub(super) partnership: PartnershipId,
    pub(super) link: Link,
    /// The chain over bodies after each sequence number, from 0.
    pub(super) chains: Vec<Chain>,
    outcomes: Vec<Chain>,
    refused: Vec<RefusedItem>,
    set_aside: Vec<RefusedItem>,
    acknowledged: u64,
    confirmed: u64,
    made: u32,
    last_observation: ObservationId,
}

/// A mesh with the supplier's transport key, connected to nobody but the recipient. Links that the recipient
/// opens are dropped.
pub(super) async fn mesh_of(supplier: &Node, recipient: &Node) -> MeshHandle {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    let config = MeshConfig::new(supplier.keys().transport.seed(), listen);
    let (mesh, mut events) = Mesh::start(config).await.unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let addresses = recipient.settings().mesh.listen.clone();
    mesh.set_peers([(peer_of(recipient), addresses)].into());
    mesh
}

/// Opens a link, as soon as there is a connection.
pub(super) async fn open_link(mesh: &MeshHandle, peer: PeerKey) -> Link {
    let limit = tokio::time::Instant::now() + LIMIT;
    loop {
        match mesh.open_link(peer).await {
            Ok(link) => return link,
            Err(error) => assert!(tokio::time::Instant::now() < limit, "no link: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The next frame, or `None` where the link ended.
pub(super) async fn receive(link: &mut Link) -> Option<Vec<u8>> {
    let received = tokio::time::timeout(LIMIT, link.recv()).await;
    received.expect("an answer in time").ok().flatten()
}

pub(super) fn hello(partnership: &PartnershipId, edition: Digest, incarnation: Salt) -> Frame {
    Frame::Hello {
        hello: Hello {
            versions: Versions::OWN,
            partnership: partnership.clone(),
            edition,
            incarnation,
            peer_incarnation: None,
            cursor: 0,
            chain: None,
            credit: 0,
        },
    }
}

impl Peer {
    /// Opens a link as an honest supplier that never heard of the recipient's store.
    pub(super) async fn open(
        mesh: &MeshHandle,
        supplier: &Arc<Node>,
        recipient: &Node,
        partnership: &PartnershipId,
    ) -> Self {
        let edition = edition_of(supplier, partnership);
        let mut link = open_link(mesh, peer_of(recipient)).await;
        let first = hello(partnership, edition, supplier.store().incarnation());
        link.send(&first.encode().unwrap()).await.unwrap();
        let answer = receive(&mut link).await.unwrap();
        let Frame::Hello { hello } = Frame::decode(&answer).unwrap() else {
            panic!("no hello came back");
        };
        assert_eq!((hello.cursor, hello.edition), (0, edition));
        let recipient = recipient.settings().organization.id.clone();
        let sender = &supplier.settings().organization.id;
        let start = Chain::start(partnership, sender, &recipient, &hello.incarnation);
        Self {
            supplier: Arc::clone(supplier),
            recipient,
            partnership: partnership.clone(),
            link,
            chains: vec![start],
            outcomes: vec![start],
            refused: Vec::new(),
            set_aside: Vec::new(),
            acknowledged: 0,
            confirmed: 0,
            made: 0,
            last_observation: ObservationId::of(b"none yet"),
        }
    }

    /// The last sequence number that the recipient took or refused.
    pub(super) fn last(&self) -> u64 {
        u64::try_from(self.chains.len()).unwrap() - 1
    }

    pub(super) fn end(&self) -> Chain {
        *self.chains.last().unwrap()
    }

    /// An item that the recipient admits, different each time.
    pub(super) fn parts(&mut self, more: &str) -> Parts {
        self.made += 1;
        let facts = facts("one", "F-ONE", "inspection-result", more);
        let draft = drafts_of(&facts, &self.made.to_string()).remove(0);
        let keys = self.supplier.keys();
        let me = &self.supplier.settings().organization.id;
        let salt = Salt::from_bytes(*Digest::of(&self.made.to_be_bytes()).as_bytes());
        let readings = ambit_ledger::EncodedReadings::of(&draft.readings).unwrap();
        let signed = release::sign(draft, &readings, me, &keys.statement, salt, None).unwrap();
        let governance = self.supplier.governance();
        let partnership = governance.partnership(&self.partnership).unwrap();
        let disclosure = self.disclosure(partnership, &signed.facts, salt);
        Parts {
            facts: signed.facts,
            readings: signed.readings,
            disclosure,
            is_bound: true,
        }
    }

    fn disclosure(&self, partnership: &Partnership, facts: &Facts, salt: Salt) -> Disclosure {
        let governance = self.supplier.governance();
        let taxonomies = governance.layers().taxonomies();
        let limits = limits_in_force(governance.limits(), facts, taxonomies).unwrap();
        let now = crate::clock::now();
        let terms = partnership.terms();
        Disclosure {
            discloser: governance.organization().clone(),
            observation: ObservationId::of(b"not signed yet"),
            leaves: [].into(),
            partnership: self.partnership.clone(),
            edition: partnership.edition(),
            recipient: self.recipient.clone(),
            scope: scope_for(terms, limits, facts, &self.recipient, taxonomies, now),
            parent: None,
            mandate: None,
            derivation: None,
            decisions: [Digest::of(b"the supplier's decision")].into(),
            issued_at: now,
            salt,
        }
    }

    /// Signs with the supplier's statement key, whatever the parts say.
    pub(super) fn sign(&self, mut parts: Parts) -> Item {
        let key = &self.supplier.keys().statement;
        let observation = Observation::sign(&parts.facts, key);
        if parts.is_bound {
            parts.disclosure.observation = ObservationId::of(&observation);
        }
        Item {
            observation,
            disclosure: parts.disclosure.sign(key),
            readings: parts.readings,
        }
    }

    /// A frame of this item at this place.
    pub(super) fn frame(&self, seq: u64, chain: Chain, item: &Item) -> Vec<u8> {
        let frame = Frame::Item {
            seq,
            chain: chain.digest(),
            observation: item.observation.clone(),
            disclosure: item.disclosure.clone(),
            readings: item.readings.clone(),
        };
        encode(&frame)
    }

    /// The frame of this item at the next place, as an honest peer writes it.
    pub(super) fn next_frame(&self, item: &Item) -> Vec<u8> {
        let seq = self.last() + 1;
        self.frame(seq, self.end().with_body(seq, &item.body()), item)
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.link.send(bytes).await.unwrap();
    }

    /// Takes down that the item sent last has its place, and what is to become of it.
    pub(super) fn note(&mut self, body: &ItemBody, outcome: Outcome) {
        let seq = self.last() + 1;
        self.chains.push(self.end().with_body(seq, body));
        let outcomes = *self.outcomes.last().unwrap();
        self.outcomes
            .push(outcomes.with_outcome(seq, &body.digest(), outcome));
        match outcome {
            Outcome::Refused(code) => self.refused.push(RefusedItem { seq, code }),
            Outcome::SetAside(code) => self.set_aside.push(RefusedItem { seq, code }),
            Outcome::Admitted | Outcome::Noted => {}
        }
    }

    /// Sends an item and waits until the recipient committed it with this outcome.
    pub(super) async fn bring(&mut self, name: &str, item: &Item, outcome: Outcome) {
        self.send(&self.next_frame(item)).await;
        self.note(&item.body(), outcome);
        self.expect_outcome(name, outcome).await;
    }

    pub(super) async fn expect_outcome(&mut self, name: &str, outcome: Outcome) {
        let seq = self.last();
        if let Outcome::Refused(code) | Outcome::SetAside(code) = outcome {
            assert_eq!(self.answer().await, Frame::Reject { seq, code }, "{name}");
        }
        let chain = self.end().digest();
        let upto = seq;
        assert_eq!(self.answer().await, Frame::Ack { upto, chain }, "{name}");
    }

    /// An honest item is taken and its signed acknowledgement confirmed: the link is alive.
    pub(super) async fn prove_alive(&mut self, name: &str) -> ObservationId {
        self.bring_honest(name).await;
        self.confirm().await;
        self.last_observation
    }

    /// An honest item is taken, and refused when it comes again under the next number.
    pub(super) async fn bring_twice(&mut self) -> (ObservationId, Digest) {
        let parts = self.parts("");
        let item = self.sign(parts);
        self.bring("an item", &item, Outcome::Admitted).await;
        self.await_acknowledgement().await;
        self.confirm().await;
        let again = Outcome::Refused(RefusalCode::Duplicate);
        self.bring("the same item", &item, again).await;
        (ObservationId::of(&item.observation), item.body().digest())
    }

    async fn bring_honest(&mut self, name: &str) {
        let parts = self.parts("");
        let item = self.sign(parts);
        self.bring(name, &item, Outcome::Admitted).await;
        self.await_acknowledgement().await;
        self.last_observation = ObservationId::of(&item.observation);
    }

    /// An honest item is taken. Returns a confirmation of its acknowledgement that names another chain.
    pub(super) async fn bring_unconfirmed(&mut self) -> Vec<u8> {
        self.bring_honest("an item to be confirmed").await;
        let (upto, chain) = (self.acknowledged, Digest::of(b"another past"));
        encode(&Frame::Ack { upto, chain })
    }

    pub(super) fn last_observation(&self) -> ObservationId {
        self.last_observation
    }

    /// Goes over to a new link, with this hello.
    pub(super) async fn send_first(&mut self, mesh: &MeshHandle, target: PeerKey, hello: &Frame) {
        self.link = open_link(mesh, target).await;
        self.send(&encode(hello)).await;
        let answer = receive(&mut self.link).await.unwrap();
        let Frame::Hello { hello } = Frame::decode(&answer).unwrap() else {
            panic!("no hello came back");
        };
        assert_eq!((hello.cursor, hello.credit), (self.last(), 0));
    }

    /// The next frame that is no credit, no question, no control message and no acknowledgement.
    pub(super) async fn answer(&mut self) -> Frame {
        loop {
            let bytes = receive(&mut self.link).await.expect("the link is open");
            match Frame::decode(&bytes).unwrap() {
                Frame::Credit { .. } | Frame::Control { .. } | Frame::Again { .. } => {}
                Frame::Acknowledgement { statement } => self.take_acknowledgement(&statement),
                frame => return frame,
            }
        }
    }

    async fn await_acknowledgement(&mut self) {
        while self.acknowledged < self.last() {
            let bytes = receive(&mut self.link).await.expect("the link is open");
            match Frame::decode(&bytes).unwrap() {
                Frame::Credit { .. } | Frame::Control { .. } | Frame::Again { .. } => {}
                Frame::Acknowledgement { statement } => self.take_acknowledgement(&statement),
                frame => panic!("unasked: {frame:?}"),
            }
        }
    }

    /// Holds a signed acknowledgement against what this side computed by itself.
    fn take_acknowledgement(&mut self, statement: &[u8]) {
        let governance = self.supplier.governance();
        let partnership = governance.partnership(&self.partnership).unwrap();
        let stated = Acknowledgement::verify(statement, partnership.keyring()).unwrap();
        let upto = usize::try_from(stated.upto).unwrap();
        assert_eq!(stated.outcomes, self.outcomes[upto].digest());
        for (said, all) in [
            (&stated.refused, &self.refused),
            (&stated.set_aside, &self.set_aside),
        ] {
            let expected = all.iter().copied();
            let expected: Vec<RefusedItem> = expected
                .filter(|item| item.seq > self.confirmed && item.seq <= stated.upto)
                .collect();
            assert_eq!(*said, expected);
        }
        self.acknowledged = stated.upto;
    }

    /// Waits for the acknowledgement of all that was brought, and confirms it.
    pub(super) async fn confirm_all(&mut self) {
        self.await_acknowledgement().await;
        self.confirm().await;
    }

    async fn confirm(&mut self) {
        let upto = self.acknowledged;
        let chain = self.chains[usize::try_from(upto).unwrap()].digest();
        self.send(&Frame::Ack { upto, chain }.encode().unwrap())
            .await;
        self.confirmed = upto;
    }
}

pub(super) fn edition_of(node: &Node, partnership: &PartnershipId) -> Digest {
    node.governance()
        .partnership(partnership)
        .unwrap()
        .edition()
}

/// The codes of frames that the link refuses without giving them a place.
pub(super) fn reject(seq: u64, code: RefusalCode) -> Frame {
    Frame::Reject { seq, code }
}

/// The readings of one observation, as a peer would change them.
pub(super) fn decode_readings(parts: &Parts) -> Readings {
    Readings::decode(&parts.readings, &parts.facts).unwrap()
}

/// A block of readings as they are, whatever rule they break.
pub(super) fn encode_readings(readings: &Readings) -> Vec<u8> {
    #[derive(serde::Serialize)]
    enum Block<'a> {
        Whole { salt: Salt, leaves: Vec<Leaf<'a>> },
    }
    #[derive(serde::Serialize)]
    struct Leaf<'a> {
        path: &'a ambit_ledger::Name,
        readings: Vec<Sample<'a>>,
    }
    #[derive(serde::Serialize)]
    struct Sample<'a> {
        when: ambit_ledger::When,
        quality: ambit_ledger::Quality,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value_type: Option<&'a ambit_ledger::Name>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<&'a ambit_ledger::Name>,
    }
    let mut leaves: Vec<Leaf<'_>> = Vec::new();
    for reading in &readings.readings {
        let sample = Sample {
            when: reading.when,
            quality: reading.quality,
            value: reading.value.as_ref(),
            value_type: reading.value_type.as_ref(),
            unit: reading.unit.as_ref(),
        };
        match leaves.iter_mut().find(|leaf| *leaf.path == reading.path) {
            Some(leaf) => leaf.readings.push(sample),
            None => leaves.push(Leaf {
                path: &reading.path,
                readings: vec![sample],
            }),
        }
    }
    leaves.sort_by_key(|leaf| leaf.path);
    let salt = readings.salt;
    encode(&Block::Whole { salt, leaves })
}
