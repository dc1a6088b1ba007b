//! The Asset Administration Shell metamodel V3 (IDTA-01001-3-0 and 3-1) in its JSON serialization, as serde types:
//! environments with their shells, submodels and concept descriptions, all kinds of submodel elements, the value-only
//! form (IDTA-01002), and verification.
//!
//! Three rules hold throughout. Nothing that was read is dropped or reordered: every type keeps its whole JSON
//! object, and the typed accessors look into it. Nothing is coerced: a missing value stays missing, a number keeps its
//! digits. Nothing is altered by verification: it reports, and what is stored stays as it came.
//!
//! What a round trip does respell: the layout between tokens, the escapes of a text (`\u0041` as `A`), and the exponent
//! of a JSON number, which gets a lower case `e` and always a sign (`1.5E3` as `1.5e+3`). The metamodel itself has no
//! JSON numbers, only texts, so this concerns members it does not know. Values are texts and stay as written, in the
//! value-only text of [`leaves()`] and [`value_only_text`] too. Two things are refused, for they could not come back: a
//! member named twice, and a member called `$serde_json::private::Number`, by which the JSON reader tells numbers.

mod element;
mod elements;
mod environment;
mod finding;
mod id_short_path;
mod identifiable;
mod identifier;
mod json;
mod json_path;
mod leaves;
mod lexical;
mod members;
mod objects;
mod operation;
mod parse;
mod shape;
mod submodel;
mod table;
mod value_form;
mod value_only;
mod value_type;
mod verify;
mod whole;

pub use element::SubmodelElement;
pub use elements::{
    AnnotatedRelationshipElement, BasicEventElement, Blob, Capability, Entity, File,
    MultiLanguageProperty, Property, Range, ReferenceElement, RelationshipElement,
    SubmodelElementCollection, SubmodelElementList, WholeElement,
};
pub use environment::Environment;
pub use finding::{Finding, Rule};
pub use id_short_path::{IdShortPath, IdShortPathError, IdShortPathStep};
pub use identifiable::{AssetAdministrationShell, ConceptDescription};
pub use identifier::{IdShort, IdShortError, Identifier, IdentifierError};
pub use json_path::{JsonPath, JsonPathStep};
pub use leaves::{Leaf, Leaves, SkipReason, Skipped, leaves, leaves_in};
pub use lexical::{is_representable, is_xml_character, lexical_matches};
pub use members::Members;
pub use objects::{
    AdministrativeInformation, AssetInformation, DataSpecificationIec61360,
    EmbeddedDataSpecification, Extension, Key, LangString, LevelType, Qualifier, Reference,
    Resource, SpecificAssetId, ValueList, ValueReferencePair,
};
pub use operation::{Operation, OperationVariable};
pub use parse::{ParseError, submodels_from_json};
pub use shape::ShapeError;
pub use submodel::Submodel;
pub use value_only::{
    ValueOnlyError, submodel_value_only, submodel_value_only_text, value_only, value_only_property,
    value_only_text,
};
pub use value_type::{DataTypeDefXsd, DataTypeDefXsdError};
pub use verify::verify;
pub use whole::Presence;
