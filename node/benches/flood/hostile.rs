//! The hostile peers. They speak libp2p by themselves, with the keys of a home, and never wait by choice.

use crate::members::{RECEIVER, forged_observation};
use ambit_ledger::{Chain, Digest, DisclosureId, ItemBody, ObservationId, RefusalCode};
use ambit_node::link::{ControlKind, Frame, Hello, Versions};
use ambit_node::mesh::FRAME_BYTES_MAX;
use ambit_node::node::Node;
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{StreamProtocol, SwarmEvent};
use libp2p::{PeerId, Stream, SwarmBuilder, noise, tcp};
use libp2p_yamux as yamux;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the members have the address that all share for themselves: those who knock soon close it to all.
const MEMBERS_FIRST: Duration = Duration::from_millis(500);
/// How many links each hostile peer keeps open or tries to.
const LINKS: usize = 16;
const PROTOCOL: StreamProtocol = StreamProtocol::new("/ambit/link/2");

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// A member that sends frames that can be read and have no place, as fast as they are taken.
    Flood,
    /// A member that sends what no honest node makes, and comes back at once.
    Garbage,
    /// Nobody's member, that dials in a loop and knocks with raw bytes.
    Stranger,
}

impl Attack {
    pub const ALL: [Self; 3] = [Self::Flood, Self::Garbage, Self::Stranger];

    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Garbage => "garbage",
            Self::Stranger => "stranger",
        }
    }

    pub fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|attack| attack.name() == name);
        found.expect("a name of an attack")
    }

    pub fn is_member(self) -> bool {
        self != Self::Stranger
    }
}

/// What an attacker did so far.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub frames: u64,
    pub links: u64,
    pub connections: u64,
}

impl Counts {
    pub fn parse(line: &str) -> Self {
        let mut numbers = line.split(' ').filter_map(|number| number.parse().ok());
        let mut next = || numbers.next().unwrap_or_default();
        Self {
            frames: next(),
            links: next(),
            connections: next(),
        }
    }
}

#[derive(Default)]
struct Tally {
    frames: AtomicU64,
    links: AtomicU64,
    connections: AtomicU64,
}

impl Tally {
    fn print_without_end(&self) {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let [frames, links, connections] = [&self.frames, &self.links, &self.connections]
                .map(|count| count.load(Ordering::Relaxed));
            println!("{frames} {links} {connections}");
        }
    }
}

/// What it knows of the receiver.
struct Target {
    attack: Attack,
    address: Multiaddr,
    peer: PeerId,
    hello: Option<Hello>,
    /// Where the chain of its first item starts.
    start: Chain,
    /// A statement whose signature is wrong, and which must be verified to find out.
    forged: Vec<u8>,
    tally: Tally,
}

pub fn run(attack: Attack, home: &Path) {
    let node = Node::open(home).expect("a hostile peer opens");
    let seed = node.keys().transport.seed();
    let keypair = Keypair::ed25519_from_bytes(seed.to_vec()).expect("a key");
    let target = Arc::new(target(attack, home, &node));
    let counting = Arc::clone(&target);
    std::thread::spawn(move || counting.tally.print_without_end());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if attack == Attack::Stranger {
        std::thread::sleep(MEMBERS_FIRST);
    }
    runtime.block_on(async {
        let knocking = async {
            if attack != Attack::Flood {
                tokio::time::sleep(MEMBERS_FIRST).await;
                knock_without_end(&target).await;
            }
        };
        tokio::join!(dial_without_end(&target, keypair), knocking);
    });
}

fn target(attack: Attack, home: &Path, node: &Node) -> Target {
    let receiver = home.parent().expect("a folder of homes").join(RECEIVER);
    let settings = std::fs::read_to_string(receiver.join("node.toml")).expect("settings");
    let from = settings.find("/ip4/").expect("an address");
    let address: String = settings[from..]
        .chars()
        .take_while(|character| *character != '"')
        .collect();
    let governance = node.governance();
    let known = governance.partnerships().next();
    let hello = known.map(|partnership| Hello {
        versions: Versions::OWN,
        partnership: partnership.terms().partnership.clone(),
        edition: partnership.edition(),
        incarnation: node.store().incarnation(),
        peer_incarnation: None,
        cursor: 0,
        chain: None,
        credit: 0,
    });
    Target {
        attack,
        address: address.parse().expect("an address"),
        peer: peer(&receiver),
        start: Chain::at(Digest::of(b"unknown")),
        hello,
        forged: forged_observation(node),
        tally: Tally::default(),
    }
}

/// The receiver's identity, as its members have it.
fn peer(receiver: &Path) -> PeerId {
    let text = std::fs::read_to_string(receiver.with_extension("peer")).expect("an identity");
    text.parse().expect("an identity")
}

async fn dial_without_end(target: &Arc<Target>, keypair: Keypair) {
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .expect("encryption")
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .expect("a behaviour")
        .build();
    let dial = || {
        DialOpts::peer_id(target.peer)
            .condition(PeerCondition::Always)
            .addresses(vec![target.address.clone()])
            .allocate_new_port()
            .build()
    };
    for _ in 0..LINKS {
        let control = swarm.behaviour().new_control();
        tokio::spawn(open_without_end(Arc::clone(target), control));
    }
    let mut is_dialling = false;
    loop {
        if !is_dialling {
            target.tally.connections.fetch_add(1, Ordering::Relaxed);
            is_dialling = swarm.dial(dial()).is_ok();
        }
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                is_dialling = false;
            }
            _ => {}
        }
    }
}

