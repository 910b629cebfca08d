#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A module includes only its own headers and those of strictly lower layers (src/LAYERS).

  layers.py               checks src/
  layers.py --self-test   checks that a wrong include is found
"""
import pathlib
import re
import sys
import tempfile

import common

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def read_layers(top):
    layers = {}
    for line in (top / "src/LAYERS").read_text().splitlines():
        line = line.split("#")[0].split()
        if line:
            layers[line[0]] = int(line[1])
    return layers


def module_of(parts):
    """('cmd', 'x', 'main.c') is the program cmd/x; ('base', 'buf.c') is the module base."""
    return "/".join(parts[:2]) if parts[0] == "cmd" else parts[0]


def check_file(top, path, layers):
    module = module_of(path.parts[1:])
    own = layers.get(module.split("/")[0])
    if own is None:
        return [f"{path}: module '{module}' is not in src/LAYERS"]
    problems = []
    for m in INCLUDE.finditer((top / path).read_text()):
        name = m.group(1)
        if "/" not in name or (top / path).parent.joinpath(name).is_file():
            continue  # a header of the same folder
        target = module_of(pathlib.PurePath(name).parts)
        if target == module:
            continue
        layer = layers.get(target.split("/")[0])
        if layer is None:
            problems.append(f"{path}: includes \"{name}\", whose module is not in src/LAYERS")
        elif layer >= own:
            problems.append(f"{path}: layer {own} includes \"{name}\" of layer {layer}")
    return problems


def check(top, files):
    layers = read_layers(top)
    return [p for f in files for p in check_file(top, f, layers)]


def self_test():
    wrong = {
        "src/base/a.c": '#include "plan/plan.h"\n',         # up
        "src/mount/a.c": '#include "seccomp/seccomp.h"\n',     # sideways
        "src/stray/a.c": "int x;\n",                           # unknown module
        "src/cmd/one/a.c": '#include "cmd/two/two.h"\n',       # into another program
        "src/oci/a.c": '\t#  include "nowhere/x.h"\n',         # unknown target
    }
    right = {
        "src/base/b.c": '#include "base/b.h"\n#include "kernel/sys.h"\n#include <stdio.h>\n',
        "src/cmd/one/b.c": '#include "one.h"\n#include "cmd/one/one.h"\n#include "base/b.h"\n',
    }
    with tempfile.TemporaryDirectory() as d:
        top = pathlib.Path(d)
        for name, text in {**wrong, **right}.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
        (top / "src/LAYERS").write_text(common.read("src/LAYERS"))
        problems = [f"self-test: wrong include in {n} was not found" for n in wrong
                    if len(check(top, [pathlib.Path(n)])) != 1]
        problems += [f"self-test: {p}" for p in check(top, [pathlib.Path(n) for n in right])]
    common.finish(problems, "layers self-test")


if "--self-test" in sys.argv:
    self_test()
common.finish(check(common.TOP, common.sources("src/")), "layers")
