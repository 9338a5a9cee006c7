//! Roles and users: who may have which, and what they may run.

use mandate_policydb::{Ebitmap, PolicyDb, RoleId, SymbolId as _, TypeId, UserId};
use rustc_hash::FxHashMap;

use crate::questions::{self, Access, count};
use crate::types::TypeSets;

/// What a role may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAnswer {
    /// The role.
    pub role: RoleId,
    /// All types that it may have.
    pub types: Vec<String>,
    /// Those that are domains.
    pub domains: Vec<String>,
    /// Users that may have it.
    pub users: Vec<String>,
    /// Roles that may become it, by role allow.
    pub from: Vec<String>,
    /// Roles that it may become.
    pub to: Vec<String>,
    /// `role_transition` statements from it and into it.
    pub transitions: Vec<String>,
}

/// Asks about a role.
pub fn role(sets: &TypeSets<'_>, role: RoleId) -> RoleAnswer {
    let db = sets.db();
    // Contexts with object_r are valid whatever the policy says of its types and users.
    let any = role == RoleId::OBJECT;
    let own = db.roles.get(role).map(|it| it.types.clone()).unwrap_or_default();
    let types = if any { questions::all_types(sets) } else { own };
    let users = db.users.by_value().filter(|it| any || it.roles.has(role));
    let users = users.map(|it| it.name.to_string());
    let name = |id: RoleId| db.roles.name(id).into_owned();
    let allows = &db.role_allows;
    let from = allows.iter().filter(|it| it.new_role == role).map(|it| name(it.role));
    let to = allows.iter().filter(|it| it.role == role).map(|it| name(it.new_role));
    let transitions =
        db.role_transitions.iter().filter(|it| it.role == role || it.new_role == role);
    let transitions = transitions.map(|it| {
        let class = it.class.map_or("process".into(), |it| db.classes.name(it));
        let (old, type_, new) = (name(it.role), db.types.name(it.type_), name(it.new_role));
        format!("role_transition {old} {type_}:{class} {new};")
    });
    RoleAnswer {
        role,
        domains: questions::type_names(sets, &types.intersection(&questions::domains(sets))),
        types: questions::type_names(sets, &types),
        users: sorted(users),
        from: sorted(from),
        to: sorted(to),
        transitions: sorted(transitions),
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl RoleAnswer {
    /// What was counted.
    pub fn sentence(&self, db: &PolicyDb) -> String {
        format!(
            "{} may have {}, {} of them domains; {} may have it, and it may become {}.",
            db.roles.name(self.role),
            count(self.types.len(), "type"),
            self.domains.len(),
            count(self.users.len(), "user"),
            count(self.to.len(), "other role"),
        )
    }
}

/// What a user may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAnswer {
    /// The user.
    pub user: UserId,
    /// The range, in a policy with levels.
    pub range: Option<String>,
    /// The level at log-in.
    pub default_level: Option<String>,
    /// The roles.
    pub roles: Vec<UserRole>,
    /// All domains, of all roles.
    pub domains: Vec<String>,
}

/// A role of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRole {
    /// The role.
    pub role: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// Domains with types of programs that start them from another domain of the role.
    pub entrypoints: Vec<(String, Vec<String>)>,
}

/// Asks about a user.
pub fn user(access: &Access<'_>, user: UserId) -> UserAnswer {
    let (sets, db) = (access.sets, access.db());
    let datum = db.users.get(user);
    let domains = questions::domains(sets);
    let entries = Entries::new(access);
    let (mut all, mut roles) = (Ebitmap::new(), Vec::new());
    for role in datum.into_iter().flat_map(|it| it.roles.ids::<RoleId>()) {
        let Some(role) = db.roles.get(role) else { continue };
        let within = role.types.intersection(&domains);
        all = all.union(&within);
        roles.push(UserRole {
            role: role.name.to_string(),
            domains: questions::type_names(sets, &within),
            entrypoints: entries.within(sets, &within),
        });
    }
    roles.sort_by(|a, b| a.role.cmp(&b.role));
    let range = datum.and_then(|it| it.range.as_ref()).filter(|_| db.mls);
    let level = datum.and_then(|it| it.default_level.as_ref()).filter(|_| db.mls);
    UserAnswer {
        user,
        range: range.map(|it| db.range_to_string(it)),
        default_level: level.map(|it| db.level_to_string(it)),
        roles,
        domains: questions::type_names(sets, &all),
    }
}

impl UserAnswer {
    /// What was counted.
    pub fn sentence(&self, db: &PolicyDb) -> String {
        let programs = self.roles.iter().flat_map(|it| &it.entrypoints).flat_map(|it| &it.1);
        let programs = sorted(programs.cloned()).len();
        let range = self.range.as_ref().map_or(String::new(), |it| format!(" in the range {it}"));
        format!(
            "{} has {} and {}{range}; {} of programs start a domain from another one of the same role.",
            db.users.name(self.user),
            count(self.roles.len(), "role"),
            count(self.domains.len(), "domain"),
            count(programs, "type"),
        )
    }
}

/// Who enters which domain through what.
struct Entries {
    /// Entry points of each domain.
    entrypoints: FxHashMap<TypeId, Ebitmap>,
    /// Who may execute each of them.
    executors: FxHashMap<TypeId, Ebitmap>,
    /// Who may become each domain.
    entering: FxHashMap<TypeId, Ebitmap>,
}

