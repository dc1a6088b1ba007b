//! `ambit why`: which part of which policy says no, and what it saw; or on what terms an observation is held.

use super::backend::Backend;
use super::exit::Exit;
use super::get::held_past;
use super::output::{Format, OutputOption, note};
use super::table::{or_none, pairs, shown, table};
use crate::failure::Failure;
use crate::holding::{
    AskGrounds, AskWhy, DeterminingPolicy, Grounds, Holding, LayerAnswer, Outcome, PolicyAnswer,
    PurposeAnswer, RecipientAnswer, Says, Why,
};
use crate::platform::Suggestion;
use ambit_ledger::{ErasureExtent, OrganizationId, Purpose, Verdict};
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

/// Which observation to judge, and for whom.
#[derive(Clone, Debug, Args)]
pub struct WhyArguments {
    /// The start of its id
    pub id: String,
    /// For which organization; without it, on what terms the observation is held here, or whom it goes to
    #[arg(long, value_name = "ORG")]
    pub to: Option<OrganizationId>,
    #[command(flatten)]
    pub output: OutputOption,
}

pub(super) fn why(home: &Path, arguments: &WhyArguments) -> Result<Exit, Failure> {
    let backend = Backend::open(home)?;
    let id = arguments.id.clone();
    let Some(to) = arguments.to.clone() else {
        let grounds = backend.ask(AskGrounds { id })?;
        arguments.output.print(&grounds, grounds_text)?;
        arguments.hint(grounds_hint(&grounds, &arguments.id));
        return Ok(Exit::Done);
    };
    let answers = backend.ask(AskWhy { id, to })?;
    arguments
        .output
        .print(&answers, |answers| answers_text(answers))?;
    if answers
        .iter()
        .any(|answer| answer.verdict == Verdict::Admissible)
    {
        return Ok(Exit::Done);
    }
    for hint in attest_hints(&answers) {
        arguments.hint(Some(hint));
    }
    arguments.hint(Some(answers_hint(&answers, &arguments.id)));
    Ok(Exit::NotAdmissible)
}

impl WhyArguments {
    /// Programs read no hints.
    fn hint(&self, hint: Option<String>) {
        if let (Some(hint), Format::Table) = (hint, self.output.output) {
            note(format!("hint: {}", shown(&hint)));
        }
    }
}

fn answers_hint(answers: &[Why], id: &str) -> String {
    if answers.iter().all(|answer| answer.unasked.is_some()) {
        let why = Suggestion::new("why").operand(id);
        format!("{why} shows on what terms it is held here, or whom it goes to")
    } else {
        let get = Suggestion::new("get").operand(id);
        format!("{get} shows the facts that these policies read")
    }
}

/// How to mend what is missing where a policy that says no asks for what is attested. Each once.
fn attest_hints(answers: &[Why]) -> Vec<String> {
    let mut hints = Vec::new();
    for answer in answers {
        let to = &answer.to;
        let layers = answer.purposes.iter().flat_map(|purpose| &purpose.layers);
        for policy in layers.flat_map(|layer| &layer.near_misses) {
            let name = &policy.policy;
            let attestations = policy.asks_for.iter().map(|what| {
                let attest = Suggestion::new("attest")
                    .operand(to)
                    .option("--as", what)
                    .words("--number NUMBER --until DATE");
                format!("`{name}` asks for `{what}`: once you found it in the register, {attest}")
            });
            let licence = match &answer.licence {
                _ if !policy.asks_for_licence => None,
                Some(number) => Some(format!(
                    "`{name}` takes the licence `{number}`, which the facts name: once it was granted, {}; the recipient \
                     takes the same in",
                    Suggestion::new("attest")
                        .operand(to)
                        .words("--as export-licence")
                        .option("--number", number)
                        .words("--until DATE --regime REGIME --authority ORGANIZATION --item ITEM --destination COUNTRY")
                )),
                None => Some(format!(
                    "`{name}` would take a licence, and the facts name none: `licence` under export_control names it where \
                     data are collected"
                )),
            };
            hints.extend(
                attestations
                    .chain(licence)
                    .filter(|hint| !hints.contains(hint))
                    .collect::<Vec<_>>(),
            );
        }
    }
    hints
}

