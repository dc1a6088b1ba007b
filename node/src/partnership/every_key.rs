//! All keys that a ledger names, as an audit of it goes by them: an organization that ends a key in the card of one agreement,
//! or in one that was pinned, has ended it for all.

use super::edition::Partnership;
use super::governance::Governance;
use ambit_ledger::{Keyring, PartnershipId};
use std::collections::BTreeMap;

impl Governance {
    /// The keys that count under an agreement: those of its members' cards, each for as long as all that names it here says.
    #[must_use]
    pub fn keyring_under<'a>(&'a self, partnership: &'a Partnership) -> &'a Keyring {
        let narrowed = self.narrowed.get_or_init(|| self.narrowed_keyrings());
        let narrowed = narrowed.get(&partnership.terms().partnership);
        narrowed.unwrap_or_else(|| partnership.keyring())
    }

    /// All of them.
    #[must_use]
    pub fn every_key(&self) -> Keyring {
        let mut every_key = self.keyring().clone();
        let agreements = self.partnerships().map(Partnership::keyring);
        for keyring in agreements.chain([self.attestations().keyring()]) {
            every_key.extend(keyring.clone());
        }
        every_key
    }

    fn narrowed_keyrings(&self) -> BTreeMap<PartnershipId, Keyring> {
        let every_key = self.every_key();
        let narrowed = self.partnerships().filter_map(|partnership| {
            let keyring = partnership.keyring().narrowed_by(&every_key)?;
            Some((partnership.terms().partnership.clone(), keyring))
        });
        narrowed.collect()
    }
}