impl Entries {
    fn new(access: &Access<'_>) -> Self {
        let sets = access.sets;
        let (mut entrypoints, mut executors, mut entering): (
            FxHashMap<TypeId, Ebitmap>,
            FxHashMap<TypeId, Ebitmap>,
            FxHashMap<TypeId, Ebitmap>,
        ) = Default::default();
        for it in access.rules("file", &["entrypoint"]) {
            for domain in sets.members(it.rule.source).ids() {
                let of_domain = entrypoints.entry(domain).or_default();
                *of_domain = of_domain.union(sets.members(it.rule.target));
            }
        }
        let programs = entrypoints.values().fold(Ebitmap::new(), |all, it| all.union(it));
        for it in access.rules("file", &["execute"]) {
            for program in sets.members(it.rule.target).intersection(&programs).ids() {
                let of_program = executors.entry(program).or_default();
                *of_program = of_program.union(sets.members(it.rule.source));
            }
        }
        for it in access.rules("process", &["transition"]) {
            for domain in sets.members(it.rule.target).ids() {
                let of_domain = entering.entry(domain).or_default();
                *of_domain = of_domain.union(sets.members(it.rule.source));
            }
        }
        Self { entrypoints, executors, entering }
    }

    /// Domains of `within` that others of them enter, with the programs.
    fn within(&self, sets: &TypeSets<'_>, within: &Ebitmap) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        for domain in within.ids::<TypeId>() {
            let (Some(from), Some(programs)) =
                (self.entering.get(&domain), self.entrypoints.get(&domain))
            else {
                continue;
            };
            let itself = Ebitmap::from_bits([domain.bit()]);
            let from = questions::difference(&from.intersection(within), &itself);
            let started = |it: &TypeId| {
                let executors = self.executors.get(it);
                executors.is_some_and(|it| !it.intersection(&from).is_empty())
            };
            let started = programs.ids::<TypeId>().filter(started);
            let names = sorted(started.map(|it| sets.db().types.name(it).into_owned()));
            if !names.is_empty() {
                found.push((sets.db().types.name(domain).into_owned(), names));
            }
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::rules::Conditions;
    use crate::testing::{policy, policy_with_levels};

    const RULES: &str = "
        allow a_t b_t:process transition; allow a_t b_exec_t:file execute; allow b_t b_exec_t:file entrypoint;
        allow b_t a_t:process transition; allow a_t a_exec_t:file entrypoint;
        allow u_t b_t:process transition; allow u_t a_exec_t:file execute;
        allow a_r b_r; role_transition a_r b_exec_t b_r;";

    #[test]
    fn a_role_has_types_users_and_ways_to_others() {
        let db = policy(RULES);
        let sets = TypeSets::new(&db);
        for name in ["a_r", "b_r"] {
            let answer = role(&sets, db.roles.id(name).unwrap());
            let text = format!("{}\n{answer:?}", answer.sentence(&db));
            match name {
                "a_r" => expect![[r#"
                    a_r may have 3 types, 3 of them domains; 2 users may have it, and it may become 1 other role.
                    RoleAnswer { role: RoleId(2), types: ["a_t", "b_t", "kernel_t"], domains: ["a_t", "b_t", "kernel_t"], users: ["a_u", "u_u"], from: [], to: ["b_r"], transitions: ["role_transition a_r b_exec_t:process b_r;"] }"#]].assert_eq(&text),
                _ => expect![[r#"
                    b_r may have 2 types, 2 of them domains; 1 user may have it, and it may become 0 other roles.
                    RoleAnswer { role: RoleId(3), types: ["b_t", "u_t"], domains: ["b_t", "u_t"], users: ["u_u"], from: ["a_r"], to: [], transitions: ["role_transition a_r b_exec_t:process b_r;"] }"#]].assert_eq(&text),
            }
        }
    }

    #[test]
    fn every_type_and_user_may_have_object_r() {
        let db = policy(RULES);
        let sets = TypeSets::new(&db);
        let answer = role(&sets, db.roles.id("object_r").unwrap());
        let types = db.types.by_value().filter(|it| !it.attribute).count();
        assert_eq!((answer.types.len(), answer.domains.len()), (types, 4));
        assert_eq!(answer.users, ["a_u", "u_u"]);
    }

    #[test]
    fn a_user_has_roles_and_programs_that_start_domains_of_one_role() {
        let db = policy_with_levels("", RULES);
        let sets = TypeSets::new(&db);
        let access = Access::new(&sets, &Conditions::All);
        let answer = user(&access, db.users.id("u_u").unwrap());
        expect![[r#"
            u_u has 2 roles and 4 domains in the range s0-s1:c0.c2; 1 type of programs start a domain from another one of the same role.
            UserAnswer {
                user: UserId(
                    1,
                ),
                range: Some(
                    "s0-s1:c0.c2",
                ),
                default_level: Some(
                    "s0",
                ),
                roles: [
                    UserRole {
                        role: "a_r",
                        domains: [
                            "a_t",
                            "b_t",
                            "kernel_t",
                        ],
                        entrypoints: [
                            (
                                "b_t",
                                [
                                    "b_exec_t",
                                ],
                            ),
                        ],
                    },
                    UserRole {
                        role: "b_r",
                        domains: [
                            "b_t",
                            "u_t",
                        ],
                        entrypoints: [],
                    },
                ],
                domains: [
                    "a_t",
                    "b_t",
                    "kernel_t",
                    "u_t",
                ],
            }"#]].assert_eq(&format!("{}\n{answer:#?}", answer.sentence(&db)));
    }
}
