//! Ledgers to audit: a supplier's and its customer's, with real keys, real statements and real decisions.

use crate::{Bundle, BundleWriter, Finding, Report, Rule, Trust, TrustedRoot, verify};
use ambit_ledger::{
    Acknowledged, Acknowledgement, Admitted, AgreementState, Assigned, Body, Certificate, Chain,
    Checkpoint, ComparedRoot, Decided, Decision, Digest, Disclosed, Disclosure, DisclosureId,
    EditionStage, Entry, ErasureExtent, ExportControl, Facts, ItemBody, KeyCertified, KeyPurpose,
    Kind, Limits, LimitsSet, ManifestSignature, Member, Observation, ObservationId, Observed,
    Opened, OrganizationId, Outcome, PartnershipEdition, PartnershipTerms, Party, ProfileActivated,
    Quality, Reading, Readings, RefusalCode, Refused, RefusedItem, Salt, Scope, SecretKey,
    TaxonomyActivated, Time, When, Withdrawn, Withheld, encode, leaf_hash, root,
};
use ambit_policy::{
    Judged, Layers, Taxonomies, agreement, check_terms, inquiry_for_admission,
    inquiry_for_disclosure, judge, render, schema_digest, schema_text, scope_for,
};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) const SUPPLIER: &str = "did:web:supplier.example";
pub(crate) const CUSTOMER: &str = "did:web:customer.example";
const PURPOSE: &str = "urn:ambit:purpose:quality";

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub(crate) fn organization(text: &str) -> OrganizationId {
    text.parse().unwrap()
}

fn assigned(value: &str) -> Assigned {
    Assigned {
        assigner: organization(CUSTOMER),
        value: value.parse().unwrap(),
    }
}

/// An organization with three keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) organization: OrganizationId,
    seed: u8,
}

impl Keys {
    pub(crate) fn of(name: &str, seed: u8) -> Self {
        Self {
            organization: organization(name),
            seed,
        }
    }

    pub(crate) fn root(&self) -> SecretKey {
        SecretKey::from_seed(&[self.seed; 32])
    }

    pub(crate) fn statement(&self) -> SecretKey {
        SecretKey::from_seed(&[self.seed + 1; 32])
    }

    pub(crate) fn checkpoint(&self) -> SecretKey {
        SecretKey::from_seed(&[self.seed + 2; 32])
    }

    pub(crate) fn trusted(&self) -> TrustedRoot {
        TrustedRoot {
            organization: self.organization.clone(),
            fingerprint: self.root().public().fingerprint(),
            from: time("2026-01-01T00:00:00Z"),
        }
    }

    pub(crate) fn certificate(&self, purpose: KeyPurpose, key: &SecretKey) -> ByteBuf {
        let certificate = Certificate {
            subject: self.organization.clone(),
            root: self.root().public(),
            purpose,
            key: key.public(),
            not_before: time("2026-01-01T00:00:00Z"),
            not_after: None,
        };
        ByteBuf::from(certificate.sign(&self.root()))
    }

    pub(crate) fn compared(&self) -> ComparedRoot {
        ComparedRoot {
            organization: self.organization.clone(),
            root: self.root().public().fingerprint(),
        }
    }

    fn member(&self) -> Member {
        Member {
            organization: self.organization.clone(),
            name: "Works".parse().unwrap(),
            seat: "DE".parse().unwrap(),
            hosting: ["DE".parse().unwrap()].into(),
            personnel: ["DE".parse().unwrap()].into(),
            licences: [].into(),
            attestations: vec![],
            addresses: vec![],
            certificates: vec![self.certificate(KeyPurpose::Statement, &self.statement())],
        }
    }
}

pub(crate) fn supplier() -> Keys {
    Keys::of(SUPPLIER, 10)
}

pub(crate) fn customer() -> Keys {
    Keys::of(CUSTOMER, 20)
}

/// Trust in both.
pub(crate) fn trust() -> Trust {
    let mut trust = Trust::new();
    trust.add(supplier().trusted());
    trust.add(customer().trusted());
    trust
}

/// A ledger in memory with what a bundle takes of it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) keys: Keys,
    pub(crate) entries: Vec<Entry>,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(crate) readings: BTreeMap<ObservationId, Vec<u8>>,
    pub(crate) now: Time,
}

