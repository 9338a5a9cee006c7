//! Which branches are enabled: all blocks at first; then those go whose requirements nothing enabled declares, until nothing
//! changes; in their place comes the `else`. What only an `else` declares meets no requirement.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use rustc_hash::FxHashMap;

use crate::outcome::DisabledOptional;
use crate::package::blocks::{Branch, DECLARED};
use crate::package::db::Db;
use crate::package::symbols::Kind;

/// What is missing.
struct Missing {
    kind: Kind,
    value: u32,
}

/// The branches that declare each symbol, by kind and value − 1.
struct Declared {
    branches: [Vec<Vec<u32>>; Kind::COUNT],
}

impl Declared {
    fn new(db: &Db) -> Self {
        let branches = Kind::ALL.map(|kind| {
            let scopes: FxHashMap<&str, &[u32]> = (db.scopes[kind as usize].iter())
                .filter(|it| it.scope == DECLARED)
                .map(|it| (&*it.name, &*it.branches))
                .collect();
            let list = |name: Option<&str>| -> Vec<u32> {
                let found = name.and_then(|it| scopes.get(it)).copied().unwrap_or_default();
                match kind {
                    Kind::Roles | Kind::Users => found.to_vec(),
                    _ => found.last().copied().into_iter().collect(),
                }
            };
            db.symbols.names(kind).into_iter().map(list).collect()
        });
        Self { branches }
    }

    fn is_enabled(&self, kind: Kind, value: u32, enabled: &FxHashMap<u32, bool>) -> bool {
        let branches = self.branches[kind as usize].get((value as usize).wrapping_sub(1));
        branches.is_some_and(|it| it.iter().any(|it| enabled.get(it).copied().unwrap_or(false)))
    }

    fn missing(&self, branch: &Branch, enabled: &FxHashMap<u32, bool>) -> Option<Missing> {
        let required = &branch.required;
        for kind in Kind::ALL.into_iter().filter(|&it| it != Kind::Classes) {
            for value in required.of(kind).iter().filter_map(|it| it.checked_add(1)) {
                if !self.is_enabled(kind, value, enabled) {
                    return Some(Missing { kind, value });
                }
            }
        }
        let kind = Kind::Classes;
        (1..).zip(&required.permissions).map(|it| it.0).find_map(|value| {
            (!self.is_enabled(kind, value, enabled)).then_some(Missing { kind, value })
        })
    }
}

/// Enables and disables branches; those that are left out.
pub(super) fn enable(db: &mut Db) -> Result<Vec<DisabledOptional>, Vec<Diagnostic>> {
    let declared = Declared::new(db);
    let mut enabled: FxHashMap<u32, bool> = FxHashMap::default();
    for block in &mut db.blocks {
        for (at, branch) in block.branches.iter_mut().enumerate() {
            branch.enabled = u32::from(at == 0);
            enabled.insert(branch.id, at == 0);
        }
    }
    let (mut errors, mut disabled) = (Vec::new(), Vec::new());
    let mut changed = true;
    while changed && errors.is_empty() {
        changed = false;
        for at in 0..db.blocks.len() {
            let top = db.blocks[at].top;
            let Some(branch) = db.blocks[at].branches.first() else { continue };
            if branch.enabled == 0 {
                continue;
            }
            let Some(missing) = declared.missing(branch, &enabled) else { continue };
            let what = words(db, &missing);
            if top {
                errors.push(unmet(branch, &what));
                continue;
            }
            let (span, required) = (branch.span, branch.span);
            disabled.push(DisabledOptional { span, missing: what, required });
            enabled.insert(branch.id, false);
            if let Some(branch) = db.blocks[at].branches.first_mut() {
                branch.enabled = 0;
            }
            changed = true;
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for block in &mut db.blocks {
        if let [then, otherwise, ..] = &mut block.branches[..] {
            otherwise.enabled = u32::from(then.enabled == 0);
        }
    }
    Ok(disabled)
}

fn words(db: &Db, missing: &Missing) -> String {
    let name = db.symbols.names(missing.kind).get(missing.value as usize - 1).copied().flatten();
    format!("{} {}", missing.kind.word(), name.unwrap_or("?"))
}

fn unmet(branch: &Branch, what: &str) -> Diagnostic {
    let message = format!("the module requires {what}, which nothing declares");
    Diagnostic::error(Code::UnmetRequire, branch.span, message)
        .note("a requirement outside of optional blocks has to be met")
        .help("add the module that declares it")
}
