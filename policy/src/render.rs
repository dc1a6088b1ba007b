//! Renders the partnership layer from an agreement's terms: the same text for the same terms, at every member.
//!
//! Values of the terms only ever become escaped string literals. Hand-written rules may only forbid.

use crate::agreement::RULES_MAX;
use crate::profile::{ProfileError, UNDECIDED_PREFIX, parse_named};
use ambit_ledger::{Assigned, ErasureExtent, PartnershipTerms, Time};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Why hand-written rules are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForbidsError {
    /// Not Cedar, or without ids. The place is one in the hand-written rules alone.
    #[error("failed to read the hand-written rules: {}", placed(.0))]
    Text(ProfileError),
    /// Rules that a partnership layer may not have, or that do not fit the rest of it. The place is one in the hand-written
    /// rules alone.
    #[error("the hand-written rules are refused: {}", placed(.0))]
    Refused(ProfileError),
    /// More than [`RULES_MAX`].
    #[error(
        "the agreement has {0} rules that are written by hand, and {RULES_MAX} at most are asked: make fewer of them"
    )]
    TooMany(usize),
    /// A rule that permits.
    #[error("the hand-written rule `{id}` permits: rules of an agreement may only forbid")]
    Permits {
        /// Its id.
        id: String,
    },
}

/// An error with its place as whoever wrote the rules counts lines.
fn placed(error: &ProfileError) -> String {
    let (place, message) = (error.position(), error.to_string());
    match message.strip_prefix(&format!("{place}: ")) {
        Some(rest) => format!("{place} of `forbids`: {rest}"),
        None => message,
    }
}

/// How one version of this program renders terms.
type Renderer = fn(&PartnershipTerms) -> Result<String, ForbidsError>;

/// The number of the newest renderer, which terms are declared with.
pub const RENDERER: u32 = 1;

/// Every renderer by its number. What was signed stays what it was: one that ever rendered terms stays.
const RENDERERS: [(u32, Renderer); 1] = [(RENDERER, render_1)];

/// The Cedar text of the partnership layer, by the newest renderer. Depends on nothing but the terms, and not on
/// `terms.profile`.
///
/// # Errors
/// Hand-written rules that do not parse, lack an id, or permit.
pub fn render(terms: &PartnershipTerms) -> Result<String, ForbidsError> {
    let [(_, newest)] = RENDERERS;
    newest(terms)
}

/// The text by the renderer that the terms name; `None` where this version does not have it.
///
/// # Errors
/// Hand-written rules that do not parse, lack an id, or permit.
pub fn render_as_stated(terms: &PartnershipTerms) -> Result<Option<String>, ForbidsError> {
    RENDERERS
        .iter()
        .find(|(number, _)| *number == terms.renderer)
        .map(|(_, renderer)| renderer(terms))
        .transpose()
}

fn render_1(terms: &PartnershipTerms) -> Result<String, ForbidsError> {
    let mut text = String::new();
    let subject = subject(terms);
    let transfers = if terms.onward_hops > 0 {
        r#"action in Ambit::Action::"transfer""#
    } else {
        r#"action in [Ambit::Action::"disclose", Ambit::Action::"admit"]"#
    };
    // An interval may end where the window does. Instants may not, and are told by where they begin: they never span
    // a minute, and the window ends on a whole one.
    let window = format!(
        "resource.observedFrom >= datetime({}) &&\n  resource.observedFrom < datetime({}) &&\n  \
         resource.observedTo <= datetime({})",
        instant(terms.observed_from),
        instant(terms.observed_until),
        instant(terms.observed_until)
    );
    let conditions = [
        subject.clone(),
        window,
        purposes(terms),
        format!("context.now < datetime({})", instant(terms.until)),
        format!(
            "resource.scope.notAfter <= datetime({})",
            instant(terms.until)
        ),
        format!("context.retentionDays <= {}", terms.retention_days),
        format!("context.hop <= {}", terms.onward_hops),
        format!("resource.scope.onwardHops <= {}", terms.onward_hops),
        erasure(terms),
        derived(terms),
    ];
    policy(
        &mut text,
        "partnership-transfer",
        "Ambit::Party",
        transfers,
        &conditions,
    );

    lease(&mut text, terms);

    // What is held or used is asked about as long as it is held, so after the window's disclosures ended.
    let retain = format!(
        "context.legalHold ||\n  principal.organization == resource.owner ||\n  ({})",
        is_partnership(terms)
    );
    let one = |action: &str| format!("action == Ambit::Action::\"{action}\"");
    policy(
        &mut text,
        "partnership-retain",
        "Ambit::Party",
        &one("retain"),
        &[retain],
    );
    let use_conditions = [subject.clone(), purposes(terms)];
    policy(
        &mut text,
        "partnership-use",
        "Ambit::Agent",
        &one("use"),
        &use_conditions,
    );
    if let Some(terms) = &terms.derived {
        let recipients = list(terms.recipients.iter().map(|id| organization(id.as_str())));
        let only = format!("{recipients}.containsAll(context.output.scope.recipients)");
        let conditions = [subject, only];
        policy(
            &mut text,
            "partnership-derive",
            "Ambit::Party",
            &one("derive"),
            &conditions,
        );
    }
    if let Some(forbids) = &terms.forbids {
        check_forbids(forbids)?;
        text.push('\n');
        text.push_str(forbids);
        text.push('\n');
    }
    Ok(text)
}

