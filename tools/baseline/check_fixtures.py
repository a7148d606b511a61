#!/usr/bin/env python3
"""check_fixtures.py --agent PROGRAM [--only ID] FILE.yaml...: every rule, on the roots that stand beside it, must come to
what they say. A rule needs a root that passes and one that fails.

A fixture is a mapping of paths to texts, or to {text, mode, owner, group}, {link}, {folder: mode}; "packages",
"enabled" and "disabled" (units) stand for the files that say so.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from compile import Compiler, load_rules  # noqa: E402


def expand(fixture):
    """The fixture as paths only."""
    out = {}
    for key, value in fixture.items():
        if key == "packages":
            out["/var/lib/dpkg/status"] = "".join(
                f"Package: {name}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n" for name in value)
        elif key in ("enabled", "disabled"):
            for name in value:
                unit = name if "." in name else name + ".service"
                out[f"/lib/systemd/system/{unit}"] = "[Unit]\n"
                if key == "enabled":
                    out[f"/etc/systemd/system/multi-user.target.wants/{unit}"] = {"link": f"/lib/systemd/system/{unit}"}
        elif key.startswith("/"):
            out[key] = value
        else:
            raise ValueError(f"{key}: neither a path nor packages, enabled, disabled")
    return out


def build(root, fixture):
    for path, value in expand(fixture).items():
        if not isinstance(value, dict):
            value = {"text": str(value)}
        target = Path(root + path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if "link" in value:
            target.symlink_to(value["link"])
            continue
        if "folder" in value:
            target.mkdir(exist_ok=True)
            target.chmod(int(value["folder"], 8))
        else:
            target.write_text(value.get("text", ""))
            target.chmod(int(value.get("mode", "0644"), 8))
        if "owner" in value or "group" in value:
            os.chown(target, value.get("owner", 0), value.get("group", 0))
            target.chmod(int(value.get("mode", value.get("folder", "0644")), 8))  # chown takes set-id bits away


def run(agent, content, rule, fixture):
    with tempfile.TemporaryDirectory(prefix="picket-baseline-") as root:
        os.chmod(root, 0o755)
        build(root, fixture)
        done = subprocess.run([agent, "baseline", "--root", root, "--content", content, "--check", rule["id"],
                               "--format", "json", "--config", "/dev/null"], capture_output=True, text=True, timeout=60)
        try:
            result, = json.loads(done.stdout)["results"]
        except (ValueError, KeyError):
            return "NOTHING", done.stderr.strip()
        return result["result"], result["observed"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("files", nargs="+")
    arguments.add_argument("--agent", required=True)
    arguments.add_argument("--only")
    options = arguments.parse_args()
    rules = [rule for path in options.files for rule in load_rules(path)]
    compiler = Compiler()
    compiler.add(rules)
    wrong, roots, jobs = [], 0, []
    with tempfile.NamedTemporaryFile(prefix="picket-baseline-", suffix=".bin") as content, ThreadPoolExecutor(2) as pool:
        content.write(compiler.file("fixtures"))
        content.flush()
        for rule in rules:
            if options.only and rule["id"] != options.only:
                continue
            for kind in ("pass", "fail", "skip"):
                if kind not in rule and kind != "skip":
                    wrong.append(f"{rule['id']}: no fixture that must {kind}")
                for number, fixture in enumerate(as_list(rule.get(kind, []))):
                    jobs.append((rule, kind, number, pool.submit(run, options.agent, content.name, rule, fixture)))
        for rule, kind, number, job in jobs:
            roots += 1
            result, observed = job.result()
            if result != kind.upper():
                wrong.append(f"{rule['id']}: {kind} fixture {number} came to {result}: {observed}")
    print("\n".join(wrong))
    print(f"{len(rules)} rules, {roots} roots, {len(wrong)} wrong")
    sys.exit(1 if wrong or not jobs else 0)


if __name__ == "__main__":
    main()