impl Ledger {
    /// *Opened* and two keys certified.
    pub(crate) fn open(keys: Keys) -> Self {
        let mut ledger = Self {
            keys: keys.clone(),
            entries: Vec::new(),
            blobs: BTreeMap::new(),
            readings: BTreeMap::new(),
            now: time("2026-05-01T09:00:00Z"),
        };
        ledger.push(Body::Opened(Opened {
            organization: keys.organization.clone(),
            name: "Works".parse().unwrap(),
            seat: "DE".parse().unwrap(),
            root: keys.root().public().fingerprint(),
            software: "ambit 0.1.0".parse().unwrap(),
        }));
        for (purpose, key) in [
            (KeyPurpose::Statement, keys.statement()),
            (KeyPurpose::Checkpoint, keys.checkpoint()),
        ] {
            let certificate = keys.certificate(purpose, &key);
            ledger.push(Body::KeyCertified(KeyCertified { certificate }));
        }
        ledger
    }

    /// The built-in layers come into force.
    fn activate_layers(&mut self) {
        let layers = Layers::builtin();
        let taxonomies = self.put(layers.taxonomies().to_bytes());
        self.push(Body::TaxonomyActivated(TaxonomyActivated { taxonomies }));
        let schema = self.put(schema_text().as_bytes());
        assert_eq!(schema, schema_digest());
        for profile in layers.profiles() {
            let body = ProfileActivated {
                layer: profile.layer(),
                profile: self.put(profile.text().as_bytes()),
                schema,
            };
            self.push(Body::ProfileActivated(body));
        }
    }

