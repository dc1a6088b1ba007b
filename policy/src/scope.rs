//! Scopes: the widest that an agreement and the owner's limits allow, and every way one can be too wide.
//!
//! Terms only narrow: from limits and agreement to disclosure, from disclosure to forwarding.

use crate::taxonomy::Taxonomies;
use ambit_ledger::{
    DataClass, DerivedTerms, ErasureExtent, Facts, Limits, OrganizationId, PartnershipTerms,
    Purpose, RecordDigest, Scope, Time,
};
use std::collections::BTreeSet;

/// What a scope was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The partnership's agreement.
    Agreement,
    /// The owner's limits.
    Limits,
    /// The disclosure it was forwarded from.
    Parent,
}

impl std::fmt::Display for Bound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Agreement => "the agreement",
            Self::Limits => "the owner's limits",
            Self::Parent => "the disclosure it was forwarded from",
        })
    }
}

/// How a scope is wider than it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Widening {
    /// It is for nobody.
    #[error("the scope names no recipient")]
    NoRecipient,
    /// It is for nothing.
    #[error("the scope names no purpose")]
    NoPurpose,
    /// A recipient outside the bound.
    #[error("recipient `{0}` is outside {1}")]
    Recipient(OrganizationId, Bound),
    /// A purpose outside the bound.
    #[error("purpose `{0}` is outside {1}")]
    Purpose(Purpose, Bound),
    /// May be disclosed for longer.
    #[error("the scope may be disclosed until {0}, longer than {1} allows")]
    NotAfter(Time, Bound),
    /// May be held for longer.
    #[error("the scope may be held until {0}, longer than {1} allows")]
    HoldUntil(Time, Bound),
    /// Must be kept for longer than it may be held.
    #[error("the scope must be kept until {keep_until}, but may be held only until {hold_until}")]
    KeepUntil {
        /// Retention at least.
        keep_until: Time,
        /// Retention at most.
        hold_until: Time,
    },
    /// Erasure takes less.
    #[error("erasure takes only the readings, where {0} takes all")]
    Erasure(Bound),
    /// May be passed on more often.
    #[error("the scope may be passed on {0} times, more often than {1} allows")]
    OnwardHops(u32, Bound),
    /// Terms for derived data where there are none.
    #[error("the scope has terms for derived data, and {0} has none")]
    Derived(Bound),
    /// Derived data may become more.
    #[error("derived data may become `{0}`, which is outside {1}")]
    DerivedClass(DataClass, Bound),
    /// Derived data for more recipients.
    #[error("derived data may go to `{0}`, which is outside {1}")]
    DerivedRecipient(OrganizationId, Bound),
    /// Derived data for more purposes.
    #[error("derived data may serve `{0}`, which is outside {1}")]
    DerivedPurpose(Purpose, Bound),
    /// Derived data in another way.
    #[error("derived data may {0}, which {1} does not allow")]
    DerivedMore(&'static str, Bound),
    /// A recipient under another record than it was judged under.
    #[error("recipient `{0}` is named under another record than in {1}")]
    Record(OrganizationId, Bound),
    /// It may outlive what it was derived from.
    #[error("the scope may outlive its inputs, where {0} ends with them")]
    OutlivesInputs(Bound),
    /// Others are named though it may not be passed on to them.
    #[error("the scope names `{0}` too, and may not be passed on to anybody")]
    NamedInVain(OrganizationId),
    /// It says what no agreement gives it.
    #[error("the scope says `{0}`, which the agreement does not give it")]
    NotGiven(&'static str),
}

/// The widest scope of the owner's own disclosure that agreement and limits allow, at `now`.
///
/// It asks for every purpose that both allow; none where they have none in common. It names the recipient alone:
/// with onward hops, [`name_members`] finds out who else may be named. A trade secret is never passed on; like all
/// else it is derived from only within what the owner's limits say of derived data.
#[must_use]
pub fn scope_for(
    terms: &PartnershipTerms,
    limits: &Limits,
    facts: &Facts,
    recipient: &OrganizationId,
    taxonomies: &Taxonomies,
    now: Time,
) -> Scope {
    let onward_hops = if facts.trade_secret {
        0
    } else {
        terms.onward_hops.min(limits.onward_hops)
    };
    let held = now.start_of_day().plus_days(terms.retention_days);
    let derived = terms.derived.as_ref().zip(limits.derived.as_ref());
    Scope {
        recipients: [recipient.clone()].into(),
        purposes: common_purposes(&terms.purposes, &limits.purposes, taxonomies),
        not_after: terms.until.min(limits.not_after),
        hold_until: held.min(limits.hold_until),
        records: BTreeSet::new(),
        keep_until: None,
        erasure: terms.erasure,
        onward_hops,
        derived: derived.and_then(|(one, other)| common_derived(one, other, taxonomies)),
        falls_with_inputs: false,
    }
}

/// Widens a scope with onward hops to the members who may be named in it, and narrows its purposes to those for which
/// they may: a recipient that passes it on must not do for the owner what the owner's own layers forbid.
///
/// `ask` judges the owner's disclosure to one organization under the given scope, with all of the owner's layers, and
/// gives the purposes that were admitted. It is asked of the recipient, then of each other member but the owner, and a
/// member is named only if every purpose admitted for the recipient is admitted for it, with nobody else named. Without
/// hops nobody is asked, and the scope is left as it is.
///
/// # Errors
/// Whatever `ask` fails with.
pub fn name_members<Failure>(
    scope: Scope,
    terms: &PartnershipTerms,
    owner: &OrganizationId,
    recipient: &OrganizationId,
    mut ask: impl FnMut(&OrganizationId, &Scope) -> Result<BTreeSet<Purpose>, Failure>,
) -> Result<Scope, Failure> {
    if scope.onward_hops == 0 {
        return Ok(scope);
    }
    let for_one = |member: &OrganizationId, purposes: &BTreeSet<Purpose>| Scope {
        recipients: [recipient.clone(), member.clone()].into(),
        purposes: purposes.clone(),
        ..scope.clone()
    };
    let admitted = ask(recipient, &for_one(recipient, &scope.purposes))?;
    if admitted.is_empty() {
        return Ok(scope);
    }
    let mut recipients = BTreeSet::from([recipient.clone()]);
    for member in terms.member_ids() {
        if member == *owner || member == *recipient {
            continue;
        }
        if ask(&member, &for_one(&member, &admitted))? == admitted {
            recipients.insert(member);
        }
    }
    // Where nobody else is named, every purpose is asked for, so that each no is on record.
    let purposes = if recipients.len() > 1 {
        admitted
    } else {
        scope.purposes
    };
    Ok(Scope {
        recipients,
        purposes,
        ..scope
    })
}

/// What both allow of derived data; nothing where they have no class, no recipient or no purpose in common.
fn common_derived(
    one: &DerivedTerms,
    other: &DerivedTerms,
    taxonomies: &Taxonomies,
) -> Option<DerivedTerms> {
    let narrower = |one: &DerivedTerms, other: &DerivedTerms| -> Vec<DataClass> {
        let is_within = |class: &&DataClass| {
            other
                .data_classes
                .iter()
                .any(|outer| taxonomies.class_is_within(class, outer))
        };
        one.data_classes.iter().filter(is_within).cloned().collect()
    };
    let data_classes: BTreeSet<DataClass> = narrower(one, other)
        .into_iter()
        .chain(narrower(other, one))
        .collect();
    let recipients: BTreeSet<OrganizationId> = one
        .recipients
        .intersection(&other.recipients)
        .cloned()
        .collect();
    let purposes = common_purposes(&one.purposes, &other.purposes, taxonomies);
    // Absent is the widest an instant can be, and the narrowest for hops.
    let earlier = |one: Option<Time>, other: Option<Time>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let is_empty = data_classes.is_empty() || recipients.is_empty() || purposes.is_empty();
    (!is_empty).then_some(DerivedTerms {
        data_classes,
        recipients,
        purposes,
        not_after: earlier(one.not_after, other.not_after),
        hold_until: earlier(one.hold_until, other.hold_until),
        onward_hops: one.onward_hops.min(other.onward_hops),
        again: one.again && other.again,
        outlives_inputs: one.outlives_inputs && other.outlives_inputs,
    })
}

/// The purposes of each side that lie within the other.
fn common_purposes(
    left: &BTreeSet<Purpose>,
    right: &BTreeSet<Purpose>,
    taxonomies: &Taxonomies,
) -> BTreeSet<Purpose> {
    let narrower = |one: &BTreeSet<Purpose>, other: &BTreeSet<Purpose>| -> Vec<Purpose> {
        one.iter()
            .filter(|purpose| is_within_any(purpose, other, taxonomies))
            .cloned()
            .collect()
    };
    narrower(left, right)
        .into_iter()
        .chain(narrower(right, left))
        .collect()
}

fn is_within_any(purpose: &Purpose, bounds: &BTreeSet<Purpose>, taxonomies: &Taxonomies) -> bool {
    bounds
        .iter()
        .any(|bound| taxonomies.purpose_is_within(purpose, bound))
}

/// Checks the scope of an owner's own disclosure against the agreement, as its receiver does.
///
/// # Errors
/// The first [`Widening`].
pub fn check_scope(
    terms: &PartnershipTerms,
    scope: &Scope,
    issued_at: Time,
    taxonomies: &Taxonomies,
) -> Result<(), Widening> {
    let members = terms.member_ids();
    let outer = Outer {
        bound: Bound::Agreement,
        recipients: Some(&members),
        records: None,
        falls_with_inputs: false,
        purposes: &terms.purposes,
        not_after: terms.until,
        hold_until: issued_at.start_of_day().plus_days(terms.retention_days),
        erasure: Some(terms.erasure),
        onward_hops: terms.onward_hops,
        derived: terms.derived.as_ref(),
    };
    outer.check(scope, taxonomies)?;
    check_given(scope)
}

/// The owner's own disclosure says nothing that neither agreement nor limits give: what [`scope_for`] leaves out, and
/// others beside the recipient where nothing is passed on.
fn check_given(scope: &Scope) -> Result<(), Widening> {
    let given = [
        (scope.keep_until.is_none(), "keep_until"),
        (!scope.falls_with_inputs, "falls_with_inputs"),
        (scope.records.is_empty(), "records"),
    ];
    if let Some((_, field)) = given.iter().find(|(is_absent, _)| !is_absent) {
        return Err(Widening::NotGiven(field));
    }
    match scope.recipients.iter().nth(1) {
        Some(other) if scope.onward_hops == 0 => Err(Widening::NamedInVain(other.clone())),
        _ => Ok(()),
    }
}

/// Checks a scope against the owner's limits.
///
/// # Errors
/// The first [`Widening`].
pub fn check_within_limits(
    scope: &Scope,
    limits: &Limits,
    taxonomies: &Taxonomies,
) -> Result<(), Widening> {
    let outer = Outer {
        bound: Bound::Limits,
        recipients: None,
        records: None,
        falls_with_inputs: false,
        purposes: &limits.purposes,
        not_after: limits.not_after,
        hold_until: limits.hold_until,
        erasure: None,
        onward_hops: limits.onward_hops,
        derived: limits.derived.as_ref(),
    };
    outer.check(scope, taxonomies)
}

/// Checks a forwarder's scope against the scope under which it holds the data.
///
/// # Errors
/// The first [`Widening`].
pub fn check_within_parent(
    child: &Scope,
    parent: &Scope,
    taxonomies: &Taxonomies,
) -> Result<(), Widening> {
    let outer = Outer {
        bound: Bound::Parent,
        recipients: Some(&parent.recipients),
        records: Some(&parent.records),
        falls_with_inputs: parent.falls_with_inputs,
        purposes: &parent.purposes,
        not_after: parent.not_after,
        hold_until: parent.hold_until,
        erasure: Some(parent.erasure),
        onward_hops: parent.onward_hops,
        derived: parent.derived.as_ref(),
    };
    outer.check(child, taxonomies)
}

/// What a scope must lie within; `None` where the bound says nothing.
struct Outer<'a> {
    bound: Bound,
    recipients: Option<&'a BTreeSet<OrganizationId>>,
    records: Option<&'a BTreeSet<RecordDigest>>,
    falls_with_inputs: bool,
    purposes: &'a BTreeSet<Purpose>,
    not_after: Time,
    hold_until: Time,
    erasure: Option<ErasureExtent>,
    onward_hops: u32,
    derived: Option<&'a DerivedTerms>,
}

