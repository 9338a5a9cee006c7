//! x

use anyhow::Result;

use super::Size;
use crate::place::Place;
use crate::report::Report;

pub(super) fn run(_place: &Place, _size: &Size, _report: &mut Report<'_>) -> Result<()> {
    Ok(())
}
