//! `getfilecon` and `setfilecon` of libselinux's utilities.

use std::ffi::CStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::Result;
use mandate_host::xattr::{self, SELINUX};

use crate::words::{to_path, to_word};

const USAGE: u8 = 1;
const FAILED: u8 = 2;

pub(crate) fn getfilecon(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("getfilecon", |it| it);
    let paths = words.get(1..).unwrap_or_default();
    if paths.is_empty() {
        writeln!(err, "usage:  {name} path...")?;
        return Ok(USAGE);
    }
    for path in paths {
        match read(&to_path(path), SELINUX) {
            Ok(context) => {
                out.write_all(to_word(path).as_bytes())?;
                out.write_all(b"\t")?;
                out.write_all(&context)?;
                writeln!(out)?;
            }
            Err(why) => {
                out.flush()?;
                let why = super::system_words(&why);
                writeln!(err, "{name}:  getfilecon({path}) failed:  {why}")?;
                return Ok(FAILED);
            }
        }
    }
    Ok(0)
}

pub(crate) fn setfilecon(
    words: &[String],
    _out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("setfilecon", |it| it);
    let [_, context, paths @ ..] = words else {
        writeln!(err, "usage:  {name} context path...")?;
        return Ok(USAGE);
    };
    if paths.is_empty() {
        writeln!(err, "usage:  {name} context path...")?;
        return Ok(USAGE);
    }
    for path in paths {
        if let Err(why) = write(&to_path(path), context) {
            let why = super::system_words(&why);
            writeln!(err, "{name}:  setfilecon({path},{context}) failed:  {why}")?;
            return Ok(FAILED);
        }
    }
    Ok(0)
}

/// The label of a file, links followed.
fn read(path: &Path, attribute: &CStr) -> std::io::Result<Vec<u8>> {
    let mut value = vec![0; 65_536];
    let length = rustix::fs::getxattr(path, attribute, &mut value)?;
    value.truncate(length);
    if value.last() == Some(&0) {
        value.pop();
    }
    Ok(value)
}

fn write(path: &Path, context: &str) -> std::io::Result<()> {
    let value = xattr::stored(context);
    Ok(rustix::fs::setxattr(path, SELINUX, &value, rustix::fs::XattrFlags::empty())?)
}
