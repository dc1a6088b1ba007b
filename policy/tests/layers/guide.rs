//! The guide says of every attribute what the schema says, and of every bound and group what holds.

use ambit_policy::{
    CONDITIONALS_MAX, POLICIES_MAX, POLICY_CONDITIONALS_MAX, POLICY_EXPRESSIONS_MAX,
    POLICY_LINKS_MAX, PROFILE_BYTES_MAX, PROFILE_NESTING_MAX, Taxonomies, UNDECIDED_PREFIX,
    schema_text,
};
use std::collections::BTreeSet;

const GUIDE: &str = include_str!("../../GUIDE.md");

/// Each attribute with its type, such as `Party.authorization?` and `Authorization`.
fn of_schema() -> BTreeSet<(String, String)> {
    let mut attributes = BTreeSet::new();
    let mut owner = String::new();
    for line in schema_text().lines() {
        let code = line.split("//").next().unwrap().trim();
        let (head, body) = match code.split_once('{') {
            Some((head, body)) => (head, body),
            None => ("", code),
        };
        let mut words = head.split_whitespace();
        if matches!(words.next(), Some("entity" | "type")) {
            owner = words.next().unwrap().to_owned();
        } else if !head.is_empty() {
            owner.clear();
        }
        let body = body.split('}').next().unwrap();
        for part in body.split(',').filter(|_| !owner.is_empty()) {
            if let Some((name, its_type)) = part.split_once(':') {
                let name = format!("{owner}.{}", name.trim());
                attributes.insert((name, its_type.trim().to_owned()));
            }
        }
        if code.contains('}') {
            owner.clear();
        }
    }
    attributes
}

#[test]
fn every_attribute_is_in_the_guide_with_its_type() {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split("` | `");
        let name = cells.next()?.to_owned();
        let its_type = cells.next()?.split('`').next()?.to_owned();
        Some((name, its_type))
    };
    let of_guide: BTreeSet<(String, String)> = GUIDE.lines().filter_map(row).collect();
    let of_schema = of_schema();
    assert!(of_schema.len() > 60, "{of_schema:?}");
    assert_eq!(of_guide, of_schema);
}

#[test]
fn bounds_and_groups_are_those_in_force() {
    let thousands = |number: usize| {
        let text = number.to_string();
        match text.split_at_checked(text.len().saturating_sub(3)) {
            Some((head, tail)) if !head.is_empty() => format!("{head},{tail}"),
            _ => text,
        }
    };
    let bounds = format!(
        "at most {} bytes and {POLICIES_MAX} policies; a policy at most {POLICY_LINKS_MAX} characters of operators, \
         {PROFILE_NESTING_MAX} brackets, {POLICY_CONDITIONALS_MAX} conditionals and {CONDITIONALS_MAX} of them within each other, and {} expressions",
        thousands(PROFILE_BYTES_MAX),
        thousands(POLICY_EXPRESSIONS_MAX)
    );
    assert!(GUIDE.contains(&bounds), "{bounds}");
    assert!(GUIDE.contains(&format!("begins with `{UNDECIDED_PREFIX}`")));
    let taxonomies = Taxonomies::builtin();
    for (group, _) in taxonomies
        .jurisdictions()
        .filter(|(code, _)| code.len() > 2)
    {
        assert!(GUIDE.contains(&format!("`{group}`")), "{group}");
    }
}

#[test]
fn every_value_of_an_enumeration_is_in_the_guide() {
    let enumerations = schema_text().lines().filter_map(|line| {
        let (name, values) = line.trim().strip_prefix("entity ")?.split_once(" enum [")?;
        let values: BTreeSet<&str> = values.split(']').next()?.split(", ").collect();
        Some((name, values))
    });
    let enumerations: Vec<_> = enumerations.collect();
    assert_eq!(enumerations.len(), 3, "{enumerations:?}");
    for (name, values) in enumerations {
        let of_its_type = format!("| `{name}` | ");
        let row = GUIDE.lines().find(|line| line.contains(&of_its_type));
        let parts = row.unwrap().split('`');
        let told: BTreeSet<&str> = parts.filter(|part| part.starts_with('"')).collect();
        assert_eq!(told, values, "{name}");
    }
}
