//! Taxonomies: what lies in what, for jurisdictions, purposes and classes of data.
//!
//! A name that is not here is never guessed at: whoever asks gets an error that names what is near.

mod close;

use crate::slip::likely_meant;
use crate::value::Type;
use ambit_ledger::{DataClass, Digest, Jurisdiction, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use self::close::close;

/// The most names one taxonomy may hold; ISO 3166-1 alone has 249.
pub const TAXONOMY_NAMES_MAX: usize = 10_000;

/// The longest way up from a name, in steps.
pub const TAXONOMY_DEPTH_MAX: usize = 16;

/// The most names that one may lie in, directly or through others: each decision carries those above what it asks about.
pub const TAXONOMY_ABOVE_MAX: usize = 64;

/// The longest text, in bytes.
pub const TAXONOMIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The three taxonomies with everything that lies above a name worked out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Taxonomies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    above: [Above; 3],
    bytes: Vec<u8>,
    digest: Digest,
}

/// What each name lies in, directly or through others.
type Above = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// The file's shape: per taxonomy a map from name to entry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    jurisdictions: BTreeMap<String, Node>,
    purposes: BTreeMap<String, Node>,
    data_classes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    label: String,
    #[serde(default, rename = "in", skip_serializing_if = "BTreeSet::is_empty")]
    parents: BTreeSet<String>,
    /// Where the entry is taken from, of which day, and what is uncertain in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// One of the three taxonomies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaxonomyKind {
    /// ISO 3166-1 alpha-2 codes and groups of them.
    Jurisdiction,
    /// What data is asked for.
    Purpose,
    /// Classes of data.
    DataClass,
}

impl TaxonomyKind {
    pub(crate) const ALL: [Self; 3] = [Self::Jurisdiction, Self::Purpose, Self::DataClass];

    pub(crate) const fn entity_type(self) -> Type {
        match self {
            Self::Jurisdiction => Type::Jurisdiction,
            Self::Purpose => Type::Purpose,
            Self::DataClass => Type::DataClass,
        }
    }
}

impl std::fmt::Display for TaxonomyKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Jurisdiction => "jurisdiction",
            Self::Purpose => "purpose",
            Self::DataClass => "data class",
        })
    }
}

/// Why a file is no set of taxonomies.
#[derive(Debug, thiserror::Error)]
pub enum TaxonomyError {
    /// More than [`TAXONOMIES_BYTES_MAX`] bytes.
    #[error(
        "the taxonomies have {0} bytes, more than {TAXONOMIES_BYTES_MAX}: shorten the labels and sources"
    )]
    TooLong(usize),
    /// Not JSON of the expected shape.
    #[error("failed to read the taxonomies")]
    Shape(#[source] serde_json::Error),
    /// A name that no fact could carry.
    #[error("{kind} `{name}` is no name: it must have 1 to 512 bytes and no control characters")]
    Name {
        /// Which taxonomy.
        kind: TaxonomyKind,
        /// The name.
        name: String,
    },
    /// More than [`TAXONOMY_NAMES_MAX`] names.
    #[error("the taxonomy of {kind}s has more than {TAXONOMY_NAMES_MAX} names")]
    TooMany {
        /// Which taxonomy.
        kind: TaxonomyKind,
    },
    /// More than [`TAXONOMY_DEPTH_MAX`] steps up from a name.
    #[error(
        "{kind} `{name}` lies more than {TAXONOMY_DEPTH_MAX} steps below the top: leave out what stands between"
    )]
    TooDeep {
        /// Which taxonomy.
        kind: TaxonomyKind,
        /// The name.
        name: String,
    },
    /// More than [`TAXONOMY_ABOVE_MAX`] names above one.
    #[error(
        "{kind} `{name}` lies in more than {TAXONOMY_ABOVE_MAX} names, directly or through others: remove some of the links"
    )]
    TooManyAbove {
        /// Which taxonomy.
        kind: TaxonomyKind,
        /// The name.
        name: String,
    },
    /// A parent that is not there.
    #[error(
        "{kind} `{name}` lies in `{parent}`, which is not in the taxonomy: add it or remove the link"
    )]
    UnknownParent {
        /// Which taxonomy.
        kind: TaxonomyKind,
        /// The child.
        name: String,
        /// The parent.
        parent: String,
    },
    /// A name that lies in itself.
    #[error("{kind} `{name}` lies in itself, directly or through others: remove one of the links")]
    Cycle {
        /// Which taxonomy.
        kind: TaxonomyKind,
        /// One name on the cycle.
        name: String,
    },
}

