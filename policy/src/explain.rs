//! Explains a no: which part of which policy failed, and on what values. Cedar itself gives no reason on
//! default deny.

use crate::asking::Asking;
use crate::expression::clauses;
use crate::judge::{Question, judge};
use crate::layers::{Layers, Standing};
use crate::profile::Profile;
use crate::seen::{Saw, cut, saw};
use ambit_ledger::{Inquiry, Layer, LayerVerdict, Purpose, Time, Verdict};
use cedar_policy::pst::{BinaryOp, Clause, Expr};
use cedar_policy::{
    AuthorizationError, Authorizer, Effect, EvalResult, Expression, Policy, Request, Schema,
    eval_expression,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most policies named for one purpose and one layer: those with the fewest failed parts.
pub const NEAR_MISSES_MAX: usize = 8;

/// The most policies looked into for one purpose and one layer, and the most parts of one policy: a profile may have
/// many, and each part is evaluated by itself.
const LOOKED_INTO_MAX: usize = 64;

/// The longest text of a part, in characters. What is longer ends in `…`.
pub const PART_CHARS_MAX: usize = 600;

/// One policy that said no, did not say yes, or could not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The purpose asked for.
    pub purpose: Purpose,
    /// The layer.
    pub layer: Layer,
    /// The policy's id; the layer's name where the whole profile does not compile.
    pub policy: String,
    /// Whether it is a `forbid`; else it is a permit.
    pub forbids: bool,
    /// The error it ended in, which left the layer undecided; else it forbade, or is a permit that did not apply.
    pub error: Option<String>,
    /// The parts of its conditions that are not as they would have to be.
    pub failed: Vec<FailedPart>,
}

/// A part of a policy's conditions that is not as it would have to be for a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPart {
    /// Cedar text, at most [`PART_CHARS_MAX`] characters.
    pub text: String,
    /// Whether it holds, and must not; else it would have to hold, and does not.
    pub holds: bool,
    /// The values it read, at most [`SAW_MAX`](crate::SAW_MAX).
    pub saw: Vec<Saw>,
}

/// For each purpose that is not admissible and each layer that did not admit it: the forbids that applied with
/// the parts of their conditions, or, on default deny, the permits for this action with the parts of `when`
/// that failed, or the policies that ended in an error. Empty where the inquiry could not be put; the decision
/// then holds the errors.
#[must_use]
pub fn near_misses(layers: &Layers, inquiry: &Inquiry, now: Time) -> Vec<NearMiss> {
    let slice = layers.slice(Asking::Transfer(inquiry), now);
    let Ok(question) = Question::prepare(layers, &slice) else {
        return Vec::new();
    };
    let mut misses = Vec::new();
    for verdict in judge(layers, inquiry, now).decision.verdicts {
        let Ok(request) = question.request(Some(verdict.purpose.as_str())) else {
            continue;
        };
        for said in &verdict.layers {
            let standing = layers.standing().find(|(layer, _)| *layer == said.layer);
            match standing {
                Some((_, Standing::Compiled(profile))) => {
                    let asked = Asked {
                        request: &request,
                        question: &question,
                        schema: layers.schema(),
                    };
                    misses.extend(asked.of_layer(profile, said, &verdict.purpose));
                }
                Some((_, Standing::Broken(broken))) => misses.push(NearMiss {
                    purpose: verdict.purpose.clone(),
                    layer: said.layer,
                    policy: said.layer.name().to_owned(),
                    forbids: false,
                    error: Some(format!("the profile does not compile: {}", broken.error())),
                    failed: Vec::new(),
                }),
                None => {}
            }
        }
    }
    misses
}

/// One request, and all that it reads.
struct Asked<'a> {
    request: &'a Request,
    question: &'a Question<'a>,
    schema: &'a Schema,
}

