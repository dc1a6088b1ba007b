//! `ambit run`: the node, until it is told to stop or cannot go on. And the demo, which stops the same way.

use super::failure::{CommandError, Exit};
use super::output::{Format, OutputOption, note};
use crate::demo::{self, DemoEnd, DemoError, DemoOutcome, DemoOutput};
use crate::node::{Node, OpenError};
use crate::platform::interrupted;
use crate::service::Service;
use crate::store::{DatabaseError, StoreError};
use clap::Args;
use std::path::Path;
use std::sync::Arc;

/// How to run the demo.
#[derive(Clone, Copy, Debug, Args)]
pub struct DemoArguments {
    /// End after the audit, instead of keeping the nodes running until Ctrl-C
    #[arg(long)]
    pub exit: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its own option describes it")]
    pub output: OutputOption,
}

#[derive(Debug, thiserror::Error)]
#[error("failed to start the threads that the node runs on")]
struct RuntimeError(#[source] std::io::Error);

pub(super) fn run(home: &Path) -> Result<Exit, CommandError> {
    let node = open(home)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| CommandError::new(Exit::Failed, RuntimeError(error)))?;
    runtime.block_on(serve(Arc::new(node)))
}

/// Another node that runs here is not going to end, so this one does not wait for it.
fn open(home: &Path) -> Result<Node, CommandError> {
    Node::open(home).map_err(|error| match error {
        OpenError::Store(StoreError::Database(DatabaseError::InUse { .. })) => {
            CommandError::new(Exit::TryAgain, error)
                .hinted("a node may be running for this home already: `ambit status`")
        }
        error => error.into(),
    })
}

async fn serve(node: Arc<Node>) -> Result<Exit, CommandError> {
    let service = tokio::select! {
        started = Service::start(Arc::clone(&node)) => started?,
        () = interrupted() => return Ok(Exit::Done),
    };
    let addresses = service.listen_addresses();
    note(format!(
        "ready: {}, peers at {}, api at {}",
        node.governance().organization(),
        if addresses.is_empty() {
            "no address, it only calls others".to_owned()
        } else {
            addresses.join(", ")
        },
        service.endpoint().address
    ));
    let failure = tokio::select! {
        failure = service.failed() => Some(failure),
        () = interrupted() => None,
    };
    service.stop().await;
    match failure {
        Some(failure) => Err(failure.into()),
        None => {
            note("stopped");
            Ok(Exit::Done)
        }
    }
}

impl From<DemoError> for CommandError {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Write(source) => super::failure::OutputError(source).into(),
            error @ DemoError::Unsettled { .. } => Self::new(Exit::TryAgain, error),
            error => Self::new(Exit::Failed, error),
        }
    }
}

pub(super) fn demo(arguments: DemoArguments) -> Result<Exit, CommandError> {
    let end = if arguments.exit {
        DemoEnd::Audit
    } else {
        DemoEnd::Interrupt
    };
    let output = match arguments.output.output {
        Format::Table => DemoOutput::Table,
        Format::Json => DemoOutput::Json,
    };
    Ok(match demo::run(end, output, interrupted())? {
        DemoOutcome::AsExpected => Exit::Done,
        DemoOutcome::Interrupted if !arguments.exit => Exit::Done,
        DemoOutcome::Differs | DemoOutcome::Interrupted => Exit::Failed,
    })
}
