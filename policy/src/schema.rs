//! The Cedar schemas, each with the slice that fits it, and the name of the engine. A schema is part of every
//! decision's evidence: one that was ever judged under stays in the table, so that the decision can be judged again.

use crate::asking::Asking;
use crate::layers::Layers;
use crate::slice::Slice;
use ambit_ledger::{Digest, Name, Time};
use cedar_policy::{Schema, Validator};
use std::sync::LazyLock;

/// What policies are shown, in one version of it.
pub(crate) struct SchemaVersion {
    text: &'static str,
    compiled: LazyLock<Compiled>,
    /// What Cedar is shown of a question, as this schema has it.
    pub(crate) slice: for<'a> fn(&'a Layers, Asking<'a>, Time) -> Slice<'a>,
}

struct Compiled {
    digest: Digest,
    schema: Schema,
    validator: Validator,
}

const TEXT_1: &str = include_str!("../ambit.cedarschema");

/// Every version, the newest last. A schema only gains attributes, and its text never changes once it is here.
static VERSIONS: [SchemaVersion; 1] = [SchemaVersion {
    text: TEXT_1,
    compiled: LazyLock::new(|| Compiled::of(TEXT_1)),
    slice: slice_1,
}];

fn slice_1<'a>(layers: &'a Layers, asking: Asking<'a>, now: Time) -> Slice<'a> {
    Slice::of(layers, asking, now)
}

impl Compiled {
    fn of(text: &str) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the schemas are embedded, and a test parses them"
        )]
        let (schema, _) = Schema::from_cedarschema_str(text).expect("the embedded schema parses");
        Self {
            digest: Digest::of(text.as_bytes()),
            validator: Validator::new(schema.clone()),
            schema,
        }
    }
}

impl SchemaVersion {
    /// The version that is judged under.
    pub(crate) fn newest() -> &'static Self {
        let [newest] = &VERSIONS;
        newest
    }

    /// The version of this digest.
    pub(crate) fn of(digest: &Digest) -> Option<&'static Self> {
        VERSIONS.iter().find(|version| version.digest() == *digest)
    }

    pub(crate) fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn digest(&self) -> Digest {
        self.compiled.digest
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.compiled.schema
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.compiled.validator
    }
}

impl std::fmt::Debug for SchemaVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "schema {}", self.digest())
    }
}

/// The text of the schema that is judged under, as in `ambit.cedarschema`.
#[must_use]
pub fn schema_text() -> &'static str {
    SchemaVersion::newest().text()
}

/// SHA-256 of [`schema_text`].
#[must_use]
pub fn schema_digest() -> Digest {
    SchemaVersion::newest().digest()
}

/// The engine that judges, and its version: `cedar-policy 4.14.1`.
#[must_use]
pub fn engine() -> Name {
    static ENGINE: LazyLock<Name> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "a version number is short and has no spaces"
        )]
        format!("cedar-policy {}", cedar_policy::get_sdk_version())
            .parse()
            .expect("the engine's name is a name")
    });
    ENGINE.clone()
}

/// How many entities a policy may step through from the request (Cedar RFC 76): `principal.seat in …` takes two.
pub(crate) const LEVEL: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_parses_without_a_warning_and_is_found_by_its_digest() {
        for version in &VERSIONS {
            let (_, warnings) = Schema::from_cedarschema_str(version.text()).unwrap();
            assert_eq!(warnings.count(), 0);
            let found = SchemaVersion::of(&Digest::of(version.text().as_bytes())).unwrap();
            assert!(std::ptr::eq(found, version));
        }
        assert!(SchemaVersion::of(&Digest::of(b"")).is_none());
        assert_eq!(engine().as_str(), "cedar-policy 4.14.1");
    }
}
