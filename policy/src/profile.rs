//! A profile: the Cedar text of one layer, parsed and checked once.
//!
//! Whatever could make an answer depend on something that is not recorded is refused here, with the place
//! in the text: nothing that was parsed is ever judged with a doubt left.

use crate::bounds::{self, POLICIES_MAX, POLICY_LINKS_MAX, PROFILE_BYTES_MAX, PROFILE_NESTING_MAX};
use crate::expression::{self, Finding, Names, examine};
use crate::literals::{first_of, kind_of};
use crate::position::Position;
use crate::schema::{LEVEL, SchemaVersion};
use crate::taxonomy::{Taxonomies, TaxonomyKind, UnknownName};
use ambit_ledger::{Digest, Layer};
use cedar_policy::{Effect, EntityUid, Policy, PolicyId, PolicySet, ValidationMode};
use miette::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the id of a forbid begins with that says no more than *not now*: where nothing else stands against it, the
/// answer is undecided, and it is asked again when something changes. Cedar alone would deny.
pub const UNDECIDED_PREFIX: &str = "undecided-";

/// The Cedar policies of one layer, checked against the schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Profile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    layer: Layer,
    text: String,
    digest: Digest,
    policies: PolicySet,
    ids: Vec<String>,
    instants: Vec<i64>,
    names: Names,
    /// In how many steps they are asked once at most.
    steps: usize,
}

/// Why a text is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Longer than [`PROFILE_BYTES_MAX`].
    #[error(
        "the profile has {0} bytes, more than {PROFILE_BYTES_MAX}: split it over layers or shorten it"
    )]
    TooLong(usize),
    /// Nested deeper than [`PROFILE_NESTING_MAX`], or a policy longer than
    /// [`POLICY_LINKS_MAX`].
    #[error(
        "{at}: more than {PROFILE_NESTING_MAX} brackets within each other, or {POLICY_LINKS_MAX} characters of operators in one policy: split it into several"
    )]
    TooDeep {
        /// Where.
        at: Position,
    },
    /// More than [`POLICIES_MAX`] policies.
    #[error("the profile has {0} policies, more than {POLICIES_MAX}: join some of them")]
    TooMany(usize),
    /// More than [`CONDITIONALS_MAX`](crate::CONDITIONALS_MAX) conditionals within each other, more than
    /// [`POLICY_EXPRESSIONS_MAX`](crate::POLICY_EXPRESSIONS_MAX) expressions, or more than [`STEPS_MAX`](crate::STEPS_MAX) steps in all policies.
    #[error("{at}: policy `{id}`: {reason}")]
    TooMuch {
        /// Where the policy starts.
        at: Position,
        /// Its id.
        id: String,
        /// What is too much, and what to do.
        reason: String,
    },
    /// A permit whose id says that it leaves open.
    #[error(
        "{at}: the permit `{id}` is named as if it left something open, which only a `forbid` can: choose another id"
    )]
    UndecidedPermit {
        /// Where.
        at: Position,
        /// The id.
        id: String,
    },
    /// A name that is in no taxonomy, so that an `in` would silently be false.
    #[error("{at}: policy `{id}`: {unknown}")]
    Unknown {
        /// Where the name stands, or else the policy.
        at: Position,
        /// The policy's id.
        id: String,
        /// The name, with what is near.
        unknown: UnknownName,
    },
    /// No policy at all.
    #[error("the profile has no policy, and would withhold everything: write that as a `forbid`")]
    Empty,
    /// Not Cedar.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Position,
        /// What the parser says.
        message: String,
    },
    /// A template.
    #[error("{at}: templates are not taken: write the policy with its values")]
    Template {
        /// Where.
        at: Position,
    },
    /// A policy without an id, which no answer could name.
    #[error("{at}: the policy has no id: put `@id(\"…\")` before it")]
    NoId {
        /// Where.
        at: Position,
    },
    /// Two policies of one id.
    #[error("{at}: the id `{id}` is taken by a policy above: choose another")]
    DuplicateId {
        /// Where.
        at: Position,
        /// The id.
        id: String,
    },
    /// An error or a warning of strict validation against the schema.
    #[error("{at}: {message}")]
    Schema {
        /// Where.
        at: Position,
        /// What the validator says.
        message: String,
    },
    /// A window of observed time that does not start or end on a whole minute.
    #[error(
        "{at}: policy `{id}`: `{literal}` is no whole minute of UTC, and observations are only that exact"
    )]
    FineWindow {
        /// Where the policy starts.
        at: Position,
        /// Its id.
        id: String,
        /// The literal.
        literal: String,
    },
    /// An instant used in a way that leaves it open until when an answer stays true.
    #[error("{at}: policy `{id}`: {reason}")]
    Instant {
        /// Where the policy starts.
        at: Position,
        /// Its id.
        id: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

impl ProfileError {
    /// Where in the text; its start, where the whole text is meant.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::TooLong(_) | Self::TooMany(_) | Self::Empty => Position { line: 1, column: 1 },
            Self::TooDeep { at }
            | Self::Syntax { at, .. }
            | Self::Template { at }
            | Self::NoId { at }
            | Self::DuplicateId { at, .. }
            | Self::Schema { at, .. }
            | Self::FineWindow { at, .. }
            | Self::TooMuch { at, .. }
            | Self::UndecidedPermit { at, .. }
            | Self::Unknown { at, .. }
            | Self::Instant { at, .. } => *at,
        }
    }

    /// The same at another place; as it is, where the whole text is meant.
    pub(crate) fn placed_at(mut self, place: Position) -> Self {
        match &mut self {
            Self::TooLong(_) | Self::TooMany(_) | Self::Empty => {}
            Self::TooDeep { at }
            | Self::Syntax { at, .. }
            | Self::Template { at }
            | Self::NoId { at }
            | Self::DuplicateId { at, .. }
            | Self::Schema { at, .. }
            | Self::FineWindow { at, .. }
            | Self::TooMuch { at, .. }
            | Self::UndecidedPermit { at, .. }
            | Self::Unknown { at, .. }
            | Self::Instant { at, .. } => *at = place,
        }
        self
    }
}

