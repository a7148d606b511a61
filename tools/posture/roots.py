#!/usr/bin/env python3
"""roots.py --agent PROGRAM [--oscap]: one root that is in order, and what is done to it (roots.yaml).

Each change must turn exactly the rules that it names from PASS to FAIL, and no other. With --oscap the same roots are
also shown to oscap, in a namespace where they lie over this machine's /usr: the XCCDF rules that a change names must
turn too. Needs root, since owners of files are part of it.
"""
import argparse
import copy
import ctypes
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools/baseline")]
from check_fixtures import build, expand  # noqa: E402
from compile import Compiler, load_rules  # noqa: E402

NOT_HOST = ["etc", "home", "root", "var", "srv", "tmp", "boot", "opt", "mnt", "media", "run", "work"]  # hidden of this machine


def as_file(value):
    return dict(value) if isinstance(value, dict) else {"text": str(value)}


def changed(good, mutation):
    """The root as it is after a mutation."""
    out = copy.deepcopy(good)
    out["packages"] += mutation.get("packages", [])
    out["enabled"] += mutation.get("enabled", [])
    for path, value in mutation.get("set", {}).items():
        if value is None:
            del out[path]
        else:
            out[path] = {**(as_file(out[path]) if path in out else {}), **as_file(value)}
    for path, text in mutation.get("append", {}).items():
        out[path] = as_file(out[path])
        out[path]["text"] += text
    for path, (old, new) in mutation.get("replace", {}).items():
        out[path] = as_file(out[path])
        if out[path]["text"].count(old) < 1:
            raise ValueError(f"{mutation['name']}: {path} has no '{old}'")
        out[path]["text"] = out[path]["text"].replace(old, new)
    return out


def compiled(folder):
    rules = [rule for path in sorted(glob.glob(str(ROOT / "content/baseline/*.yaml"))) for rule in load_rules(path)]
    compiler = Compiler()
    compiler.add(rules)
    out = Path(folder) / "rules.bin"
    out.write_bytes(compiler.file("roots"))
    return str(out)


def ask(agent, root, content):
    return [agent, "baseline", "--root", root, "--content", content, "--config", "/dev/null", "--format", "json", "--set",
            "collectors.baseline.level=2"]


def verdicts(agent, content, fixture):
    """Every rule, both levels, on the root that `fixture` describes."""
    with tempfile.TemporaryDirectory(prefix="picket-root-") as root:
        os.chmod(root, 0o755)
        build(root, fixture)
        done = subprocess.run(ask(agent, root, content), capture_output=True, text=True, timeout=120)
    try:
        return {each["id"]: each for each in json.loads(done.stdout)["results"]}
    except ValueError:
        raise RuntimeError(f"picket-agent: {done.stderr.strip() or done.stdout[:200]}") from None


def judge(mutation, before, after):
    """What is wrong, as texts."""
    flipped = {name for name in before if before[name]["result"] == "PASS" and after[name]["result"] == "FAIL"}
    other = {name for name in before if before[name]["result"] != after[name]["result"]} - flipped
    wanted = set(mutation["fails"])
    out = [f"{name} should fail, but is {after[name]['result']} (before: {before[name]['result']}): {after[name]['observed']}"
           for name in sorted(wanted - flipped)]
    out += [f"{name} fails too: {after[name]['observed']}" for name in sorted(flipped - wanted)]
    out += [f"{name} went from {before[name]['result']} to {after[name]['result']}" for name in sorted(other)]
    return [f"{mutation['name']}: {each}" for each in out]


