//! `genhomedircon`: the file contexts of homes, made anew.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use crate::homedirs::{self, Parts};
use crate::replace::replace;

/// The original is `semodule -Bn` whatever its arguments are; here there is one, our own.
pub(crate) fn genhomedircon(
    words: &[String],
    _out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("genhomedircon", String::as_str);
    let (root, rest) = super::split_root(words);
    if !rest.is_empty() {
        writeln!(err, "usage:  {name} [--root DIR]")?;
        return Ok(1);
    }
    let root = root.map(PathBuf::from);
    let parts = Parts { root, ..Parts::default() };
    let made = homedirs::make(&parts, err);
    let written = made.and_then(|made| replace(&made.place, |to| Ok(to.write_all(&made.text)?)));
    match written {
        Ok(()) => Ok(0),
        Err(why) => {
            writeln!(err, "{name}:  {why:#}")?;
            Ok(1)
        }
    }
}
