//! `mandate demo`: decisions on the embedded policy, explained.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::Unvalidated;
use mandate_server::Engine;

use crate::input::{self, Question};
use crate::verbs::explain;
use crate::{Outcome, STRONG, styled};

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Built from policies/demo/policy.conf; a test rebuilds it with checkpolicy.
const POLICY: &[u8] = include_bytes!("../../../../policies/demo/policy.33");

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
        target: "system_u:object_r:httpd_content_t:s0",
        class: "file",
        permission: "read",
    },
    Scene {
        title: "The web server reads a home directory: no rule applies, but a boolean would change that.",
        source: "system_u:system_r:httpd_t:s0",
        target: "alice:object_r:user_home_t:s0",
        class: "file",
        permission: "read",
    },
    Scene {
        title: "The web server reads pages of another customer: a rule allows it, a constraint does not.",
        source: "system_u:system_r:httpd_t:s0:c1",
        target: "system_u:object_r:httpd_content_t:s0:c2",
        class: "file",
        permission: "read",
    },
];

pub(crate) fn run(_: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let engine = Engine::new(Unvalidated::read(POLICY)?.validate()?)?;
    for scene in &SCENES {
        let db = engine.db();
        let Scene { title, source, target, class, permission } = scene;
        writeln!(out, "{}", styled(STRONG, title))?;
        writeln!(
            out,
            "$ mandate explain policies/demo/policy.33 {source} {target} {class} {permission}"
        )?;
        let class = input::class(db, class)?;
        let question = Question {
            source: input::context(db, "source", source)?,
            target: input::context(db, "target", target)?,
            class,
            requested: Some(input::permission(db, class, permission)?),
            xperm: None,
            engine: engine.clone(),
        };
        explain::explain(&question, false, out)?;
        writeln!(out)?;
    }
    writeln!(
        out,
        "Ask a policy of your own: mandate explain POLICY SCONTEXT TCONTEXT CLASS; those of this machine are /etc/selinux/*/policy/policy.*"
    )?;
    Ok(Outcome::Success)
}
