//! Agreements: what renders, what is refused, and what no value can smuggle in.

use crate::fixture::{OEM_A, OEM_B, SUPPLIER, assigned, id, member, rendered, terms, time};
use ambit_ledger::{Layer, PartnershipTerms};
use ambit_policy::{
    ForbidsError, Profile, ProfileError, Taxonomies, TermsError, check_terms, render,
};

fn check(terms: &PartnershipTerms) -> Result<Profile, TermsError> {
    check_terms(terms, &Taxonomies::builtin())
}

#[test]
fn the_rendered_text_is_frozen() {
    let expected = r#"@id("partnership-transfer")
permit (principal is Ambit::Party, action in [Ambit::Action::"disclose", Ambit::Action::"admit"], resource is Ambit::Observation)
when {
  context.partnership == Ambit::Partnership::"oem-a/supplier/f99" &&
  [Ambit::Organization::"did:web:oem-a.example", Ambit::Organization::"did:web:supplier.example"].contains(principal.organization) &&
  resource has program && resource.program == {assigner: Ambit::Organization::"did:web:oem-a.example", value: "F99"} &&
  resource has part && [{assigner: Ambit::Organization::"did:web:oem-a.example", value: "1001-A"}].contains(resource.part) &&
  resource.dataClass in [Ambit::DataClass::"quality"] &&
  resource.observedFrom >= datetime("2026-01-01T00:00:00Z") &&
  resource.observedFrom < datetime("2028-01-01T00:00:00Z") &&
  resource.observedTo <= datetime("2028-01-01T00:00:00Z") &&
  context.purpose in [Ambit::Purpose::"urn:ambit:purpose:quality"] &&
  context.now < datetime("2027-12-31T00:00:00Z") &&
  resource.scope.notAfter <= datetime("2027-12-31T00:00:00Z") &&
  context.retentionDays <= 731 &&
  context.hop <= 0 &&
  resource.scope.onwardHops <= 0 &&
  (if resource.scope has derived
   then [Ambit::Organization::"did:web:oem-a.example"].containsAll(resource.scope.derived.recipients)
   else true)
};

@id("undecided-lease")
forbid (principal is Ambit::Party, action in Ambit::Action::"transfer", resource is Ambit::Observation)
when {
  context.partnership == Ambit::Partnership::"oem-a/supplier/f99" &&
  context.partnership.leaseUntil <= context.now &&
  context.now < context.partnership.until
};
"#;
    let text = render(&terms(OEM_A, "quality")).unwrap();
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("resource.site == \"plant-9\" };\n"));
    let profile = Profile::parse(Layer::Partnership, &text).unwrap();
    assert_eq!(
        profile.policy_ids(),
        [
            "partnership-transfer",
            "undecided-lease",
            "partnership-retain",
            "partnership-use",
            "partnership-derive",
            "no-plant-9"
        ]
    );
}

#[test]
fn optional_terms_render_too() {
    let mut terms = terms(OEM_A, "quality");
    terms.parts.clear();
    terms.derived = None;
    terms.forbids = None;
    terms.onward_hops = 1;
    terms.erasure = ambit_ledger::ErasureExtent::All;
    terms.until = time("2027-12-31T00:00:00.0015Z");
    let text = render(&terms).unwrap();
    assert!(!text.contains("resource has part"));
    assert!(text.contains("!(resource.scope has derived)"));
    assert!(text.contains("Ambit::ErasureExtent::\"all\""));
    assert!(text.contains("action in Ambit::Action::\"transfer\""));
    assert!(text.contains("datetime(\"2027-12-31T00:00:00.001Z\")"));
    terms.until = time("2027-12-31T00:00:00.001Z");
    assert!(check(&rendered(terms)).is_ok());
}