/// What a policy asks to be attested of who gets the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedFor {
    /// An authorization: the one that the facts name as their licence.
    pub licence: bool,
    /// Attestations, by name.
    pub attestations: BTreeSet<String>,
}

impl Profile {
    /// Parses and checks the Cedar text of one layer.
    ///
    /// # Errors
    /// Any [`ProfileError`].
    pub fn parse(layer: Layer, text: &str) -> Result<Self, ProfileError> {
        Self::parse_under(SchemaVersion::newest(), layer, text)
    }

    pub(crate) fn parse_under(
        version: &SchemaVersion,
        layer: Layer,
        text: &str,
    ) -> Result<Self, ProfileError> {
        let named = parse_named(text)?;
        if named.is_empty() {
            return Err(ProfileError::Empty);
        }
        let policies = PolicySet::from_policies(named.iter().map(|named| named.policy.clone()))
            .map_err(|error| ProfileError::Syntax {
                at: Position::at(text, 0),
                message: error.to_string(),
            })?;
        validate(version, text, &policies, &named)?;
        let (instants, names) = examine_all(text, &named)?;
        Ok(Self(Arc::new(Inner {
            layer,
            digest: Digest::of(text.as_bytes()),
            text: text.to_owned(),
            policies,
            steps: named.iter().map(|named| named.steps).sum(),
            ids: named.into_iter().map(|named| named.id).collect(),
            instants,
            names,
        })))
    }

