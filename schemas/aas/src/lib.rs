//! The Asset Administration Shell metamodel V3 (IDTA-01001-3-0 and 3-1) in its JSON serialization, as serde types:
//! submodels, their elements, the value-only form (IDTA-01002), and verification.
//!
//! Three rules hold throughout. Nothing that was read is dropped or reordered: every type keeps its whole JSON
//! object, and the typed accessors look into it (layout apart, only the exponent of a JSON number is respelled, `E5` as
//! `e+5`). Nothing is coerced: a missing value stays missing, a number keeps its digits. Nothing is altered by
//! verification: it reports, and what is stored stays as it came.

mod element;
mod id_short_path;
mod identifier;
mod json_path;
mod leaves;
mod lexical;
mod members;
mod parse;
mod reference;
mod shape;
mod submodel;
mod value_only;
mod value_type;
mod verify;

pub use element::{
    Blob, File, MultiLanguageProperty, Property, Range, ReferenceElement, SubmodelElement,
    SubmodelElementCollection, SubmodelElementList, WholeElement,
};
pub use id_short_path::{IdShortPath, IdShortPathError, IdShortPathStep};
pub use identifier::{IdShort, IdShortError, Identifier, IdentifierError};
pub use json_path::{JsonPath, JsonPathStep};
pub use leaves::{Leaf, Leaves, SkipReason, Skipped, leaves};
pub use lexical::lexical_matches;
pub use members::Members;
pub use parse::{ParseError, submodels_from_json};
pub use reference::{Key, LangString, Qualifier, Reference};
pub use shape::ShapeError;
pub use submodel::Submodel;
pub use value_only::{ValueOnlyError, submodel_value_only, value_only, value_only_property};
pub use value_type::{DataTypeDefXsd, DataTypeDefXsdError};
pub use verify::{Finding, Rule, verify};