/// A name that is in no taxonomy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// Which taxonomy was asked.
    pub kind: TaxonomyKind,
    /// The name.
    pub name: String,
    /// Names that look like it, nearest first; at most three.
    pub suggestions: Vec<String>,
    /// The top-level names.
    pub known: Vec<String>,
}

impl std::error::Error for UnknownName {}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unknown {} `{}`", self.kind, self.name)?;
        let quoted = |names: &[String]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        };
        if !self.suggestions.is_empty() {
            write!(formatter, ": did you mean {}?", quoted(&self.suggestions))
        } else if self.known.is_empty() {
            Ok(())
        } else {
            write!(
                formatter,
                ": known ones are {} and those within them",
                quoted(&self.known)
            )
        }
    }
}

impl Taxonomies {
    /// The taxonomies that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Taxonomies> = LazyLock::new(|| {
            #[expect(
                clippy::expect_used,
                reason = "the files are embedded, and a test reads them"
            )]
            Taxonomies::from_file(File {
                jurisdictions: serde_json::from_str(include_str!(
                    "../taxonomies/jurisdictions.json"
                ))
                .expect("the embedded jurisdictions parse"),
                purposes: serde_json::from_str(include_str!("../taxonomies/purposes.json"))
                    .expect("the embedded purposes parse"),
                data_classes: serde_json::from_str(include_str!("../taxonomies/data-classes.json"))
                    .expect("the embedded data classes parse"),
            })
            .expect("the embedded taxonomies are consistent")
        });
        BUILTIN.clone()
    }

    /// Reads `{"jurisdictions": {NAME: {"label": TEXT, "in": [NAME…]}}, "purposes": {…}, "data_classes": {…}}`.
    ///
    /// # Errors
    /// Any [`TaxonomyError`].
    pub fn from_json(text: &str) -> Result<Self, TaxonomyError> {
        if text.len() > TAXONOMIES_BYTES_MAX {
            return Err(TaxonomyError::TooLong(text.len()));
        }
        Self::from_file(serde_json::from_str(text).map_err(TaxonomyError::Shape)?)
    }

    fn from_file(file: File) -> Result<Self, TaxonomyError> {
        let above = [
            close(TaxonomyKind::Jurisdiction, &file.jurisdictions)?,
            close(TaxonomyKind::Purpose, &file.purposes)?,
            close(TaxonomyKind::DataClass, &file.data_classes)?,
        ];
        let bytes = serde_json::to_vec(&file).map_err(TaxonomyError::Shape)?;
        let digest = Digest::of(&bytes);
        Ok(Self(Arc::new(Inner {
            file,
            above,
            bytes,
            digest,
        })))
    }

    /// The one JSON text of these taxonomies, with names in ascending order.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of [`Taxonomies::to_bytes`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Whether `inner` is `outer` or lies below it. False for unknown names.
    #[must_use]
    pub fn class_is_within(&self, inner: &DataClass, outer: &DataClass) -> bool {
        self.is_within(TaxonomyKind::DataClass, inner.as_str(), outer.as_str())
    }

    /// Whether `inner` is `outer` or lies below it. False for unknown names.
    #[must_use]
    pub fn purpose_is_within(&self, inner: &Purpose, outer: &Purpose) -> bool {
        self.is_within(TaxonomyKind::Purpose, inner.as_str(), outer.as_str())
    }

    /// Whether `inner` is `outer` or lies below it. False for unknown names.
    #[must_use]
    pub fn jurisdiction_is_within(&self, inner: &Jurisdiction, outer: &Jurisdiction) -> bool {
        self.is_within(TaxonomyKind::Jurisdiction, inner.as_str(), outer.as_str())
    }

    fn is_within(&self, kind: TaxonomyKind, inner: &str, outer: &str) -> bool {
        self.above(kind, inner)
            .is_some_and(|above| inner == outer || above.contains(outer))
    }

    /// Checks that a class of data is known.
    ///
    /// # Errors
    /// [`UnknownName`], with what is near.
    pub fn check_class(&self, class: &DataClass) -> Result<(), UnknownName> {
        self.check(TaxonomyKind::DataClass, class.as_str())
    }

    /// Checks that a purpose is known.
    ///
    /// # Errors
    /// [`UnknownName`], with what is near.
    pub fn check_purpose(&self, purpose: &Purpose) -> Result<(), UnknownName> {
        self.check(TaxonomyKind::Purpose, purpose.as_str())
    }

    /// Whether others lie in this jurisdiction, so that it is no country. False for an unknown name.
    #[must_use]
    pub fn is_group(&self, jurisdiction: &Jurisdiction) -> bool {
        let name = jurisdiction.as_str();
        let within = self.with_all_below(TaxonomyKind::Jurisdiction, std::iter::once(name));
        within.len() > 1
    }

    /// Checks that a jurisdiction is known.
    ///
    /// # Errors
    /// [`UnknownName`], with what is near.
    pub fn check_jurisdiction(&self, jurisdiction: &Jurisdiction) -> Result<(), UnknownName> {
        self.check(TaxonomyKind::Jurisdiction, jurisdiction.as_str())
    }

    /// All classes of data: name and label, ascending by name.
    pub fn classes(&self) -> impl Iterator<Item = (&str, &str)> {
        labels(&self.0.file.data_classes)
    }

    /// The classes that lie within one, and itself.
    pub fn classes_within<'a>(&'a self, outer: &'a DataClass) -> impl Iterator<Item = &'a str> {
        let names = self.classes().map(|(name, _)| name);
        names.filter(|name| self.is_within(TaxonomyKind::DataClass, name, outer.as_str()))
    }

    /// All purposes: name and label, ascending by name.
    pub fn purposes(&self) -> impl Iterator<Item = (&str, &str)> {
        labels(&self.0.file.purposes)
    }

    /// All jurisdictions: name and label, ascending by name.
    pub fn jurisdictions(&self) -> impl Iterator<Item = (&str, &str)> {
        labels(&self.0.file.jurisdictions)
    }

    pub(crate) fn check(&self, kind: TaxonomyKind, name: &str) -> Result<(), UnknownName> {
        if self.knows(kind, name) {
            Ok(())
        } else {
            Err(self.unknown(kind, name))
        }
    }

    pub(crate) fn knows(&self, kind: TaxonomyKind, name: &str) -> bool {
        self.nodes(kind).contains_key(name)
    }

    /// Everything above a name; `None` for an unknown name.
    pub(crate) fn above(&self, kind: TaxonomyKind, name: &str) -> Option<&BTreeSet<Arc<str>>> {
        let [jurisdictions, purposes, data_classes] = &self.0.above;
        match kind {
            TaxonomyKind::Jurisdiction => jurisdictions,
            TaxonomyKind::Purpose => purposes,
            TaxonomyKind::DataClass => data_classes,
        }
        .get(name)
    }

    /// Every name in which all of these lie, themselves included; none for no names, or an unknown one.
    pub(crate) fn common<'a>(
        &'a self,
        kind: TaxonomyKind,
        names: impl Iterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let mut common: Option<BTreeSet<&str>> = None;
        for name in names {
            let above = self.above(kind, name).into_iter().flatten();
            let mut within: BTreeSet<&str> = above.map(AsRef::as_ref).collect();
            if self.nodes(kind).contains_key(name) {
                within.insert(name);
            }
            common = Some(match common {
                None => within,
                Some(common) => common.intersection(&within).copied().collect(),
            });
        }
        common.unwrap_or_default()
    }

    /// These names and every name that lies in one of them.
    pub(crate) fn with_all_below<'a>(
        &'a self,
        kind: TaxonomyKind,
        names: impl Iterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let mut all: BTreeSet<&str> = names.collect();
        let below = self.nodes(kind).keys().filter(|name| {
            self.above(kind, name)
                .is_some_and(|above| all.iter().any(|outer| above.contains(*outer)))
        });
        let below: Vec<&str> = below.map(String::as_str).collect();
        all.extend(below);
        all
    }

    /// What a name lies in directly.
    pub(crate) fn parents(&self, kind: TaxonomyKind, name: &str) -> Option<&BTreeSet<String>> {
        self.nodes(kind).get(name).map(|node| &node.parents)
    }

    fn nodes(&self, kind: TaxonomyKind) -> &BTreeMap<String, Node> {
        match kind {
            TaxonomyKind::Jurisdiction => &self.0.file.jurisdictions,
            TaxonomyKind::Purpose => &self.0.file.purposes,
            TaxonomyKind::DataClass => &self.0.file.data_classes,
        }
    }

    fn unknown(&self, kind: TaxonomyKind, name: &str) -> UnknownName {
        let near = likely_meant(name, self.nodes(kind).keys().map(String::as_str));
        let top = |node: &Node| node.parents.is_empty() && kind != TaxonomyKind::Jurisdiction;
        UnknownName {
            kind,
            name: name.to_owned(),
            suggestions: near.into_iter().map(str::to_owned).collect(),
            known: self
                .nodes(kind)
                .iter()
                .filter(|(_, node)| top(node))
                .map(|(known, _)| known.clone())
                .collect(),
        }
    }
}

