//! What a profile may say, and what is refused with its place.

use crate::fixture::{admissible, now, with_owner_rule};
use ambit_ledger::Layer;
use ambit_policy::{
    CONDITIONALS_MAX, Layers, LayersError, POLICIES_MAX, POLICY_CONDITIONALS_MAX,
    POLICY_EXPRESSIONS_MAX, Position, Profile, ProfileError, ProfileFinding, STEPS_MAX, Taxonomies,
    check_profile, default_profile, near_misses,
};
use std::collections::BTreeSet;

fn parse(text: &str) -> Result<Profile, ProfileError> {
    Profile::parse(Layer::Owner, text)
}

/// One forbid for transfers with this condition, which starts on line 3, column 8.
fn when(condition: &str) -> Result<Profile, ProfileError> {
    parse(&format!(
        "@id(\"it\")\nforbid (principal is Ambit::Party, action in Ambit::Action::\"transfer\", resource)\nwhen {{ {condition} }};"
    ))
}

#[test]
fn the_defaults_are_taken() {
    for layer in Layer::ALL {
        assert_eq!(
            default_profile(layer).is_none(),
            layer == Layer::Partnership
        );
    }
    let layers = Layers::builtin();
    assert_eq!(layers.profiles().count(), 5);
    assert_eq!(layers.blobs().len(), 7);
    let sticky = layers.profiles().next().unwrap();
    assert_eq!(sticky.layer(), Layer::Sticky);
    assert_eq!(sticky.policy_ids()[0], "sticky-transfer");
    assert_eq!(
        sticky.digest(),
        ambit_ledger::Digest::of(sticky.text().as_bytes())
    );
}

#[test]
fn each_refusal_has_its_place() {
    let permit = "@id(\"a\")\npermit (principal, action, resource);\n";
    let at = |line, column| Position { line, column };
    assert!(parse(permit).is_ok());
    assert_eq!(parse("// nothing\n").unwrap_err(), ProfileError::Empty);

    let error = parse(&format!("{permit}permit (principal action, resource);")).unwrap_err();
    assert!(matches!(error, ProfileError::Syntax { .. }));
    assert_eq!(error.position(), at(3, 19));

    let error = parse(&format!(
        "{permit}\n  permit (principal, action, resource);"
    ))
    .unwrap_err();
    assert_eq!(error, ProfileError::NoId { at: at(4, 3) });
    let error = parse("@id(\"\") permit (principal, action, resource);").unwrap_err();
    assert!(matches!(error, ProfileError::NoId { .. }));

    let error = parse(&format!("{permit}{permit}")).unwrap_err();
    assert_eq!(
        error,
        ProfileError::DuplicateId {
            at: at(3, 1),
            id: "a".into()
        }
    );

    let template = "@id(\"t\")\npermit (principal == ?principal, action, resource);";
    assert_eq!(
        parse(template).unwrap_err(),
        ProfileError::Template { at: at(1, 1) }
    );

    // The schema: a misspelt attribute, a type, an optional attribute without `has`, an unknown state.
    for condition in [
        "resource.tradeSecrets",
        "context.hop == \"1\"",
        "resource.site == \"a\"",
        "context.partnership.state == Ambit::AgreementState::\"actve\"",
    ] {
        let error = when(condition).unwrap_err();
        assert!(
            matches!(error, ProfileError::Schema { .. }),
            "{condition}: {error}"
        );
        assert_eq!(error.position().line, 3, "{condition}: {error}");
    }
    // A warning: it can never apply.
    let error = when("resource.tradeSecret && false").unwrap_err();
    assert!(matches!(error, ProfileError::Schema { .. }), "{error}");
    // Steps through more entities than the slice promises.
    let error = when("Ambit::Party::\"x\".seat == Ambit::Jurisdiction::\"DE\"").unwrap_err();
    assert!(matches!(error, ProfileError::Schema { .. }), "{error}");

    assert_eq!(
        parse(&format!("{permit}//{}", "x".repeat(70_000)))
            .unwrap_err()
            .position(),
        at(1, 1)
    );
}

