//! The client: how the command line speaks to a running node.

use super::{Endpoint, Operation};
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use ambit_ledger::OrganizationId;
use std::io::Read;
use std::marker::PhantomData;
use std::time::Duration;

/// Connecting on loopback is immediate or hopeless.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A node answers a greeting at once; what does not is another program.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// A running node.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    agent: ureq::Agent,
}

/// What is asked of a running node, as it is sent.
#[derive(Debug)]
pub struct Request<A> {
    json: Vec<u8>,
    asked: PhantomData<A>,
}

impl<A: Operation> Request<A> {
    /// Writes it down.
    ///
    /// # Errors
    /// [`ClientError::Request`].
    pub fn new(asked: &A) -> Result<Self, ClientError> {
        let json = serde_json::to_vec(asked).map_err(ClientError::Request)?;
        let asked = PhantomData;
        Ok(Self { json, asked })
    }
}

/// A running node cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No node answers: `api.json` is absent or left over.
    #[error("no node is running for this home; start it with `ambit run`")]
    NotRunning,
    /// A node has the home open, and does not answer.
    #[error(
        "the node that runs for this home does not answer; it may be stopped, or have too much to do: try again, or end it"
    )]
    Silent,
    /// The token is not the node's.
    #[error(
        "the token in `api.json` is not the one that the node wrote there when it started; start the node again, which writes a new one"
    )]
    Token,
    /// What is asked has no form as JSON.
    #[error("what is asked cannot be written as JSON")]
    Request(#[source] serde_json::Error),
    /// The connection failed in the middle.
    #[error(
        "the node stopped answering, and may have done what was asked: look at `ambit status`, then ask again if it did not"
    )]
    Transport(#[source] Box<ureq::Error>),
    /// The answer cannot be read.
    #[error(
        "the node's answer broke off, and it may have done what was asked: look at `ambit status`, then ask again if it did \
         not"
    )]
    Answer(#[source] std::io::Error),
    /// The answer is none that this program knows.
    #[error(
        "the node's answer cannot be read, and it may have done what was asked; a node of another version may be running: start \
         it again, then look at `ambit status`"
    )]
    OtherVersion(#[source] serde_json::Error),
    /// The node answered that the operation failed.
    #[error(transparent)]
    Failed(Failure),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let kind = match error {
            ClientError::Failed(failure) => return failure,
            ClientError::NotRunning | ClientError::Silent | ClientError::Transport(_) => {
                FailureKind::TryAgain
            }
            ClientError::Token => FailureKind::NotAuthorized,
            ClientError::Request(_) | ClientError::Answer(_) | ClientError::OtherVersion(_) => {
                FailureKind::Failed
            }
        };
        Self::new(kind, &error)
    }
}

impl Client {
    /// Finds the node that runs for a home.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] where none is there, [`ClientError::Silent`], [`ClientError::Token`].
    pub fn find(home: &Home) -> Result<Self, ClientError> {
        let endpoint = Endpoint::of(home).ok_or(ClientError::NotRunning)?;
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .http_status_as_error(false)
            // The node is on this machine, whatever the environment says of others.
            .proxy(None)
            .build();
        let agent = agent(home, &endpoint, config)?;
        let client = Self { endpoint, agent };
        client.greet()?;
        Ok(client)
    }

    /// Whether what answers is a node: after a crash the port may be another program's.
    fn greet(&self) -> Result<(), ClientError> {
        let response = self
            .agent
            .get(self.url("organization"))
            .header("Authorization", self.authorization())
            .config()
            .timeout_global(Some(GREETING_TIMEOUT))
            .build()
            .call()
            .map_err(|error| match error {
                ureq::Error::Timeout(_) if self.endpoint.socket.is_some() => ClientError::Silent,
                _ => ClientError::NotRunning,
            })?;
        let answer = body(response)?;
        serde_json::from_slice::<OrganizationId>(&answer)
            .map(|_| ())
            .map_err(|_| ClientError::NotRunning)
    }

    /// Runs an operation there.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub fn ask<A: Operation>(&self, request: &Request<A>) -> Result<A::Answer, ClientError> {
        let response = self
            .agent
            .post(self.url(&format!("operations/{}", A::NAME)))
            .header("Authorization", self.authorization())
            .content_type("application/json")
            .send(&request.json)
            .map_err(|error| ClientError::Transport(Box::new(error)))?;
        let bytes = body(response)?;
        serde_json::from_slice(&bytes).map_err(ClientError::OtherVersion)
    }

    /// Fetches the bundle as it is read.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub fn bundle(&self) -> Result<impl Read + use<>, ClientError> {
        let response = self
            .agent
            .get(self.url("bundle"))
            .header("Authorization", self.authorization())
            .call()
            .map_err(|error| ClientError::Transport(Box::new(error)))?;
        if response.status().is_success() {
            Ok(response.into_body().into_reader())
        } else {
            Err(body(response).err().unwrap_or(ClientError::NotRunning))
        }
    }

    fn url(&self, path: &str) -> String {
        // On a socket no address is looked at.
        let loopback = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 80));
        let address = self.endpoint.address.unwrap_or(loopback);
        format!("http://{address}/v1/{path}")
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.endpoint.token)
    }
}

/// What speaks to the node there, once it takes a connection.
fn agent(
    home: &Home,
    endpoint: &Endpoint,
    config: ureq::config::Config,
) -> Result<ureq::Agent, ClientError> {
    #[cfg(unix)]
    if let Some(socket) = &endpoint.socket {
        let path = super::socket::found(home, socket);
        std::os::unix::net::UnixStream::connect(&path).map_err(|_| ClientError::NotRunning)?;
        let connector = super::socket::SocketConnector(path);
        let resolver = ureq::unversioned::resolver::DefaultResolver::default();
        return Ok(ureq::Agent::with_parts(config, connector, resolver));
    }
    let _ = home;
    let address = endpoint.address.ok_or(ClientError::NotRunning)?;
    std::net::TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)
        .map_err(|_| ClientError::NotRunning)?;
    Ok(ureq::Agent::new_with_config(config))
}

fn body(mut response: ureq::http::Response<ureq::Body>) -> Result<Vec<u8>, ClientError> {
    let is_done = response.status().is_success();
    let mut bytes = Vec::new();
    response
        .body_mut()
        .as_reader()
        .read_to_end(&mut bytes)
        .map_err(ClientError::Answer)?;
    if is_done {
        return Ok(bytes);
    }
    if response.status() == ureq::http::StatusCode::UNAUTHORIZED && bytes.is_empty() {
        return Err(ClientError::Token);
    }
    // A node always says why. What answers otherwise is another program on a port that was this node's once.
    Err(serde_json::from_slice(&bytes).map_or(ClientError::NotRunning, ClientError::Failed))
}
