//! Queries of `--jsonl` about objects without a label of their own: where the policy is silent, the initial SID of the
//! kind answers, as in the kernel.

use std::net::{IpAddr, Ipv6Addr};

use mandate_policydb::{Context, FsUseBehavior, PolicyDb};
use mandate_server::{FsUse, ObjectLookup, initial_sid_name};
use serde_json::{Value, json};

use super::jsonl::{BadQuery, Fields, Request};

/// The answer to an op about objects; `None` if it is not such an op.
pub(crate) fn answer(db: &PolicyDb, request: &Request) -> Option<Result<Fields, BadQuery>> {
    match request.op() {
        "initial_sid" => Some(initial_sid(db, request)),
        "port" => Some(port(db, request)),
        "node" => Some(node(db, request)),
        "netif" => Some(netif(db, request)),
        "genfs" => Some(genfs(db, request)),
        "fs_use" => Some(fs_use(db, request)),
        "ibpkey" => Some(ibpkey(db, request)),
        "ibendport" => Some(ibendport(db, request)),
        _ => None,
    }
}

fn text(db: &PolicyDb, context: &Context) -> Value {
    db.context_to_string(context).into()
}

fn or_initial<'a>(
    db: &'a PolicyDb,
    found: Option<&'a Context>,
    initial: &str,
) -> Option<&'a Context> {
    found.or_else(|| db.lookup_initial_sid_by_name(initial))
}

fn context(db: &PolicyDb, found: Option<&Context>) -> Fields {
    found.map(|found| vec![("context", text(db, found))]).ok_or("ENOENT")
}

fn number(request: &Request, key: &str) -> Result<u32, BadQuery> {
    let number = u32::try_from(request.number(key)?);
    number.map_err(|_| format!("{key:?} must be a number up to 2^32 - 1"))
}

fn initial_sid(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let name = request.text("name")?;
    let found = match name.parse() {
        Ok(number) => db.lookup_initial_sid(number),
        // One that the policy leaves out counts as unlabeled.
        Err(_) if (1..=27).any(|sid| initial_sid_name(db.target, sid) == Some(name)) => {
            let found = db.lookup_initial_sid_by_name(name);
            or_initial(db, found, "unlabeled")
        }
        Err(_) => None,
    };
    Ok(context(db, found))
}

fn port(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let protocol = match request.text("protocol")? {
        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "sctp" => 132,
        _ => return Ok(Err("EINVAL")),
    };
    let found = db.lookup_port(protocol, number(request, "port")?);
    Ok(context(db, or_initial(db, found, "port")))
}

fn node(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let address = request.text("address")?;
    let found = match address.parse() {
        Ok(IpAddr::V4(address)) => db.lookup_node(address),
        Ok(IpAddr::V6(address)) => db.lookup_node6(address),
        Err(_) => return Err(format!("\"address\" must be an IP address, found {address:?}")),
    };
    Ok(context(db, or_initial(db, found, "node")))
}

fn netif(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let found = db.lookup_netif(request.text("name")?.as_bytes());
    let interface = or_initial(db, found.map(|it| &it.context), "netif");
    let packets = or_initial(db, found.map(|it| &it.second), "netmsg");
    let (Some(interface), Some(packets)) = (interface, packets) else { return Ok(Err("ENOENT")) };
    Ok(Ok(vec![("context", text(db, interface)), ("packet_context", text(db, packets))]))
}

fn genfs(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let (fstype, path) = (request.text("fstype")?.as_bytes(), request.text("path")?.as_bytes());
    let class = db.classes.id(request.text("tclass")?);
    Ok(context(db, db.lookup_genfs(fstype, path, class)))
}

fn fs_use(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let (behavior, found) = match db.lookup_fs_use(request.text("fstype")?.as_bytes()) {
        FsUse::Behavior(FsUseBehavior::Xattr, found) => (json!("xattr"), Some(found)),
        FsUse::Behavior(FsUseBehavior::Trans, found) => (json!("trans"), Some(found)),
        FsUse::Behavior(FsUseBehavior::Task, found) => (json!("task"), Some(found)),
        FsUse::Behavior(FsUseBehavior::Other(number), found) => (json!(number), Some(found)),
        FsUse::Genfs(found) => (json!("genfs"), Some(found)),
        FsUse::None => (json!("none"), db.lookup_initial_sid_by_name("unlabeled")),
    };
    let Some(found) = found else { return Ok(Err("ENOENT")) };
    Ok(Ok(vec![("behavior", behavior), ("context", text(db, found))]))
}

fn ibpkey(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let prefix = request.text("subnet_prefix")?;
    let address: Ipv6Addr = prefix
        .parse()
        .map_err(|_| format!("\"subnet_prefix\" must be an IPv6 address, found {prefix:?}"))?;
    let prefix = u64::try_from(address.to_bits() >> 64).unwrap_or_default();
    let found = db.lookup_ibpkey(prefix, number(request, "pkey")?);
    Ok(context(db, or_initial(db, found, "unlabeled")))
}

fn ibendport(db: &PolicyDb, request: &Request) -> Result<Fields, BadQuery> {
    let device = request.text("device")?.as_bytes();
    let found = db.lookup_ibendport(device, number(request, "port")?);
    Ok(context(db, or_initial(db, found, "unlabeled")))
}
