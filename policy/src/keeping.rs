//! What a holder does with what it already has.

use ambit_ledger::{DataClass, ExportControl, Jurisdiction, OrganizationId, Purpose, Scope};
use serde::{Deserialize, Serialize};

/// Something a holder does: the actions `retain`, `derive` and `use`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Keeping {
    /// May it still be held?
    Retain {
        /// Whether it is under legal hold.
        legal_hold: bool,
    },
    /// May this be made of it? Asked once for each input; all must allow.
    Derive {
        /// What it is made for.
        purpose: Purpose,
        /// What is made.
        output: Output,
        /// Whether a person signed that labels may be dropped.
        declassified: bool,
    },
    /// May someone of the organization use it?
    Use {
        /// What for.
        purpose: Purpose,
        /// The nationality of whoever uses it.
        nationality: Jurisdiction,
    },
}

/// The labels and terms of data derived from an observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its class.
    pub data_class: DataClass,
    /// Who owns the design it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_authority: Option<OrganizationId>,
    /// Whether it is a trade secret.
    pub trade_secret: bool,
    /// Its export control classification.
    pub export_control: ExportControl,
    /// Its terms.
    pub scope: Scope,
}
