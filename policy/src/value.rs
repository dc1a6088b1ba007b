//! What policies are shown, in one form from which both Cedar's own values and the recorded JSON are made.
//!
//! It must never hold what only one of the two would get: what is recorded is what was judged.

use ambit_ledger::Time;
use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// A value of an attribute, a tag or the context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Long(i64),
    Text(Cow<'a, str>),
    Entity(Reference<'a>),
    /// At Cedar's resolution of a millisecond, rounded down.
    Instant(Time),
    Set(Vec<Self>),
    Record(Record<'a>),
}

/// Named values, ascending by name, each name once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record<'a>(Vec<(&'a str, Value<'a>)>);

/// Names an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference<'a> {
    pub(crate) entity_type: Type,
    pub(crate) id: &'a str,
}

/// The types of the schema, ascending by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Type {
    Action,
    Agent,
    AgreementState,
    DataClass,
    ErasureExtent,
    Jurisdiction,
    Observation,
    Organization,
    Partnership,
    Party,
    Purpose,
    Regime,
}

impl Type {
    const ALL: [Self; 12] = [
        Self::Action,
        Self::Agent,
        Self::AgreementState,
        Self::DataClass,
        Self::ErasureExtent,
        Self::Jurisdiction,
        Self::Observation,
        Self::Organization,
        Self::Partnership,
        Self::Party,
        Self::Purpose,
        Self::Regime,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Action => "Ambit::Action",
            Self::Agent => "Ambit::Agent",
            Self::AgreementState => "Ambit::AgreementState",
            Self::DataClass => "Ambit::DataClass",
            Self::ErasureExtent => "Ambit::ErasureExtent",
            Self::Jurisdiction => "Ambit::Jurisdiction",
            Self::Observation => "Ambit::Observation",
            Self::Organization => "Ambit::Organization",
            Self::Partnership => "Ambit::Partnership",
            Self::Party => "Ambit::Party",
            Self::Purpose => "Ambit::Purpose",
            Self::Regime => "Ambit::Regime",
        }
    }

    fn to_cedar(self) -> EntityTypeName {
        static NAMES: LazyLock<[EntityTypeName; Type::ALL.len()]> = LazyLock::new(|| {
            #[expect(
                clippy::expect_used,
                reason = "the names are constants, and every test parses them"
            )]
            Type::ALL.map(|each| each.name().parse().expect("the types' names are names"))
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "there is a name for each type, in their order"
        )]
        NAMES[self as usize].clone()
    }
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn entity(entity_type: Type, id: &'a str) -> Self {
        Self::Entity(Reference { entity_type, id })
    }

    pub(crate) fn entities(entity_type: Type, ids: impl Iterator<Item = &'a str>) -> Self {
        Self::Set(ids.map(|id| Self::entity(entity_type, id)).collect())
    }

    pub(crate) fn to_cedar(&self) -> RestrictedExpression {
        match self {
            Self::Bool(value) => RestrictedExpression::new_bool(*value),
            Self::Long(value) => RestrictedExpression::new_long(*value),
            Self::Text(text) => RestrictedExpression::new_string(text.as_ref().to_owned()),
            Self::Entity(reference) => RestrictedExpression::new_entity_uid(reference.to_cedar()),
            Self::Instant(time) => RestrictedExpression::new_datetime(instant_text(*time)),
            Self::Set(values) => RestrictedExpression::new_set(values.iter().map(Self::to_cedar)),
            Self::Record(record) =>
            {
                #[expect(clippy::expect_used, reason = "a record holds each name once")]
                RestrictedExpression::new_record(record.to_cedar())
                    .expect("the names of a record differ")
            }
        }
    }

    /// Cedar's JSON format for entities, keys ascending, no white space.
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Long(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Self::Text(text) => write_text(out, text),
            Self::Entity(reference) => {
                out.extend_from_slice(b"{\"__entity\":");
                reference.write(out);
                out.push(b'}');
            }
            Self::Instant(time) => {
                out.extend_from_slice(b"{\"__extn\":{\"arg\":");
                write_text(out, &instant_text(*time));
                out.extend_from_slice(b",\"fn\":\"datetime\"}}");
            }
            Self::Set(values) => write_list(out, values, |out, value| value.write(out)),
            Self::Record(record) => record.write(out),
        }
    }

    fn collect_references(&self, references: &mut Vec<Reference<'a>>) {
        match self {
            Self::Entity(reference) => references.push(*reference),
            Self::Set(values) => values
                .iter()
                .for_each(|value| value.collect_references(references)),
            Self::Record(record) => record.collect_references(references),
            Self::Bool(_) | Self::Long(_) | Self::Text(_) | Self::Instant(_) => {}
        }
    }

    fn collect_instants(&self, instants: &mut Vec<Time>) {
        match self {
            Self::Instant(time) => instants.push(*time),
            Self::Set(values) => values
                .iter()
                .for_each(|value| value.collect_instants(instants)),
            Self::Record(record) => record.collect_instants(instants),
            Self::Bool(_) | Self::Long(_) | Self::Text(_) | Self::Entity(_) => {}
        }
    }
}

