//! `ambit run`: the node, until it is told to stop or cannot go on.

use super::backend::{IN_USE_PAUSE, IN_USE_TIMEOUT};
use super::exit::Exit;
use super::output::note;
use super::partner::note_differences;
use super::reach::note_listening;
use crate::api::Client;
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use crate::node::{Node, OpenError};
use crate::platform::interrupted;
use crate::service::Service;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a node that was told to stop may take until it has. Its parts are given 8 seconds.
const END_BOUND: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("failed to start the threads that the node runs on")]
struct RuntimeError(#[source] std::io::Error);

pub(super) fn run(home: &Path) -> Result<Exit, Failure> {
    let node = open(home)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(FailureKind::Failed, &RuntimeError(error)))?;
    runtime.block_on(serve(Arc::new(node)))
}

/// Another node that runs here is not going to end, so this one does not wait for it; a command that has the home open is.
fn open(home: &Path) -> Result<Node, Failure> {
    let until = Instant::now() + IN_USE_TIMEOUT;
    let is_node = || Home::open(home).is_ok_and(|home| Client::find(&home).is_ok());
    let opened = loop {
        match Node::open(home) {
            Err(OpenError::Store(error))
                if error.is_in_use() && Instant::now() < until && !is_node() =>
            {
                std::thread::sleep(IN_USE_PAUSE);
            }
            opened => break opened,
        }
    };
    opened.map_err(|error| match error {
        OpenError::Store(store) if store.is_in_use() => {
            Failure::new(FailureKind::TryAgain, &OpenError::Store(store))
                .hinted("a node may be running for this home already: `ambit status`")
        }
        error => error.into(),
    })
}

async fn serve(node: Arc<Node>) -> Result<Exit, Failure> {
    let service = tokio::select! {
        started = Service::start(Arc::clone(&node)) => started?,
        () = interrupted() => {
            end_within(END_BOUND);
            return Ok(Exit::Done);
        }
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
        service.endpoint()
    ));
    note_listening(&node.settings().mesh);
    note_differences(&node.partner_list(crate::clock::now()));
    let failure = tokio::select! {
        failure = service.until_it_fails() => Some(failure),
        () = interrupted() => None,
    };
    end_within(END_BOUND);
    service.stop().await;
    match failure {
        Some(failure) => Err(failure.into()),
        None => {
            note("stopped");
            Ok(Exit::Done)
        }
    }
}

/// Sees to it that the program ends, whatever its threads do: one that a disk or a lock keeps waiting would hold it up
/// for ever. What was acknowledged is on the disk all the same.
fn end_within(bound: Duration) {
    let end = move || {
        std::thread::sleep(bound);
        note("stopped, though a thread was still busy; what was acknowledged is on the disk");
        std::process::exit(Exit::Failed as i32);
    };
    let thread = std::thread::Builder::new().name("end".to_owned());
    if let Err(error) = thread.spawn(end) {
        tracing::warn!(%error, "the end of the node is not bounded");
    }
}
