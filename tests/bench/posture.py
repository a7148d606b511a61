"""./bench posture: what checking the whole machine against the baseline costs, beside oscap and lynis."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import support

sys.path.insert(0, str(support.ROOT / "tools/posture"))
import scap  # noqa: E402

METHOD = """
Root, the machine's whole file system, one after another: picket-agent baseline with both levels and the profile server, oscap (profile CIS level 1
server of SCAP Security Guide for Ubuntu 22.04, the check of the operating system taken out of a copy of the content), the agent again, lynis audit
system, the agent a third time. CPU is user and system time of the program and what it started (wait4), rss_mib its largest resident set; of the
agent's three runs the median CPU and the largest memory. rules: verdicts of one run, those that do not apply included. inodes: used ones of the
file system of /. Between the runs nothing is dropped from the page cache: the first run of the agent warms it for the others.
"""
RELEASE = support.ROOT / "build/release"


class Cost:
    def __init__(self, arguments: list, out, **options):
        begin = time.monotonic()
        child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, **options)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for
        self.exit_code = child.returncode
        self.wall_s = time.monotonic() - begin
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024


def run_agent(folder: str) -> tuple[Cost, int]:
    with open(os.path.join(folder, "agent.json"), "w+") as out:
        cost = Cost([RELEASE / "bin/picket-agent", "baseline", "--config", "/dev/null", "--format", "json", "--content",
                     RELEASE / "share/picket-agent/baseline.bin", "--set", "collectors.baseline.level=2"], out)
        out.seek(0)
        answer = json.load(out)
    if cost.exit_code not in (0, 1) or answer["BROKEN"] != 0:
        raise RuntimeError(f"picket-agent baseline ended with {cost.exit_code}, {answer['BROKEN']} broken rules")
    return cost, len(answer["results"])


def run_oscap(folder: str) -> tuple[Cost, dict[str, str]]:
    results = os.path.join(folder, "results.xml")
    with open(os.devnull, "w") as out:
        cost = Cost(scap.command(scap.content_without_platform(folder), results), out)
    if cost.exit_code not in (0, 2):  # 2: some rule failed
        raise RuntimeError(f"oscap ended with {cost.exit_code}")
    return cost, scap.read_results(results)


def run() -> dict:
    scap.install(lynis=True)
    with tempfile.TemporaryDirectory(prefix="picket-bench-posture-") as folder, open(os.devnull, "w") as nothing:
        ours = [run_agent(folder)]
        oscap, verdicts = run_oscap(folder)
        ours.append(run_agent(folder))
        lynis = Cost(["lynis", "audit", "system", "--quick", "--no-colors", "--logfile", os.path.join(folder, "lynis.log"),
                      "--report-file", os.path.join(folder, "lynis.dat")], nothing, cwd=folder)
        ours.append(run_agent(folder))
    cpu_s = statistics.median(cost.cpu_s for cost, _ in ours)
    decided = [verdict for verdict in verdicts.values() if verdict in ("pass", "fail")]
    return {
        "rules": (ours[0][1], "rules"),
        "cpu_s": (cpu_s, "s"),
        "cpu_s_max": (max(cost.cpu_s for cost, _ in ours), "s"),
        "rss_mib": (max(cost.rss_mib for cost, _ in ours), "MiB"),
        "wall_s": (statistics.median(cost.wall_s for cost, _ in ours), "s"),
        "inodes": (os.statvfs("/").f_files - os.statvfs("/").f_ffree, "inodes"),
        "cpu_ratio_oscap": (oscap.cpu_s / cpu_s, "x"),
        "oscap_rules": (len(verdicts), "rules"),
        "oscap_decided": (len(decided), "rules"),
        "oscap_cpu_s": (oscap.cpu_s, "s"),
        "oscap_rss_mib": (oscap.rss_mib, "MiB"),
        "cpu_ratio_lynis": (lynis.cpu_s / cpu_s, "x"),
        "lynis_cpu_s": (lynis.cpu_s, "s"),
        "lynis_rss_mib": (lynis.rss_mib, "MiB"),
    }
