//! `ambit list`: the observations that are held.

use super::backend::Backend;
use super::exit::Exit;
use super::output::{OutputOption, Rows, note};
use super::table::{or_none, short};
use super::time::start_of;
use crate::failure::{Failure, FailureKind};
use crate::holding::{Filter, Item, ListObservations, PAGE_MAX};
use ambit_ledger::{DataClass, OrganizationId, Time};
use ambit_policy::Taxonomies;
use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::Path;

/// Which observations to list.
#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// Of this part, by the part's own value
    #[arg(long, value_name = "VALUE")]
    pub part: Option<String>,
    /// Of this lot, by the lot's own value
    #[arg(long, value_name = "VALUE")]
    pub lot: Option<String>,
    /// Of this submodel
    #[arg(long, value_name = "ID")]
    pub submodel: Option<String>,
    /// Signed by this organization
    #[arg(long, value_name = "ORG")]
    pub origin: Option<OrganizationId>,
    /// Of this serial number
    #[arg(long, value_name = "VALUE")]
    pub serial: Option<String>,
    /// Of this program, by the program's own value
    #[arg(long, value_name = "VALUE")]
    pub program: Option<String>,
    /// Of this class of data, or one that lies within it
    #[arg(long, value_name = "CLASS", value_parser = ClassParser, hide_possible_values = true)]
    pub class: Option<DataClass>,
    /// Observed at this time or later: RFC 3339 with any offset, or a date for the start of its day in UTC
    #[arg(long, value_name = "TIME", value_parser = start_of)]
    pub from: Option<Time>,
    /// Observed before this time, written likewise
    #[arg(long, value_name = "TIME", value_parser = start_of)]
    pub until: Option<Time>,
    /// From others, to be held no longer than until this time, under one agreement at least: written likewise
    #[arg(long, value_name = "TIME", value_parser = start_of)]
    pub expires_by: Option<Time>,
    /// At most so many: the newest, or the first after an entry
    #[arg(long, value_name = "N", value_parser = from_one)]
    pub limit: Option<NonZeroUsize>,
    /// The page after this entry: the one that the note under the last page names; 0 for the first page
    #[arg(long, value_name = "ENTRY")]
    pub after: Option<u64>,
    #[command(flatten)]
    pub output: OutputOption,
}

/// Reads a class of data. Shells complete those of this version; which there are is for the node to say.
#[derive(Clone, Copy, Debug)]
struct ClassParser;

impl TypedValueParser for ClassParser {
    type Value = DataClass;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<DataClass, clap::Error> {
        let parse = |text: &str| text.parse::<DataClass>();
        TypedValueParser::parse_ref(&parse, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let taxonomies = Taxonomies::builtin();
        let names: Vec<String> = taxonomies
            .classes()
            .map(|(name, _)| name.to_owned())
            .collect();
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}

/// Not a number of rows.
#[derive(Debug, thiserror::Error)]
#[error("write a number from 1, in digits; without it all are listed")]
struct LimitError;

fn from_one(text: &str) -> Result<NonZeroUsize, LimitError> {
    text.parse().map_err(|_| LimitError)
}

/// Nothing can be observed in the span that was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "no time lies between `--from` {from} and `--until` {until}: the first is {relation} the second; name a later `--until`"
)]
struct EmptySpanError {
    from: Time,
    until: Time,
    relation: &'static str,
}

fn check_span(from: Option<Time>, until: Option<Time>) -> Result<(), EmptySpanError> {
    let (Some(from), Some(until)) = (from, until) else {
        return Ok(());
    };
    let relation = match from.cmp(&until) {
        Ordering::Less => return Ok(()),
        Ordering::Equal => "the same as",
        Ordering::Greater => "later than",
    };
    Err(EmptySpanError {
        from,
        until,
        relation,
    })
}

