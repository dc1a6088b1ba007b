//! What is in force: layers, taxonomies, limits and editions, each from the entry that put it there to the one that
//! replaces it.

use super::Audit;
use super::fault::{At, Checks};
use crate::report::{Instant, Origin, RuleInForce, RuleKind, error_chain};
use crate::rule::Rule;
use ambit_ledger::{
    Agreement, Digest, Fingerprint, Layer, LayerProfile, Limits, OrganizationId, PartnershipId,
    PartnershipTerms, Party, ProfileActivated, TaxonomyActivated, Time,
};
use ambit_policy::{
    Taxonomies, check_profile, schema_digest, shipped_with, taxonomies_shipped_with,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What judges, as the entries so far say.
#[derive(Debug, Default)]
pub(super) struct InForce {
    taxonomies: Option<(Digest, Option<Taxonomies>)>,
    schema: Option<Digest>,
    profiles: BTreeMap<Layer, Digest>,
    limits: Rc<Vec<Limits>>,
    /// All editions whose terms are at hand.
    editions: BTreeMap<Digest, Rc<Edition>>,
    /// The edition in force, and since when.
    active: BTreeMap<PartnershipId, (Digest, Time)>,
    /// This organization's own signatures.
    signed: BTreeSet<Digest>,
    /// Who signed each edition.
    signers: BTreeMap<Digest, BTreeSet<OrganizationId>>,
    /// Editions that were in force once, or are.
    begun: BTreeSet<Digest>,
    /// Editions that a member declined, with the entry that says so.
    declined: BTreeMap<Digest, u64>,
    /// Of these, what the ledger's own organization declined itself.
    declined_here: BTreeSet<Digest>,
    /// Everything that ever judged, in the order in which it came into force.
    pub(super) rules: Vec<RuleInForce>,
    /// Of these, where those in force are.
    standing: BTreeMap<RuleKind, usize>,
    /// What the check of profiles says against an operator's text, by layer, text and taxonomies.
    against: BTreeMap<(Layer, Digest, Option<Digest>), Vec<String>>,
}

/// An edition whose terms are known, as it is when in force.
#[derive(Debug)]
pub(super) struct Edition {
    pub(super) digest: Digest,
    pub(super) terms: Rc<PartnershipTerms>,
    pub(super) agreement: Rc<Agreement>,
    /// The members as policies read them.
    pub(super) parties: Rc<BTreeMap<OrganizationId, Party>>,
    /// The roots that were compared for it so far.
    pub(super) roots: BTreeMap<OrganizationId, Fingerprint>,
    /// Where its partnership layer comes from.
    pub(super) origin: Origin,
    /// Of which member its card is not the one that holds, where it is so.
    pub(super) outdated: Option<String>,
    /// When the last of all editions was declared that it goes back to, and it itself.
    pub(super) declared: Time,
}

impl Edition {
    /// When the agreement is over, or its lease.
    pub(super) fn ends(&self) -> Time {
        self.terms.until.min(self.terms.lease_until)
    }
}

impl InForce {
    pub(super) fn limits(&self) -> Rc<Vec<Limits>> {
        Rc::clone(&self.limits)
    }

    pub(super) fn set_limits(&mut self, limits: Limits) {
        Rc::make_mut(&mut self.limits).push(limits);
    }

    /// Takes an edition in. A root that was compared once stays so.
    pub(super) fn know(&mut self, mut edition: Edition) {
        if let Some(before) = self.editions.get(&edition.digest) {
            let roots = before.roots.iter();
            roots.for_each(|(organization, root)| {
                edition.roots.entry(organization.clone()).or_insert(*root);
            });
        }
        self.editions.insert(edition.digest, Rc::new(edition));
    }

    /// The edition of this digest, in force or not.
    pub(super) fn known(&self, digest: &Digest) -> Option<&Rc<Edition>> {
        self.editions.get(digest)
    }

    /// The digest of the edition in force.
    pub(super) fn active(&self, partnership: &PartnershipId) -> Option<Digest> {
        self.active.get(partnership).map(|(digest, _)| *digest)
    }

    /// All editions whose terms are at hand, in force or not.
    pub(super) fn all_editions(&self) -> impl Iterator<Item = &Rc<Edition>> {
        self.editions.values()
    }

    /// Whether an edition is in force, or was.
    pub(super) fn has_begun(&self, edition: &Digest) -> bool {
        self.begun.contains(edition)
    }

    /// Notes an own signature. Returns whether no entry above has it.
    pub(super) fn sign(&mut self, signature: Digest) -> bool {
        self.signed.insert(signature)
    }

    /// Who signed an edition, by all entries so far.
    pub(super) fn signers(&mut self, edition: Digest) -> &mut BTreeSet<OrganizationId> {
        self.signers.entry(edition).or_default()
    }

    /// Whether an entry above has a member's signature of an edition.
    pub(super) fn is_signed(&self, edition: &Digest, member: &OrganizationId) -> bool {
        let signers = self.signers.get(edition);
        signers.is_some_and(|signers| signers.contains(member))
    }

    /// Notes that a member declined an edition, and whether that was the ledger's own organization.
    pub(super) fn decline(&mut self, at: At, edition: Digest, is_own: bool) {
        self.declined.entry(edition).or_insert(at.index);
        if is_own {
            self.declined_here.insert(edition);
        }
    }

    /// Whether the ledger's own organization declined an edition.
    pub(super) fn is_declined_here(&self, edition: &Digest) -> bool {
        self.declined_here.contains(edition)
    }

    /// The entry by which an edition was declined.
    pub(super) fn declined(&self, edition: &Digest) -> Option<u64> {
        self.declined.get(edition).copied()
    }

    /// When the edition in force came into force.
    pub(super) fn since(&self, partnership: &PartnershipId) -> Option<Time> {
        self.active.get(partnership).map(|(_, since)| *since)
    }

    /// The edition in force, where its terms are at hand.
    pub(super) fn edition(&self, partnership: &PartnershipId) -> Option<&Rc<Edition>> {
        self.editions.get(&self.active(partnership)?)
    }

    /// An edition comes into force, with the partnership layer that its entry names.
    pub(super) fn activate(
        &mut self,
        at: At,
        partnership: &PartnershipId,
        edition: Digest,
        profile: Digest,
    ) {
        self.begun.insert(edition);
        if self.active(partnership) != Some(edition) {
            self.active.insert(partnership.clone(), (edition, at.time));
        }
        let origin = match self.editions.get(&edition) {
            Some(edition) => edition.origin.clone(),
            None => Origin::Unknown,
        };
        self.put(
            at,
            RuleKind::Partnership(partnership.clone()),
            profile,
            origin,
        );
    }

    /// What is put in force in the place of what was there.
    fn put(&mut self, at: At, kind: RuleKind, digest: Digest, origin: Origin) {
        let from = Instant::from(at);
        let standing = self.standing.get(&kind);
        if let Some(before) = standing.and_then(|index| self.rules.get_mut(*index)) {
            if before.digest == digest {
                return;
            }
            before.until = Some(from);
        }
        self.standing.insert(kind.clone(), self.rules.len());
        self.rules.push(RuleInForce {
            kind,
            digest,
            origin,
            from,
            until: None,
            against: Vec::new(),
            anyway: None,
            beyond: None,
        });
    }

    /// The number of the stretch in which nothing that judges was replaced.
    pub(super) fn stretch(&self) -> usize {
        self.rules.len()
    }

    /// The layers of this organization's own that nothing was ever put in force for: every one of them judges.
    pub(super) fn missing_layers(&self) -> Vec<Layer> {
        let own = Layer::ALL.into_iter();
        own.filter(|layer| *layer != Layer::Partnership && !self.profiles.contains_key(layer))
            .collect()
    }

    /// Whether a decision names what is in force here, but for the partnership layer.
    pub(super) fn names_own_layers(&self, profiles: &[LayerProfile]) -> bool {
        let named = profiles
            .iter()
            .filter(|named| named.layer != Layer::Partnership);
        named.map(|named| (named.layer, named.profile)).eq(self
            .profiles
            .iter()
            .map(|(layer, profile)| (*layer, *profile)))
    }

    /// The profiles that must judge under an edition, ascending by layer.
    pub(super) fn profiles(&self, edition: &Edition) -> Vec<LayerProfile> {
        let partnership = LayerProfile {
            layer: Layer::Partnership,
            profile: edition.terms.profile,
        };
        let own = self.profiles.iter().map(|(layer, profile)| LayerProfile {
            layer: *layer,
            profile: *profile,
        });
        let mut profiles: Vec<LayerProfile> = own.chain([partnership]).collect();
        profiles.sort();
        profiles
    }

    pub(super) fn schema(&self) -> Option<Digest> {
        self.schema
    }

    pub(super) fn taxonomies_digest(&self) -> Option<Digest> {
        self.taxonomies.as_ref().map(|(digest, _)| *digest)
    }

    pub(super) fn taxonomies(&self) -> Checks<Taxonomies> {
        match &self.taxonomies {
            Some((_, Some(taxonomies))) => Ok(taxonomies.clone()),
            Some((digest, None)) => {
                Err(Rule::Unchecked.broken(format!("the taxonomies {digest} are not at hand")))
            }
            None => Err(Rule::DecisionLayers.broken("no taxonomies are in force")),
        }
    }
}

impl Audit<'_> {
    pub(super) fn profile_activated(&mut self, at: At, body: &ProfileActivated) {
        let is_there = self.name_blob(at, &body.profile);
        self.name_blob(at, &body.schema);
        if body.layer == Layer::Partnership {
            let how = "a partnership layer comes with its edition, and never by itself";
            self.note(at, Err(Rule::EditionProfile.broken(how)));
            return;
        }
        self.in_force.schema = Some(body.schema);
        self.in_force.profiles.insert(body.layer, body.profile);
        let origin = shipped_with(body.layer, &body.profile).map_or(Origin::Operator, |version| {
            Origin::Shipped {
                version: version.to_owned(),
            }
        });
        let is_shipped = origin != Origin::Operator;
        // What ships was checked before it did.
        let against = if is_there && !is_shipped {
            self.against(body.layer, body.profile)
        } else {
            Vec::new()
        };
        let checked = Rule::StickyLayer.check(is_shipped || body.layer != Layer::Sticky, || {
            format!(
                "{} came with no version known here; if a later version wrote it, audit with that",
                body.profile
            )
        });
        self.note(at, checked);
        let kind = RuleKind::Layer(body.layer);
        self.in_force.put(at, kind, body.profile, origin);
        if let Some(rule) = self.in_force.rules.last_mut()
            && rule.from.entry == at.index
        {
            rule.against = against;
            if body.schema != schema_digest() {
                let schema = body.schema;
                rule.against.push(format!(
                    "it was put in force under another schema, {schema}"
                ));
            }
            rule.anyway = body.anyway.as_ref().map(ToString::to_string);
        }
    }

    pub(super) fn taxonomy_activated(&mut self, at: At, body: &TaxonomyActivated) {
        let is_there = self.name_blob(at, &body.taxonomies);
        let bundle = self.bundle;
        let lookup = |digest: &Digest| bundle.blob(digest).map(Cow::into_owned);
        let parsed = is_there.then(|| self.replayer.taxonomies(body.taxonomies, lookup).ok());
        if let Some(None) = parsed {
            let how = format!("blob {} holds no taxonomies", body.taxonomies);
            self.note(at, Err(Rule::BlobShape.broken(how)));
        }
        let origin =
            taxonomies_shipped_with(&body.taxonomies).map_or(Origin::Operator, |version| {
                Origin::Shipped {
                    version: version.to_owned(),
                }
            });
        let is_readable = !matches!(parsed, Some(None));
        let checked = Rule::TaxonomiesStrange.check(!is_readable || origin != Origin::Operator, || {
            format!("{} came with no version known here; if a later version wrote them, audit with that", body.taxonomies)
        });
        self.note(at, checked);
        self.in_force
            .put(at, RuleKind::Taxonomies, body.taxonomies, origin);
        self.in_force.taxonomies = Some((body.taxonomies, parsed.flatten()));
    }

    /// What the check of profiles says against an operator's text, which is asked once.
    fn against(&mut self, layer: Layer, profile: Digest) -> Vec<String> {
        let key = (layer, profile, self.in_force.taxonomies_digest());
        if let Some(against) = self.in_force.against.get(&key) {
            return against.clone();
        }
        let text = self.bundle.blob(&profile).unwrap_or_default();
        self.replayer.note_foreign(profile, text.len());
        // Where none are in force, or not at hand, that is found by itself.
        let taxonomies = self.in_force.taxonomies();
        let taxonomies = taxonomies.unwrap_or_else(|_| Taxonomies::builtin());
        let against = speaks_against(layer, &text, &taxonomies);
        self.in_force.against.insert(key, against.clone());
        against
    }

    /// The edition in force of a partnership, which must be this one.
    pub(super) fn edition_in_force(
        &self,
        partnership: &PartnershipId,
        rule: Rule,
    ) -> Checks<Rc<Edition>> {
        let digest = self
            .in_force
            .active(partnership)
            .ok_or_else(|| rule.broken(format!("partnership `{partnership}` is not in force")))?;
        self.in_force
            .known(&digest)
            .map(Rc::clone)
            .ok_or_else(|| Rule::Unchecked.broken(format!("the terms {digest} are not at hand")))
    }
}

/// What the check of profiles says against a text: the node that recorded it asked for a reason then, if its version knew to.
fn speaks_against(layer: Layer, text: &[u8], taxonomies: &Taxonomies) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(text) else {
        return vec!["it is no text".to_owned()];
    };
    match check_profile(layer, text, taxonomies) {
        Ok(checked) => checked.findings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("it cannot judge: {}", error_chain(&error))],
    }
}
