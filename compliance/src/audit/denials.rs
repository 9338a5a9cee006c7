//! Logs of denials over the names of a policy: nearly all contexts differ, as the originals like it least.

use mandate_policydb::{Policy, PolicyDb, RoleId};
use mandate_query::types::TypeSets;

use crate::random::Random;

const CLASSES: [(&str, &[&str]); 9] = [
    ("file", &["read", "write", "open", "getattr", "execute", "create", "unlink", "map"]),
    ("dir", &["search", "read", "write", "add_name"]),
    ("chr_file", &["read", "ioctl"]),
    ("tcp_socket", &["name_connect", "name_bind"]),
    ("process", &["signal", "transition", "execmem"]),
    ("unix_stream_socket", &["connectto"]),
    ("capability", &["dac_override", "sys_admin"]),
    ("fd", &["use"]),
    ("sock_file", &["write"]),
];
const PATHS: [&str; 6] = ["/etc/x", "/var/log/x", "/srv/x", "/usr/bin/x", "/home/joe/x", "/run/x"];

/// A log of so many denials; an eighth is allowed by the policy, so that reasons of all kinds occur.
pub(super) fn log(policy: &Policy, seed: u64, lines: usize) -> String {
    let (db, mut random) = (policy.db(), Random::new(seed));
    let sets = TypeSets::new(db);
    let domains: Vec<String> = db.types.id("domain").map_or_else(Vec::new, |domain| {
        sets.members(domain).ids().map(|it| db.types.name(it).into_owned()).collect()
    });
    let types: Vec<String> =
        db.types.by_value().filter(|it| !it.attribute).map(|it| it.name.to_string()).collect();
    (0..lines).filter_map(|at| line(db, &mut random, &domains, &types, at)).collect()
}

fn line(
    db: &PolicyDb,
    random: &mut Random,
    domains: &[String],
    types: &[String],
    at: usize,
) -> Option<String> {
    let (class, permissions) = *random.pick(&CLASSES)?;
    let asked: Vec<&str> =
        (0..random.between(1, 3)).filter_map(|_| random.pick(permissions).copied()).collect();
    let mut names = asked;
    names.sort_unstable();
    names.dedup();
    let source = random.pick(domains)?.clone();
    let own = class == "capability" || class == "process" && random.chance(50);
    let target = if own { source.clone() } else { random.pick(types)?.clone() };
    let role = role_of(db, &source);
    let category = random.below(1024);
    let path = format!("{}{at}", random.pick(&PATHS)?);
    let about = if class.ends_with("file") || class == "dir" {
        format!("path=\"{path}\" dev=\"vda1\" ino={at} ")
    } else {
        String::new()
    };
    // The kernel tells the command only where that is what was asked for.
    let command = if names.contains(&"ioctl") { "ioctlcmd=0x5401 " } else { "" };
    let (target_role, permissions) = (if own { &role } else { "object_r" }, names.join(" "));
    let millis = at % 1000;
    let (seconds, serial) = (1_700_000_000 + at / 1000, at + 1);
    Some(format!(
        "type=AVC msg=audit({seconds}.{millis:03}:{serial}): avc:  denied  {{ {permissions} }} for  pid={serial} comm=\"prog{}\" {about}{command}scontext=system_u:{role}:{source}:s0 tcontext=system_u:{target_role}:{target}:s0:c{category} tclass={class} permissive=0\n",
        at % 97
    ))
}

/// A role of system_u that may have the type; the first role if there is none.
fn role_of(db: &PolicyDb, type_: &str) -> String {
    let Some(id) = db.types.id(type_) else { return "system_r".to_owned() };
    let roles = db.users.find("system_u").map(|it| &it.roles);
    let mut able = roles.into_iter().flat_map(|it| it.ids::<RoleId>());
    let role = able.find(|it| db.roles.get(*it).is_some_and(|it| it.types.has(id)));
    role.map_or_else(|| "system_r".to_owned(), |it| db.roles.name(it).into_owned())
}
