//! Races of programs with the monitor, by the thousand: the tests of `mandate run` have them, each with its defence switched off and with
//! all of them.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::bench::Figure;
use crate::place::{Place, run as run_program};
use crate::report::Report;

/// As many rounds of each race.
const FEW: u32 = 2_000;
const MANY: u32 = 100_000;

/// A race as the tests tell of it.
struct Race {
    name: String,
    kept: bool,
    /// What the program said with all defences, and without its own.
    told: String,
    shown: String,
}

pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Races with the monitor")?;
    let rounds = if full { MANY } else { FEW };
    let races = races(place, rounds)?;
    ensure!(!races.is_empty(), "the tests of mandate run tell of no race");
    for race in &races {
        let all = race.told.starts_with(&format!("{rounds} rounds"));
        let result = match (race.kept, all) {
            (true, true) => Ok(format!("{rounds} rounds; without its defence: {}", race.shown)),
            (true, false) => Err(format!("not all of its rounds: {}", race.told)),
            (false, _) => Err(race.told.clone()),
        };
        report.case(&race.name, result)?;
    }
    let succeeded = races.iter().filter(|it| !it.kept).count();
    let shown = races.iter().filter(|it| it.shown.contains(" in round ")).count();
    Ok(vec![Figure {
        what: format!("{} races, {rounds} rounds each", races.len()),
        reach: "none succeeds".into(),
        ours: format!("{succeeded} succeeded; {shown} do without their defence"),
        theirs: String::new(),
        ratio: String::new(),
    }])
}

/// Runs the races; their tests fail if one succeeds, or does not without its defence.
fn races(place: &Place, rounds: u32) -> Result<Vec<Race>> {
    let list = place.work.join(format!("races.{}", std::process::id()));
    let _earlier = fs::remove_file(&list);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--package", "mandate-cli", "--test", "run", "--features", "switches"]);
    command.args(["--", "race: ", "--test-threads", "1"]);
    command.env("MANDATE_ROUNDS", rounds.to_string()).env("MANDATE_REPORT", &list);
    run_program(command.current_dir(&place.root))?;
    let text = fs::read_to_string(&list).context("reading what the races told")?;
    fs::remove_file(&list).context("removing what the races told")?;
    text.lines().map(race).collect()
}

fn race(line: &str) -> Result<Race> {
    let mut parts = line.split('\t').map(str::to_owned);
    let mut next = || parts.next().with_context(|| format!("a line {line:?}"));
    Ok(Race { name: next()?, kept: next()? == "true", told: next()?, shown: next()? })
}