    pub(crate) fn push(&mut self, body: Body) {
        self.now = self.now.plus_seconds(1);
        let nonce = Salt::from_bytes([u8::try_from(self.entries.len()).unwrap(); 32]);
        let actor = "node".parse().unwrap();
        self.entries
            .push(Entry::new(nonce, self.now, actor, None, &body));
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest, bytes.to_vec());
        digest
    }

    /// The index of the n-th entry of a kind.
    pub(crate) fn nth(&self, kind: Kind, n: usize) -> usize {
        let mut found =
            (0..self.entries.len()).filter(|index| self.entries[*index].kind == kind.number());
        found.nth(n).unwrap()
    }

    pub(crate) fn alter(&mut self, index: usize, change: impl FnOnce(&mut Body)) {
        let entry = &mut self.entries[index];
        let mut body = entry.body().unwrap();
        change(&mut body);
        entry.kind = body.kind();
        entry.body = ByteBuf::from(body.encode());
    }

    /// Alters the n-th disclosure and signs it again.
    pub(crate) fn alter_disclosure(&mut self, n: usize, change: impl FnOnce(&mut Disclosure)) {
        let key = self.keys.statement();
        self.alter(self.nth(Kind::Disclosed, n), |body| {
            let Body::Disclosed(body) = body else {
                panic!()
            };
            let mut disclosure = Disclosure::from_own_ledger(&body.disclosure).unwrap();
            change(&mut disclosure);
            body.disclosure = ByteBuf::from(disclosure.sign(&key));
        });
    }

    /// Alters the first admission: its disclosure and its facts, both signed again by the supplier.
    pub(crate) fn alter_admission(&mut self, change: impl FnOnce(&mut Disclosure, &mut Facts)) {
        let key = supplier().statement();
        let mut readings = self.readings.clone();
        self.alter(self.nth(Kind::Admitted, 0), |body| {
            let Body::Admitted(body) = body else { panic!() };
            let mut disclosure = Disclosure::from_own_ledger(&body.disclosure).unwrap();
            let observation = Observation::from_own_ledger(&body.observation).unwrap();
            let mut facts = observation.facts().clone();
            let is_joined = disclosure.observation == observation.id();
            change(&mut disclosure, &mut facts);
            body.observation = ByteBuf::from(Observation::sign(&facts, &key));
            let id = ObservationId::of(&body.observation);
            if is_joined && disclosure.observation == observation.id() {
                disclosure.observation = id;
            }
            let block = readings.remove(&observation.id()).unwrap();
            readings.insert(id, block);
            body.disclosure = ByteBuf::from(disclosure.sign(&key));
        });
        self.readings = readings;
    }

    /// Alters the n-th decision, and what refers to it.
    pub(crate) fn alter_decision(&mut self, n: usize, change: impl FnOnce(&mut Decision)) {
        let (mut old, mut new) = (Digest::of(b""), Digest::of(b""));
        self.alter(self.nth(Kind::Decided, n), |body| {
            let Body::Decided(body) = body else { panic!() };
            old = body.decision.digest();
            change(&mut body.decision);
            new = body.decision.digest();
        });
        let key = self.keys.statement();
        for index in 0..self.entries.len() {
            self.alter(index, |body| match body {
                Body::Withheld(body) if body.decision == Some(old) => body.decision = Some(new),
                Body::Admitted(body) if body.decision == old => body.decision = new,
                Body::Disclosed(body) => {
                    let mut disclosure = Disclosure::from_own_ledger(&body.disclosure).unwrap();
                    if disclosure.decision == old {
                        disclosure.decision = new;
                        body.disclosure = ByteBuf::from(disclosure.sign(&key));
                    }
                }
                _ => {}
            });
        }
    }

    /// Cuts the ledger off, as if it had ended earlier.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.entries.truncate(length);
        let kept: Vec<ObservationId> = self
            .entries
            .iter()
            .filter_map(|entry| match entry.body().unwrap() {
                Body::Observed(body) => Some(ObservationId::of(&body.observation)),
                Body::Admitted(body) => Some(ObservationId::of(&body.observation)),
                _ => None,
            })
            .collect();
        self.readings.retain(|id, _| kept.contains(id));
    }

    pub(crate) fn checkpoint(&self) -> String {
        let leaves: Vec<Digest> = self
            .entries
            .iter()
            .map(|entry| leaf_hash(&entry.encode()))
            .collect();
        let checkpoint = Checkpoint {
            organization: self.keys.organization.clone(),
            size: leaves.len() as u64,
            root: root(&leaves),
        };
        checkpoint.sign(&self.keys.checkpoint())
    }

    pub(crate) fn export_under(&self, checkpoint: &str) -> Vec<u8> {
        let mut writer =
            BundleWriter::start(Vec::new(), &self.keys.organization, checkpoint).unwrap();
        for entry in &self.entries {
            writer.entry(&entry.encode()).unwrap();
        }
        for blob in self.blobs.values() {
            writer.blob(blob).unwrap();
        }
        for (id, block) in &self.readings {
            writer.readings(id, block).unwrap();
        }
        writer.finish().unwrap()
    }

    pub(crate) fn export(&self) -> Vec<u8> {
        self.export_under(&self.checkpoint())
    }

    pub(crate) fn bundle(&self) -> Bundle {
        Bundle::read(self.export().as_slice()).unwrap()
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.bundle(), &trust())
    }

    /// Verifies, and expects these findings and no others.
    pub(crate) fn expect(&self, expected: &[(Rule, Option<usize>)]) {
        expect(&self.verify(), expected);
    }

    /// Makes an observation of two readings.
    pub(crate) fn observe(&mut self, mut facts: Facts) -> (ObservationId, Facts) {
        let number = u8::try_from(self.entries.len()).unwrap();
        let reading = |at| Reading {
            path: "Deviations.Flatness".parse().unwrap(),
            when: When::Instant { at },
            quality: Quality::Good,
            value: Some("0.021".to_owned()),
            value_type: Some("xs:double".parse().unwrap()),
            unit: Some("mm".parse().unwrap()),
        };
        let readings = Readings {
            salt: Salt::from_bytes([number; 32]),
            readings: vec![reading(facts.observed_from), reading(facts.observed_to)],
        };
        let block = readings.encode().unwrap();
        facts.readings = Digest::of(&block);
        facts.reading_count = 2;
        let observation = Observation::sign(&facts, &self.keys.statement());
        let id = ObservationId::of(&observation);
        self.push(Body::Observed(Observed {
            observation: ByteBuf::from(observation),
            slot: u64::from(number),
            import: None,
        }));
        self.readings.insert(id, block);
        (id, facts)
    }

    pub(crate) fn decide(&mut self, judged: &Judged) -> Digest {
        self.put(&judged.slice);
        let decision = judged.decision.clone();
        let digest = decision.digest();
        self.push(Body::Decided(Decided { decision }));
        digest
    }

    pub(crate) fn agree(&mut self, terms: &PartnershipTerms) {
        let profile = self.put(render(terms).unwrap().as_bytes());
        let edition = self.put(&encode(terms));
        let mut all: Vec<Digest> = [supplier(), customer()]
            .iter()
            .map(|keys| {
                self.put(&ManifestSignature::sign(
                    terms,
                    &keys.organization,
                    &keys.statement(),
                ))
            })
            .collect();
        let proposed = vec![all[1]];
        all.sort();
        let others = [supplier(), customer()].into_iter();
        let roots: Vec<ComparedRoot> = others
            .filter(|keys| keys.organization != self.keys.organization)
            .map(|keys| keys.compared())
            .collect();
        for (stage, signatures) in [
            (EditionStage::Proposed, proposed),
            (EditionStage::Active, all),
        ] {
            self.push(Body::PartnershipEdition(PartnershipEdition {
                partnership: terms.partnership.clone(),
                edition,
                stage,
                signatures,
                roots: roots.clone(),
                profile,
            }));
        }
    }
}

