//! Judges: shows Cedar a question, layer by layer and purpose by purpose.
//!
//! Any doubt is *undecided*: an error in any layer, a layer that does not compile, a request or an entity that the
//! schema refuses, an entity that is referred to and missing, a forbid that says that it leaves open. Cedar itself
//! would skip a policy that errs and answer with the rest. Doubt in one layer takes nothing from another's no: as each
//! of them must allow, the answer is *withheld* whatever the doubted one would say.

use crate::asking::Asking;
use crate::class::{class_of, interval};
use crate::layers::{Layers, Standing};
use crate::profile::{Profile, UNDECIDED_PREFIX};
use crate::recorded::Recording;
use crate::schema::engine;
use crate::slice::Slice;
use crate::taxonomy::TaxonomyKind;
use crate::value::{Record, Reference, Type, Value};
use ambit_ledger::{
    DeriveInquiry, Digest, Inquiry, LayerVerdict, PurposeVerdict, RetainInquiry, Time, Unsalted,
    UnsaltedHolding, UseInquiry, Verdict,
};
use cedar_policy::{Authorizer, Context, Entities, Entity, EntityUid, Request, Schema};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A decision with the slice that it names by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The decision.
    pub decision: Unsalted,
    /// Requests and entities as Cedar saw them, without taxonomies: canonical JSON.
    pub slice: Vec<u8>,
}

/// A decision about what is held, with the slice that it names by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedHolding<Question> {
    /// The decision.
    pub decision: UnsaltedHolding<Question>,
    /// Request and entities as Cedar saw them, without taxonomies: canonical JSON.
    pub slice: Vec<u8>,
}

/// Judges an inquiry for each purpose of its scope. Never fails: what can't be judged is undecided.
#[must_use]
pub fn judge(layers: &Layers, inquiry: &Inquiry, now: Time) -> Judged {
    let asking = Asking::Transfer(inquiry);
    let slice = layers.slice(asking, now);
    let question = Question::prepare(layers, &slice);
    let mut recording = Recording::begin();
    let verdicts = inquiry
        .scope
        .purposes
        .iter()
        .map(|purpose| {
            let mut answer = answer(layers, &question, Some(purpose.as_str()));
            recording.bound(&mut answer.layers, &mut answer.errors);
            PurposeVerdict {
                purpose: purpose.clone(),
                verdict: answer.verdict,
                layers: answer.layers,
                errors: answer.errors,
            }
        })
        .collect();
    let (true_from, true_until) = interval(layers, asking, &slice, now);
    let slice = slice.to_bytes();
    let decision = Unsalted {
        class_key: class_of(layers, asking),
        engine: engine(),
        schema: layers.schema_digest(),
        taxonomies: layers.taxonomies().digest(),
        profiles: layers.profile_digests().to_vec(),
        inquiry: inquiry.clone(),
        slice: Digest::of(&slice),
        now,
        true_from,
        true_until,
        verdicts,
    };
    Judged { decision, slice }
}

/// Judges whether a holder may still hold what it has. What is withheld may be erased; what is undecided must not.
///
/// No layer takes the owner's originals or what is under legal hold: where one says so, it is undecided. So it is where
/// another layer is in doubt, since what is withheld here is destroyed.
#[must_use]
pub fn judge_retain(
    layers: &Layers,
    retention: &RetainInquiry,
    now: Time,
) -> JudgedHolding<RetainInquiry> {
    let mut judged = judge_holding(layers, retention, Asking::Retain(retention), now);
    let mut said = judged.decision.layers.iter();
    let is_doubted = said.any(|layer| layer.verdict == Verdict::Undecided);
    if is_doubted && judged.decision.verdict == Verdict::Withheld {
        judged.decision.verdict = Verdict::Undecided;
    }
    let is_original = retention.holding.holder.organization == retention.holding.footprint.owner;
    if (retention.legal_hold || is_original) && judged.decision.verdict == Verdict::Withheld {
        judged.decision.verdict = Verdict::Undecided;
        let reason = "a layer would take the owner's original or what is under legal hold";
        judged.decision.errors.push(reason.to_owned());
    }
    judged
}

/// Judges whether something may be made of one input.
#[must_use]
pub fn judge_derive(
    layers: &Layers,
    derivation: &DeriveInquiry,
    now: Time,
) -> JudgedHolding<DeriveInquiry> {
    judge_holding(layers, derivation, Asking::Derive(derivation), now)
}

/// Judges whether someone of an organization may use what it holds.
#[must_use]
pub fn judge_use(layers: &Layers, usage: &UseInquiry, now: Time) -> JudgedHolding<UseInquiry> {
    judge_holding(layers, usage, Asking::Use(usage), now)
}

