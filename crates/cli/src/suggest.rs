//! Near misses of names that a policy does not define.

use mandate_compile::near::nearest;
use mandate_policydb::{ClassId, ContextError, Datum, PolicyDb, SymbolTable, capability_names};
use mandate_query::QuestionError;
use mandate_query::lookup::LookupError;

/// Near misses as the end of a sentence.
pub(crate) fn hint(near: &[&str]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(", ")),
    }
}

fn names<T: Datum>(table: &SymbolTable<T>) -> impl Iterator<Item = &str> {
    table.iter().map(Datum::name)
}

/// A name that the policy does not define, with near misses.
pub(crate) fn unknown(db: &PolicyDb, kind: &str, name: &str) -> String {
    let near = match kind {
        "class" => nearest(name, names(&db.classes)),
        "user" => nearest(name, names(&db.users)),
        "role" => nearest(name, names(&db.roles)),
        "type or attribute" => nearest(name, names(&db.types)),
        "attribute" => nearest(name, db.types.iter().filter(|it| it.attribute).map(Datum::name)),
        "common" => nearest(name, names(&db.commons)),
        "policy capability" => nearest(name, capability_names()),
        "type" => nearest(name, db.types.iter().filter(|it| !it.attribute).map(Datum::name)),
        "boolean" => nearest(name, names(&db.booleans)),
        "sensitivity" => nearest(name, names(&db.sensitivities)),
        "category" => nearest(name, names(&db.categories)),
        _ => Vec::new(),
    };
    format!("the policy has no {kind} {name:?}{}", hint(&near))
}

/// A permission that the class does not have, with near misses.
pub(crate) fn unknown_permission(db: &PolicyDb, class: ClassId, name: &str) -> String {
    let near = nearest(name, db.permissions(class).map(Datum::name));
    format!("class {} has no permission {name:?}{}", db.classes.name(class), hint(&near))
}

/// Why a question cannot be asked, with near misses.
pub(crate) fn question(db: &PolicyDb, error: &QuestionError) -> String {
    match error {
        QuestionError::Lookup(it) => lookup(db, it),
        QuestionError::Range { text, why } => {
            format!("{text:?} is no range of the policy: {}", context(db, why))
        }
        QuestionError::Permissions { names, .. } => {
            let known = || db.classes.by_value().flat_map(|it| db.permissions(it.id));
            let near = names.iter().flat_map(|it| nearest(it, known().map(Datum::name)));
            let mut near: Vec<&str> = near.collect();
            near.dedup();
            format!("{error}{}", hint(&near))
        }
        other => other.to_string(),
    }
}

/// Why text is not a context, with near misses.
pub(crate) fn context(db: &PolicyDb, error: &ContextError) -> String {
    match error {
        ContextError::Unknown { kind, name } => unknown(db, kind, name),
        other => other.to_string(),
    }
}

/// A name of a question that the policy does not define, with near misses.
pub(crate) fn lookup(db: &PolicyDb, error: &LookupError) -> String {
    match error {
        LookupError::Unknown { kind, name } => unknown(db, kind, name),
        LookupError::Permission { class, name, .. } => unknown_permission(db, *class, name),
        LookupError::Context { text, why } => format!("{text:?}: {}", context(db, why)),
        other => other.to_string(),
    }
}
