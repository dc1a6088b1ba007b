//! What judged: told in every report, and never weakened without a word.

use crate::fixture::{Ledger, Story, expect, facts, organization, supplier, trust};
use crate::{Delivered, Origin, Rule, RuleKind, replay};
use ambit_ledger::{Body, Kind, Layer, TaxonomyActivated};
use ambit_policy::{Profile, Taxonomies, schema_digest};

const PERMITS_ALL: &str = "@id(\"all\") permit (principal, action, resource);";

/// Puts a text in force, at the ledger's end and in what the story judges with.
fn activate(story: &mut Story, layer: Layer, text: &str) -> usize {
    let ledger = &mut story.supplier;
    ledger.activate(layer, text.as_bytes(), schema_digest());
    let parsed = Profile::parse(layer, text).unwrap();
    story.layers = story.layers.with_profile(parsed).unwrap();
    story.supplier.entries.len() - 1
}

/// What policy withholds as shipped, disclosed.
fn disclose_unclassified(story: &mut Story) -> usize {
    let mut unclassified = facts("inspection-result");
    unclassified.export_control.determined = false;
    let (id, facts) = story.supplier.observe(unclassified);
    let judged = story.judge(&facts);
    assert!(!judged.decision.admitted().is_empty(), "{judged:?}");
    story.supplier.decide(&judged);
    let decided = story.supplier.entries.len() - 1;
    story.disclose(id, &facts, &judged.decision, 1);
    decided
}

#[test]
fn what_ships_is_named_with_its_version() {
    let report = Story::told().supplier.verify();
    let rules = report.rules();
    let layers: Vec<&RuleKind> = rules.iter().map(|rule| &rule.kind).collect();
    let partnership = "customer/supplier/f99".parse().unwrap();
    let expected = [
        RuleKind::Taxonomies,
        RuleKind::Layer(Layer::Sticky),
        RuleKind::Layer(Layer::Ip),
        RuleKind::Layer(Layer::Regulatory),
        RuleKind::Layer(Layer::Owner),
        RuleKind::Layer(Layer::TradeSecret),
        RuleKind::Partnership(partnership),
    ];
    assert_eq!(layers, expected.iter().collect::<Vec<_>>());
    let (rendered, shipped) = rules.split_last().unwrap();
    assert_eq!(rendered.origin, Origin::Rendered);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    for rule in shipped {
        let version = version.clone();
        assert_eq!(rule.origin, Origin::Shipped { version });
        assert!(rule.until.is_none() && rule.beyond.is_none());
    }
    let text = report.to_string();
    assert!(text.contains(": shipped with version 0.1.0\n"), "{text}");
    assert!(text.contains(": rendered from its terms\n"), "{text}");
}

#[test]
fn an_operators_own_profile_is_told_with_what_it_lets_through() {
    let mut story = Story::begin();
    let activated = activate(&mut story, Layer::Regulatory, PERMITS_ALL);
    let decided = disclose_unclassified(&mut story);
    for report in [
        story.supplier.verify(),
        replay(&story.supplier.bundle(), &trust()),
    ] {
        expect(&report, &[]);
        let of_layer = |rule: &&crate::RuleInForce| rule.kind == RuleKind::Layer(Layer::Regulatory);
        let rules: Vec<_> = report.rules().iter().filter(of_layer).collect();
        let [shipped, own] = rules[..] else { panic!() };
        assert_eq!(shipped.until.unwrap().entry, activated as u64);
        assert_eq!(own.origin, Origin::Operator);
        let beyond = own.beyond.as_ref().unwrap();
        assert_eq!((beyond.compared, beyond.not_compared), (1, 0));
        assert_eq!(beyond.entries, [decided as u64]);
        let said = format!(
            "it admits what the shipped one does not in 1 of 1 decision, first in entry {decided}; in force without a reason for it\n"
        );
        assert!(report.to_string().contains(&said), "{report}");
        let json = serde_json::to_value(&report).unwrap();
        let last = json["rules"].as_array().unwrap().last().unwrap();
        assert_eq!(last["rule"], "layer");
        assert_eq!(last["name"], "regulatory");
        assert_eq!(last["origin"], "operator");
        assert_eq!(last["beyond"]["entries"][0], decided);
    }
    // A stricter one lets nothing through.
    let mut story = Story::begin();
    let shipped = ambit_policy::default_profile(Layer::Regulatory).unwrap();
    activate(&mut story, Layer::Regulatory, &format!("{shipped}\n"));
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
    let report = story.supplier.verify();
    expect(&report, &[]);
    let said = "operator's own, ";
    assert!(report.to_string().contains(said), "{report}");
    let said = "; it admits nothing that the shipped one does not, in 1 decision\n";
    assert!(report.to_string().contains(said), "{report}");
}

