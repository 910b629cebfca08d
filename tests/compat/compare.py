# SPDX-License-Identifier: Apache-2.0
"""Whether an answer of bulkhead keeps what the table says about a line."""
import normal
from case import DIFFERENT, SAME, SAME_OUT, SHAPE


def record(case, answer):
    """An answer as it is kept: JSON documents by the types in them, since their values are nobody's contract."""
    if case.expect == SHAPE:
        return {"code": answer.code, "err": answer.err, "shape": normal.shape(answer.raw)}
    return {"code": answer.code, "out": answer.out, "err": answer.err}


def parts(case, docker, bulkhead):
    """What differs of exit status, standard output and standard error: a list of names."""
    found = [name for name in ("code", "out") if docker[name] != bulkhead[name]]
    if case.expect == SAME_OUT:
        unlike = bool(docker["err"]) != bool(bulkhead["err"])
    else:
        unlike = docker["err"] != bulkhead["err"]
    return found + (["err"] if unlike else [])


def below_null(path, shape):
    """docker's value above this one is null: there is nothing to compare with."""
    while "." in path or "[" in path:
        path = path[:-2] if path.endswith("[]") else path[:path.rindex(".")]
        if shape.get(path or ".") in ("null", "array", "object") and not any(
                p != path and p.startswith(path) for p in shape):
            return True
    return False


def shape_problems(case, docker, bulkhead):
    want, got = docker["shape"], bulkhead["shape"]
    if got is None:
        return ["it is not JSON"]
    problems = [f"'{key}' is missing" for key in case.must if key not in got]
    for key, kind in got.items():
        if key in want:
            if kind != want[key] and "null" not in (kind, want[key]):
                problems.append(f"'{key}' is of type {kind}, docker's is {want[key]}")
        elif not below_null(key, want) and not key.startswith(tuple(case.ours)):
            problems.append(f"docker has no '{key}'")
    return problems


def problem(case, docker, bulkhead):
    """A sentence when the answer is not what the table says, else ''."""
    if case.expect == SHAPE:
        wrong = shape_problems(case, docker, bulkhead)
        if docker["code"] != bulkhead["code"]:
            wrong.insert(0, f"exit status {bulkhead['code']}, docker's is {docker['code']}")
        return "; ".join(wrong)
    differ = parts(case, docker, bulkhead)
    if case.expect == DIFFERENT:
        return "" if differ else "it is the same: the table says that it differs"
    names = {"code": "exit status", "out": "standard output", "err": "standard error"}
    return " and ".join(names[d] for d in differ) + " differ" if differ else ""


def shown(case, docker, bulkhead):
    """Both answers under each other, for a failed test."""
    lines = [f"  # {line}" for line in case.lines[:-1]] + [f"  $ {case.line}"]
    for who, answer in (("docker", docker), ("bulkhead", bulkhead)):
        lines.append(f"--- {who}: exit {answer['code']}")
        if "shape" not in answer:
            lines += [f"  {label} | {line}" for label in ("out", "err") for line in answer[label].splitlines()]
    return "\n".join(lines)


def drifted(case, recorded, live):
    """Whether docker answers in another way than it was recorded. Its error texts tell of the machine (its number of
    CPUs, for one) and are compared only where the table does."""
    if case.expect == SHAPE:
        return recorded["code"] != live["code"] or set(case.must) - set(live["shape"] or ())
    if case.expect == SAME:
        return recorded != live
    return (recorded["code"], recorded["out"]) != (live["code"], live["out"])
