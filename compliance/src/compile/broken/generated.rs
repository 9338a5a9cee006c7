//! Sources that are too big to be checked in: nested 100,000 deep, or growing without an end.

use anyhow::{Context, Result, bail};

use crate::place::Place;

const DEEP: usize = 100_000;
const MODULE: &str = "policy/modules/apps/broken.te";
const HEAD: &str = "policy_module(broken, 1.0.0)\n\ntype broken_t;\n\n";
/// The rules of `broken-head.conf` end with this line.
const LAST_RULE: &str = "type_transition a_t f_t:file p_t;\n";
const LAST_CONSTRAINT: &str = "constrain process transition (u1 == u2);\n";

/// The file's name and its content.
///
/// # Errors
/// When there is no such kind.
pub(super) fn source(place: &Place, kind: &str) -> Result<(&'static str, String)> {
    if let Some(text) = module(kind) {
        return Ok((MODULE, format!("{HEAD}{text}")));
    }
    let (after, text) = statement(kind).with_context(|| format!("no kind {kind:?}"))?;
    let head = place.root.join("compliance/cases/broken-head.conf");
    let conf = std::fs::read_to_string(&head).context("reading broken-head.conf")?;
    if !conf.contains(after) {
        bail!("broken-head.conf has no line {after:?}");
    }
    Ok(("policy.conf", conf.replacen(after, &format!("{after}{text}"), 1)))
}

/// A statement of a `policy.conf`, and the line that it follows.
fn statement(kind: &str) -> Option<(&'static str, String)> {
    let (open, close) = ("(".repeat(DEEP), ")".repeat(DEEP));
    Some(match kind {
        "nested-braces" => {
            let (open, close) = ("{ ".repeat(DEEP), "} ".repeat(DEEP));
            (LAST_RULE, format!("allow a_t {open}f_t {close}:file write;\n"))
        }
        "nested-condition" => {
            (LAST_RULE, format!("if ({open}switch{close}) {{ allow a_t f_t:file write; }}\n"))
        }
        "nested-optionals" => {
            let (open, close) = ("optional { ".repeat(DEEP), "} ".repeat(DEEP));
            (LAST_RULE, format!("{open}allow a_t f_t:file write; {close}\n"))
        }
        "nested-constraint" => {
            (LAST_CONSTRAINT, format!("constrain process fork ({open}u1 == u2{close});\n"))
        }
        _ => return None,
    })
}

/// What follows the head of a module.
fn module(kind: &str) -> Option<String> {
    Some(match kind {
        "nested-calls" => {
            format!("ifelse({}x{})\n", "ifelse(".repeat(DEEP), ")".repeat(DEEP))
        }
        "nested-quotes" => format!("{}x\n", "`".repeat(DEEP)),
        "recursive-macro" => "define(`broken_again',`broken_again')\nbroken_again\n".to_owned(),
        "growing-macro" => "define(`broken_more',`broken_more($1$1)')\nbroken_more(x)\n".to_owned(),
        "argument-bomb" => "define(`broken_many',`$*,$*,$*,$* broken_many($*,$*)')\n\
            broken_many(a,b,c,d,e,f,g,h)\n"
            .to_owned(),
        "expansion-bomb" => {
            let double = |n: usize| format!("define(`b{}',`b{n} b{n} b{n} b{n}')\n", n + 1);
            let definitions: String = (0..19).map(double).collect();
            format!("define(`b0',`allow broken_t self:process signal;')\n{definitions}b19\n")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_cases_are_those_of_the_text() {
        let line = |kind: &str, word: &str| {
            let text = format!("{HEAD}{}", module(kind).unwrap_or_default());
            text.lines().position(|line| line.starts_with(word)).map(|line| line + 1)
        };
        assert_eq!(line("recursive-macro", "broken_again"), Some(6));
        assert_eq!(line("expansion-bomb", "b19"), Some(25));
    }
}