    /// Checks that every jurisdiction, purpose and class of data that a policy names is in the taxonomies.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`]: the first in the text.
    pub fn check_names(&self, taxonomies: &Taxonomies) -> Result<(), ProfileError> {
        let unknown = self.0.policies.policies().filter_map(|policy| {
            let unknown: Vec<(TaxonomyKind, EntityUid)> = policy
                .entity_literals()
                .into_iter()
                .filter_map(|literal| Some((kind_of(&literal)?, literal)))
                .filter(|(kind, literal)| !taxonomies.knows(*kind, literal.id().unescaped()))
                .collect();
            let (offset, (kind, literal)) = first_of(policy, unknown)?;
            Some((offset, policy, kind, literal))
        });
        // What is near a name is looked for once: it takes as long as all the rest.
        let Some((offset, policy, kind, literal)) = unknown.min_by_key(|(offset, ..)| *offset)
        else {
            return Ok(());
        };
        let id = policy.id().to_string();
        let at = Position::at(&self.0.text, offset);
        taxonomies
            .check(kind, literal.id().unescaped())
            .map_err(|unknown| ProfileError::Unknown { at, id, unknown })
    }

    /// In how many steps its policies are asked once at most.
    pub(crate) fn steps(&self) -> usize {
        self.0.steps
    }

    /// The layer.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.0.layer
    }

    /// The Cedar text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The ids of the policies, in the order of the text.
    #[must_use]
    pub fn policy_ids(&self) -> Vec<&str> {
        self.0.ids.iter().map(String::as_str).collect()
    }

    /// Whether the policy of this id forbids; `None` where there is no such policy.
    #[must_use]
    pub fn is_forbid(&self, id: &str) -> Option<bool> {
        self.policies()
            .policies()
            .find(|policy| policy.id().to_string() == id)
            .map(|policy| policy.effect() == Effect::Forbid)
    }

    /// What one of its policies asks of attestations; nothing where it has no such policy.
    #[must_use]
    pub fn asks_for(&self, policy: &str) -> AskedFor {
        let mut names = Names::default();
        let policy = self.policies().policy(&PolicyId::new(policy));
        // A profile that was taken has nothing in it that cannot be looked into.
        let is_read = policy.is_some_and(|policy| names.add(policy).is_ok());
        AskedFor {
            licence: is_read && names.attributes.contains("authorization"),
            attestations: names.tags,
        }
    }

    pub(crate) fn policies(&self) -> &PolicySet {
        &self.0.policies
    }

    /// All instants that policies name, in milliseconds since the epoch, ascending.
    pub(crate) fn instants(&self) -> &[i64] {
        &self.0.instants
    }

    /// What policies name of entities and the context.
    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }
}

/// The policies that come with the program for a layer; `None` for the partnership layer, which is rendered.
#[must_use]
pub const fn default_profile(layer: Layer) -> Option<&'static str> {
    match layer {
        Layer::Sticky => Some(include_str!("../profiles/sticky.cedar")),
        Layer::Partnership => None,
        Layer::Ip => Some(include_str!("../profiles/ip.cedar")),
        Layer::Regulatory => Some(include_str!("../profiles/regulatory.cedar")),
        Layer::Owner => Some(include_str!("../profiles/owner.cedar")),
        Layer::TradeSecret => Some(include_str!("../profiles/trade-secret.cedar")),
    }
}

/// One policy under its own id, with the byte at which it starts.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) offset: usize,
    pub(crate) policy: Policy,
    /// In how many steps it is evaluated at most.
    steps: usize,
}

impl Named {
    pub(crate) fn forbids(&self) -> bool {
        self.policy.effect() == Effect::Forbid
    }
}

