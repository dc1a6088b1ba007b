//! A first map for a file that nobody has described yet: what the file shows without doubt is set, the rest is written
//! out as a comment that says `set this`.

use super::cell::{self, Cell, NumberForm};
use super::fact_columns::{COLUMN_FACTS, ColumnKind};
use super::import::{FileForm, ImportError, Rows};
use super::recognise::{self, DELIMITERS, RecognitionError};
use super::sampled_table::{Decimal, SampledTable, TimeKind, is_missing, is_number};
use super::text::Text;
use ambit_aas::DataTypeDefXsd;
use encoding_rs::{Encoding, UTF_16BE, WINDOWS_1252};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Cursor, Read};

/// How much of a file is looked at.
const SAMPLE_BYTES_MAX: u64 = 4 * 1_048_576;

/// Why no map is proposed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// It cannot be read.
    #[error("failed to read the file")]
    Read(#[from] std::io::Error),
    /// Its bytes cannot be made out.
    #[error(transparent)]
    Recognition(#[from] RecognitionError),
    /// It cannot be divided into fields.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Writes a first map for a file. All that is not commented out is what the file shows of itself; where the time is in
/// doubt, [`super::Map::parse`] refuses the proposal until it is set.
///
/// # Errors
/// Any [`ProposeError`].
pub fn propose_map<R: Read>(reader: R) -> Result<String, ProposeError> {
    let mut sample = Vec::new();
    reader.take(SAMPLE_BYTES_MAX).read_to_end(&mut sample)?;
    if sample.is_empty() {
        return Err(ImportError::Empty.into());
    }
    let is_cut = u64::try_from(sample.len()).is_ok_and(|length| length == SAMPLE_BYTES_MAX);
    if is_cut && let Some(end) = sample.iter().rposition(|byte| *byte == b'\n') {
        // The last line is whole: a cut one would show a character or a row that is not there.
        sample.truncate(end);
    }
    let (encoding, encoding_is_certain) = match recognise::encoding(&mut Cursor::new(&sample), None)
    {
        Ok(encoding) => (encoding, true),
        Err(RecognitionError::NotUtf8) => (WINDOWS_1252, false),
        Err(error) => return Err(error.into()),
    };
    if encoding == UTF_16BE && !sample.len().is_multiple_of(2) {
        // The line feed that the sample was cut at is the second half of a unit.
        sample.pop();
    }
    let (delimiter, delimiter_is_certain) = delimiter(&sample, encoding)?;
    let form = FileForm {
        encoding,
        delimiter,
        header: false,
    };
    let (names, mut rows) = Rows::open(Cursor::new(&sample), form, |_| ())?;
    let mut table = SampledTable::new(names.len());
    while let Some(row) = rows.next().map_err(ImportError::from)? {
        table.push(row.record);
    }
    let (header, header_is_certain) = table.take_header();
    let columns = match header {
        Some(names) => names,
        None => names,
    };
    let mut map = String::from(
        "# A first map, written from the file. See to every line that says: set this.\n\n",
    );
    setting(
        &mut map,
        encoding_is_certain,
        "encoding",
        &encoding.name().to_ascii_lowercase(),
        "the file is not UTF-8",
    );
    let shown = match delimiter {
        b'\t' => "tab".to_owned(),
        other => char::from(other).to_string(),
    };
    setting(
        &mut map,
        delimiter_is_certain,
        "delimiter",
        &shown,
        "not every line is divided alike",
    );
    table.decimal(delimiter).write(&mut map);
    write_header(&mut map, table.has_header, header_is_certain);
    table.write_body(&mut map, &columns, delimiter);
    Ok(map)
}

fn delimiter(sample: &[u8], encoding: &'static Encoding) -> Result<(u8, bool), ProposeError> {
    let text = || Text::new(Cursor::new(sample), encoding, |_| ());
    if let Some(delimiter) = recognise::named_in(text())? {
        return Ok((delimiter, true));
    }
    if let [delimiter] = recognise::dividing(text())?.as_slice() {
        return Ok((*delimiter, true));
    }
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(text()), &mut line)?;
    let count = |delimiter: &u8| line.bytes().filter(|byte| byte == delimiter).count();
    match DELIMITERS.iter().max_by_key(|delimiter| count(delimiter)) {
        Some(delimiter) if count(delimiter) > 0 => Ok((*delimiter, false)),
        _ => Err(RecognitionError::NoDelimiter.into()),
    }
}

fn setting(map: &mut String, is_certain: bool, key: &str, text: &str, doubt: &str) {
    let text = quoted(text);
    let _ = if is_certain {
        writeln!(map, "{key} = {text}")
    } else {
        writeln!(map, "# {key} = {text}  # set this: {doubt}")
    };
}

fn write_header(map: &mut String, has_header: bool, is_certain: bool) {
    let _ = match (has_header, is_certain) {
        (false, _) => writeln!(
            map,
            "header = false  # columns are named by position: \"1\", \"2\", …"
        ),
        (true, true) => Ok(()),
        (true, false) => writeln!(
            map,
            "# header = false  # set this if the first line holds values"
        ),
    };
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Decimal {
    fn write(&self, map: &mut String) {
        match self {
            Self::NotNeeded => {}
            Self::Certain(mark) => setting(map, true, "decimal", &mark.to_string(), ""),
            Self::Doubtful => setting(
                map,
                false,
                "decimal",
                ",",
                "the numbers can be read in two ways",
            ),
        }
    }
}

impl SampledTable {
    fn write_body(&self, map: &mut String, names: &[String], delimiter: u8) {
        let time = self.write_time(map, names);
        self.write_facts(map, names);
        let decimal = match self.decimal(delimiter) {
            Decimal::Certain(mark) => mark,
            Decimal::NotNeeded | Decimal::Doubtful => '.',
        };
        let mut paths = Paths::default();
        if let Some((key, value)) = self.long_form(time) {
            self.write_long(map, names, (key, value), decimal, &mut paths);
            return;
        }
        for (at, (name, values)) in names.iter().zip(&self.columns).enumerate() {
            if Some(at) == time {
                continue;
            }
            let repeated = names.iter().filter(|other| *other == name).count() > 1;
            if repeated {
                let _ = writeln!(
                    map,
                    "\n# There is more than one column {}: rename them in the file.",
                    quoted(name)
                );
                continue;
            }
            let _ = write!(map, "\n[[column]]\nname = {}\n", quoted(name));
            write_element(map, &paths.take(name), values.iter(), decimal);
        }
    }

    /// The one column of times.
    fn write_time(&self, map: &mut String, names: &[String]) -> Option<usize> {
        let name = |at: usize| names.get(at).map(|name| quoted(name)).unwrap_or_default();
        let (certain, open) = (self.times(TimeKind::Instant), self.times(TimeKind::Civil));
        let _ = writeln!(map, "\n[time]");
        let (text, found) = match (certain.as_slice(), open.as_slice()) {
            ([at], []) => (format!("column = {}\nzone = \"in-value\"", name(*at)), Some(*at)),
            ([], [at]) => (
                format!(
                    "column = {}\n# zone = \"Europe/Berlin\"  # set this: the times carry no offset from UTC",
                    name(*at)
                ),
                Some(*at),
            ),
            _ => (
                "# column = \"time\"  # set this, or `from_column` and `to_column`, or `at` for the whole file\n\
                 # zone = \"Europe/Berlin\"  # set this\n\
                 # format = \"%d.%m.%Y %H:%M:%S\"  # set this where times are not written as 2026-05-01T08:00:00; \
                 \"%s\" and \"epoch-milliseconds\" count since 1970"
                    .to_owned(),
                None,
            ),
        };
        let _ = writeln!(map, "{text}");
        found
    }

    fn write_facts(&self, map: &mut String, names: &[String]) {
        let fact = |name: &String| {
            COLUMN_FACTS
                .iter()
                .find(|(fact, _)| name.eq_ignore_ascii_case(fact))
        };
        let found: Vec<_> = names
            .iter()
            .filter_map(|name| Some((fact(name)?, name)))
            .collect();
        if found.is_empty() {
            return;
        }
        let _ = writeln!(
            map,
            "\n# [facts_columns]  # set this where a column says a fact, and take its [[column]] out"
        );
        for ((fact, kind), name) in found {
            let column = quoted(name);
            let _ = match kind {
                ColumnKind::Text => writeln!(map, "# {fact} = {column}"),
                ColumnKind::Pair => writeln!(
                    map,
                    "# {fact} = {{ column = {column}, assigner = \"did:web:…\" }}"
                ),
            };
        }
    }

    fn write_long(
        &self,
        map: &mut String,
        names: &[String],
        (key, value): (usize, usize),
        decimal: char,
        paths: &mut Paths,
    ) {
        let name = |at: usize| names.get(at).map(|name| quoted(name)).unwrap_or_default();
        let _ = writeln!(
            map,
            "\n[long]\npath_column = {}\nvalue_column = {}",
            name(key),
            name(value)
        );
        let column = |at: usize| self.columns.get(at).map_or(&[][..], Vec::as_slice);
        let distinct: BTreeSet<_> = column(key).iter().collect();
        for text in distinct {
            let pairs = column(key).iter().zip(column(value));
            let values = pairs
                .filter(|(key, _)| *key == text)
                .map(|(_, value)| value);
            let _ = write!(map, "\n[[element]]\nkey = {}\n", quoted(text));
            write_element(map, &paths.take(text), values, decimal);
        }
    }
}

fn write_element<'a>(
    map: &mut String,
    path: &str,
    values: impl Iterator<Item = &'a String> + Clone,
    decimal: char,
) {
    let form = NumberForm {
        decimal: Some(decimal),
        thousands: None,
        point_is_doubtful: false,
    };
    let all = |value_type| {
        let mut values = values
            .clone()
            .map(|value| cell::read(value, value_type, form));
        let mut any = false;
        let fit = values.all(|cell| {
            any |= matches!(cell, Ok(Cell::Value(_)));
            cell.is_ok()
        });
        fit && any
    };
    let boolean = values
        .clone()
        .all(|value| !matches!(value.as_str(), "0" | "1"))
        && all(DataTypeDefXsd::Boolean);
    let value_type = if boolean {
        DataTypeDefXsd::Boolean
    } else if all(DataTypeDefXsd::Long) {
        DataTypeDefXsd::Long
    } else if all(DataTypeDefXsd::Double)
        || values.clone().any(|value| is_number(value))
            && values
                .clone()
                .all(|value| is_missing(value) || is_number(value))
    {
        DataTypeDefXsd::Double
    } else {
        DataTypeDefXsd::String
    };
    let _ = writeln!(
        map,
        "path = {}\nvalue_type = \"{value_type}\"",
        quoted(path)
    );
    if cell::is_number(value_type) {
        let _ = writeln!(map, "# unit = \"mm\"  # set this");
    }
}

/// Names of elements, made from the names of columns and each used once.
#[derive(Default)]
struct Paths(BTreeSet<String>);

impl Paths {
    /// An idShort (IDTA-01001, AASd-002) near to `name`.
    fn take(&mut self, name: &str) -> String {
        let mut path = String::new();
        for letter in name.chars() {
            match plain(letter) {
                Some(letters) => path.push_str(letters),
                None if letter.is_ascii_alphanumeric() => path.push(letter),
                None => path.push('_'),
            }
        }
        path = path.trim_matches('_').to_owned();
        if !path.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            path = format!("Column_{path}").trim_end_matches('_').to_owned();
        }
        let mut free = path.clone();
        let mut number = 2;
        while !self.0.insert(free.clone()) {
            free = format!("{path}_{number}");
            number += 1;
        }
        free
    }
}

/// What stands for a letter where only those of ASCII may: as people write it who have no other keyboard.
const fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' | 'æ' => "ae",
        'Ä' | 'Æ' => "Ae",
        'ö' | 'œ' => "oe",
        'Ö' | 'Œ' => "Oe",
        'ü' => "ue",
        'Ü' => "Ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'À' | 'Á' | 'Â' | 'Ã' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' => "c",
        'Ç' | 'Ć' | 'Č' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ğ' => "g",
        'Ğ' => "G",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ī' | 'İ' => "I",
        'ł' | 'ľ' => "l",
        'Ł' | 'Ľ' => "L",
        'ñ' | 'ń' | 'ň' => "n",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ő' => "o",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ø' | 'Ō' | 'Ő' => "O",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ț' | 'ţ' => "t",
        'Ť' | 'Ț' | 'Ţ' => "T",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'Ù' | 'Ú' | 'Û' | 'Ū' | 'Ů' | 'Ű' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        // Micro, as a sign of its own and as a Greek letter.
        'µ' | 'μ' => "u",
        '°' => "deg",
        _ => return None,
    })
}
