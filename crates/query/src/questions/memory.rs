//! Who can read the memory of a domain, and in what way.

use mandate_policydb::{Context, Ebitmap, SymbolId as _, TypeId};
use mandate_server::ObjectLookup as _;

use crate::questions::{self, Access, Granted, count};
use crate::types::TypeSets;

/// Types of devices that hold the memory of the machine, as Reference Policy names them.
const MEMORY_DEVICES: [&str; 1] = ["memory_device_t"];
/// Types of files that hold it.
const MEMORY_FILES: [&str; 1] = ["proc_kcore_t"];
/// Types of disks, which hold what was swapped out.
const DISKS: [&str; 1] = ["fixed_disk_device_t"];

/// A way to a domain's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: &'static str,
    /// What it is, and what it needs.
    pub what: &'static str,
    /// Who has it; the domain itself is left out.
    pub granted: Granted,
    /// Permissions that the policy does not have: what they would govern is decided as it says of unknown ones.
    pub unknown: Vec<String>,
    /// Types of devices and files that it does not have by these names.
    pub no_types: Vec<&'static str>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryAnswer {
    /// The domain.
    pub domain: TypeId,
    /// All ways, also those that nobody has.
    pub channels: Vec<Channel>,
}

/// Permissions on something, of which one is needed.
struct Need {
    class: &'static str,
    permissions: &'static [&'static str],
}

/// Asks who can read the memory of `domain`.
pub fn memory(access: &Access<'_>, domain: TypeId) -> MemoryAnswer {
    let ask = Asking { access, domain };
    let mut channels =
        vec![ask.ptrace(), ask.proc_mem(), ask.proc_files(), ask.raw_memory(), ask.raw_disk()];
    channels.extend([ask.modules(), ask.bpf(), ask.perf(), ask.policy()]);
    channels.extend([ask.by_exec(), ask.by_dyntransition(), ask.permissive()]);
    for it in &mut channels {
        // What is needed together is asked for apart: rules of those who lack a part are none of the way.
        it.granted.types =
            questions::difference(&it.granted.types, &Ebitmap::from_bits([domain.bit()]));
        let types = &it.granted.types;
        it.granted.rules.retain(|at| {
            let source = at.rule(access.db()).map(|it| access.sets.members(it.source));
            source.is_some_and(|it| !it.intersection(types).is_empty())
        });
    }
    MemoryAnswer { domain, channels }
}

impl MemoryAnswer {
    /// Everybody who has a way.
    pub fn everybody(&self) -> Ebitmap {
        self.channels.iter().fold(Ebitmap::new(), |all, it| all.union(&it.granted.types))
    }

    /// What was counted.
    pub fn sentence(&self, sets: &TypeSets<'_>, unconfined: &Ebitmap) -> String {
        let all = self.everybody();
        let confined = questions::difference(&all, unconfined).len();
        let ways = self.channels.iter().filter(|it| !it.granted.types.is_empty()).count();
        format!(
            "{} other than {} could read its memory, {confined} of them confined, in {ways} of {} ways.",
            count(all.len(), "type"),
            sets.db().types.name(self.domain),
            self.channels.len(),
        )
    }
}

struct Asking<'a> {
    access: &'a Access<'a>,
    domain: TypeId,
}

