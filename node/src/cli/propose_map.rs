//! `ambit import --propose-map`: a first map for a file. It needs no node.

use super::exit::Exit;
use super::files::{ContentError, FileError};
use super::import::ImportArguments;
use super::output::Outlet;
use crate::collect;
use crate::failure::Failure;
use std::fs::File;

pub(super) fn propose_map(arguments: &ImportArguments) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let file = File::open(path).map_err(FileError::read(path))?;
    let map = collect::propose_map(file).map_err(ContentError::of(path))?;
    Outlet::open(arguments.out.as_deref())?.hand_out(&map)?;
    Ok(Exit::Done)
}
