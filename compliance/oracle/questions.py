"""Answers of `mandate query memory`, `ports`, `unconfined`, `permissive`, `role` and `user`, by setools' library.

Arguments: of how many domains one is asked for its memory, and binary policies. Prints a line of JSON for each policy: what is
asked, and names in order. It says again, from what the kernel checks, what each question means; it takes no answer from ours.
"""

import json
import re
import sys

import setools

PROTOCOLS = {"tcp": "tcp_socket", "udp": "udp_socket", "dccp": "dccp_socket", "sctp": "sctp_socket"}


class Policy:
    def __init__(self, path):
        self.policy = setools.SELinuxPolicy(path)
        self.attributes = {str(it): set(map(str, it.expand())) for it in self.policy.typeattributes()}
        self.types = set(map(str, self.policy.types()))
        self.permissive = {str(it) for it in self.policy.types() if it.ispermissive}
        self.permissions = {}
        for it in self.policy.classes():
            permissions = set(it.perms)
            try:
                permissions |= set(it.common.perms)
            except setools.exception.NoCommon:
                pass
            self.permissions[str(it)] = set(map(str, permissions))
        self.rules = {}
        self.whatever = {}
        for it in self.policy.terules():
            if it.ruletype != setools.TERuletype.allow:
                continue
            ends = self.named(it.source), self.named(it.target)
            for permission in it.perms:
                key = str(it.tclass), str(permission)
                self.whatever.setdefault(key, []).append(ends)
                if it.enabled():
                    self.rules.setdefault(key, []).append(ends)
        self.domains = self.attributes.get("domain") or self.domains_by_rules()
        self.unconfined = self.attributes.get("unconfined_domain_type", set())
        # It breaks off at contexts of Xen, which has no ports, and no load_policy in a class of this name.
        linux = self.policy.target_platform == setools.PolicyTarget.selinux
        self.initial = {str(it): it.context for it in self.policy.initialsids()} if linux else {}
        self.portcons = list(self.policy.portcons()) if linux else []

    def named(self, it):
        return self.attributes.get(str(it), {str(it)})

    def domains_by_rules(self):
        found = set()
        for (tclass, permission), rules in self.whatever.items():
            for source, target in rules if tclass == "process" else []:
                found |= source
                if permission in ("transition", "dyntransition"):
                    found |= target
        return found

    def sources(self, target, tclass, permission):
        """Who may do it to this type."""
        rules = self.rules.get((tclass, permission), [])
        return set().union(*(it[0] for it in rules if target in it[1]))

    def targets(self, source, tclass, permission):
        rules = self.rules.get((tclass, permission), [])
        return set().union(*(it[1] for it in rules if source in it[0]))

    def anybody(self, tclass, permission):
        return set().union(*(it[0] for it in self.rules.get((tclass, permission), [])))

    def themselves(self, tclass, permission):
        """Who may do it to its own type."""
        return set().union(*(it[0] & it[1] for it in self.rules.get((tclass, permission), [])))

    def knows(self, tclass, permission):
        return permission in self.permissions.get(tclass, ())

    def started(self, domain, among):
        """Programs by which one of these becomes the domain."""
        entering = (self.sources(domain, "process", "transition") & among) - {domain}
        found = set()
        for source, target in self.rules.get(("file", "execute"), []):
            if source & entering:
                found |= target
        return found & self.targets(domain, "file", "entrypoint")


def memory(it, everybody):
    """The ways to memory, but for those to a domain's own: the same for all."""
    kernel_data = it.themselves("capability", "sys_rawio")
    devices = it.sources("memory_device_t", "chr_file", "read") | it.sources("proc_kcore_t", "file", "read")
    modules = it.themselves("capability", "sys_module")
    if it.knows("system", "module_load"):
        modules &= it.anybody("system", "module_load")
    tracers = it.themselves("capability", "sys_admin") | it.themselves("capability2", "perfmon")
    if it.knows("bpf", "prog_load"):
        tracers &= it.themselves("bpf", "prog_load")
    policy = set()
    if "security" in it.initial:
        security = str(it.initial["security"].type_)
        for permission in ("load_policy", "setenforce"):
            policy |= it.sources(security, "security", permission)
    return {
        "raw-memory": devices & kernel_data,
        "raw-disk": it.sources("fixed_disk_device_t", "blk_file", "read"),
        "modules": modules,
        "bpf": tracers,
        "perf-event": it.themselves("perf_event", "open") & it.themselves("perf_event", "cpu"),
        "policy": policy,
        "permissive": it.permissive & everybody,
    }