impl Asking<'_> {
    /// Which of these permissions the policy does not have.
    fn unknown(&self, needs: &[Need]) -> Vec<String> {
        let db = self.access.db();
        let lacks = |need: &&Need| {
            let class = db.classes.id(need.class);
            class.is_none_or(|it| {
                need.permissions.iter().all(|name| db.permission(it, name).is_none())
            })
        };
        let name = |it: &Need| format!("{}:{}", it.class, it.permissions.join(" or "));
        needs.iter().filter(lacks).map(name).collect()
    }

    fn channel(
        &self,
        name: &'static str,
        what: &'static str,
        granted: Granted,
        needs: &[Need],
    ) -> Channel {
        Channel { name, what, granted, unknown: self.unknown(needs), no_types: Vec::new() }
    }

    fn on_domain(&self, class: &str, permission: &str) -> Granted {
        self.access.sources(self.domain, class, &[permission])
    }

    fn on_itself(&self, class: &str, permission: &str) -> Granted {
        self.access.to_self(class, &[permission])
    }

    /// Who reads objects of these types; the names of types that the policy does not have.
    fn readers(&self, types: &[&'static str], class: &str) -> (Granted, Vec<&'static str>) {
        let (mut found, mut missing) = (Granted::default(), Vec::new());
        for name in types {
            match self.access.db().types.id(name) {
                Some(id) => {
                    let granted = self.access.sources(id, class, &["read"]);
                    found.types = found.types.union(&granted.types);
                    found.rules.extend(granted.rules);
                }
                None => missing.push(*name),
            }
        }
        (found, missing)
    }

    fn ptrace(&self) -> Channel {
        let what = "attaches as a debugger or reads with process_vm_readv: ptrace on it";
        let needs = [Need { class: "process", permissions: &["ptrace"] }];
        self.channel("ptrace", what, self.on_domain("process", "ptrace"), &needs)
    }

    fn proc_mem(&self) -> Channel {
        let what = "opens /proc/PID/mem: read and open on files of its type, and ptrace on it";
        let files = self.on_domain("file", "read").and(&self.on_domain("file", "open"));
        let granted = files.and(&self.on_domain("process", "ptrace"));
        self.channel("proc-mem", what, granted, &[])
    }

    fn proc_files(&self) -> Channel {
        let what =
            "reads parts through /proc/PID/environ, auxv, maps: read and open on files of its type";
        let granted = self.on_domain("file", "read").and(&self.on_domain("file", "open"));
        self.channel("proc-files", what, granted, &[])
    }

    fn raw_memory(&self) -> Channel {
        let what =
            "reads the machine's memory: read on memory_device_t or proc_kcore_t, and sys_rawio";
        let (mut granted, mut missing) = self.readers(&MEMORY_DEVICES, "chr_file");
        let (kcore, more) = self.readers(&MEMORY_FILES, "file");
        granted.types = granted.types.union(&kcore.types);
        granted.rules.extend(kcore.rules);
        missing.extend(more);
        let granted = granted.and(&self.on_itself("capability", "sys_rawio"));
        Channel { name: "raw-memory", what, granted, unknown: Vec::new(), no_types: missing }
    }

    fn raw_disk(&self) -> Channel {
        let what = "reads what was swapped or dumped from a disk: read on fixed_disk_device_t";
        let (granted, missing) = self.readers(&DISKS, "blk_file");
        Channel { name: "raw-disk", what, granted, unknown: Vec::new(), no_types: missing }
    }

    fn modules(&self) -> Channel {
        let what = "loads code into the kernel: sys_module, and module_load on something";
        let needs = [Need { class: "system", permissions: &["module_load"] }];
        let mut granted = self.on_itself("capability", "sys_module");
        if self.unknown(&needs).is_empty() {
            granted = granted.and(&self.access.to_any("system", &["module_load"]));
        }
        self.channel("modules", what, granted, &needs)
    }

    fn bpf(&self) -> Channel {
        let what =
            "loads BPF programs that may trace: prog_load on itself, and perfmon or sys_admin";
        let needs = [Need { class: "bpf", permissions: &["prog_load"] }];
        let perfmon = self.on_itself("capability2", "perfmon");
        let mut tracer = self.on_itself("capability", "sys_admin");
        tracer.types = tracer.types.union(&perfmon.types);
        tracer.rules.extend(perfmon.rules);
        if self.unknown(&needs).is_empty() {
            tracer = tracer.and(&self.on_itself("bpf", "prog_load"));
        }
        self.channel("bpf", what, tracer, &needs)
    }

    fn perf(&self) -> Channel {
        let what =
            "samples registers and stacks of all processes: open and cpu on its own perf_event";
        let needs = [Need { class: "perf_event", permissions: &["open"] }];
        let open = self.on_itself("perf_event", "open");
        let granted = open.and(&self.on_itself("perf_event", "cpu"));
        self.channel("perf-event", what, granted, &needs)
    }

    fn policy(&self) -> Channel {
        let what = "loads another policy or turns enforcing off: load_policy, setenforce";
        let needs = [Need { class: "security", permissions: &["load_policy", "setenforce"] }];
        // The kernel asks for it towards the initial SID `security` alone.
        let label = self.access.db().lookup_initial_sid_by_name("security");
        let towards =
            |it: &Context| self.access.sources(it.type_, "security", needs[0].permissions);
        self.channel("policy", what, label.map(towards).unwrap_or_default(), &needs)
    }

    fn by_exec(&self) -> Channel {
        let what =
            "becomes it by executing a program: transition to it, execute on an entry point of it";
        let entrypoints = self.access.targets(self.domain, "file", &["entrypoint"]).types;
        let mut executors = Granted::default();
        for it in self.access.rules("file", &["execute"]) {
            let sets = self.access.sets;
            if !sets.members(it.rule.target).intersection(&entrypoints).is_empty() {
                executors.types = executors.types.union(sets.members(it.rule.source));
                executors.rules.push(it.place);
            }
        }
        let granted = self.on_domain("process", "transition").and(&executors);
        self.channel("exec", what, granted, &[])
    }

    fn by_dyntransition(&self) -> Channel {
        let what = "becomes it without a program: dyntransition to it, setcurrent on itself";
        let may = self.on_domain("process", "dyntransition");
        let granted = may.and(&self.on_itself("process", "setcurrent"));
        self.channel("dyntransition", what, granted, &[])
    }

    fn permissive(&self) -> Channel {
        let what = "is permissive: what no rule allows it is logged, but done";
        let types = questions::permissive(self.access.sets);
        let types = types.intersection(&questions::domains(self.access.sets));
        self.channel("permissive", what, Granted { types, rules: Vec::new() }, &[])
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::rules::Conditions;
    use crate::testing::policy;

    #[test]
    fn every_way_is_asked_for_all_that_it_needs() {
        let db = policy(
            "type memory_device_t; type fixed_disk_device_t;
            allow a_t b_t:process ptrace;
            allow a_t b_t:file { read open };
            allow u_t domain:file { read open };
            allow u_t memory_device_t:chr_file read;
            allow a_t memory_device_t:chr_file read; allow a_t self:capability { sys_rawio sys_module };
            allow u_t fixed_disk_device_t:blk_file read;
            allow kernel_t self:capability sys_module; allow kernel_t x_t:system module_load;
            allow kernel_t self:capability sys_admin; allow kernel_t self:bpf prog_load;
            allow u_t self:perf_event { open cpu }; allow a_t x_t:perf_event { open cpu };
            allow kernel_t security_t:security load_policy; allow a_t x_t:security setenforce;
            permissive a_t; permissive x_t;
            allow b_t b_exec_t:file entrypoint; allow { a_t u_t } b_exec_t:file execute;
            allow { a_t kernel_t } b_t:process transition;
            allow { a_t u_t } b_t:process dyntransition; allow u_t self:process setcurrent;",
        );
        let sets = TypeSets::new(&db);
        let access = Access::new(&sets, &Conditions::with(&db, &[]));
        let answer = memory(&access, db.types.id("b_t").unwrap());
        let unconfined = questions::members(&sets, &questions::unconfined_attributes(&sets, &[]));
        let mut text = answer.sentence(&sets, &unconfined) + "\n";
        for it in &answer.channels {
            let names = questions::type_names(&sets, &it.granted.types).join(" ");
            text += &format!("{}: {names} {:?} {:?}\n", it.name, it.unknown, it.no_types);
        }
        expect![[r#"
            3 types other than b_t could read its memory, 2 of them confined, in 12 of 12 ways.
            ptrace: a_t [] []
            proc-mem: a_t [] []
            proc-files: a_t u_t [] []
            raw-memory: a_t [] ["proc_kcore_t"]
            raw-disk: u_t [] []
            modules: kernel_t [] []
            bpf: kernel_t [] []
            perf-event: u_t [] []
            policy: kernel_t [] []
            exec: a_t [] []
            dyntransition: u_t [] []
            permissive: a_t [] []
        "#]]
        .assert_eq(&text);
    }
}
