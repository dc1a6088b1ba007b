//! Which key speaks for whom: roots that were compared out of band, and what they certify.

use crate::certificate::Certificate;
use crate::keys::{Fingerprint, KeyPurpose, PublicKey, Verifier};
use crate::names::OrganizationId;
use crate::statement::StatementError;
use crate::time::Time;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Why the keyring has no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// No root of this organization is trusted.
    #[error("no root key of `{0}` is trusted")]
    UntrustedOrganization(OrganizationId),
    /// The root that certified the key is not the trusted one.
    #[error("the root key of `{organization}` has the fingerprint {found}, which is not trusted")]
    UntrustedRoot {
        /// Whose.
        organization: OrganizationId,
        /// The fingerprint seen.
        found: Fingerprint,
    },
    /// No trusted root certifies this key.
    #[error("the key {key} of `{organization}` is not certified")]
    Uncertified {
        /// Whose.
        organization: OrganizationId,
        /// The key.
        key: Fingerprint,
    },
    /// Certified for something else.
    #[error("the key {key} of `{organization}` is not certified for this purpose")]
    Purpose {
        /// Whose.
        organization: OrganizationId,
        /// The key.
        key: Fingerprint,
    },
    /// Not yet, or no longer, good at the instant asked for.
    #[error("the key {key} of `{organization}` was not good at {at}: it was certified from {from}{}", until_text(.until.as_ref()))]
    Instant {
        /// Whose.
        organization: OrganizationId,
        /// The key.
        key: Fingerprint,
        /// When it was to be good.
        at: Time,
        /// From when it is.
        from: Time,
        /// Until when, where it ends.
        until: Option<Time>,
    },
}

fn until_text(until: Option<&Time>) -> String {
    until.map_or_else(String::new, |until| format!(" until {until}"))
}

/// Trusted roots and the keys they certify.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    roots: BTreeMap<OrganizationId, BTreeMap<Fingerprint, Time>>,
    certified: BTreeMap<(OrganizationId, Fingerprint), Certified>,
}

/// A certificate with its key made ready.
#[derive(Clone, Debug)]
struct Certified {
    certificate: Certificate,
    /// `None` of a key that signs nothing.
    verifier: Option<Verifier>,
}

impl Keyring {
    /// Nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts a root, compared out of band, from an instant on.
    pub fn trust(&mut self, organization: OrganizationId, root: Fingerprint, from: Time) {
        let since = self
            .roots
            .entry(organization)
            .or_default()
            .entry(root)
            .or_insert(from);
        *since = from.min(*since);
    }

    /// Whether any root of this organization is trusted.
    #[must_use]
    pub fn trusts(&self, organization: &OrganizationId) -> bool {
        self.roots.contains_key(organization)
    }

    /// Whether this very root is trusted.
    #[must_use]
    pub fn trusts_root(&self, organization: &OrganizationId, root: &Fingerprint) -> bool {
        self.roots
            .get(organization)
            .is_some_and(|roots| roots.contains_key(root))
    }

    /// Takes a certificate in, if a trusted root signed it. Where there are several for one key, it is good for as
    /// long as all of them say: so a root ends a key by certifying it again, with an end.
    ///
    /// # Errors
    /// Those of [`Certificate::read`], and [`StatementError::Key`] where the root is not trusted or was not
    /// yet when it certified.
    pub fn certify(&mut self, bytes: &[u8]) -> Result<Certificate, StatementError> {
        let certificate = Certificate::read(bytes)?;
        let organization = certificate.subject.clone();
        let found = certificate.root.fingerprint();
        let roots = self
            .roots
            .get(&organization)
            .ok_or_else(|| KeyringError::UntrustedOrganization(organization.clone()))?;
        let is_trusted = roots
            .get(&found)
            .is_some_and(|from| *from <= certificate.not_before);
        if !is_trusted {
            return Err(KeyringError::UntrustedRoot {
                organization,
                found,
            }
            .into());
        }
        let is_signing = certificate.purpose.signs();
        let verifier = is_signing.then(|| certificate.key.verifier()).flatten();
        let key = (organization, certificate.key.fingerprint());
        let mut narrowest = certificate.clone();
        if let Some(Certified {
            certificate: other, ..
        }) = self.certified.get(&key)
        {
            if other.purpose != certificate.purpose {
                return Err(StatementError::Rule(
                    "one key is certified for two purposes",
                ));
            }
            narrowest.narrow(other);
        }
        let certified = Certified {
            certificate: narrowest,
            verifier,
        };
        self.certified.insert(key, certified);
        Ok(certificate)
    }

