//! The layers of a node: one profile each, with the taxonomies, ready to judge.
//!
//! Layers are never merged into one policy set: a partner's `permit` would discharge a default deny of ours.

use crate::profile::{Profile, default_profile};
use crate::schema::{engine, schema_digest, schema_text};
use crate::taxonomy::{Taxonomies, TaxonomyKind, UnknownName};
use ambit_ledger::{Digest, Layer, LayerProfile, encode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that judges but the inquiry and the clock. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Layers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    taxonomies: Taxonomies,
    profiles: BTreeMap<Layer, Profile>,
    instants: Vec<i64>,
    attributes: BTreeSet<String>,
    digests: Vec<LayerProfile>,
    digest: Digest,
}

const LAYERS_DOMAIN: &[u8] = b"ambit layers 1\n";

/// Why profiles do not make layers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayersError {
    /// Two profiles of one layer.
    #[error("two profiles are given for the layer `{0}`: join them into one")]
    DuplicateLayer(Layer),
    /// A profile of another layer where a partnership's belongs.
    #[error("a profile of the layer `{0}` was given for a partnership")]
    NotPartnership(Layer),
    /// A policy names what is in no taxonomy, so that its `in` would silently be false.
    #[error("layer `{layer}`, policy `{policy}`: {unknown}")]
    UnknownName {
        /// The layer.
        layer: Layer,
        /// The policy's id.
        policy: String,
        /// The name.
        unknown: UnknownName,
    },
}

impl Layers {
    /// Puts layers together.
    ///
    /// # Errors
    /// Two profiles of one layer, or a policy that names what is in no taxonomy.
    pub fn new(
        taxonomies: Taxonomies,
        profiles: impl IntoIterator<Item = Profile>,
    ) -> Result<Self, LayersError> {
        let mut by_layer = BTreeMap::new();
        for profile in profiles {
            check_names(&taxonomies, &profile)?;
            if let Some(earlier) = by_layer.insert(profile.layer(), profile) {
                return Err(LayersError::DuplicateLayer(earlier.layer()));
            }
        }
        Ok(Self::assemble(taxonomies, by_layer))
    }

    /// The taxonomies and the five profiles that come with the program, without a partnership layer.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: std::sync::LazyLock<Layers> = std::sync::LazyLock::new(|| {
            let parse = |layer| {
                default_profile(layer).map(|text| {
                    #[expect(
                        clippy::expect_used,
                        reason = "the profiles are embedded, and a test parses them"
                    )]
                    Profile::parse(layer, text).expect("the embedded profiles parse")
                })
            };
            #[expect(
                clippy::expect_used,
                reason = "the profiles are embedded, and a test puts them together"
            )]
            Layers::new(
                Taxonomies::builtin(),
                Layer::ALL.into_iter().filter_map(parse),
            )
            .expect("the embedded profiles make layers")
        });
        BUILTIN.clone()
    }

    /// These layers with `profile` in the place of its layer's.
    ///
    /// # Errors
    /// A policy that names what is in no taxonomy.
    pub fn with_profile(&self, profile: Profile) -> Result<Self, LayersError> {
        check_names(self.taxonomies(), &profile)?;
        let mut profiles = self.0.profiles.clone();
        profiles.insert(profile.layer(), profile);
        Ok(Self::assemble(self.taxonomies().clone(), profiles))
    }

    /// These layers for one partnership.
    ///
    /// # Errors
    /// A profile of another layer, which a partner must never replace, or a policy that names what is in
    /// no taxonomy.
    pub fn with_partnership(&self, profile: Profile) -> Result<Self, LayersError> {
        match profile.layer() {
            Layer::Partnership => self.with_profile(profile),
            other => Err(LayersError::NotPartnership(other)),
        }
    }

    fn assemble(taxonomies: Taxonomies, profiles: BTreeMap<Layer, Profile>) -> Self {
        let instants: BTreeSet<i64> = profiles
            .values()
            .flat_map(Profile::instants)
            .copied()
            .collect();
        let attributes = profiles
            .values()
            .flat_map(Profile::attributes)
            .cloned()
            .collect();
        let digests: Vec<LayerProfile> = profiles
            .values()
            .map(|profile| LayerProfile {
                layer: profile.layer(),
                profile: profile.digest(),
            })
            .collect();
        let judging = (engine(), schema_digest(), taxonomies.digest(), &digests);
        let digest = Digest::of_parts(&[LAYERS_DOMAIN, &encode(&judging)]);
        Self(Arc::new(Inner {
            taxonomies,
            profiles,
            instants: instants.into_iter().collect(),
            attributes,
            digests,
            digest,
        }))
    }

    /// The taxonomies.
    #[must_use]
    pub fn taxonomies(&self) -> &Taxonomies {
        &self.0.taxonomies
    }

    /// The profiles, ascending by layer.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.0.profiles.values()
    }

    /// The digest of each profile, ascending by layer.
    #[must_use]
    pub fn profile_digests(&self) -> &[LayerProfile] {
        &self.0.digests
    }

    /// Names everything that judges: engine, schema, taxonomies and profiles.
    pub(crate) fn digest(&self) -> Digest {
        self.0.digest
    }

    /// What an auditor needs to put these layers together again: schema, taxonomies and profiles, by digest.
    #[must_use]
    pub fn blobs(&self) -> Vec<(Digest, &[u8])> {
        let fixed = [
            (schema_digest(), schema_text().as_bytes()),
            (self.taxonomies().digest(), self.taxonomies().to_bytes()),
        ];
        let profiles = self
            .profiles()
            .map(|profile| (profile.digest(), profile.text().as_bytes()));
        fixed.into_iter().chain(profiles).collect()
    }

    /// Whether a policy in force takes or asks for an attribute of this name. An entity's attribute is reached by
    /// its name alone, so what is not read cannot change an answer.
    pub(crate) fn reads(&self, attribute: &str) -> bool {
        self.0.attributes.contains(attribute)
    }

    /// All instants that policies name, in milliseconds since the epoch, ascending.
    pub(crate) fn instants(&self) -> &[i64] {
        &self.0.instants
    }
}

fn check_names(taxonomies: &Taxonomies, profile: &Profile) -> Result<(), LayersError> {
    for policy in profile.policies().policies() {
        for literal in policy.entity_literals() {
            let entity_type = literal.type_name().to_string();
            let kind = TaxonomyKind::ALL
                .into_iter()
                .find(|kind| kind.entity_type().name() == entity_type);
            let checked = kind.map_or(Ok(()), |kind| {
                taxonomies.check(kind, literal.id().unescaped())
            });
            checked.map_err(|unknown| LayersError::UnknownName {
                layer: profile.layer(),
                policy: policy.id().to_string(),
                unknown,
            })?;
        }
    }
    Ok(())
}
