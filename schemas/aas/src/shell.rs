//! The asset administration shell itself: which asset it is about, and which submodels belong to it (IDTA-01001).

use crate::identifiable::identifiable_objects;
use crate::reference::Reference;
use crate::shape::{ONE_REFERENCE, ObjectShape, REFERENCES, Shape};
use crate::whole::{Whole, one, several, text, whole_objects};

identifiable_objects! {
    /// An asset administration shell. Writing one yields the JSON it was read from, member for member, in the same
    /// order (IDTA-01001, `AssetAdministrationShell`).
    AssetAdministrationShell "the text `AssetAdministrationShell`" [
        "derivedFrom": ONE_REFERENCE,
        "assetInformation": Shape::Object(ObjectShape::AssetInformation),
        "submodels": REFERENCES
    ],
}

impl AssetAdministrationShell {
    /// The shell that this one was made after.
    #[must_use]
    pub fn derived_from(&self) -> Option<Reference> {
        self.members.reference("derivedFrom")
    }

    /// Which asset the shell is about.
    #[must_use]
    pub fn asset_information(&self) -> Option<AssetInformation> {
        let information = self.members.member("assetInformation");
        information.and_then(AssetInformation::checked)
    }

    /// The submodels that belong to the shell.
    #[must_use]
    pub fn submodels(&self) -> Vec<Reference> {
        several(self.members.member("submodels"))
    }
}

whole_objects! {
    /// Which asset a shell is about (IDTA-01001, `AssetInformation`).
    AssetInformation,
    /// An identifier of an asset that somebody gave it, such as a serial number (IDTA-01001, `SpecificAssetId`).
    SpecificAssetId,
    /// The address of a file (IDTA-01001, `Resource`).
    Resource,
}

impl AssetInformation {
    /// `Type`, `Instance`, `Role` or `NotApplicable`, as written.
    #[must_use]
    pub fn asset_kind(&self) -> Option<&str> {
        text(&self.object, "assetKind")
    }

    /// The global identifier of the asset.
    #[must_use]
    pub fn global_asset_id(&self) -> Option<&str> {
        text(&self.object, "globalAssetId")
    }

    /// The other identifiers of the asset.
    #[must_use]
    pub fn specific_asset_ids(&self) -> Vec<SpecificAssetId> {
        several(self.object.get("specificAssetIds"))
    }

    /// The identifier of the type of the asset.
    #[must_use]
    pub fn asset_type(&self) -> Option<&str> {
        text(&self.object, "assetType")
    }

    /// A small picture of the asset.
    #[must_use]
    pub fn default_thumbnail(&self) -> Option<Resource> {
        one(&self.object, "defaultThumbnail")
    }
}

impl SpecificAssetId {
    /// What kind of identifier it is.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        text(&self.object, "name")
    }

    /// The identifier.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        text(&self.object, "value")
    }

    /// Who gave it.
    #[must_use]
    pub fn external_subject_id(&self) -> Option<Reference> {
        one(&self.object, "externalSubjectId")
    }

    /// What the identifier means.
    #[must_use]
    pub fn semantic_id(&self) -> Option<Reference> {
        one(&self.object, "semanticId")
    }

    /// What else the identifier means.
    #[must_use]
    pub fn supplemental_semantic_ids(&self) -> Vec<Reference> {
        several(self.object.get("supplementalSemanticIds"))
    }
}

impl Resource {
    /// The path or address of the file.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        text(&self.object, "path")
    }

    /// The media type (RFC 2046).
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        text(&self.object, "contentType")
    }
}
