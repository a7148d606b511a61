#!/usr/bin/env python3
"""compare.py --agent PROGRAM [--results FILE | --good-root]: our verdicts and oscap's, rule by rule.

Runs oscap (minutes) or reads its results, runs the same questions with the agent, and prints a Markdown table. A rule of
SCAP Security Guide often asks for a part of what one of ours asks for (the owner of a file, its group, its mode): then
that part of our rule, as it is shipped, is what is compared (oscap.yaml says which). Exit code 1: less than --want of
the decided rules agree, or a difference is not explained in oscap.yaml.
"""
import argparse
import glob
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools/baseline")]
import scap  # noqa: E402
from compile import Compiler, load_rules  # noqa: E402

ASPECTS = {"owner": {"owner"}, "group": {"group"}, "mode": {"mode_not", "mode_all"}}
DECIDED = ("pass", "fail")


def load_table(corrected=False):
    table = yaml.safe_load((HERE / "oscap.yaml").read_text())
    rules = table["rules"] | (table["corrected"] if corrected else {})
    return {name: str(value).split() for name, value in rules.items()}, table["none"], table["differs"]


def shipped_rules():
    return {rule["id"]: rule for path in sorted(glob.glob(str(ROOT / "content/baseline/*.yaml"))) for rule in load_rules(path)}


def without_others(tree, aspect):
    """The tree with `file` checks asking for one aspect only."""
    (name, body), = tree.items()
    if name == "file":
        others = set().union(*(keys for other, keys in ASPECTS.items() if other != aspect))
        return {name: {key: value for key, value in body.items() if key not in others}}
    if name == "not":
        return {name: without_others(body, aspect)}
    return {name: [without_others(each, aspect) for each in body] if name in ("all", "any") else body}


def part_of(rule, path):
    """Our rule with the part of its check that `path` leads to."""
    tree = rule["check"]
    for step in path:
        if step in ASPECTS:
            tree = without_others(tree, step)
        else:
            (name, body), = tree.items()
            tree = body if name == "not" else body[int(step)]
    return {**rule, "check": tree}


def questions(table):
    """The table as rules of their own, compiled; and the XCCDF rule of each id."""
    rules, compiler, names = shipped_rules(), Compiler(), {}
    for number, (name, (rule, *path)) in enumerate(table.items()):
        names[f"Q{number:04}"] = name
        compiler.add([{**part_of(rules[rule], path), "id": f"Q{number:04}", "level": 1, "profiles": ["server"]}])
    return compiler.file("comparison"), names


def ask(program, content, root="/"):
    return [program, "baseline", "--config", "/dev/null", "--format", "json", "--root", root, "--content", content]


def our_verdicts(answer, names):
    """XCCDF rule -> (verdict in oscap's words, what was observed)."""
    words = {"PASS": "pass", "FAIL": "fail", "SKIP": "notapplicable", "ERROR": "error"}
    return {names[each["id"]]: (words[each["result"]], each["observed"]) for each in json.loads(answer)["results"]}


def both(agent, table, folder, machine_too=False, results=None, good_root=False, corrected=False):
    """oscap's verdicts and ours, of this machine or of the root that is in order (roots.yaml)."""
    content, names = questions(table)
    ours = Path(folder) / "questions.bin"
    ours.write_bytes(content)
    if results:
        oscap = scap.read_results(results)
    else:
        scap.install()
        theirs = scap.content_without_platform(folder, machine_too or good_root, corrected)
    if good_root:
        import roots
        good = yaml.safe_load((HERE / "roots.yaml").read_text())["good"]
        files = {"content.xml": theirs, "questions.bin": ours, "agent": agent}
        (_, said), text = roots.in_view(good, files, scap.command("/opt/content.xml", "/opt/results"),
                                        ask("/opt/agent", "/opt/questions.bin"))
        return scap.results_of(text), our_verdicts(said.stdout, names)
    if not results:
        done = subprocess.run(scap.command(theirs, Path(folder) / "results.xml"), stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 2):
            raise RuntimeError(f"oscap ended with {done.returncode}")
        oscap = scap.read_results(Path(folder) / "results.xml")
    said = subprocess.run(ask(agent, ours), capture_output=True, text=True, check=False)
    return oscap, our_verdicts(said.stdout, names)


def compare(ours, oscap):
    """(name, oscap's verdict, ours, observed) of all that oscap decided."""
    return [(name, oscap[name], *ours.get(name, ("none", ""))) for name in sorted(oscap) if oscap[name] in DECIDED]


def report(rows, table, differs):
    same = [row for row in rows if row[1] == row[2]]
    print(f"{len(rows)} rules decided by oscap, {len(same)} with the same verdict: {100 * len(same) / max(1, len(rows)):.1f} %\n")
    print("| XCCDF rule | ours | oscap | Picket | what the agent saw |\n|---|---|---|---|---|")
    unexplained = []
    for name, theirs, verdict, observed in rows:
        if theirs == verdict:
            continue
        why = differs.get(name)
        if why is None:
            unexplained.append(name)
        print(f"| {name} | {' '.join(table.get(name, ['none']))} | {theirs} | {verdict} | {observed[:100]} |")
    for name in unexplained:
        print(f"not explained in oscap.yaml: {name}", file=sys.stderr)
    return len(same) / max(1, len(rows)), not unexplained


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--agent", default=str(ROOT / "build/release/bin/picket-agent"))
    arguments.add_argument("--results", help="of an oscap that ran already")
    arguments.add_argument("--good-root", action="store_true", help="not this machine, but the root of roots.yaml")
    arguments.add_argument("--machine-too", action="store_true", help="also what the content asks of no container")
    arguments.add_argument("--corrected", action="store_true",
                           help="with what later editions of the content ask of shadow and gshadow, and our level 1 for it")
    arguments.add_argument("--want", type=float, default=0.95)
    options = arguments.parse_args()
    table, none, differs = load_table(options.corrected)
    with tempfile.TemporaryDirectory(prefix="picket-compare-") as folder:
        oscap, ours = both(options.agent, table, folder, options.machine_too, options.results, options.good_root,
                           options.corrected)
    unknown = sorted(set(oscap) - set(table) - set(none))
    if unknown:
        print(f"not in oscap.yaml: {', '.join(unknown)}", file=sys.stderr)
    compared = {name: verdict for name, verdict in oscap.items() if name not in none}
    share, explained = report(compare(ours, compared), table, differs)
    sys.exit(0 if share >= options.want and explained and not unknown else 1)


if __name__ == "__main__":
    main()