fn grounds_hint(grounds: &Grounds, id: &str) -> Option<String> {
    if !grounds.held.is_empty() {
        let get = Suggestion::new("get").operand(id);
        return Some(format!("{get} shows its facts and its readings"));
    }
    if grounds.recipients.is_empty() {
        let hint = "no partnership in force has another member; `ambit partner list` shows the partnerships";
        return Some(hint.to_owned());
    }
    let is_withheld = |answer: &&Why| answer.verdict != Verdict::Admissible;
    let answer = grounds.recipients.iter().find(is_withheld)?;
    let why = Suggestion::new("why")
        .operand(id)
        .option("--to", &answer.to);
    Some(format!(
        "{why} shows why it does not go there under `{}`",
        answer.partnership
    ))
}

fn answers_text(answers: &[Why]) -> String {
    let texts: Vec<String> = answers.iter().map(one_answer).collect();
    texts.join("\n")
}

fn one_answer(answer: &Why) -> String {
    let mut rows = vec![
        ("observation", answer.observation.to_string()),
        ("to", answer.to.to_string()),
        ("partnership", answer.partnership.to_string()),
        ("verdict now", answer.verdict.to_string()),
        ("recorded", recorded(answer)),
    ];
    if answer.may_be_offered {
        let offer = format!(
            "it was withheld on grounds that are no longer in force: {} offers it again",
            Suggestion::new("partner offer").operand(&answer.partnership)
        );
        rows.push(("offer again", offer));
    }
    if let Some(besides) = admissible_besides(answer) {
        rows.push(("not disclosed", besides));
    }
    if let Some(unasked) = &answer.unasked {
        rows.push(("not asked", unasked.to_string()));
    }
    let mut text = Text(pairs(rows));
    let mut rest: Vec<&PurposeAnswer> = answer.purposes.iter().collect();
    while let Some(first) = rest.first().copied() {
        let is_same = |other: &PurposeAnswer| {
            (other.verdict, &other.layers, &other.errors)
                == (first.verdict, &first.layers, &first.errors)
        };
        let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|other| is_same(other));
        let purposes: Vec<&str> = same.iter().map(|answer| answer.purpose.as_str()).collect();
        text.purpose(&purposes.join(", "), first);
        rest = others;
    }
    text.0
}

/// The purposes that are admissible now.
fn admissible(answer: &Why) -> BTreeSet<Purpose> {
    let admitted = answer.purposes.iter();
    admitted
        .filter(|answer| answer.verdict == Verdict::Admissible)
        .map(|answer| answer.purpose.clone())
        .collect()
}

/// The purposes that are admissible now, and that it was not disclosed for.
fn admissible_besides(answer: &Why) -> Option<String> {
    let recorded = answer.recorded.as_ref();
    let recorded = recorded.filter(|recorded| recorded.outcome == Outcome::Disclosed)?;
    let admissible = admissible(answer);
    let besides: Vec<&Purpose> = admissible.difference(&recorded.purposes).collect();
    if besides.is_empty() {
        return None;
    }
    let answer = recorded.answer.as_ref();
    if answer.is_some_and(|answer| answer.comes_again) {
        return Some(format!(
            "for {}, though that is admissible now: it goes for that too once the recipient asks for it again",
            list(besides)
        ));
    }
    Some(format!(
        "for {}, though that is admissible now: under one agreement an observation is disclosed once, and this one was before \
         that; an agreement under another name carries it for that too",
        list(besides)
    ))
}

