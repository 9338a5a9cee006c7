//! What no fix may allow: `neverallow` statements.

use std::sync::Arc;

use mandate_compile::assertion::Assertion;
use mandate_compile::module::forbidden;
use mandate_policydb::{ClassId, PolicyDb, SymbolId, TypeId};
use mandate_syntax::kernel::{self, ParseOptions, SourceKind};
use mandate_syntax::source::SourceMap;

use crate::rules::Rules;

/// `neverallow` statements in terms of one policy.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    assertions: Vec<(Assertion, String)>,
}

/// A file of bounds that is wrong: each line says where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BoundError(pub String);

impl Bound {
    /// Reads `neverallow` statements over the names of a policy.
    ///
    /// # Errors
    /// What is wrong with them, a line each.
    pub fn parse(path: &str, bytes: &[u8], db: &PolicyDb) -> Result<Self, BoundError> {
        let mut sources = SourceMap::default();
        let file =
            sources.add(path, Arc::<[u8]>::from(bytes)).map_err(|it| BoundError(it.to_string()))?;
        let options = ParseOptions { kind: SourceKind::Expanded };
        let parsed = kernel::parse_file(sources.file(file), options);
        let assertions = match parsed.diagnostics.is_empty() {
            true => forbidden(db, parsed.unit),
            false => Err(parsed.diagnostics),
        };
        let assertions = assertions.map_err(|found| {
            let lines = found.iter().map(|it| {
                let place = sources.location(it.span.pos);
                let place = place.map(|it| format!("{}:{}: ", it.path, it.line));
                format!("{}{}", place.unwrap_or_default(), it.message)
            });
            BoundError(lines.collect::<Vec<_>>().join("\n"))
        })?;
        let shown = assertions.into_iter().map(|it| {
            let line = sources.location(it.span.pos).map_or(0, |it| it.line);
            (it, format!("{path}:{line}"))
        });
        Ok(Self { assertions: shown.collect() })
    }

    /// These statements and those of another file.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.assertions.extend(other.assertions);
        self
    }

    /// The rules that a statement forbids, each with the place of the statement.
    pub fn forbidden(&self, db: &PolicyDb, rules: &Rules) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (key, permissions) in &rules.allow {
            let types = (db.types.id(&key.source), db.types.id(key.target_type()));
            let ((Some(source), Some(target)), Some(class)) = (types, db.classes.id(&key.class))
            else {
                continue;
            };
            let bits = permissions.iter().filter_map(|it| Some(db.permission(class, it)?.mask()));
            let bits = bits.fold(0, |all, it| all | it);
            if let Some(place) = self.forbids(db, [source, target], class, bits) {
                let mut alone = Rules::default();
                alone.allow(key.clone(), permissions.iter().cloned());
                found.push((alone.statements().concat(), place.to_owned()));
            }
        }
        found
    }

    /// Where the first statement stands that forbids a rule over types or attributes; nothing if none does.
    pub(crate) fn forbids(
        &self,
        db: &PolicyDb,
        [source, target]: [TypeId; 2],
        class: ClassId,
        permissions: u32,
    ) -> Option<&str> {
        let broken = self.assertions.iter().find(|(it, _)| {
            it.class == class
                && it.permissions & permissions != 0
                // Extended permissions are not what fixes grant as a whole.
                && it.xperms.is_empty()
                && meets(db, it, source, target)
        });
        broken.map(|it| it.1.as_str())
    }
}

/// Is there a pair of types of the rule that an assertion names?
fn meets(db: &PolicyDb, it: &Assertion, source: TypeId, target: TypeId) -> bool {
    let members = |id: TypeId| -> Vec<u32> {
        match db.types.get(id).is_some_and(|it| it.attribute) {
            true => {
                let with = (0u32..).zip(&db.type_attributes);
                with.filter(|(bit, of)| *bit != id.bit() && of.has(id)).map(|it| it.0).collect()
            }
            false => vec![id.bit()],
        }
    };
    let (sources, targets) = (members(source), members(target));
    sources.iter().filter(|bit| it.source.contains(**bit)).any(|from| {
        targets.iter().any(|to| {
            let named = it.target.contains(*to) && !(it.not_self && from == to);
            named || (it.self_ && from == to)
        })
    })
}
