//! The policy that programs run under, and what labels files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use mandate_compile::outcome::Product;
use mandate_enforce::Configuration;
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};
use mandate_label::homedirs::{self, Account, Inputs, PolicyUser};
use mandate_label::seusers::Seusers;
use mandate_policydb::{Policy, PolicyDb, SymbolId as _, Unvalidated};

use super::learn::Learning;
use super::{Args, USER};
use crate::compiler::{self, Options};
use crate::verbs::sources::{Interfaces, SourceArgs, has_ending};
use crate::{labels, policy, sources};

/// A policy with file contexts, and what programs find of both.
pub(super) struct System {
    pub(super) policy: Policy,
    pub(super) file_contexts: FileContexts,
    pub(super) configuration: Configuration,
}

/// The name of the policy in /etc/selinux (`SELINUXTYPE`).
const TYPE: &str = "mandate";

impl System {
    pub(super) fn load(
        args: &Args,
        learning: Option<&Learning>,
        err: &mut dyn Write,
    ) -> Result<Self> {
        let mut system = match (&args.policy, learning) {
            (Some(path), _) if path.is_dir() || has_ending(path, "te") => {
                Self::of_product(compiled(path, err)?, args, None)?
            }
            (Some(_), _) => Self::named(args, err)?,
            (None, Some(it)) => Self::learning(it, args)?,
            (None, None) => {
                let sources::Built { policy, files } = sources::built_base_policy()?;
                Self::built(Unvalidated::read(policy)?, files, args, None)?
            }
        };
        let domains = args.permissive.iter().filter(|it| !it.is_empty());
        let mut db = system.policy.into_db();
        for name in domains {
            let domain = db.types.id(name);
            let domain = domain.with_context(|| format!("the policy has no type {name}"))?;
            db.permissive.insert(domain.value());
        }
        system.policy = Unvalidated::from_db(db).validate()?;
        system.configure(args)?;
        Ok(system)
    }

    /// What programs find in /etc/selinux: the files of the policy, which are there by now, its settings, and itself.
    fn configure(&mut self, args: &Args) -> Result<()> {
        let db = self.policy.db();
        let (version, mut bytes) = (db.version, Vec::new());
        db.write(version, &mut bytes)?;
        let everybody = args.permissive.iter().any(String::is_empty);
        let mode = if everybody { "permissive" } else { "enforcing" };
        let config = format!("SELINUX={mode}\nSELINUXTYPE={TYPE}\n");
        let configuration = &mut self.configuration;
        configuration.files.insert("config".to_owned(), config.into_bytes());
        let name = format!("{TYPE}/policy/policy.{}", version.number());
        configuration.files.insert(name, bytes);
        Ok(())
    }

    fn named(args: &Args, err: &mut dyn Write) -> Result<Self> {
        let path = args.policy.as_ref().context("no policy is named")?;
        let loaded = policy::load(std::slice::from_ref(path), err)?;
        let Some(labels) = &args.labels else {
            bail!("{} says nothing of files: name file contexts with --labels", path.display())
        };
        let text = std::fs::read(labels).with_context(|| labels.display().to_string())?;
        let files = [(format!("{TYPE}/contexts/files/file_contexts"), text)].into();
        Ok(Self {
            policy: loaded.policy,
            file_contexts: labels::open(labels)?.table,
            configuration: Configuration { files },
        })
    }

    /// The embedded base policy with what is learned from.
    fn learning(learning: &Learning, args: &Args) -> Result<Self> {
        let outcome = compiler::compile(learning.input()?, &Options::default())?;
        let product = outcome.product.context("what is learned from does not compile")?;
        Self::of_product(product, args, learning.label())
    }

    fn of_product(product: Product, args: &Args, more: Option<String>) -> Result<Self> {
        Self::built(Unvalidated::from_db(product.policy), product.files, args, more)
    }

