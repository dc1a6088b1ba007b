//! One party of the example: a whole node with a home, keys, a database, links and a loopback interface.

use super::DemoError;
use super::example::Character;
use crate::clock;
use crate::holding::Status;
use crate::node::Node;
use crate::service::Service;
use ambit_ledger::OrganizationId;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An organization of the example with its running node.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) character: &'static Character,
    pub(super) organization: OrganizationId,
    pub(super) home: PathBuf,
    service: Service,
}

impl Party {
    /// Makes the node's home and starts the node.
    pub(super) async fn start(
        character: &'static Character,
        homes: &Path,
        port: u16,
    ) -> Result<Self, DemoError> {
        let settings = character.settings(port)?;
        let home = homes.join(character.folder);
        let place = home.clone();
        let node = tokio::task::spawn_blocking(move || {
            Node::init(&place, &settings, clock::now())?;
            Node::open(&place)
        })
        .await??;
        Ok(Self {
            organization: character.organization()?,
            character,
            home,
            service: Service::start(Arc::new(node)).await?,
        })
    }

    /// Does something with the node, off the async threads.
    pub(super) async fn ask<T, E, F>(&self, work: F) -> Result<T, DemoError>
    where
        T: Send + 'static,
        E: Send + 'static,
        DemoError: From<E>,
        F: FnOnce(&Node) -> Result<T, E> + Send + 'static,
    {
        let node = Arc::clone(self.service.node());
        Ok(tokio::task::spawn_blocking(move || work(&node)).await??)
    }

    pub(super) async fn status(&self) -> Result<Status, DemoError> {
        self.ask(|node| node.status(clock::now())).await
    }

    pub(super) async fn until_it_fails(&self) -> DemoError {
        self.service.until_it_fails().await.into()
    }

    pub(super) async fn stop(self) {
        self.service.stop().await;
    }
}

/// As many free ports of the loopback address. They stand in the identity cards, so they have to be known
/// before the nodes listen on them.
pub(super) fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    let listeners = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()?;
    listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect()
}
