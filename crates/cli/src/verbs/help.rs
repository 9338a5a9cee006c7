//! `mandate help`: a verb's options, or what the code of a finding means.

use std::io::Write;

use anyhow::{Result, bail};
use mandate_syntax::codes::Code;

use crate::{FAINT, Outcome, STRONG, styled, suggest};

/// Arguments of `help`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A verb, a code such as E0301 in any case, codes for all of them, or a word in their titles
    topic: Option<String>,
}

/// Words after which the list of codes comes.
const LIST: &str = "codes";

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let mut command = crate::command();
    command.build();
    let Some(topic) = &args.topic else {
        write!(out, "{}", command.render_long_help().ansi())?;
        return Ok(Outcome::Success);
    };
    if let Some(verb) = command.find_subcommand_mut(topic) {
        write!(out, "{}", verb.render_long_help().ansi())?;
    } else if topic == LIST {
        list(Code::ALL.iter().copied(), out)?;
    } else if let Some(code) = find(topic) {
        explain(code, out)?;
    } else {
        let found: Vec<Code> =
            Code::ALL.iter().copied().filter(|it| mentions(*it, topic)).collect();
        if found.is_empty() {
            bail!(
                "there is no help on {topic:?}{}; mandate help codes lists all codes",
                near(topic)
            );
        }
        list(found, out)?;
    }
    Ok(Outcome::Success)
}

fn explain(code: Code, out: &mut dyn Write) -> Result<()> {
    let head = format!("{}: {}", code.as_str(), code.title());
    writeln!(out, "{}\n", styled(STRONG, &head))?;
    for line in code.explanation().lines() {
        // Examples are indented.
        let line = if line.starts_with("    ") { styled(FAINT, line) } else { line.to_owned() };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn list(codes: impl IntoIterator<Item = Code>, out: &mut dyn Write) -> Result<()> {
    for code in codes {
        writeln!(out, "{}  {}", styled(STRONG, code.as_str()), code.title())?;
    }
    Ok(())
}

/// The code that is meant, also without its zeros: `e301`.
fn find(topic: &str) -> Option<Code> {
    let short = |it: &Code| {
        let (letter, digits) = it.as_str().split_at(1);
        format!("{letter}{}", digits.trim_start_matches('0')).eq_ignore_ascii_case(topic)
    };
    Code::parse(topic).or_else(|| Code::ALL.iter().copied().find(short))
}

fn mentions(code: Code, word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let name = format!("{code:?} {}", code.title()).to_ascii_lowercase();
    word.len() > 2 && name.contains(&word)
}

fn near(topic: &str) -> String {
    let verbs = crate::command();
    let verbs = verbs.get_subcommands().filter(|it| !it.is_hide_set()).map(clap::Command::get_name);
    let upper = topic.to_ascii_uppercase();
    let codes = Code::ALL.iter().map(|it| it.as_str());
    let mut near: Vec<&str> =
        codes.filter(|it| strsim::damerau_levenshtein(it, &upper) == 1).collect();
    near.extend(mandate_compile::near::nearest(topic, verbs.chain([LIST])));
    near.truncate(3);
    suggest::hint(&near)
}
