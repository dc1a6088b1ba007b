//! Tables for people, plain enough to be cut apart by other programs.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

/// How many digits of an id a table shows. Any command takes so many, or fewer.
const ID_DIGITS: usize = 12;

/// Rows below a header. Nothing where there are no rows.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = plain();
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| shown(cell)));
    }
    if table.is_empty() {
        return String::new();
    }
    text(&table)
}

/// Names and values, one pair a line.
pub(super) fn pairs(rows: impl IntoIterator<Item = (impl Into<String>, String)>) -> String {
    let mut table = plain();
    for (name, value) in rows {
        table.add_row([shown(&name.into()), shown(&value)]);
    }
    text(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

fn text(table: &Table) -> String {
    table
        .lines()
        .map(|line| {
            // A cell is padded on both sides; the first pad is no indentation anybody asked for.
            let line = line.trim_end();
            format!("{}\n", line.strip_prefix(' ').unwrap_or(line))
        })
        .collect::<Vec<_>>()
        .concat()
}

/// A text in which nothing can colour, reorder or hide what stands on a terminal.
pub(super) fn shown(text: &str) -> String {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|character| {
            let escaped = is_hidden(character).then(|| character.escape_unicode());
            let plain = escaped.is_none().then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// The same for a text of several lines, which stay apart.
pub(super) fn lines_shown(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    let lines = lines.map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{}\n", shown(line)),
        None => shown(line),
    });
    lines.collect()
}

/// The start of an id.
pub(super) fn short(id: impl ToString) -> String {
    id.to_string().chars().take(ID_DIGITS).collect()
}

/// A value, or the mark that there is none.
pub(super) fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_in_text() {
        let rows = [
            vec!["1".to_owned(), "long value".to_owned()],
            vec!["22".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            table(&["id", "value"], rows),
            "ID  VALUE\n1   long value\n22  x\n"
        );
        assert_eq!(table(&["id"], []), "");
    }

    #[test]
    fn pairs_are_aligned() {
        let rows = [("home", "/x".to_owned()), ("organization", "a".to_owned())];
        assert_eq!(pairs(rows), "home          /x\norganization  a\n");
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(
            shown("a\u{1b}[2J\u{202e}b\nü"),
            "a\\u{1b}[2J\\u{202e}b\\u{a}ü"
        );
    }

    #[test]
    fn lines_stay_apart() {
        assert_eq!(lines_shown("a\u{7}\n\nb"), "a\\u{7}\n\nb");
    }

    #[test]
    fn ids_are_cut() {
        assert_eq!(short("0123456789abcdef"), "0123456789ab");
        assert_eq!(or_none(None::<String>), "-");
    }
}
