//! Decisions: what was asked, what was answered, and how long the answer stays true. Data only; the
//! judging is in the crate `ambit-policy`.

use crate::authority::Attested;
use crate::digest::{Digest, Salt};
use crate::facts::{ExportControl, Facts};
use crate::names::{Assigned, DataClass, Name, OrganizationId, PartnershipId, Purpose};
use crate::terms::{Limits, Member, Scope};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Everything the layers read but the clock, for one observation, one recipient and one action.
///
/// The request and the entity slice of Cedar are derived from it, always the same way, so that an auditor
/// can derive them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    /// What is to be done.
    pub action: Action,
    /// Who gets or holds the data.
    pub recipient: Party,
    /// Who discloses it.
    pub discloser: OrganizationId,
    /// What policies read of the facts.
    pub footprint: Footprint,
    /// The terms of the disclosure at hand, with all purposes asked for.
    pub scope: Scope,
    /// The owner's limits in force; only the owner knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The agreement it is done under.
    pub partnership: Agreement,
    /// Retention asked for, in days from the start of the UTC day of the disclosure.
    pub retention_days: u32,
    /// 0 where the owner discloses.
    pub hop: u32,
}

/// What is to be done with an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The owner hands it to a member.
    Disclose,
    /// A holder hands it on.
    OnwardDisclose,
    /// The recipient takes it in.
    Admit,
}

/// An organization as policies read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The organization.
    pub organization: OrganizationId,
    /// Where it has its seat.
    pub seat: crate::names::Jurisdiction,
    /// Where its node stores data.
    pub hosting: BTreeSet<crate::names::Jurisdiction>,
    /// The nationalities with access.
    pub personnel: BTreeSet<crate::names::Jurisdiction>,
    /// What was verified of it under an issuer whom this node pinned, or under its own statement key, and is
    /// not over; nothing that the organization only says of itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attested: BTreeSet<Attested>,
}

/// What a member's record alone makes of it: where it is, with nothing attested. Its claims are left out.
impl From<&Member> for Party {
    fn from(member: &Member) -> Self {
        Self {
            organization: member.card.organization.clone(),
            seat: member.card.seat.clone(),
            hosting: member.card.hosting.clone(),
            personnel: member.card.personnel.clone(),
            attested: BTreeSet::new(),
        }
    }
}

/// A partnership as policies read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The digest of the edition in force.
    pub edition: Digest,
    /// Whether it is in force.
    pub state: AgreementState,
    /// Its members.
    pub members: BTreeSet<OrganizationId>,
    /// Its program; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// No disclosure from here on.
    pub until: Time,
    /// No release from here on, unless renewed.
    pub lease_until: Time,
}

/// Whether an agreement is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementState {
    /// Not all have signed.
    Proposed,
    /// All have signed.
    Active,
    /// Nothing crosses for now.
    Suspended,
    /// Ended for good, by its members.
    Dissolved,
    /// Past its end.
    Ended,
    /// Nothing is held under it any more, or it is not known at all.
    Closed,
}

/// What policies can read of an observation's facts. What the class of an inquiry takes from it, the class key's own
/// documentation says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footprint {
    /// Who signed.
    pub issuer: OrganizationId,
    /// Whose data it is.
    pub owner: OrganizationId,
    /// Who owns the design.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_authority: Option<OrganizationId>,
    /// Every organization the facts name.
    pub named: BTreeSet<OrganizationId>,
    /// The class of data.
    pub data_class: DataClass,
    /// The submodel's semantic id.
    pub semantic_id: Name,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Assigned>,
    /// The part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Assigned>,
    /// The part's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
    /// The part's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Name>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Assigned>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Assigned>,
    /// The site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
    /// The asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Name>,
    /// The process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Name>,
    /// Whether it is a trade secret.
    pub trade_secret: bool,
    /// Its export control classification.
    pub export_control: ExportControl,
    /// The earliest instant a reading speaks of.
    pub observed_from: Time,
    /// The latest.
    pub observed_to: Time,
}

impl From<&Facts> for Footprint {
    fn from(facts: &Facts) -> Self {
        Self {
            issuer: facts.issuer.clone(),
            owner: facts.owner.clone(),
            design_authority: facts.design_authority.clone(),
            named: facts.named_organizations(),
            data_class: facts.data_class.clone(),
            semantic_id: facts.semantic_id.clone(),
            program: facts.program.clone(),
            part: facts.part.clone(),
            revision: facts.revision.clone(),
            serial: facts.serial.clone(),
            lot: facts.lot.clone(),
            order: facts.order.clone(),
            site: facts.site.clone(),
            asset: facts.asset.clone(),
            process: facts.process.clone(),
            trade_secret: facts.trade_secret,
            export_control: facts.export_control.clone(),
            observed_from: facts.observed_from,
            observed_to: facts.observed_to,
        }
    }
}

/// A layer of policy. All that apply must admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Interprets the scope that travels with the data.
    Sticky,
    /// The agreement, rendered from its terms.
    Partnership,
    /// Design authority.
    Ip,
    /// Export control.
    Regulatory,
    /// The operator's own guardrails.
    Owner,
    /// Trade secrets.
    TradeSecret,
}

impl Layer {
    /// All layers, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Sticky,
        Self::Partnership,
        Self::Ip,
        Self::Regulatory,
        Self::Owner,
        Self::TradeSecret,
    ];

    /// The name in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sticky => "sticky",
            Self::Partnership => "partnership",
            Self::Ip => "ip",
            Self::Regulatory => "regulatory",
            Self::Owner => "owner",
            Self::TradeSecret => "trade-secret",
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every layer allows, without an error.
    Admissible,
    /// A layer said no, or nothing was there that could have said yes.
    Withheld,
    /// Nobody can say: an error, or a rule that leaves open.
    Undecided,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Admissible => "admissible",
            Self::Withheld => "withheld",
            Self::Undecided => "undecided",
        })
    }
}

