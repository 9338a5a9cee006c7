//! What a side told: the results of all calls, and what was denied.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};

use super::scenario::Variant;

/// Of one variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// What was called, and what came of it.
    pub(super) results: Vec<(String, String)>,
    /// `source target class permission`.
    pub(super) denials: BTreeSet<String>,
}

/// What the runner wrote, and what was logged, for each variant.
pub(super) fn told(variants: &[Variant<'_>], output: &str, log: &str) -> Result<Vec<Told>> {
    let mut denials = denials(log);
    let mut lines = output.lines();
    let mut all = Vec::new();
    for variant in variants {
        let results = results(variant, &mut lines).with_context(|| variant.name())?;
        let denials = denials.remove(&variant.short()).context("a scenario is not in the log")?;
        let denials = denials.iter().map(|it| plain(variant, it)).collect();
        all.push(Told { results, denials });
    }
    ensure!(lines.next().is_none(), "more was told than was asked");
    Ok(all)
}

/// Names without what makes them the variant's own.
fn plain(variant: &Variant<'_>, text: &str) -> String {
    text.replace(&format!("{}_", variant.short()), "")
}

fn results<'a>(
    variant: &Variant<'_>,
    lines: &mut impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, String)>> {
    let mut next = || lines.next().context("too little was told");
    let first = next()?;
    ensure!(first == variant.short(), "{first:?} was told");
    let mut results = Vec::new();
    let scenario = variant.scenario;
    let starts = scenario.workers().into_iter().map(|it| format!("{it} starts"));
    let calls = scenario.calls.iter().map(|it| format!("{} {}", it.worker, it.words.join(" ")));
    for call in starts.chain(calls) {
        let result = next()?;
        let result = match result.split_once(' ').unwrap_or((result, "")) {
            (number, more) if number.parse::<i32>().is_ok() => {
                let error = std::io::Error::from_raw_os_error(number.parse()?);
                format!("{error} {more}").trim().to_owned()
            }
            _ => plain(variant, result),
        };
        results.push((call, result));
    }
    ensure!(next()? == ".", "more was told than was asked");
    Ok(results)
}

/// Denials by scenario: a denial of the mark stands before those of each, and has its name.
fn denials(log: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in log.lines() {
        let Some((_, denial)) = line.split_once("avc:  denied  { ") else { continue };
        let Some((permissions, rest)) = denial.split_once(" }") else { continue };
        let field = |name: &str| {
            let mut words = rest.split(' ').filter_map(|it| it.strip_prefix(name));
            words.next().unwrap_or_default().to_owned()
        };
        let kind = |name| field(name).split(':').nth(2).unwrap_or_default().to_owned();
        let (source, target) = (kind("scontext="), kind("tcontext="));
        if target == "mark_t" {
            current = field("comm=").trim_matches('"').to_owned();
            all.entry(current.clone()).or_default();
            continue;
        }
        let class = field("tclass=");
        let each = permissions.split(' ').map(|it| format!("{source} {target} {class} {it}"));
        all.entry(current.clone()).or_default().extend(each);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_belong_to_the_mark_before_them() {
        let log = "\
            audit: avc:  denied  { read } for  pid=1 comm=\"v0001\" name=\"mark\" \
            scontext=u:r:runner_t:s0 tcontext=u:object_r:mark_t:s0 tclass=file permissive=0\n\
            audit: avc:  denied  { read open } for  pid=2 comm=\"x\" \
            scontext=u:r:v0001_d:s0 tcontext=u:object_r:v0001_f:s0 tclass=file permissive=0\n\
            audit: avc:  granted  { read } for  pid=2 scontext=u:r:d:s0 tcontext=u:r:d:s0 tclass=file\n";
        let all = denials(log);
        assert_eq!(all.len(), 1);
        let one: Vec<&str> = all["v0001"].iter().map(String::as_str).collect();
        assert_eq!(one, ["v0001_d v0001_f file open", "v0001_d v0001_f file read"]);
    }
}
