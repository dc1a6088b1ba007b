//! `ambit key trust`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::output::Outlet;
use super::OutArguments;
use crate::failure::Failure;
use crate::holding::GetTrust;
use std::path::Path;

pub(super) fn trust(home: &Path, arguments: &OutArguments) -> Result<Exit, Failure> {
    let trust = Backend::open(home)?.ask(GetTrust {})?;
    Outlet::open(arguments.out.as_deref())?.hand_out(&trust)?;
    Ok(Exit::Done)
}