def check_agent(agent, document):
    with tempfile.TemporaryDirectory(prefix="picket-roots-") as folder, ThreadPoolExecutor(2) as pool:
        content = compiled(folder)
        before = verdicts(agent, content, document["good"])
        jobs = [(each, pool.submit(verdicts, agent, content, changed(document["good"], each))) for each in document["mutations"]]
        wrong = [text for mutation, job in jobs for text in judge(mutation, before, job.result())]
    counts = {state: sum(each["result"] == state for each in before.values()) for state in ("PASS", "FAIL", "SKIP", "ERROR")}
    print("\n".join(wrong))
    print(f"{len(jobs)} changed roots, {len(wrong)} wrong; the good one: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    return not wrong and bool(jobs)


SPOILERS = {  # what stands where a file is expected
    "a pipe that nobody writes into": os.mkfifo,
    "a folder": os.mkdir,
    "a link to itself": lambda path: os.symlink(os.path.basename(path), path),
    "a link out of the root": lambda path: os.symlink("/../../../../../../etc/shadow", path),
    "a link to nothing": lambda path: os.symlink("/nowhere/x", path),
    "8 GiB": lambda path: subprocess.run(["truncate", "-s", "8G", path], check=True),
}


def check_spoiled(agent, document):
    """Every file of the root is something else: the agent still comes to an end, with a verdict for every rule."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="picket-roots-") as folder:
        content = compiled(folder)
        for number, (what, make) in enumerate(SPOILERS.items()):
            root = f"{folder}/{number}"
            os.mkdir(root)
            os.chmod(root, 0o755)
            build(root, document["good"])
            for path in expand(document["good"]):
                if os.path.lexists(root + path) and not os.path.isdir(root + path):
                    os.unlink(root + path)
                    make(root + path)
            done = subprocess.run(ask(agent, root, content), capture_output=True, text=True, timeout=120)
            if done.returncode not in (0, 1) or json.loads(done.stdout)["BROKEN"] != 0:
                wrong.append(f"every file is {what}: exit code {done.returncode}, {done.stderr.strip()[:200]}")
    print("\n".join(wrong))
    print(f"{len(SPOILERS)} spoiled roots, {len(wrong)} wrong")
    return not wrong


def enter_view(folder, sysctl):
    """In a child: namespaces of its own, where folder/layer lies over this machine and what is not /usr of it is hidden."""
    layer, view = folder + "/layer", folder + "/view"
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespaces = 0x00020000 | 0x40000000  # CLONE_NEWNS | CLONE_NEWNET
    if libc.unshare(new_namespaces) != 0:
        raise OSError(ctypes.get_errno(), "unshare")

    def run(*arguments):
        subprocess.run(arguments, check=True)
    run("mount", "--make-rprivate", "/")
    for name in NOT_HOST:
        os.makedirs(f"{layer}/{name}", exist_ok=True)
        os.setxattr(f"{layer}/{name}", "trusted.overlay.opaque", b"y")
    run("mount", "-t", "overlay", "-o", f"lowerdir={layer}:/,upperdir={folder}/upper,workdir={folder}/work", "overlay", view)
    for name in ("proc", "sys", "dev"):
        run("mount", "--rbind", f"/{name}", f"{view}/{name}")
    run("ip", "link", "set", "lo", "up")  # oscap wants an interface
    for line in sysctl.splitlines():  # what the root writes down of the network, which is this namespace's own
        key, _, value = line.partition("=")
        if key.startswith("net."):
            Path("/proc/sys", *key.strip().split(".")).write_text(value.strip())
    os.chroot(view)
    os.chdir("/")


def in_view(fixture, files, *commands):
    """Runs each command in the view of a root; `files`: name -> what is put into /opt. What /opt/results holds then."""
    # This machine's /lib is a link to /usr/lib: what the root has there goes there.
    fixture = {("/usr" + path if path.startswith("/lib/") else path): value for path, value in expand(fixture).items()}
    with tempfile.TemporaryDirectory(prefix="picket-view-", dir="/dev/shm") as folder:
        for each in ("/layer", "/view", "/upper", "/work"):
            os.mkdir(folder + each)
            os.chmod(folder + each, 0o755)
        build(folder + "/layer", fixture)
        os.makedirs(folder + "/layer/opt", exist_ok=True)
        for name, source in files.items():
            shutil.copy(source, f"{folder}/layer/opt/{name}")
        sysctl = as_file(fixture["/etc/sysctl.d/60-hardening.conf"])["text"]
        said = [subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False,
                               preexec_fn=lambda: enter_view(folder, sysctl)) for command in commands]
        results = Path(folder, "upper/opt/results")
        return said, results.read_text() if results.exists() else ""


def oscap_on(fixture, content, rules=()):
    """oscap's verdicts of `rules` (none: all of the profile) in the view of a root."""
    import scap
    (done,), results = in_view(fixture, {"content.xml": content}, scap.command("/opt/content.xml", "/opt/results", rules))
    if not results:
        raise RuntimeError(f"oscap ended with {done.returncode}: {done.stderr[-500:]}")
    return scap.results_of(results)


def check_oscap(document):
    import scap
    scap.install()
    wanted = sorted({rule for each in document["mutations"] for rule in each.get("oscap", [])})
    wrong, flipped, no_rule = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="picket-roots-") as folder:
        content = scap.content_without_platform(folder, machine_too=True)
        before = oscap_on(document["good"], content, wanted)
        wrong += [f"the good root: oscap says {before.get(rule)} of {rule}" for rule in wanted if before.get(rule) != "pass"]
        for mutation in document["mutations"]:
            rules = mutation.get("oscap", [])
            if not rules:
                no_rule += 1
                continue
            after = oscap_on(changed(document["good"], mutation), content, rules)
            failed = [rule for rule in rules if after.get(rule) != "fail"]
            flipped += not failed
            wrong += [f"{mutation['name']}: oscap says {after.get(rule)} of {rule}" for rule in failed]
            print(f"{mutation['name']}: {', '.join(f'{rule} {after.get(rule)}' for rule in rules)}", flush=True)
    print("\n".join(wrong))
    print(f"oscap: {flipped} changed roots seen, {len(wrong)} wrong, {no_rule} that it does not decide")
    return not wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--agent", default=str(ROOT / "build/release/bin/picket-agent"))
    arguments.add_argument("--oscap", action="store_true", help="ask oscap too; takes minutes")
    arguments.add_argument("--only", help="a word of the names of changes")
    options = arguments.parse_args()
    document = yaml.safe_load((HERE / "roots.yaml").read_text())
    if options.only:
        document["mutations"] = [each for each in document["mutations"] if options.only in each["name"]]
    fine = check_agent(options.agent, document)
    fine = check_spoiled(options.agent, document) and fine
    if options.oscap:
        fine = check_oscap(document) and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
