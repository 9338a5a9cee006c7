//! The same options on the same logs: the same text, the same exit code.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::Tools;
use super::logs::Log;
use super::wide::Wide;
use crate::report::{Comparison, Report};

/// Logs, and events in each: in CI, and at full size.
const LOGS: (u64, u64) = (6, 60);
const EVENTS: usize = 400;

/// Options of `ausearch`.
const SEARCHES: [&str; 44] = [
    "",
    "-m ALL",
    "-m avc",
    "-m AVC,user_avc -m selinux_err",
    "-m 1400",
    "-m mac_status,mac_config_change,mac_policy_load",
    "-m user_selinux_err",
    "-m nosuch",
    "-r",
    "-m avc -r",
    "-i",
    "-i -m avc",
    "-m user_avc -i",
    "--format raw -m avc",
    "--format default -m avc",
    "--format interpret -m avc",
    "--just-one -m avc",
    "-a 1010",
    "-a 99999999",
    "-p 7",
    "-p 31 -m avc",
    "-p x",
    "-c c1",
    "-c c1 -w",
    "-c prog",
    "-x bin/c2",
    "-x /usr/bin/c2 -w",
    "-x dbus",
    "-f /srv/f1",
    "-f f7 -w",
    "-f d1",
    "-su httpd_t",
    "-su system_u:system_r:httpd_t:s0 -w",
    "-o shadow_t",
    "-o system_u:object_r:etc_t:s0 -w",
    "-se user_home",
    "-sv yes",
    "-sv no -m avc",
    "-sv maybe",
    "-ts 11/14/23 22:14:00",
    "-te 11/14/23 22:14:00",
    "-ts 11/14/23 22:14:00 -te 11/14/23 22:15:00 -m avc",
    "-ts today",
    "-n web1 -m avc",
];

/// Options of `ausearch` that tell an event in a line.
const LINES: [&str; 16] = [
    "--format csv",
    "--format csv --extra-labels",
    "--format csv --extra-keys",
    "--format csv --extra-obj2",
    "--format csv --extra-time",
    "--format csv --extra-keys --extra-labels --extra-obj2 --extra-time",
    "--format text",
    "--format csv -m avc --extra-labels --extra-obj2",
    "--format text -m avc",
    "--format text -m user_avc",
    "--format text --just-one",
    "--format csv -m nosuch",
    "--format csv -i",
    "--format text --format csv",
    "--format text --extra-time",
    "--extra-labels",
];

/// Options of `aureport`.
const REPORTS: [&str; 45] = [
    "-a",
    "--avc -i",
    "-a --summary",
    "-a --failed",
    "-a --success",
    "-a -ts 11/14/23 22:14:00",
    "-a -te 11/14/23 22:14:00",
    "-a -ts today",
    "-ma",
    "--mac -i",
    "-ma --summary",
    "-ma --summary -i",
    "-ma --failed",
    "-ma --success",
    "-ma -te 11/14/23 22:14:00",
    "-a --node web1",
    "-a --summary --failed",
    "-a --summary --success",
    "-ma --summary --failed",
    "-ma -ts today",
    "-ma --summary -ts today",
    "-e",
    "--event -i",
    "-e --failed",
    "-e --summary",
    "-e --summary -i",
    "-e --success --summary",
    "-e -ts today",
    "-c",
    "--config -i",
    "-c --summary",
    "-c --summary -i",
    "-m",
    "--mods -i",
    "-m --failed",
    "-m --summary",
    "-m --summary -i",
    "-s",
    "--syscall -i",
    "-s --failed",
    "-s --summary",
    "-s --summary -i",
    "-k",
    "--key --summary",
    "-k --success -i",
];

