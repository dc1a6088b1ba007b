//! A node at work: its links to its peers and its programming interface, from start to stop.
//!
//! It joins rooms and decides nothing. It must never go on once the ledger cannot be written.

use crate::api::{ApiServer, Endpoint, ServeError};
use crate::failure::{Failure, FailureKind};
use crate::federation::Federation;
use crate::mesh::{Mesh, MeshConfig, MeshError, MeshHandle};
use crate::node::Node;
use crate::release::ObserveError;
use crate::store::StoreError;
use crate::work::{self, WorkError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

/// How long one part may take to end when the node stops: requests are answered, links record what they still have to.
const PART_STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// A node that runs. Dropping it without [`Service::stop`] ends its tasks with the runtime.
#[derive(Debug)]
pub struct Service {
    node: Arc<Node>,
    mesh: MeshHandle,
    endpoint: Endpoint,
    stop: watch::Sender<bool>,
    federation: Part,
    api: Part,
    works: Part,
    /// Why the periodic works ended, where one of them could not go on.
    failed_work: Arc<Mutex<Option<WorkError>>>,
}

/// A part of the node that runs until it is told to stop.
#[derive(Debug)]
struct Part {
    name: &'static str,
    task: JoinHandle<()>,
    /// Its sender is gone once the part has ended, however it did.
    over: watch::Receiver<()>,
}

impl Part {
    fn start(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let (running, over) = watch::channel(());
        let task = tokio::spawn(async move {
            let _running = running;
            work.await;
        });
        Self { name, task, over }
    }

    async fn over(&self) {
        while self.over.clone().changed().await.is_ok() {}
    }

    /// Waits until it has ended, for as long as it may take.
    async fn end(mut self) {
        match tokio::time::timeout(PART_STOP_TIMEOUT, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, part = self.name, "a part broke off"),
            Err(_) => {
                tracing::warn!(
                    part = self.name,
                    "a part did not end in time and is cut off"
                );
                self.task.abort();
            }
        }
    }
}

/// A node cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// What was left open the last time cannot be judged.
    #[error(
        "failed to judge what was not judged yet, and a node starts with nothing left to judge; mend this, then start it again"
    )]
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
    /// Something that comes again and again failed.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A part of the node ended by itself.
    #[error("the node stops, because its {0} ended; its log says why, start it again")]
    Ended(&'static str),
    /// A task could not be finished.
    #[error("a task of the node broke off; its log says why, start it again")]
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
        tokio::task::spawn_blocking(move || judging.catch_up_when_timely(crate::clock::now()))
            .await?
            .map_err(ServiceError::CatchUp)?;
        let server = ApiServer::bind(&node).await?;
        let (mesh, events) = Mesh::start(mesh_config(&node)).await?;
        let (stop, stopped) = watch::channel(false);
        let endpoint = server.endpoint().clone();
        let mut api_stopped = stopped.clone();
        let api = server.serve(Arc::clone(&node), async move {
            // A sender that is gone is a stop as well.
            let _ = api_stopped.changed().await;
        });
        let federation = Federation::new(Arc::clone(&node), mesh.clone());
        let works = work::works(&node, &federation.upkeep());
        let works_stopped = stopped.clone();
        let failed_work = Arc::new(Mutex::new(None));
        let failing = Arc::clone(&failed_work);
        let works = async move {
            if let Err(error) = work::run(works, works_stopped).await {
                *failing.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        Ok(Self {
            node,
            mesh,
            endpoint,
            stop,
            federation: Part::start("federation", federation.run(events, stopped)),
            api: Part::start("programming interface", api),
            works: Part::start("periodic work", works),
            failed_work,
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

    /// Waits until the node cannot go on, and says why. May be dropped and asked again. What is left to do then is
    /// [`Service::stop`].
    pub async fn until_it_fails(&self) -> ServiceError {
        let ended = tokio::select! {
            () = self.works.over() => self.works.name,
            () = self.federation.over() => self.federation.name,
            () = self.api.over() => self.api.name,
        };
        // First, for the others end when the store does.
        if self.node.store().is_stopped() {
            return ServiceError::Store(self.node.store().stop_reason());
        }
        let failed_work = self.failed_work.lock();
        let failed_work = failed_work.unwrap_or_else(PoisonError::into_inner).take();
        failed_work.map_or(ServiceError::Ended(ended), ServiceError::Work)
    }

    /// Ends all links and the programming interface. What was not acknowledged is sent again the next time.
    pub async fn stop(self) {
        // Nobody listens where all have ended already.
        let _ = self.stop.send(true);
        tokio::join!(self.federation.end(), self.api.end(), self.works.end());
    }
}

fn mesh_config(node: &Node) -> MeshConfig {
    let settings = &node.settings().mesh;
    let mut config = MeshConfig::new(node.keys().transport.seed(), settings.listen.clone());
    let in_home = |path: &Path| node.home().path().join(path);
    config.record_frames = settings.record_frames.as_deref().map(in_home);
    config
}
