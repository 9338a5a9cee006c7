//! What would mend a denial, in the order in which it is to be preferred: a label, a boolean, an interface, a rule.

use mandate_policydb::{PolicyDb, TypeId};
use mandate_server::PermissionExplanation;

use super::asked::Asked;
use super::cause::{Cause, ConstraintPart, MissingTransition, Reason};
use super::tell::{printable, quoted};
use super::{Explainer, Explanation};
use crate::interfaces::Found;
use crate::rules::{RuleKey, Rules, Transition, xperm_operation};
use crate::{Access, interfaces};

/// What would mend a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fix {
    /// Give a file, or a folder and what is in it, the label of file contexts.
    Relabel {
        /// The path.
        path: String,
        /// With what is below it?
        below: bool,
        /// User and level, too?
        whole: bool,
    },
    /// Give booleans these values.
    Booleans(Vec<(String, bool)>),
    /// Call an interface of the policy.
    Interface {
        /// The call.
        call: String,
        /// How many permissions it grants besides what is wanted, over all types.
        excess: u64,
    },
    /// Add rules.
    Rules(Rules),
}

/// A fix that a bound forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The fix.
    pub fix: Fix,
    /// The place of the `neverallow` that forbids it.
    pub place: String,
}

impl Fix {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Relabel { .. } => "relabel",
            Self::Booleans(_) => "boolean",
            Self::Interface { .. } => "interface",
            Self::Rules(_) => "rules",
        }
    }

    /// What to type, or to write into a module: a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Relabel { path, below, whole } => {
                let path = quoted(&printable(path.as_bytes()));
                let options = [(*below, " -R"), (*whole, " -F")];
                let options = options.iter().filter(|it| it.0).map(|it| it.1);
                vec![format!("restorecon{} -v {path}", options.collect::<String>())]
            }
            Self::Booleans(set) => {
                let each = set.iter().map(|(name, on)| format!("{name}={}", u8::from(*on)));
                vec![format!("setsebool -P {}", each.collect::<Vec<_>>().join(" "))]
            }
            Self::Interface { call, .. } => vec![call.clone()],
            Self::Rules(rules) => rules.statements(),
        }
    }
}

/// What mends a context that the policy does not allow.
pub(super) fn of_context(reasons: &[Reason], fixes: &mut Vec<Fix>) {
    let mut rules = Rules::default();
    for reason in reasons {
        match &reason.cause {
            Cause::RoleType { role, type_, .. } => {
                rules.role_types.insert((role.clone(), type_.clone()));
            }
            // Anything else that is wrong is not mended by a rule.
            _ => return,
        }
    }
    if !rules.is_empty() {
        fixes.push(Fix::Rules(rules));
    }
}