#[test]
fn windows_are_on_whole_minutes() {
    for fits in [
        "resource.observedFrom < datetime(\"2026-01-01\")",
        "resource.observedTo >= datetime(\"2026-01-01T08:30:00Z\")",
        "datetime(\"2026-01-01T08:30:00.000+0100\") > resource.observedFrom",
    ] {
        assert!(when(fits).is_ok(), "{fits}");
    }
    for fine in [
        "resource.observedFrom < datetime(\"2026-01-01T08:30:30Z\")",
        "datetime(\"2026-01-01T08:30:00.001Z\") <= resource.observedTo",
    ] {
        let error = when(fine).unwrap_err();
        assert!(
            matches!(error, ProfileError::FineWindow { .. }),
            "{fine}: {error}"
        );
        assert_eq!(error.position(), Position { line: 1, column: 1 });
    }
    // Elsewhere an instant may be as fine as it likes.
    assert!(when("context.now < datetime(\"2026-01-01T08:30:30.001Z\")").is_ok());
}

#[test]
fn the_clock_is_only_compared() {
    for fits in [
        "context.now < resource.scope.notAfter",
        "resource.scope.holdUntil <= context.now",
        "!(context.now >= context.partnership.leaseUntil)",
        "context.now == datetime(\"2026-01-01\") || context.now != datetime(\"2026-01-02\")",
        "principal.hasTag(\"x\") && principal.getTag(\"x\").notAfter > context.now",
        "if context.now < resource.scope.notAfter then resource.tradeSecret else true",
        "resource.scope.holdUntil.durationSince(resource.scope.notAfter) > duration(\"1d\")",
    ] {
        assert!(when(fits).is_ok(), "{fits}: {:?}", when(fits).err());
    }
    for loose in [
        "context.now.toTime() > duration(\"8h\")",
        "context.now.offset(duration(\"1d\")) < resource.scope.notAfter",
        "context.now < resource.scope.notAfter.offset(duration(\"1d\"))",
        "context.now.durationSince(resource.observedFrom) > duration(\"90d\")",
        "context.now < resource.observedFrom",
        "resource.observedFrom == resource.observedTo",
        "resource.observedTo < context.partnership.until",
        "[context.now].contains(resource.scope.notAfter)",
        "{a: context.now} == {a: resource.scope.notAfter}",
        "(if resource.tradeSecret then context.now else resource.scope.notAfter) < datetime(\"2026-01-01\")",
        "[context] == [context] && resource.tradeSecret",
        "context.now < (if resource.tradeSecret then resource.scope.notAfter else resource.scope.holdUntil)",
        "resource.observedFrom.toDate() == datetime(\"2026-01-01\")",
    ] {
        let error = when(loose).unwrap_err();
        assert!(
            matches!(error, ProfileError::Instant { .. }),
            "{loose}: {error}"
        );
    }
}

#[test]
fn names_in_no_taxonomy_are_refused_with_what_is_near() {
    let profile = when("resource.dataClass in Ambit::DataClass::\"desing-ip\"").unwrap();
    let error = Layers::new(Taxonomies::builtin(), [profile]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `owner`, line 3, column 30: policy `it`: unknown data class `desing-ip`: did you mean `design-ip`?"
    );
    let profile = when("resource.dataClass in Ambit::DataClass::\"design-ip\"").unwrap();
    assert!(Layers::new(Taxonomies::builtin(), [profile.clone()]).is_ok());
    let builtin = Layers::builtin();
    assert_eq!(
        builtin.with_partnership(profile.clone()).unwrap_err(),
        LayersError::NotPartnership(Layer::Owner)
    );
    let twice = Layers::new(Taxonomies::builtin(), [profile.clone(), profile]);
    assert_eq!(
        twice.unwrap_err(),
        LayersError::DuplicateLayer(Layer::Owner)
    );
}