fn judge_holding<Asked: Clone>(
    layers: &Layers,
    question: &Asked,
    asking: Asking<'_>,
    now: Time,
) -> JudgedHolding<Asked> {
    let slice = layers.slice(asking, now);
    let mut answer = judge_slice(layers, &slice);
    Recording::begin().bound(&mut answer.layers, &mut answer.errors);
    let (true_from, true_until) = interval(layers, asking, &slice, now);
    let slice = slice.to_bytes();
    let decision = UnsaltedHolding {
        class_key: class_of(layers, asking),
        engine: engine(),
        schema: layers.schema_digest(),
        taxonomies: layers.taxonomies().digest(),
        profiles: layers.profile_digests().to_vec(),
        inquiry: question.clone(),
        slice: Digest::of(&slice),
        now,
        true_from,
        true_until,
        verdict: answer.verdict,
        layers: answer.layers,
        errors: answer.errors,
    };
    JudgedHolding { decision, slice }
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Over all layers.
    pub(crate) verdict: Verdict,
    /// What each layer said, ascending by layer. Empty where the request could not be put.
    pub(crate) layers: Vec<LayerVerdict>,
    /// Why the request could not be put; sorted.
    pub(crate) errors: Vec<String>,
}

/// Judges a slice with its first purpose, if it has one.
pub(crate) fn judge_slice(layers: &Layers, slice: &Slice<'_>) -> Answer {
    let question = Question::prepare(layers, slice);
    answer(layers, &question, slice.purposes.first().copied())
}

fn answer(
    layers: &Layers,
    question: &Result<Question<'_>, Vec<String>>,
    purpose: Option<&str>,
) -> Answer {
    let undecided = |errors: Vec<String>| Answer {
        verdict: Verdict::Undecided,
        layers: Vec::new(),
        errors,
    };
    let question = match question {
        Ok(question) => question,
        Err(errors) => return undecided(errors.clone()),
    };
    match question.request(purpose) {
        Ok(request) => over_all(
            layers
                .standing()
                .map(|(layer, standing)| match standing {
                    Standing::Compiled(profile) => ask(profile, &request, &question.entities),
                    Standing::Broken(_) => LayerVerdict {
                        layer,
                        verdict: Verdict::Undecided,
                        determining: Vec::new(),
                        errors: vec![DOES_NOT_COMPILE.to_owned()],
                        unnamed: None,
                    },
                })
                .collect(),
        ),
        Err(error) => undecided(vec![error]),
    }
}

/// What is recorded of a layer that does not compile. The reason is not part of it: another version of this program
/// words it otherwise, and must come to the same record.
const DOES_NOT_COMPILE: &str = "the profile does not compile";

/// Admissible takes at least one layer, all of them, and no error anywhere. One no is enough.
fn over_all(layers: Vec<LayerVerdict>) -> Answer {
    let any = |verdict| layers.iter().any(|layer| layer.verdict == verdict);
    let verdict = if layers.is_empty() || any(Verdict::Withheld) {
        Verdict::Withheld
    } else if any(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::Admissible
    };
    Answer {
        verdict,
        layers,
        errors: Vec::new(),
    }
}

fn ask(profile: &Profile, request: &Request, entities: &Entities) -> LayerVerdict {
    static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(Authorizer::new);
    let response = AUTHORIZER.is_authorized(request, profile.policies(), entities);
    let diagnostics = response.diagnostics();
    let mut determining: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
    determining.sort();
    let mut errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
    errors.sort();
    // Where nothing but such forbids stands against it, nobody says no: the answer is open.
    let is_left_open = !determining.is_empty()
        && determining
            .iter()
            .all(|policy| policy.starts_with(UNDECIDED_PREFIX));
    let verdict = match response.decision() {
        _ if !errors.is_empty() => Verdict::Undecided,
        cedar_policy::Decision::Allow => Verdict::Admissible,
        cedar_policy::Decision::Deny if is_left_open => Verdict::Undecided,
        cedar_policy::Decision::Deny => Verdict::Withheld,
    };
    LayerVerdict {
        layer: profile.layer(),
        verdict,
        determining,
        errors,
        unnamed: None,
    }
}

/// A slice that passed every check, as Cedar takes it.
pub(crate) struct Question<'a> {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    context: Record<'a>,
    schema: &'static Schema,
    pub(crate) entities: Entities,
}

