//! The web server that is run in the demonstration, and its client. It has a hole: `..` leads out of its folder.

use std::fs;
use std::io::{self, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::Outcome;

/// No request has more bytes, and no answer is waited for longer.
const MOST: u64 = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// What it says once it can be asked.
pub(super) const LISTENS: &str = "listening at 127.0.0.1:";

/// Serves a folder until standard input ends, as it does with whoever started this.
pub(super) fn serve(folder: &Path, port: u16, out: &mut dyn Write) -> Result<Outcome> {
    let at = (Ipv4Addr::LOCALHOST, port);
    let listener = TcpListener::bind(at).with_context(|| format!("listening at port {port}"))?;
    writeln!(out, "{LISTENS}{port}")?;
    out.flush()?;
    let folder = folder.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that went away is no reason to end.
            let _gone = answer(&folder, stream);
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(Outcome::Success)
}

fn answer(folder: &Path, mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && (request.len() as u64) < MOST {
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or("/");
    match page(folder, path) {
        Ok(page) => {
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n")?;
            stream.write_all(&page)
        }
        Err(why) => {
            let status = match why.kind() {
                io::ErrorKind::PermissionDenied => "403 Forbidden",
                _ => "404 Not Found",
            };
            write!(stream, "HTTP/1.0 {status}\r\n\r\n{status}\n")
        }
    }
}

/// The hole is no wider than the scratch folder: without a policy others on this machine could reach through it meanwhile.
fn page(folder: &Path, path: &str) -> io::Result<Vec<u8>> {
    let page = folder.join(path.trim_start_matches('/')).canonicalize()?;
    let scratch = folder.join("..").canonicalize()?;
    if !page.starts_with(scratch) {
        return Err(io::ErrorKind::NotFound.into());
    }
    fs::read(page)
}

/// What `curl --path-as-is` prints.
pub(super) fn get(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|it| it.1);
    Ok(body.unwrap_or_default().to_owned())
}