/// Expects these findings and no others.
pub(crate) fn expect(report: &Report, expected: &[(Rule, Option<usize>)]) {
    let found: Vec<(Rule, Option<usize>)> = report
        .findings()
        .iter()
        .map(|Finding { rule, entry, .. }| {
            (*rule, entry.map(|entry| usize::try_from(entry).unwrap()))
        })
        .collect();
    assert_eq!(found, expected, "{report}");
    let gravest = expected.iter().map(|(rule, _)| rule.severity()).max();
    assert_eq!(gravest.is_none(), report.exit_code() == 0);
}

/// What both ledgers tell of.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) terms: PartnershipTerms,
    pub(crate) layers: Layers,
    pub(crate) limits: Limits,
    pub(crate) supplier: Ledger,
    pub(crate) customer: Ledger,
}

impl Story {
    /// The whole of it, made once.
    pub(crate) fn told() -> Self {
        static STORY: LazyLock<Story> = LazyLock::new(Story::tell);
        STORY.clone()
    }

    fn tell() -> Self {
        let mut story = Self::begin();
        story.disclose_all();
        story.admit_all();
        story
    }

    fn begin() -> Self {
        let terms = terms();
        let profile = check_terms(&terms, &Taxonomies::builtin()).unwrap();
        let mut story = Self {
            layers: Layers::builtin().with_partnership(profile).unwrap(),
            limits: limits(),
            terms,
            supplier: Ledger::open(supplier()),
            customer: Ledger::open(customer()),
        };
        for mut ledger in [story.supplier.clone(), story.customer.clone()] {
            ledger.activate_layers();
            ledger.agree(&story.terms);
            if ledger.keys.organization == story.supplier.keys.organization {
                story.supplier = ledger;
            } else {
                story.customer = ledger;
            }
        }
        let limits = story.limits.clone();
        story.supplier.push(Body::LimitsSet(LimitsSet { limits }));
        story
    }

    pub(crate) fn scope(&self, facts: &Facts, now: Time) -> Scope {
        let taxonomies = self.layers.taxonomies();
        let recipient = organization(CUSTOMER);
        scope_for(
            &self.terms,
            &self.limits,
            facts,
            &recipient,
            taxonomies,
            now,
        )
    }

    pub(crate) fn judge(&self, facts: &Facts) -> Judged {
        let now = self.supplier.now;
        let scope = self.scope(facts, now);
        let recipient = Party::from(self.terms.member(&organization(CUSTOMER)).unwrap());
        let agreement = self.agreement();
        let limits = Some(&self.limits);
        let inquiry = inquiry_for_disclosure(facts, &scope, &recipient, &agreement, limits, now);
        judge(&self.layers, &inquiry, now)
    }

    fn agreement(&self) -> ambit_ledger::Agreement {
        agreement(&self.terms, AgreementState::Active, self.terms.lease_until)
    }

    pub(crate) fn disclose(
        &mut self,
        id: ObservationId,
        facts: &Facts,
        decision: &Decision,
        seq: u64,
    ) {
        let now = self.supplier.now;
        let disclosure = Disclosure {
            discloser: organization(SUPPLIER),
            observation: id,
            partnership: self.terms.partnership.clone(),
            edition: self.terms.digest(),
            recipient: organization(CUSTOMER),
            scope: Scope {
                purposes: decision.admitted(),
                ..self.scope(facts, now)
            },
            parent: None,
            decision: decision.digest(),
            issued_at: now,
            salt: Salt::from_bytes([u8::try_from(seq).unwrap(); 32]),
        };
        let disclosure = ByteBuf::from(disclosure.sign(&supplier().statement()));
        self.supplier
            .push(Body::Disclosed(Disclosed { disclosure, seq }));
    }