impl Asked<'_> {
    fn of_layer(&self, profile: &Profile, said: &LayerVerdict, purpose: &Purpose) -> Vec<NearMiss> {
        let found = match said.verdict {
            Verdict::Admissible => Vec::new(),
            Verdict::Undecided if !said.errors.is_empty() => self.erring(profile),
            Verdict::Withheld | Verdict::Undecided => self
                .candidates(profile, &said.determining)
                .map(|policy| (policy, None))
                .collect(),
        };
        let mut misses: Vec<NearMiss> = found
            .into_iter()
            .take(LOOKED_INTO_MAX)
            .map(|(policy, error)| NearMiss {
                purpose: purpose.clone(),
                layer: said.layer,
                policy: policy.id().to_string(),
                forbids: policy.effect() == Effect::Forbid,
                failed: self.failed_parts(policy, error.is_some()),
                error,
            })
            .collect();
        misses.sort_by(|one, other| {
            (one.failed.len(), &one.policy).cmp(&(other.failed.len(), &other.policy))
        });
        misses.truncate(NEAR_MISSES_MAX);
        misses
    }

    /// The policies that determined the answer; on default deny, the permits for this action.
    fn candidates<'p>(
        &self,
        profile: &'p Profile,
        determining: &[String],
    ) -> impl Iterator<Item = &'p Policy> {
        profile.policies().policies().filter(move |policy| {
            if determining.is_empty() {
                policy.effect() == Effect::Permit && self.is_for(policy)
            } else {
                determining.contains(&policy.id().to_string())
            }
        })
    }

    fn is_for(&self, policy: &Policy) -> bool {
        policy
            .get_valid_request_envs(self.schema)
            .any(|environment| self.request.action() == Some(environment.action()))
    }

    fn erring<'p>(&self, profile: &'p Profile) -> Vec<(&'p Policy, Option<String>)> {
        let policies = profile.policies();
        let response =
            Authorizer::new().is_authorized(self.request, policies, &self.question.entities);
        response
            .diagnostics()
            .errors()
            .filter_map(|AuthorizationError::PolicyEvaluationError(error)| {
                let policy = policies.policy(error.policy_id())?;
                Some((policy, Some(error.inner().to_string())))
            })
            .collect()
    }

    /// The parts at the top level of `&&` that keep a permit from applying, that make a forbid apply, that
    /// would have lifted it, or that err.
    fn failed_parts(&self, policy: &Policy, errs: bool) -> Vec<FailedPart> {
        let Ok(clauses) = clauses(policy) else {
            return Vec::new();
        };
        let mut failed = Vec::new();
        for clause in &clauses {
            let (condition, must_hold) = match clause {
                Clause::When(condition) => (condition, policy.effect() == Effect::Permit),
                Clause::Unless(condition) => (condition, policy.effect() == Effect::Forbid),
            };
            let mut parts = Vec::new();
            conjuncts(condition, &mut parts);
            parts.truncate(LOOKED_INTO_MAX);
            let parts: Vec<(&Expr, State)> = parts
                .into_iter()
                .map(|part| (part, self.state(part)))
                .collect();
            failed.extend(
                if errs {
                    // Cedar goes from left to right, and no further than what does not hold.
                    let stops = parts.iter().find(|(_, state)| *state != State::Holds);
                    stops
                        .filter(|(_, state)| *state == State::Errs)
                        .into_iter()
                        .copied()
                        .collect()
                } else if must_hold {
                    unmet(&parts)
                } else if parts.iter().all(|(_, state)| *state == State::Holds) {
                    parts
                } else {
                    Vec::new()
                }
                .into_iter()
                .map(|(part, state)| FailedPart {
                    text: cut(&part.to_string(), PART_CHARS_MAX),
                    holds: state == State::Holds,
                    saw: saw(part, self.request, self.question),
                }),
            );
        }
        failed
    }

    fn state(&self, part: &Expr) -> State {
        let Ok(expression) = Expression::from_str(&part.to_string()) else {
            return State::Errs;
        };
        match eval_expression(self.request, &self.question.entities, &expression) {
            Ok(EvalResult::Bool(true)) => State::Holds,
            Ok(_) => State::Fails,
            Err(_) => State::Errs,
        }
    }
}

/// What a part says by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Holds,
    Fails,
    /// Such as one that its neighbour guards.
    Errs,
}

/// The parts that do not hold, without those that err only because one before them does not hold.
fn unmet<'a>(parts: &[(&'a Expr, State)]) -> Vec<(&'a Expr, State)> {
    let mut unmet: Vec<(&Expr, State)> = Vec::new();
    for (part, state) in parts {
        match state {
            State::Holds => {}
            State::Errs if !unmet.is_empty() => {}
            State::Fails | State::Errs => unmet.push((part, *state)),
        }
    }
    unmet
}

fn conjuncts<'a>(expression: &'a Expr, parts: &mut Vec<&'a Expr>) {
    match expression {
        Expr::BinaryOp {
            op: BinaryOp::And,
            left,
            right,
        } => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        other => parts.push(other),
    }
}
