//! Facts as people write them down: some in the node's facts file, some in a map, some in columns, some on the command
//! line. Each is listed once, in the table below; whatever holds, reads or offers facts is made from it.

use ambit_ledger::{Assigned, DataClass, ExportControl, Name, OrganizationId};
use serde::{Deserialize, Serialize};

/// The facts of an observation, one row each: its name and type, whether somebody has to say it (`required`), nobody
/// (`optional`), or its type has a word for that nobody did (`defaulted`), whether a `column` of a file may hold it or
/// only what speaks of a whole file (`whole`), and an example as TOML has it. `$make` is a macro that makes something
/// of all rows. They stand in the order of [`ambit_ledger::Facts`], without the issuer, the inputs, and what follows
/// from the readings.
macro_rules! of_all_facts {
    ($make:ident) => {
        $make! {
            /// The machine, system or person that reports, by an opaque id.
            source: Name, required, column, "\"cmm-1\"";
            /// Where.
            site: Name, optional, column, "\"hall-2\"";
            /// The asset.
            asset: Name, optional, column, "\"urn:example:asset:press-7\"";
            /// The AAS submodel's id.
            submodel: Name, required, whole, "\"urn:example:submodel:1\"";
            /// The AAS submodel's `semanticId`, its last key's value.
            semantic_id: Name, required, whole, "\"urn:example:inspection:1\"";
            /// The part.
            part: Assigned, optional, column, "{ assigner = \"did:web:them.example\", value = \"1001-A\" }";
            /// The part's revision.
            revision: Name, optional, column, "\"C\"";
            /// The part's serial number.
            serial: Name, optional, column, "\"42\"";
            /// The lot.
            lot: Assigned, optional, column, "{ assigner = \"did:web:us.example\", value = \"L-7\" }";
            /// The order.
            order: Assigned, optional, column, "{ assigner = \"did:web:them.example\", value = \"4500012\" }";
            /// The manufacturing process or operation.
            process: Name, optional, column, "\"milling\"";
            /// The customer's program.
            program: Assigned, optional, column, "{ assigner = \"did:web:them.example\", value = \"F-ONE\" }";
            /// The class of data, of the taxonomy of data classes.
            data_class: DataClass, required, whole, "\"inspection-result\"";
            /// Whose data it is; this node's organization where nobody says.
            owner: OrganizationId, required, whole, "\"did:web:us.example\"";
            /// Who owns the design it follows from.
            design_authority: OrganizationId, optional, whole, "\"did:web:them.example\"";
            /// Whether the owner holds it as a trade secret.
            trade_secret: bool, required, whole, "false";
            /// Its export control classification, always as a whole: never part of one and part of another. Nothing
            /// crosses before a responsible person has determined it.
            export_control: ExportControl, defaulted, whole, "{ determined = true, itar = false, eccn = \"EAR99\" }";
        }
    };
}
pub(super) use of_all_facts;

/// What an observation holds of a fact.
macro_rules! held {
    (required $type:ident) => { $type };
    (optional $type:ident) => { Option<$type> };
    (defaulted $type:ident) => { $type };
}

/// A fact of an observation from what was said of it.
macro_rules! completed {
    (required $said:expr, $name:expr) => {
        $said.ok_or(FactsError::Missing($name))?
    };
    (optional $said:expr, $name:expr) => {
        $said
    };
    (defaulted $said:expr, $name:expr) => {
        $said.unwrap_or_default()
    };
}

/// Who assigned a fact that is a pair of assigner and value.
macro_rules! assigner {
    (Assigned $said:expr) => {
        $said.as_ref().map(|pair| &pair.assigner)
    };
    ($other:ident $said:expr) => {
        None::<&OrganizationId>
    };
}

/// The members of a fact that has some, and an example of each.
macro_rules! members {
    (Assigned) => {
        &[("assigner", "did:web:them.example"), ("value", "1001-A")]
    };
    (ExportControl) => {
        &[("determined", "true"), ("itar", "false"), ("eccn", "EAR99")]
    };
    ($other:ident) => {
        &[]
    };
}

macro_rules! is_flag {
    (bool) => {
        true
    };
    ($other:ident) => {
        false
    };
}

