//! `mandate query ports`: whose a port is.

use std::io::Write;

use anyhow::{Result, bail};
use mandate_query::questions::ports::{PortName, RpcAnswer, RpcPort, port, rpc};
use mandate_query::questions::{Access, Parted};
use mandate_query::types::TypeSets;
use serde_json::json;

use super::common::{Common, UnconfinedArgs, parted_json, print_json};
use super::table;
use crate::Outcome;

/// Arguments of `query ports`.
#[derive(clap::Args)]
#[command(after_help = "\
A port has the label of the first portcon that holds it; compilers write the narrowest first. Linux asks name_bind of no port within
net.ipv4.ip_local_port_range. An RPC service binds any port from 512 to 1023 that it may: --rpc tells which of them have another owner.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// The port: tcp/631, udp/53, dccp/…, sctp/…
    #[arg(required_unless_present = "rpc", conflicts_with = "rpc")]
    port: Option<PortName>,
    /// Which labelled ports could a service take that may take any reserved port?
    #[arg(long)]
    rpc: bool,
    #[command(flatten)]
    unconfined: UnconfinedArgs,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.common.load(err)?;
    let db = loaded.policy.db();
    let sets = TypeSets::new(db);
    let unconfined = args.unconfined.resolve(&sets)?;
    let access = Access::new(&sets, &args.common.conditions(db)?);
    if args.rpc {
        let answer = rpc(&access, &unconfined);
        return print_rpc(&answer, &sets, args.common.json, out);
    }
    let Some(name) = args.port else { bail!("expected a port such as tcp/631") };
    let answer = port(&access, name);
    let sentence = answer.sentence(db);
    let bind = Parted::new(&sets, &answer.bind.types, &unconfined);
    let connect = Parted::new(&sets, &answer.connect.types, &unconfined);
    if args.common.json {
        let answer = json!({
            "protocol": name.protocol.name(),
            "port": name.port,
            "context": answer.context.as_ref().map(|it| db.context_to_string(it)),
            "portcon": answer.range.map(|(low, high)| [low, high]),
            "bind": parted_json(&bind),
            "connect": parted_json(&connect),
            "missing": answer.missing,
        });
        print_json(&sentence, answer, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    let parts = [("bind", &bind), ("connect", &connect)].map(|(what, it)| {
        [("confined", &it.confined), ("unconfined", &it.unconfined)].map(|(part, names)| {
            [what.to_owned(), part.to_owned(), names.len().to_string(), table::names(names)]
        })
    });
    let mut rows = parts.concat();
    rows.retain(|it| it[2] != "0");
    table::print(["may", "", "", "types"], &rows, out)?;
    Ok(Outcome::Success)
}

fn print_rpc(
    answer: &RpcAnswer,
    sets: &TypeSets<'_>,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome> {
    let (db, sentence) = (sets.db(), answer.sentence());
    if json {
        let ports = answer.ports.iter().map(|it| {
            json!({
                "protocol": it.protocol.name(),
                "ports": [it.range.0, it.range.1],
                "type": db.types.name(it.type_),
                "takers": parted_json(&it.takers),
                "owners": it.owners,
            })
        });
        let value = json!({ "services": parted_json(&answer.services), "ports": ports.collect::<Vec<_>>() });
        print_json(&sentence, value, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    writeln!(out, "\nconfined: {}", answer.services.confined.join(" "))?;
    writeln!(out, "unconfined: {}", table::names(&answer.services.unconfined))?;
    let row = |it: &RpcPort| {
        let (low, high) = it.range;
        let ports = if low == high { low.to_string() } else { format!("{low}-{high}") };
        let port = format!("{}/{ports}", it.protocol.name());
        let takers = if it.all {
            format!("all {} for {}", it.takers.len(), it.protocol.name())
        } else {
            table::names(&[it.takers.confined.clone(), it.takers.unconfined.clone()].concat())
        };
        [port, db.types.name(it.type_).into_owned(), takers, table::names(&it.owners)]
    };
    let rows: Vec<_> = answer.from_others().map(row).collect();
    table::print(["port", "type", "could be taken by", "from"], &rows, out)?;
    Ok(Outcome::Success)
}
