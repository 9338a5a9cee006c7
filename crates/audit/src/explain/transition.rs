//! Transitions that may be meant to be there.

use mandate_policydb::{ClassId, Context, PolicyDb, RuleKind, TypeId};
use mandate_server::{Engine, Query};
use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::cause::MissingTransition;
use crate::Object;

/// Who has a transition, and what comes of it.
type Pairs = Vec<(TypeId, TypeId)>;

/// The type of the folder, the class and the name of what is made.
type Named = (TypeId, ClassId, Box<[u8]>);

/// The transitions of a policy by what they are about.
#[derive(Default)]
pub(super) struct Transitions {
    /// By the type of the program: who executes it, what that becomes.
    programs: FxHashMap<TypeId, Pairs>,
    /// By type of the folder and class: who makes it, what it becomes.
    objects: FxHashMap<(TypeId, ClassId), Pairs>,
    /// Those of them that a source has for a folder, whatever the class.
    own: FxHashMap<(TypeId, TypeId), Vec<TypeId>>,
    /// By type of the folder, class and name.
    names: FxHashMap<Named, Pairs>,
}

impl Transitions {
    pub(super) fn of(db: &PolicyDb) -> Self {
        let mut this = Self::default();
        let process = db.classes.id("process");
        let branches =
            db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
        for rule in db.rules.iter().chain(branches) {
            let Some(to) = rule.default_type().filter(|_| rule.kind == RuleKind::TypeTransition)
            else {
                continue;
            };
            let (source, target, class) = (rule.source, rule.target, rule.class());
            if Some(class) == process {
                this.programs.entry(target).or_default().push((source, to));
            } else {
                this.objects.entry((target, class)).or_default().push((source, to));
                this.own.entry((source, target)).or_default().push(to);
            }
        }
        for group in db.filename_transitions.to_groups().iter() {
            let key = (group.target, group.class, group.name.clone());
            let all = this.names.entry(key).or_default();
            for (sources, to) in &group.defaults {
                all.extend(sources.ids().map(|source: TypeId| (source, *to)));
            }
        }
        this
    }
}

/// What is asked for one access.
pub(super) struct Asking<'a> {
    pub(super) engine: &'a Engine,
    pub(super) transitions: &'a Transitions,
    pub(super) asked: &'a Asked,
}

impl Asking<'_> {
    /// The transition that may be missing where these permissions on a class are denied.
    pub(super) fn missing(
        &self,
        class: &str,
        permissions: &[String],
        object: &Object,
    ) -> Option<MissingTransition> {
        let asks = |names: &[&str]| permissions.iter().any(|it| names.contains(&it.as_str()));
        match class {
            "file" if asks(&["execute_no_trans", "execute"]) => self.process(),
            _ if super::label::file_type(class).is_some() && asks(&["create"]) => {
                self.object(object)
            }
            _ => None,
        }
    }

    /// The domain that others come to by executing the same program: only if there is but one.
    fn process(&self) -> Option<MissingTransition> {
        let (source, program) = (self.asked.source.type_, self.asked.target.type_);
        let all = self.transitions.programs.get(&program)?;
        let domain = all.first()?.1;
        if all.iter().any(|it| it.1 != domain || it.0 == source) || domain == source {
            return None;
        }
        let (program, name) = (self.name(program), self.name(domain));
        Some(MissingTransition::Process { program, domain: name, may: self.may_become(domain) })
    }

    /// Do the rules let the source come into a domain?
    fn may_become(&self, domain: TypeId) -> bool {
        let db = self.engine.db();
        let transition = db.classes.id("process").and_then(|class| {
            let target = Context { type_: domain, ..self.asked.source.clone() };
            let query = Query { source: &self.asked.source, target: &target, class };
            let bit = db.permission(class, "transition")?.mask();
            Some(self.engine.allowed_by_rules(&query) & bit != 0)
        });
        transition == Some(true)
    }

    /// What the source, or another domain, would have made.
    fn object(&self, object: &Object) -> Option<MissingTransition> {
        let (source, folder) = (self.asked.source.type_, self.asked.target.type_);
        let name = object
            .name
            .as_deref()
            .or_else(|| object.path.as_deref().and_then(|it| it.rsplit(|&it| it == b'/').next()));
        let named = name.and_then(|it| {
            let key = (folder, self.asked.class, Box::from(it));
            self.transitions.names.get(&key).map(|found| (found, it))
        });
        if let Some((found, name)) = named {
            let may = found.iter().find(|it| it.0 != source && self.may_make(it.1));
            if let Some(&(of, result)) = may {
                let name = String::from_utf8_lossy(name).into_owned();
                return Some(self.told(folder, result, of, Some(name)));
            }
        }
        let own = self.transitions.own.get(&(source, folder)).into_iter().flatten();
        if let Some(&result) = own.into_iter().find(|it| self.may_make(**it)) {
            return Some(self.told(folder, result, source, None));
        }
        let others = self.transitions.objects.get(&(folder, self.asked.class))?;
        let of = others.iter().find(|it| it.0 != source && self.may_make(it.1))?;
        Some(self.told(folder, of.1, of.0, None))
    }

    /// May the source do with an object of this type what it was denied?
    fn may_make(&self, type_: TypeId) -> bool {
        let target = Context { type_, ..self.asked.target.clone() };
        let query = Query { target: &target, ..self.asked.query() };
        self.engine.decide(&query).allowed & self.asked.wanted == self.asked.wanted
    }

    fn told(
        &self,
        folder: TypeId,
        result: TypeId,
        of: TypeId,
        name: Option<String>,
    ) -> MissingTransition {
        let (folder, result, of) = (self.name(folder), self.name(result), self.name(of));
        MissingTransition::Object { folder, result, of, name }
    }

    fn name(&self, id: TypeId) -> String {
        self.engine.db().types.name(id).into_owned()
    }
}
