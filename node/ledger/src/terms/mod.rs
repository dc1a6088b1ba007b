//! Terms: the limits an owner allows, the scope of one disclosure, the agreement of a partnership.
//!
//! Every field that no version can do anything with yet is optional, and left out where it is not there: who declares
//! or accepts an agreement refuses what its version cannot do. Fields are fixed: a new one is a new version of the
//! statement that holds the terms.

mod agreement;
mod clauses;
mod limits;
mod member;
mod scope;

pub use agreement::PartnershipTerms;
pub use clauses::{
    AddedClass, AdmissionRule, AgreedElement, AgreedPart, AtEnd, Delivery, LegalClause,
    LegalDocument, Reach, RequiredAttestation, Role,
};
pub use limits::Limits;
pub use member::{Card, Material, Member, SignedCard};
pub use scope::{DerivedTerms, ErasureExtent, RecordDigest, Scope};
