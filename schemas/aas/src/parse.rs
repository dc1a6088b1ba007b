//! From the bytes of a file to submodels and environments. Refuses what it would have to guess about, a member named
//! twice among it, and says where.

use serde::de::DeserializeSeed;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::environment::Environment;
use crate::json::{Reader, Refusal};
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
/// array. They come in the order of the file; there is at least one. Nothing else of an environment is read: see
/// [`Environment`] for the whole.
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

pub(crate) fn environment_from_slice(bytes: &[u8]) -> Result<Environment, ParseError> {
    let text = decode(bytes)?;
    let value = read_json(text)?;
    Environment::read(value, &mut JsonPath::default()).map_err(|cause| ParseError::at(text, cause))
}

/// Why a file could not be read. Lines and columns count from 1, columns in bytes.
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
    /// A member has the one name that cannot be told from a number.
    #[error(
        "failed to read JSON: `{path}` at line {line} column {column} has a name that the JSON reader keeps for itself; rename the member"
    )]
    ReservedMember {
        /// The member.
        path: JsonPath,
        /// The line.
        line: usize,
        /// The column.
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
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize(&mut deserializer);
    read.and_then(|value| deserializer.end().map(|()| value))
        .map_err(|stop| {
            let (line, column) = (stop.line(), stop.column());
            let path = reader.at;
            match reader.refusal {
                Some(Refusal::Duplicate) => ParseError::DuplicateMember { path, line, column },
                Some(Refusal::Reserved) => ParseError::ReservedMember { path, line, column },
                None => ParseError::Syntax {
                    line,
                    column,
                    source: stop,
                },
            }
        })
}
