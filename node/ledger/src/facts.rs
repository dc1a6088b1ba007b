//! Facts: what is true of a whole observation and what policies read.

use crate::digest::{Digest, GrantId, ObservationId, Salt};
use crate::names::{Assigned, DataClass, Name, OrganizationId};
use crate::readings::READINGS_MAX;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is true of a whole observation. The payload of its statement.
///
/// On the wire: a map with integer keys in the order of the fields; absent optional fields are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Who signs.
    pub issuer: OrganizationId,
    /// The machine, system or person that reports, by an opaque id; never a person's name.
    pub source: Name,
    /// The place, from the outside in: the site,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
    /// an area of it,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Name>,
    /// a cell of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<Name>,
    /// For what moves, the grid cell it was in, such as a geohash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_cell: Option<Name>,
    /// The asset: an AAS `globalAssetId` or a local id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Name>,
    /// The AAS submodel's id.
    pub submodel: Name,
    /// The AAS submodel's `semanticId`, its last key's value.
    pub semantic_id: Name,
    /// The part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Assigned>,
    /// The part's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
    /// The part's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Name>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Assigned>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Assigned>,
    /// The manufacturing process or operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Name>,
    /// The customer's program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The class of data, in the taxonomy of data classes.
    pub data_class: DataClass,
    /// Whose data it is.
    pub owner: OrganizationId,
    /// Who owns the design it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_authority: Option<OrganizationId>,
    /// Whether the owner holds it as a trade secret.
    pub trade_secret: bool,
    /// Its export control classification.
    pub export_control: ExportControl,
    /// The grants of authorities it may move under.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grants: BTreeSet<GrantId>,
    /// The earliest instant a reading speaks of.
    pub observed_from: Time,
    /// The latest instant a reading speaks of. With instants, in the same UTC minute.
    pub observed_to: Time,
    /// Salted commitments to the observations it was derived from, as [`input_commitment`] makes them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub inputs: BTreeSet<Digest>,
    /// The salted commitment to the observation it corrects, made the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Digest>,
    /// The root over the leaves of its readings.
    pub readings: Digest,
    /// How many readings the block holds; at least one.
    pub reading_count: u32,
}

/// An export control classification. The strings are the lists' own entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a classification, such as { determined = true, itar = false, eccn = \"EAR99\" }"
)]
pub struct ExportControl {
    /// Whether a responsible person has classified it. Nothing crosses before that.
    pub determined: bool,
    /// Under the International Traffic in Arms Regulations (22 CFR 120-130).
    pub itar: bool,
    /// The United States Munitions List category (22 CFR 121).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usml: Option<Name>,
    /// The Export Control Classification Number (15 CFR 774), or `EAR99`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eccn: Option<Name>,
    /// The entry of Annex I to Regulation (EU) 2021/821.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eu_annex_i: Option<Name>,
    /// The licence or agreement it may move under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Name>,
}

/// The commitment to an observation that another one was derived from, or corrects: SHA-256 of `ambit/input/1`, a zero
/// byte, a random salt and the observation's id. Only who has the id, which nobody can guess, and the salt can open it.
#[must_use]
pub fn input_commitment(salt: &Salt, observation: &ObservationId) -> Digest {
    Digest::of_parts(&[
        b"ambit/input/1\0",
        salt.as_bytes(),
        observation.digest().as_bytes(),
    ])
}

impl Facts {
    /// What is wrong with them by themselves.
    pub(crate) fn broken_rule(&self) -> Option<&'static str> {
        let count = usize::try_from(self.reading_count).unwrap_or(usize::MAX);
        if self.observed_from > self.observed_to {
            return Some("observed-to lies before observed-from");
        }
        if count == 0 || count > READINGS_MAX {
            return Some("the reading count is out of range");
        }
        if (self.area.is_some() && self.site.is_none())
            || (self.cell.is_some() && self.area.is_none())
        {
            return Some("a cell lies in an area, and an area in a site");
        }
        None
    }

    /// Every organization these facts name, in any field.
    #[must_use]
    pub fn named_organizations(&self) -> BTreeSet<OrganizationId> {
        let assigned = [&self.part, &self.lot, &self.order, &self.program];
        let assigners = assigned.into_iter().flatten().map(|pair| &pair.assigner);
        [&self.issuer, &self.owner]
            .into_iter()
            .chain(&self.design_authority)
            .chain(assigners)
            .cloned()
            .collect()
    }
}
