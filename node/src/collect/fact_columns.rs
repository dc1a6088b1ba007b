//! Facts that the columns of a file hold, row by row.

use super::facts::{FactsFile, of_all_facts};
use ambit_ledger::{Assigned, Name, OrganizationId};
use serde::Deserialize;

/// What a map says of the column of a fact: its name, and for a pair who assigned the values in it.
macro_rules! named {
    (Name) => {
        String
    };
    (Assigned) => {
        AssignedColumn
    };
}

macro_rules! fact_column {
    ($name:ident Name $named:ident) => {
        FactColumn {
            column: $named.clone(),
            slot: Slot::Text(|facts| &mut facts.$name),
        }
    };
    ($name:ident Assigned $named:ident) => {
        FactColumn {
            column: $named.column.clone(),
            slot: Slot::Pair(|facts| &mut facts.$name, $named.assigner.clone()),
        }
    };
}

macro_rules! kind {
    (Name) => {
        ColumnKind::Text
    };
    (Assigned) => {
        ColumnKind::Pair
    };
}

/// Takes the rows whose facts a column may hold out of all rows.
macro_rules! column_facts {
    ([$($taken:tt)*]) => {
        column_types! { $($taken)* }
    };
    (
        [$($taken:tt)*]
        $(#[$documentation:meta])+
        $name:ident: $type:ident, $presence:ident, column, $example:literal;
        $($rest:tt)*
    ) => {
        column_facts! { [$($taken)* $name: $type;] $($rest)* }
    };
    (
        [$($taken:tt)*]
        $(#[$documentation:meta])+
        $name:ident: $type:ident, $presence:ident, whole, $example:literal;
        $($rest:tt)*
    ) => {
        column_facts! { [$($taken)*] $($rest)* }
    };
    ($($rows:tt)*) => {
        column_facts! { [] $($rows)* }
    };
}

macro_rules! column_types {
    ($($name:ident: $type:ident;)+) => {
        /// Which facts are read from which columns.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct FactsColumns {
            $($name: Option<named!($type)>,)+
        }

        impl FactsColumns {
            /// The columns of facts that `overrides` does not make moot.
            pub(super) fn beside(&self, overrides: &FactsFile) -> Vec<FactColumn> {
                let columns = [$(
                    self.$name
                        .as_ref()
                        .filter(|_| overrides.$name.is_none())
                        .map(|named| fact_column!($name $type named))
                ),+];
                columns.into_iter().flatten().collect()
            }
        }

        /// The facts that a column may hold.
        pub(super) const COLUMN_FACTS: &[(&str, ColumnKind)] =
            &[$((stringify!($name), kind!($type))),+];
    };
}
of_all_facts!(column_facts);

/// What a column of a fact holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// The fact.
    Text,
    /// The value of a pair, whose assigner the map names.
    Pair,
}

/// A column of identifiers that one organization gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignedColumn {
    column: String,
    assigner: OrganizationId,
}

/// A column, and the fact that it holds.
#[derive(Clone, Debug)]
pub(super) struct FactColumn {
    pub(super) column: String,
    slot: Slot,
}

#[derive(Clone, Debug)]
enum Slot {
    Text(fn(&mut FactsFile) -> &mut Option<Name>),
    Pair(fn(&mut FactsFile) -> &mut Option<Assigned>, OrganizationId),
}

impl FactColumn {
    /// Sets the fact to what the column holds in a row.
    pub(super) fn set(&self, facts: &mut FactsFile, value: Name) {
        match &self.slot {
            Slot::Text(slot) => *slot(facts) = Some(value),
            Slot::Pair(slot, assigner) => {
                let assigner = assigner.clone();
                *slot(facts) = Some(Assigned { assigner, value });
            }
        }
    }
}
