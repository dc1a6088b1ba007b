//! Case tables: what a profile is expected to answer, as JSON beside it.

use crate::asking::Asking;
use crate::judge::judge_slice;
use crate::layers::{Layers, LayersError};
use crate::profile::Profile;
use crate::taxonomy::Taxonomies;
use ambit_ledger::{
    Action, DeriveInquiry, DerivedOutput, Holding, Inquiry, Jurisdiction, Layer, Name, Purpose,
    RetainInquiry, Time, UseInquiry, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

/// The table of a layer's default profile. That of the partnership layer is for the agreement rendered in the tests.
#[must_use]
pub const fn default_cases(layer: Layer) -> &'static str {
    match layer {
        Layer::Sticky => include_str!("../profiles/sticky.cases.json"),
        Layer::Partnership => include_str!("../profiles/partnership.cases.json"),
        Layer::Ip => include_str!("../profiles/ip.cases.json"),
        Layer::Regulatory => include_str!("../profiles/regulatory.cases.json"),
        Layer::Owner => include_str!("../profiles/owner.cases.json"),
        Layer::TradeSecret => include_str!("../profiles/trade-secret.cases.json"),
    }
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The case's name.
    pub name: String,
    /// Which transfer it asks about; absent where it asks about what is held.
    pub action: Option<Action>,
    /// The answer expected.
    pub expected: Verdict,
    /// The policies expected to determine it, sorted; absent where any may.
    pub expected_determining: Option<Vec<String>>,
    /// The answer.
    pub verdict: Verdict,
    /// The policies that determined it, sorted.
    pub determining: Vec<String>,
    /// Errors, sorted.
    pub errors: Vec<String>,
}

impl CaseOutcome {
    /// Whether the answer is the expected one, by the expected policies.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.verdict == self.expected
            && self
                .expected_determining
                .as_ref()
                .is_none_or(|expected| *expected == self.determining)
    }
}

/// Why a table can't be run.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// Not a table.
    #[error("failed to read the cases")]
    Shape(#[source] serde_json::Error),
    /// A change makes no inquiry.
    #[error("failed to read case `{name}`")]
    Case {
        /// The case's name.
        name: String,
        /// What the reader says.
        #[source]
        source: serde_json::Error,
    },
    /// The profile does not go with the taxonomies.
    #[error("failed to put the layer together")]
    Layers(#[source] LayersError),
    /// A table without a case proves nothing.
    #[error("the table has no case")]
    Empty,
}

/// `{"change": PATCH, "cases": [{"name", "change": PATCH, "expect", "by": [ID…]}]}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    change: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    change: Value,
    expect: Verdict,
    #[serde(default)]
    by: Option<Vec<String>>,
}

/// What is asked: an inquiry at an instant, and where `keeping` is there, that instead of a transfer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    now: Time,
    inquiry: Inquiry,
    #[serde(default)]
    keeping: Option<Keeping>,
}

/// What a holder does with what it has. The holder, the facts, the terms and the agreement are the inquiry's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Keeping {
    Retain {
        legal_hold: bool,
    },
    Derive {
        purpose: Purpose,
        output: DerivedOutput,
        declassified: bool,
    },
    Use {
        purpose: Purpose,
        agent: Name,
        nationality: Jurisdiction,
    },
}

/// A question that owns what it is about.
enum Put {
    Transfer(Inquiry),
    Retain(RetainInquiry),
    Derive(DeriveInquiry),
    Use(UseInquiry),
}

