//! What a sample of a file shows of itself: a header, the decimal mark, columns of times, keys that repeat.
//!
//! It only says what the fields show; what is in doubt it says is in doubt.

use super::cell::{self, NumberForm};
use super::instant::{InstantError, TimeForm};
use ambit_aas::DataTypeDefXsd;
use std::collections::BTreeSet;

/// The most keys that a long file is taken to have; more, and the column holds values.
const KEYS_MAX: usize = 500;

/// The fields of a sample, by column. Rows of another width are passed over.
pub(super) struct SampledTable {
    pub(super) columns: Vec<Vec<String>>,
    pub(super) has_header: bool,
}

/// Which decimal mark the numbers show.
pub(super) enum Decimal {
    NotNeeded,
    Certain(char),
    Doubtful,
}

impl SampledTable {
    pub(super) fn new(width: usize) -> Self {
        Self {
            columns: vec![Vec::new(); width],
            has_header: false,
        }
    }

    pub(super) fn push(&mut self, record: &csv::StringRecord) {
        if record.len() == self.columns.len() {
            for (column, field) in self.columns.iter_mut().zip(record) {
                column.push(field.trim().to_owned());
            }
        }
    }

    /// Takes the first row off if it is a header, and says whether that is certain: where a column holds numbers or
    /// times, its first field shows it. In a file of texts nothing does.
    pub(super) fn take_header(&mut self) -> (Option<Vec<String>>, bool) {
        let mut evidence = self.columns.iter().filter_map(|column| {
            let (first, rest) = column.split_first()?;
            let mut rest = rest.iter().filter(|field| !is_missing(field)).peekable();
            let shows =
                !is_missing(first) && rest.peek().is_some() && rest.all(|field| is_value(field));
            shows.then(|| !is_value(first))
        });
        let first_shows = evidence.next();
        self.has_header = first_shows.unwrap_or(true) || evidence.any(|is_name| is_name);
        if !self.has_header {
            return (None, true);
        }
        let take = |column: &mut Vec<String>| {
            if column.is_empty() {
                String::new()
            } else {
                column.remove(0)
            }
        };
        let names = self.columns.iter_mut().map(take).collect();
        (Some(names), first_shows.is_some())
    }

    pub(super) fn decimal(&self, delimiter: u8) -> Decimal {
        let numbers = self
            .columns
            .iter()
            .flatten()
            .filter(|field| is_number(field));
        let (mut points, mut commas, mut proof) = (false, false, None);
        for number in numbers {
            let (has_point, has_comma) = (number.contains('.'), number.contains(','));
            points |= has_point;
            commas |= has_comma;
            // Groups have three digits: any other number of them follows a decimal mark.
            let after = number.rsplit(['.', ',']).next().unwrap_or_default();
            if has_point != has_comma && after.len() != 3 {
                proof = Some(if has_point { '.' } else { ',' });
            }
        }
        match (points, commas, proof) {
            (false, false, _) => Decimal::NotNeeded,
            (true, false, None) if delimiter != b';' => Decimal::Certain('.'),
            (true, false, Some(mark)) | (false, true, Some(mark)) => Decimal::Certain(mark),
            (true | false, _, _) => Decimal::Doubtful,
        }
    }

    /// The columns in which every field is a time of this kind.
    pub(super) fn times(&self, kind: TimeKind) -> Vec<usize> {
        let is_kind = |values: &Vec<String>| {
            let mut values = values.iter().filter(|value| !value.is_empty()).peekable();
            values.peek().is_some() && values.all(|value| time_kind(value) == Some(kind))
        };
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, values)| is_kind(values))
            .map(|(at, _)| at)
            .collect()
    }

    /// Key and value of a file of three columns: a time, few keys that repeat, and values.
    pub(super) fn long_form(&self, time: Option<usize>) -> Option<(usize, usize)> {
        if self.columns.len() != 3 {
            return None;
        }
        let mut others = (0..3).filter(|at| Some(*at) != time);
        let (key, value, rest) = (others.next()?, others.next()?, others.next());
        let keys = self.columns.get(key)?;
        let distinct: BTreeSet<_> = keys.iter().collect();
        let repeat = distinct.len() <= keys.len() / 2 && distinct.len() <= KEYS_MAX;
        let are_names = distinct.iter().all(|key| !key.is_empty() && !is_value(key));
        (rest.is_none() && repeat && are_names).then_some((key, value))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeKind {
    /// With its offset.
    Instant,
    /// Without.
    Civil,
}

fn time_kind(text: &str) -> Option<TimeKind> {
    let form = TimeForm {
        zone: None,
        format: None,
    };
    match form.read(text) {
        Ok(_) => Some(TimeKind::Instant),
        Err(InstantError::NoZone) => Some(TimeKind::Civil),
        Err(InstantError::Refused(_) | InstantError::Unreadable(_)) => None,
    }
}

/// Whether a text is a number with one of the decimal marks and groupings in use.
pub(super) fn is_number(text: &str) -> bool {
    let forms = [('.', None), ('.', Some(',')), (',', None), (',', Some('.'))];
    text.bytes().any(|byte| byte.is_ascii_digit())
        && forms.into_iter().any(|(decimal, thousands)| {
            let form = NumberForm {
                decimal: Some(decimal),
                thousands,
                point_is_doubtful: false,
            };
            cell::read(text, DataTypeDefXsd::Double, form).is_ok()
        })
}

pub(super) fn is_missing(text: &str) -> bool {
    cell::missing(text).is_some() || cell::stands_for_none(text.trim())
}

fn is_value(text: &str) -> bool {
    is_number(text) || time_kind(text).is_some()
}
