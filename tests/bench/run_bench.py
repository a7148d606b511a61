#!/usr/bin/env python3
"""./bench NAME [--json]: one benchmark.

A benchmark is tests/bench/NAME.py with `METHOD` (one paragraph: what is measured, how, against what) and
`run() -> {key: (value, unit)}`, or a program NAME_bench of a module that prints "metric value unit" lines.
"""

import argparse
import importlib
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOT_BENCHES = {"run_bench", "support", "agent_parts"}


def names() -> list[str]:
    scripts = [p.stem for p in HERE.glob("*.py") if p.stem not in NOT_BENCHES]
    programs = [p.name.removesuffix("_bench") for p in (ROOT / "build/release/bench").glob("*_bench")]
    return sorted(set(scripts) | set(programs))


def run_program(name: str) -> tuple[dict, str]:
    program = ROOT / "build/release/bench" / f"{name}_bench"
    done = subprocess.run([program], stdout=subprocess.PIPE, check=True, text=True)
    metrics = {}
    for line in done.stdout.splitlines():
        if found := re.match(r"^(\S+) ([-+.\de]+) (\S+)$", line):
            metrics[found[1]] = (float(found[2]), found[3])
        # Google Benchmark's table: name, wall time, CPU time, iterations. The CPU time is the figure to compare.
        elif found := re.match(r"^(\S+)\s+[.\d]+ [num]s\s+([.\d]+) ([num]s)\s+\d+", line):
            metrics[found[1].removeprefix("BM_") + "_cpu"] = (float(found[2]), found[3])
    if not metrics:
        raise RuntimeError(f"{program} printed no metric")
    return metrics, f"{program.name}: see its source, src/*/tests/{program.name}.cc"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./bench")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    arguments = parser.parse_args()
    subprocess.run([ROOT / "tools/build.sh", "release"], check=True)
    if arguments.name not in names():
        parser.error(f"no benchmark {arguments.name}; there are {', '.join(names())}")
    sys.path.insert(0, str(HERE))
    if (HERE / f"{arguments.name}.py").exists():
        module = importlib.import_module(arguments.name)
        metrics, method = module.run(), " ".join(module.METHOD.split())
    else:
        metrics, method = run_program(arguments.name)
    if arguments.json:
        print(json.dumps({"bench": arguments.name, "metrics": {k: v for k, (v, _) in metrics.items()}, "method": method}))
    else:
        for key, (value, unit) in metrics.items():
            print(f"{key} {value:g} {unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
