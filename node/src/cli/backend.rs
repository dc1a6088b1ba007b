//! Who answers: the node that runs for a home, or its database, opened here.

use super::failure::{CommandError, Exit};
use crate::api::{Client, ClientError, Operation};
use crate::config::Home;
use crate::node::{Node, OpenError};
use crate::store::{DatabaseError, StoreError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for a node that is starting, or for another command that is about to end.
const IN_USE_TIMEOUT: Duration = Duration::from_secs(5);
const IN_USE_PAUSE: Duration = Duration::from_millis(50);

/// What answers the operations of one command.
#[derive(Debug)]
pub(super) enum Backend {
    /// A running node.
    Running(Client),
    /// The home's database, which nobody else has open.
    Opened(Box<Node>),
}

/// An answer that this program does not know.
#[derive(Debug, thiserror::Error)]
#[error(
    "the node's answer cannot be read; a node of another version may be running, start it again"
)]
struct AnswerError(#[source] serde_json::Error);

impl Backend {
    /// Finds the running node, or opens the database.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        let home = Home::open(path)?;
        let until = Instant::now() + IN_USE_TIMEOUT;
        loop {
            match Client::find(&home) {
                Ok(client) => return Ok(Self::Running(client)),
                Err(ClientError::NotRunning) => {}
                Err(error) => return Err(error.into()),
            }
            match Node::open(path) {
                Ok(node) => return Ok(Self::Opened(Box::new(node))),
                Err(OpenError::Store(StoreError::Database(DatabaseError::InUse { .. })))
                    if Instant::now() < until =>
                {
                    std::thread::sleep(IN_USE_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether a node is running.
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// Runs an operation.
    fn run(&self, operation: Operation) -> Result<Value, CommandError> {
        match self {
            Self::Running(client) => Ok(client.run(&operation)?),
            Self::Opened(node) => Ok(operation.run(node, crate::clock::now())?),
        }
    }

    /// Runs an operation, and reads its answer.
    pub(super) fn ask<T: DeserializeOwned>(&self, operation: Operation) -> Result<T, CommandError> {
        serde_json::from_value(self.run(operation)?)
            .map_err(|error| CommandError::new(Exit::Failed, AnswerError(error)))
    }
}
