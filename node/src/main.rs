//! `ambit`: the node and its command line.

use ambit_node::cli::{Arguments, CommandError, Exit, execute, one_line};
use anyhow::Context as _;
use clap::Parser as _;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    match start(&Arguments::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => complain(&error).into(),
    }
}

fn start(arguments: &Arguments) -> anyhow::Result<Exit> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text)
            .with_context(|| format!("RUST_LOG is `{text}`, which cannot be read"))?,
        _ => EnvFilter::new(arguments.log_filter()),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(execute(arguments)?)
}

/// Says what went wrong, unless it is only that nobody reads on.
fn complain(error: &anyhow::Error) -> Exit {
    let failed = error.downcast_ref::<CommandError>();
    if failed.is_some_and(CommandError::is_broken_pipe) {
        return Exit::Done;
    }
    // Nobody is left to tell when standard error is closed too.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "error: {}", one_line(error.as_ref()));
    if let Some(hint) = failed.and_then(CommandError::hint) {
        let _ = writeln!(out, "hint: {hint}");
    }
    failed.map_or(Exit::Usage, CommandError::exit)
}
