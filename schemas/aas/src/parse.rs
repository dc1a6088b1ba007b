//! From the bytes of a file to submodels. Refuses what it would have to guess about, a member named twice among it,
//! and says where. Reads nothing of an environment but its submodels.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::json_path::{JsonPath, locate};
use crate::shape::ShapeError;
use crate::submodel::Submodel;

const BYTE_ORDER_MARK: char = '\u{feff}';
/// The members of an environment (IDTA-01001, `Environment`), by which one is told from a submodel.
const ENVIRONMENT_MEMBERS: [&str; 3] = [
    "assetAdministrationShells",
    "submodels",
    "conceptDescriptions",
];

/// Reads the submodels of a JSON file in UTF-8, which is either one submodel or an environment with a `submodels`
/// array. They come in the order of the file; there is at least one.
///
/// # Errors
/// As [`Submodel::from_json_str`], and when an environment holds no submodels.
pub fn submodels_from_json(file: impl AsRef<[u8]>) -> Result<Vec<Submodel>, ParseError> {
    let text = decode(file.as_ref())?;
    let mut at = JsonPath::default();
    let read = match read_json(text)? {
        Value::Object(mut environment) if is_environment(&environment) => {
            match environment.get_mut("submodels").map(Value::take) {
                None | Some(Value::Null) => return Err(ParseError::NoSubmodels),
                Some(Value::Array(submodels)) if submodels.is_empty() => {
                    return Err(ParseError::NoSubmodels);
                }
                Some(Value::Array(submodels)) => at.within_member("submodels", |at| {
                    let numbered = submodels.into_iter().enumerate();
                    numbered
                        .map(|(index, value)| {
                            at.within_index(index, |at| Submodel::read(value, at))
                        })
                        .collect()
                }),
                Some(other) => Err(at.within_member("submodels", |at| {
                    ShapeError::new(at, "an array", Some(&other))
                })),
            }
        }
        value => Submodel::read(value, &mut at).map(|submodel| vec![submodel]),
    };
    read.map_err(|cause| ParseError::at(text, cause))
}

pub(crate) fn submodel_from_slice(bytes: &[u8]) -> Result<Submodel, ParseError> {
    let text = decode(bytes)?;
    let value = read_json(text)?;
    if let Some(environment) = value.as_object().filter(|object| is_environment(object)) {
        let submodels = environment.get("submodels").and_then(Value::as_array);
        return Err(ParseError::Environment {
            submodels: submodels.map_or(0, Vec::len),
        });
    }
    Submodel::read(value, &mut JsonPath::default()).map_err(|cause| ParseError::at(text, cause))
}

/// Why a file could not be read as submodels. Lines and columns count from 1, columns in bytes.
#[derive(Debug, Error)]
pub enum ParseError {
    /// The file is not text.
    #[error(
        "failed to read the file as UTF-8: byte {offset} begins no character; save it as UTF-8"
    )]
    NotUtf8 {
        /// How many bytes before it were in order.
        offset: usize,
    },
    /// The text is not JSON.
    #[error("failed to read JSON at line {line} column {column}")]
    Syntax {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What the JSON reader found.
        #[source]
        source: serde_json::Error,
    },
    /// An object names a member twice: keeping one would drop the other.
    #[error(
        "failed to read JSON: `{path}` is there twice, again at line {line} column {column}; remove one of the two"
    )]
    DuplicateMember {
        /// The member.
        path: JsonPath,
        /// The line of the second one.
        line: usize,
        /// The column of the second one.
        column: usize,
    },
    /// A JSON type differs from the metamodel's schema.
    #[error("{shape} (line {line} column {column})")]
    Shape {
        /// What differs, with its path.
        shape: ShapeError,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The file is an environment where one submodel was asked for.
    #[error(
        "failed to read a submodel: the file is an environment with {submodels} submodels; take the one that is meant out of its `submodels`"
    )]
    Environment {
        /// How many submodels it holds.
        submodels: usize,
    },
    /// The file is an environment without submodels.
    #[error(
        "failed to read submodels: the file is an environment whose `submodels` are missing or empty"
    )]
    NoSubmodels,
}

impl ParseError {
    fn at(text: &str, shape: ShapeError) -> Self {
        let (line, column) = locate(text, shape.path());
        Self::Shape {
            shape,
            line,
            column,
        }
    }
}

fn is_environment(object: &Map<String, Value>) -> bool {
    !object.contains_key("modelType")
        && ENVIRONMENT_MEMBERS
            .iter()
            .any(|name| object.contains_key(*name))
}

fn decode(bytes: &[u8]) -> Result<&str, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|cause| ParseError::NotUtf8 {
        offset: cause.valid_up_to(),
    })?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

fn read_json(text: &str) -> Result<Value, ParseError> {
    let value = serde_json::from_str(text).map_err(|source| ParseError::Syntax {
        line: source.line(),
        column: source.column(),
        source,
    })?;
    let mut scan = Scan::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match scan.deserialize(&mut deserializer) {
        Ok(()) => Ok(value),
        Err(stop) => Err(ParseError::DuplicateMember {
            line: stop.line(),
            column: stop.column(),
            path: scan.at,
        }),
    }
}

/// Walks through a text that is known to be JSON and stops at the first member that its object already has.
#[derive(Default)]
struct Scan {
    at: JsonPath,
}

impl<'de> DeserializeSeed<'de> for &mut Scan {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Scan {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            self.at.enter_member(&name);
            if !names.insert(name) {
                return Err(A::Error::custom("a member named twice"));
            }
            map.next_value_seed(&mut *self)?;
            self.at.leave();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            self.at.enter_index(index);
            let more = items.next_element_seed(&mut *self)?.is_some();
            self.at.leave();
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
