//! `mandate mls compare`: how two levels or ranges stand to each other.

use std::cmp::Ordering;
use std::io::Write;

use anyhow::{Result, anyhow};
use mandate_label::levels::{Level, Range};
use mandate_label::setrans::Setrans;
use serde_json::json;

use super::{Names, is_context};
use crate::{Outcome, STRONG, styled};

/// Arguments of `mls compare`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A level, a range, a context with one, or a name of setrans.conf
    first: String,
    /// Another
    second: String,
    #[command(flatten)]
    names: Names,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let setrans = args.names.open(err)?;
    let (first, second) = (range(&args.first, &setrans)?, range(&args.second, &setrans)?);
    let (low, high) = (word(first.low(), second.low()), word(first.high(), second.high()));
    let contains = first.contains(&second);
    let levels = is_level(&first) && is_level(&second);
    if args.json {
        let value = json!({
            "first": first.to_string(),
            "second": second.to_string(),
            "low": low,
            "high": high,
            "contains": contains,
            "is_contained": second.contains(&first),
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        let mut line = |what: &str| writeln!(out, "{first} {} {second}", styled(STRONG, what));
        if levels {
            line(low)?;
        } else {
            line(ranges(contains, second.contains(&first)))?;
            writeln!(out, "  low:  {} {low} {}", first.low(), second.low())?;
            writeln!(out, "  high: {} {high} {}", first.high(), second.high())?;
        }
    }
    let holds = if levels { first.low().dominates(second.low()) } else { contains };
    Ok(if holds { Outcome::Success } else { Outcome::Denied })
}

fn is_level(range: &Range) -> bool {
    range.low() == range.high()
}

/// How a level stands to another, in the words of constraints.
fn word(first: &Level, second: &Level) -> &'static str {
    match first.partial_cmp(second) {
        Some(Ordering::Equal) => "eq",
        Some(Ordering::Greater) => "dom",
        Some(Ordering::Less) => "domby",
        None => "incomp",
    }
}

fn ranges(contains: bool, is_contained: bool) -> &'static str {
    match (contains, is_contained) {
        (true, true) => "is the same range as",
        (true, false) => "contains",
        (false, true) => "lies in",
        (false, false) => "neither contains nor lies in",
    }
}

/// The range that text means: as written, or by its name.
fn range(text: &str, setrans: &Setrans) -> Result<Range> {
    let range = match is_context(text) {
        true => text.splitn(4, ':').nth(3).unwrap_or_default(),
        false => text,
    };
    let raw = setrans.to_raw(range.as_bytes());
    Range::parse(&raw).map_err(|error| {
        anyhow!(
            "{text}: neither a range such as s0-s0:c0.c3 (byte {error}) nor a name of setrans.conf"
        )
    })
}
