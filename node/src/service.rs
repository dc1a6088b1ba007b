//! A node at work: its links to its peers and its programming interface, from start to stop.
//!
//! It joins rooms and decides nothing. It must never go on once the ledger cannot be written.

use crate::api::{ApiServer, Endpoint, ServeError};
use crate::failure::{Failure, FailureKind};
use crate::federation;
use crate::mesh::{Mesh, MeshConfig, MeshError, MeshHandle};
use crate::node::Node;
use crate::release::ObserveError;
use crate::store::StoreError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

/// How often it is looked at whether the parts still run.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How long requests that are being answered may hold up a stop.
const API_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A node that runs. Dropping it without [`Service::stop`] ends its tasks with the runtime.
#[derive(Debug)]
pub struct Service {
    node: Arc<Node>,
    mesh: MeshHandle,
    endpoint: Endpoint,
    stop: watch::Sender<bool>,
    federation: JoinHandle<()>,
    api: JoinHandle<()>,
}

/// A node cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// What was left open the last time cannot be judged.
    #[error("failed to judge what was not judged yet")]
    CatchUp(#[source] ObserveError),
    /// The programming interface cannot be served.
    #[error(transparent)]
    Api(#[from] ServeError),
    /// The mesh cannot start.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// The ledger cannot be written any more.
    #[error("the node stops, because its ledger cannot be written")]
    Store(#[source] StoreError),
    /// A part of the node ended by itself.
    #[error("the node stops, because its {0} ended; its log says why, start it again")]
    Ended(&'static str),
    /// A task could not be finished.
    #[error("a task of the node broke off")]
    Task(#[from] JoinError),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::new(FailureKind::Failed, &error)
    }
}

impl Service {
    /// Judges what is still to be judged, then listens for peers and on the loopback interface. Returns once
    /// both listen.
    ///
    /// # Errors
    /// [`ServiceError::CatchUp`], [`ServiceError::Api`] or [`ServiceError::Mesh`]; then nothing runs.
    pub async fn start(node: Arc<Node>) -> Result<Self, ServiceError> {
        node.keep_time();
        let judging = Arc::clone(&node);
        tokio::task::spawn_blocking(move || catch_up(&judging))
            .await?
            .map_err(ServiceError::CatchUp)?;
        let server = ApiServer::bind(&node).await?;
        let (mesh, events) = Mesh::start(mesh_config(&node)).await?;
        let (stop, stopped) = watch::channel(false);
        let endpoint = server.endpoint().clone();
        let mut api_stopped = stopped.clone();
        let api = tokio::spawn(server.serve(Arc::clone(&node), async move {
            // A sender that is gone is a stop as well.
            let _ = api_stopped.changed().await;
        }));
        let federation = tokio::spawn(federation::run(
            Arc::clone(&node),
            mesh.clone(),
            events,
            stopped,
        ));
        Ok(Self {
            node,
            mesh,
            endpoint,
            stop,
            federation,
            api,
        })
    }

    /// The node that runs.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The multiaddresses really listened on, with the ports the system chose.
    #[must_use]
    pub fn listen_addresses(&self) -> Vec<String> {
        self.mesh.listen_addresses()
    }

    /// Where the programming interface answers.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits until the node cannot go on, and says why. Meanwhile it sees to it that the node goes on once its clock
    /// is right again. May be dropped and asked again. What is left to do then is [`Service::stop`].
    pub async fn failed(&self) -> ServiceError {
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        loop {
            ticks.tick().await;
            // First, for the others end when the store does.
            if self.node.store().is_stopped() {
                return ServiceError::Store(self.node.store().stop_reason());
            }
            let node = Arc::clone(&self.node);
            let looked = tokio::task::spawn_blocking(move || look_at_clock(&node)).await;
            match looked {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return ServiceError::CatchUp(error),
                Err(error) => return ServiceError::Task(error),
            }
            if self.federation.is_finished() {
                return ServiceError::Ended("federation");
            }
            if self.api.is_finished() {
                return ServiceError::Ended("programming interface");
            }
        }
    }

    /// Ends all links and the programming interface. What was not acknowledged is sent again the next time.
    pub async fn stop(self) {
        // Nobody listens where both have ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.federation.await {
            tracing::error!(%error, "the federation broke off");
        }
        let mut api = self.api;
        if tokio::time::timeout(API_STOP_TIMEOUT, &mut api)
            .await
            .is_err()
        {
            api.abort();
        }
    }
}

/// Judges what is still to be judged. A clock that cannot be believed is no failure: it is waited for.
fn catch_up(node: &Node) -> Result<(), ObserveError> {
    match node.catch_up(crate::clock::now()) {
        Ok(()) | Err(ObserveError::Clock(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Judges what was left while the clock was wrong, once it is right again; links look at it themselves.
fn look_at_clock(node: &Node) -> Result<(), ObserveError> {
    if node.is_clock_right_again(crate::clock::now()) {
        return catch_up(node);
    }
    Ok(())
}

fn mesh_config(node: &Node) -> MeshConfig {
    let settings = &node.settings().mesh;
    let mut config = MeshConfig::new(node.keys().transport.seed(), settings.listen.clone());
    let in_home = |path: &Path| node.home().path().join(path);
    config.record_frames = settings.record_frames.as_deref().map(in_home);
    config
}
