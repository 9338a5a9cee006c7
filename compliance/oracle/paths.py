#!/usr/bin/python3
"""Asks setools' library about paths: one policy, one graph, one process.

    paths.py reach POLICY QUESTIONS
    paths.py flow  POLICY QUESTIONS MAP MIN_WEIGHT [BOOLEANS]

The first line out says how long the graph took and how much memory; then a line for each question, both as JSON.
A question: {"ask": "shortest" | "up_to" | "out" | "in", "source": ..., "target": ..., "steps": n, "most": n, "exclude": [...]}
An answer: {"paths": [[type, ...], ...], "made": [what makes each step of the first path], "seconds": s, "first": s}
"""

import itertools
import json
import resource
import sys
import time

import setools


def rules(found):
    return sorted({str(rule).split(" [")[0].rstrip() for rule in found})


def made_of_reach(step):
    return {
        "transition": rules(step.transition),
        "setexec": rules(step.setexec),
        "dyntransition": rules(step.dyntransition),
        "setcurrent": rules(step.setcurrent),
        "entrypoints": {
            str(it.name): [rules(it.entrypoint), rules(it.execute), rules(it.type_transition)]
            for it in step.entrypoints
        },
    }


def made_of_flow(step):
    return {"weight": step.weight, "rules": rules(step.rules)}


class Graph:
    def __init__(self, kind, policy, rest):
        self.kind = kind
        if kind == "reach":
            self.graph = setools.DomainTransitionAnalysis(policy)
            return
        booleans = None
        if len(rest) > 2:
            pairs = (pair.split("=") for pair in rest[2].split(",") if pair)
            booleans = {name: value == "on" for name, value in pairs}
        self.graph = setools.InfoFlowAnalysis(
            policy, setools.PermissionMap(rest[0]), min_weight=int(rest[1]), booleans=booleans
        )

    def found(self, question):
        """Each path as a list of steps."""
        source, target = question["source"], question["target"]
        if question["ask"] == "shortest":
            return self.graph.all_shortest_paths(source, target)
        if question["ask"] == "up_to":
            return self.graph.all_paths(source, target, question["steps"])
        out = question["ask"] == "out"
        if self.kind == "flow":
            return ([step] for step in self.graph.infoflows(source, out=out))
        if self.graph.reverse == out:
            self.graph.reverse = not out
        return ([step] for step in self.graph.transitions(source))

    def answer(self, question):
        if sorted(map(str, self.graph.exclude)) != sorted(question["exclude"]):
            self.graph.exclude = question["exclude"]
        if self.kind == "reach" and question["ask"] != "in":
            self.graph.reverse = False
        started = time.monotonic()
        first, paths, made = None, [], None
        for path in itertools.islice(self.found(question), question["most"]):
            steps = list(path)
            if first is None:
                first = time.monotonic() - started
                tell = made_of_reach if self.kind == "reach" else made_of_flow
                made = [tell(step) for step in steps]
            paths.append([str(steps[0].source)] + [str(step.target) for step in steps])
        return {"paths": paths, "made": made, "seconds": time.monotonic() - started, "first": first}


def main():
    kind, policy, questions, *rest = sys.argv[1:]
    started = time.monotonic()
    graph = Graph(kind, setools.SELinuxPolicy(policy), rest)
    graph.graph.get_stats()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.monotonic() - started, "mebibytes": memory}), flush=True)
    with open(questions) as lines:
        for line in lines:
            print(json.dumps(graph.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
