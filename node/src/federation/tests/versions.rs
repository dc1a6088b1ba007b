//! Nodes whose programs or agreements are of different versions: an operator reads why nothing goes.

use super::peer::{edition_of, hello, mesh_of, open_link, receive, reject};
use super::refusals::pair;
use super::*;
use crate::link::{Hello, Versions};
use crate::mesh::{Link, MeshEvent, MeshHandle};
use ambit_ledger::{Chain, Digest, RefusalCode};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A real supplier, and links that it opened to a recipient that the test speaks for.
pub(super) struct Opened {
    pub(super) supplier: Running,
    pub(super) recipient: Node,
    links: mpsc::Receiver<Link>,
    mesh: MeshHandle,
    _folder: TempDir,
}

impl Opened {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipient = Node::open(&init(folder.path(), "one")).unwrap();
        let supplier = Running::start(&init(folder.path(), "shop")).await;
        let text = quality("one", "F-ONE", "");
        agree(&recipient, &supplier.node, &text, crate::clock::now());
        let listen = recipient.settings().mesh.listen.clone();
        let config = MeshConfig::new(recipient.keys().transport.seed(), listen);
        let (mesh, mut events) = Mesh::start(config).await.unwrap();
        mesh.set_peers([(peer_of(&supplier.node), Vec::new())].into());
        let (opened, links) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let MeshEvent::Inbound { link, .. } = event {
                    let _ = opened.send(link).await;
                }
            }
        });
        Self {
            supplier,
            recipient,
            links,
            mesh,
            _folder: folder,
        }
    }

    /// Answers the next link's hello with what is made of an honest recipient's answer. The link stays open as long as
    /// it is held.
    pub(super) async fn answer(&mut self, answer: impl FnOnce(Hello) -> Frame) -> Link {
        let next = tokio::time::timeout(LIMIT, self.links.recv()).await;
        let mut link = next.unwrap().unwrap();
        let first = receive(&mut link).await.unwrap();
        let Frame::Hello { mut hello } = Frame::decode(&first).unwrap() else {
            panic!("no hello came");
        };
        let incarnation = self.recipient.store().incarnation();
        let (from, to) = (organization("shop"), organization("one"));
        let start = Chain::start(&hello.partnership, &from, &to, &incarnation);
        hello.peer_incarnation = Some(hello.incarnation);
        hello.incarnation = incarnation;
        hello.chain = Some(start.digest());
        let answer = answer(hello);
        link.send(&answer.encode().unwrap()).await.unwrap();
        link
    }

    pub(super) async fn until_told(&self, text: &str) {
        let told = || self.supplier.node.all_troubles(crate::clock::now());
        until("the supplier says why nothing goes", || {
            told().iter().any(|line| line.contains(text))
        })
        .await;
        assert_eq!(told().len(), 1, "{:?}", told());
    }

    pub(super) async fn stop(self) {
        self.mesh.stop().await;
        self.supplier.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_reads_that_the_recipient_speaks_another_version() {
    let mut opened = Opened::new().await;
    let link = opened
        .answer(|_| reject(0, RefusalCode::NewerVersion))
        .await;
    opened.until_told("update the older one").await;
    drop(link);
    opened.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_reads_that_the_recipient_has_another_edition() {
    let mut opened = Opened::new().await;
    let theirs = Digest::of(b"another edition");
    let link = opened
        .answer(|mut hello| {
            hello.edition = theirs;
            Frame::Hello { hello }
        })
        .await;
    opened.until_told(&format!("has edition {theirs}")).await;
    drop(link);
    opened.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_reads_that_the_sender_speaks_another_version() {
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "").await;
    let recipient = &pair.recipient.node;
    let mesh = mesh_of(&pair.supplier, recipient).await;
    let edition = edition_of(&pair.supplier, &pair.partnership);
    let incarnation = pair.supplier.store().incarnation();
    let own = hello(&pair.partnership, edition, incarnation);
    let mut later = own.clone();
    if let Frame::Hello { hello } = &mut later {
        hello.versions = Versions {
            least: Versions::OWN.most + 1,
            most: Versions::OWN.most + 7,
        };
    }
    let mut link = open_link(&mesh, peer_of(recipient)).await;
    link.send(&later.encode().unwrap()).await.unwrap();
    let answer = receive(&mut link).await.unwrap();
    let refusal = reject(0, RefusalCode::NewerVersion);
    assert_eq!(Frame::decode(&answer).unwrap(), refusal);
    assert!(receive(&mut link).await.is_none());
    let told = recipient.all_troubles(crate::clock::now());
    assert!(told[0].ends_with("update the older one"), "{told:?}");

    // Once the sender is another program, that is over.
    let mut link = open_link(&mesh, peer_of(recipient)).await;
    link.send(&own.encode().unwrap()).await.unwrap();
    receive(&mut link).await.unwrap();
    assert!(recipient.all_troubles(crate::clock::now()).is_empty());
    pair.recipient.stop().await;
}