fn recorded(answer: &Why) -> String {
    let Some(recorded) = &answer.recorded else {
        return "nothing yet".to_owned();
    };
    let mut said = recorded.outcome.name().to_owned();
    // Otherwise than what is admissible now.
    if recorded.outcome == Outcome::Disclosed && recorded.purposes != admissible(answer) {
        said.push_str(&format!(" for {}", list(&recorded.purposes)));
    }
    said.push_str(&format!(", in entry {}", recorded.entry));
    if recorded.is_offered_again {
        said.push_str("; offered again since");
    }
    match &recorded.answer {
        None => said,
        Some(RecipientAnswer {
            entry, code: None, ..
        }) => {
            format!("{said}; taken in by the recipient, in entry {entry}")
        }
        Some(RecipientAnswer {
            entry,
            code: Some(code),
            comes_again,
            is_kept_back,
        }) => {
            let comes_again = if *is_kept_back {
                "; asked for again, and kept back here as long as the layers of this node do not admit what they did"
            } else if *comes_again {
                "; offered again once its grounds have changed"
            } else {
                ""
            };
            format!("{said}; not taken in by the recipient ({code}), in entry {entry}{comes_again}")
        }
    }
}

/// Lines below each other, each further in than what it belongs to.
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, text: impl Display) {
        let indent = "  ".repeat(depth);
        self.0
            .push_str(&format!("{indent}{}\n", shown(&text.to_string())));
    }

    fn purpose(&mut self, purposes: &str, answer: &PurposeAnswer) {
        self.0.push('\n');
        self.line(0, format!("for {purposes}: {}", answer.verdict));
        if answer.verdict == Verdict::Admissible {
            self.line(1, "every layer admits it");
        }
        for error in &answer.errors {
            self.line(1, format!("nothing can be asked, because a fact or a term does not fit the policies: {error}"));
        }
        for layer in &answer.layers {
            self.layer(layer);
        }
    }

    fn layer(&mut self, answer: &LayerAnswer) {
        self.line(1, format!("{}: {}", answer.layer, answer.verdict));
        for policy in &answer.near_misses {
            self.policy(policy);
        }
        let is_named = |policy: &str| answer.near_misses.iter().any(|near| near.policy == policy);
        let others = answer.policies.iter();
        for DeterminingPolicy { policy, forbids } in others.filter(|other| !is_named(&other.policy))
        {
            let says = if *forbids { "forbidden" } else { "permitted" };
            self.line(2, format!("{policy}: {says}"));
        }
        if answer.unnamed > 0 {
            self.line(
                2,
                format!(
                    "and {} more, which are not recorded by name",
                    answer.unnamed
                ),
            );
        }
        if answer.near_misses.is_empty() {
            for error in &answer.errors {
                self.line(2, error);
            }
            if answer.policies.is_empty() && answer.errors.is_empty() {
                self.line(2, "no policy permits it");
            }
        }
    }

    fn policy(&mut self, answer: &PolicyAnswer) {
        let says = match answer.says {
            Says::Forbidden => "forbidden",
            Says::NotPermitted => "not permitted",
            Says::Undecided => "undecided",
        };
        match &answer.error {
            Some(error) => self.line(2, format!("{}: {says}: {error}", answer.policy)),
            None => self.line(2, format!("{}: {says}", answer.policy)),
        }
        if answer.failed.is_empty() && answer.says == Says::Forbidden {
            self.line(3, "always");
        }
        for part in &answer.failed {
            let state = match (part.holds, answer.says) {
                (true, _) => "holds",
                (false, Says::Undecided) => "fails",
                (false, Says::Forbidden | Says::NotPermitted) => "does not hold",
            };
            self.line(3, format!("{state}: {}", part.text));
            for saw in &part.saw {
                self.line(4, format!("saw: {} = {}", saw.expression, saw.value));
            }
        }
    }
}