impl Explainer<'_> {
    /// Finds the fixes for what was found to be the cause.
    pub(super) fn fixes(
        &self,
        access: &Access,
        asked: &Asked,
        denied: &[&PermissionExplanation],
        explained: &mut Explanation,
    ) {
        let mut offers: Vec<Offer> = Vec::new();
        let mut rules = Rules::default();
        let mut blocked = false;
        for reason in &explained.reasons {
            match &reason.cause {
                Cause::Mislabelled(it) => offers.push(Offer::plain(Fix::Relabel {
                    path: it.path.clone(),
                    below: it.folder,
                    whole: it.whole,
                })),
                Cause::RoleAllow { from, to } => {
                    rules.role_allows.insert((from.clone(), to.clone()));
                }
                Cause::Constraint(it) => {
                    blocked |= it.part != ConstraintPart::Type;
                    let own = (it.part == ConstraintPart::Type).then(|| self.exception(asked, it));
                    blocked |= own == Some(None);
                    rules.attributes.extend(own.flatten());
                }
                Cause::Bounds { .. } => blocked = true,
                Cause::Xperm { .. } => {
                    if let Some((operation, command)) = xperm_operation(access) {
                        let key = (self.key(asked), operation.to_owned());
                        rules.xperms.entry(key).or_default().insert(command);
                    }
                }
                _ => {}
            }
        }
        // Where the label is wrong a rule would make the fault a part of the policy.
        if offers.is_empty() {
            self.booleans(denied, &mut offers);
            self.transitions(asked, explained, &mut offers);
            // No rule helps where a constraint denies it all the same.
            if !blocked {
                self.grants(asked, denied, rules, &mut offers);
            }
        }
        for offer in offers {
            match self.forbidden(asked, &offer) {
                Some(place) => explained.refused.push(Refusal { fix: offer.fix, place }),
                None => explained.fixes.push(offer.fix),
            }
        }
        // One interface is enough.
        let mut first = true;
        explained.fixes.retain(|it| {
            !matches!(it, Fix::Interface { .. }) || std::mem::replace(&mut first, false)
        });
    }

    fn key(&self, asked: &Asked) -> RuleKey {
        let db = self.db();
        RuleKey::new(
            &db.types.name(asked.source.type_),
            &db.types.name(asked.target.type_),
            &db.classes.name(asked.class),
        )
    }

    /// Booleans that allow all of it.
    fn booleans(&self, denied: &[&PermissionExplanation], offers: &mut Vec<Offer>) {
        let Some((first, others)) = denied.split_first() else { return };
        let mut common = first.changes.iter();
        let set = common.find(|set| others.iter().all(|it| it.changes.contains(set)));
        let set = set.map(|it| Fix::Booleans(super::settings(self.db(), it)));
        offers.extend(set.map(Offer::plain));
    }

    /// Transitions that are missing: by an interface, or by rules.
    fn transitions(&self, asked: &Asked, explained: &Explanation, offers: &mut Vec<Offer>) {
        let db = self.db();
        let missing = explained.reasons.iter().find_map(|it| match &it.cause {
            Cause::MissingTransition(it) => Some(it),
            _ => None,
        });
        let Some(missing) = missing else { return };
        let class = db.classes.name(asked.class).into_owned();
        let (target, result, class, name) = match missing {
            MissingTransition::Process { program, domain, .. } => {
                (program, domain, "process".to_owned(), None)
            }
            MissingTransition::Object { folder, result, name, .. } => {
                (folder, result, class, name.as_deref())
            }
        };
        let ids = [Some(asked.source.type_), db.types.id(target), db.types.id(result)];
        let [Some(source), Some(of), Some(to)] = ids else { return };
        if let Some(catalogue) = self.catalogue {
            let found = catalogue.transition(db, [source, of, to], &class, name);
            offers.extend(found.into_iter().next().map(Offer::interface));
        }
        let source = db.types.name(source).into_owned();
        offers.push(Offer::plain(Fix::Rules(transition_rules(&source, missing, &class))));
    }

    /// An interface that grants what is denied, and the rule itself.
    fn grants(
        &self,
        asked: &Asked,
        denied: &[&PermissionExplanation],
        mut rules: Rules,
        offers: &mut Vec<Offer>,
    ) {
        let missing = denied.iter().filter(|it| it.grants.is_empty());
        let bits = missing.fold(0, |all, it| all | it.permission.id.mask());
        if bits != 0 {
            // What else is missing is in no interface.
            if let Some(catalogue) = self.catalogue.filter(|_| rules.is_empty()) {
                let wanted = interfaces::Wanted {
                    source: asked.source.type_,
                    target: asked.target.type_,
                    class: asked.class,
                    permissions: bits,
                };
                let found = catalogue.granting(self.db(), wanted);
                let small = found.into_iter().filter(|it| it.excess <= MOST_EXCESS);
                offers.extend(small.take(MOST_INTERFACES).map(Offer::interface));
            }
            rules.allow(self.key(asked), self.db().permission_names(asked.class, bits));
        }
        if !rules.is_empty() {
            offers.push(Offer::plain(Fix::Rules(rules)));
        }
    }

    /// The type and an attribute that a constraint makes an exception for.
    fn exception(
        &self,
        asked: &Asked,
        broken: &super::BrokenConstraint,
    ) -> Option<(String, String)> {
        let db = self.db();
        let named = broken.comparisons.iter().filter(|it| !it.holds);
        let mut attributes = named.filter_map(|it| it.text.strip_prefix("t1 == "));
        let attribute = attributes.find(|it| db.types.find(it).is_some_and(|it| it.attribute))?;
        Some((db.types.name(asked.source.type_).into_owned(), attribute.to_owned()))
    }

    /// The place of a bound that a fix would break.
    fn forbidden(&self, asked: &Asked, offer: &Offer) -> Option<String> {
        let (bound, db) = (self.bound?, self.db());
        let mut broken = None;
        let mut ask = |source: TypeId, target: TypeId, class, permissions| {
            if broken.is_none() {
                let place = bound.forbids(db, [source, target], class, permissions);
                broken = place.map(str::to_owned);
            }
        };
        match (&offer.fix, &offer.found) {
            (Fix::Rules(rules), _) => each_rule(db, rules, &mut ask),
            (Fix::Booleans(_), _) => {
                ask(asked.source.type_, asked.target.type_, asked.class, asked.wanted);
            }
            (_, Some(found)) => self.catalogue?.granted(found, asked.source.type_, ask),
            _ => {}
        }
        broken
    }
}