#[test]
fn every_jurisdiction_is_embargoed_or_not() {
    let taxonomies = Taxonomies::builtin();
    let within = |group: &str| -> BTreeSet<String> {
        let codes = taxonomies.jurisdictions().map(|(code, _)| code);
        codes
            .filter(|code| code.len() == 2 && *code != "EU")
            .filter(|code| {
                taxonomies.jurisdiction_is_within(&code.parse().unwrap(), &group.parse().unwrap())
            })
            .map(str::to_owned)
            .collect()
    };
    let (embargoed, open) = (within("EMBARGOED"), within("NOT-EMBARGOED"));
    let named: Vec<&str> = embargoed.iter().map(String::as_str).collect();
    assert_eq!(named, ["BY", "CU", "IR", "KP", "RU", "SY"]);
    assert!(embargoed.is_disjoint(&open));
    assert_eq!(embargoed.len() + open.len(), 249);
    // 15 CFR 740, Supplement No. 1, and Annex II, Section A, to Regulation (EU) 2021/821.
    assert_eq!(within("EAR-A5").len(), 37);
    assert_eq!(within("EAR-A5-US").len(), 38);
    assert_eq!(within("EU").len(), 27);
    let eu001: Vec<String> = within("EU-GEA").into_iter().collect();
    let expected = ["AU", "CA", "CH", "GB", "IS", "JP", "LI", "NO", "NZ", "US"];
    assert_eq!(eu001, expected);
    assert_eq!(within("EU-OR-GEA").len(), 37);
}

#[test]
fn no_country_is_written_out_but_the_united_states() {
    let text = default_profile(Layer::Regulatory).unwrap();
    let named: BTreeSet<&str> = text
        .split("Ambit::Jurisdiction::\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(
        named,
        BTreeSet::from(["EAR-A5-US", "EU-OR-GEA", "NOT-EMBARGOED", "US"])
    );
    assert!(text.lines().count() <= 100);
}

#[test]
fn a_text_is_checked_as_it_would_be_put_in_force() {
    let check = |layer, text: &str| check_profile(layer, text, &Taxonomies::builtin());
    let findings = |layer, text: &str| check(layer, text).unwrap().findings;
    for layer in Layer::ALL {
        if let Some(text) = default_profile(layer) {
            assert_eq!(findings(layer, text), [], "{layer}");
        }
    }
    let permit = "@id(\"p\") permit (principal, action, resource);\n";
    let forbid = "@id(\"f\") forbid (principal, action, resource is Ambit::Observation)\n\
                  when { resource.tradeSecret };\n";
    let nothing = "@id(\"n\") forbid (principal, action, resource);";
    let hold = "@id(\"h\") permit (principal, action == Ambit::Action::\"retain\", resource);";
    let twice = "@id(\"d\") forbid (principal, action in [Ambit::Action::\"disclose\", Ambit::Action::\"onward-disclose\"], resource);\n\
                 @id(\"a\") forbid (principal, action == Ambit::Action::\"admit\", resource);";
    let both = format!("{permit}{forbid}");
    assert_eq!(findings(Layer::Owner, permit), []);
    assert_eq!(findings(Layer::Owner, &both), []);
    assert_eq!(
        findings(Layer::Owner, forbid),
        [ProfileFinding::PermitsNothing]
    );
    assert_eq!(
        findings(Layer::Owner, hold),
        [ProfileFinding::PermitsNothing]
    );
    for all in [nothing, twice] {
        assert_eq!(
            findings(Layer::Owner, &format!("{permit}{all}")),
            [ProfileFinding::ForbidsEverything]
        );
    }
    assert_eq!(
        findings(Layer::Regulatory, permit),
        [ProfileFinding::ForbidsNothing]
    );
    // What never holds stops nothing, nor does what is not there one way.
    let stop = |action: &str, when: &str| {
        format!(
            "{permit}@id(\"f\") forbid (principal is Ambit::Party, action {action}, resource is Ambit::Observation)\n{when};"
        )
    };
    let (admit, both_ways) = (
        "== Ambit::Action::\"admit\"",
        "in Ambit::Action::\"transfer\"",
    );
    let itar = "when { resource.exportControl.itar }";
    assert_eq!(findings(Layer::Regulatory, &stop(both_ways, itar)), []);
    assert_eq!(
        findings(Layer::Regulatory, &stop(admit, itar)),
        [ProfileFinding::ForbidsNothing]
    );
    let control = "resource.exportControl.determined";
    for never in [
        format!("when {{ {control} && !{control} }}"),
        "unless { resource.tradeSecret || !resource.tradeSecret }".to_owned(),
        "when { resource.tradeSecret }".to_owned(),
    ] {
        assert_eq!(
            findings(Layer::Regulatory, &stop(both_ways, &never)),
            [ProfileFinding::StopsNothing],
            "{never}"
        );
    }
    let outbound =
        "@id(\"p\") permit (principal, action == Ambit::Action::\"disclose\", resource);";
    assert_eq!(
        findings(Layer::Owner, outbound),
        [ProfileFinding::PermitsNothing]
    );
    // What is wrong is an error, with its place: the literal's own, and the first one in the text.
    let unknown = "@id(\"a\")\nforbid (principal, action, resource is Ambit::Observation)\nwhen {\n  \
                   resource.tradeSecret &&\n  resource.dataClass in [Ambit::DataClass::\"quality\", Ambit::DataClass::\"toolpth\"]\n};\n\
                   @id(\"b\") forbid (principal, action, resource is Ambit::Observation)\n\
                   when { resource.dataClass in Ambit::DataClass::\"anything\" };";
    let error = check(Layer::Owner, unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 5, column 55: policy `a`: unknown data class `toolpth`: did you mean `toolpath`?"
    );
    let scope = "@id(\"a\")\nforbid (principal, action, resource is Ambit::Observation)\n\
                 when { principal is Ambit::Party && principal.seat in Ambit::Jurisdiction::\"UK\" };";
    let error = check(Layer::Owner, scope).unwrap_err();
    assert_eq!(
        error.position(),
        Position {
            line: 3,
            column: 55
        }
    );
    assert!(check(Layer::Owner, "permit").is_err());
}

