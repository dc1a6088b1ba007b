//! What is said of a no: the policy, the parts that failed, and the values they saw.

use crate::fixture::{OEM_B, admissible, assigned, id, now, time, with_owner_rule};
use ambit_ledger::{Inquiry, Layer, Purpose};
use ambit_policy::{
    Layers, NEAR_MISSES_MAX, NearMiss, PART_CHARS_MAX, SAW_MAX, VALUE_CHARS_MAX, near_misses,
};

/// The only near miss of a layer.
fn one(layers: &Layers, inquiry: &Inquiry, layer: Layer) -> NearMiss {
    let misses = near_misses(layers, inquiry, now());
    let mut of_layer: Vec<NearMiss> = misses.into_iter().filter(|m| m.layer == layer).collect();
    assert_eq!(of_layer.len(), 1, "{of_layer:?}");
    of_layer.remove(0)
}

/// The near miss as lines: the policy, each part, and below it what it saw.
fn lines(miss: &NearMiss) -> Vec<String> {
    let said = if miss.forbids { "forbids" } else { "permits" };
    let mut lines = vec![format!("{} {said}", miss.policy)];
    for part in &miss.failed {
        lines.push(format!("{} {}", part.holds, part.text));
        for saw in &part.saw {
            lines.push(format!("  {} = {}", saw.expression, saw.value));
        }
    }
    lines
}

#[test]
fn the_partnership_layer_shows_the_class() {
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.data_class = "toolpath".parse().unwrap();
    let miss = one(&layers, &inquiry, Layer::Partnership);
    assert_eq!(miss.error, None);
    assert_eq!(
        lines(&miss),
        [
            "partnership-transfer permits",
            "false resource.dataClass in [Ambit::DataClass::\"quality\"]",
            "  resource.dataClass = toolpath",
        ]
    );
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::Ip)),
        [
            "ip-design-authority forbids",
            "false (resource.dataClass in [Ambit::DataClass::\"quality\", Ambit::DataClass::\"process-ip\", \
             Ambit::DataClass::\"operations\", Ambit::DataClass::\"logistics\", \
             Ambit::DataClass::\"sustainability\", Ambit::DataClass::\"identity\"]) || \
             (principal.organization == resource.owner) || ((resource has designAuthority) && \
             (principal.organization == resource.designAuthority))",
            "  resource.dataClass = toolpath",
            "  principal.organization = did:web:oem-a.example",
            "  resource.owner = did:web:supplier.example",
            "  resource.designAuthority = absent",
        ]
    );
}

#[test]
fn the_sticky_layer_shows_whom_the_facts_name() {
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.named.insert(id(OEM_B));
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::Sticky)),
        [
            "sticky-named-are-members forbids",
            "false context.partnership.members.containsAll(resource.named)",
            "  context.partnership.members = [did:web:oem-a.example, did:web:supplier.example]",
            "  resource.named = [did:web:oem-a.example, did:web:oem-b.example, did:web:supplier.example]",
        ]
    );
}

#[test]
fn what_is_not_there_is_absent_and_guards_what_follows() {
    let (layers, mut inquiry) = admissible();
    inquiry.limits = None;
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::Sticky)),
        [
            "sticky-within-limits forbids",
            "false resource has limits",
            "  resource.limits = absent",
        ]
    );
}

#[test]
fn records_and_instants_are_written_plainly() {
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.program = Some(assigned(OEM_B, "R-2"));
    inquiry.scope.not_after = time("2027-12-31T00:00:00.5Z");
    let miss = one(&layers, &inquiry, Layer::Partnership);
    let text = lines(&miss).join("\n");
    assert!(
        text.contains("  resource.program = {assigner: did:web:oem-b.example, value: R-2}"),
        "{text}"
    );
    assert!(
        text.contains("  resource.scope.notAfter = 2027-12-31T00:00:00.5Z"),
        "{text}"
    );
}

#[test]
fn the_regulatory_layer_shows_the_classification_and_the_tag() {
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.export_control.determined = false;
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::Regulatory)),
        [
            "ec-unclassified-blocks forbids",
            "false resource.exportControl.determined",
            "  resource.exportControl.determined = false",
        ]
    );
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.export_control.itar = true;
    let text = lines(&one(&layers, &inquiry, Layer::Regulatory)).join("\n");
    for line in [
        "ec-itar forbids\ntrue ",
        "\n  resource.exportControl.itar = true\n",
        "\n  resource.exportControl.usml = absent\n",
        "\n  principal.getTag(\"ddtc-registered\") = absent",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn the_owner_layer_shows_the_number_that_is_too_large() {
    let (layers, mut inquiry) = admissible();
    inquiry.retention_days = 4_000;
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::Owner)),
        [
            "owner-retention-cap forbids",
            "false context.retentionDays <= 3660",
            "  context.retentionDays = 4000",
        ]
    );
}

