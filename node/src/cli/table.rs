//! Tables for people, plain enough to be cut apart by other programs.

pub(super) use ambit_audit::{lines_shown, shown};
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
    fn ids_are_cut() {
        assert_eq!(short("0123456789abcdef"), "0123456789ab");
        assert_eq!(or_none(None::<String>), "-");
    }
}
