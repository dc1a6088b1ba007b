//! Bounds on the text of a profile. Cedar's parser and validator have none of their own, and rules come from
//! partners: 1.4 KB of them, one conditional within the other, would keep the validator busy for ever.

use crate::expression::Finding;
use crate::position::Position;
use crate::profile::ProfileError;
use ambit_ledger::IDENTIFIER_BYTES_MAX;
use cedar_policy::pst::{BinaryOp, Clause, Expr};

/// The longest profile, in bytes: as long as one entry of the ledger, in which partners' rules arrive.
pub const PROFILE_BYTES_MAX: usize = ambit_ledger::ITEM_BYTES_MAX;

/// The most policies of one profile: each is asked every time.
pub const POLICIES_MAX: usize = 256;

/// The deepest nesting of brackets. Cedar's parser descends one stack frame or more for each.
pub const PROFILE_NESTING_MAX: usize = 32;

/// The most characters of operators (`&&` has two) and conditionals in one policy: Cedar descends for each
/// link of a chain.
pub const POLICY_LINKS_MAX: usize = 500;

/// The most conditionals around one expression. The validator puts the branch that is always taken in the place of
/// the other and looks through both, so that each one more doubles its work.
pub const CONDITIONALS_MAX: usize = 8;

/// The most conditionals in one policy.
pub const POLICY_CONDITIONALS_MAX: usize = 16;

/// The most expressions in the conditions of one policy, literals in sets included.
pub const POLICY_EXPRESSIONS_MAX: usize = 4_096;

/// The most steps in which all policies of a profile are asked once, and those of an agreement for all its purposes. A step is
/// about a tenth of a microsecond, so that no decision takes longer than some hundredths of a second.
pub const STEPS_MAX: usize = 131_072;

/// How many steps the evaluation of one character of a pattern takes: it may be compared with each of the longest text.
const PATTERN_STEPS: usize = IDENTIFIER_BYTES_MAX / 200;

/// How many steps it takes to hold what is asked about against something, where that may be a set of all there is: of all
/// countries, or of all purposes and members of an agreement.
const WIDE_STEPS: usize = 128;
/// How many steps each comparison of such a thing takes while a set of them is put in order.
const ORDER_STEPS: usize = 64;

/// Bounds what the parser has to descend into, before it does.
pub(crate) fn check_text(text: &str) -> Result<(), ProfileError> {
    if text.len() > PROFILE_BYTES_MAX {
        return Err(ProfileError::TooLong(text.len()));
    }
    let mut depth = 0_usize;
    let mut links = 0_usize;
    let mut word = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        links += usize::from(word == "if");
        word.clear();
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '&' | '|' | '.' | '+' | '-' | '*' | '!' => links += 1,
            ';' => links = 0,
            '"' => skip_string(&mut characters),
            '/' if characters.peek().is_some_and(|(_, next)| *next == '/') => {
                while characters
                    .next_if(|(_, next)| !matches!(next, '\n' | '\r'))
                    .is_some()
                {}
            }
            _ => {}
        }
        if depth > PROFILE_NESTING_MAX || links > POLICY_LINKS_MAX {
            let at = Position::at(text, offset);
            return Err(ProfileError::TooDeep { at });
        }
    }
    Ok(())
}

fn skip_string(characters: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    while let Some((_, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '"' => return,
            _ => {}
        }
    }
}

/// Bounds what the validator has to go through, before it does. Gives the steps in which all is evaluated at most: one for each
/// expression, and those of its patterns and comparisons.
pub(crate) fn check_clauses(clauses: &[Clause]) -> Result<usize, Finding> {
    let mut counted = Counted::default();
    for clause in clauses {
        let (Clause::When(condition) | Clause::Unless(condition)) = clause;
        count(condition, 0, &mut counted)?;
    }
    Ok(counted.expressions + counted.pattern * PATTERN_STEPS + counted.compared)
}

/// Bounds in how many steps all policies up to one are evaluated.
pub(crate) fn check_steps(steps: usize) -> Result<(), Finding> {
    if steps <= STEPS_MAX {
        return Ok(());
    }
    Err(Finding::TooMuch(format!(
        "up to here the policies take more than {STEPS_MAX} steps, one for each expression, {PATTERN_STEPS} for each character of a \
         pattern and {WIDE_STEPS} where sets are compared: make fewer of them, or shorter patterns"
    )))
}

/// The steps that an operator takes beside the expressions that it stands between.
fn compared(op: &BinaryOp, left: &Expr, right: &Expr) -> usize {
    let is_wide = match op {
        BinaryOp::ContainsAll | BinaryOp::ContainsAny => true,
        BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::Contains | BinaryOp::In => {
            !is_written(left) && !is_written(right)
        }
        _ => false,
    };
    if is_wide { WIDE_STEPS } else { 0 }
}

/// Whether a value is written in the policy, so that its expressions are all it takes.
fn is_written(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(_) => true,
        Expr::Set(elements) => elements.iter().all(|element| is_written(element)),
        Expr::Record(pairs) => pairs.values().all(|value| is_written(value)),
        _ => false,
    }
}

/// What one policy has.
#[derive(Default)]
struct Counted {
    expressions: usize,
    conditionals: usize,
    /// Characters and wildcards in patterns.
    pattern: usize,
    /// Steps that comparisons take beside.
    compared: usize,
}

fn count(expression: &Expr, conditionals: usize, counted: &mut Counted) -> Result<(), Finding> {
    counted.expressions += 1;
    if counted.expressions > POLICY_EXPRESSIONS_MAX {
        return Err(Finding::TooMuch(format!(
            "more than {POLICY_EXPRESSIONS_MAX} expressions: split it into several"
        )));
    }
    if conditionals > CONDITIONALS_MAX {
        return Err(Finding::TooMuch(format!(
            "more than {CONDITIONALS_MAX} conditionals within each other: split it into several"
        )));
    }
    match expression {
        Expr::Like { pattern, .. } => counted.pattern += pattern.len(),
        Expr::BinaryOp { op, left, right } => counted.compared += compared(op, left, right),
        Expr::Set(elements) => {
            let wide = elements.iter().filter(|element| !is_written(element));
            let count = wide.count();
            let each = ORDER_STEPS * (1 + count.checked_ilog2().unwrap_or(0) as usize);
            counted.compared += count * each;
        }
        _ => {}
    }
    let mut inner = |part: &Expr| count(part, conditionals, counted);
    match expression {
        Expr::UnaryOp { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. } => inner(expr),
        Expr::BinaryOp { left, right, .. } => {
            inner(left)?;
            inner(right)
        }
        Expr::Is { expr, in_expr, .. } => {
            inner(expr)?;
            in_expr.iter().try_for_each(|within| inner(within))
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            counted.conditionals += 1;
            if counted.conditionals > POLICY_CONDITIONALS_MAX {
                return Err(Finding::TooMuch(format!(
                    "more than {POLICY_CONDITIONALS_MAX} conditionals: split it into several"
                )));
            }
            [cond, then_expr, else_expr]
                .into_iter()
                .try_for_each(|part| count(part, conditionals + 1, counted))
        }
        Expr::Set(elements) => elements.iter().try_for_each(|part| inner(part)),
        Expr::Record(pairs) => pairs.values().try_for_each(|part| inner(part)),
        // Variables and literals hold nothing; no profile is taken with an expression of another kind.
        _ => Ok(()),
    }
}
