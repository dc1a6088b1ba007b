//! Decisions about what is held: may it be held on, may something be made of it, may someone use it. Data only; the
//! judging is in the crate `ambit-policy`.

use crate::decision::{Agreement, Footprint, LayerProfile, LayerVerdict, Party, Verdict};
use crate::digest::{Digest, Salt};
use crate::facts::ExportControl;
use crate::names::{DataClass, Jurisdiction, Name, OrganizationId, Purpose};
use crate::terms::{Limits, Scope};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What the layers read of something that is held under one disclosure, whatever is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Who holds it.
    pub holder: Party,
    /// Who disclosed it; the holder itself where it is its own.
    pub discloser: OrganizationId,
    /// What policies read of the facts.
    pub footprint: Footprint,
    /// The terms it is held under.
    pub scope: Scope,
    /// The owner's limits in force; only the owner knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The agreement it is held under.
    pub partnership: Agreement,
    /// The length of the chain of disclosures by which it came; 0 for one's own.
    pub hop: u32,
}

/// May it be held on?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetainInquiry {
    /// What is held.
    pub holding: Holding,
    /// Whether it is under legal hold.
    pub legal_hold: bool,
}

/// May this be made of it? Asked once for each class of inputs; all must allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeriveInquiry {
    /// The input.
    pub holding: Holding,
    /// What it is made for.
    pub purpose: Purpose,
    /// What is made.
    pub output: DerivedOutput,
    /// Whether a person signed that labels may be dropped.
    pub declassified: bool,
}

/// The labels and terms of what is derived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedOutput {
    /// Its class.
    pub data_class: DataClass,
    /// Who owns the design it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_authority: Option<OrganizationId>,
    /// Whether it is a trade secret.
    pub trade_secret: bool,
    /// Its export control classification.
    pub export_control: ExportControl,
    /// Its terms.
    pub scope: Scope,
}

/// May someone of the organization use it?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseInquiry {
    /// What is held.
    pub holding: Holding,
    /// What for.
    pub purpose: Purpose,
    /// Who, by an opaque id; never a person's name.
    pub agent: Name,
    /// The nationality of whoever uses it.
    pub nationality: Jurisdiction,
}

/// A decision about what is held, recorded once per class and referred to by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldingDecision<Q> {
    /// Names the class: a digest over everything the layers read but the clock.
    pub class_key: Digest,
    /// The engine and its version.
    pub engine: Name,
    /// SHA-256 of the Cedar schema.
    pub schema: Digest,
    /// SHA-256 of the taxonomies.
    pub taxonomies: Digest,
    /// SHA-256 of each layer's profile, ascending by layer.
    pub profiles: Vec<LayerProfile>,
    /// What was asked, of the first observation of the class.
    pub inquiry: Q,
    /// SHA-256 of the entity slice and request, as derived from the inquiry.
    pub slice: Digest,
    /// The clock that was read.
    pub now: Time,
    /// The answer stays the same from here,
    pub true_from: Time,
    /// up to, and without, here; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_until: Option<Time>,
    /// The answer.
    pub verdict: Verdict,
    /// What each layer said, ascending by layer. Empty where the inquiry could not be put.
    pub layers: Vec<LayerVerdict>,
    /// Why the inquiry could not be put; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Random, so that who gets the digest can't guess the rest from it.
    pub salt: Salt,
}

/// A decision about what is held as it was judged: without its salt, since judging has no randomness, and so without a
/// name. It can't be recorded or referred to before [`UnsaltedHolding::salted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsaltedHolding<Q> {
    /// As in the [`HoldingDecision`].
    pub class_key: Digest,
    /// As in the [`HoldingDecision`].
    pub engine: Name,
    /// As in the [`HoldingDecision`].
    pub schema: Digest,
    /// As in the [`HoldingDecision`].
    pub taxonomies: Digest,
    /// As in the [`HoldingDecision`].
    pub profiles: Vec<LayerProfile>,
    /// As in the [`HoldingDecision`].
    pub inquiry: Q,
    /// As in the [`HoldingDecision`].
    pub slice: Digest,
    /// As in the [`HoldingDecision`].
    pub now: Time,
    /// As in the [`HoldingDecision`].
    pub true_from: Time,
    /// As in the [`HoldingDecision`].
    pub true_until: Option<Time>,
    /// As in the [`HoldingDecision`].
    pub verdict: Verdict,
    /// As in the [`HoldingDecision`].
    pub layers: Vec<LayerVerdict>,
    /// As in the [`HoldingDecision`].
    pub errors: Vec<String>,
}

impl<Q> UnsaltedHolding<Q> {
    /// The decision to record.
    #[must_use]
    pub fn salted(self, salt: Salt) -> HoldingDecision<Q> {
        HoldingDecision {
            class_key: self.class_key,
            engine: self.engine,
            schema: self.schema,
            taxonomies: self.taxonomies,
            profiles: self.profiles,
            inquiry: self.inquiry,
            slice: self.slice,
            now: self.now,
            true_from: self.true_from,
            true_until: self.true_until,
            verdict: self.verdict,
            layers: self.layers,
            errors: self.errors,
            salt,
        }
    }
}

/// A decision to hold on.
pub type RetainDecision = HoldingDecision<RetainInquiry>;
/// A decision to derive.
pub type DeriveDecision = HoldingDecision<DeriveInquiry>;
/// A decision to use.
pub type UseDecision = HoldingDecision<UseInquiry>;

impl<Q: Serialize> HoldingDecision<Q> {
    /// The digest that names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&crate::codec::encode(self))
    }
}
