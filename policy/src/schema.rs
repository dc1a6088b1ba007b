//! The Cedar schema and the name of the engine. The schema is part of every decision's evidence.

use ambit_ledger::{Digest, Name};
use cedar_policy::{Schema, Validator};
use std::sync::LazyLock;

/// The schema's text, as in `ambit.cedarschema`.
#[must_use]
pub const fn schema_text() -> &'static str {
    include_str!("../ambit.cedarschema")
}

/// SHA-256 of [`schema_text`].
#[must_use]
pub fn schema_digest() -> Digest {
    static DIGEST: LazyLock<Digest> = LazyLock::new(|| Digest::of(schema_text().as_bytes()));
    *DIGEST
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

pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the schema is embedded, and a test parses it"
        )]
        Schema::from_cedarschema_str(schema_text())
            .expect("the embedded schema parses")
            .0
    });
    &SCHEMA
}

pub(crate) fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(schema().clone()));
    &VALIDATOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_parses_without_a_warning() {
        let (_, warnings) = Schema::from_cedarschema_str(schema_text()).unwrap();
        assert_eq!(warnings.count(), 0);
        assert_eq!(engine().as_str(), "cedar-policy 4.14.1");
    }
}