/// A decision, recorded once per class and referred to by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
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
    pub inquiry: Inquiry,
    /// SHA-256 of the entity slice and requests, as derived from the inquiry.
    pub slice: Digest,
    /// The clock that was read.
    pub now: Time,
    /// The answer stays the same from here,
    pub true_from: Time,
    /// up to, and without, here; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_until: Option<Time>,
    /// The answer for each purpose, ascending.
    pub verdicts: Vec<PurposeVerdict>,
    /// Random, so that a recipient, who gets the digest and knows most of the rest, can't guess the owner's
    /// limits and profiles from it.
    pub salt: Salt,
}

/// A decision as it was judged: without its salt, since judging has no randomness, and so without a name. It can't be
/// recorded or referred to before [`Unsalted::salted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsalted {
    /// As in the [`Decision`].
    pub class_key: Digest,
    /// As in the [`Decision`].
    pub engine: Name,
    /// As in the [`Decision`].
    pub schema: Digest,
    /// As in the [`Decision`].
    pub taxonomies: Digest,
    /// As in the [`Decision`].
    pub profiles: Vec<LayerProfile>,
    /// As in the [`Decision`].
    pub inquiry: Inquiry,
    /// As in the [`Decision`].
    pub slice: Digest,
    /// As in the [`Decision`].
    pub now: Time,
    /// As in the [`Decision`].
    pub true_from: Time,
    /// As in the [`Decision`].
    pub true_until: Option<Time>,
    /// As in the [`Decision`].
    pub verdicts: Vec<PurposeVerdict>,
}

impl Unsalted {
    /// The decision to record.
    #[must_use]
    pub fn salted(self, salt: Salt) -> Decision {
        Decision {
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
            verdicts: self.verdicts,
            salt,
        }
    }

    /// The purposes that were admitted.
    #[must_use]
    pub fn admitted(&self) -> BTreeSet<Purpose> {
        admitted(&self.verdicts)
    }

    /// The answer over all purposes: admissible if one is, else undecided if one is, else withheld.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        over_all(&self.verdicts)
    }

    /// Whether the answer still is true at `now`.
    #[must_use]
    pub fn is_true_at(&self, now: Time) -> bool {
        self.true_from <= now && self.true_until.is_none_or(|until| now < until)
    }
}

fn admitted(verdicts: &[PurposeVerdict]) -> BTreeSet<Purpose> {
    verdicts
        .iter()
        .filter(|verdict| verdict.verdict == Verdict::Admissible)
        .map(|verdict| verdict.purpose.clone())
        .collect()
}

fn over_all(verdicts: &[PurposeVerdict]) -> Verdict {
    let any = |wanted| verdicts.iter().any(|verdict| verdict.verdict == wanted);
    if any(Verdict::Admissible) {
        Verdict::Admissible
    } else if any(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::Withheld
    }
}

impl Decision {
    /// The digest that names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&crate::codec::encode(self))
    }

    /// The purposes that were admitted.
    #[must_use]
    pub fn admitted(&self) -> BTreeSet<Purpose> {
        admitted(&self.verdicts)
    }

    /// The answer over all purposes: admissible if one is, else undecided if one is, else withheld.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        over_all(&self.verdicts)
    }

    /// Whether nobody could say for some purpose.
    #[must_use]
    pub fn leaves_undecided(&self) -> bool {
        let mut verdicts = self.verdicts.iter();
        verdicts.any(|purpose| purpose.verdict == Verdict::Undecided)
    }

    /// The layers that withhold, whatever the purpose.
    #[must_use]
    pub fn withholding_layers(&self) -> Vec<Layer> {
        let withholds = |layer: &Layer| {
            self.verdicts.iter().all(|purpose| {
                purpose
                    .layers
                    .iter()
                    .any(|said| said.layer == *layer && said.verdict == Verdict::Withheld)
            })
        };
        Layer::ALL.into_iter().filter(withholds).collect()
    }

    /// Whether the answer still is true at `now`.
    #[must_use]
    pub fn is_true_at(&self, now: Time) -> bool {
        self.true_from <= now && self.true_until.is_none_or(|until| now < until)
    }
}

/// The profile of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerProfile {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of its Cedar text.
    pub profile: Digest,
}

/// The answer for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeVerdict {
    /// The purpose.
    pub purpose: Purpose,
    /// The answer.
    pub verdict: Verdict,
    /// What each layer said, ascending by layer. Empty where the inquiry could not be put.
    pub layers: Vec<LayerVerdict>,
    /// Why the inquiry could not be put, such as an entity missing from the slice; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// What one layer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerVerdict {
    /// The layer.
    pub layer: Layer,
    /// Its answer.
    pub verdict: Verdict,
    /// The ids of the policies that determined it, sorted; none on default deny. The first of them, where there are too many
    /// to be recorded.
    pub determining: Vec<String>,
    /// Evaluation errors, sorted; the first of them, cut, and how many more there are, where there is too much to be recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The policies that determined it and are not named; absent where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed: Option<Unnamed>,
}

/// Policies that determined an answer and are not named in what is recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unnamed {
    /// How many.
    pub count: u64,
    /// The digest of the ids of all that determined it, those that are named included.
    pub all: Digest,
}
