//! Whether a partnership file is as its signers left it.
//!
//! The keys are those of the file itself, so that a file which passes is unaltered and may still be a stranger's: whose
//! keys they are, only the comparison of root fingerprints says.

use super::error::PartnerError;
use crate::partnership::{PartnershipFile, card_root, keyring_for};
use ambit_ledger::{ManifestSignature, OrganizationId, PartnershipTerms};
use std::collections::{BTreeMap, BTreeSet};

/// What a file proposes, with those who signed it by the keys in it. Every signature in it verifies.
pub(super) fn whole(
    file: &PartnershipFile,
) -> Result<(PartnershipTerms, BTreeSet<OrganizationId>), PartnerError> {
    let terms = file
        .unverified_terms()?
        .ok_or(PartnerError::NothingProposed)?;
    let mut roots = BTreeMap::new();
    for member in &terms.members {
        let root = card_root(member).map_err(PartnerError::Altered)?;
        roots.insert(member.card.organization.clone(), root);
    }
    let keyring = keyring_for(&terms.members, &roots)?;
    let mut signed = BTreeSet::new();
    for statement in &file.statements {
        let signature =
            ManifestSignature::verify(statement, &keyring).map_err(PartnerError::Signature)?;
        signed.insert(signature.signer().clone());
    }
    Ok((terms, signed))
}
