//! `mandate label lookup`: the context that a path should have.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_label::FileType;
use mandate_label::file_contexts::{Answer, FileContexts, LineRef, Lookup, NONE};
use mandate_policydb::Policy;
use serde_json::{Value, json};

use super::common::{Kind, Tables, shown};
use crate::{FAINT, Outcome, STRONG, input, styled};

/// Arguments of `label lookup`.
#[derive(clap::Args)]
#[command(after_help = "\
Without --type the kind is that of the file of this name, if there is one; else lines of every kind fit. Paths from standard input
give a line each: PATH, a tab, CONTEXT. <<none>> is said of files to be left alone, by a line or because no line matches.")]
pub(super) struct Args {
    /// Absolute paths; without any they are read from standard input, one a line
    #[arg(value_name = "PATH")]
    paths: Vec<OsString>,
    #[command(flatten)]
    tables: Tables,
    /// Kind of file: any, file, dir, link, char, block, socket, pipe
    #[arg(long, short, value_name = "KIND")]
    r#type: Option<Kind>,
    /// Say of each context whether this policy has it
    #[arg(long, short, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Paths on standard input, and answers, end with a zero byte and are not escaped
    #[arg(long, short = '0')]
    null: bool,
    /// One line of JSON for each path
    #[arg(long)]
    json: bool,
    /// PATH, a tab, CONTEXT and nothing else
    #[arg(long, short)]
    brief: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.tables.open(err)?;
    let policy = args.policy.as_deref().map(input::read_policy).transpose()?;
    let table = &loaded.table;
    let mut asked = Asked { args, table, lookup: Lookup::new(table), policy, missing: false };
    if !args.paths.is_empty() {
        for path in &args.paths {
            asked.answer(path.as_bytes(), !args.brief && !args.null, out)?;
        }
    } else {
        let end = if args.null { 0 } else { b'\n' };
        let mut stdin = std::io::stdin().lock();
        let mut path = Vec::new();
        while stdin.read_until(end, &mut path).context("standard input")? > 0 {
            let whole = path.strip_suffix(&[end]).unwrap_or(&path);
            asked.answer(whole, false, out)?;
            path.clear();
        }
    }
    Ok(if asked.missing { Outcome::Denied } else { Outcome::Success })
}

struct Asked<'a> {
    args: &'a Args,
    table: &'a FileContexts,
    lookup: Lookup<'a>,
    policy: Option<Policy>,
    /// Some path has a context that the policy does not know.
    missing: bool,
}

impl<'a> Asked<'a> {
    fn answer(&mut self, path: &[u8], whole: bool, out: &mut dyn Write) -> Result<()> {
        let Some(inner) = self.args.tables.inner(path) else {
            match &self.args.tables.root {
                Some(root) => bail!("{} does not lie in {}", shown(path), root.display()),
                None => {
                    bail!("{} is not absolute: file contexts hold absolute paths only", shown(path))
                }
            }
        };
        let kind = self.args.r#type.map_or_else(|| kind_of(path), |it| it.0);
        let answer = self.lookup.path(inner, kind);
        let unknown = self.unknown(answer);
        self.missing |= unknown.is_some();
        if self.args.json {
            let value = self.json(path, inner, kind, unknown.as_deref());
            return Ok(writeln!(out, "{value}")?);
        }
        if whole {
            return self.text(path, inner, (kind, answer), unknown.as_deref(), out);
        }
        let context = answer.context().unwrap_or(NONE);
        if self.args.null {
            out.write_all(path)?;
            return Ok(write!(out, "\t{context}\0")?);
        }
        Ok(writeln!(out, "{}\t{context}", shown(path))?)
    }

    /// Why the policy does not have the context.
    fn unknown(&self, answer: Answer<'_>) -> Option<String> {
        let (policy, context) = (self.policy.as_ref()?, answer.context()?);
        policy.db().parse_context(context).err().map(|it| it.to_string())
    }

    fn text(
        &mut self,
        path: &[u8],
        inner: &[u8],
        (kind, answer): (Option<FileType>, Answer<'a>),
        unknown: Option<&str>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let context = answer.context().unwrap_or(NONE);
        let name = kind.map_or_else(String::new, |it| format!("  ({})", it.name()));
        writeln!(out, "{}\t{}{name}", shown(path), styled(STRONG, context))?;
        let substituted = self.table.substituted(inner);
        if *substituted != *inner {
            writeln!(out, "  looked up as {}", shown(&substituted))?;
        }
        if let Some(why) = unknown {
            writeln!(out, "  the policy does not have this context: {why}")?;
        }
        let lines = self.lookup.all(inner, kind);
        let Some((winner, beaten)) = lines.split_first() else {
            return Ok(writeln!(out, "  no line matches: the file is left alone")?);
        };
        writeln!(out, "  decided by {}", place(*winner))?;
        for line in beaten {
            writeln!(out, "  {}", styled(FAINT, &format!("beats      {}", place(*line))))?;
        }
        Ok(())
    }

    fn json(
        &mut self,
        path: &[u8],
        inner: &[u8],
        kind: Option<FileType>,
        unknown: Option<&str>,
    ) -> Value {
        let lines = self.lookup.all(inner, kind);
        let context = lines.first().and_then(|it| it.context());
        let mut value = json!({
            "path": String::from_utf8_lossy(path),
            "type": kind.map(FileType::as_str),
            "context": context,
            "line": lines.first().map(|it| line_json(*it)),
            "beats": lines.iter().skip(1).map(|it| line_json(*it)).collect::<Vec<_>>(),
        });
        if let (true, Some(value)) =
            (self.policy.is_some() && context.is_some(), value.as_object_mut())
        {
            value.insert("known".to_owned(), json!(unknown.is_none()));
        }
        value
    }
}

/// The kind of the file that has this name now.
fn kind_of(path: &[u8]) -> Option<FileType> {
    let path = OsString::from_vec(path.to_vec());
    FileType::of_mode(fs::symlink_metadata(Path::new(&path)).ok()?.mode())
}

fn place(line: LineRef<'_>) -> String {
    format!("{}:{}  {line}", line.source(), line.number())
}

fn line_json(line: LineRef<'_>) -> Value {
    json!({
        "file": line.source(),
        "line": line.number(),
        "pattern": line.pattern(),
        "type": line.file_type().map(FileType::as_str),
        "context": line.context(),
    })
}