/// Parses policies, each under its `@id`, in the order of the text.
pub(crate) fn parse_named(text: &str) -> Result<Vec<Named>, ProfileError> {
    bounds::check_text(text)?;
    let set: PolicySet =
        text.parse()
            .map_err(|error: cedar_policy::ParseErrors| ProfileError::Syntax {
                at: position_of(text, &error, 0),
                message: complete_message(&error),
            })?;
    if let Some(template) = set.templates().next() {
        let offset = template.as_ref().loc().map_or(0, |place| place.start());
        let at = Position::at(text, offset);
        return Err(ProfileError::Template { at });
    }
    let mut policies: Vec<(usize, &Policy)> = set
        .policies()
        .map(|policy| {
            (
                policy.as_ref().loc().map_or(0, |place| place.start()),
                policy,
            )
        })
        .collect();
    if policies.len() > POLICIES_MAX {
        return Err(ProfileError::TooMany(policies.len()));
    }
    policies.sort_by_key(|(offset, _)| *offset);
    let mut seen = BTreeSet::new();
    let mut named = Vec::with_capacity(policies.len());
    let mut all_steps = 0;
    for (offset, policy) in policies {
        let at = Position::at(text, offset);
        let id = match policy.annotation("id") {
            Some(id) if !id.trim().is_empty() => id.to_owned(),
            _ => return Err(ProfileError::NoId { at }),
        };
        if !seen.insert(id.clone()) {
            return Err(ProfileError::DuplicateId { at, id });
        }
        if policy.effect() == Effect::Permit && id.starts_with(UNDECIDED_PREFIX) {
            return Err(ProfileError::UndecidedPermit { at, id });
        }
        let steps = expression::clauses(policy)
            .and_then(|clauses| bounds::check_clauses(&clauses))
            .map_err(|finding| refuse(at, &id, finding))?;
        all_steps += steps;
        bounds::check_steps(all_steps).map_err(|finding| refuse(at, &id, finding))?;
        let policy = policy.new_id(PolicyId::new(&id));
        named.push(Named {
            id,
            offset,
            policy,
            steps,
        });
    }
    Ok(named)
}

fn validate(
    version: &SchemaVersion,
    text: &str,
    policies: &PolicySet,
    named: &[Named],
) -> Result<(), ProfileError> {
    let result = version
        .validator()
        .validate_with_level(policies, ValidationMode::Strict, LEVEL);
    let offsets: BTreeMap<&str, usize> = named
        .iter()
        .map(|named| (named.id.as_str(), named.offset))
        .collect();
    let refuse = |id: &PolicyId, diagnostic: &dyn Diagnostic| {
        let id: &str = id.as_ref();
        let fallback = offsets.get(id).copied().unwrap_or_default();
        ProfileError::Schema {
            at: position_of(text, diagnostic, fallback),
            message: complete_message(diagnostic),
        }
    };
    let errors = result
        .validation_errors()
        .map(|error| refuse(error.policy_id(), error));
    let warnings = result
        .validation_warnings()
        .map(|warning| refuse(warning.policy_id(), warning));
    match errors.chain(warnings).min_by_key(ProfileError::position) {
        Some(first) => Err(first),
        None => Ok(()),
    }
}

/// The instants that policies name, and what else they do.
fn examine_all(text: &str, named: &[Named]) -> Result<(Vec<i64>, Names), ProfileError> {
    let mut instants = BTreeSet::new();
    let mut names = Names::default();
    for Named {
        id, offset, policy, ..
    } in named
    {
        let at = Position::at(text, *offset);
        let refuse = |finding| refuse(at, id, finding);
        instants.extend(examine(policy).map_err(refuse)?);
        names.add(policy).map_err(refuse)?;
    }
    Ok((instants.into_iter().collect(), names))
}

fn refuse(at: Position, id: &str, finding: Finding) -> ProfileError {
    let id = id.to_owned();
    match finding {
        Finding::FineWindow(literal) => ProfileError::FineWindow { at, id, literal },
        Finding::Instant(reason) => ProfileError::Instant { at, id, reason },
        Finding::TooMuch(reason) => ProfileError::TooMuch { at, id, reason },
    }
}

fn position_of(text: &str, diagnostic: &dyn Diagnostic, fallback: usize) -> Position {
    let offset = diagnostic
        .labels()
        .and_then(|mut labels| labels.next())
        .map_or(fallback, |label| label.offset());
    Position::at(text, offset)
}

fn complete_message(diagnostic: &dyn Diagnostic) -> String {
    match diagnostic.help() {
        Some(help) => format!("{diagnostic}: {help}"),
        None => diagnostic.to_string(),
    }
}