/// A lease that ran out is a doubt, not a no: it may be renewed. After the end of the agreement there is none.
fn lease(text: &mut String, terms: &PartnershipTerms) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n@id(\"{UNDECIDED_PREFIX}lease\")\nforbid (principal is Ambit::Party, \
         action in Ambit::Action::\"transfer\", resource is Ambit::Observation)\n\
         when {{\n  {} &&\n  context.partnership.leaseUntil <= context.now &&\n  \
         context.now < context.partnership.until\n}};\n",
        is_partnership(terms)
    );
}

/// How many rules a text has that was written by hand; none where it cannot be read.
#[must_use]
pub fn rule_count(forbids: &str) -> usize {
    parse_named(forbids).map_or(0, |rules| rules.len())
}

fn check_forbids(text: &str) -> Result<(), ForbidsError> {
    let rules = parse_named(text).map_err(ForbidsError::Text)?;
    if rules.len() > RULES_MAX {
        return Err(ForbidsError::TooMany(rules.len()));
    }
    match rules.into_iter().find(|rule| !rule.forbids()) {
        Some(rule) => Err(ForbidsError::Permits { id: rule.id }),
        None => Ok(()),
    }
}

fn policy(text: &mut String, id: &str, principal: &str, action: &str, conditions: &[String]) {
    let conditions: Vec<&str> = conditions
        .iter()
        .map(String::as_str)
        .filter(|condition| !condition.is_empty())
        .collect();
    let separator = if text.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{separator}@id(\"{id}\")\npermit (principal is {principal}, {action}, resource is Ambit::Observation)\n\
         when {{\n  {}\n}};\n",
        conditions.join(" &&\n  ")
    );
}

/// What every action has in common: this agreement, its members, its program, its parts, its classes.
fn subject(terms: &PartnershipTerms) -> String {
    let members = list(
        terms
            .member_ids()
            .iter()
            .map(|id| organization(id.as_str())),
    );
    let classes = list(
        terms
            .data_classes
            .iter()
            .map(|class| format!("Ambit::DataClass::{}", string(class.as_str()))),
    );
    let mut conditions = vec![
        is_partnership(terms),
        format!("{members}.contains(principal.organization)"),
    ];
    conditions.push(match &terms.program {
        Some(program) => format!(
            "resource has program && resource.program == {}",
            assigned(program)
        ),
        None => "!(resource has program)".to_owned(),
    });
    if !terms.parts.is_empty() {
        let parts = list(terms.parts.iter().map(|agreed| assigned(&agreed.part)));
        conditions.push(format!(
            "resource has part && {parts}.contains(resource.part)"
        ));
    }
    conditions.push(format!("resource.dataClass in {classes}"));
    conditions.join(" &&\n  ")
}

fn is_partnership(terms: &PartnershipTerms) -> String {
    format!(
        "context.partnership == Ambit::Partnership::{}",
        string(terms.partnership.as_str())
    )
}

fn purposes(terms: &PartnershipTerms) -> String {
    let purposes = list(
        terms
            .purposes
            .iter()
            .map(|purpose| format!("Ambit::Purpose::{}", string(purpose.as_str()))),
    );
    format!("context.purpose in {purposes}")
}

fn erasure(terms: &PartnershipTerms) -> String {
    match terms.erasure {
        ErasureExtent::Readings => String::new(),
        ErasureExtent::All => r#"resource.scope.erasure == Ambit::ErasureExtent::"all""#.to_owned(),
    }
}

/// Which classes and purposes lie within the terms is checked on the scope itself, with the taxonomies.
fn derived(terms: &PartnershipTerms) -> String {
    match &terms.derived {
        None => "!(resource.scope has derived)".to_owned(),
        Some(terms) => format!(
            "(if resource.scope has derived\n   then {}.containsAll(resource.scope.derived.recipients)\n   else true)",
            list(terms.recipients.iter().map(|id| organization(id.as_str())))
        ),
    }
}

fn assigned(pair: &Assigned) -> String {
    format!(
        "{{assigner: {}, value: {}}}",
        organization(pair.assigner.as_str()),
        string(pair.value.as_str())
    )
}

fn organization(id: &str) -> String {
    format!("Ambit::Organization::{}", string(id))
}

fn list(elements: impl Iterator<Item = String>) -> String {
    let elements: BTreeSet<String> = elements.collect();
    let elements: Vec<String> = elements.into_iter().collect();
    format!("[{}]", elements.join(", "))
}

/// RFC 3339 as Cedar reads it: whole seconds or three digits, rounded down.
fn instant(time: Time) -> String {
    let millis = Time::from_millis(time.as_millis()).unwrap_or(time);
    let text = millis.to_string();
    let text = text.trim_end_matches('Z');
    match text.split_once('.') {
        Some((seconds, fraction)) => string(&format!("{seconds}.{fraction:0<3}Z")),
        None => string(&format!("{text}Z")),
    }
}

/// A Cedar string literal. Whatever is no letter, digit or plain ASCII is escaped, so that nothing in it can
/// end the literal or look like something else to a reader.
fn string(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            ' '..='~' => literal.push(character),
            _ if character.is_alphanumeric() => literal.push(character),
            _ => literal.extend(character.escape_unicode()),
        }
    }
    literal.push('"');
    literal
}
