//! What came with the program: the texts of layers and the taxonomies that nobody wrote for a node of their own.

use crate::profile::{Profile, default_profile};
use crate::taxonomy::Taxonomies;
use ambit_ledger::{Digest, Layer};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The version of the program that this text of a layer came with; `None` where it came with none known here, so that
/// an operator wrote it.
#[must_use]
pub fn shipped_with(layer: Layer, profile: &Digest) -> Option<&'static str> {
    static DIGESTS: LazyLock<BTreeMap<Layer, Digest>> = LazyLock::new(|| {
        let digest = |layer| Some((layer, Digest::of(default_profile(layer)?.as_bytes())));
        Layer::ALL.into_iter().filter_map(digest).collect()
    });
    (DIGESTS.get(&layer)? == profile).then_some(env!("CARGO_PKG_VERSION"))
}

/// The version of the program that these taxonomies came with.
#[must_use]
pub fn taxonomies_shipped_with(taxonomies: &Digest) -> Option<&'static str> {
    (Taxonomies::builtin().digest() == *taxonomies).then_some(env!("CARGO_PKG_VERSION"))
}

/// The profile that comes with the program for a layer; `None` for the partnership layer, which is rendered.
#[must_use]
pub fn shipped(layer: Layer) -> Option<Profile> {
    static PROFILES: LazyLock<BTreeMap<Layer, Profile>> = LazyLock::new(|| {
        let profile = |layer| Some((layer, Profile::parse(layer, default_profile(layer)?).ok()?));
        Layer::ALL.into_iter().filter_map(profile).collect()
    });
    PROFILES.get(&layer).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_known_and_one_byte_more_is_not() {
        for layer in Layer::ALL {
            let Some(text) = default_profile(layer) else {
                assert!(shipped(layer).is_none());
                continue;
            };
            let of = |text: &str| shipped_with(layer, &Digest::of(text.as_bytes()));
            assert_eq!(of(text), Some(env!("CARGO_PKG_VERSION")));
            assert_eq!(of(&format!("{text}\n")), None);
            assert!(shipped(layer).is_some());
        }
        let builtin = Taxonomies::builtin().digest();
        assert!(taxonomies_shipped_with(&builtin).is_some());
        assert!(taxonomies_shipped_with(&Digest::of(b"others")).is_none());
    }
}
