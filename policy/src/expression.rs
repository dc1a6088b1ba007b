//! Looks into the expressions of a policy: which instants it compares, and whether it does so in a way that
//! leaves it computable until when an answer stays true.

use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, UnaryOp, Var};
use cedar_policy::{
    Context, Entities, EntityUid, EvalResult, Expression, Policy, Request, eval_expression,
};
use std::collections::BTreeSet;
use std::str::FromStr;

/// What is wrong with an expression.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A literal that is no whole minute, where observed time is compared.
    FineWindow(String),
    /// An instant used in another way than compared.
    Instant(String),
    /// More than a bound allows.
    TooMuch(String),
}

const MILLIS_PER_MINUTE: i64 = 60_000;

/// The instants a policy names, in milliseconds since the epoch.
pub(crate) fn examine(policy: &Policy) -> Result<Vec<i64>, Finding> {
    let mut instants = Vec::new();
    for clause in clauses(policy)? {
        let (Clause::When(condition) | Clause::Unless(condition)) = &clause;
        walk(condition, &mut instants)?;
    }
    Ok(instants)
}

/// What policies name of entities and the context.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// All attributes that are taken or asked for, of whatever.
    pub(crate) attributes: BTreeSet<String>,
    /// All tags.
    pub(crate) tags: BTreeSet<String>,
}

impl Names {
    /// Adds what a policy names.
    pub(crate) fn add(&mut self, policy: &Policy) -> Result<(), Finding> {
        for clause in clauses(policy)? {
            let (Clause::When(condition) | Clause::Unless(condition)) = &clause;
            self.collect(condition);
        }
        Ok(())
    }