#[test]
fn what_a_decision_lets_through_is_told_of_every_stretch_that_uses_it() {
    let mut story = Story::begin();
    activate(&mut story, Layer::Regulatory, PERMITS_ALL);
    let (wide, decided) = (story.layers.clone(), disclose_unclassified(&mut story));
    let judged = story.supplier.entries[decided].body().unwrap();
    let Body::Decided(judged) = judged else {
        panic!()
    };
    let shipped = ambit_policy::default_profile(Layer::Regulatory).unwrap();
    activate(&mut story, Layer::Regulatory, shipped);
    activate(&mut story, Layer::Regulatory, PERMITS_ALL);
    story.layers = wide;
    let mut unclassified = facts("inspection-result");
    unclassified.export_control.determined = false;
    let (id, unclassified) = story.supplier.observe(unclassified);
    story.disclose(id, &unclassified, &judged.decision, 2);
    let used = story.supplier.entries.len() - 1;
    // What nothing is used under is told too.
    activate(&mut story, Layer::Regulatory, shipped);
    activate(&mut story, Layer::Regulatory, PERMITS_ALL);
    let report = story.supplier.verify();
    let own = report
        .rules()
        .iter()
        .filter_map(|rule| rule.beyond.as_ref());
    let entries: Vec<Vec<u64>> = own.map(|beyond| beyond.entries.clone()).collect();
    assert_eq!(entries, [vec![decided as u64], vec![used as u64], vec![]]);
    assert!(
        report
            .to_string()
            .contains("; no decision recorded here was used under it"),
        "{report}"
    );
}

#[test]
fn a_sticky_layer_that_never_shipped_is_found() {
    let mut story = Story::begin();
    let activated = activate(&mut story, Layer::Sticky, PERMITS_ALL);
    disclose_admissible(&mut story);
    for report in [
        story.supplier.verify(),
        replay(&story.supplier.bundle(), &trust()),
    ] {
        expect(&report, &[(Rule::StickyLayer, Some(activated))]);
        assert_eq!(report.exit_code(), 1);
    }
}

/// An observation that the shipped layers admit as well, so that only the text itself is wrong.
fn disclose_admissible(story: &mut Story) {
    let (id, facts) = story.supplier.observe(facts("inspection-result"));
    let judged = story.judge(&facts);
    story.supplier.decide(&judged);
    story.disclose(id, &facts, &judged.decision, 1);
}

#[test]
fn taxonomies_that_never_shipped_are_found() {
    let mut ledger = Ledger::open(supplier());
    let strange =
        Taxonomies::from_json(r#"{"jurisdictions":{},"purposes":{},"data_classes":{}}"#).unwrap();
    let taxonomies = ledger.put(strange.to_bytes());
    ledger.push(Body::TaxonomyActivated(TaxonomyActivated { taxonomies }));
    ledger.expect(&[(Rule::TaxonomiesStrange, Some(3))]);
}

#[test]
fn what_became_of_everything_is_counted_by_recipient() {
    let story = Story::told();
    let report = story.supplier.verify();
    let expected = Delivered {
        partnership: story.terms.partnership,
        recipient: organization(crate::fixture::CUSTOMER),
        disclosed: 2,
        admitted: 1,
        refused: 1,
        set_aside: 0,
        withdrawn: 0,
        unacknowledged: 0,
        is_unverified: false,
        withheld: 2,
        unjudged: 0,
    };
    assert_eq!(report.deliveries(), [expected]);
    let said = "to did:web:customer.example in `customer/supplier/f99`: 2 disclosed (1 admitted, 1 refused, \
                0 set aside, 0 withdrawn, 0 not acknowledged yet), 2 withheld, 0 not judged yet\n";
    assert!(report.to_string().contains(said), "{report}");

    let mut story = Story::told();
    story
        .supplier
        .truncate(story.supplier.nth(Kind::Disclosed, 0) + 1);
    story.supplier.observe(facts("inspection-result"));
    let report = story.supplier.verify();
    let delivery = &report.deliveries()[0];
    assert_eq!((delivery.unacknowledged, delivery.unjudged), (1, 1));
}
