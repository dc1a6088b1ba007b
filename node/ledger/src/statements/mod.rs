//! The statements organizations make to each other and of each other, one file for what belongs together.

mod acknowledgement;
mod act;
mod authority;
mod derivation;
mod disclosure;
mod erasure;
mod manifest;
mod observation;
mod pattern;
mod person;

pub use acknowledgement::{Acknowledgement, HeardActs, RefusedItem};
pub use act::{Act, ActKind, Restriction};
pub use authority::{AttestationStatement, Grant, Mandate};
pub use derivation::{Computation, ComputedTerm, Derivation, DerivedInput, Function, Labels};
pub use disclosure::Disclosure;
pub use erasure::{ErasureAttestation, ErasureMethod, Gone};
pub use manifest::{Decline, Joined, ManifestSignature};
pub use observation::Observation;
pub use pattern::{OpenedGrant, Pattern, PatternSignature, Trigger};
pub use person::PersonSignature;