fn grounds_text(grounds: &Grounds) -> String {
    let mut rows = vec![
        ("observation", grounds.observation.to_string()),
        ("signed by", grounds.origin.to_string()),
        ("entry", grounds.entry.to_string()),
    ];
    if let Some((first, more)) = grounds.held.split_first() {
        rows.extend(holding_rows(first));
        let more = more.iter().map(|held| pairs(holding_rows(held)));
        let all: Vec<String> = std::iter::once(pairs(rows)).chain(more).collect();
        return all.join("\n");
    }
    let header = ["to", "partnership", "verdict", "recorded", "because"];
    let recipients = table(
        &header,
        grounds.recipients.iter().map(|answer| {
            vec![
                answer.to.to_string(),
                answer.partnership.to_string(),
                answer.verdict.to_string(),
                recorded(answer),
                because(answer),
            ]
        }),
    );
    if recipients.is_empty() {
        rows.push(("goes to", "nobody".to_owned()));
        return pairs(rows);
    }
    format!("{}\n{recipients}", pairs(rows))
}

fn holding_rows(held: &Holding) -> Vec<(&'static str, String)> {
    let until = held.hold_until.to_string();
    let hold_until = if held.is_past {
        held_past(&until)
    } else {
        until
    };
    let pass_on = if held.onward_hops == 0 {
        "no".to_owned()
    } else {
        format!(
            "{} times at most, to {}, before {}",
            held.onward_hops,
            list(&held.recipients),
            held.not_after
        )
    };
    let derive = held.derived.as_ref().map_or_else(
        || "no".to_owned(),
        |derived| {
            format!(
                "{}; for {}; for {}",
                list(&derived.data_classes),
                list(&derived.recipients),
                list(&derived.purposes)
            )
        },
    );
    let erasure = match held.erasure {
        ErasureExtent::Readings => "the readings; the facts stay as evidence",
        ErasureExtent::All => "the readings and the facts",
    };
    let decision = match held.decision_entry {
        Some(entry) => format!("{}, in entry {entry}", held.decision),
        None => held.decision.to_string(),
    };
    let mut rows = vec![
        (
            "disclosed by",
            format!("{}, at {}", held.discloser, held.disclosed_at),
        ),
        ("partnership", held.partnership.to_string()),
        ("edition", held.edition.to_string()),
        ("hold until", hold_until),
        ("keep until", or_none(held.keep_until.as_ref())),
        ("erasure takes", erasure.to_owned()),
        ("purposes", list(&held.purposes)),
    ];
    if !held.purposes_not_admitted.is_empty() {
        rows.push(("not admitted", list(&held.purposes_not_admitted)));
    }
    rows.extend([
        ("pass on", pass_on),
        ("derive", derive),
        ("decision", decision),
    ]);
    rows
}

fn list<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    or_none(Some(all.join(", ")).filter(|text| !text.is_empty()))
}

/// The reason in one line: the purposes it is admissible for, or the layers that say no.
fn because(answer: &Why) -> String {
    if let Some(unasked) = &answer.unasked {
        return unasked.to_string();
    }
    let purposes = || answer.purposes.iter();
    if answer.verdict == Verdict::Admissible {
        let admitted = purposes().filter(|answer| answer.verdict == Verdict::Admissible);
        return format!("for {}", list(admitted.map(|answer| &answer.purpose)));
    }
    let layers = |verdict: Verdict| {
        let mut layers: Vec<_> = purposes()
            .flat_map(|answer| &answer.layers)
            .filter(|layer| layer.verdict == verdict)
            .map(|layer| layer.layer)
            .collect();
        layers.sort_unstable();
        layers.dedup();
        layers
    };
    let mut reasons = Vec::new();
    for (says, verdict) in [
        ("withheld by", Verdict::Withheld),
        ("undecided at", Verdict::Undecided),
    ] {
        let layers = layers(verdict);
        if !layers.is_empty() {
            reasons.push(format!("{says} {}", list(layers)));
        }
    }
    if purposes().any(|answer| !answer.errors.is_empty()) {
        reasons.push("a fact or a term does not fit the policies".to_owned());
    }
    or_none(Some(reasons.join("; ")).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests;