#[test]
fn no_value_ends_its_literal() {
    let attacks = [
        "x\"); permit (principal, action, resource); //",
        "\\\" || true || \\\"",
        "\\",
        "x\\\"",
        "\u{202e}reversed",
        "zero\u{200b}width\u{2028}line",
        "Müller",
        "*/ // \"",
        "\\u{22}",
        "$&'`%",
    ];
    for attack in attacks {
        let mut terms = terms(OEM_A, "quality");
        terms.forbids = None;
        let plain = render(&terms).unwrap();
        let ids = |text: &str| -> Result<usize, ProfileError> {
            Profile::parse(Layer::Partnership, text).map(|profile| profile.policy_ids().len())
        };
        terms.partnership = attack.parse().unwrap();
        terms.title = attack.parse().unwrap();
        terms.program = Some(assigned(OEM_A, attack));
        terms.parts = [assigned(attack, attack).into()].into();
        terms.purposes = [attack.parse().unwrap()].into();
        terms.data_classes = [attack.parse().unwrap()].into();
        terms.members[0] = member(attack, "FR");
        let text = render(&terms).unwrap();
        assert_eq!(text.lines().count(), plain.lines().count(), "{attack}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'));
        // Either five policies as ever, or refused because the name itself is confusing; never more.
        match ids(&text) {
            Ok(count) => assert_eq!(count, 5, "{attack}"),
            Err(error) => assert!(
                matches!(error, ProfileError::Schema { .. }),
                "{attack}: {error}"
            ),
        }
    }
}

#[test]
fn hand_written_rules_only_forbid() {
    let with = |forbids: &str| {
        let mut terms = terms(OEM_A, "quality");
        terms.forbids = Some(forbids.into());
        terms
    };
    let forbid = "@id(\"f\") forbid (principal, action, resource) when { resource.tradeSecret };";
    assert!(check(&rendered(with(forbid))).is_ok());
    assert_eq!(
        render(&with(&format!(
            "{forbid}\n@id(\"p\") permit (principal, action, resource);"
        ))),
        Err(ForbidsError::Permits { id: "p".into() })
    );
    let unnamed = "forbid (principal, action, resource);";
    for broken in [
        unnamed,
        "@id(\"f\") forbid (principal, action, resource)",
        "}; permit (principal, action, resource);",
        "/* */",
    ] {
        assert!(
            matches!(render(&with(broken)), Err(ForbidsError::Text(_))),
            "{broken}"
        );
    }
    // It may not take the name of a rendered policy, nor name a class nobody knows.
    let taken = "@id(\"partnership-transfer\") forbid (principal, action, resource);";
    assert!(matches!(
        check(&rendered(with(taken))),
        Err(TermsError::Forbids(ForbidsError::Refused(
            ProfileError::DuplicateId { .. }
        )))
    ));
    let unknown = "@id(\"f\") forbid (principal, action, resource is Ambit::Observation)\n\
                   when { resource.dataClass in Ambit::DataClass::\"toolpth\" };";
    assert!(matches!(
        check(&rendered(with(unknown))),
        Err(TermsError::Forbids(ForbidsError::Refused(
            ProfileError::Unknown { .. }
        )))
    ));
    // A fault has its place in what was written by hand, as its author counts lines.
    let told = |forbids: &str| match render(&with(forbids)) {
        Err(error) => error.to_string(),
        Ok(_) => check(&rendered(with(forbids))).unwrap_err().to_string(),
    };
    let two = format!("{forbid}\n\n");
    for (text, place) in [
        (taken.to_owned(), "line 1, column 1 of `forbids`: the id"),
        (
            format!("{two}{taken}"),
            "line 3, column 1 of `forbids`: the id",
        ),
        (
            unknown.to_owned(),
            "line 2, column 30 of `forbids`: policy `f`",
        ),
        (
            format!("{two}@id(\"g\")\nforbid (principal, action, resource)\nwhen {{ 1 }};"),
            "line 5, column 8 of `forbids`: for policy `g`",
        ),
        (
            format!("{two}forbid (principal"),
            "line 3, column 18 of `forbids`: ",
        ),
        (
            format!("{two}{unnamed}"),
            "line 3, column 1 of `forbids`: the policy has no id",
        ),
    ] {
        assert!(told(&text).contains(place), "{place}: {}", told(&text));
    }
}

#[test]
fn each_flaw_of_the_terms_is_named() {
    assert!(check(&terms(OEM_A, "quality")).is_ok());
    type Change = fn(&mut PartnershipTerms);
    type Expected = fn(&TermsError) -> bool;
    let flaws: [(Change, Expected); 25] = [
        (
            |t| t.members.truncate(1),
            |e| matches!(e, TermsError::TooFewMembers(1)),
        ),
        (
            |t| t.members.reverse(),
            |e| matches!(e, TermsError::MemberOrder(_)),
        ),
        (
            |t| t.members.push(member(SUPPLIER, "DE")),
            |e| matches!(e, TermsError::MemberOrder(_)),
        ),
        (
            |t| t.members[0] = member(OEM_A, "XX"),
            |e| matches!(e, TermsError::Unknown(_)),
        ),
        (
            |t| t.declarer = id(OEM_B),
            |e| matches!(e, TermsError::DeclarerNotMember(_)),
        ),
        (
            |t| t.program = Some(assigned(OEM_B, "F99")),
            |e| matches!(e, TermsError::NotMember { .. }),
        ),
        (
            |t| t.parts = [assigned(OEM_B, "1").into()].into(),
            |e| matches!(e, TermsError::NotMember { .. }),
        ),
        (|t| t.edition = 0, |e| matches!(e, TermsError::Edition(0))),
        (|t| t.edition = 2, |e| matches!(e, TermsError::Edition(2))),
        (
            |t| t.data_classes.clear(),
            |e| matches!(e, TermsError::Nothing(_)),
        ),
        (
            |t| t.purposes.clear(),
            |e| matches!(e, TermsError::Nothing(_)),
        ),
        (
            |t| t.retention_days = 0,
            |e| matches!(e, TermsError::NoRetention),
        ),
        (
            |t| t.purposes = ["quality".parse().unwrap()].into(),
            |e| matches!(e, TermsError::Unknown(_)),
        ),
        (
            |t| t.data_classes = ["qualty".parse().unwrap()].into(),
            |e| matches!(e, TermsError::Unknown(_)),
        ),
        (
            |t| t.observed_from = time("2026-01-01T00:00:01Z"),
            |e| matches!(e, TermsError::FineWindow(_)),
        ),
        (
            |t| t.observed_until = t.observed_from,
            |e| matches!(e, TermsError::EmptyWindow(_)),
        ),
        (
            |t| t.until = t.declared_at,
            |e| matches!(e, TermsError::Ended { .. }),
        ),
        (
            |t| t.lease_until = time("2028-01-01T00:00:00Z"),
            |e| matches!(e, TermsError::LeaseBeyondEnd { .. }),
        ),
        (
            |t| t.until = time("2027-12-31T00:00:00.0015Z"),
            |e| matches!(e, TermsError::FineInstant(_)),
        ),
        (
            |t| t.derived.as_mut().unwrap().hold_until = Some(time("2027-12-31T00:00:00.0015Z")),
            |e| matches!(e, TermsError::FineInstant(_)),
        ),
        (
            |t| t.retention_days = u32::MAX,
            |e| matches!(e, TermsError::RetentionBeyondTime { .. }),
        ),
        (
            |t| t.retention_days = 9,
            |e| matches!(e, TermsError::ProfileDigest { .. }),
        ),
        (
            |t| t.derived.as_mut().unwrap().recipients = [id(OEM_B)].into(),
            |e| matches!(e, TermsError::NotMember { .. }),
        ),
        (
            |t| t.derived.as_mut().unwrap().purposes.clear(),
            |e| matches!(e, TermsError::Nothing(_)),
        ),
        (
            |t| t.forbids = Some("nonsense".into()),
            |e| matches!(e, TermsError::Forbids(_)),
        ),
    ];
    for (index, (change, is_expected)) in flaws.into_iter().enumerate() {
        let mut terms = terms(OEM_A, "quality");
        change(&mut terms);
        let error = check(&terms).unwrap_err();
        assert!(is_expected(&error), "flaw {index}: {error}");
    }
}

#[test]
fn the_longest_retention_that_fits_is_named_and_taken() {
    let mut terms = terms(OEM_A, "quality");
    terms.retention_days = 100_000;
    let Err(TermsError::RetentionBeyondTime { days, most }) = check(&rendered(terms.clone()))
    else {
        panic!("it was taken");
    };
    assert_eq!(days, 100_000);
    terms.retention_days = most + 1;
    let error = check(&rendered(terms.clone())).unwrap_err();
    assert!(
        error.to_string().contains(&format!("at most {most}")),
        "{error}"
    );
    terms.retention_days = most;
    assert!(check(&rendered(terms)).is_ok());
}

#[test]
fn rules_that_take_long_for_all_purposes_together_are_refused() {
    let taxonomies = Taxonomies::builtin();
    let with = |purposes: usize| {
        let mut terms = terms(OEM_A, "quality");
        let names = taxonomies.purposes().map(|(name, _)| name.parse().unwrap());
        terms.purposes = names.take(purposes).collect();
        terms.forbids = Some(format!(
            "@id(\"it\") forbid (principal, action in Ambit::Action::\"transfer\", resource is Ambit::Observation)\n\
             when {{ resource has site && resource.site like \"{}\" }};",
            "a".repeat(1_000)
        ));
        terms.profile = ambit_ledger::Digest::of(render(&terms).unwrap().as_bytes());
        check(&terms)
    };
    assert_eq!(with(12).map(|_| ()), Ok(()));
    let told = with(14).unwrap_err().to_string();
    assert!(
        told.contains("steps of evaluation") && told.contains("131072 at most"),
        "{told}"
    );
}
