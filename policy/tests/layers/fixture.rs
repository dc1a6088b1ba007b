//! A supplier of two competing manufacturers, and what it makes for them.

use ambit_ledger::{
    AgreementState, Assigned, AtEnd, Attestation, Attested, Card, Delivery, DerivedTerms, Digest,
    ErasureExtent, ExportControl, Facts, Inquiry, Layer, Limits, Member, OrganizationId,
    PartnershipTerms, Party, Salt, SecretKey, SignedCard, Time,
};
use ambit_policy::{
    Layers, Profile, RENDERER, Taxonomies, agreement, check_terms, inquiry_for_disclosure, render,
    scope_for,
};

pub const SUPPLIER: &str = "did:web:supplier.example";
pub const OEM_A: &str = "did:web:oem-a.example";
pub const OEM_B: &str = "did:web:oem-b.example";
pub const SUPPLIER_QUALITY: &str = "urn:ambit:purpose:supplier-quality";

pub fn id(text: &str) -> OrganizationId {
    text.parse().unwrap()
}

pub fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub fn now() -> Time {
    time("2026-05-01T09:00:00Z")
}

pub fn assigned(assigner: &str, value: &str) -> Assigned {
    Assigned {
        assigner: id(assigner),
        value: value.parse().unwrap(),
    }
}

pub fn member(organization: &str, country: &str) -> Member {
    let card = Card {
        number: time("2025-01-01T00:00:00Z"),
        organization: id(organization),
        name: organization.parse().unwrap(),
        addresses: vec![],
        certificates: vec![],
        seat: country.parse().unwrap(),
        hosting: [country.parse().unwrap()].into(),
        personnel: [country.parse().unwrap()].into(),
    };
    Member::of(SignedCard::sign(card, &SecretKey::from_seed(&[1; 32])))
}

/// The agreement of the supplier with one manufacturer. Its profile is that of what it renders to.
pub fn terms(customer: &str, class: &str) -> PartnershipTerms {
    let country = if customer == OEM_A { "FR" } else { "DE" };
    let name = if customer == OEM_A { "a" } else { "b" };
    rendered(PartnershipTerms {
        partnership: format!("oem-{name}/supplier/f99").parse().unwrap(),
        edition: 1,
        previous: [].into(),
        sign_by: None,
        needs: [].into(),
        title: "Quality of the bracket".parse().unwrap(),
        declarer: id(customer),
        declared_at: time("2026-01-01T00:00:00Z"),
        program: Some(assigned(customer, "F99")),
        parts: [assigned(customer, "1001-A").into()].into(),
        lots: [].into(),
        elements: [].into(),
        added_classes: vec![],
        known: [].into(),
        data_classes: [class.parse().unwrap()].into(),
        purposes: ["urn:ambit:purpose:quality".parse().unwrap()].into(),
        observed_from: time("2026-01-01T00:00:00Z"),
        observed_until: time("2028-01-01T00:00:00Z"),
        until: time("2027-12-31T00:00:00Z"),
        retention_days: 731,
        hold_until: None,
        keep_days: None,
        at_end: AtEnd::Hold,
        delivery: Delivery::Push,
        erasure: ErasureExtent::Readings,
        onward_hops: 0,
        derived: Some(derived(customer)),
        lease_until: time("2026-06-01T00:00:00Z"),
        roles: [].into(),
        admission: None,
        documents: [].into(),
        clauses: vec![],
        renderer: RENDERER,
        forbids: Some(
            "@id(\"no-plant-9\")\nforbid (principal, action, resource is Ambit::Observation)\n\
             when { resource has site && resource.site == \"plant-9\" };"
                .into(),
        ),
        profile: Digest::of(b""),
        members: vec![member(customer, country), member(SUPPLIER, "DE")],
        salt: Salt::from_bytes([7; 32]),
    })
}

/// The same terms with the digest of what they render to.
pub fn rendered(mut terms: PartnershipTerms) -> PartnershipTerms {
    terms.profile = Digest::of(render(&terms).unwrap().as_bytes());
    terms
}