pub(super) fn list(home: &Path, arguments: &ListArguments) -> Result<Exit, Failure> {
    check_span(arguments.from, arguments.until)
        .map_err(|error| Failure::new(FailureKind::Usage, &error))?;
    let limit = arguments.limit.map(NonZeroUsize::get);
    let filter = Filter {
        part: arguments.part.clone(),
        lot: arguments.lot.clone(),
        submodel: arguments.submodel.clone(),
        origin: arguments.origin.clone(),
        serial: arguments.serial.clone(),
        program: arguments.program.clone(),
        data_class: arguments.class.clone(),
        from: arguments.from,
        until: arguments.until,
        expires_by: arguments.expires_by,
        after: arguments.after,
        before: None,
        limit,
    };
    let backend = Backend::open(home)?;
    let mut pages = Pages::of(&backend, filter)?;
    let mut rows = Rows::new(arguments.output, &HEADER);
    let (mut listed, mut last) = (0, None);
    while let Some(items) = pages.next()? {
        rows.print(&items, row)?;
        listed += items.len();
        last = items.last().map(|item| item.entry).or(last);
    }
    rows.end()?;
    if listed == 0 {
        note(match arguments.after {
            Some(entry) if entry > 0 => {
                format!("no such observation is held here after entry {entry}")
            }
            Some(_) | None => "no such observation is held here".to_owned(),
        });
    }
    let is_full = arguments.after.is_some() && Some(listed) == limit;
    if let (Some(last), true) = (last, is_full) {
        note(format!("the next page: --after {last}"));
    }
    Ok(Exit::Done)
}

/// What is listed, asked for page by page.
#[derive(Debug)]
struct Pages<'a> {
    backend: &'a Backend,
    filter: Filter,
    is_end: bool,
}

impl<'a> Pages<'a> {
    fn of(backend: &'a Backend, mut filter: Filter) -> Result<Self, Failure> {
        filter.after = match (filter.after, filter.limit) {
            (None, Some(limit)) if limit > PAGE_MAX => Some(newest(backend, &filter, limit)?),
            (None, None) => Some(0),
            (after, _) => after,
        };
        Ok(Self {
            backend,
            filter,
            is_end: false,
        })
    }

    fn next(&mut self) -> Result<Option<Vec<Item>>, Failure> {
        if self.is_end {
            return Ok(None);
        }
        let filter = self.filter.clone();
        let most = filter.limit.map_or(PAGE_MAX, |limit| limit.min(PAGE_MAX));
        let items = self.backend.ask(ListObservations { filter })?;
        self.filter.after = items.last().map(|item| item.entry).or(self.filter.after);
        self.filter.limit = self
            .filter
            .limit
            .map(|limit| limit - items.len().min(limit));
        self.is_end = items.len() < most || self.filter.limit == Some(0);
        Ok(Some(items))
    }
}

/// The entry after which the newest of what is looked for lie, so many.
fn newest(backend: &Backend, filter: &Filter, limit: usize) -> Result<u64, Failure> {
    let mut filter = Filter {
        limit: Some(limit),
        ..filter.clone()
    };
    loop {
        let asked = filter.clone();
        let items = backend.ask(ListObservations { filter: asked })?;
        let left = filter
            .limit
            .map_or(0, |left| left.saturating_sub(items.len()));
        match items.first() {
            Some(first) if left > 0 && items.len() >= PAGE_MAX => filter.before = Some(first.entry),
            Some(first) => return Ok(first.entry.saturating_sub(1)),
            None => return Ok(filter.before.map_or(0, |before| before.saturating_sub(1))),
        }
        filter.limit = Some(left);
    }
}

const HEADER: [&str; 9] = [
    "id",
    "origin",
    "class",
    "part",
    "serial",
    "lot",
    "program",
    "observed from",
    "readings",
];

fn row(item: &Item) -> Vec<String> {
    vec![
        short(item.id),
        item.origin.to_string(),
        item.data_class.clone(),
        or_none(item.part.as_deref()),
        or_none(item.serial.as_deref()),
        or_none(item.lot.as_deref()),
        or_none(item.program.as_deref()),
        item.observed_from.to_string(),
        item.readings.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_from_one() {
        assert_eq!(from_one("3").unwrap().get(), 3);
        for text in ["0", "-1", "few", "1.5"] {
            let told = from_one(text).unwrap_err().to_string();
            assert!(told.contains("a number from 1"), "{text}: {told}");
        }
    }
}
