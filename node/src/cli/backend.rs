//! Who answers: the node that runs for a home, or its database, opened here.

use super::called::is_read_only;
use crate::api::{Client, ClientError, Operation, Request};
use crate::config::Home;
use crate::failure::Failure;
use crate::node::{Node, OpenError};
use crate::store::is_open;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for a node that is starting, or for another command that is about to end.
pub(super) const IN_USE_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const IN_USE_PAUSE: Duration = Duration::from_millis(50);

/// What answers the operations of one command.
#[derive(Debug)]
pub(super) enum Backend {
    /// A running node.
    Running(Client),
    /// The home's database, which nobody else has open.
    Opened(Box<Node>),
}

impl Backend {
    /// Finds the running node, or opens the database.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let home = Home::open(path)?;
        let until = Instant::now() + IN_USE_TIMEOUT;
        loop {
            // Nobody answers for a home that nobody has open, whatever was left there.
            if is_open(path) {
                match Client::find(&home) {
                    Ok(client) => return Ok(Self::Running(client)),
                    Err(ClientError::NotRunning) => {}
                    // What is committed can be read beside it.
                    Err(ClientError::Silent) if is_read_only() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if is_read_only() {
                return Ok(Self::Opened(Box::new(Node::open_read_only(path)?)));
            }
            match Node::open(path) {
                Ok(node) => return Ok(Self::Opened(Box::new(node))),
                Err(OpenError::Store(error)) if error.is_in_use() && Instant::now() < until => {
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

    /// Counts what was observed until now, so that whoever asks how it stands need not wait for that. A running node does so by
    /// itself.
    pub(super) fn count(&self) {
        if let Self::Opened(node) = self
            && let Err(error) = node.count_all()
        {
            // Whoever asks is told.
            tracing::debug!(error = &error as &dyn std::error::Error, "not counted");
        }
    }

    /// Runs an operation.
    pub(super) fn ask<A: Operation>(&self, asked: A) -> Result<A::Answer, Failure> {
        self.prepare(asked)?.ask()
    }

    /// Makes an operation ready to be asked: what takes long where much is asked, and can be done while another is
    /// being answered.
    pub(super) fn prepare<A: Operation>(&self, asked: A) -> Result<Prepared<'_, A>, Failure> {
        Ok(match self {
            Self::Running(client) => Prepared::Sent(client, Request::new(&asked)?),
            Self::Opened(node) => Prepared::Answered(node, asked),
        })
    }
}

/// An operation that is ready, and who answers it.
#[derive(Debug)]
pub(super) enum Prepared<'a, A> {
    /// Sent to a running node.
    Sent(&'a Client, Request<A>),
    /// Answered here.
    Answered(&'a Node, A),
}

impl<A: Operation> Prepared<'_, A> {
    /// Runs it.
    pub(super) fn ask(self) -> Result<A::Answer, Failure> {
        match self {
            Self::Sent(client, request) => Ok(client.ask(&request)?),
            Self::Answered(node, asked) => asked.answer(node, crate::clock::now()),
        }
    }
}
