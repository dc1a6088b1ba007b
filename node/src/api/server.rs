//! The server: on this machine only, a token on every request, operations off the async threads.

use super::operations::answer;
use super::{BUNDLE_FAILED, Endpoint};
use crate::failure::{Failure, FailureKind};
use crate::node::Node;
use crate::platform::{file_number, replace_private_with};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Json, Router};
use std::convert::Infallible;
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

/// The largest request, in bytes: a batch of drafts of an import.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// In how large pieces a bundle is sent, and how many are made ahead of who takes them.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_AHEAD_MAX: usize = 8;

/// The interface cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or cannot be used.
    #[error(
        "failed to listen on 127.0.0.1:{port}; set another `port` under [api] in node.toml, or 0"
    )]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// `api.json` cannot be written.
    #[error("failed to write `{path}`")]
    Endpoint {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gave no randomness.
    #[error(
        "the system gave no randomness for the token; let the node use getrandom(2) or /dev/urandom, then try again"
    )]
    Randomness(#[source] getrandom::Error),
}

/// A server that is listening. Dropping it takes `api.json` away.
#[derive(Debug)]
pub struct ApiServer {
    listeners: Listeners,
    endpoint: Endpoint,
    path: PathBuf,
}

/// Where it listens.
#[derive(Debug)]
struct Listeners {
    port: Option<TcpListener>,
    #[cfg(unix)]
    socket: Option<UnixListener>,
    /// Goes with the server.
    #[cfg(unix)]
    _socket: Option<super::socket::Socket>,
}

#[derive(Clone)]
struct Shared {
    node: Arc<Node>,
    token: Arc<str>,
}

impl ApiServer {
    /// Listens, and writes `api.json` so that the command line finds it.
    ///
    /// # Errors
    /// Any [`ServeError`].
    pub async fn bind(node: &Node) -> Result<Self, ServeError> {
        let port = node.settings().api.port;
        let listen = |source| ServeError::Listen { port, source };
        #[cfg(unix)]
        let (socket, socket_listener) = super::socket::Socket::listen(node.home()).unzip();
        #[cfg(unix)]
        let stated = socket.as_ref().map(super::socket::Socket::stated);
        #[cfg(not(unix))]
        let stated = None;
        let (mut listener, mut address) = (None, None);
        if port != 0 || stated.is_none() {
            let bound = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
            let bound = bound.map_err(listen)?;
            address = Some(bound.local_addr().map_err(listen)?);
            listener = Some(bound);
        }
        let mut token = [0; 32];
        getrandom::fill(&mut token).map_err(ServeError::Randomness)?;
        let mut endpoint = Endpoint {
            socket: stated,
            address,
            token: hex::encode(token),
            file: None,
        };
        let path = node.home().api_path();
        let failed = |source| ServeError::Endpoint {
            path: path.clone(),
            source,
        };
        // The database's lock says that no other node runs here, so a file that is there is left over.
        let written = replace_private_with(&path, |file| {
            endpoint.file = file_number(file);
            Ok(serde_json::to_vec(&endpoint)?)
        });
        written.map_err(failed)?;
        Ok(Self {
            listeners: Listeners {
                port: listener,
                #[cfg(unix)]
                socket: socket_listener,
                #[cfg(unix)]
                _socket: socket,
            },
            endpoint,
            path,
        })
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Serves until `stop` ends.
    pub async fn serve(mut self, node: Arc<Node>, stop: impl Future<Output = ()> + Send + 'static) {
        let shared = Shared {
            node,
            token: self.endpoint.token.as_str().into(),
        };
        let router = Router::new()
            .route("/v1/operations/{name}", post(operate))
            .route("/v1/bundle", get(bundle))
            .route("/v1/organization", get(organization))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .layer(middleware::from_fn_with_state(shared.clone(), authorize))
            .with_state(shared);
        let stop = futures::FutureExt::shared(stop);
        let on_port = serve_on(self.listeners.port.take(), router.clone(), stop.clone());
        #[cfg(unix)]
        let on_socket = serve_on(self.listeners.socket.take(), router, stop);
        #[cfg(not(unix))]
        let on_socket = std::future::ready(());
        tokio::join!(on_port, on_socket);
    }
}

async fn serve_on<L: Listener<Addr: std::fmt::Debug>>(
    listener: Option<L>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let Some(listener) = listener else {
        return;
    };
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the programming interface stopped");
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        // Left over, it would only make the next command line look for a node in vain.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn authorize(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let expected = format!("Bearer {}", shared.token);
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes().to_vec())
        .unwrap_or_default();
    // Whoever does not know the token learns nothing, and no page of a browser is answered.
    let is_page = request.headers().contains_key(header::ORIGIN);
    if is_same(&given, expected.as_bytes()) && !is_page {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// Compares in a time that does not tell where the first difference is.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given
            .iter()
            .zip(expected)
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

async fn operate(State(shared): State<Shared>, Path(name): Path<String>, body: Bytes) -> Response {
    // Reading what was sent takes as long as it is large, so that is done there too.
    let done = tokio::task::spawn_blocking(move || {
        answer(&name, &body, &shared.node, crate::clock::now())
    });
    match done.await {
        Ok(Ok(answer)) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Ok(Err(failure)) => failure_response(failure),
        Err(error) => failure_response(Failure::new(FailureKind::Failed, &error)),
    }
}

async fn organization(State(shared): State<Shared>) -> Response {
    Json(&shared.node.settings().organization.id).into_response()
}

async fn bundle(State(shared): State<Shared>) -> Response {
    let (pieces, sent) = tokio::sync::mpsc::channel(PIECES_AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces(pieces));
        let exported = shared.node.export(&mut out).map(|_| ());
        let failed = exported
            .err()
            .map(|error| Failure::new(FailureKind::Failed, &error));
        // Nobody takes the rest where it cannot be written.
        let _: std::io::Result<()> = failed.map_or(Ok(()), |failed| {
            tracing::warn!(error = failed.message, "a bundle was not exported");
            out.write_all(&BUNDLE_FAILED)?;
            Ok(serde_json::to_writer(&mut out, &failed)?)
        });
        let _: std::io::Result<()> = out.flush();
    });
    let pieces = futures::stream::unfold(sent, async |mut sent| {
        let piece: Bytes = sent.recv().await?;
        Some((Ok::<_, Infallible>(piece), sent))
    });
    (
        [(header::CONTENT_TYPE, "application/octet-stream")],
        Body::from_stream(pieces),
    )
        .into_response()
}

/// Sends what is written as pieces of an answer, and waits while too many are on their way.
struct Pieces(tokio::sync::mpsc::Sender<Bytes>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn failure_response(failure: Failure) -> Response {
    let status = match failure.kind {
        FailureKind::Failed | FailureKind::Gone => StatusCode::INTERNAL_SERVER_ERROR,
        FailureKind::Usage => StatusCode::BAD_REQUEST,
        FailureKind::Verification => StatusCode::UNPROCESSABLE_ENTITY,
        FailureKind::NotFound => StatusCode::NOT_FOUND,
        FailureKind::NotAuthorized => StatusCode::UNAUTHORIZED,
        FailureKind::TryAgain => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(failure)).into_response()
}