    pub(crate) fn withhold(&mut self, id: ObservationId, decision: Option<Digest>) {
        let body = Withheld {
            observation: id,
            partnership: self.terms.partnership.clone(),
            recipient: organization(CUSTOMER),
            decision,
            undecided: false,
        };
        self.supplier.push(Body::Withheld(body));
    }

    /// One disclosed, one uncovered, one refused by policy, one taken back and disclosed again; all acknowledged.
    fn disclose_all(&mut self) {
        let (first, first_facts) = self.supplier.observe(facts("inspection-result"));
        let admissible = self.judge(&first_facts);
        assert!(!admissible.decision.admitted().is_empty(), "{admissible:?}");
        self.supplier.decide(&admissible);
        self.disclose(first, &first_facts, &admissible.decision, 1);

        let (uncovered, _) = self.supplier.observe(facts("process-ip"));
        self.withhold(uncovered, None);

        let mut unclassified = facts("inspection-result");
        unclassified.export_control.determined = false;
        let (id, unclassified) = self.supplier.observe(unclassified);
        let judged = self.judge(&unclassified);
        let decision = self.supplier.decide(&judged);
        self.withhold(id, Some(decision));

        let (second, second_facts) = self.supplier.observe(facts("inspection-result"));
        self.disclose(second, &second_facts, &admissible.decision, 2);
        let withdrawn = self.withdrawal(2);
        self.supplier.push(Body::Withdrawn(withdrawn));
        self.disclose(second, &second_facts, &admissible.decision, 3);
        self.acknowledge(1, &[]);
        let code = RefusalCode::NotAdmissible;
        self.acknowledge(3, &[RefusedItem { seq: 3, code }]);
    }

    /// Takes the latest disclosure back, which has this number.
    pub(crate) fn withdrawal(&self, seq: u64) -> Withdrawn {
        let index = self.supplier.entries.len() - 1;
        let Ok(Body::Disclosed(body)) = self.supplier.entries[index].body() else {
            panic!()
        };
        Withdrawn {
            disclosure: DisclosureId::of(&body.disclosure),
            partnership: self.terms.partnership.clone(),
            recipient: organization(CUSTOMER),
            seq,
            decision: None,
        }
    }

    /// What the customer would sign of the supplier's outbox as it stands.
    pub(crate) fn acknowledgement(&self, upto: u64, refused: &[RefusedItem]) -> Acknowledgement {
        let (sender, recipient) = (organization(SUPPLIER), organization(CUSTOMER));
        let incarnation = Salt::from_bytes([9; 32]);
        let mut bodies: BTreeMap<u64, ItemBody> = BTreeMap::new();
        for entry in &self.supplier.entries {
            match entry.body().unwrap() {
                Body::Disclosed(body) => {
                    let disclosed = Disclosure::from_own_ledger(&body.disclosure).unwrap();
                    let item = ItemBody::Item {
                        observation: disclosed.observation,
                        disclosure: DisclosureId::of(&body.disclosure),
                    };
                    bodies.insert(body.seq, item);
                }
                Body::Withdrawn(body) => drop(bodies.insert(body.seq, ItemBody::Tombstone)),
                _ => {}
            }
        }
        let partnership = self.terms.partnership.clone();
        let mut chain = Chain::start(&partnership, &sender, &recipient, &incarnation);
        for (seq, body) in bodies.range(..=upto) {
            let outcome = match (refused.iter().find(|item| item.seq == *seq), body) {
                (Some(item), _) => Outcome::Refused(item.code),
                (None, ItemBody::Tombstone) => Outcome::Noted,
                (None, ItemBody::Item { .. }) => Outcome::Admitted,
            };
            chain = chain.with_outcome(*seq, &body.digest(), outcome);
        }
        Acknowledgement {
            partnership,
            sender,
            recipient,
            incarnation,
            upto,
            outcomes: chain.digest(),
            refused: refused.to_vec(),
            at: self.supplier.now,
        }
    }

    pub(crate) fn acknowledge(&mut self, upto: u64, refused: &[RefusedItem]) {
        let statement = self.acknowledgement(upto, refused);
        self.push_acknowledgement(&statement);
    }

    pub(crate) fn push_acknowledgement(&mut self, statement: &Acknowledgement) {
        let acknowledgement = ByteBuf::from(statement.sign(&customer().statement()));
        self.supplier
            .push(Body::Acknowledged(Acknowledged { acknowledgement }));
    }

