//! The Unix socket by which commands reach a running node: in a folder that only its owner may enter, so that nobody else answers in the
//! node's place, or is shown the token.

use super::Endpoint;
use crate::config::Home;
use crate::platform::temporary_private_folder;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::UnixListener;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};

/// The longest path that every system takes for a socket, which is 103 bytes at the least (`sun_path`).
const PATH_BYTES_MAX: usize = 100;
/// Its name in the home.
const NAME: &str = "api.sock";
/// How the folders begin that sockets of homes with longer paths are in.
const PREFIX: &str = "ambit-api-";

/// A socket that commands connect to. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// A folder of its own, where it has one.
    folder: Option<TempDir>,
}

impl Socket {
    /// Listens in the home; where its path is too long, or its file system has no sockets, in a folder of its own; none where that
    /// cannot be either. What an earlier node left is removed.
    pub(super) fn listen(home: &Home) -> Option<(Self, UnixListener)> {
        remove_left(home);
        let in_home = home.path().join(NAME);
        if in_home.as_os_str().len() <= PATH_BYTES_MAX
            && let Ok(listener) = listen_at(&in_home)
        {
            let (path, folder) = (in_home, None);
            return Some((Self { path, folder }, listener));
        }
        private_folders().find_map(|folder| {
            let path = folder.path().join(NAME);
            let listener = listen_at(&path).ok()?;
            let folder = Some(folder);
            Some((Self { path, folder }, listener))
        })
    }

    /// Where it is, as `api.json` says it.
    pub(super) fn stated(&self) -> PathBuf {
        match self.folder {
            Some(_) => self.path.clone(),
            None => NAME.into(),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn listen_at(path: &Path) -> std::io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Folders that nobody else may enter: among those of this user that are gone with the system, or else among temporary files.
fn private_folders() -> impl Iterator<Item = TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|folder| folder.is_absolute());
    let places = runtime
        .into_iter()
        .chain([std::env::temp_dir(), "/tmp".into()]);
    places.filter_map(|place| temporary_private_folder(&place, PREFIX).ok())
}

/// Removes what a node left that was killed. The store's lock says that no other node runs here; what a copy of another home names is that
/// one's.
fn remove_left(home: &Home) {
    let _ = std::fs::remove_file(home.path().join(NAME));
    let socket = Endpoint::of(home).and_then(|left| left.socket);
    let folder = socket.as_deref().and_then(Path::parent);
    let name = folder.and_then(|folder| folder.file_name()?.to_str());
    if let (Some(folder), Some(name)) = (folder, name)
        && folder.is_absolute()
        && name.starts_with(PREFIX)
    {
        let _ = std::fs::remove_file(folder.join(NAME));
        let _ = std::fs::remove_dir(folder);
    }
}

/// Where the socket is that the `api.json` of a home names.
pub(super) fn found(home: &Home, stated: &Path) -> PathBuf {
    let path = home.path().join(stated);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return path;
    }
    // The node may know its home by a shorter path.
    std::fs::canonicalize(home.path()).map_or(path, |home| home.join(stated))
}

/// Connects to a socket, whatever address is asked for.
#[derive(Debug)]
pub(super) struct SocketConnector(pub(super) PathBuf);

impl Connector<()> for SocketConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _before: Option<()>,
    ) -> Result<Option<SocketTransport>, ureq::Error> {
        let stream = Arc::new(Stream(UnixStream::connect(&self.0)?));
        let shutdown = Arc::downgrade(&stream);
        (details.register_shutdown)(shutdown)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(SocketTransport { stream, buffers }))
    }
}

#[derive(Debug)]
struct Stream(UnixStream);

impl ShutdownHandle for Stream {
    fn shutdown(&self) {
        // One that is closed already is as good.
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

/// A connection to a socket.
#[derive(Debug)]
pub(super) struct SocketTransport {
    stream: Arc<Stream>,
    buffers: LazyBuffers,
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let stream = &self.stream.0;
        stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let mut writer = stream;
        writer
            .write_all(output)
            .map_err(|error| of_time(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let stream = &self.stream.0;
        stream.set_read_timeout(timeout.not_zero().map(|limit| *limit))?;
        let mut reader = stream;
        let read = loop {
            match reader.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(|error| of_time(error, timeout))?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let stream = &self.stream.0;
        let mut reader = stream;
        // Nothing is to be read of one that is kept, and it does not end.
        let is_idle = stream.set_nonblocking(true).is_ok()
            && matches!(reader.read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        is_idle && stream.set_nonblocking(false).is_ok()
    }
}

/// What a socket says of a time that ran out.
fn of_time(error: std::io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            ureq::Error::Timeout(timeout.reason)
        }
        _ => error.into(),
    }
}
