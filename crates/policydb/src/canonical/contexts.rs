//! Contexts of objects: without what no look-up finds, most specific first where the kernel looks for the first that fits.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::numbers::Numbers;
use crate::db::PolicyDb;
use crate::object_contexts::{
    DeviceTree, FsUse, GenfsDatum, GenfsPath, IbEndPort, IbPkey, InitialSid, NamedPair, Node, Port,
    XenRange,
};

/// Fills object contexts of `new`.
pub(super) fn fill(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let (old, all) = (&db.object_contexts, &mut new.object_contexts);
    all.initial_sids = old
        .initial_sids
        .iter()
        .filter_map(|it| Some(InitialSid { sid: it.sid, context: numbers.context(&it.context)? }))
        .collect();
    all.initial_sids.sort_by_key(|it| Reverse(it.sid));
    all.initial_sids.dedup_by_key(|it| it.sid);
    all.filesystems = pairs(&old.filesystems, numbers);
    all.netifs = pairs(&old.netifs, numbers);
    all.ports = ports(&old.ports, numbers);
    all.nodes = nodes(&old.nodes, numbers, |it| u32::from_le_bytes(it.octets()));
    all.nodes6 = nodes(&old.nodes6, numbers, |it| it.octets());
    let mut seen = HashSet::new();
    all.fs_uses = old
        .fs_uses
        .iter()
        .filter(|it| seen.insert(it.name.clone()))
        .filter_map(|it| {
            let (behavior, name) = (it.behavior, it.name.clone());
            Some(FsUse { behavior, name, context: numbers.context(&it.context)? })
        })
        .collect();
    infiniband(db, numbers, new);
    xen(db, numbers, new);
    new.genfs = genfs(&db.genfs, numbers);
}

fn pairs(old: &[NamedPair], numbers: &Numbers) -> Vec<NamedPair> {
    let mut seen = HashSet::new();
    let pairs = old.iter().filter(|it| seen.insert(it.name.clone())).filter_map(|it| {
        let context = numbers.context(&it.context)?;
        let second = numbers.context(&it.second)?;
        Some(NamedPair { name: it.name.clone(), context, second })
    });
    pairs.collect()
}

fn ports(old: &[Port], numbers: &Numbers) -> Vec<Port> {
    let mut new: Vec<Port> = Vec::with_capacity(old.len());
    for it in old {
        let hides = |other: &Port| {
            other.protocol == it.protocol && other.low <= it.low && other.high >= it.high
        };
        if let (false, Some(context)) = (new.iter().any(hides), numbers.context(&it.context)) {
            new.push(Port { context, ..it.clone() });
        }
    }
    new
}

fn nodes<A: Copy + Eq + std::hash::Hash, R: Ord>(
    old: &[Node<A>],
    numbers: &Numbers,
    rank: impl Fn(A) -> R,
) -> Vec<Node<A>> {
    let mut seen = HashSet::new();
    let mut new: Vec<Node<A>> = old
        .iter()
        .filter(|it| seen.insert((it.address, it.mask)))
        .filter_map(|it| {
            let (address, mask) = (it.address, it.mask);
            Some(Node { address, mask, context: numbers.context(&it.context)? })
        })
        .collect();
    new.sort_by_key(|it| Reverse(rank(it.mask)));
    new
}

fn infiniband(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let all = &mut new.object_contexts;
    for it in &db.object_contexts.ibpkeys {
        let hides = |other: &IbPkey| {
            (other.subnet_prefix == it.subnet_prefix)
                && other.low <= it.low
                && other.high >= it.high
        };
        if let (false, Some(context)) =
            (all.ibpkeys.iter().any(hides), numbers.context(&it.context))
        {
            all.ibpkeys.push(IbPkey { context, ..it.clone() });
        }
    }
    for it in &db.object_contexts.ibendports {
        let same = |other: &IbEndPort| other.port == it.port && other.device == it.device;
        if let (false, Some(context)) =
            (all.ibendports.iter().any(same), numbers.context(&it.context))
        {
            all.ibendports.push(IbEndPort { context, ..it.clone() });
        }
    }
}

fn xen(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let (old, all) = (&db.object_contexts, &mut new.object_contexts);
    let ranges = |list: &[XenRange]| -> Vec<XenRange> {
        let with =
            |it: &XenRange| Some(XenRange { context: numbers.context(&it.context)?, ..it.clone() });
        list.iter().filter_map(with).collect()
    };
    all.pirqs = ranges(&old.pirqs);
    all.ioports = ranges(&old.ioports);
    all.iomems = ranges(&old.iomems);
    all.pci_devices = ranges(&old.pci_devices);
    let mut seen = HashSet::new();
    let device_tree = old.device_tree.iter().filter(|it| seen.insert(it.path.clone()));
    all.device_tree = device_tree
        .filter_map(|it| {
            Some(DeviceTree { path: it.path.clone(), context: numbers.context(&it.context)? })
        })
        .collect();
}

fn genfs(old: &[GenfsDatum], numbers: &Numbers) -> Vec<GenfsDatum> {
    let mut new: Vec<GenfsDatum> = Vec::new();
    for datum in old {
        let at = new.iter().position(|it| it.fstype == datum.fstype).unwrap_or_else(|| {
            new.push(GenfsDatum { fstype: datum.fstype.clone(), paths: Vec::new() });
            new.len() - 1
        });
        let Some(into) = new.get_mut(at) else { continue };
        for path in &datum.paths {
            let class = path.class.and_then(|it| numbers.classes.id(it));
            if let Some(context) = numbers.context(&path.context) {
                into.paths.push(GenfsPath { path: path.path.clone(), class, context });
            }
        }
    }
    for datum in &mut new {
        datum.paths.sort_by_key(|it| Reverse(it.path.len()));
    }
    new.retain(|it| !it.paths.is_empty());
    new.sort_by(|a, b| a.fstype.cmp(&b.fstype));
    new
}
