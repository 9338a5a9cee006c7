//! A small object manager: a key-value store whose entries carry labels. Run it with
//! `cargo run -p mandate-server --example object_manager`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write as _};

use mandate_policydb::Unvalidated;
use mandate_server::{Compute, Mode, SecurityServer, Sid};

/// A store that asks the policy before each access.
struct Store<'a> {
    server: &'a SecurityServer,
    folder: Sid,
    entries: HashMap<String, (Sid, String)>,
}

impl Store<'_> {
    fn require(&self, subject: Sid, object: Sid, permission: &str) -> Result<(), Box<dyn Error>> {
        let check = self.server.check_named(subject, object, "file", &[permission])?;
        if check.audited != 0 {
            let verdict = if check.denied == 0 { "granted" } else { "denied" };
            let (source, target) = (self.server.context(subject)?, self.server.context(object)?);
            writeln!(io::stderr(), "avc: {verdict} {{ {permission} }} {source} {target}")?;
        }
        if check.granted { Ok(()) } else { Err(format!("{permission}: permission denied").into()) }
    }

    fn put(&mut self, subject: Sid, key: &str, value: &str) -> Result<(), Box<dyn Error>> {
        let class = self.server.class("file")?;
        // What label does the policy give to a new entry?
        let label = self.server.compute(
            Compute::Create,
            subject,
            self.folder,
            Some(class),
            Some(key.as_bytes()),
        )?;
        self.require(subject, label, "create")?;
        self.entries.insert(key.to_owned(), (label, value.to_owned()));
        Ok(())
    }

    fn get(&self, subject: Sid, key: &str) -> Result<&str, Box<dyn Error>> {
        let (label, value) = self.entries.get(key).ok_or("no such entry")?;
        self.require(subject, *label, "read")?;
        Ok(value)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = include_bytes!("../../../policies/demo/policy.33");
    let server = SecurityServer::new(Unvalidated::read(bytes)?.validate()?, Mode::Enforcing)?;
    let folder = server.sid("system_u:object_r:user_home_t:s0")?;
    let alice = server.sid("alice:user_r:user_t:s0")?;
    let httpd = server.sid("system_u:system_r:httpd_t:s0")?;
    let mut store = Store { server: &server, folder, entries: HashMap::new() };

    let mut out = io::stdout().lock();
    store.put(alice, "diary", "dear diary")?;
    writeln!(out, "alice reads: {}", store.get(alice, "diary")?)?;
    writeln!(
        out,
        "the web server reads: {:?}",
        store.get(httpd, "diary").map_err(|it| it.to_string())
    )?;
    server.set_boolean("httpd_read_homes", true)?;
    server.commit_booleans();
    writeln!(
        out,
        "after the boolean: {:?}",
        store.get(httpd, "diary").map_err(|it| it.to_string())
    )?;
    Ok(())
}
