//! Judges a recorded decision again from the recorded bytes, and compares everything.

use crate::asking::Asking;
use crate::class::{class_key, is_one_class};
use crate::effort::effort;
use crate::judge::judge;
use crate::kept::Kept;
use crate::layers::{Layers, Standing};
use crate::profile::{Profile, ProfileError};
use crate::recorded::recordable;
use crate::schema::{SchemaVersion, engine};
use crate::shipped::{shipped, shipped_with};
use crate::taxonomy::{Taxonomies, TaxonomyError};
use ambit_ledger::{
    Decision, Digest, Inquiry, Layer, LayerProfile, LayerVerdict, Name, PurposeVerdict, Time,
    Unsalted, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How many bytes of text the profiles have that are kept ready: a compiled one takes some thirty times its text.
const PROFILE_TEXTS_BYTES_MAX: usize = 1024 * 1024;

/// How many bytes of text the taxonomies have that are kept ready. Those of the program have 40 KiB.
const TAXONOMIES_TEXTS_BYTES_MAX: usize = 1024 * 1024;

/// How many bytes layers take that are kept, beside their profiles.
const LAYERS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Replays decisions, and compiles what they share only once. What it keeps is bounded: what was not asked for longest is
/// compiled again.
#[derive(Debug)]
pub struct Replayer {
    taxonomies: Kept<Digest, Taxonomies>,
    profiles: Kept<(Digest, LayerProfile), Parsed>,
    layers: Kept<LayersKey, Layers>,
    schemas: BTreeMap<Digest, &'static SchemaVersion>,
    /// The texts so far that came with no version of the program.
    foreign: BTreeSet<Digest>,
    foreign_bytes: u64,
}

/// Names layers: schema, taxonomies and profiles.
type LayersKey = (Digest, Digest, Vec<LayerProfile>);

/// A text, and what it is as a profile.
#[derive(Clone, Debug)]
struct Parsed {
    text: Arc<str>,
    profile: Result<Profile, ProfileError>,
}

impl Default for Replayer {
    fn default() -> Self {
        Self {
            taxonomies: Kept::within(TAXONOMIES_TEXTS_BYTES_MAX),
            profiles: Kept::within(PROFILE_TEXTS_BYTES_MAX),
            layers: Kept::within(LAYERS_BYTES_MAX),
            schemas: BTreeMap::new(),
            foreign: BTreeSet::new(),
            foreign_bytes: 0,
        }
    }
}

/// Why a decision does not replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Evidence is incomplete.
    #[error("blob {0} is missing")]
    MissingBlob(Digest),
    /// A blob's bytes are not what its digest names.
    #[error("the bytes given for blob {stated} have the digest {found}")]
    BlobDigest {
        /// The digest asked for.
        stated: Digest,
        /// The digest of what was given.
        found: Digest,
    },
    /// Judged by an engine this program does not have.
    #[error(
        "judged by `{recorded}`, and this program has `{available}`: replay with a version that has it"
    )]
    Engine {
        /// The engine named by the decision.
        recorded: Name,
        /// The engine here.
        available: Name,
    },
    /// Judged under a schema this program does not have.
    #[error(
        "judged under schema {0}, which this program does not have: replay with a version that has it"
    )]
    Schema(Digest),
    /// A blob that is no set of taxonomies.
    #[error("failed to read the taxonomies {0}")]
    Taxonomies(Digest, #[source] TaxonomyError),
    /// A blob that is no text.
    #[error("blob {0} is not UTF-8")]
    Text(Digest),
    /// Profiles in an order of their own, or two of one layer.
    #[error("the decision's profiles are not ascending by layer, one for each")]
    ProfileOrder,
    /// The class key is not that of the inquiry.
    #[error("the class key is {recorded}, and the inquiry's is {replayed}")]
    ClassKey {
        /// In the decision.
        recorded: Digest,
        /// Worked out again.
        replayed: Digest,
    },
    /// The slice is not the one that follows from the inquiry.
    #[error("the slice is {recorded}, and the inquiry's is {replayed}")]
    Slice {
        /// In the decision.
        recorded: Digest,
        /// Worked out again.
        replayed: Digest,
    },
    /// The interval in which the answer stays true is another.
    #[error("the answer is said to be true from {} to {}, and is from {} to {}",
        .recorded.0, end(*.recorded), .replayed.0, end(*.replayed))]
    Interval {
        /// In the decision: from, and up to but without.
        recorded: (Time, Option<Time>),
        /// Worked out again.
        replayed: (Time, Option<Time>),
    },
    /// The answer is another.
    #[error("the answer differs{}", difference(recorded.as_deref(), replayed.as_deref()))]
    Verdict {
        /// In the decision, for one purpose; absent where it has none.
        recorded: Option<Box<PurposeVerdict>>,
        /// Judged again.
        replayed: Option<Box<PurposeVerdict>>,
    },
}

