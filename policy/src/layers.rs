//! The layers of a node: one profile each, with the taxonomies, ready to judge.
//!
//! Layers are never merged into one policy set: a partner's `permit` would discharge a default deny of ours.

use crate::asking::Asking;
use crate::profile::{Profile, ProfileError, default_profile};
use crate::schema::{SchemaVersion, engine};
use crate::slice::Slice;
use crate::taxonomy::Taxonomies;
use ambit_ledger::{Digest, Layer, LayerProfile, Time, encode};
use cedar_policy::Schema;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that judges but the inquiry and the clock. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Layers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    version: &'static SchemaVersion,
    taxonomies: Taxonomies,
    standing: BTreeMap<Layer, Standing>,
    instants: Vec<i64>,
    attributes: BTreeSet<String>,
    tags: BTreeSet<String>,
    digests: Vec<LayerProfile>,
    digest: Digest,
}

/// A layer as it stands in force.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It judges.
    Compiled(Profile),
    /// It leaves everything undecided.
    Broken(BrokenLayer),
}

/// A layer in force whose text does not compile: whatever is asked, it is undecided until the text is replaced.
#[derive(Clone, Debug)]
pub struct BrokenLayer(Arc<Broken>);

#[derive(Debug)]
struct Broken {
    layer: Layer,
    text: String,
    digest: Digest,
    error: ProfileError,
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
    /// A profile that does not go with the taxonomies.
    #[error("layer `{0}`, {1}")]
    Profile(Layer, ProfileError),
}

impl BrokenLayer {
    /// The layer.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.0.layer
    }

    /// The text that does not compile.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Why it does not compile, and how to mend it.
    #[must_use]
    pub fn error(&self) -> &ProfileError {
        &self.0.error
    }
}

impl Standing {
    /// Compiles a text against a schema and taxonomies; never fails.
    fn of(
        version: &'static SchemaVersion,
        taxonomies: &Taxonomies,
        layer: Layer,
        text: &str,
    ) -> Self {
        let parsed = Profile::parse_under(version, layer, text);
        Self::of_parsed(taxonomies, layer, text, parsed)
    }

    /// The same of a text that was parsed before.
    pub(crate) fn of_parsed(
        taxonomies: &Taxonomies,
        layer: Layer,
        text: &str,
        parsed: Result<Profile, ProfileError>,
    ) -> Self {
        let error = match parsed {
            Ok(profile) => match profile.check_names(taxonomies) {
                Ok(()) => return Self::Compiled(profile),
                Err(error) => error,
            },
            Err(error) => error,
        };
        Self::Broken(BrokenLayer(Arc::new(Broken {
            layer,
            text: text.to_owned(),
            digest: Digest::of(text.as_bytes()),
            error,
        })))
    }

