//! Ports, nodes, network interfaces, filesystems and initial SIDs: the same contexts as libsepol's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::{Context, Result};

use crate::originals;
use crate::ours::Server;
use crate::place::Place;
use crate::random::Random;
use crate::reference::{Reference, VERSION};
use crate::report::{Comparison, Report};
use crate::sepol::Sepol;
use crate::small::{Small, Target};
use crate::vocabulary::Vocabulary;

/// The IP numbers of the protocols that have ports.
const PROTOCOLS: [u8; 4] = [6, 17, 33, 132];
/// The classes that `genfscon` can be limited to; 0 asks without a class.
const FILE_CLASSES: [&str; 4] = ["file", "dir", "chr_file", "lnk_file"];

/// Something whose context the policy gives directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// An IP protocol's number and a port.
    Port(u8, u16),
    /// An address.
    Node(IpAddr),
    /// A network interface.
    Netif(String),
    /// Filesystem, path and class.
    Genfs(String, String, u32),
    /// A filesystem.
    FsUse(String),
    /// An initial SID.
    Initial(u32),
}

/// As libsepol's program reads it.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(protocol, port) => write!(f, "port\t{protocol}\t{port}"),
            Self::Node(address) => write!(f, "node\t{address}"),
            Self::Netif(name) => write!(f, "netif\t{name}"),
            Self::Genfs(fs, path, class) => write!(f, "genfs\t{fs}\t{path}\t{class}"),
            Self::FsUse(fs) => write!(f, "fs_use\t{fs}"),
            Self::Initial(number) => write!(f, "initial\t{number}"),
        }
    }
}

/// Compares the contexts of objects, in the large policies and in small ones that have every kind.
///
/// # Errors
/// When libsepol does not run to its end, or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("libsepol: ports, nodes, interfaces, filesystems, initial SIDs")?;
    let newest = originals::newest_policy_version()?.min(VERSION);
    for small in Small::all(newest) {
        if small.target == Target::Selinux && small.version == newest {
            let comparison = compare(place, &small.name(), &small.build(place)?, seed)?;
            report.add(&comparison)?;
        }
    }
    for reference in references {
        let name = format!("Reference Policy {}", reference.flavour.name());
        report.add(&compare(place, &name, &reference.binary(), seed)?)?;
    }
    Ok(())
}

fn compare(place: &Place, name: &str, policy: &Path, seed: u64) -> Result<Comparison> {
    let mut sepol = Sepol::load(place, policy)?;
    let vocabulary = sepol.vocabulary()?;
    let bytes = std::fs::read(policy).with_context(|| format!("reading {}", policy.display()))?;
    let server = Server::load(&bytes)?;
    let objects = questions(&vocabulary, &mut Random::new(seed));
    let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let mut comparison = Comparison::new(format!("object contexts, {name}"));
    for (object, theirs) in objects.iter().zip(sepol.ask(&lines)?) {
        comparison.equal(|| object.to_string().replace('\t', " "), &server.object(object), &theirs);
    }
    Ok(comparison)
}

/// Questions about every object that the policy gives a context, and about some that it does not.
#[must_use]
pub fn questions(vocabulary: &Vocabulary, random: &mut Random) -> Vec<Object> {
    let mut all: Vec<Object> =
        vocabulary.initial_sids.iter().map(|number| Object::Initial(*number)).collect();
    all.extend(ports(vocabulary, random));
    all.extend(nodes(vocabulary, random).into_iter().map(Object::Node));
    all.extend(vocabulary.netifs.iter().cloned().map(Object::Netif));
    all.extend(["eth9", "lo1", "e"].map(|name| Object::Netif(name.to_owned())));
    all.extend(genfs(vocabulary));
    let filesystems = vocabulary.genfs.iter().map(|genfs| &genfs.filesystem);
    let filesystems = filesystems.chain(&vocabulary.fs_uses).cloned().map(Object::FsUse);
    all.extend(filesystems);
    all.push(Object::FsUse("no_such_filesystem".to_owned()));
    all
}

/// The ends of every range and their neighbours, and ports at random, over every protocol.
fn ports(vocabulary: &Vocabulary, random: &mut Random) -> Vec<Object> {
    let ends = vocabulary.ports.iter().flat_map(|&(_, low, high)| [low, high]);
    let mut ports: Vec<u16> = ends
        .flat_map(|port| [port.wrapping_sub(1), port, port + 1])
        .filter_map(|port| u16::try_from(port).ok())
        .collect();
    ports.extend((0..500).filter_map(|_| u16::try_from(random.below(65536)).ok()));
    ports.sort_unstable();
    ports.dedup();
    let both = |port| PROTOCOLS.map(|protocol| Object::Port(protocol, port));
    ports.into_iter().flat_map(both).collect()
}

/// Addresses of every `nodecon`, the first and the last it covers, and addresses at random.
fn nodes(vocabulary: &Vocabulary, random: &mut Random) -> Vec<IpAddr> {
    let mut nodes = Vec::new();
    for (address, mask) in &vocabulary.nodes {
        match (address.parse(), mask.parse()) {
            (Ok(IpAddr::V4(address)), Ok(IpAddr::V4(mask))) => {
                let (address, mask) = (address.to_bits(), mask.to_bits());
                let some = [address, address | !mask, address ^ 1, address.wrapping_sub(1)];
                nodes.extend(some.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))));
            }
            (Ok(IpAddr::V6(address)), Ok(IpAddr::V6(mask))) => {
                let (address, mask) = (address.to_bits(), mask.to_bits());
                let some = [address, address | !mask, address ^ 1, address.wrapping_sub(1)];
                nodes.extend(some.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))));
            }
            _ => {}
        }
    }
    for _ in 0..50 {
        let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
        let [a, b, c, d, ..] = bits.to_be_bytes();
        nodes.extend([IpAddr::from([a, b, c, d]), IpAddr::V6(Ipv6Addr::from_bits(bits))]);
    }
    nodes
}

/// Every path, paths below it and beside it, with and without a class.
fn genfs(vocabulary: &Vocabulary) -> Vec<Object> {
    let number = |name: &str| {
        let found = vocabulary.classes.iter().find(|(_, class)| *class == name);
        found.map(|(value, _)| *value)
    };
    let classes: Vec<u32> =
        FILE_CLASSES.iter().filter_map(|name| number(name)).chain([0]).collect();
    let mut all = Vec::new();
    for genfs in &vocabulary.genfs {
        let path = &genfs.path;
        let others =
            [path.clone(), format!("{path}/below"), format!("{path}beside"), "/else".into()];
        for path in others {
            let with = |class: &u32| Object::Genfs(genfs.filesystem.clone(), path.clone(), *class);
            all.extend(classes.iter().map(with));
        }
    }
    all.push(Object::Genfs("no_such_filesystem".into(), "/".into(), 0));
    all
}