    /// A key that another keyring holds too, and for another purpose: no key is for two.
    #[must_use]
    pub fn conflict_with<'a>(
        &'a self,
        other: &Self,
    ) -> Option<(&'a OrganizationId, &'a Fingerprint)> {
        let differs = |(key, certified): &(&(OrganizationId, Fingerprint), &Certified)| {
            let known = other.certified.get(*key);
            known.is_some_and(|known| known.certificate.purpose != certified.certificate.purpose)
        };
        let (key, _) = self.certified.iter().find(differs)?;
        Some((&key.0, &key.1))
    }

    /// Takes over whom another keyring trusts and what it holds. A key that both hold is good for as long as both say.
    pub fn extend(&mut self, other: Self) {
        for (organization, roots) in other.roots {
            for (root, from) in roots {
                self.trust(organization.clone(), root, from);
            }
        }
        for (key, mut certified) in other.certified {
            if let Some(known) = self.certified.get(&key) {
                certified.certificate.narrow(&known.certificate);
            }
            self.certified.insert(key, certified);
        }
    }

    /// The same keys, each for as long as another keyring says too where it holds it; `None` where that changes nothing.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Option<Self> {
        let mut narrowed = None;
        for (key, certified) in &self.certified {
            let mut certificate = certified.certificate.clone();
            if let Some(known) = other.certified.get(key) {
                certificate.narrow(&known.certificate);
            }
            if certificate != certified.certificate {
                let narrowed = narrowed.get_or_insert_with(|| self.clone());
                let certified = Certified {
                    certificate,
                    ..certified.clone()
                };
                narrowed.certified.insert(key.clone(), certified);
            }
        }
        narrowed
    }

    /// The key of this fingerprint, if certified for the purpose and good at the instant: of this node's own
    /// statements that of the entry, of others' the one they were issued at.
    ///
    /// # Errors
    /// Any [`KeyringError`].
    pub fn find(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
        at: Time,
    ) -> Result<PublicKey, KeyringError> {
        self.certified(organization, key, purpose, at)
            .map(|certified| certified.certificate.key)
    }

    /// Whether a certified key of an organization is good at some instant of a span.
    #[must_use]
    pub fn was_good(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        within: &RangeInclusive<Time>,
    ) -> bool {
        let key = (organization.clone(), *key);
        self.certified.get(&key).is_some_and(|certified| {
            let certificate = &certified.certificate;
            let is_over = certificate
                .not_after
                .is_some_and(|end| end <= *within.start());
            certificate.not_before <= *within.end() && !is_over
        })
    }

    /// From when a certified key of an organization is good, and up to when, where it ends.
    #[must_use]
    pub fn span(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
    ) -> Option<(Time, Option<Time>)> {
        let certified = self.certified.get(&(organization.clone(), *key))?;
        let certificate = &certified.certificate;
        Some((certificate.not_before, certificate.not_after))
    }

    /// The key of this fingerprint as [`Keyring::find`] gives it, made ready.
    pub(crate) fn verifier(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
        at: Time,
    ) -> Result<&Verifier, KeyringError> {
        let certified = self.certified(organization, key, purpose, at)?;
        let verifier = certified.verifier.as_ref();
        verifier.ok_or_else(|| KeyringError::Purpose {
            organization: organization.clone(),
            key: *key,
        })
    }

    fn certified(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        purpose: KeyPurpose,
        at: Time,
    ) -> Result<&Certified, KeyringError> {
        if !self.trusts(organization) {
            return Err(KeyringError::UntrustedOrganization(organization.clone()));
        }
        let certified = self
            .certified
            .get(&(organization.clone(), *key))
            .ok_or_else(|| KeyringError::Uncertified {
                organization: organization.clone(),
                key: *key,
            })?;
        let certificate = &certified.certificate;
        if certificate.purpose != purpose {
            return Err(KeyringError::Purpose {
                organization: organization.clone(),
                key: *key,
            });
        }
        if !certificate.is_good_at(at) {
            return Err(KeyringError::Instant {
                organization: organization.clone(),
                key: *key,
                at,
                from: certificate.not_before,
                until: certificate.not_after,
            });
        }
        Ok(certified)
    }

    /// All certified keys of an organization for a purpose, whenever they are good.
    pub fn keys_for<'a>(
        &'a self,
        organization: &'a OrganizationId,
        purpose: KeyPurpose,
    ) -> impl Iterator<Item = PublicKey> + 'a {
        self.certified
            .iter()
            .filter(move |((owner, _), certified)| {
                owner == organization && certified.certificate.purpose == purpose
            })
            .map(|(_, certified)| certified.certificate.key)
    }
}
