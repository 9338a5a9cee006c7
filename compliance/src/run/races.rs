use anyhow::Result;

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

pub(super) fn run(_place: &Place, _full: bool, _report: &mut Report<'_>) -> Result<Vec<Figure>> {
    anyhow::bail!("not written yet")
}
