//! Profiles, tables of cases and taxonomies as people and partners write them: whatever they hold, nothing panics.

use ambit_ledger::Layer;
use ambit_policy::{Profile, Taxonomies, default_cases, default_profile, run_cases};
use proptest::prelude::*;
use proptest::sample::Index;

const TAXONOMY: &str = r#"{"jurisdictions":{"DE":{"label":"Germany","in":["EU"]},"EU":{"label":"Union","in":[]}},"purposes":{"urn:p":{"label":"p","in":[]}},"data_classes":{"quality":{"label":"q","in":[]}}}"#;

/// A text with some of its characters changed, or a part of it repeated.
fn changed(text: &str, changes: &[(Index, Index, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (from, length, with) in changes {
        let from = from.index(characters.len() + 1);
        let to = (from + length.index(12)).min(characters.len());
        characters.splice(from..to, with.chars());
    }
    characters.into_iter().collect()
}

fn any_changes() -> impl Strategy<Value = Vec<(Index, Index, String)>> {
    let with = prop_oneof![
        "[ -~]{0,6}",
        "\\PC{0,3}",
        Just("when {".to_owned()),
        Just("datetime(\"9999-99-99\")".to_owned()),
        Just("duration(\"99999999999999999999d\")".to_owned()),
        Just("decimal(\"1.99999\")".to_owned()),
        Just("9223372036854775807 + 1".to_owned()),
        Just("@id(\"\")".to_owned()),
        Just("?principal".to_owned()),
        Just("null".to_owned()),
        Just("{\"change\":1}".to_owned()),
    ];
    prop::collection::vec((any::<Index>(), any::<Index>(), with), 1..4)
}

fn any_layer() -> impl Strategy<Value = Layer> {
    prop::sample::select(Layer::ALL.to_vec())
}

/// The partnership layer is rendered for each agreement; the owner's stands in for it.
fn builtin(layer: Layer) -> Profile {
    let layer = if layer == Layer::Partnership {
        Layer::Owner
    } else {
        layer
    };
    Profile::parse(layer, default_profile(layer).unwrap()).unwrap()
}

/// Whatever is taken keeps its text, and can be read again.
fn read_profile(layer: Layer, text: &str) {
    if let Ok(profile) = Profile::parse(layer, text) {
        assert_eq!(profile.text(), text);
        assert_eq!(
            Profile::parse(layer, text).unwrap().digest(),
            profile.digest()
        );
        assert!(!profile.policy_ids().is_empty());
    }
}

fn read_taxonomies(text: &str) {
    if let Ok(taxonomies) = Taxonomies::from_json(text) {
        let bytes = std::str::from_utf8(taxonomies.to_bytes()).unwrap();
        let again = Taxonomies::from_json(bytes).unwrap();
        assert_eq!(again.digest(), taxonomies.digest());
    }
}

proptest! {
    #[test]
    fn changed_profiles_are_read_or_refused(layer in any_layer(), changes in any_changes()) {
        read_profile(layer, &changed(builtin(layer).text(), &changes));
    }

    #[test]
    fn any_text_is_a_profile_or_refused(layer in any_layer(), text in "\\PC{0,120}") {
        read_profile(layer, &text);
    }

    #[test]
    fn changed_taxonomies_are_read_or_refused(changes in any_changes()) {
        read_taxonomies(&changed(TAXONOMY, &changes));
    }

    #[test]
    fn any_text_is_a_taxonomy_or_refused(text in "[\\[\\]{}\",:a-z0-9. ]{0,120}") {
        read_taxonomies(&text);
    }

    #[test]
    fn taxonomies_of_any_shape_are_read_or_refused(
        names in prop::collection::btree_map("[A-C]", prop::collection::vec("[A-D]", 0..3), 0..4)
    ) {
        let names: serde_json::Map<String, serde_json::Value> = names
            .into_iter()
            .map(|(name, above)| (name, serde_json::json!({"label": "l", "in": above})))
            .collect();
        let file = serde_json::json!({"jurisdictions": {}, "purposes": {}, "data_classes": names});
        read_taxonomies(&file.to_string());
    }
}

proptest! {
    // Each runs a table of cases.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_tables_of_cases_are_run_or_refused(layer in any_layer(), changes in any_changes()) {
        let profile = builtin(layer);
        let cases = changed(default_cases(profile.layer()), &changes);
        let _ = run_cases(&profile, &Taxonomies::builtin(), &cases);
    }
}

#[test]
fn what_is_unchanged_is_read() {
    assert!(Taxonomies::from_json(TAXONOMY).is_ok());
    let profile = builtin(Layer::Owner);
    assert!(Profile::parse(Layer::Owner, profile.text()).is_ok());
    let cases = default_cases(Layer::Owner);
    assert!(run_cases(&profile, &Taxonomies::builtin(), cases).is_ok());
}

/// A partner's rules come in a file of at most 64 KiB; a reader that calls itself for each level must not run out
/// of its stack on them.
#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    const DEPTH: usize = 30_000;
    for depth in [30, 300, 3_000] {
        // Taken or refused: what this must not do is end the process.
        for (text, _) in nested(depth) {
            let _ = Profile::parse(Layer::Owner, &text);
        }
    }
    for (text, open) in nested(DEPTH) {
        assert!(Profile::parse(Layer::Owner, &text).is_err(), "{open}");
    }
    for open in ["[", "{\"a\":", "{\"jurisdictions\":{\"a\":"] {
        assert!(Taxonomies::from_json(&open.repeat(DEPTH)).is_err());
        let profile = builtin(Layer::Owner);
        let cases = format!("{{\"cases\":[{}", open.repeat(DEPTH));
        assert!(run_cases(&profile, &Taxonomies::builtin(), &cases).is_err());
    }
}

/// One rule for each way to nest, that deep, with the beginning of the nesting.
fn nested(depth: usize) -> Vec<(String, &'static str)> {
    let ways = [
        ("(", "true", ")"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("[", "1", "]"),
        ("{a:", "1", "}"),
        ("if true then true else ", "true", ""),
        ("true && ", "true", ""),
        ("true || (", "true", ")"),
        ("1 + ", "1", ""),
        ("", "context", ".a"),
    ];
    ways.into_iter()
        .map(|(open, inner, close)| {
            let condition = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            let text = format!(
                "@id(\"it\")\nforbid (principal is Ambit::Party, action in Ambit::Action::\"transfer\", resource)\nwhen {{ {condition} }};"
            );
            (text, open)
        })
        .collect()
}
