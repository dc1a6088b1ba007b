//! `ambit demo`: the example of three organizations.

use super::exit::Exit;
use super::output::{Format, OutputOption};
use crate::demo::{self, DemoEnd, DemoOutcome, DemoOutput};
use crate::failure::Failure;
use crate::platform::interrupted;
use clap::Args;
use std::path::Path;

/// How to run the demo.
#[derive(Clone, Copy, Debug, Args)]
pub struct DemoArguments {
    /// End after the audit, instead of keeping the nodes running until Ctrl-C
    #[arg(long)]
    pub exit: bool,
    #[command(flatten)]
    pub output: OutputOption,
}

/// `home` is where the three homes are to be, and stay.
pub(super) fn demo(home: Option<&Path>, arguments: DemoArguments) -> Result<Exit, Failure> {
    let end = if arguments.exit {
        DemoEnd::Audit
    } else {
        DemoEnd::Interrupt
    };
    let output = match arguments.output.output {
        Format::Table => DemoOutput::Table,
        Format::Json => DemoOutput::Json,
    };
    Ok(match demo::run(end, output, home, interrupted())? {
        DemoOutcome::AsExpected => Exit::Done,
        DemoOutcome::Interrupted if !arguments.exit => Exit::Done,
        DemoOutcome::Differs | DemoOutcome::Interrupted => Exit::Failed,
    })
}