#[test]
fn the_trade_secret_layer_shows_what_made_it_apply_and_what_would_have_lifted_it() {
    let (layers, mut inquiry) = admissible();
    inquiry.footprint.trade_secret = true;
    inquiry.footprint.owner = id(OEM_B);
    assert_eq!(
        lines(&one(&layers, &inquiry, Layer::TradeSecret)),
        [
            "ts-only-agreed-members forbids",
            "true resource.tradeSecret",
            "  resource.tradeSecret = true",
            "false context.partnership.members.contains(resource.owner)",
            "  context.partnership.members = [did:web:oem-a.example, did:web:supplier.example]",
            "  resource.owner = did:web:oem-b.example",
        ]
    );
}

#[test]
fn an_error_names_its_policy_its_part_and_what_it_saw() {
    let (layers, inquiry) = admissible();
    let rule = "@id(\"sums\") forbid (principal, action in Ambit::Action::\"transfer\", resource)\n\
                when { resource.tradeSecret == false && context.hop + 9223372036854775807 > 5 && context.hop > 7 };\n\
                @id(\"overflows\") forbid (principal, action in Ambit::Action::\"transfer\", resource)\n\
                unless { context.retentionDays + 9223372036854775807 > 5 };";
    let layers = with_owner_rule(&layers, rule);
    let miss = one(&layers, &inquiry, Layer::Owner);
    assert_eq!(miss.policy, "overflows");
    let error = miss.error.as_deref().unwrap();
    assert!(error.contains("overflow"), "{error}");
    let lines = lines(&miss);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[1].starts_with("false ") && lines[1].contains("context.retentionDays"),
        "{lines:?}"
    );
    assert!(
        lines[2].starts_with("  context.retentionDays = "),
        "{lines:?}"
    );
}

#[test]
fn each_purpose_has_near_misses_of_its_own() {
    let (layers, mut inquiry) = admissible();
    let research: Purpose = "urn:ambit:purpose:research".parse().unwrap();
    inquiry.scope.purposes.insert(research.clone());
    let misses = near_misses(&layers, &inquiry, now());
    assert!(!misses.is_empty());
    assert!(misses.iter().all(|miss| miss.purpose == research));
    let text = misses.iter().flat_map(lines).collect::<Vec<_>>().join("\n");
    assert!(
        text.contains("  context.purpose = urn:ambit:purpose:research"),
        "{text}"
    );
}

#[test]
fn what_is_said_is_bounded() {
    let (layers, mut inquiry) = admissible();
    for index in 0..60 {
        let organization = format!("did:web:organization-{index}.example");
        inquiry.footprint.named.insert(id(&organization));
    }
    inquiry.footprint.export_control.eccn = Some("9E003".parse().unwrap());
    inquiry.recipient.hosting = ["RU".parse().unwrap()].into();
    let mut rules = String::new();
    for index in 0..20 {
        rules.push_str(&format!(
            "@id(\"rule-{index}\") forbid (principal, action, resource is Ambit::Observation)\n\
             unless {{ resource.tradeSecret }};\n"
        ));
    }
    let misses = near_misses(&with_owner_rule(&layers, &rules), &inquiry, now());
    let of_owner = misses.iter().filter(|miss| miss.layer == Layer::Owner);
    assert_eq!(of_owner.count(), NEAR_MISSES_MAX);
    let parts = misses.iter().flat_map(|miss| &miss.failed);
    let ends: Vec<&str> = parts
        .inspect(|part| {
            assert!(part.text.chars().count() <= PART_CHARS_MAX);
            assert!(part.saw.len() <= SAW_MAX);
            assert!(
                part.saw
                    .iter()
                    .all(|saw| saw.value.chars().count() <= VALUE_CHARS_MAX)
            );
        })
        .flat_map(|part| {
            part.saw
                .iter()
                .map(|saw| saw.value.as_str())
                .chain([part.text.as_str()])
        })
        .filter(|text| text.ends_with('…'))
        .collect();
    assert!(ends.len() >= 2, "{ends:?}");
}