async fn open_without_end(target: Arc<Target>, mut control: libp2p_stream::Control) {
    loop {
        if let Ok(stream) = control.open_stream(target.peer, PROTOCOL).await {
            target.tally.links.fetch_add(1, Ordering::Relaxed);
            // Ends with the stream.
            let _ = abuse(&target, stream).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

/// Uses one link until it is cut off.
async fn abuse(target: &Target, mut stream: Stream) -> std::io::Result<()> {
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await?;
    let mut start = target.start;
    if let Some(hello) = &target.hello {
        let hello = hello.clone();
        write(target, &mut stream, &bytes(&Frame::Hello { hello })).await?;
        stream.flush().await?;
        if let Some(known) = read_start(target, &mut stream).await? {
            start = known;
        }
    }
    // Answers are read and thrown away, so that nothing holds the node up in sending them.
    let (mut answers, mut stream) = stream.split();
    let reading = async {
        let mut buffer = [0; 65_536];
        while answers.read(&mut buffer).await? > 0 {}
        std::io::Result::Ok(())
    };
    let writing = async {
        for number in 0_u64.. {
            for _ in 0..64 {
                send(target, &mut stream, start, number).await?;
            }
            stream.flush().await?;
        }
        std::io::Result::Ok(())
    };
    futures::future::try_select(Box::pin(reading), Box::pin(writing))
        .await
        .map(|_| ())
        .map_err(|failed| failed.factor_first().0)
}

/// Where the chain goes on, by the receiver's hello.
async fn read_start(target: &Target, stream: &mut Stream) -> std::io::Result<Option<Chain>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(0);
    let mut frame = vec![0; length.min(FRAME_BYTES_MAX)];
    stream.read_exact(&mut frame).await?;
    let Ok(Frame::Hello { hello }) = Frame::decode(&frame) else {
        return Ok(None);
    };
    target.tally.frames.fetch_add(1, Ordering::Relaxed);
    Ok(hello.chain.map(Chain::at))
}

async fn send<S>(target: &Target, stream: &mut S, start: Chain, number: u64) -> std::io::Result<()>
where
    S: futures::AsyncWrite + Unpin,
{
    match target.attack {
        Attack::Flood => write(target, stream, &flood(target, number)).await,
        Attack::Garbage | Attack::Stranger => match number % 4 {
            0 => write(target, stream, &forged_item(target, start)).await,
            1 => write(target, stream, &[0x9f; 1_024]).await,
            2 => {
                // Not canonical, and cut off.
                let frame = bytes(&Frame::Credit { items: 7 });
                write(target, stream, &[&[0xbf], frame.as_slice()].concat()).await
            }
            _ => {
                target.tally.frames.fetch_add(1, Ordering::Relaxed);
                stream.write_all(&u32::MAX.to_be_bytes()).await
            }
        },
    }
}

async fn write<S>(target: &Target, stream: &mut S, body: &[u8]) -> std::io::Result<()>
where
    S: futures::AsyncWrite + Unpin,
{
    target.tally.frames.fetch_add(1, Ordering::Relaxed);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(body).await
}

/// Frames that can be read, each kind in turn.
fn flood(target: &Target, number: u64) -> Vec<u8> {
    let chain = Digest::of(b"anything");
    let statement = target.forged.clone();
    bytes(&match number % 8 {
        0 => Frame::Item {
            seq: number + 1_000,
            chain,
            observation: vec![7; 60_000],
            disclosure: vec![7; 60_000],
            readings: vec![7; 60_000],
        },
        1 => Frame::Tombstone {
            seq: number + 1_000,
            chain,
        },
        2 => Frame::Ack {
            upto: number,
            chain,
        },
        3 => Frame::Acknowledgement { statement },
        4 => Frame::Control {
            kind: ControlKind::Signature,
            statement,
        },
        5 => Frame::Credit { items: u32::MAX },
        6 => Frame::Reject {
            seq: number,
            code: RefusalCode::NotCanonical,
        },
        _ => match target.hello.clone() {
            Some(hello) => Frame::Hello { hello },
            None => Frame::Credit { items: 0 },
        },
    })
}

/// In its place, so that its signature is looked at.
fn forged_item(target: &Target, start: Chain) -> Vec<u8> {
    let (observation, disclosure) = (target.forged.clone(), target.forged.clone());
    let body = ItemBody::Item {
        observation: ObservationId::of(&observation),
        disclosure: DisclosureId::of(&disclosure),
    };
    bytes(&Frame::Item {
        seq: 1,
        chain: start.with_body(1, &body).digest(),
        observation,
        disclosure,
        readings: Vec::new(),
    })
}

fn bytes(frame: &Frame) -> Vec<u8> {
    frame.encode().expect("a frame of a usual size")
}

/// Raw bytes at the port itself.
async fn knock_without_end(target: &Target) {
    use tokio::io::AsyncReadExt as _;
    use tokio::io::AsyncWriteExt as _;
    let mut parts = target.address.iter();
    let (Some(libp2p::multiaddr::Protocol::Ip4(ip)), Some(libp2p::multiaddr::Protocol::Tcp(port))) =
        (parts.next(), parts.next())
    else {
        panic!("an address of another kind");
    };
    loop {
        target.tally.connections.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut stream) = tokio::net::TcpStream::connect((ip, port)).await {
            let _ = stream.write_all(&[0xa5; 4_096]).await;
            let _ = stream.read(&mut [0; 64]).await;
        }
        tokio::task::yield_now().await;
    }
}