fn end(interval: (Time, Option<Time>)) -> String {
    interval
        .1
        .map_or_else(|| "for ever".to_owned(), |until| until.to_string())
}

fn difference(recorded: Option<&PurposeVerdict>, replayed: Option<&PurposeVerdict>) -> String {
    let said = |verdict: Option<&PurposeVerdict>| {
        verdict.map_or_else(
            || "nothing".to_owned(),
            |verdict| verdict.verdict.to_string(),
        )
    };
    let purpose = recorded
        .or(replayed)
        .map(|verdict| format!(" for `{}`", verdict.purpose));
    let purpose = purpose.unwrap_or_default();
    let (recorded, replayed) = (said(recorded), said(replayed));
    if recorded == replayed {
        format!("{purpose}: {recorded} as recorded, but for other reasons")
    } else {
        format!("{purpose}: recorded {recorded}, replayed {replayed}")
    }
}

impl Replayer {
    /// A replayer that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges a decision again. `lookup` gives the bytes of a blob by digest.
    ///
    /// # Errors
    /// Any [`ReplayError`]: the first thing that is missing or differs.
    pub fn replay(
        &mut self,
        decision: &Decision,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<(), ReplayError> {
        let layers = self.layers(decision, &lookup)?;
        let judged = judge(&layers, &decision.inquiry, decision.now).decision;
        compare(decision, &recordable(judged))
    }

    /// How long judging it again may take on one core at most. It is told from lengths alone: nothing is judged.
    ///
    /// # Errors
    /// A blob that is missing or unreadable, or another engine or schema.
    pub fn effort(
        &mut self,
        decision: &Decision,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Duration, ReplayError> {
        let layers = self.layers(decision, &lookup)?;
        let slice = layers.slice(Asking::Transfer(&decision.inquiry), decision.now);
        Ok(effort(&layers, &decision.inquiry, &slice.to_bytes()))
    }

    /// The class of a decision's own inquiry, which the decision must name.
    ///
    /// # Errors
    /// A blob that is missing or unreadable, or another engine or schema.
    pub fn class_key(
        &mut self,
        decision: &Decision,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Digest, ReplayError> {
        let layers = self.layers(decision, &lookup)?;
        Ok(class_key(&layers, &decision.inquiry))
    }

    /// Whether another inquiry is of the class of a decision's own under its layers, so that the decision stands for it.
    ///
    /// # Errors
    /// A blob that is missing or unreadable, or another engine or schema.
    pub fn is_of_class(
        &mut self,
        decision: &Decision,
        inquiry: &Inquiry,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<bool, ReplayError> {
        let layers = self.layers(decision, &lookup)?;
        Ok(is_one_class(&layers, inquiry, &decision.inquiry))
    }

    /// The layers in which an operator's own profile admits, for some purpose, what the shipped one does not: the
    /// decision's inquiry is judged with the one and with the other.
    ///
    /// # Errors
    /// A blob that is missing or unreadable, or another engine or schema.
    pub fn wider_than_shipped(
        &mut self,
        decision: &Decision,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<BTreeSet<Layer>, ReplayError> {
        let own = self.layers(decision, &lookup)?;
        let as_shipped: Vec<LayerProfile> = decision
            .profiles
            .iter()
            .map(|named| match shipped(named.layer) {
                Some(profile) if shipped_with(named.layer, &named.profile).is_none() => {
                    LayerProfile {
                        layer: named.layer,
                        profile: profile.digest(),
                    }
                }
                Some(_) | None => *named,
            })
            .collect();
        let of_program = |digest: &Digest| {
            let profiles = Layer::ALL.into_iter().filter_map(shipped);
            let mut profiles = profiles.filter(|profile| profile.digest() == *digest);
            profiles.next().map(|profile| profile.text().into())
        };
        let lookup = |digest: &Digest| of_program(digest).or_else(|| lookup(digest));
        let as_shipped = self.layers_of(decision, &as_shipped, &lookup)?;
        let admitted = |layers: &Layers| -> BTreeSet<(usize, Layer)> {
            let judged = judge(layers, &decision.inquiry, decision.now).decision;
            let verdicts = judged.verdicts.iter().enumerate();
            verdicts
                .flat_map(|(index, purpose)| {
                    let admits = |layer: &&LayerVerdict| layer.verdict == Verdict::Admissible;
                    let admitting = purpose.layers.iter().filter(admits);
                    admitting.map(move |verdict| (index, verdict.layer))
                })
                .collect()
        };
        let wider = admitted(&own);
        Ok(wider
            .difference(&admitted(&as_shipped))
            .map(|(_, layer)| *layer)
            .collect())
    }

    fn layers(
        &mut self,
        decision: &Decision,
        lookup: &impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Layers, ReplayError> {
        if decision.engine != engine() {
            return Err(ReplayError::Engine {
                recorded: decision.engine.clone(),
                available: engine(),
            });
        }
        self.layers_of(decision, &decision.profiles, lookup)
    }

    /// A decision's layers, with these profiles.
    fn layers_of(
        &mut self,
        decision: &Decision,
        profiles: &[LayerProfile],
        lookup: &impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Layers, ReplayError> {
        let version = self.schema(decision.schema, lookup)?;
        let key = (decision.schema, decision.taxonomies, profiles.to_vec());
        if let Some(layers) = self.layers.get(&key) {
            return Ok(layers.clone());
        }
        if !profiles.is_sorted_by(|one, next| one.layer < next.layer) {
            return Err(ReplayError::ProfileOrder);
        }
        let taxonomies = self.taxonomies(decision.taxonomies, lookup)?;
        let mut standing = BTreeMap::new();
        for named in profiles {
            let Parsed { text, profile } = self.parsed(version, *named, lookup)?;
            // A text that does not compile left the decision undecided, and does so again.
            let stands = Standing::of_parsed(&taxonomies, named.layer, &text, profile);
            standing.insert(named.layer, stands);
        }
        let layers = Layers::assemble(version, taxonomies, standing);
        let bytes = layers.own_bytes();
        self.layers.keep(key, layers.clone(), bytes);
        Ok(layers)
    }

    /// A text, parsed as the profile of a layer.
    fn parsed(
        &mut self,
        version: &'static SchemaVersion,
        named: LayerProfile,
        lookup: &impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Parsed, ReplayError> {
        let key = (version.digest(), named);
        if let Some(parsed) = self.profiles.get(&key) {
            return Ok(parsed.clone());
        }
        let text = text_of(named.profile, lookup)?;
        if shipped_with(named.layer, &named.profile).is_none() {
            self.note_foreign(named.profile, text.len());
        }
        let bytes = text.len();
        let profile = Profile::parse_under(version, named.layer, &text);
        let text = text.into();
        let parsed = Parsed { text, profile };
        for (_, gone) in self.profiles.keep(key, parsed.clone(), bytes) {
            // Layers would hold it all the same.
            self.layers
                .retain(|(_, _, profiles)| !profiles.contains(&gone));
        }
        Ok(parsed)
    }

    /// Notes a text that came with no version of the program, and that is compiled.
    pub fn note_foreign(&mut self, text: Digest, bytes: usize) {
        if self.foreign.insert(text) {
            self.foreign_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        }
    }

    /// The bytes of the texts so far that came with no version of the program, each counted once.
    #[must_use]
    pub fn foreign_bytes(&self) -> u64 {
        self.foreign_bytes
    }

    fn schema(
        &mut self,
        digest: Digest,
        lookup: &impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<&'static SchemaVersion, ReplayError> {
        if let Some(version) = self.schemas.get(&digest) {
            return Ok(version);
        }
        let text = text_of(digest, lookup)?;
        let version = SchemaVersion::of(&digest)
            .filter(|version| version.text() == text)
            .ok_or(ReplayError::Schema(digest))?;
        self.schemas.insert(digest, version);
        Ok(version)
    }

    /// The taxonomies of this digest.
    ///
    /// # Errors
    /// A blob that is missing, or holds no taxonomies of this digest.
    pub fn taxonomies(
        &mut self,
        digest: Digest,
        lookup: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Taxonomies, ReplayError> {
        if let Some(taxonomies) = self.taxonomies.get(&digest) {
            return Ok(taxonomies.clone());
        }
        let text = text_of(digest, &lookup)?;
        let taxonomies =
            Taxonomies::from_json(&text).map_err(|error| ReplayError::Taxonomies(digest, error))?;
        // Another text of the same taxonomies has a digest of its own, which no decision can name.
        if taxonomies.digest() != digest {
            return Err(ReplayError::BlobDigest {
                stated: digest,
                found: taxonomies.digest(),
            });
        }
        for gone in self.taxonomies.keep(digest, taxonomies.clone(), text.len()) {
            self.layers.retain(|(_, named, _)| *named != gone);
        }
        Ok(taxonomies)
    }
}

fn text_of(
    digest: Digest,
    lookup: &impl Fn(&Digest) -> Option<Vec<u8>>,
) -> Result<String, ReplayError> {
    let bytes = lookup(&digest).ok_or(ReplayError::MissingBlob(digest))?;
    let found = Digest::of(&bytes);
    if found != digest {
        return Err(ReplayError::BlobDigest {
            stated: digest,
            found,
        });
    }
    String::from_utf8(bytes).map_err(|_| ReplayError::Text(digest))
}

fn compare(recorded: &Decision, replayed: &Unsalted) -> Result<(), ReplayError> {
    if recorded.class_key != replayed.class_key {
        return Err(ReplayError::ClassKey {
            recorded: recorded.class_key,
            replayed: replayed.class_key,
        });
    }
    if recorded.slice != replayed.slice {
        return Err(ReplayError::Slice {
            recorded: recorded.slice,
            replayed: replayed.slice,
        });
    }
    let was = (recorded.true_from, recorded.true_until);
    let is = (replayed.true_from, replayed.true_until);
    if was != is {
        return Err(ReplayError::Interval {
            recorded: was,
            replayed: is,
        });
    }
    let count = recorded.verdicts.len().max(replayed.verdicts.len());
    for index in 0..count {
        let (was, is) = (recorded.verdicts.get(index), replayed.verdicts.get(index));
        if was != is {
            return Err(ReplayError::Verdict {
                recorded: was.cloned().map(Box::new),
                replayed: is.cloned().map(Box::new),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::default_profile;
    use crate::recorded::recordable;
    use ambit_ledger::Salt;

    /// The base case, judged by a text of the owner's own.
    fn decided(owner: &str) -> (Decision, BTreeMap<Digest, Vec<u8>>) {
        let layers = Layers::builtin().with_text(Layer::Owner, owner);
        let (inquiry, now) = crate::cases::base();
        let decision = recordable(judge(&layers, &inquiry, now).decision);
        let blobs = layers.blobs().into_iter();
        let blobs = blobs.map(|(digest, bytes)| (digest, bytes.to_vec()));
        (decision.salted(Salt::from_bytes([0; 32])), blobs.collect())
    }

    #[test]
    fn what_is_kept_of_ever_other_texts_stays_within_bounds() {
        let shipped = default_profile(Layer::Owner).unwrap();
        let padding = format!("// {}\n", "x".repeat(60_000 - shipped.len()));
        let mut replayer = Replayer::new();
        for number in 0..40_u64 {
            let text = format!("{shipped}{padding}// {number}\n");
            let (decision, blobs) = decided(&text);
            let lookup = |digest: &Digest| blobs.get(digest).cloned();
            replayer.replay(&decision, lookup).unwrap();
            assert!(
                replayer
                    .wider_than_shipped(&decision, lookup)
                    .unwrap()
                    .is_empty()
            );
            assert!(replayer.profiles.bytes() <= PROFILE_TEXTS_BYTES_MAX);
            assert!(replayer.layers.bytes() <= LAYERS_BYTES_MAX);
            assert!(replayer.foreign_bytes() >= (number + 1) * 60_000);
        }
        // Each counts once, and what had to go judges again.
        let foreign_bytes = replayer.foreign_bytes();
        let (decision, blobs) = decided(&format!("{shipped}{padding}// 0\n"));
        let lookup = |digest: &Digest| blobs.get(digest).cloned();
        replayer.replay(&decision, lookup).unwrap();
        assert_eq!(replayer.foreign_bytes(), foreign_bytes);
    }

    #[test]
    fn long_texts_and_many_purposes_take_longer() {
        let asks = "forbid (principal, action in Ambit::Action::\"transfer\", resource is Ambit::Observation) \
                    when { resource has serial && resource.serial like \"*b\" };";
        let shipped = default_profile(Layer::Owner).unwrap();
        let (decision, blobs) = decided(&format!("{shipped}@id(\"asks\")\n{asks}\n"));
        let lookup = |digest: &Digest| blobs.get(digest).cloned();
        let mut replayer = Replayer::new();
        let usual = replayer.effort(&decision, lookup).unwrap();
        let mut long = decision.clone();
        long.inquiry.footprint.serial = Some("a".repeat(2_000).parse().unwrap());
        assert!(replayer.effort(&long, lookup).unwrap() > usual * 3);
        let mut many = decision;
        let purpose = many.inquiry.scope.purposes.first().unwrap().clone();
        for number in 0..9 {
            let purpose = format!("{purpose}{number}").parse().unwrap();
            many.inquiry.scope.purposes.insert(purpose);
        }
        assert!(replayer.effort(&many, lookup).unwrap() > usual * 8);
        assert!(usual < Duration::from_secs(1), "{usual:?}");
    }
}