impl<'a> Question<'a> {
    /// Checks that every entity referred to is there, and adds those of the taxonomies.
    pub(crate) fn prepare(layers: &Layers, slice: &Slice<'a>) -> Result<Self, Vec<String>> {
        let reached = reach(layers, slice)?;
        let one = |error: String| vec![error];
        let mut entities = Vec::with_capacity(slice.entities.len() + reached.len());
        for node in &slice.entities {
            entities.push(node.to_cedar().map_err(|error| one(with_causes(&error)))?);
        }
        for (kind, name) in reached {
            let uid = |id| Reference {
                entity_type: kind.entity_type(),
                id,
            };
            let parents = layers.taxonomies().parents(kind, name);
            let parents = parents.into_iter().flatten();
            entities.push(Entity::new_no_attrs(
                uid(name).to_cedar(),
                parents.map(|parent| uid(parent).to_cedar()).collect(),
            ));
        }
        let action = Reference {
            entity_type: Type::Action,
            id: slice.action,
        };
        Ok(Self {
            principal: slice.principal.to_cedar(),
            action: action.to_cedar(),
            resource: slice.resource.to_cedar(),
            context: slice.context.clone(),
            schema: layers.schema(),
            entities: Entities::from_entities(entities, Some(layers.schema()))
                .map_err(|error| one(with_causes(&error)))?,
        })
    }

    /// The request for a purpose, checked against the schema.
    pub(crate) fn request(&self, purpose: Option<&str>) -> Result<Request, String> {
        let purpose = purpose.map(|purpose| Value::entity(Type::Purpose, purpose));
        let context = self.context.clone().with_some("purpose", purpose);
        let context =
            Context::from_pairs(context.to_cedar()).map_err(|error| with_causes(&error))?;
        let (principal, action) = (self.principal.clone(), self.action.clone());
        Request::new(
            principal,
            action,
            self.resource.clone(),
            context,
            Some(self.schema),
        )
        .map_err(|error| with_causes(&error))
    }
}

/// Every name of a taxonomy that is referred to, with all above it.
///
/// `in` on an entity that is not there is silently false, and a missing attribute ends a policy early, so
/// nothing is asked before everything referred to is there.
fn reach<'a>(
    layers: &'a Layers,
    slice: &Slice<'a>,
) -> Result<BTreeSet<(TaxonomyKind, &'a str)>, Vec<String>> {
    let present: BTreeSet<Reference<'_>> = slice.entities.iter().map(|node| node.uid).collect();
    let mut reached = BTreeSet::new();
    let mut missing = Vec::new();
    for reference in slice.references() {
        let Reference { entity_type, id } = reference;
        let kind = TaxonomyKind::ALL
            .into_iter()
            .find(|kind| kind.entity_type() == entity_type);
        match kind.map(|kind| (kind, layers.taxonomies().above(kind, id))) {
            Some((kind, Some(above))) => {
                reached.extend(above.iter().map(|name| (kind, name.as_ref())));
                reached.insert((kind, id));
            }
            None if is_listed_in_schema(entity_type) => {}
            None if present.contains(&reference) => {}
            Some((_, None)) | None => {
                missing.push(format!(
                    "entity `{}::\"{}\"` is missing",
                    entity_type.name(),
                    id.escape_debug()
                ));
            }
        }
    }
    if missing.is_empty() {
        Ok(reached)
    } else {
        Err(missing)
    }
}

/// Types whose members the schema lists; they have no entities, and validation checks the ids.
fn is_listed_in_schema(entity_type: Type) -> bool {
    matches!(
        entity_type,
        Type::AgreementState | Type::ErasureExtent | Type::Regime
    )
}

