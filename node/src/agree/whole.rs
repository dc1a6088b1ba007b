//! Whether a partnership file is as its signers left it.
//!
//! The keys are those of the file itself, so that a file which passes is unaltered and may still be a stranger's: whose
//! keys they are, only the comparison of root fingerprints says.

use super::error::PartnerError;
use crate::partnership::{PartnershipFile, card_root, keyring_for};
use ambit_ledger::{Decline, Keyring, ManifestSignature, OrganizationId, PartnershipTerms};
use std::collections::{BTreeMap, BTreeSet};

/// What a file proposes, with those who signed it by the keys in it. Every signature in it verifies, and the declarer's is among
/// them: no rules are read that nobody stands for.
pub(super) fn whole(
    file: &PartnershipFile,
) -> Result<(PartnershipTerms, BTreeSet<OrganizationId>), PartnerError> {
    let (terms, keyring) = proposed(file)?;
    let mut signed = BTreeSet::new();
    for statement in &file.statements {
        let signature =
            ManifestSignature::verify(statement, &keyring).map_err(PartnerError::Signature)?;
        signed.insert(signature.signer().clone());
    }
    if !signed.contains(&terms.declarer) {
        return Err(PartnerError::DeclarerUnsigned(terms.declarer));
    }
    Ok((terms, signed))
}

/// Why nobody signs what a file proposes that a member declined, by the keys in it: for whoever does not know the proposal,
/// and so cannot take the decline in.
pub(super) fn declined_in(file: &PartnershipFile, statement: &[u8]) -> PartnerError {
    let declined = || {
        let (terms, keyring) = proposed(file)?;
        let decline = Decline::verify(statement, &keyring).map_err(PartnerError::Signature)?;
        if decline.edition != terms.digest() {
            return Err(PartnerError::NothingProposed);
        }
        Ok(PartnerError::Declined {
            partnership: terms.partnership,
            member: decline.member,
            reason: decline.reason,
        })
    };
    declined().unwrap_or_else(|error| error)
}

/// The terms in a file, and the keys in them.
fn proposed(file: &PartnershipFile) -> Result<(PartnershipTerms, Keyring), PartnerError> {
    let terms = file
        .unverified_terms()?
        .ok_or(PartnerError::NothingProposed)?;
    let mut roots = BTreeMap::new();
    for member in &terms.members {
        let root = card_root(member).map_err(PartnerError::Altered)?;
        roots.insert(member.card.organization.clone(), root);
    }
    let keyring = keyring_for(&terms.members, &roots)?;
    Ok((terms, keyring))
}
