//! Facts as people write them down: some in the node's facts file, some in a map, some on the command line.

use super::draft::DraftFacts;
use ambit_ledger::{Assigned, DataClass, ExportControl, Name, OrganizationId};
use serde::{Deserialize, Serialize};

/// Some of the facts of an observation: the node's `facts.toml`, the `[facts]` of a map, what the command line
/// overrides. Each field is as in [`ambit_ledger::Facts`]; what is absent is left to the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactsFile {
    /// The machine, system or person that reports, by an opaque id.
    pub source: Option<Name>,
    /// Where.
    pub site: Option<Name>,
    /// The asset.
    pub asset: Option<Name>,
    /// The AAS submodel's id.
    pub submodel: Option<Name>,
    /// The AAS submodel's `semanticId`, its last key's value.
    pub semantic_id: Option<Name>,
    /// The part.
    pub part: Option<Assigned>,
    /// The part's revision.
    pub revision: Option<Name>,
    /// The part's serial number.
    pub serial: Option<Name>,
    /// The lot.
    pub lot: Option<Assigned>,
    /// The order.
    pub order: Option<Assigned>,
    /// The manufacturing process or operation.
    pub process: Option<Name>,
    /// The customer's program.
    pub program: Option<Assigned>,
    /// The class of data.
    pub data_class: Option<DataClass>,
    /// Whose data it is.
    pub owner: Option<OrganizationId>,
    /// Who owns the design it follows from.
    pub design_authority: Option<OrganizationId>,
    /// Whether the owner holds it as a trade secret.
    pub trade_secret: Option<bool>,
    /// Its export control classification, always as a whole: never part of one and part of another.
    pub export_control: Option<ExportControl>,
}

/// Why facts cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Not TOML, an unknown key, or a value that does not fit its key.
    #[error("failed to read the facts")]
    Toml(#[from] toml::de::Error),
    /// Nobody says.
    #[error(
        "the fact `{0}` is missing: set it in the node's facts file, under `[facts]` in the map, or on the command line"
    )]
    Missing(&'static str),
}

impl FactsFile {
    /// Reads a facts file: TOML, each key a field of this type.
    ///
    /// # Errors
    /// [`FactsError::Toml`], whose source names the line and, for an unknown key, the known ones.
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        Ok(toml::from_str(text)?)
    }

    /// These facts with those of `over` on top, field by field.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        fn top<T: Clone>(over: Option<&T>, under: Option<&T>) -> Option<T> {
            over.or(under).cloned()
        }
        Self {
            source: top(over.source.as_ref(), self.source.as_ref()),
            site: top(over.site.as_ref(), self.site.as_ref()),
            asset: top(over.asset.as_ref(), self.asset.as_ref()),
            submodel: top(over.submodel.as_ref(), self.submodel.as_ref()),
            semantic_id: top(over.semantic_id.as_ref(), self.semantic_id.as_ref()),
            part: top(over.part.as_ref(), self.part.as_ref()),
            revision: top(over.revision.as_ref(), self.revision.as_ref()),
            serial: top(over.serial.as_ref(), self.serial.as_ref()),
            lot: top(over.lot.as_ref(), self.lot.as_ref()),
            order: top(over.order.as_ref(), self.order.as_ref()),
            process: top(over.process.as_ref(), self.process.as_ref()),
            program: top(over.program.as_ref(), self.program.as_ref()),
            data_class: top(over.data_class.as_ref(), self.data_class.as_ref()),
            owner: top(over.owner.as_ref(), self.owner.as_ref()),
            design_authority: top(
                over.design_authority.as_ref(),
                self.design_authority.as_ref(),
            ),
            trade_secret: over.trade_secret.or(self.trade_secret),
            export_control: top(over.export_control.as_ref(), self.export_control.as_ref()),
        }
    }

    /// The facts of an observation. Without a word on export control it is undetermined, and nothing crosses.
    ///
    /// # Errors
    /// [`FactsError::Missing`] for the first of `source`, `submodel`, `semantic_id`, `data_class`, `owner` and
    /// `trade_secret` that is absent.
    pub fn complete(&self) -> Result<DraftFacts, FactsError> {
        fn present<T: Clone>(value: Option<&T>, field: &'static str) -> Result<T, FactsError> {
            value.cloned().ok_or(FactsError::Missing(field))
        }
        Ok(DraftFacts {
            source: present(self.source.as_ref(), "source")?,
            site: self.site.clone(),
            asset: self.asset.clone(),
            submodel: present(self.submodel.as_ref(), "submodel")?,
            semantic_id: present(self.semantic_id.as_ref(), "semantic_id")?,
            part: self.part.clone(),
            revision: self.revision.clone(),
            serial: self.serial.clone(),
            lot: self.lot.clone(),
            order: self.order.clone(),
            process: self.process.clone(),
            program: self.program.clone(),
            data_class: present(self.data_class.as_ref(), "data_class")?,
            owner: present(self.owner.as_ref(), "owner")?,
            design_authority: self.design_authority.clone(),
            trade_secret: present(self.trade_secret.as_ref(), "trade_secret")?,
            export_control: self.export_control.clone().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    const ALL_REQUIRED: &str = r#"
        source = "cmm-1"
        submodel = "urn:example:submodel:1"
        semantic_id = "urn:example:semantic:1"
        data_class = "inspection-result"
        owner = "did:web:plates.example"
        trade_secret = false
    "#;

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = FactsFile::parse("sauce = \"cmm-1\"").unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("unknown field `sauce`"), "{cause}");
        assert!(
            cause.contains("`source`") && cause.contains("`export_control`"),
            "{cause}"
        );
        assert!(FactsFile::parse("source = \"cmm-1\"").is_ok());
    }

    #[test]
    fn each_required_fact_is_missed_by_name() {
        assert!(FactsFile::parse(ALL_REQUIRED).unwrap().complete().is_ok());
        for field in [
            "source",
            "submodel",
            "semantic_id",
            "data_class",
            "owner",
            "trade_secret",
        ] {
            let without: String = ALL_REQUIRED
                .lines()
                .filter(|line| !line.trim_start().starts_with(&format!("{field} ")))
                .flat_map(|line| [line, "\n"])
                .collect();
            let error = FactsFile::parse(&without).unwrap().complete().unwrap_err();
            assert!(matches!(error, FactsError::Missing(missing) if missing == field));
            assert!(error.to_string().contains("facts file"), "{error}");
        }
    }

    #[test]
    fn what_is_on_top_wins_and_what_it_leaves_out_stays() {
        let under = FactsFile::parse(ALL_REQUIRED).unwrap();
        let over = FactsFile::parse(
            "source = \"cmm-2\"\nexport_control = { determined = true, itar = false, eccn = \"EAR99\" }",
        )
        .unwrap();
        let facts = under.overlaid(&over).complete().unwrap();
        assert_eq!(facts.source.as_str(), "cmm-2");
        assert_eq!(facts.owner.as_str(), "did:web:plates.example");
        assert!(facts.export_control.determined);
        assert!(!under.complete().unwrap().export_control.determined);
    }
}
