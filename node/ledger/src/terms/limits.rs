//! Limits: the widest terms an owner allows.

use super::DerivedTerms;
use crate::names::{Assigned, DataClass, Purpose};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The widest terms the owner allows at present for a kind of observation. Private to the owner.
///
/// The kind is a program and classes of data, with everything below them in the taxonomy. A later entry
/// with the same kind replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The program; absent for observations that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The classes of data, with everything below them.
    pub data_classes: BTreeSet<DataClass>,
    /// The purposes, with everything below them.
    pub purposes: BTreeSet<Purpose>,
    /// No disclosure from here on.
    pub not_after: Time,
    /// Retention at most.
    pub hold_until: Time,
    /// How many times it may be passed on.
    pub onward_hops: u32,
    /// The widest terms for derived data; absent means none may be derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedTerms>,
}
