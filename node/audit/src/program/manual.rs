//! What the definition of the commands yields for shells and for readers.

use super::arguments::Arguments;
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::{self, Write as _};
use std::path::Path;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ambit-audit", &mut script);
    match io::stdout().lock().write_all(&script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("failed to print the completions")
        }
        _ => Ok(()),
    }
}

/// Writes a page for the program and one for each command.
pub(crate) fn pages(folder: &Path) -> anyhow::Result<()> {
    let about = || format!("failed to write the manual pages to `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(about)?;
    clap_mangen::generate_to(Arguments::command(), folder).with_context(about)
}
