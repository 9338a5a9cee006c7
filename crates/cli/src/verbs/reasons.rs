//! An explanation as text and as JSON.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::{
    BoolId, ClassId, Comparison, Constraint, Context, MlsLevel, Part, PolicyDb, Provenance,
    RuleKey, RulePlace, Term, TypeId, Whose,
};
use mandate_server::{Change, Denial, Explanation, PermissionExplanation};
use serde_json::{Value, json};

use crate::verbs::places;
use crate::{ALLOWED, DENIED, FAINT, STRONG, styled};

/// What an explanation is about.
pub(crate) struct Subject<'a> {
    pub(crate) db: &'a PolicyDb,
    /// Where its rules were written, if that is known.
    pub(crate) provenance: Option<&'a Provenance>,
    pub(crate) source: &'a Context,
    pub(crate) target: &'a Context,
    pub(crate) class: ClassId,
}

impl Subject<'_> {
    /// Prints permissions with the same reasons together.
    pub(crate) fn print(&self, explanation: &Explanation, out: &mut dyn Write) -> Result<()> {
        let mut rest: Vec<&PermissionExplanation> = explanation.permissions.iter().collect();
        // What needs a reason most comes first.
        rest.sort_by_key(|it| it.allowed);
        while let Some(&first) = rest.first() {
            let (same, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|it| same_reasons(it, first));
            let names: Vec<_> = same.iter().map(|it| &*it.permission.name).collect();
            let asked = same.iter().fold(0, |all, it| all | bit(it));
            self.print_group(first, &names.join(" "), asked, out)?;
            rest = others;
        }
        if !explanation.search_complete {
            writeln!(
                out,
                "Very many booleans bear on this: not every set of up to three was tried."
            )?;
        }
        let name = self.db.types.name(self.source.type_);
        let note = match (explanation.decision.permissive, explanation.decision.neveraudit) {
            (false, false) => return Ok(()),
            (true, false) => "permissive: denials are logged but not enforced",
            (false, true) => "neveraudit: nothing it does is logged",
            (true, true) => "permissive and neveraudit: it may do all, and nothing is logged",
        };
        writeln!(out, "{name} is {note}.")?;
        Ok(())
    }

    fn print_group(
        &self,
        reasons: &PermissionExplanation,
        names: &str,
        asked: u32,
        out: &mut dyn Write,
    ) -> Result<()> {
        let verdict =
            if reasons.allowed { styled(ALLOWED, "allowed") } else { styled(DENIED, "denied ") };
        writeln!(out, "{verdict}  {}", styled(STRONG, names))?;
        for denial in &reasons.denials {
            self.print_denial(denial, 2, out)?;
        }
        if reasons.allowed {
            self.print_rules("granted by", &reasons.grants, asked, out)?;
            self.print_rules("logged because of", &reasons.audit, asked, out)?;
        } else {
            self.print_rules("though granted by", &reasons.grants, asked, out)?;
            self.print_rules("not logged because of", &reasons.audit, asked, out)?;
        }
        self.print_rules("inactive", &reasons.inactive, asked, out)?;
        self.print_changes(reasons, out)
    }

    pub(crate) fn print_rules(
        &self,
        head: &str,
        rules: &[RulePlace],
        asked: u32,
        out: &mut dyn Write,
    ) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        writeln!(out, "  {head}:")?;
        for &rule in rules {
            writeln!(out, "    {}", places::rule(self.db, rule))?;
            places::print(self.provenance, RuleKey::Rule(rule), asked, out)?;
        }
        Ok(())
    }

    fn print_changes(&self, reasons: &PermissionExplanation, out: &mut dyn Write) -> Result<()> {
        self.print_settings(reasons.allowed, &reasons.changes, out)
    }

    /// What each set of booleans would do to something that is allowed or denied now.
    pub(crate) fn print_settings(
        &self,
        allowed: bool,
        changes: &[Change],
        out: &mut dyn Write,
    ) -> Result<()> {
        let effect = if allowed { "would be denied with" } else { "would be allowed with" };
        for change in changes {
            let settings: Vec<_> = change.iter().map(|&it| self.setting(it)).collect();
            writeln!(out, "  {effect} {}", styled(STRONG, &settings.join(" and ")))?;
        }
        Ok(())
    }

    fn setting(&self, (id, value): (BoolId, bool)) -> String {
        format!("{}={}", self.db.booleans.name(id), if value { "on" } else { "off" })
    }

    fn print_denial(&self, denial: &Denial, indent: usize, out: &mut dyn Write) -> Result<()> {
        let (pad, db) = (" ".repeat(indent), self.db);
        match denial {
            Denial::NoRule => writeln!(out, "{pad}no allow rule applies")?,
            Denial::Constraint { constraint, terms } => {
                writeln!(out, "{pad}a constraint does not hold:")?;
                writeln!(out, "{pad}  {}", db.constraint_to_string(self.class, constraint))?;
                for (text, value) in self.leaves(constraint, terms) {
                    let value = if value { "true " } else { "false" };
                    writeln!(out, "{pad}    {value}  {text}")?;
                }
            }
            Denial::RoleAllow { from, to } => {
                let (from, to) = (db.roles.name(*from), db.roles.name(*to));
                writeln!(out, "{pad}the role may not change: it takes a rule allow {from} {to};")?;
            }
            Denial::Bounds { source, target: target_id, denials } => {
                let (outer, target) = (db.types.name(*source), db.types.name(*target_id));
                let own = db.types.name(self.source.type_);
                writeln!(
                    out,
                    "{pad}{own} is bounded by {outer}, which may not do it to {target}:"
                )?;
                let (source, target) = self.bounding(*source, *target_id);
                let inner = Subject { source: &source, target: &target, ..*self };
                for denial in denials {
                    inner.print_denial(denial, indent + 2, out)?;
                }
            }
            other => writeln!(out, "{pad}{other:?}")?,
        }
        Ok(())
    }

    /// The contexts that the bounding types are asked with.
    fn bounding(&self, source: TypeId, target: TypeId) -> (Context, Context) {
        let source = Context { type_: source, ..self.source.clone() };
        (source, Context { type_: target, ..self.target.clone() })
    }

    /// The comparisons of a constraint, each once, with what was compared and the value.
    fn leaves(&self, constraint: &Constraint, terms: &[bool]) -> Vec<(String, bool)> {
        let mut leaves: Vec<(String, bool)> = Vec::new();
        for (term, &value) in constraint.expression.iter().zip(terms) {
            let Some(actual) = self.actual(term) else { continue };
            let text = format!("{}  {}", self.db.term_to_string(term), styled(FAINT, &actual));
            if !leaves.iter().any(|it| it.0 == text) {
                leaves.push((text, value));
            }
        }
        leaves
    }

    /// What a comparison found in the contexts.
    fn actual(&self, term: &Term) -> Option<String> {
        let (source, target) = (self.source, self.target);
        match term {
            Term::Not | Term::And | Term::Or => None,
            Term::Compare(what, _) => {
                let (a, b) = what.operands();
                let (left, right) = match what {
                    Comparison::User => (self.user(source), self.user(target)),
                    Comparison::Role => (self.role(source), self.role(target)),
                    Comparison::Type => (self.type_(source), self.type_(target)),
                    levels => self.levels(*levels)?,
                };
                Some(format!("({a} is {left}, {b} is {right})"))
            }
            Term::Names(set) => {
                let context = match set.whose {
                    Whose::Source => source,
                    Whose::Target => target,
                    Whose::Process => return None,
                };
                let actual = match set.part {
                    Part::User => self.user(context),
                    Part::Role => self.role(context),
                    Part::Type => self.type_(context),
                };
                Some(format!("(it is {actual})"))
            }
        }
    }

    fn user(&self, context: &Context) -> String {
        self.db.users.name(context.user).into_owned()
    }

    fn role(&self, context: &Context) -> String {
        self.db.roles.name(context.role).into_owned()
    }

    fn type_(&self, context: &Context) -> String {
        self.db.types.name(context.type_).into_owned()
    }

    fn levels(&self, what: Comparison) -> Option<(String, String)> {
        let (source, target) = (self.source.range.as_ref()?, self.target.range.as_ref()?);
        let text = |level: &MlsLevel| self.db.level_to_string(level);
        Some(match what {
            Comparison::L1L2 => (text(&source.low), text(&target.low)),
            Comparison::L1H2 => (text(&source.low), text(&target.high)),
            Comparison::H1L2 => (text(&source.high), text(&target.low)),
            Comparison::H1H2 => (text(&source.high), text(&target.high)),
            Comparison::L1H1 => (text(&source.low), text(&source.high)),
            Comparison::L2H2 => (text(&target.low), text(&target.high)),
            Comparison::User | Comparison::Role | Comparison::Type => return None,
        })
    }

    /// The explanation as JSON; the shape is in docs/json.md.
    pub(crate) fn to_json(&self, explanation: &Explanation) -> Value {
        let permissions = explanation.permissions.iter().map(|it| self.permission_json(it));
        json!({
            "source": self.db.context_to_string(self.source),
            "target": self.db.context_to_string(self.target),
            "class": self.db.classes.name(self.class),
            "permissive": explanation.decision.permissive,
            "neveraudit": explanation.decision.neveraudit,
            "permissions": permissions.collect::<Vec<_>>(),
            "search_complete": explanation.search_complete,
        })
    }

    /// Sets of booleans as objects.
    pub(crate) fn changes_json(&self, changes: &[Change]) -> Value {
        let settings = |change: &Change| {
            let settings = change
                .iter()
                .map(|&(id, value)| (self.db.booleans.name(id).into_owned(), Value::Bool(value)));
            Value::Object(settings.collect())
        };
        changes.iter().map(settings).collect()
    }

    fn permission_json(&self, it: &PermissionExplanation) -> Value {
        json!({
            "permission": it.permission.name,
            "allowed": it.allowed,
            "granted_by": self.rules_json(&it.grants, bit(it)),
            "inactive": self.rules_json(&it.inactive, bit(it)),
            "audit_rules": self.rules_json(&it.audit, bit(it)),
            "denied_by": it.denials.iter().map(|it| self.denial_json(it)).collect::<Vec<_>>(),
            "changed_by_booleans": self.changes_json(&it.changes),
        })
    }

    /// Rules as objects, with the places of the statements that give the permissions asked.
    pub(crate) fn rules_json(&self, rules: &[RulePlace], asked: u32) -> Value {
        let rule = |at: &RulePlace| places::rule_json(self.db, self.provenance, *at, asked);
        rules.iter().map(rule).collect()
    }

    fn denial_json(&self, denial: &Denial) -> Value {
        match denial {
            Denial::NoRule => json!({ "reason": "no_rule" }),
            Denial::Constraint { constraint, terms } => {
                let terms = constraint.expression.iter().zip(terms);
                let terms = terms.map(
                    |(term, value)| json!({ "term": self.db.term_to_string(term), "value": value }),
                );
                json!({
                    "reason": "constraint",
                    "constraint": self.db.constraint_to_string(self.class, constraint),
                    "terms": terms.collect::<Vec<_>>(),
                })
            }
            Denial::RoleAllow { from, to } => json!({
                "reason": "role_allow",
                "from": self.db.roles.name(*from),
                "to": self.db.roles.name(*to),
            }),
            Denial::Bounds { source, target, denials } => json!({
                "reason": "bounds",
                "source": self.db.types.name(*source),
                "target": self.db.types.name(*target),
                "denied_by": denials.iter().map(|it| self.denial_json(it)).collect::<Vec<_>>(),
            }),
            other => json!({ "reason": format!("{other:?}") }),
        }
    }
}

/// The bit of the permission explained.
fn bit(explanation: &PermissionExplanation) -> u32 {
    explanation.permission.id.mask()
}

fn same_reasons(a: &PermissionExplanation, b: &PermissionExplanation) -> bool {
    let key = |it: &PermissionExplanation| {
        (it.allowed, it.grants.clone(), it.inactive.clone(), it.audit.clone(), it.changes.clone())
    };
    key(a) == key(b) && a.denials == b.denials
}