macro_rules! facts_types {
    ($(
        $(#[doc = $documentation:literal])+
        $name:ident: $type:ident, $presence:ident, $place:ident, $example:literal;
    )+) => {
        /// The facts of an observation, as far as its source and those who describe it know them:
        /// [`ambit_ledger::Facts`] without the issuer, the inputs, and what follows from the readings.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct DraftFacts {
            $($(#[doc = $documentation])+ pub $name: held!($presence $type),)+
        }

        /// Some of the facts of an observation: the node's `facts.toml`, the `[facts]` of a map, what the command line
        /// overrides. What is absent is left to the others.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct FactsFile {
            $($(#[doc = $documentation])+ pub $name: Option<$type>,)+
        }

        impl FactsFile {
            /// These facts with those of `over` on top, field by field.
            #[must_use]
            pub fn overlaid(&self, over: &Self) -> Self {
                fn top<T: Clone>(over: Option<&T>, under: Option<&T>) -> Option<T> {
                    over.or(under).cloned()
                }
                Self { $($name: top(over.$name.as_ref(), self.$name.as_ref()),)+ }
            }

            /// The facts of an observation. Without a word on export control it is undetermined, and nothing crosses.
            ///
            /// # Errors
            /// [`FactsError::Missing`] for the first required one that is absent.
            pub fn complete(&self) -> Result<DraftFacts, FactsError> {
                let said = self.clone();
                Ok(DraftFacts {
                    $($name: completed!($presence said.$name, stringify!($name)),)+
                })
            }

            /// The facts here that are pairs, each with who assigned its value.
            pub fn assigners(&self) -> impl Iterator<Item = (&'static str, &OrganizationId)> {
                let pairs = [$((stringify!($name), assigner!($type self.$name))),+];
                pairs
                    .into_iter()
                    .filter_map(|(name, assigner)| Some((name, assigner?)))
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),+];
        /// Each fact, and what stands in it.
        const MEMBERS: &[(&str, &[(&str, &str)])] = &[$((stringify!($name), members!($type))),+];
        const FLAGS: &[&str] = &[$(if is_flag!($type) { stringify!($name) } else { "" }),+];

        /// A facts file in which every fact is explained and none is set.
        pub const FACTS_TEMPLATE: &str = concat!(
            "# Facts that do not vary from file to file. A map file, a column and a command-line option each override\n",
            "# what is here. Take the `#` away before the name of what applies, and put your own value.\n",
            $("\n", $("#", $documentation, "\n",)+ "#", stringify!($name), " = ", $example, "\n",)+
        );
    };
}
of_all_facts!(facts_types);

/// The members of an export control classification that are true or false.
const EXPORT_CONTROL_FLAGS: [&str; 2] = ["export_control.determined", "export_control.itar"];

/// What stands in the fact that `key` names, each member with an example; of a fact that is one text, nothing.
#[must_use]
pub fn fact_members(key: &str) -> &'static [(&'static str, &'static str)] {
    let mut facts = MEMBERS.iter();
    facts
        .find(|(name, _)| *name == key)
        .map_or(&[], |(_, members)| *members)
}

/// Whether what `key` names, a fact or, after a dot, a member of one, is true or false and no text.
#[must_use]
pub fn is_flag(key: &str) -> bool {
    !key.is_empty() && (FLAGS.contains(&key) || EXPORT_CONTROL_FLAGS.contains(&key))
}

/// Why facts cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Not TOML, an unknown key, or a value that does not fit its key.
    #[error("failed to read the facts")]
    Toml(#[from] toml::de::Error),
    /// Nobody says.
    #[error(
        "the fact `{0}` is missing: set it in the node's facts file, under `[facts]` in the map, or on the command line"
    )]
    Missing(&'static str),
}

impl FactsFile {
    /// Reads a facts file: TOML, each key a field of this type.
    ///
    /// # Errors
    /// [`FactsError::Toml`], whose source names the line and, for an unknown key, the known ones.
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        Ok(toml::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    const ALL_REQUIRED: &str = r#"
        source = "cmm-1"
        submodel = "urn:example:submodel:1"
        semantic_id = "urn:example:semantic:1"
        data_class = "inspection-result"
        owner = "did:web:plates.example"
        trade_secret = false
    "#;

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = FactsFile::parse("sauce = \"cmm-1\"").unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("unknown field `sauce`"), "{cause}");
        assert!(
            cause.contains("`source`") && cause.contains("`export_control`"),
            "{cause}"
        );
        assert!(FactsFile::parse("source = \"cmm-1\"").is_ok());
    }

    #[test]
    fn a_fact_that_has_members_says_which() {
        for (text, way_out) in [
            ("part = \"X\"", "such as { assigner = "),
            ("export_control = \"EAR99\"", "such as { determined = true"),
        ] {
            let error = FactsFile::parse(text).unwrap_err();
            let cause = error.source().unwrap().to_string();
            assert!(cause.contains(way_out), "{cause}");
            assert!(!cause.contains("struct"), "{cause}");
        }
        for (key, members) in MEMBERS {
            let members = members.iter().map(|(member, example)| {
                let mark = if is_flag(&format!("{key}.{member}")) {
                    ""
                } else {
                    "\""
                };
                format!("{key}.{member} = {mark}{example}{mark}\n")
            });
            let text: String = members.collect();
            assert!(FactsFile::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_required_fact_is_missed_by_name() {
        assert!(FactsFile::parse(ALL_REQUIRED).unwrap().complete().is_ok());
        for field in [
            "source",
            "submodel",
            "semantic_id",
            "data_class",
            "owner",
            "trade_secret",
        ] {
            let without: String = ALL_REQUIRED
                .lines()
                .filter(|line| !line.trim_start().starts_with(&format!("{field} ")))
                .flat_map(|line| [line, "\n"])
                .collect();
            let error = FactsFile::parse(&without).unwrap().complete().unwrap_err();
            assert!(matches!(error, FactsError::Missing(missing) if missing == field));
            assert!(error.to_string().contains("facts file"), "{error}");
        }
    }

    #[test]
    fn what_is_on_top_wins_and_what_it_leaves_out_stays() {
        let under = FactsFile::parse(ALL_REQUIRED).unwrap();
        let over = FactsFile::parse(
            "source = \"cmm-2\"\nexport_control = { determined = true, itar = false, eccn = \"EAR99\" }",
        )
        .unwrap();
        let facts = under.overlaid(&over).complete().unwrap();
        assert_eq!(facts.source.as_str(), "cmm-2");
        assert_eq!(facts.owner.as_str(), "did:web:plates.example");
        assert!(facts.export_control.determined);
        assert!(!under.complete().unwrap().export_control.determined);
    }

    #[test]
    fn the_template_explains_every_fact_and_sets_none() {
        assert_eq!(
            FactsFile::parse(FACTS_TEMPLATE).unwrap(),
            FactsFile::default()
        );
        let set = FACTS_TEMPLATE.replace("\n#", "\n").replace("\n ", "\n# ");
        let facts = FactsFile::parse(&set).unwrap();
        let shown = serde_json::to_value(&facts).unwrap();
        for name in NAMES {
            assert!(!shown[name].is_null(), "{name}\n{set}");
        }
        assert!(facts.complete().unwrap().export_control.determined);
        let assigners: Vec<_> = facts.assigners().map(|(name, _)| name).collect();
        assert_eq!(assigners, ["part", "lot", "order", "program"]);
    }

    #[test]
    fn what_is_true_or_false_is_known_by_its_key() {
        assert!(is_flag("trade_secret") && is_flag("export_control.itar"));
        for other in [
            "",
            "serial",
            "part",
            "export_control",
            "export_control.eccn",
        ] {
            assert!(!is_flag(other), "{other}");
        }
        let classification = serde_json::to_value(ExportControl::default()).unwrap();
        let flags = classification.as_object().unwrap().iter();
        let flags = flags.filter(|(_, value)| value.is_boolean());
        let flags: Vec<_> = flags
            .map(|(key, _)| format!("export_control.{key}"))
            .collect();
        assert_eq!(flags, EXPORT_CONTROL_FLAGS);
    }
}