    fn compiled(&self) -> Option<&Profile> {
        match self {
            Self::Compiled(profile) => Some(profile),
            Self::Broken(_) => None,
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Compiled(profile) => profile.digest(),
            Self::Broken(broken) => broken.digest(),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Compiled(profile) => profile.text(),
            Self::Broken(broken) => broken.text(),
        }
    }
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
        let mut standing = BTreeMap::new();
        for profile in profiles {
            let layer = profile.layer();
            check_names(&taxonomies, &profile)?;
            if standing
                .insert(layer, Standing::Compiled(profile))
                .is_some()
            {
                return Err(LayersError::DuplicateLayer(layer));
            }
        }
        Ok(Self::assemble(
            SchemaVersion::newest(),
            taxonomies,
            standing,
        ))
    }

    /// Puts layers together from their texts, whatever these hold: a layer that does not compile leaves undecided
    /// whatever is asked. For what is in force already; before that, [`check_profile`](crate::check_profile).
    #[must_use]
    pub fn of_texts<'a>(
        taxonomies: Taxonomies,
        texts: impl IntoIterator<Item = (Layer, &'a str)>,
    ) -> Self {
        Self::of_texts_under(SchemaVersion::newest(), taxonomies, texts)
    }

    fn of_texts_under<'a>(
        version: &'static SchemaVersion,
        taxonomies: Taxonomies,
        texts: impl IntoIterator<Item = (Layer, &'a str)>,
    ) -> Self {
        let standing = texts
            .into_iter()
            .map(|(layer, text)| (layer, Standing::of(version, &taxonomies, layer, text)))
            .collect();
        Self::assemble(version, taxonomies, standing)
    }

    /// The taxonomies and the five profiles that come with the program, without a partnership layer.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: std::sync::LazyLock<Layers> = std::sync::LazyLock::new(|| {
            let text = |layer| default_profile(layer).map(|text| (layer, text));
            let texts = Layer::ALL.into_iter().filter_map(text);
            Layers::of_texts(Taxonomies::builtin(), texts)
        });
        BUILTIN.clone()
    }

    /// These layers with `profile` in the place of its layer's.
    ///
    /// # Errors
    /// A policy that names what is in no taxonomy.
    pub fn with_profile(&self, profile: Profile) -> Result<Self, LayersError> {
        check_names(self.taxonomies(), &profile)?;
        let mut standing = self.0.standing.clone();
        standing.insert(profile.layer(), Standing::Compiled(profile));
        Ok(self.with_standing(standing))
    }

    /// These layers with a text in the place of a layer's, as [`Layers::of_texts`] takes it.
    #[must_use]
    pub fn with_text(&self, layer: Layer, text: &str) -> Self {
        let mut standing = self.0.standing.clone();
        let new = Standing::of(self.0.version, self.taxonomies(), layer, text);
        standing.insert(layer, new);
        self.with_standing(standing)
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

    fn with_standing(&self, standing: BTreeMap<Layer, Standing>) -> Self {
        Self::assemble(self.0.version, self.taxonomies().clone(), standing)
    }

    pub(crate) fn assemble(
        version: &'static SchemaVersion,
        taxonomies: Taxonomies,
        standing: BTreeMap<Layer, Standing>,
    ) -> Self {
        let compiled = || standing.values().filter_map(Standing::compiled);
        let instants: BTreeSet<i64> = compiled().flat_map(Profile::instants).copied().collect();
        let names = || compiled().map(Profile::names);
        let attributes = names()
            .flat_map(|names| &names.attributes)
            .cloned()
            .collect();
        let tags = names().flat_map(|names| &names.tags).cloned().collect();
        let digests: Vec<LayerProfile> = standing
            .iter()
            .map(|(layer, standing)| LayerProfile {
                layer: *layer,
                profile: standing.digest(),
            })
            .collect();
        let judging = (engine(), version.digest(), taxonomies.digest(), &digests);
        let digest = Digest::of_parts(&[LAYERS_DOMAIN, &encode(&judging)]);
        Self(Arc::new(Inner {
            version,
            taxonomies,
            standing,
            instants: instants.into_iter().collect(),
            attributes,
            tags,
            digests,
            digest,
        }))
    }

    /// The taxonomies.
    #[must_use]
    pub fn taxonomies(&self) -> &Taxonomies {
        &self.0.taxonomies
    }

    /// The profiles that judge, ascending by layer.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.0.standing.values().filter_map(Standing::compiled)
    }

    /// The layers that do not compile, ascending: a person is to be told of each.
    pub fn broken(&self) -> impl Iterator<Item = &BrokenLayer> {
        self.0
            .standing
            .values()
            .filter_map(|standing| match standing {
                Standing::Compiled(_) => None,
                Standing::Broken(broken) => Some(broken),
            })
    }

    /// The bytes of all texts.
    pub(crate) fn text_bytes(&self) -> usize {
        let standing = self.0.standing.values();
        standing.map(|standing| standing.text().len()).sum()
    }

    /// About how many bytes of memory these layers take beside their profiles and taxonomies.
    pub(crate) fn own_bytes(&self) -> usize {
        const BESIDE: usize = 2 * 1024;
        let names = self.0.attributes.iter().chain(&self.0.tags);
        BESIDE + names.map(|name| name.len() + 48).sum::<usize>()
    }

    /// The digest of each profile, ascending by layer.
    #[must_use]
    pub fn profile_digests(&self) -> &[LayerProfile] {
        &self.0.digests
    }

    /// Every layer as it stands, ascending.
    pub(crate) fn standing(&self) -> impl Iterator<Item = (Layer, &Standing)> {
        let standing = self.0.standing.iter();
        standing.map(|(layer, standing)| (*layer, standing))
    }

    /// Names everything that judges: engine, schema, taxonomies and profiles.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    pub(crate) fn schema(&self) -> &'static Schema {
        self.0.version.schema()
    }

    pub(crate) fn schema_digest(&self) -> Digest {
        self.0.version.digest()
    }

    /// What Cedar is shown of a question under these layers.
    pub(crate) fn slice<'a>(&'a self, asking: Asking<'a>, now: Time) -> Slice<'a> {
        (self.0.version.slice)(self, asking, now)
    }

    /// What an auditor needs to put these layers together again: schema, taxonomies and profiles, by digest.
    #[must_use]
    pub fn blobs(&self) -> Vec<(Digest, &[u8])> {
        let fixed = [
            (self.schema_digest(), self.0.version.text().as_bytes()),
            (self.taxonomies().digest(), self.taxonomies().to_bytes()),
        ];
        let texts = self
            .0
            .standing
            .values()
            .map(|standing| (standing.digest(), standing.text().as_bytes()));
        fixed.into_iter().chain(texts).collect()
    }

    /// Whether a policy in force takes or asks for an attribute of this name. An entity's attribute is reached by
    /// its name alone, so what is not read cannot change an answer.
    pub(crate) fn reads(&self, attribute: &str) -> bool {
        self.0.attributes.contains(attribute)
    }

    /// What policies in force ask to be attested, by name, ascending.
    pub fn attestations_asked_for(&self) -> impl Iterator<Item = &str> {
        self.0.tags.iter().map(String::as_str)
    }

    /// All instants that policies name, in milliseconds since the epoch, ascending.
    pub(crate) fn instants(&self) -> &[i64] {
        &self.0.instants
    }
}

fn check_names(taxonomies: &Taxonomies, profile: &Profile) -> Result<(), LayersError> {
    profile
        .check_names(taxonomies)
        .map_err(|error| LayersError::Profile(profile.layer(), error))
}
