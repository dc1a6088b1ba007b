//! Where Cedar alone would answer *allow*, the answer here is undecided.

use crate::fixture::{
    OEM_A, OEM_B, admissible, disclosure, facts, layers_for, now, terms, with_owner_rule,
};
use ambit_ledger::{Inquiry, Layer, Unsalted, Verdict};
use ambit_policy::{Layers, Profile, ProfileError, Taxonomies, judge, near_misses};

fn decide(layers: &Layers, inquiry: &Inquiry) -> Unsalted {
    judge(layers, inquiry, now()).decision
}

fn only_errors(decision: &Unsalted) -> Vec<String> {
    assert_eq!(decision.verdict(), Verdict::Undecided);
    assert!(decision.admitted().is_empty());
    let verdict = &decision.verdicts[0];
    let layers = verdict.layers.iter().flat_map(|layer| layer.errors.clone());
    layers.chain(verdict.errors.clone()).collect()
}

#[test]
fn a_forbid_that_overflows_is_undecided() {
    let (layers, inquiry) = admissible();
    assert_eq!(decide(&layers, &inquiry).verdict(), Verdict::Admissible);
    let rule = "@id(\"bad\") forbid (principal, action in Ambit::Action::\"transfer\", resource)\n\
                when { context.retentionDays + 9223372036854775807 < 0 };";
    let errors = only_errors(&decide(&with_owner_rule(&layers, rule), &inquiry));
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("overflow") && errors[0].contains("bad"),
        "{errors:?}"
    );
}

#[test]
fn a_taxonomy_without_the_class_is_undecided() {
    let (layers, inquiry) = admissible();
    // The class is there, but its node is missing: `in` would silently be false, and this forbid not apply.
    let mut taxonomies: serde_json::Value =
        serde_json::from_slice(Taxonomies::builtin().to_bytes()).unwrap();
    taxonomies["data_classes"]
        .as_object_mut()
        .unwrap()
        .remove("inspection-result");
    let taxonomies = Taxonomies::from_json(&taxonomies.to_string()).unwrap();
    let layers = Layers::new(taxonomies, layers.profiles().cloned()).unwrap();
    let rule = "@id(\"no-quality\") forbid (principal, action, resource is Ambit::Observation)\n\
                when { resource.dataClass in Ambit::DataClass::\"quality\" };";
    let errors = only_errors(&decide(&with_owner_rule(&layers, rule), &inquiry));
    assert_eq!(
        errors,
        ["entity `Ambit::DataClass::\"inspection-result\"` is missing"]
    );
}

#[test]
fn a_name_in_no_taxonomy_is_undecided_wherever_it_is_reached() {
    let (layers, inquiry) = admissible();
    let mut reached: Vec<(Inquiry, &str)> = Vec::new();
    let mut changed = inquiry.clone();
    changed.recipient.personnel.insert("ZZ".parse().unwrap());
    reached.push((changed, "Ambit::Jurisdiction::\"ZZ\""));
    let mut changed = inquiry.clone();
    changed
        .limits
        .as_mut()
        .unwrap()
        .purposes
        .insert("urn:x".parse().unwrap());
    reached.push((changed, "Ambit::Purpose::\"urn:x\""));
    let mut changed = inquiry;
    changed
        .scope
        .derived
        .as_mut()
        .unwrap()
        .data_classes
        .insert("x".parse().unwrap());
    reached.push((changed, "Ambit::DataClass::\"x\""));
    for (inquiry, entity) in reached {
        let errors = only_errors(&decide(&layers, &inquiry));
        assert_eq!(errors, [format!("entity `{entity}` is missing")]);
    }
}

#[test]
fn a_layer_that_does_not_compile_is_undecided_for_all() {
    let (layers, inquiry) = admissible();
    let text = "@id(\"f\")\nforbid (principal, action, resource is Ambit::Observation)\n\
                when { resource.dataClass in Ambit::DataClass::\"desing-ip\" };";
    let broken = layers.with_text(Layer::Regulatory, text);
    let decision = decide(&broken, &inquiry);
    assert_eq!(only_errors(&decision), ["the profile does not compile"]);
    // Who asks which layer, and why, is told; it is in force all the same, and among the evidence.
    let layer = broken.broken().next().unwrap();
    assert_eq!(layer.layer(), Layer::Regulatory);
    assert!(matches!(layer.error(), ProfileError::Unknown { .. }));
    assert!(broken.blobs().contains(&(layer.digest(), text.as_bytes())));
    assert_eq!(decision.profiles.len(), 6);
    let misses = near_misses(&broken, &inquiry, now());
    assert_eq!(misses.len(), 1);
    assert_eq!(misses[0].policy, "regulatory");
    assert_eq!(
        misses[0].error.as_deref().unwrap(),
        "the profile does not compile: line 3, column 30: policy `f`: unknown data class `desing-ip`: did you mean \
         `design-ip`?"
    );
    // Replaced, it judges again.
    let mended = broken.with_text(Layer::Regulatory, &text.replace("desing", "design"));
    assert_eq!(mended.broken().count(), 0);
    assert_eq!(decide(&mended, &inquiry).verdict(), Verdict::Withheld);
}

