//! Keys and signatures: which certificates count, and what to make of a statement that does not verify.
//!
//! A statement whose issuer's root the auditor does not have is not false: it can't be checked. The root is
//! asked for once, and the walk goes on with what the statement says.

use super::Audit;
use super::state::{At, Checks, Fault};
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{
    Certificate, Digest, Fingerprint, KeyCertified, KeyringError, Opened, OrganizationId,
    StatementError,
};
use std::sync::Arc;

impl Audit<'_> {
    pub(super) fn key_certified(&mut self, at: At, opened: &Opened, body: &KeyCertified) {
        let own = self.own.clone();
        let checked = self
            .certify(at, &own, &body.certificate)
            .and_then(|certificate| {
                Rule::Certificate.check(
                    certificate.is_none_or(|known| known.root.fingerprint() == opened.root),
                    || "another root signed it than the one the ledger opens with".to_owned(),
                )
            });
        self.note(at, checked);
    }

    /// Takes a certificate of this organization in. `None` where its root is not at hand, which is noted.
    pub(super) fn certify(
        &mut self,
        at: At,
        organization: &OrganizationId,
        bytes: &[u8],
    ) -> Checks<Option<Certificate>> {
        let claimed = Certificate::read(bytes)
            .map_err(|error| Rule::Certificate.broken(error_chain(&error)))?;
        Rule::Certificate.check(claimed.subject == *organization, || {
            format!("it is of `{}`, not `{organization}`", claimed.subject)
        })?;
        if !self.certificates.insert(Digest::of(bytes)) {
            return Ok(Some(claimed));
        }
        match Arc::make_mut(&mut self.keyring).certify(bytes) {
            Ok(certificate) => {
                self.report.checked_mut().signatures += 1;
                Ok(Some(certificate))
            }
            Err(StatementError::Key(_)) => {
                self.trust_root(at, organization, claimed.root.fingerprint());
                if self.unverifiable.insert(organization.clone()) {
                    return Err(Rule::RootFrom.broken(format!(
                        "a certificate of `{organization}` begins at {}; write an earlier `from` \
                         in the trust file if the root was good then",
                        claimed.not_before
                    )));
                }
                Ok(None)
            }
            Err(error) => Err(Rule::Certificate.broken(error_chain(&error))),
        }
    }

    /// Whether the auditor trusts this root; where not, that is noted once for each organization.
    pub(super) fn trust_root(&mut self, at: At, organization: &OrganizationId, root: Fingerprint) {
        if self.keyring.trusts_root(organization, &root)
            || !self.unverifiable.insert(organization.clone())
        {
            return;
        }
        let fault = if self.keyring.trusts(organization) {
            Rule::RootDiffers.broken(format!(
                "the ledger goes by the root {root} of `{organization}`, which the trust file does \
                 not name"
            ))
        } else {
            Rule::RootMissing.broken(format!(
                "obtain the root fingerprint of `{organization}` out of band and compare it with \
                 {root}; its statements were not checked"
            ))
        };
        self.note(at, Err(fault));
    }

    /// What verifying a statement came to. `None` where its issuer's root is not at hand, which is noted.
    pub(super) fn verified<T>(
        &mut self,
        at: At,
        result: Result<T, StatementError>,
    ) -> Checks<Option<T>> {
        match result {
            Ok(verified) => {
                self.report.checked_mut().signatures += 1;
                Ok(Some(verified))
            }
            Err(StatementError::Key(error)) => {
                if self.is_unverifiable(at, &error) {
                    Ok(None)
                } else {
                    Err(unverified(&StatementError::Key(error)))
                }
            }
            Err(error) => Err(unverified(&error)),
        }
    }

    fn is_unverifiable(&mut self, at: At, error: &KeyringError) -> bool {
        let organization = match error {
            KeyringError::UntrustedOrganization(organization)
            | KeyringError::UntrustedRoot { organization, .. }
            | KeyringError::Uncertified { organization, .. }
            | KeyringError::Purpose { organization, .. }
            | KeyringError::Instant { organization, .. } => organization,
        };
        let may_be_certified_elsewhere = self.lacks_terms
            && *organization != self.own
            && matches!(error, KeyringError::Uncertified { .. });
        if may_be_certified_elsewhere || self.unverifiable.contains(organization) {
            return true;
        }
        if self.keyring.trusts(organization) {
            return false;
        }
        self.unverifiable.insert(organization.clone());
        let how = format!(
            "obtain the root fingerprint of `{organization}` out of band; its statements were not \
             checked"
        );
        self.note(at, Err(Rule::RootMissing.broken(how)));
        true
    }
}

pub(super) fn unverified(error: &StatementError) -> Fault {
    Rule::Signature.broken(error_chain(error))
}