/// Records that the original takes for malformed and leaves out; each an event. See docs/differences.md.
const LOST: [&str; 5] = [
    "avc:  denied  { read } for  pid=1 comm=\"c\" scontext=u:r:a_t tcontext=u:r:b_t",
    "avc:  denied  { read } for  pid=1 comm=\"c\" scontext=u:r:a_t tcontext=u:r:b_t permissive=0",
    "avc:  denied  { read } for  scontext=u:r:a_t tcontext=u:r:b_t",
    "avc:  denied  { read write } for  pid=1 comm=\"c\" scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0",
    "avc:  granted  { setenforce } for  pid=1 comm=\"c\" scontext=u:r:a_t tcontext=u:r:b_t",
];

pub(super) fn run(tools: &Tools, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.heading("Audit logs: ausearch and aureport beside the originals")?;
    let count = if full { LOGS.1 } else { LOGS.0 };
    let mut searches = Comparison::new("events that ausearch shows, text and exit code");
    let mut lines = Comparison::new("events in a line, csv and text, and exit code");
    let mut reports = Comparison::new("what aureport tells of decisions and changes");
    for n in 0..count {
        let log = tools.folder.join(format!("mixed-{n}.log"));
        let text = Log::mixed(seed.wrapping_mul(1000) + n, EVENTS);
        std::fs::write(&log, text).context("writing a log")?;
        let wide = tools.folder.join(format!("wide-{n}.log"));
        let text = Wide::log(seed.wrapping_mul(1000) + n, EVENTS);
        std::fs::write(&wide, text).context("writing a log")?;
        for options in LINES {
            compare(tools, "ausearch", options, &log, &mut lines)?;
            compare(tools, "ausearch", options, &wide, &mut lines)?;
        }
        SEARCHES.iter().try_for_each(|it| compare(tools, "ausearch", it, &log, &mut searches))?;
        REPORTS.iter().try_for_each(|it| compare(tools, "aureport", it, &log, &mut reports))?;
    }
    report.add(&searches)?;
    report.add(&lines)?;
    report.add(&reports)?;
    lost(tools, report)
}

fn compare(
    tools: &Tools,
    name: &str,
    options: &str,
    log: &Path,
    comparison: &mut Comparison,
) -> Result<()> {
    let words: Vec<&str> = options.split_whitespace().collect();
    // Raw, the original ends records of enriched events that had no names with the byte in front of names.
    let theirs = Tools::told(tools.theirs(name), &words, log)?.replace("\u{1d}\n", "\n");
    let ours = Tools::told(tools.ours(name), &words, log)?;
    if theirs == ours {
        comparison.agree();
        return Ok(());
    }
    let pairs = theirs.lines().zip(ours.lines());
    let first = pairs.take_while(|it| it.0 == it.1).count();
    let line = |text: &str| text.lines().nth(first).unwrap_or("(ends)").to_owned();
    let query = format!("{name} {options} -if {}, line {}", log.display(), first + 1);
    comparison.disagree(query, line(&ours), line(&theirs));
    Ok(())
}

/// What the original loses, ours finds.
fn lost(tools: &Tools, report: &mut Report<'_>) -> Result<()> {
    let log = tools.folder.join("lost.log");
    let line = |(n, body): (usize, &&str)| {
        format!("type=AVC msg=audit(1700000000.000:{}): {body}\n", n + 1)
    };
    std::fs::write(&log, LOST.iter().enumerate().map(line).collect::<String>())
        .context("writing a log")?;
    let found = |command| -> Result<usize> {
        let told = Tools::told(command, &["-m", "avc", "-r"], &log)?;
        Ok(told.lines().filter(|it| it.starts_with("type=AVC")).count())
    };
    let (theirs, ours) = (found(tools.theirs("ausearch"))?, found(tools.ours("ausearch"))?);
    let outcome = match ours == LOST.len() {
        true => Ok(format!("{ours} of {}; the original finds {theirs}", LOST.len())),
        false => Err(format!("{ours} of {}; the original finds {theirs}", LOST.len())),
    };
    Ok(report.case("records without a class are found", outcome)?)
}