impl Outer<'_> {
    fn check(&self, scope: &Scope, taxonomies: &Taxonomies) -> Result<(), Widening> {
        let bound = self.bound;
        if scope.recipients.is_empty() {
            return Err(Widening::NoRecipient);
        }
        if scope.purposes.is_empty() {
            return Err(Widening::NoPurpose);
        }
        let recipients = self.recipients.unwrap_or(&scope.recipients);
        if let Some(other) = scope.recipients.difference(recipients).next() {
            return Err(Widening::Recipient(other.clone(), bound));
        }
        let records = self.records.unwrap_or(&scope.records);
        if let Some(other) = scope.records.difference(records).next() {
            return Err(Widening::Record(other.organization.clone(), bound));
        }
        if self.falls_with_inputs && !scope.falls_with_inputs {
            return Err(Widening::OutlivesInputs(bound));
        }
        for purpose in &scope.purposes {
            if !is_within_any(purpose, self.purposes, taxonomies) {
                return Err(Widening::Purpose(purpose.clone(), bound));
            }
        }
        if scope.not_after > self.not_after {
            return Err(Widening::NotAfter(scope.not_after, bound));
        }
        if scope.hold_until > self.hold_until {
            return Err(Widening::HoldUntil(scope.hold_until, bound));
        }
        if let Some(keep_until) = scope.keep_until.filter(|keep| *keep > scope.hold_until) {
            let hold_until = scope.hold_until;
            return Err(Widening::KeepUntil {
                keep_until,
                hold_until,
            });
        }
        if self.erasure == Some(ErasureExtent::All) && scope.erasure != ErasureExtent::All {
            return Err(Widening::Erasure(bound));
        }
        if scope.onward_hops > self.onward_hops {
            return Err(Widening::OnwardHops(scope.onward_hops, bound));
        }
        match (&scope.derived, self.derived) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Widening::Derived(bound)),
            (Some(inner), Some(outer)) => check_derived(inner, outer, bound, taxonomies),
        }
    }
}