pub fn facts(customer: &str, class: &str) -> Facts {
    Facts {
        issuer: id(SUPPLIER),
        source: "cmm-3".parse().unwrap(),
        site: Some("plant-1".parse().unwrap()),
        area: None,
        cell: None,
        grid_cell: None,
        asset: Some("cmm-3".parse().unwrap()),
        submodel: "urn:example:submodel:1".parse().unwrap(),
        semantic_id: "https://admin-shell.io/idta/InspectionResult/1/0"
            .parse()
            .unwrap(),
        part: Some(assigned(customer, "1001-A")),
        revision: None,
        serial: Some("SN-1".parse().unwrap()),
        lot: Some(assigned(SUPPLIER, "L-7")),
        order: None,
        process: Some("op-40".parse().unwrap()),
        program: Some(assigned(customer, "F99")),
        data_class: class.parse().unwrap(),
        owner: id(SUPPLIER),
        design_authority: None,
        trade_secret: false,
        export_control: ExportControl {
            determined: true,
            ..ExportControl::default()
        },
        observed_from: time("2026-05-01T08:00:00Z"),
        observed_to: time("2026-05-01T08:00:30Z"),
        grants: [].into(),
        inputs: [].into(),
        corrects: None,
        readings: Digest::of(b"readings"),
        reading_count: 3,
    }
}

pub fn limits(customer: &str, class: &str) -> Limits {
    Limits {
        program: Some(assigned(customer, "F99")),
        data_classes: [class.parse().unwrap()].into(),
        purposes: [SUPPLIER_QUALITY.parse().unwrap()].into(),
        not_after: time("2027-06-01T00:00:00Z"),
        hold_until: time("2030-01-01T00:00:00Z"),
        onward_hops: 0,
        derived: Some(derived(customer)),
    }
}

pub fn derived(customer: &str) -> DerivedTerms {
    DerivedTerms {
        data_classes: ["inspection-result".parse().unwrap(), "spc".parse().unwrap()].into(),
        recipients: [id(customer)].into(),
        purposes: [SUPPLIER_QUALITY.parse().unwrap()].into(),
        not_after: None,
        hold_until: None,
        onward_hops: None,
        again: false,
        outlives_inputs: false,
    }
}

/// A certification, signed by an issuer whom the node pinned.
pub fn attested(subject: &str) -> Attested {
    Attested {
        issuer: id("did:web:certifier.example"),
        attestation: Attestation {
            subject: id(subject),
            what: "iso27001".parse().unwrap(),
            number: None,
            not_before: time("2025-01-01T00:00:00Z"),
            not_after: time("2028-01-01T00:00:00Z"),
            authorization: None,
        },
    }
}

pub fn layers_for(terms: &PartnershipTerms) -> Layers {
    let profile = check_terms(terms, &Taxonomies::builtin()).unwrap();
    Layers::builtin().with_partnership(profile).unwrap()
}

/// The supplier's disclosure of `facts` to a customer under its agreement.
pub fn disclosure(terms: &PartnershipTerms, facts: &Facts, customer: &str) -> Inquiry {
    let limits = limits(customer, terms.data_classes.first().unwrap().as_str());
    let customer = id(customer);
    let scope = scope_for(
        terms,
        &limits,
        facts,
        &customer,
        &Taxonomies::builtin(),
        now(),
    );
    let mut recipient = terms.member(&customer).map_or_else(
        || Party::from(&member(customer.as_str(), "FR")),
        Party::from,
    );
    recipient.attested.insert(attested(customer.as_str()));
    let agreement = agreement(terms, AgreementState::Active, terms.lease_until);
    inquiry_for_disclosure(facts, &scope, &recipient, &agreement, Some(&limits), now())
}

/// An inquiry that every default layer and the partnership's own admits, and those layers.
pub fn admissible() -> (Layers, Inquiry) {
    let terms = terms(OEM_A, "quality");
    let inquiry = disclosure(&terms, &facts(OEM_A, "inspection-result"), OEM_A);
    (layers_for(&terms), inquiry)
}

/// The default layers with one more rule in the owner's.
pub fn with_owner_rule(layers: &Layers, rule: &str) -> Layers {
    let permit = "@id(\"all\") permit (principal, action, resource);\n";
    let profile = Profile::parse(Layer::Owner, &format!("{permit}{rule}")).unwrap();
    layers.with_profile(profile).unwrap()
}