fn labels(nodes: &BTreeMap<String, Node>) -> impl Iterator<Item = (&str, &str)> {
    nodes
        .iter()
        .map(|(name, node)| (name.as_str(), node.label.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_what() {
        let taxonomies = Taxonomies::builtin();
        let class = |name: &str| name.parse::<DataClass>().unwrap();
        let purpose = |name: &str| name.parse::<Purpose>().unwrap();
        assert!(taxonomies.class_is_within(&class("toolpath"), &class("design-ip")));
        assert!(taxonomies.class_is_within(&class("quality"), &class("quality")));
        assert!(!taxonomies.class_is_within(&class("design-ip"), &class("toolpath")));
        assert!(!taxonomies.class_is_within(&class("nothing"), &class("nothing")));
        assert!(taxonomies.purpose_is_within(
            &purpose("https://w3id.org/catenax/policy/cx.core.qualityNotifications:1"),
            &purpose("urn:ambit:purpose:quality")
        ));
        assert!(taxonomies.jurisdiction_is_within(&"DE".parse().unwrap(), &"EU".parse().unwrap()));
        assert!(
            !taxonomies.jurisdiction_is_within(&"US".parse().unwrap(), &"EAR-A5".parse().unwrap())
        );
        assert_eq!(taxonomies.jurisdictions().count(), 249 + 9);
    }

    #[test]
    fn the_bytes_are_canonical() {
        let taxonomies = Taxonomies::builtin();
        let text = std::str::from_utf8(taxonomies.to_bytes()).unwrap();
        let again = Taxonomies::from_json(text).unwrap();
        assert_eq!(again.to_bytes(), taxonomies.to_bytes());
        assert_eq!(again.digest(), Digest::of(text.as_bytes()));
    }

    #[test]
    fn unknown_names_come_with_what_is_near() {
        let taxonomies = Taxonomies::builtin();
        let message = |name: &str| {
            let purpose: Purpose = name.parse().unwrap();
            taxonomies.check_purpose(&purpose).unwrap_err().to_string()
        };
        assert_eq!(
            message("urn:ambit:purpose:qualty"),
            "unknown purpose `urn:ambit:purpose:qualty`: did you mean `urn:ambit:purpose:quality`?"
        );
        assert!(message("quality").contains("did you mean `urn:ambit:purpose:quality`"));
        assert!(message("zzz").contains("known ones are `urn:ambit:purpose:compliance`"));
        let class: DataClass = "tool-path".parse().unwrap();
        assert!(
            taxonomies
                .check_class(&class)
                .unwrap_err()
                .to_string()
                .contains("`toolpath`")
        );
    }

    #[test]
    fn inconsistent_files_are_refused() {
        let of = |purposes: &str| {
            Taxonomies::from_json(&format!(
                r#"{{"jurisdictions":{{}},"purposes":{purposes},"data_classes":{{}}}}"#
            ))
        };
        assert!(of(r#"{"a":{"label":"A","in":["b"]},"b":{"label":"B"}}"#).is_ok());
        assert!(matches!(
            of(r#"{"a":{"label":"A","in":["b"]}}"#),
            Err(TaxonomyError::UnknownParent { .. })
        ));
        assert!(matches!(
            of(r#"{"a":{"label":"A","in":["b"]},"b":{"label":"B","in":["a"]}}"#),
            Err(TaxonomyError::Cycle { .. })
        ));
        // A name below a cycle is not on it.
        let below = r#"{"0":{"label":"0","in":["a"]},"a":{"label":"A","in":["b"]},"b":{"label":"B","in":["a"]}}"#;
        let Err(TaxonomyError::Cycle { name, .. }) = of(below) else {
            panic!("a cycle is taken");
        };
        assert_ne!(name, "0");
        assert!(of(&format!(r#"{{"{}":{{"label":"A"}}}}"#, "a".repeat(512))).is_ok());
        for name in [" a", &"a".repeat(513)] {
            assert!(matches!(
                of(&format!(r#"{{"{name}":{{"label":"A"}}}}"#)),
                Err(TaxonomyError::Name { .. })
            ));
        }
        assert!(matches!(
            of(r#"{"a":{"labl":"A"}}"#),
            Err(TaxonomyError::Shape(_))
        ));
    }

    #[test]
    fn neither_long_ways_nor_many_names_above_one_are_taken() {
        let of = |links: &dyn Fn(usize) -> Vec<usize>, count: usize| {
            let nodes = (0..count).map(|number| {
                let parents: Vec<String> = links(number)
                    .iter()
                    .map(|parent| format!("{parent:05}"))
                    .collect();
                (
                    format!("{number:05}"),
                    serde_json::json!({ "label": "", "in": parents }),
                )
            });
            let nodes: serde_json::Map<_, _> = nodes.collect();
            let empty = serde_json::Map::new();
            let file = serde_json::json!({
                "jurisdictions": empty, "purposes": nodes, "data_classes": empty,
            });
            Taxonomies::from_json(&file.to_string())
        };
        let chain = |number: usize| number.checked_sub(1).into_iter().collect();
        let fits = of(&chain, TAXONOMY_DEPTH_MAX + 1).unwrap();
        let deepest = format!("{TAXONOMY_DEPTH_MAX:05}");
        let above = fits.above(TaxonomyKind::Purpose, &deepest).unwrap();
        assert_eq!(above.len(), TAXONOMY_DEPTH_MAX);
        for count in [TAXONOMY_DEPTH_MAX + 2, TAXONOMY_NAMES_MAX] {
            let refused = of(&chain, count).unwrap_err();
            assert!(
                matches!(refused, TaxonomyError::TooDeep { .. }),
                "{refused}"
            );
        }
        // The last one lies in all before it.
        let wide = |last: usize| {
            move |number: usize| {
                if number == last {
                    (0..last).collect()
                } else {
                    Vec::new()
                }
            }
        };
        assert!(of(&wide(TAXONOMY_ABOVE_MAX), TAXONOMY_ABOVE_MAX + 1).is_ok());
        for last in [TAXONOMY_ABOVE_MAX + 1, TAXONOMY_NAMES_MAX - 1] {
            let refused = of(&wide(last), last + 1).unwrap_err();
            assert!(
                matches!(refused, TaxonomyError::TooManyAbove { .. }),
                "{refused}"
            );
        }
        let long = " ".repeat(TAXONOMIES_BYTES_MAX + 1);
        let refused = Taxonomies::from_json(&long).unwrap_err();
        assert!(matches!(refused, TaxonomyError::TooLong(_)), "{refused}");
    }
}