#[test]
fn many_policies_or_conditionals_within_each_other_are_refused() {
    // 1.4 KB that keep the validator busy for ever: each branch that is always taken is looked through twice.
    let nested = |depth: usize| {
        format!(
            "{}true{}",
            "if true then ".repeat(depth),
            " else true".repeat(depth)
        )
    };
    let bracketed = |depth: usize| {
        let (open, close) = ("(if resource has owner then ", " else false)");
        format!(
            "{}resource.tradeSecret{}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    for condition in [
        nested(28),
        nested(60),
        bracketed(28),
        bracketed(31),
        bracketed(CONDITIONALS_MAX + 1),
    ] {
        assert!(condition.len() < 1_500);
        assert!(matches!(
            when(&condition),
            Err(ProfileError::TooMuch { .. })
        ));
    }
    let fits = bracketed(CONDITIONALS_MAX);
    assert!(when(&fits).is_ok(), "{:?}", when(&fits));
    // However they stand beside each other.
    let beside = |count: usize| vec![bracketed(1); count].join(" || ");
    assert!(when(&beside(POLICY_CONDITIONALS_MAX)).is_ok());
    assert!(matches!(
        when(&beside(POLICY_CONDITIONALS_MAX + 1)),
        Err(ProfileError::TooMuch { .. })
    ));
    let set = |count: usize| {
        let elements: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        format!("[{}].contains(context.hop)", elements.join(","))
    };
    assert!(when(&set(POLICY_EXPRESSIONS_MAX - 10)).is_ok());
    assert!(matches!(
        when(&set(POLICY_EXPRESSIONS_MAX)),
        Err(ProfileError::TooMuch { .. })
    ));
    let policies = |count: usize| -> String {
        let policy = |number| format!("@id(\"{number}\") permit (principal, action, resource);\n");
        (0..count).map(policy).collect()
    };
    assert!(parse(&policies(POLICIES_MAX)).is_ok());
    assert_eq!(
        parse(&policies(POLICIES_MAX + 1)).unwrap_err(),
        ProfileError::TooMany(POLICIES_MAX + 1)
    );
}

#[test]
fn what_takes_long_to_evaluate_is_refused() {
    // Each character of a pattern counts for ten, wherever it stands.
    let pattern = |characters: usize| {
        format!(
            "resource has site && resource.site like \"*{}\"",
            "a".repeat(characters)
        )
    };
    let most = STEPS_MAX / 10;
    assert!(when(&pattern(most - 10)).is_ok());
    let told = when(&pattern(most)).unwrap_err().to_string();
    assert!(
        told.contains("131072 steps") && told.contains("shorter patterns"),
        "{told}"
    );
    let policies = |count: usize, characters: usize| {
        let policy = |number| {
            format!(
                "@id(\"r{number}\")\nforbid (principal is Ambit::Party, action in Ambit::Action::\"transfer\", \
                 resource is Ambit::Observation)\nwhen {{ {} }};\n",
                pattern(characters)
            )
        };
        (0..count).map(policy).collect::<String>()
    };
    assert!(parse(&policies(100, 120)).is_ok());
    // Sets of what may be large are put in order, comparison by comparison, and compared.
    let set = |count: usize| {
        let element = |number| format!("{{a: resource.scope, z: {number}}}");
        let elements: Vec<String> = (0..count).map(element).collect();
        format!("[{}].isEmpty()", elements.join(", "))
    };
    assert!(when(&set(100)).is_ok(), "{:?}", when(&set(100)));
    assert!(matches!(when(&set(400)), Err(ProfileError::TooMuch { .. })));
    let all = "resource.scope.purposes.containsAll(resource.scope.purposes)";
    let rules = |count: usize| -> String {
        let condition = vec![all; 70].join(" && ");
        let rule = |number| {
            format!(
                "@id(\"r{number}\")\nforbid (principal is Ambit::Party, action in Ambit::Action::\"transfer\", \
                 resource is Ambit::Observation)\nwhen {{ {condition} }};\n"
            )
        };
        (0..count).map(rule).collect()
    };
    assert!(parse(&rules(13)).is_ok(), "{:?}", parse(&rules(13)));
    assert!(matches!(
        parse(&rules(14)),
        Err(ProfileError::TooMuch { .. })
    ));
    // The policy with which it is too much is named.
    let error = parse(&policies(120, 120)).unwrap_err();
    assert!(
        matches!(&error, ProfileError::TooMuch { id, .. } if id == "r107"),
        "{error}"
    );
}

#[test]
fn the_heaviest_rules_that_are_taken_are_judged_and_explained() {
    let (layers, inquiry) = admissible();
    let conditional = "(if resource has owner then resource.tradeSecret else false)";
    let links = vec![conditional; POLICY_CONDITIONALS_MAX].join(" || ");
    let rule = |number: usize| {
        format!(
            "@id(\"r{number}\") forbid (principal, action in Ambit::Action::\"transfer\", resource)\n\
             unless {{ {links} }};\n"
        )
    };
    let rules: Vec<String> = (0..60).map(rule).collect();
    let rules: String = rules.concat().chars().take(60_000).collect();
    let whole = rules
        .rfind("@id")
        .map_or(rules.as_str(), |end| &rules[..end]);
    let misses = near_misses(&with_owner_rule(&layers, whole), &inquiry, now());
    assert_eq!(misses.len(), ambit_policy::NEAR_MISSES_MAX);
}

#[test]
fn deep_or_long_text_is_refused_before_it_is_parsed() {
    let deep = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(matches!(when(&deep(60_000)), Err(ProfileError::TooLong(_))));
    assert!(matches!(
        when(&deep(20_000)),
        Err(ProfileError::TooDeep { .. })
    ));
    let chain = |links: usize| {
        format!(
            "resource.tradeSecret{}",
            " && resource.tradeSecret".repeat(links)
        )
    };
    assert!(matches!(
        when(&chain(2_000)),
        Err(ProfileError::TooDeep { .. })
    ));
    let ifs = format!(
        "{}true{}",
        "if true then ".repeat(2_000),
        " else true".repeat(2_000)
    );
    assert!(matches!(when(&ifs), Err(ProfileError::TooDeep { .. })));
    // What the bounds let through is parsed on the stack of an ordinary thread.
    let fits = chain((ambit_policy::POLICY_LINKS_MAX - 10) / 3);
    assert!(when(&fits).is_ok());
    let nested = format!("resource.tradeSecret && {}", deep(28));
    assert!(!matches!(when(&nested), Err(ProfileError::TooDeep { .. })));
    // A bracket in a string or a comment is none.
    assert!(
        when(&format!(
            "context.partnership.edition == \"{}\"",
            "(".repeat(100)
        ))
        .is_ok()
    );
}