#[test]
fn a_forbid_that_leaves_open_is_undecided_and_another_one_is_a_no() {
    let (layers, inquiry) = admissible();
    let open = "@id(\"undecided-audit\") forbid (principal, action in Ambit::Action::\"transfer\", resource);";
    let no = "\n@id(\"no\") forbid (principal, action in Ambit::Action::\"transfer\", resource);";
    let decided = |rule: &str| decide(&with_owner_rule(&layers, rule), &inquiry);
    assert_eq!(decided(open).verdict(), Verdict::Undecided);
    assert_eq!(decided(&format!("{open}{no}")).verdict(), Verdict::Withheld);
    let misses = near_misses(&with_owner_rule(&layers, open), &inquiry, now());
    assert_eq!(misses[0].policy, "undecided-audit");
    let permit = "@id(\"undecided-x\") permit (principal, action, resource);";
    let refused = Profile::parse(Layer::Owner, permit).unwrap_err();
    assert!(matches!(refused, ProfileError::UndecidedPermit { .. }));
}

#[test]
fn two_competitors_of_one_supplier_stay_apart() {
    let (with_a, with_b) = (terms(OEM_A, "quality"), terms(OEM_B, "design-ip"));
    let (layers_a, layers_b) = (layers_for(&with_a), layers_for(&with_b));

    let quality = facts(OEM_A, "inspection-result");
    let mut toolpath = facts(OEM_B, "toolpath");
    toolpath.design_authority = Some(OEM_B.parse().unwrap());
    let verdict = |layers: &Layers, inquiry: &Inquiry| decide(layers, inquiry).verdict();
    assert_eq!(
        verdict(&layers_a, &disclosure(&with_a, &quality, OEM_A)),
        Verdict::Admissible
    );
    assert_eq!(
        verdict(&layers_b, &disclosure(&with_b, &toolpath, OEM_B)),
        Verdict::Admissible
    );
    // Neither crosses to the other, under either agreement.
    for (layers, terms, facts, customer) in [
        (&layers_b, &with_b, &quality, OEM_B),
        (&layers_a, &with_a, &quality, OEM_B),
        (&layers_a, &with_a, &toolpath, OEM_A),
        (&layers_b, &with_b, &toolpath, OEM_A),
    ] {
        assert_eq!(
            verdict(layers, &disclosure(terms, facts, customer)),
            Verdict::Withheld
        );
    }
    // Nor does design data without an authority, or of another's.
    toolpath.design_authority = None;
    assert_eq!(
        verdict(&layers_b, &disclosure(&with_b, &toolpath, OEM_B)),
        Verdict::Withheld
    );
    toolpath.design_authority = Some(OEM_A.parse().unwrap());
    assert_eq!(
        verdict(&layers_b, &disclosure(&with_b, &toolpath, OEM_B)),
        Verdict::Withheld
    );
}

#[test]
fn no_layers_or_no_purposes_admit_nothing() {
    let (layers, mut inquiry) = admissible();
    let none = Layers::new(Taxonomies::builtin(), []).unwrap();
    assert_eq!(decide(&none, &inquiry).verdict(), Verdict::Withheld);
    inquiry.scope.purposes.clear();
    assert_eq!(decide(&layers, &inquiry).verdict(), Verdict::Withheld);
}

#[test]
fn each_purpose_is_judged_by_itself() {
    let (layers, mut inquiry) = admissible();
    let research = "urn:ambit:purpose:research".parse().unwrap();
    inquiry.scope.purposes.insert(research);
    let decision = decide(&layers, &inquiry);
    let verdicts: Vec<Verdict> = decision
        .verdicts
        .iter()
        .map(|verdict| verdict.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Withheld, Verdict::Admissible]);
    assert_eq!(decision.admitted().len(), 1);
}

#[test]
fn a_no_names_the_part_that_failed() {
    let (layers, inquiry) = admissible();
    assert_eq!(near_misses(&layers, &inquiry, now()), []);

    let mut late = inquiry.clone();
    late.footprint.observed_to = "2028-01-01T00:00:00.001Z".parse().unwrap();
    let misses = near_misses(&layers, &late, now());
    assert_eq!(misses.len(), 1, "{misses:?}");
    assert_eq!(misses[0].policy, "partnership-transfer");
    assert!(!misses[0].forbids);
    assert_eq!(misses[0].failed.len(), 1);
    assert!(
        misses[0].failed[0].text.contains("observedTo"),
        "{misses:?}"
    );

    let mut unlimited = inquiry;
    unlimited.limits = None;
    let misses = near_misses(&layers, &unlimited, now());
    assert_eq!(misses[0].policy, "sticky-within-limits");
    assert!(misses[0].forbids);
    assert_eq!(misses[0].failed[0].text, "resource has limits");
}