    fn collect(&mut self, expression: &Expr) {
        match expression {
            Expr::GetAttr { expr, attr } => {
                self.attributes.insert(attr.to_string());
                self.collect(expr);
            }
            Expr::HasAttr { expr, attrs } => {
                self.attributes
                    .extend(attrs.iter().map(ToString::to_string));
                self.collect(expr);
            }
            Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => self.collect(expr),
            Expr::BinaryOp { op, left, right } => {
                if let (BinaryOp::GetTag | BinaryOp::HasTag, Expr::Literal(Literal::String(tag))) =
                    (op, &**right)
                {
                    self.tags.insert(tag.to_string());
                }
                self.collect(left);
                self.collect(right);
            }
            Expr::Is { expr, in_expr, .. } => {
                self.collect(expr);
                in_expr.iter().for_each(|within| self.collect(within));
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => [cond, then_expr, else_expr]
                .into_iter()
                .for_each(|part| self.collect(part)),
            Expr::Set(elements) => elements.iter().for_each(|part| self.collect(part)),
            Expr::Record(pairs) => pairs.values().for_each(|part| self.collect(part)),
            // `examine` refuses every kind that is not named there.
            _ => {}
        }
    }
}

/// The `when` and `unless` clauses of a policy.
pub(crate) fn clauses(policy: &Policy) -> Result<Vec<Clause>, Finding> {
    policy
        .to_pst()
        .map(|policy| policy.body().clauses().clone())
        .map_err(|error| Finding::Instant(format!("the policy can't be examined: {error}")))
}

fn walk(expression: &Expr, instants: &mut Vec<i64>) -> Result<(), Finding> {
    match expression {
        Expr::Literal(_) | Expr::Slot(_) => Ok(()),
        // The record as a whole holds the clock.
        Expr::Var(Var::Context) => Err(Finding::Instant(
            "`context` may only be used with one of its attributes, as in `context.purpose`".into(),
        )),
        Expr::Var(_) => Ok(()),
        Expr::UnaryOp {
            op: UnaryOp::Datetime,
            expr,
        } => {
            instants.push(literal_millis(expr)?);
            Ok(())
        }
        Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => walk(expr, instants),
        Expr::BinaryOp { op, left, right } if is_comparison(*op) => {
            compare(left, right, instants)?;
            compare(right, left, instants)
        }
        Expr::BinaryOp { left, right, .. } => {
            walk(left, instants)?;
            walk(right, instants)
        }
        Expr::GetAttr { expr, attr } => {
            if watched(attr).is_some() {
                return Err(Finding::Instant(format!(
                    "`{attr}` may only be compared directly, as in `context.now < resource.scope.notAfter` \
                     or `resource.observedFrom >= datetime(\"2026-01-01\")`"
                )));
            }
            walk_base(expr, instants)
        }
        Expr::HasAttr { expr, .. } => walk_base(expr, instants),
        Expr::Is { expr, in_expr, .. } => {
            walk(expr, instants)?;
            in_expr.iter().try_for_each(|within| walk(within, instants))
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [cond, then_expr, else_expr]
            .into_iter()
            .try_for_each(|part| walk(part, instants)),
        Expr::Set(elements) => elements.iter().try_for_each(|part| walk(part, instants)),
        Expr::Record(pairs) => pairs.values().try_for_each(|part| walk(part, instants)),
        // `Expr` may grow: what is not known here may hold an instant.
        other => Err(Finding::Instant(format!(
            "`{other}` is of a kind that is not supported"
        ))),
    }
}

/// What an attribute is taken of: there `context` itself is harmless.
fn walk_base(expression: &Expr, instants: &mut Vec<i64>) -> Result<(), Finding> {
    match expression {
        Expr::Var(_) => Ok(()),
        other => walk(other, instants),
    }
}

/// One side of a comparison, given the other.
fn compare(side: &Expr, other: &Expr, instants: &mut Vec<i64>) -> Result<(), Finding> {
    match (side_kind(side), other) {
        (Some(Watched::Now), _) if is_plain_instant(other) => Ok(()),
        (Some(Watched::Now), _) => Err(Finding::Instant(
            "`now` may only be compared with `datetime(\"…\")` or with an attribute such as \
             `resource.scope.notAfter`"
                .into(),
        )),
        (
            Some(Watched::Observed),
            Expr::UnaryOp {
                op: UnaryOp::Datetime,
                expr,
            },
        ) => {
            if literal_millis(expr)? % MILLIS_PER_MINUTE == 0 {
                Ok(())
            } else {
                Err(Finding::FineWindow(other.to_string()))
            }
        }
        (Some(Watched::Observed), _) => Err(Finding::Instant(
            "observed time may only be compared with `datetime(\"…\")` on a whole minute".into(),
        )),
        (None, _) => walk(side, instants),
    }
}

enum Watched {
    Now,
    Observed,
}

fn watched(attribute: &str) -> Option<Watched> {
    match attribute {
        "now" => Some(Watched::Now),
        "observedFrom" | "observedTo" => Some(Watched::Observed),
        _ => None,
    }
}

fn side_kind(expression: &Expr) -> Option<Watched> {
    match expression {
        Expr::GetAttr { expr, attr } if matches!(**expr, Expr::Var(_)) => watched(attr),
        _ => None,
    }
}

/// A literal, or attributes and tags taken of a variable, one of another.
fn is_plain_instant(expression: &Expr) -> bool {
    match expression {
        Expr::UnaryOp {
            op: UnaryOp::Datetime,
            ..
        } => true,
        Expr::GetAttr { expr, attr } => watched(attr).is_none() && is_plain_path(expr),
        _ => false,
    }
}

fn is_plain_path(expression: &Expr) -> bool {
    match expression {
        Expr::Var(_) => true,
        Expr::GetAttr { expr, attr } => watched(attr).is_none() && is_plain_path(expr),
        Expr::BinaryOp {
            op: BinaryOp::GetTag,
            left,
            right,
        } => is_plain_path(left) && matches!(**right, Expr::Literal(Literal::String(_))),
        _ => false,
    }
}

const fn is_comparison(operator: BinaryOp) -> bool {
    matches!(
        operator,
        BinaryOp::Eq
            | BinaryOp::NotEq
            | BinaryOp::Less
            | BinaryOp::LessEq
            | BinaryOp::Greater
            | BinaryOp::GreaterEq
    )
}

/// Asks Cedar itself what an instant's text means.
fn literal_millis(argument: &Expr) -> Result<i64, Finding> {
    let unreadable = || Finding::Instant(format!("`datetime({argument})` is no literal instant"));
    let Expr::Literal(Literal::String(_)) = argument else {
        return Err(unreadable());
    };
    let text =
        format!("datetime({argument}).durationSince(datetime(\"1970-01-01\")).toMilliseconds()");
    let expression = Expression::from_str(&text).map_err(|_| unreadable())?;
    let nobody: EntityUid = "Nobody::\"\"".parse().map_err(|_| unreadable())?;
    let request = Request::new(
        nobody.clone(),
        nobody.clone(),
        nobody,
        Context::empty(),
        None,
    )
    .map_err(|_| unreadable())?;
    match eval_expression(&request, &Entities::empty(), &expression) {
        Ok(EvalResult::Long(millis)) => Ok(millis),
        _ => Err(unreadable()),
    }
}
