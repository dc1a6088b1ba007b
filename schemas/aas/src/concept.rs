//! Concept descriptions: the dictionary entries an environment brings along (IDTA-01001).

use crate::data_specification::DataSpecificationIec61360;
use crate::identifiable::identifiable_objects;
use crate::reference::Reference;
use crate::shape::REFERENCES;
use crate::whole::several;

identifiable_objects! {
    /// What a semantic id in the same environment means. Writing one yields the JSON it was read from, member for
    /// member, in the same order (IDTA-01001, `ConceptDescription`).
    ConceptDescription "the text `ConceptDescription`" ["isCaseOf": REFERENCES],
}

impl ConceptDescription {
    /// The concepts elsewhere that this one is a case of.
    #[must_use]
    pub fn is_case_of(&self) -> Vec<Reference> {
        several(self.members.member("isCaseOf"))
    }

    /// The first content that follows IEC 61360.
    #[must_use]
    pub fn iec61360(&self) -> Option<DataSpecificationIec61360> {
        let specifications = self.members.embedded_data_specifications();
        specifications
            .iter()
            .find_map(|specification| specification.iec61360())
    }
}
