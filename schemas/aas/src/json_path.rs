//! Where in a JSON text something is: the path for people to read, and the line and column it leads to.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// The way from the root of a JSON text to one value, shown like `$.submodelElements[3].valueType`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonPath(Vec<JsonPathStep>);

/// One step of a [`JsonPath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonPathStep {
    /// Into an object, by member name.
    Member(String),
    /// Into an array, by position counted from zero.
    Index(usize),
}

impl JsonPath {
    /// The steps from the root; none for the root itself.
    #[must_use]
    pub fn steps(&self) -> &[JsonPathStep] {
        &self.0
    }

    /// Runs `inspect` with the path one member further, then comes back.
    pub(crate) fn within_member<T>(
        &mut self,
        name: &str,
        inspect: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.enter_member(name);
        let answer = inspect(self);
        self.leave();
        answer
    }

    /// Runs `inspect` with the path at one array item, then comes back.
    pub(crate) fn within_index<T>(
        &mut self,
        index: usize,
        inspect: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.enter_index(index);
        let answer = inspect(self);
        self.leave();
        answer
    }

    pub(crate) fn enter_member(&mut self, name: &str) {
        self.0.push(JsonPathStep::Member(name.to_owned()));
    }

    pub(crate) fn enter_index(&mut self, index: usize) {
        self.0.push(JsonPathStep::Index(index));
    }

    pub(crate) fn leave(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("$")?;
        for step in &self.0 {
            match step {
                JsonPathStep::Member(name) => write!(formatter, ".{name}")?,
                JsonPathStep::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// The line and column (both from 1, the column in bytes) where the value at `path` begins in `text`, or where the
/// nearest value around it begins if there is none.
pub(crate) fn locate(text: &str, path: &JsonPath) -> (usize, usize) {
    let mut steps = path.steps();
    while let Some((_, parent)) = steps.split_last() {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // Arriving stops the reader with an error, whose position is the answer.
        if let Err(arrival) = (Follow { steps }).deserialize(&mut deserializer) {
            return (arrival.line(), arrival.column());
        }
        steps = parent;
    }
    (1, 1)
}

struct Follow<'path> {
    steps: &'path [JsonPathStep],
}

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            return Err(D::Error::custom("arrived"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match self.steps.split_first() {
                Some((JsonPathStep::Member(wanted), steps)) if *wanted == name => {
                    map.next_value_seed(Follow { steps })?;
                }
                Some(_) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let more = match self.steps.split_first() {
                Some((JsonPathStep::Index(wanted), steps)) if *wanted == index => {
                    items.next_element_seed(Follow { steps })?.is_some()
                }
                Some(_) | None => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> JsonPath {
        let step = |step: &&str| match step.parse() {
            Ok(index) => JsonPathStep::Index(index),
            Err(_) => JsonPathStep::Member((*step).to_owned()),
        };
        JsonPath(steps.iter().map(step).collect())
    }

    #[test]
    fn a_path_leads_to_its_line() {
        let text = "{\n \"a\": 1e400,\n \"b\": [\n  0,\n  {\"c\": true}\n ]\n}";
        assert_eq!(path(&["b", "1", "c"]).to_string(), "$.b[1].c");
        assert_eq!(locate(text, &path(&["b", "1", "c"])).0, 5);
        assert_eq!(locate(text, &path(&["b", "0"])).0, 4);
        assert_eq!(locate(text, &path(&["a"])).0, 2);
    }

    #[test]
    fn a_missing_member_leads_to_the_object_around_it() {
        let text = "{\n \"b\": [\n  0,\n  {\n  \"c\": true}\n ]\n}";
        assert_eq!(locate(text, &path(&["b", "1", "x"])).0, 4);
        assert_eq!(locate(text, &path(&["x"])), (1, 1));
        assert_eq!(locate(text, &path(&[])), (1, 1));
    }
}
