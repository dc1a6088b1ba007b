//! Tables for people, plain enough to be cut apart by other programs.

pub(super) use ambit_audit::{lines_shown, shown};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, Table, Width};

/// How many digits of an id a table shows. Any command takes so many, or fewer.
const ID_DIGITS: usize = 12;

/// Rows below a header. Nothing where there are no rows.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    Paged::new(header).page(rows)
}

/// Rows below a header that come page by page.
#[derive(Debug)]
pub(super) struct Paged {
    header: Vec<String>,
    is_begun: bool,
    /// How wide each column is so far.
    widths: Vec<u16>,
}

impl Paged {
    pub(super) fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|name| name.to_uppercase()).collect(),
            is_begun: false,
            widths: Vec::new(),
        }
    }

    /// A page, below the header where it is the first. Nothing where there are no rows.
    pub(super) fn page(&mut self, rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut table = plain();
        if !self.is_begun {
            table.set_header(&self.header);
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| shown(cell)));
        }
        if table.is_empty() {
            return String::new();
        }
        self.is_begun = true;
        let widths = table.column_max_content_widths();
        let before = self.widths.iter().copied().chain(std::iter::repeat(0));
        self.widths = widths
            .into_iter()
            .zip(before)
            .map(|(now, before)| now.max(before))
            .collect();
        for (column, width) in table.column_iter_mut().zip(&self.widths) {
            let padded = width.saturating_add(column.padding_width());
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(padded)));
        }
        text(&table)
    }
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
    fn pages_are_one_table() {
        let mut pages = Paged::new(&["id", "value"]);
        let mut page = |id: &str, value: &str| pages.page([vec![id.to_owned(), value.to_owned()]]);
        assert_eq!(page("1", "short"), "ID  VALUE\n1   short\n");
        assert_eq!(page("2", "a long value"), "2   a long value\n");
        assert_eq!(page("333", "x"), "333  x\n");
        assert_eq!(page("4", "x"), "4    x\n");
        assert_eq!(pages.page([]), "");
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