fn check_derived(
    inner: &DerivedTerms,
    outer: &DerivedTerms,
    bound: Bound,
    taxonomies: &Taxonomies,
) -> Result<(), Widening> {
    for class in &inner.data_classes {
        let is_within = |outer: &DataClass| taxonomies.class_is_within(class, outer);
        if !outer.data_classes.iter().any(is_within) {
            return Err(Widening::DerivedClass(class.clone(), bound));
        }
    }
    if let Some(other) = inner.recipients.difference(&outer.recipients).next() {
        return Err(Widening::DerivedRecipient(other.clone(), bound));
    }
    for purpose in &inner.purposes {
        if !is_within_any(purpose, &outer.purposes, taxonomies) {
            return Err(Widening::DerivedPurpose(purpose.clone(), bound));
        }
    }
    // Absent is the widest an instant can be, and the narrowest for hops.
    let is_later = |inner: Option<Time>, outer: Option<Time>| {
        outer.is_some_and(|outer| inner.is_none_or(|inner| inner > outer))
    };
    let more = [
        (
            is_later(inner.not_after, outer.not_after),
            "be disclosed for longer",
        ),
        (
            is_later(inner.hold_until, outer.hold_until),
            "be held for longer",
        ),
        (
            inner.onward_hops > outer.onward_hops,
            "be passed on more often",
        ),
        (inner.again && !outer.again, "be derived from again"),
        (
            inner.outlives_inputs && !outer.outlives_inputs,
            "outlive its inputs",
        ),
    ];
    match more.into_iter().find(|(is_more, _)| *is_more) {
        Some((_, what)) => Err(Widening::DerivedMore(what, bound)),
        None => Ok(()),
    }
}
