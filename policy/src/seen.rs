//! What an expression saw: the values of the attributes and tags that it names, as people write them.
//!
//! It must never grow with what it looks at: values, and how many of them, are bounded.

use crate::judge::Question;
use ambit_ledger::Time;
use cedar_policy::pst::{BinaryOp, Expr, Var};
use cedar_policy::{EvalResult, Expression, Request, eval_expression};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;

/// The most values shown of one part of a policy; a policy names few attributes, some of them often.
pub const SAW_MAX: usize = 16;

/// The longest value, in characters. What is longer ends in `…`.
pub const VALUE_CHARS_MAX: usize = 240;

/// An attribute or a tag that a policy named, and what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saw {
    /// What it named, as Cedar text, such as `resource.dataClass`.
    pub expression: String,
    /// The value: strings and ids bare, instants as RFC 3339, sets in brackets, records in braces; `absent`
    /// where there was none. At most [`VALUE_CHARS_MAX`] characters.
    pub value: String,
}

/// What each attribute and tag in an expression is, in the order it names them, each once.
pub(crate) fn saw(expression: &Expr, request: &Request, question: &Question<'_>) -> Vec<Saw> {
    let mut chains = Vec::new();
    collect(expression, &mut chains);
    let mut all: Vec<Saw> = Vec::new();
    for chain in chains {
        let expression = chain.to_string();
        if all.len() == SAW_MAX || all.iter().any(|saw| saw.expression == expression) {
            continue;
        }
        let value = value_of(&expression, request, question);
        all.push(Saw { expression, value });
    }
    all
}

fn value_of(expression: &str, request: &Request, question: &Question<'_>) -> String {
    let Ok(parsed) = Expression::from_str(expression) else {
        return "unreadable".to_owned();
    };
    match eval_expression(request, &question.entities, &parsed) {
        Ok(value) => cut(&shown(&value), VALUE_CHARS_MAX),
        // Everything else was checked before: only an attribute or a tag can be missing.
        Err(_) => "absent".to_owned(),
    }
}

/// The longest chains of attributes and tags taken of a variable.
fn collect(expression: &Expr, chains: &mut Vec<Expr>) {
    match expression {
        // The other variables say nothing by themselves: the resource has no name, the context is all there is.
        Expr::Var(Var::Principal) => chains.push(expression.clone()),
        Expr::GetAttr { expr, .. } => {
            if is_chain(expression) {
                chains.push(expression.clone());
            } else {
                collect(expr, chains);
            }
        }
        Expr::HasAttr { expr, attrs } if is_chain(expr) => {
            let whole = attrs.iter().fold((**expr).clone(), |expr, attr| {
                let (expr, attr) = (Arc::new(expr), attr.clone());
                Expr::GetAttr { expr, attr }
            });
            chains.push(whole);
        }
        Expr::BinaryOp {
            op: BinaryOp::GetTag | BinaryOp::HasTag,
            left,
            right,
        } if is_chain(left) => {
            let (left, right) = (Arc::clone(left), Arc::clone(right));
            collect(&right, chains);
            let op = BinaryOp::GetTag;
            chains.push(Expr::BinaryOp { op, left, right });
        }
        Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } | Expr::HasAttr { expr, .. } => {
            collect(expr, chains);
        }
        Expr::BinaryOp { left, right, .. } => {
            collect(left, chains);
            collect(right, chains);
        }
        Expr::Is { expr, in_expr, .. } => {
            collect(expr, chains);
            in_expr.iter().for_each(|within| collect(within, chains));
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [cond, then_expr, else_expr]
            .into_iter()
            .for_each(|part| collect(part, chains)),
        Expr::Set(elements) => elements.iter().for_each(|part| collect(part, chains)),
        Expr::Record(pairs) => pairs.values().for_each(|part| collect(part, chains)),
        // Literals have no values but their own; no profile is taken with an expression of another kind.
        _ => {}
    }
}

