//! `ambit import --propose-map`: a first map for a file. It needs no node.

use super::exit::Exit;
use super::files::{ContentError, FileError};
use super::import::ImportArguments;
use super::output::{Format, Outlet, print_json};
use crate::collect;
use crate::failure::Failure;
use serde::Serialize;
use std::fs::File;

/// A first map, and which of its lines are left to set.
#[derive(Debug, Serialize)]
struct Proposed {
    /// The map's text.
    map: String,
    to_set: Vec<LineToSet>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct LineToSet {
    /// Counted from 1.
    line: usize,
    /// What is there, with what is said of it.
    text: String,
}

pub(super) fn propose_map(arguments: &ImportArguments) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let file = File::open(path).map_err(FileError::read(path))?;
    let map = collect::propose_map(file).map_err(ContentError::of(path))?;
    let format = arguments.output.output;
    let outlet = Outlet::open(arguments.out.as_deref())?;
    if outlet.is_file() || format == Format::Table {
        outlet.hand_out(&map)?;
    }
    if format == Format::Json {
        print_json(&Proposed {
            to_set: to_set(&map),
            map,
        })?;
    }
    Ok(Exit::Done)
}

fn to_set(map: &str) -> Vec<LineToSet> {
    let lines = map.lines().zip(1..);
    lines
        .filter(|(text, _)| text.contains("# set this"))
        .map(|(text, line)| LineToSet {
            line,
            text: text.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_set_is_told_by_line() {
        let map = collect::propose_map(&b"t,a\n2026-05-01 08:00,1\n"[..]).unwrap();
        let told = to_set(&map);
        let zone = told.iter().find(|one| one.text.contains("zone"));
        let zone = zone.unwrap_or_else(|| panic!("{map}"));
        assert_eq!(map.lines().nth(zone.line - 1), Some(zone.text.as_str()));
        // The head of the map names the words, and is nothing to set.
        assert!(told.iter().all(|one| one.line > 1), "{told:?}");
    }
}