    /// The customer takes the first disclosure in, and refuses the last.
    fn admit_all(&mut self) {
        self.customer.now = self.supplier.now;
        let index = self.supplier.nth(Kind::Observed, 0);
        let Ok(Body::Observed(observed)) = self.supplier.entries[index].body() else {
            panic!()
        };
        let index = self.supplier.nth(Kind::Disclosed, 0);
        let Ok(Body::Disclosed(disclosed)) = self.supplier.entries[index].body() else {
            panic!()
        };
        let observation = Observation::from_own_ledger(&observed.observation).unwrap();
        let disclosure = Disclosure::from_own_ledger(&disclosed.disclosure).unwrap();
        let judged = self.judge_admission(observation.facts(), &disclosure);
        let decision = self.customer.decide(&judged);
        let block = self.supplier.readings[&observation.id()].clone();
        self.customer.readings.insert(observation.id(), block);
        self.customer.push(Body::Admitted(Admitted {
            observation: observed.observation,
            disclosure: disclosed.disclosure,
            decision,
            seq: 1,
            slot: 1,
        }));
        self.customer.push(Body::Refused(Refused {
            sender: organization(SUPPLIER),
            partnership: self.terms.partnership.clone(),
            code: RefusalCode::NotAdmissible,
            count: 1,
            digests: vec![Digest::of(b"what was sent")],
        }));
    }

    pub(crate) fn judge_admission(&self, facts: &Facts, disclosure: &Disclosure) -> Judged {
        let own = Party::from(self.terms.member(&organization(CUSTOMER)).unwrap());
        let inquiry = inquiry_for_admission(
            facts,
            &disclosure.scope,
            &own,
            &self.agreement(),
            &disclosure.discloser,
            0,
            disclosure.issued_at,
        );
        judge(&self.layers, &inquiry, self.customer.now)
    }
}

pub(crate) fn terms() -> PartnershipTerms {
    let mut terms = PartnershipTerms {
        partnership: "customer/supplier/f99".parse().unwrap(),
        edition: 1,
        previous: None,
        title: "Quality of the bracket".parse().unwrap(),
        declarer: organization(CUSTOMER),
        declared_at: time("2026-05-01T08:00:00Z"),
        program: assigned("F99"),
        parts: [].into(),
        data_classes: ["quality".parse().unwrap()].into(),
        purposes: ["urn:ambit:purpose:quality".parse().unwrap()].into(),
        observed_from: time("2026-01-01T00:00:00Z"),
        observed_until: time("2028-01-01T00:00:00Z"),
        until: time("2027-12-31T00:00:00Z"),
        retention_days: 731,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: None,
        lease_until: time("2026-06-01T00:00:00Z"),
        deputies: [].into(),
        forbids: None,
        profile: Digest::of(b""),
        members: vec![customer().member(), supplier().member()],
        salt: Salt::from_bytes([7; 32]),
    };
    terms.profile = Digest::of(render(&terms).unwrap().as_bytes());
    terms
}

fn limits() -> Limits {
    Limits {
        program: Some(assigned("F99")),
        data_classes: ["quality".parse().unwrap()].into(),
        purposes: [PURPOSE.parse().unwrap()].into(),
        not_after: time("2027-06-01T00:00:00Z"),
        hold_until: time("2030-01-01T00:00:00Z"),
        onward_hops: 0,
    }
}

pub(crate) fn facts(class: &str) -> Facts {
    Facts {
        issuer: organization(SUPPLIER),
        source: "cmm-3".parse().unwrap(),
        site: None,
        asset: None,
        submodel: "urn:example:submodel:1".parse().unwrap(),
        semantic_id: "https://admin-shell.io/idta/InspectionResult/1/0"
            .parse()
            .unwrap(),
        part: Some(assigned("1001-A")),
        revision: None,
        serial: None,
        lot: None,
        order: None,
        process: None,
        program: Some(assigned("F99")),
        data_class: class.parse().unwrap(),
        owner: organization(SUPPLIER),
        design_authority: None,
        trade_secret: false,
        export_control: ExportControl {
            determined: true,
            ..ExportControl::default()
        },
        observed_from: time("2026-05-01T08:00:00Z"),
        observed_to: time("2026-05-01T08:00:30Z"),
        inputs: vec![],
        readings: Digest::of(b""),
        reading_count: 0,
    }
}
