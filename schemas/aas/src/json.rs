//! From JSON text to JSON values, strictly: a member named twice is refused, and so is the one name by which the JSON
//! reader tells numbers from objects. Must never hand on a value that says less than the text did.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::json_path::JsonPath;
use crate::shape::ShapeError;

/// The reader keeps the digits of a number as an object with this member; a text with such an object would come back
/// as a number.
const RESERVED_NAME: &str = "$serde_json::private::Number";

/// Reads any JSON, keeping the order of members and the digits of numbers.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let mut reader = Reader::default();
    reader.deserialize(deserializer).map_err(|stop| {
        let at = &reader.at;
        match reader.refusal {
            None => stop,
            Some(Refusal::Duplicate) => D::Error::custom(format!(
                "failed to read JSON: `{at}` is there twice; remove one of the two"
            )),
            Some(Refusal::Reserved) => D::Error::custom(format!(
                "failed to read JSON: `{at}` has a name that the JSON reader keeps for itself; rename the member"
            )),
        }
    })
}

/// Refuses in a value made elsewhere what [`read`] refuses in a text.
pub(crate) fn check_names(value: &Value, at: &mut JsonPath) -> Result<(), ShapeError> {
    match value {
        Value::Object(object) => object.iter().try_for_each(|(name, value)| {
            at.within_member(name, |at| {
                if name == RESERVED_NAME {
                    let expected = "absent, for the JSON reader keeps its name for itself";
                    return Err(ShapeError::new(at, expected, Some(value)));
                }
                check_names(value, at)
            })
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| at.within_index(index, |at| check_names(item, at))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Why reading stopped, where it was not the syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An object names a member twice.
    Duplicate,
    /// A member has the reserved name.
    Reserved,
}

/// Reads one value; where it stopped, `at` and `refusal` say where and why.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) at: JsonPath,
    pub(crate) refusal: Option<Refusal>,
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.at.enter_member(&name);
            if name == RESERVED_NAME {
                self.refusal = Some(Refusal::Reserved);
                let number = map.next_value_seed(Digits)?;
                if !object.is_empty() {
                    return Err(A::Error::custom("a reserved name"));
                }
                self.refusal = None;
                self.at.leave();
                return Ok(Value::Number(number));
            }
            if object.contains_key(&name) {
                self.refusal = Some(Refusal::Duplicate);
                return Err(A::Error::custom("a member named twice"));
            }
            object.insert(name, map.next_value_seed(&mut *self)?);
            self.at.leave();
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            self.at.enter_index(array.len());
            let item = items.next_element_seed(&mut *self)?;
            self.at.leave();
            match item {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        let number = value.to_string().parse().map_err(E::custom)?;
        Ok(Value::Number(number))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        let number = value.to_string().parse().map_err(E::custom)?;
        Ok(Value::Number(number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

/// The digits under the reserved name. The reader hands them over as a text of their own, whereas a text that stands in
/// the file is lent: so an object that only looks like a number is told from a number, and is an error here.
struct Digits;

impl<'de> DeserializeSeed<'de> for Digits {
    type Value = Number;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Digits {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the digits of a number")
    }

    fn visit_str<E: Error>(self, _text: &str) -> Result<Number, E> {
        Err(E::custom("a reserved name"))
    }

    fn visit_string<E: Error>(self, digits: String) -> Result<Number, E> {
        digits.parse().map_err(E::custom)
    }
}
