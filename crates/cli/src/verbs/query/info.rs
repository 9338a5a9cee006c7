//! `mandate query info`: what a policy holds, component by component.

use std::io::Write;

use anyhow::{Context as _, Result, anyhow};
use mandate_query::info::{Component, InfoQuery, Item, Summary, known};
use mandate_query::{Statements, Style};
use serde_json::{Map, Value, json};

use super::Asked;
use crate::{Outcome, suggest};

/// Arguments of `query info`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// What is asked for: type, role, class, bool, portcon, … as the statements are called, or one of them by name, type=httpd_t
    /// or portcon=80; all for everything, nothing for numbers
    #[arg(value_name = "COMPONENT[=NAME]")]
    components: Vec<String>,
    /// Print statements, not names
    #[arg(long, short = 'x')]
    expand: bool,
    /// Leave out numbers and indentation
    #[arg(long)]
    flat: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let queries = args.queries()?;
    let loaded = args.asked.load(err)?;
    let db = loaded.policy.db();
    if queries.is_empty() {
        print_summary(&Summary::of(db), args.json, out)?;
        return Ok(Outcome::Success);
    }
    let statements = Statements::new(db, Style::Policy);
    let mut answers = Vec::with_capacity(queries.len());
    for query in &queries {
        if let Some(name) = &query.name {
            known(db, &statements, query.component, name)
                .map_err(|error| anyhow!(suggest::question(db, &error)))?;
        }
        let items = query.ask(&statements);
        let items = items.map_err(|error| anyhow!(suggest::question(db, &error)))?;
        answers.push((query.component, items));
    }
    if args.json {
        let value: Map<String, Value> = answers.iter().map(|it| to_json(it.0, &it.1)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        answers.iter().try_for_each(|it| print(it.0, &it.1, args.flat, out))?;
    }
    Ok(Outcome::Success)
}

impl Args {
    fn queries(&self) -> Result<Vec<InfoQuery>> {
        let expand = self.expand;
        if self.components.iter().any(|it| it == "all") {
            let all = Component::all();
            return Ok(all.map(|component| InfoQuery { component, name: None, expand }).collect());
        }
        let query = |text: &String| {
            let (keyword, name) = match text.split_once('=') {
                Some((keyword, name)) => (keyword, Some(name.to_owned())),
                None => (text.as_str(), None),
            };
            let component = Component::of_keyword(keyword).with_context(|| {
                let all: Vec<_> = Component::all().map(Component::keyword).collect();
                format!("{keyword:?} is no component; there are {}", all.join(", "))
            })?;
            Ok(InfoQuery { component, name, expand })
        };
        self.components.iter().map(query).collect()
    }
}

fn print_summary(summary: &Summary, json: bool, out: &mut dyn Write) -> Result<()> {
    if !json {
        return crate::classic::print_summary(summary, out);
    }
    let counts: Map<String, Value> =
        summary.counts.iter().map(|it| (it.title.to_owned(), it.number.into())).collect();
    let value = json!({
        "version": summary.version,
        "target": summary.target,
        "mls": summary.mls,
        "handle_unknown": summary.handle_unknown,
        "counts": counts,
    });
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?)
}

fn print(component: Component, items: &[Item], flat: bool, out: &mut dyn Write) -> Result<()> {
    let indent = if flat { "" } else { "  " };
    if !flat {
        writeln!(out, "{}: {}", component.title(), items.len())?;
    }
    for item in items {
        let text = item.statement.as_ref().unwrap_or(&item.name);
        text.lines().try_for_each(|line| writeln!(out, "{indent}{}", line.trim_end()))?;
    }
    Ok(())
}

fn to_json(component: Component, items: &[Item]) -> (String, Value) {
    let item = |it: &Item| match &it.statement {
        Some(statement) => json!({ "name": it.name, "statement": statement }),
        None => it.name.as_str().into(),
    };
    (component.keyword().to_owned(), items.iter().map(item).collect())
}
