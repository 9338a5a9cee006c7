//! A web server in its domain: files are served to somebody outside, before and after it has read its settings again; what the policy denies it
//! is answered with 403.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::super::lab::{Lab, Labels, Way};
use crate::place::run;
use crate::report::Comparison;

/// A port that the policy gives to web servers.
const PORT: u16 = 8009;
const OPTIONS: &[&str] = &["--domain", "httpd_t"];
const LABELS: Labels<'static> = &[
    ("www(/.*)?", "httpd_sys_content_t"),
    ("www/secret --", "shadow_t"),
    ("log(/.*)?", "httpd_log_t"),
    ("run(/.*)?", "httpd_runtime_t"),
];
const SETTINGS: &str = "
worker_processes 2; daemon off; error_log log/error.log; pid run/pid;
events { worker_connections 64; }
http {
    access_log log/access.log; client_body_temp_path run/body; proxy_temp_path run/proxy; fastcgi_temp_path run/fastcgi;
    uwsgi_temp_path run/uwsgi; scgi_temp_path run/scgi; sendfile on;
    server { listen 127.0.0.1:8009; root www; add_header Turn first; }
}
";
/// What it writes to its log.
const ABSENT: &str = "/www/absent\" failed (2: No such file or directory)\n";
const DENIED: &str = "/www/secret\" failed (13: Permission denied)\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked for; the last is denied when it is watched.
const PATHS: [&str; 5] = ["/", "/large", "/folder/page.html", "/absent", "/secret"];

pub(super) fn compare(lab: &Lab) -> Result<Comparison> {
    let mut comparison = Comparison::new("nginx");
    let plain = serve(lab, None)?;
    for more in [&[][..], &["--exact"]] {
        let watched = serve(lab, Some(&[OPTIONS, more].concat()))?;
        for (at, theirs) in plain.answers.iter().enumerate() {
            let path = PATHS.get(at % PATHS.len()).copied().unwrap_or_default();
            let ours = watched.answers.get(at).map_or("", String::as_str);
            let about = || format!("{more:?}: {path}");
            if path == "/secret" {
                let first = |it: &str| it.lines().next().unwrap_or_default().to_owned();
                comparison.equal(about, &first(ours), &"HTTP/1.1 403 Forbidden".to_owned());
                comparison.equal(about, &first(theirs), &"HTTP/1.1 200 OK".to_owned());
            } else {
                comparison.equal(about, &ours, &theirs.as_str());
            }
        }
        comparison.equal(|| format!("{more:?}: exit code"), &watched.code, &plain.code);
        comparison.equal(|| "unwatched: errors".into(), &plain.errors, &ABSENT.repeat(2));
        let errors = format!("{ABSENT}{DENIED}").repeat(2);
        comparison.equal(|| format!("{more:?}: errors"), &watched.errors, &errors);
        let told = "nginx (httpd_t) read file";
        comparison.equal(|| format!("{more:?}: told"), &watched.told.contains(told), &true);
    }
    Ok(comparison)
}

struct Served {
    /// With the first settings, then with the second.
    answers: Vec<String>,
    code: String,
    /// In its log.
    errors: String,
    /// On standard error.
    told: String,
}

/// It is killed where it does not end by itself.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn serve(lab: &Lab, way: Way<'_>) -> Result<Served> {
    lab.label("httpd_config_t", LABELS)?;
    let large = "0123456789".repeat(20_000);
    lab.fill(&[
        ("nginx.conf", SETTINGS),
        ("www/index.html", "index\n"),
        ("www/large", &large),
        ("www/folder/page.html", "page\n"),
        ("www/secret", "secret\n"),
        ("log/", ""),
        ("run/", ""),
    ])?;
    for file in ["index.html", "large", "folder/page.html", "secret"] {
        run(Command::new("touch")
            .args(["-d", "2001-02-03"])
            .arg(lab.work().join("www").join(file)))?;
    }
    let prefix = lab.work().display().to_string();
    let words = ["/usr/sbin/nginx", "-p", &prefix, "-c", "nginx.conf", "-e", "log/error.log"];
    let mut command = lab.command(way, &words, Some(60));
    let mut server = Server(command.stderr(Stdio::piped()).spawn().context("starting nginx")?);
    let mut answers = Vec::new();
    wait_for("first", &mut server)?;
    for path in PATHS {
        answers.push(lasting(&get(path)?));
    }
    let settings = lab.work().join("nginx.conf");
    fs::write(&settings, SETTINGS.replace("Turn first", "Turn second"))?;
    signal(lab, "HUP")?;
    wait_for("second", &mut server)?;
    for path in PATHS {
        answers.push(lasting(&get(path)?));
    }
    signal(lab, "QUIT")?;
    let code = server.0.wait()?.to_string();
    let mut told = String::new();
    server.0.stderr.take().context("a pipe")?.read_to_string(&mut told)?;
    let log = fs::read_to_string(lab.work().join("log/error.log"))?;
    let errors = log.lines().map(essence).collect();
    Ok(Served { answers, code, errors, told })
}

/// An answer without what another one would have otherwise: workers with the old settings answer for a while, too.
fn lasting(answer: &str) -> String {
    let lasts = |it: &&str| !it.starts_with("Date: ") && !it.starts_with("Turn: ");
    answer.lines().filter(lasts).collect::<Vec<_>>().join("\n")
}

/// A line of the log without time and numbers of processes and questions.
fn essence(line: &str) -> String {
    let from = line.find("/www/").unwrap_or_default();
    let end = line.find(", client").unwrap_or(line.len());
    format!("{}\n", line.get(from..end).unwrap_or(line))
}

fn signal(lab: &Lab, name: &str) -> Result<()> {
    let number = fs::read_to_string(lab.work().join("run/pid"))?;
    run(Command::new("kill").args(["-s", name, number.trim()])).map(drop)
}

/// Until the settings are those of this turn.
fn wait_for(turn: &str, server: &mut Server) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    let header = format!("Turn: {turn}");
    while Instant::now() < end {
        if get("/").is_ok_and(|it| it.contains(&header)) {
            return Ok(());
        }
        if let Some(status) = server.0.try_wait()? {
            bail!("nginx ends: {status}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("nginx does not answer with {header}")
}

/// An answer.
fn get(path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
