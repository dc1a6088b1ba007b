//! `ambit profile show`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::output::{Format, Outlet};
use super::ShowArguments;
use crate::failure::Failure;
use crate::holding::{ShowProfile, shipped_text};
use std::path::PathBuf;

/// `home` is asked for only where the text in force is meant.
pub(super) fn show(
    home: impl FnOnce() -> Result<PathBuf, Failure>,
    arguments: &ShowArguments,
) -> Result<Exit, Failure> {
    let layer = arguments.layer;
    let outlet = Outlet::open(arguments.out.out.as_deref())?;
    let shown = if arguments.shipped {
        shipped_text(layer)?
    } else {
        Backend::open(&home()?)?.ask(ShowProfile { layer })?
    };
    match (arguments.output.output, outlet.is_file()) {
        // Byte for byte, so that it has the digest that is shown of it.
        (_, true) | (Format::Table, false) => outlet.hand_out(&shown.text)?,
        (Format::Json, false) => arguments.output.print(&shown, |_| String::new())?,
    }
    Ok(Exit::Done)
}
