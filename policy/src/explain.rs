//! Explains a no: which part of which policy failed. Cedar itself gives no reason on default deny.

use crate::expression::clauses;
use crate::judge::{Question, judge};
use crate::layers::Layers;
use crate::profile::Profile;
use crate::schema::schema;
use crate::slice::Slice;
use ambit_ledger::{Inquiry, Layer, Purpose, Time, Verdict};
use cedar_policy::pst::{BinaryOp, Clause, Expr};
use cedar_policy::{Effect, EvalResult, Expression, Policy, Request, eval_expression};
use std::str::FromStr;

/// One policy that said no, or did not say yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The purpose asked for.
    pub purpose: Purpose,
    /// The layer.
    pub layer: Layer,
    /// The policy's id.
    pub policy: String,
    /// Whether it forbade; else it is a permit that did not apply.
    pub forbids: bool,
    /// The parts of its conditions that are not as they would have to be, as Cedar text.
    pub failed: Vec<String>,
}

/// For each purpose that is not admissible and each layer that withheld: the forbids that applied with the
/// parts of `unless` that failed, or, on default deny, each permit for this action with the parts of `when`
/// that failed. Empty where the inquiry could not be put; the decision then holds the errors.
#[must_use]
pub fn near_misses(layers: &Layers, inquiry: &Inquiry, now: Time) -> Vec<NearMiss> {
    let slice = Slice::of_inquiry(inquiry, now);
    let Ok(question) = Question::prepare(layers, &slice) else {
        return Vec::new();
    };
    let mut misses = Vec::new();
    for verdict in judge(layers, inquiry, now).decision.verdicts {
        let Ok(request) = question.request(Some(verdict.purpose.as_str())) else {
            continue;
        };
        for said in &verdict.layers {
            if said.verdict != Verdict::Withheld {
                continue;
            }
            let of_layer = layers
                .profiles()
                .find(|profile| profile.layer() == said.layer);
            let candidates = of_layer
                .into_iter()
                .flat_map(|profile| candidates(profile, &said.determining, &request));
            misses.extend(candidates.map(|policy| NearMiss {
                purpose: verdict.purpose.clone(),
                layer: said.layer,
                policy: policy.id().to_string(),
                forbids: policy.effect() == Effect::Forbid,
                failed: failed_parts(policy, &request, &question),
            }));
        }
    }
    misses
}

fn candidates<'a>(
    profile: &'a Profile,
    determining: &[String],
    request: &Request,
) -> Vec<&'a Policy> {
    let mut candidates: Vec<&Policy> = profile
        .policies()
        .policies()
        .filter(|policy| {
            if determining.is_empty() {
                policy.effect() == Effect::Permit && is_for(policy, request)
            } else {
                determining.contains(&policy.id().to_string())
            }
        })
        .collect();
    candidates.sort_by_key(|policy| policy.id().to_string());
    candidates
}

fn is_for(policy: &Policy, request: &Request) -> bool {
    policy
        .get_valid_request_envs(schema())
        .any(|environment| request.action() == Some(environment.action()))
}

/// The parts at the top level of `&&` that keep a permit from applying, or that would have lifted a forbid.
fn failed_parts(policy: &Policy, request: &Request, question: &Question) -> Vec<String> {
    let Ok(clauses) = clauses(policy) else {
        return Vec::new();
    };
    let mut failed = Vec::new();
    for clause in &clauses {
        let mut parts = Vec::new();
        match clause {
            Clause::When(condition) if policy.effect() == Effect::Permit => {
                conjuncts(condition, &mut parts);
                parts.retain(|part| !holds(part, request, question));
            }
            Clause::Unless(condition) if policy.effect() == Effect::Forbid => {
                conjuncts(condition, &mut parts);
                parts.retain(|part| !holds(part, request, question));
            }
            Clause::Unless(condition) => {
                parts.push(condition);
                parts.retain(|part| holds(part, request, question));
            }
            Clause::When(condition) => parts.push(condition),
        }
        failed.extend(parts.into_iter().map(ToString::to_string));
    }
    failed
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

/// A part that errs by itself, such as one that its neighbour guards, does not hold.
fn holds(part: &Expr, request: &Request, question: &Question) -> bool {
    Expression::from_str(&part.to_string()).is_ok_and(|expression| {
        let result = eval_expression(request, &question.entities, &expression);
        matches!(result, Ok(EvalResult::Bool(true)))
    })
}
