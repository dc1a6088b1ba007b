//! Admissibility: the Cedar schema, the layers of policy, and the judging of inquiries.
//!
//! Pure: no clock, no randomness, no file, no socket; what is embedded is read when compiled. This crate
//! alone names `cedar-policy`.

mod agreement;
mod asking;
mod bounds;
mod cases;
mod check;
mod class;
mod effort;
mod explain;
mod expression;
mod inquiry;
mod judge;
mod kept;
mod layers;
mod limits;
mod literals;
mod position;
mod profile;
mod recorded;
mod render;
mod replay;
mod schema;
mod scope;
mod seen;
mod shipped;
mod slice;
mod slip;
mod taxonomy;
mod unbuilt;
mod unchecked;
mod value;

pub use agreement::{
    CLOCKS_APART_SECONDS_MAX, DECIDED_BYTES_MAX, MEMBERS_MAX, PURPOSES_MAX, RULES_MAX, TermsError,
    agreement, check_terms,
};
pub use bounds::{
    CONDITIONALS_MAX, POLICIES_MAX, POLICY_CONDITIONALS_MAX, POLICY_EXPRESSIONS_MAX,
    POLICY_LINKS_MAX, PROFILE_BYTES_MAX, PROFILE_NESTING_MAX, STEPS_MAX,
};
pub use cases::{CaseOutcome, CasesError, default_cases, run_cases};
pub use check::{CheckedProfile, ProfileFinding, check_profile};
pub use class::class_key;
pub use explain::{FailedPart, NEAR_MISSES_MAX, NearMiss, PART_CHARS_MAX, near_misses};
pub use inquiry::{inquiry_for_admission, inquiry_for_disclosure, inquiry_for_forwarding};
pub use judge::{Judged, JudgedHolding, judge, judge_derive, judge_retain, judge_use};
pub use layers::{BrokenLayer, Layers, LayersError};
pub use limits::{NoLimits, limits_in_force, no_limits};
pub use position::Position;
pub use profile::{AskedFor, Profile, ProfileError, UNDECIDED_PREFIX, default_profile};
pub use recorded::{
    DECISION_BYTES_MAX, ERROR_BYTES_MAX, ERRORS_RECORDED_MAX, NAMED_BYTES_MAX, POLICIES_NAMED_MAX,
    recordable,
};
pub use render::{ForbidsError, RENDERER, render, render_as_stated, rule_count};
pub use replay::{ReplayError, Replayer};
pub use schema::{engine, schema_digest, schema_text};
pub use scope::{
    Bound, Widening, check_scope, check_within_limits, check_within_parent, name_members, scope_for,
};
pub use seen::{SAW_MAX, Saw, VALUE_CHARS_MAX};
pub use shipped::{shipped, shipped_with, taxonomies_shipped_with};
pub use slip::likely_meant;
pub use taxonomy::{
    TAXONOMIES_BYTES_MAX, TAXONOMY_ABOVE_MAX, TAXONOMY_DEPTH_MAX, TAXONOMY_NAMES_MAX, Taxonomies,
    TaxonomyError, TaxonomyKind, UnknownName,
};
pub use unbuilt::{Unbuilt, unbuilt};
pub use unchecked::{Unchecked, unchecked_in_disclosure, unchecked_in_facts};