/// RFC 3339 with three fractional digits.
fn instant_text(time: Time) -> String {
    let millis = time.as_millis();
    let seconds = Time::from_millis(millis - millis % 1_000).unwrap_or(time);
    let mut text = seconds.to_string();
    text.truncate(text.trim_end_matches('Z').len());
    // Writing to a string cannot fail.
    let _ = write!(text, ".{:03}Z", millis % 1_000);
    text
}

impl<'a> Record<'a> {
    /// With one more value, in its place; a second one of a name replaces the first.
    #[must_use]
    pub(crate) fn with(mut self, name: &'a str, value: Value<'a>) -> Self {
        match self.0.binary_search_by(|(other, _)| (*other).cmp(name)) {
            Ok(at) => {
                if let Some(held) = self.0.get_mut(at) {
                    held.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
        self
    }

    /// With one more value, if there is one.
    #[must_use]
    pub(crate) fn with_some(self, name: &'a str, value: Option<Value<'a>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn to_cedar(&self) -> impl Iterator<Item = (String, RestrictedExpression)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| ((*name).to_owned(), value.to_cedar()))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_text(out, name);
            out.push(b':');
            value.write(out);
        }
        out.push(b'}');
    }

    /// Every instant in it.
    pub(crate) fn collect_instants(&self, instants: &mut Vec<Time>) {
        self.0
            .iter()
            .for_each(|(_, value)| value.collect_instants(instants));
    }

    /// Without the values of these names.
    #[must_use]
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(name));
        Self(kept.cloned().collect())
    }

    /// Every entity that is referred to.
    pub(crate) fn collect_references(&self, references: &mut Vec<Reference<'a>>) {
        self.0
            .iter()
            .for_each(|(_, value)| value.collect_references(references));
    }
}

impl Reference<'_> {
    pub(crate) fn to_cedar(self) -> EntityUid {
        EntityUid::from_type_name_and_id(self.entity_type.to_cedar(), EntityId::new(self.id))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        write_text(out, self.id);
        out.extend_from_slice(b",\"type\":");
        write_text(out, self.entity_type.name());
        out.push(b'}');
    }
}

/// A JSON string.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    #[expect(clippy::expect_used, reason = "writing a text to memory cannot fail")]
    serde_json::to_writer(out, text).expect("a text has a JSON form");
}

/// A JSON array.
pub(crate) fn write_list<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T),
) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_ascending_by_name() {
        assert!(Type::ALL.is_sorted_by_key(|each| each.name()));
        assert!(Type::ALL.is_sorted());
        for (index, each) in Type::ALL.into_iter().enumerate() {
            assert_eq!(each as usize, index);
            assert_eq!(each.to_cedar().to_string(), each.name());
        }
    }

    #[test]
    fn a_record_holds_each_name_once_and_in_order() {
        let record = Record::default()
            .with("b", Value::Bool(true))
            .with("a", Value::text("\"é\"\n"))
            .with_some("c", None)
            .with("b", Value::Long(-7))
            .with(
                "d",
                Value::Instant("2026-05-01T08:00:00.0009999Z".parse().unwrap()),
            )
            .with("e", Value::entities(Type::Purpose, ["x", "y"].into_iter()));
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"a\":\"\\\"é\\\"\\n\",\"b\":-7,\
             \"d\":{\"__extn\":{\"arg\":\"2026-05-01T08:00:00.000Z\",\"fn\":\"datetime\"}},\
             \"e\":[{\"__entity\":{\"id\":\"x\",\"type\":\"Ambit::Purpose\"}},\
             {\"__entity\":{\"id\":\"y\",\"type\":\"Ambit::Purpose\"}}]}"
        );
    }
}
