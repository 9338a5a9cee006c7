"""Which domains may write (or append to), create and execute files of one type, by setools' library.

Arguments: a binary policy. Prints a line of JSON: domain to types, the unconfined domains, and the seconds without start-up.
"""

import json
import sys
import time

import setools

started = time.monotonic()
policy = setools.SELinuxPolicy(sys.argv[1])
members = {str(it): {str(type_) for type_ in it.expand()} for it in policy.typeattributes()}
domains = members["domain"]
given = {}
for rule in policy.terules():
    if rule.ruletype != setools.TERuletype.allow or str(rule.tclass) != "file" or not rule.enabled():
        continue
    perms = set(map(str, rule.perms))
    bits = bool(perms & {"write", "append"}) | ("create" in perms) << 1 | ("execute" in perms) << 2
    if bits:
        targets = members.get(str(rule.target), {str(rule.target)})
        for source in members.get(str(rule.source), {str(rule.source)}) & domains:
            row = given.setdefault(source, {})
            for target in targets:
                row[target] = row.get(target, 0) | bits
found = {source: sorted(it for it in row if row[it] == 7) for source, row in given.items()}
found = {source: types for source, types in found.items() if types}
unconfined = sorted(members["unconfined_domain_type"])
print(json.dumps({"found": found, "unconfined": unconfined, "seconds": time.monotonic() - started}))
