//! `mandate mls translate`: names of levels, and back.

use std::io::{BufRead as _, Write};

use anyhow::{Context as _, Result};
use mandate_label::setrans::Setrans;
use serde_json::json;

use super::{Names, is_context};
use crate::Outcome;

/// Arguments of `mls translate`.
#[derive(clap::Args)]
#[command(
    after_help = "What has no name, or is none, is printed as it is. What has three colons or more is a context."
)]
pub(super) struct Args {
    /// Levels, ranges or contexts; without any they are read from standard input, one a line
    #[arg(value_name = "LEVEL|CONTEXT")]
    texts: Vec<String>,
    #[command(flatten)]
    names: Names,
    /// Raw levels for names
    #[arg(long, short)]
    reverse: bool,
    /// One line of JSON for each
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let setrans = args.names.open(err)?;
    if !args.texts.is_empty() {
        for text in &args.texts {
            answer(args, &setrans, text, out)?;
        }
        return Ok(Outcome::Success);
    }
    for line in std::io::stdin().lock().lines() {
        answer(args, &setrans, &line.context("standard input")?, out)?;
    }
    Ok(Outcome::Success)
}

fn answer(args: &Args, setrans: &Setrans, text: &str, out: &mut dyn Write) -> Result<()> {
    let bytes = text.as_bytes();
    let translated = match (is_context(text), args.reverse) {
        (true, false) => setrans.context_to_name(bytes).unwrap_or_else(|| bytes.to_vec()),
        (true, true) => setrans.context_to_raw(bytes).unwrap_or_else(|| bytes.to_vec()),
        (false, false) => setrans.to_name(bytes),
        (false, true) => setrans.to_raw(bytes),
    };
    let translated = String::from_utf8_lossy(&translated);
    if args.json {
        let (raw, name) = if args.reverse { (&*translated, text) } else { (text, &*translated) };
        return Ok(writeln!(out, "{}", json!({ "raw": raw, "name": name }))?);
    }
    Ok(writeln!(out, "{translated}")?)
}
