//! `mandate run --permissive --learn OUT.te`: a module from what a program did.
//!
//! The program runs in a domain of a draft, which may do nothing but what every domain may and whose new files get types of its own wherever they
//! are made. So what would be denied is what the domain needs, in the very labels that it will have under the finished module.

mod draft;
mod heard;
mod limits;
mod module;
mod paths;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use mandate_compile::outcome::Outcome as Compiled;
use mandate_compile::refpolicy::own::OwnModule;
use mandate_enforce::{Record, User};
use mandate_label::file_contexts::Substitutions;
use mandate_server::SecurityServer;

use super::{Args, access};
use crate::compiler::{self, Against, Input, Options};
use crate::replace::replace_all;
use crate::{FAINT, sources, styled};
use heard::Heard;
use module::Module;

/// Learns from a run.
pub(super) struct Learning {
    /// Where the module is written; its file contexts beside it.
    to: PathBuf,
    /// The name of the domain that is made, without its `_t`; none if there is one.
    name: Option<String>,
    /// The file contexts of the program itself, as a build of the draft reads them, and as a table has them.
    program: String,
    command: String,
    heard: Heard,
}

impl Learning {
    /// What `--learn` asks for.
    pub(super) fn of(args: &Args) -> Result<Option<Self>> {
        let Some(to) = &args.learn else { return Ok(None) };
        if to.extension().is_none_or(|it| it != "te") {
            bail!("--learn: {} has to end with .te", to.display());
        }
        if !args.permissive.iter().any(String::is_empty) {
            bail!(
                "--learn goes with --permissive alone: what is denied is not what a program needs"
            );
        }
        let first = args.program.first().context("no program is named")?;
        let path = found(first).with_context(|| format!("{} is not found", first.display()))?;
        let name = match &args.domain {
            Some(_) => None,
            None => {
                let last = Path::new(first).file_name().unwrap_or(first);
                Some(draft::name_of(&last.to_string_lossy()))
            }
        };
        let own = match (&name, &args.domain) {
            (Some(name), _) => draft::own_types(name),
            (None, domain) => domain.iter().cloned().collect(),
        };
        let program = paths::pattern(&substituted(path.as_os_str().as_bytes()));
        let words = args.program.iter().map(|it| it.to_string_lossy());
        let command = words.map(|it| mandate_audit::explain::quoted(&it)).collect::<Vec<_>>();
        let command = command.join(" ");
        Ok(Some(Self { to: to.clone(), name, program, command, heard: Heard::of(own) }))
    }

    /// Who runs the program writes the module, too: whether he can is better known before.
    pub(super) fn can_be_written(&self, person: Option<&User>) -> Result<()> {
        let folder = match self.to.parent() {
            Some(it) if !it.as_os_str().is_empty() => it,
            _ => Path::new("."),
        };
        let about = std::fs::metadata(folder).with_context(|| folder.display().to_string())?;
        let may = |bit: u32| about.mode() & bit != 0;
        let writes = match person {
            None => rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok(),
            Some(it) if it.user == about.uid() => may(0o200),
            Some(it) if it.groups.contains(&about.gid()) => may(0o020),
            Some(_) => may(0o002),
        };
        if !writes {
            bail!("--learn: the user who runs the program may not write into {}", folder.display());
        }
        Ok(())
    }

    /// The policy that the program runs under.
    pub(super) fn input(&self) -> Result<Input> {
        let tree = sources::base_policy();
        let Some(name) = &self.name else { return Ok(Input::Tree(tree)) };
        let base = compiler::compile(Input::Tree(tree), &Options::default())?;
        let known =
            base.product.is_some_and(|it| it.policy.types.id(&format!("{name}_t")).is_some());
        if known {
            bail!("the base policy has {name}_t: --domain {name}_t learns what is missing in it");
        }
        let text = draft::module(&self.module(), name);
        self.built_with(&text, &self.program_line(name))
    }

    /// A line of file contexts for the program, for a table that is not built.
    pub(super) fn label(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        Some(format!("{} -- system_u:object_r:{name}_exec_t:s0\n", self.program))
    }

    fn program_line(&self, name: &str) -> String {
        paths::line(&self.program, "--", &format!("{name}_exec_t"))
    }

    /// The name of the module is that of its file.
    fn module(&self) -> String {
        self.to.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn built_with(&self, te: &str, fc: &str) -> Result<Input> {
        let module = self.module();
        let files = [("te", te), ("fc", fc)];
        let files = files
            .map(|(end, text)| (format!("{module}.{end}"), Arc::<[u8]>::from(text.as_bytes())));
        let modules = OwnModule::of_files(files.into()).map_err(|found| {
            let lines: Vec<_> = found.into_iter().map(|it| it.message).collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        })?;
        Ok(Input::Modules(modules, Against::Tree(sources::base_policy())))
    }

    fn build(&self, te: &str, fc: &str) -> Result<Compiled> {
        compiler::compile(self.built_with(te, fc)?, &Options::default())
    }

    pub(super) fn hears(&mut self, record: &Record) {
        self.heard.hears(access::of(record));
    }

    /// Writes the module and tells of it.
    pub(super) fn finish(&self, server: &SecurityServer, err: &mut dyn Write) -> Result<()> {
        let module = server.with_engine(|engine| Module::of(self, engine))?;
        let (te, fc) = module.written(self)?;
        let beside = self.to.with_extension("fc");
        // Also where there is nothing to say: what stood there belongs to another module.
        replace_all(&[(self.to.clone(), te.into_bytes()), (beside, fc.into_bytes())])?;
        let (calls, rules) = module.counts();
        let to = self.to.display();
        writeln!(
            err,
            "mandate: {to}: {calls} interface calls and {rules} rules for {}",
            module.domain()
        )?;
        for line in &module.left_out {
            writeln!(err, "mandate: left out: {line}")?;
        }
        let domain = match &self.name {
            Some(_) => String::new(),
            None => format!(" --domain {}", module.domain()),
        };
        let hint = format!("mandate run --policy {to}{domain} -- {}", self.command);
        writeln!(err, "mandate: {}", styled(FAINT, &hint))?;
        Ok(())
    }
}

/// The file that a word on the command line stands for, without links.
fn found(word: &OsString) -> Option<PathBuf> {
    let path = if word.as_bytes().contains(&b'/') {
        PathBuf::from(word)
    } else {
        let folders = std::env::var_os("PATH")?;
        let all = std::env::split_paths(&folders).map(|it| it.join(word));
        all.into_iter().find(|it| it.is_file())?
    };
    path.canonicalize().ok()
}

/// A path as the base policy's file contexts look it up: /usr/sbin is another name of /usr/bin.
fn substituted(path: &[u8]) -> Vec<u8> {
    let tree = sources::base_policy();
    let file = tree.get("config/file_contexts.subs_dist");
    let (subs, _) = Substitutions::parse(file.map(|it| &**it).unwrap_or_default());
    subs.apply(path).into_owned()
}
