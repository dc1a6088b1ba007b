//! All keys that a ledger names, as an audit of it goes by them: an organization that ends a key in the card of one agreement,
//! or in one that was pinned, has ended it for all.

use super::edition::Partnership;
use super::governance::Governance;
use ambit_ledger::{Fingerprint, OrganizationId, Time};
use std::ops::RangeInclusive;

impl Governance {
    /// Whether a key is good at some instant of a span, by all that names it here.
    #[must_use]
    pub fn was_good(
        &self,
        organization: &OrganizationId,
        key: &Fingerprint,
        within: &RangeInclusive<Time>,
    ) -> bool {
        let every_key = self.every_key.get_or_init(|| {
            let mut every_key = self.keyring().clone();
            let agreements = self.partnerships().map(Partnership::keyring);
            for keyring in agreements.chain(self.attestations().keyrings()) {
                every_key.extend(keyring.clone());
            }
            every_key
        });
        every_key.was_good(organization, key, within)
    }
}