fn is_chain(expression: &Expr) -> bool {
    match expression {
        Expr::Var(_) => true,
        Expr::GetAttr { expr, .. } => is_chain(expr),
        Expr::BinaryOp {
            op: BinaryOp::GetTag,
            left,
            ..
        } => is_chain(left),
        _ => false,
    }
}

fn shown(value: &EvalResult) -> String {
    match value {
        EvalResult::Bool(value) => value.to_string(),
        EvalResult::Long(value) => value.to_string(),
        EvalResult::String(text) => text.clone(),
        EvalResult::EntityUid(uid) => AsRef::<str>::as_ref(uid.id()).to_owned(),
        EvalResult::Set(elements) => {
            let elements: Vec<String> = elements.iter().map(shown).collect();
            format!("[{}]", elements.join(", "))
        }
        EvalResult::Record(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        EvalResult::ExtensionValue(text) => shown_extension(text),
    }
}

/// `datetime("…")` as RFC 3339; what else there is, by its own text.
fn shown_extension(text: &str) -> String {
    let argument = text
        .strip_prefix("datetime(\"")
        .and_then(|rest| rest.strip_suffix("\")"));
    match argument {
        Some(instant) => {
            Time::from_str(instant).map_or_else(|_| instant.to_owned(), |time| time.to_string())
        }
        None => text.to_owned(),
    }
}

/// At most so many characters, with `…` for what is left out.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::pst::Clause;
    use cedar_policy::{Context, Entities, EntityUid, Policy};

    fn chains(condition: &str) -> Vec<String> {
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        let policy = Policy::from_str(&text).unwrap();
        let clauses = crate::expression::clauses(&policy).unwrap();
        let mut chains = Vec::new();
        for clause in &clauses {
            let (Clause::When(condition) | Clause::Unless(condition)) = clause;
            collect(condition, &mut chains);
        }
        chains.iter().map(ToString::to_string).collect()
    }

    fn value(expression: &str) -> String {
        let nobody: EntityUid = "Nobody::\"\"".parse().unwrap();
        let request = Request::new(
            nobody.clone(),
            nobody.clone(),
            nobody,
            Context::empty(),
            None,
        );
        let expression = Expression::from_str(expression).unwrap();
        let entities = Entities::empty();
        shown(&eval_expression(&request.unwrap(), &entities, &expression).unwrap())
    }

    #[test]
    fn the_longest_chains_are_taken() {
        assert_eq!(
            chains("context.partnership.program == resource.program"),
            ["context.partnership.program", "resource.program"]
        );
        assert_eq!(
            chains("!(resource.scope.recipients.isEmpty()) || principal in resource.a"),
            ["resource.scope.recipients", "principal", "resource.a"]
        );
        assert_eq!(
            chains("resource has scope.keepUntil && [resource.a, {b: context.b}].contains(1)"),
            ["resource.scope.keepUntil", "resource.a", "context.b"]
        );
        assert_eq!(
            chains("principal.hasTag(\"iso\") && principal.getTag(\"iso\").notAfter == resource"),
            [
                "principal.getTag(\"iso\")",
                "principal.getTag(\"iso\").notAfter"
            ]
        );
        assert_eq!(
            chains("(if context.a then resource.b else resource.c).d like \"x*\""),
            ["context.a", "resource.b", "resource.c"]
        );
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        for (expression, expected) in [
            ("\"plant-1\"", "plant-1"),
            ("true", "true"),
            ("731", "731"),
            ("Ambit::DataClass::\"toolpath\"", "toolpath"),
            ("[\"b\", \"a\"]", "[a, b]"),
            ("[]", "[]"),
            (
                "{value: \"F99\", assigner: A::\"x\"}",
                "{assigner: x, value: F99}",
            ),
            (
                "datetime(\"2026-05-01T08:00:00.500Z\")",
                "2026-05-01T08:00:00.5Z",
            ),
            ("datetime(\"2026-05-01\")", "2026-05-01"),
        ] {
            assert_eq!(value(expression), expected);
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