/// An error with its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let addition = error.to_string();
        if !text.contains(&addition) {
            text.push_str(": ");
            text.push_str(&addition);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_ledger::Layer;

    fn without<'a>(slice: &Slice<'a>, entity_type: Type) -> Slice<'a> {
        let mut fewer = slice.clone();
        fewer
            .entities
            .retain(|node| node.uid.entity_type != entity_type);
        assert_ne!(fewer, *slice);
        fewer
    }

    #[test]
    fn an_entity_missing_from_the_slice_is_undecided() {
        let layers = Layers::builtin();
        let (inquiry, now) = crate::cases::base();
        let slice = layers.slice(Asking::Transfer(&inquiry), now);
        assert_eq!(judge_slice(&layers, &slice).verdict, Verdict::Admissible);
        for entity_type in [
            Type::Party,
            Type::Observation,
            Type::Partnership,
            Type::Organization,
        ] {
            let answer = judge_slice(&layers, &without(&slice, entity_type));
            assert_eq!(answer.verdict, Verdict::Undecided);
            assert!(answer.layers.is_empty());
            assert!(!answer.errors.is_empty());
            let name = entity_type.name();
            let named = |error: &String| error.contains(name) && error.contains("missing");
            assert!(answer.errors.iter().all(named), "{:?}", answer.errors);
        }
    }

    #[test]
    fn cedar_alone_would_allow() {
        // A forbid that has nothing to read errs, is skipped, and leaves the permit.
        let text = "@id(\"all\") permit (principal, action, resource);\n\
            @id(\"not-suspended\") forbid (principal, action in Ambit::Action::\"transfer\", resource)\n\
            when { context.partnership.state == Ambit::AgreementState::\"suspended\" };";
        let profile = Profile::parse(Layer::Owner, text).unwrap();
        let layers = Layers::new(crate::Taxonomies::builtin(), [profile.clone()]).unwrap();
        let (inquiry, now) = crate::cases::base();
        let whole =
            Question::prepare(&layers, &layers.slice(Asking::Transfer(&inquiry), now)).unwrap();
        let request = whole
            .request(Some("urn:ambit:purpose:supplier-quality"))
            .unwrap();
        let kept = whole
            .entities
            .iter()
            .filter(|entity| entity.uid().type_name().to_string() != "Ambit::Partnership")
            .cloned();
        let fewer = Entities::from_entities(kept, None).unwrap();
        let response = Authorizer::new().is_authorized(&request, profile.policies(), &fewer);
        assert_eq!(response.decision(), cedar_policy::Decision::Allow);
        assert_eq!(ask(&profile, &request, &fewer).verdict, Verdict::Undecided);
    }

    #[test]
    fn what_the_schema_refuses_is_undecided() {
        fn add<'a>(record: &mut Record<'a>, name: &'a str, value: Value<'a>) {
            *record = std::mem::take(record).with(name, value);
        }
        let (inquiry, now) = crate::cases::base();
        let changes: [fn(&mut Slice<'_>); 4] = [
            |slice| {
                let attributes = &mut slice.entities[1].attributes;
                add(attributes, "unheardOf", Value::Bool(true));
            },
            |slice| {
                let attributes = &mut slice.entities[1].attributes;
                add(attributes, "tradeSecret", Value::text("no"));
            },
            |slice| add(&mut slice.context, "unheardOf", Value::Bool(true)),
            |slice| slice.action = "steal",
        ];
        for change in changes {
            let layers = Layers::builtin();
            let mut slice = layers.slice(Asking::Transfer(&inquiry), now);
            change(&mut slice);
            let answer = judge_slice(&layers, &slice);
            assert_eq!(answer.verdict, Verdict::Undecided);
            assert_eq!(answer.errors.len(), 1, "{:?}", answer.errors);
        }
    }

    /// What a holder that is not the owner is asked about.
    fn holding(inquiry: &Inquiry, legal_hold: bool) -> RetainInquiry {
        let holding = ambit_ledger::Holding {
            holder: inquiry.recipient.clone(),
            discloser: inquiry.discloser.clone(),
            footprint: inquiry.footprint.clone(),
            scope: inquiry.scope.clone(),
            limits: None,
            partnership: inquiry.partnership.clone(),
            hop: 0,
        };
        RetainInquiry {
            holding,
            legal_hold,
        }
    }

    #[test]
    fn a_certain_no_stands_whatever_another_layer_cannot_decide_but_erases_nothing() {
        let (inquiry, now) = crate::cases::base();
        let forbids = "@id(\"none\") forbid (principal, action, resource);";
        let broken = Layers::builtin().with_text(Layer::Owner, "this is no policy");
        let verdict = |layers: &Layers| {
            let decision = judge(layers, &inquiry, now).decision;
            let said = &decision.verdicts[0];
            assert_eq!(decision.verdict(), said.verdict);
            (said.verdict, said.layers.len())
        };
        let count = verdict(&broken).1;
        assert_eq!(verdict(&broken), (Verdict::Undecided, count));
        let forbidden = broken.with_text(Layer::Ip, forbids);
        assert_eq!(verdict(&forbidden), (Verdict::Withheld, count));
        let retain = |layers: &Layers| {
            judge_retain(layers, &holding(&inquiry, false), now)
                .decision
                .verdict
        };
        assert_eq!(retain(&forbidden), Verdict::Undecided);
        assert_eq!(
            retain(&Layers::builtin().with_text(Layer::Ip, forbids)),
            Verdict::Withheld
        );
    }

    #[test]
    fn a_layer_that_would_take_an_original_is_undecided() {
        let text = "@id(\"none\") forbid (principal, action, resource);";
        let profile = Profile::parse(Layer::Owner, text).unwrap();
        let layers = Layers::builtin().with_profile(profile).unwrap();
        let (mut inquiry, now) = crate::cases::base();
        let retain = |inquiry: &Inquiry, legal_hold| {
            judge_retain(&layers, &holding(inquiry, legal_hold), now)
                .decision
                .verdict
        };
        assert_eq!(retain(&inquiry, false), Verdict::Withheld);
        assert_eq!(retain(&inquiry, true), Verdict::Undecided);
        inquiry.recipient.organization = inquiry.footprint.owner.clone();
        assert_eq!(retain(&inquiry, false), Verdict::Undecided);
    }
}
