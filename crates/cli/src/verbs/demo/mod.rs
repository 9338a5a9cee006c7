//! `mandate demo`: compiles the embedded base policy, asks it, and runs a program under it.

mod confined;

use std::io::Write;
use std::time::Instant;

use anyhow::{Result, bail};
use mandate_policydb::{Provenance, Unvalidated};
use mandate_server::Engine;

use crate::compiler::{self, Input, Options};
use crate::input::{self, Question};
use crate::output::write_policy;
use crate::verbs::explain;
use crate::verbs::sources::counts;
use crate::{Outcome, STRONG, sources, styled};

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// The name that the policy has in the commands shown.
const POLICY: &str = "base.33";

struct Scene {
    title: &'static str,
    source: &'static str,
    target: &'static str,
    class: &'static str,
    permission: &'static str,
}

const SCENES: [Scene; 3] = [
    Scene {
        title: "The web server reads its pages: a rule allows it.",
        source: "system_u:system_r:httpd_t:s0",
        target: "system_u:object_r:httpd_sys_content_t:s0",
        class: "file",
        permission: "read",
    },
    Scene {
        title: "The web server reads what a user publishes: no rule applies, but a boolean would change that.",
        source: "system_u:system_r:httpd_t:s0",
        target: "user_u:object_r:httpd_user_content_t:s0",
        class: "file",
        permission: "read",
    },
    Scene {
        title: "The web server reads pages of another customer: a rule allows it, a constraint does not.",
        source: "system_u:system_r:httpd_t:s0:c1",
        target: "system_u:object_r:httpd_sys_content_t:s0:c2",
        class: "file",
        permission: "read",
    },
];

pub(crate) fn run(_: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let started = Instant::now();
    let tree = sources::base_policy();
    let lines: usize = tree.values().map(|it| it.iter().filter(|it| **it == b'\n').count()).sum();
    let modules = tree.keys().filter(|it| it.ends_with(".te")).count();
    let outcome = compiler::compile(Input::Tree(tree), &Options::default())?;
    let Some(product) = &outcome.product else {
        bail!("the embedded base policy has an error; mandate check shows it")
    };
    let took = started.elapsed().as_secs_f64();
    let head = format!(
        "The embedded base policy, {modules} modules in {lines} lines, compiled in {took:.2} s:"
    );
    writeln!(out, "{}", styled(STRONG, &head))?;
    writeln!(out, "$ mandate build -o {POLICY}")?;
    let (bytes, provenance) = compiler::with_provenance(&outcome, product, |to| {
        write_policy(&product.policy, product.policy.version, "", to)
    })?;
    writeln!(out, "{}, {} bytes\n", counts(&product.policy), bytes.len())?;
    let engine = Engine::new(Unvalidated::read(&bytes)?.validate()?)?;
    for scene in &SCENES {
        scene.show(&engine, &provenance, out)?;
    }
    let part = |name: &str| product.files.get(name).cloned().unwrap_or_default();
    let files = Files {
        file_contexts: part("file_contexts"),
        substitutions: part("appconfig/files/file_contexts.subs_dist"),
    };
    confined::show(&files, out)?;
    writeln!(
        out,
        "\nWrite a policy of your own: README.md; or ask those of this machine, /etc/selinux/*/policy/policy.*"
    )?;
    Ok(Outcome::Success)
}

/// What labels files under the policy.
struct Files {
    file_contexts: Vec<u8>,
    substitutions: Vec<u8>,
}

impl Scene {
    fn show(&self, engine: &Engine, provenance: &Provenance, out: &mut dyn Write) -> Result<()> {
        let Self { title, source, target, class, permission } = self;
        let db = engine.db();
        writeln!(out, "{}", styled(STRONG, title))?;
        writeln!(out, "$ mandate explain {POLICY} {source} {target} {class} {permission}")?;
        let class = input::class(db, class)?;
        let question = Question {
            source: input::context(db, "source", source)?,
            target: input::context(db, "target", target)?,
            class,
            requested: Some(input::permission(db, class, permission)?),
            xperm: None,
            engine: engine.clone(),
        };
        explain::explain(&question, Some(provenance), false, out)?;
        Ok(writeln!(out)?)
    }
}