def memory_of(it, domain):
    files = it.sources(domain, "file", "read") & it.sources(domain, "file", "open")
    ptrace = it.sources(domain, "process", "ptrace")
    executing = set()
    for program in it.targets(domain, "file", "entrypoint"):
        executing |= it.sources(program, "file", "execute")
    return {
        "ptrace": ptrace,
        "proc-mem": files & ptrace,
        "proc-files": files,
        "exec": it.sources(domain, "process", "transition") & executing,
        "dyntransition": it.sources(domain, "process", "dyntransition") & it.themselves("process", "setcurrent"),
    }


def ports(it):
    """Each end of a portcon, and what lies beyond it, for every protocol."""
    portcons = it.portcons
    numbers = {0, 65535}
    for portcon in portcons:
        low, high = portcon.ports
        numbers |= {low, high, min(high + 1, 65535)}
    extended = "extended_socket_class" in map(str, it.policy.polcaps())
    may = {}
    for protocol, tclass in PROTOCOLS.items():
        if protocol == "sctp" and not extended:
            tclass = "rawip_socket"
        own = [portcon for portcon in portcons if portcon.protocol.name == protocol]
        for number in sorted(numbers):
            held = [portcon for portcon in own if portcon.ports.low <= number <= portcon.ports.high]
            context = held[0].context if held else it.initial.get("port")
            if context is None:
                yield f"port {protocol}/{number}", "no label"
                continue
            key = str(context.type_), tclass
            if key not in may:
                told = []
                for permission in ("name_bind", "name_connect"):
                    names = " ".join(sorted(it.sources(*key, permission)))
                    told.append(names if it.knows(tclass, permission) else "nobody says")
                may[key] = "; ".join(told)
            yield f"port {protocol}/{number}", f"{context}; {may[key]}"


def roles(it):
    allows = [rule for rule in it.policy.rbacrules() if rule.ruletype == setools.RBACRuletype.allow]
    users = list(it.policy.users())
    for role in it.policy.roles():
        name = str(role)
        every = name == "object_r"
        types = it.types if every else set(map(str, role.types()))
        yield f"role {name}: types", types
        yield f"role {name}: domains", types & it.domains
        yield f"role {name}: users", {str(user) for user in users if every or role in user.roles}
        yield f"role {name}: from", {str(rule.source) for rule in allows if str(rule.target) == name}
        yield f"role {name}: to", {str(rule.target) for rule in allows if str(rule.source) == name}
    for user in users:
        everything = set()
        for role in user.roles:
            within = set(map(str, role.types())) & it.domains
            everything |= within
            for domain in within:
                programs = it.started(domain, within)
                if programs:
                    yield f"user {user}: {role} starts {domain}", programs
        yield f"user {user}: roles", set(map(str, user.roles))
        yield f"user {user}: domains", everything
        if it.policy.mls:
            yield f"user {user}: range", {as_kernels_write(str(user.mls_range))}


def as_kernels_write(levels):
    """Two neighbours have a comma, and nothing has blanks."""
    pair = lambda it: f"c{it[1]},c{it[2]}" if int(it[2]) == int(it[1]) + 1 else it[0]
    return re.sub(r"\bc(\d+)\.c(\d+)\b", pair, levels.replace(" ", ""))


def answers(path, step):
    it = Policy(path)
    yield "domains", it.domains
    for name, members in it.attributes.items():
        if "unconfined" in name:
            for member in members:
                yield f"unconfined {member} {name}", {"domain"} & {"domain" if member in it.domains else ""}
    yield "permissive", it.permissive
    everybody = it.domains
    for domain in sorted(everybody)[::step]:
        for name, who in {**memory(it, everybody), **memory_of(it, domain)}.items():
            yield f"memory {domain}: {name}", who - {domain}
    yield from ports(it)
    yield from roles(it)


for path in sys.argv[2:]:
    found = answers(path, int(sys.argv[1]))
    print(json.dumps({key: it if isinstance(it, str) else " ".join(sorted(it)) for key, it in found}), flush=True)