impl Put {
    fn of(inquiry: Inquiry, keeping: Option<Keeping>) -> Self {
        let Some(keeping) = keeping else {
            return Self::Transfer(inquiry);
        };
        let holding = Holding {
            holder: inquiry.recipient,
            discloser: inquiry.discloser,
            footprint: inquiry.footprint,
            scope: inquiry.scope,
            limits: None,
            partnership: inquiry.partnership,
            hop: inquiry.hop,
        };
        match keeping {
            Keeping::Retain { legal_hold } => Self::Retain(RetainInquiry {
                holding,
                legal_hold,
            }),
            Keeping::Derive {
                purpose,
                output,
                declassified,
            } => Self::Derive(DeriveInquiry {
                holding,
                purpose,
                output,
                declassified,
            }),
            Keeping::Use {
                purpose,
                agent,
                nationality,
            } => Self::Use(UseInquiry {
                holding,
                purpose,
                agent,
                nationality,
            }),
        }
    }

    fn asking(&self) -> Asking<'_> {
        match self {
            Self::Transfer(inquiry) => Asking::Transfer(inquiry),
            Self::Retain(retention) => Asking::Retain(retention),
            Self::Derive(derivation) => Asking::Derive(derivation),
            Self::Use(usage) => Asking::Use(usage),
        }
    }
}

/// Runs a table against one profile.
///
/// Every case changes the same base inquiry (a supplier discloses inspection results to its customer), by
/// the table's change and then its own, each a JSON merge patch (RFC 7396) over
/// `{"now", "inquiry", "keeping"}`; times are RFC 3339. The first purpose is asked about.
///
/// # Errors
/// Any [`CasesError`].
pub fn run_cases(
    profile: &Profile,
    taxonomies: &Taxonomies,
    cases: &str,
) -> Result<Vec<CaseOutcome>, CasesError> {
    let table: Table = serde_json::from_str(cases).map_err(CasesError::Shape)?;
    if table.cases.is_empty() {
        return Err(CasesError::Empty);
    }
    let mut base: Value =
        serde_json::from_str(include_str!("../profiles/base.json")).map_err(CasesError::Shape)?;
    merge(&mut base, &table.change);
    let layers = Layers::new(taxonomies.clone(), [profile.clone()]).map_err(CasesError::Layers)?;
    table
        .cases
        .into_iter()
        .map(|case| run_case(&layers, &base, case))
        .collect()
}

fn run_case(layers: &Layers, base: &Value, case: Case) -> Result<CaseOutcome, CasesError> {
    let mut asked = base.clone();
    merge(&mut asked, &case.change);
    let asked: Asked = serde_json::from_value(asked).map_err(|source| CasesError::Case {
        name: case.name.clone(),
        source,
    })?;
    let put = Put::of(asked.inquiry, asked.keeping);
    let action = match &put {
        Put::Transfer(inquiry) => Some(inquiry.action),
        Put::Retain(_) | Put::Derive(_) | Put::Use(_) => None,
    };
    let slice = layers.slice(put.asking(), asked.now);
    let answer = judge_slice(layers, &slice);
    let mut determining = Vec::new();
    let mut errors = answer.errors;
    for layer in answer.layers {
        determining.extend(layer.determining);
        errors.extend(layer.errors);
    }
    let by = case.by.map(|mut by| {
        by.sort();
        by
    });
    Ok(CaseOutcome {
        name: case.name,
        action,
        expected: case.expect,
        expected_determining: by,
        verdict: answer.verdict,
        determining,
        errors,
    })
}

/// JSON merge patch (RFC 7396): objects merge, null removes, all else replaces. No change is no patch.
fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return;
    };
    for (key, change) in patch {
        match change {
            Value::Null => {
                target.remove(key);
            }
            Value::Object(_) => {
                let inner = target
                    .entry(key.clone())
                    .or_insert_with(|| Value::Object(Default::default()));
                if !inner.is_object() {
                    *inner = Value::Object(Default::default());
                }
                merge(inner, change);
            }
            _ => {
                target.insert(key.clone(), change.clone());
            }
        }
    }
}

/// The inquiry that all cases change, and its instant.
#[cfg(test)]
pub(crate) fn base() -> (Inquiry, Time) {
    let asked: Asked = serde_json::from_str(include_str!("../profiles/base.json")).unwrap();
    (asked.inquiry, asked.now)
}