/// An interface that grants more than this besides is worse than a rule: it is about whole kinds of objects.
pub(crate) const MOST_EXCESS: u64 = 100;
/// So many interfaces are tried before a bound is found to forbid all.
const MOST_INTERFACES: usize = 8;

/// A fix, before it is known whether it stays within the bound.
struct Offer {
    fix: Fix,
    /// The interface that it calls.
    found: Option<Found>,
}

impl Offer {
    fn plain(fix: Fix) -> Self {
        Self { fix, found: None }
    }

    fn interface(found: Found) -> Self {
        let fix = Fix::Interface { call: found.call.clone(), excess: found.excess };
        Self { fix, found: Some(found) }
    }
}

/// Calls `ask` with each rule that names of the policy are in.
fn each_rule(
    db: &PolicyDb,
    rules: &Rules,
    ask: &mut impl FnMut(TypeId, TypeId, mandate_policydb::ClassId, u32),
) {
    for (key, permissions) in &rules.allow {
        let types = (db.types.id(&key.source), db.types.id(key.target_type()));
        let ((Some(source), Some(target)), Some(class)) = (types, db.classes.id(&key.class)) else {
            continue;
        };
        let bits = permissions.iter().filter_map(|it| Some(db.permission(class, it)?.mask()));
        ask(source, target, class, bits.fold(0, |all, it| all | it));
    }
    for (type_, attribute) in &rules.attributes {
        let (Some(type_), Some(attribute)) = (db.types.id(type_), db.types.id(attribute)) else {
            continue;
        };
        for rule in db.rules.iter().filter(|it| it.source == attribute) {
            if rule.kind == mandate_policydb::RuleKind::Allow {
                ask(type_, rule.target, rule.class(), rule.permissions());
            }
        }
    }
}

/// The rules that a transition takes, as `domain_auto_transition_pattern` and `filetrans_pattern` of Reference Policy have them.
fn transition_rules(source: &str, missing: &MissingTransition, class: &str) -> Rules {
    let mut rules = Rules::default();
    let (target, result, name) = match missing {
        MissingTransition::Process { program, domain, .. } => {
            let file = RuleKey::new(source, program, "file");
            rules.allow(file, ["execute", "getattr", "map", "open", "read"]);
            rules.allow(RuleKey::new(source, domain, "process"), ["transition"]);
            rules.allow(RuleKey::new(domain, source, "fd"), ["use"]);
            rules.allow(RuleKey::new(domain, source, "process"), ["sigchld"]);
            (program, domain, None)
        }
        MissingTransition::Object { folder, result, name, .. } => (folder, result, name.clone()),
    };
    rules.transitions.insert(Transition {
        source: source.to_owned(),
        target: target.clone(),
        class: class.to_owned(),
        result: result.clone(),
        name,
    });
    rules
}