    /// What a build gave; `more` are lines for file contexts that stand in place of its own.
    fn built(
        policy: Unvalidated,
        files: BTreeMap<String, Vec<u8>>,
        args: &Args,
        more: Option<String>,
    ) -> Result<Self> {
        let policy = policy.validate()?;
        let homes = homes(policy.db(), &files)?;
        let mut files: BTreeMap<_, _> =
            files.into_iter().filter_map(|(name, text)| Some((place(&name)?, text))).collect();
        files.insert(format!("{TYPE}/contexts/files/file_contexts.homedirs"), homes);
        files.insert(format!("{TYPE}/seusers"), seusers(policy.db().mls));
        let file_contexts = match &args.labels {
            Some(path) => {
                let text = std::fs::read(path).with_context(|| path.display().to_string())?;
                files.insert(format!("{TYPE}/contexts/files/file_contexts"), text);
                let more = more.map(|it| ("learned".to_owned(), it.into_bytes()));
                labels::open_with(path, more)?.table
            }
            None => table(&files),
        };
        let configuration = Configuration { files };
        Ok(Self { policy, file_contexts, configuration })
    }
}

/// A source tree, or a module with the base policy.
fn compiled(path: &Path, err: &mut dyn Write) -> Result<Product> {
    let sources = SourceArgs::of(vec![path.to_owned()]);
    let (mut outcome, _) = sources.compile(Interfaces::Called)?.finish();
    if outcome.failed() {
        sources.show(&outcome, &[], &mut std::io::sink(), err)?;
        bail!("{} has errors", path.display());
    }
    outcome.product.take().with_context(|| format!("{} makes no policy", path.display()))
}

/// Where a file of a build is installed, below /etc/selinux; some are for building alone.
fn place(name: &str) -> Option<String> {
    let place = match name {
        "file_contexts" => "contexts/files/file_contexts",
        "customizable_types" => "contexts/customizable_types",
        "setrans.conf" => "setrans.conf",
        name => return Some(format!("{TYPE}/contexts/{}", name.strip_prefix("appconfig/")?)),
    };
    Some(format!("{TYPE}/{place}"))
}

/// All accounts are ordinary users here.
fn seusers(mls: bool) -> Vec<u8> {
    let level = if mls { ":s0" } else { "" };
    format!("__default__:{USER}{level}\n").into_bytes()
}

/// File contexts of the homes of this machine's accounts: all of them are ordinary users here.
fn homes(db: &PolicyDb, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let part = |name: &str| files.get(name).map(Vec::as_slice).unwrap_or_default();
    let (seusers, _) = Seusers::parse(&seusers(db.mls));
    let (users, _) = PolicyUser::of_policy(db, part("users_extra"));
    let (accounts, _) = Account::parse(&std::fs::read("/etc/passwd").unwrap_or_default());
    let homes = homedirs::homedirs(&Inputs {
        template: part("homedir_template"),
        seusers: &seusers,
        users: &users,
        mls: db.mls,
        accounts: &accounts,
        groups: &[],
        settings: homedirs::Settings { use_accounts: true, ..homedirs::Settings::default() },
        file_contexts: part("file_contexts"),
        is_valid: &|it| std::str::from_utf8(it).is_ok_and(|it| db.parse_context(it).is_ok()),
        matches: &|_, _| false,
    })?;
    Ok(homes.text)
}

/// The file contexts that are installed.
fn table(files: &BTreeMap<String, Vec<u8>>) -> FileContexts {
    let part = |name: &str| {
        let place = format!("{TYPE}/contexts/files/{name}");
        files.get(&place).map(Vec::as_slice).unwrap_or_default()
    };
    let sources =
        ["file_contexts", "file_contexts.homedirs"].map(|name| Source { name, bytes: part(name) });
    let (subs, _) = Substitutions::parse(part("file_contexts.subs_dist"));
    FileContexts::compile(&sources, [Substitutions::default(), subs]).0
}
