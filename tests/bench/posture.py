"""./bench posture: what checking the whole machine against the baseline costs, beside oscap and lynis."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import support

sys.path.insert(0, str(support.ROOT / "tools/posture"))
import compare  # noqa: E402
import scap  # noqa: E402

METHOD = """
Root, the machine's whole file system, one after another: picket-agent baseline with both levels and the profile server, oscap (profile CIS level 1
server of SCAP Security Guide for Ubuntu 22.04, the check of the operating system taken out of a copy of the content), the agent again, lynis audit
system, the agent a third time. CPU is user and system time of the program and what it started, rss_mib its largest resident set (GNU time); of the agent's three
runs the median CPU and the largest memory. oscap_agreement_percent: of the rules that oscap decided those to which the agent comes to the same
verdict (tools/posture/compare.py). rules: verdicts of one run, those that do not apply included. inodes: used ones of the
file system of /. Between the runs nothing is dropped from the page cache: the first run of the agent warms it for the others.
"""
RELEASE = support.ROOT / "build/release"


class Cost:
    """By GNU time, which is small: a child of this program would begin with this program's memory as its own largest."""

    def __init__(self, arguments: list, folder: str, out, **options):
        figures = pathlib.Path(folder, "time")
        done = subprocess.run(["time", "-q", "-o", figures, "-f", "%e %U %S %M", *arguments], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.DEVNULL, check=False, **options)
        self.exit_code = done.returncode
        self.wall_s, user_s, system_s, rss_kib = map(float, figures.read_text().split())
        self.cpu_s = user_s + system_s
        self.rss_mib = rss_kib / 1024


def run_agent(folder: str) -> tuple[Cost, int]:
    with open(os.path.join(folder, "agent.json"), "w+") as out:
        cost = Cost([RELEASE / "bin/picket-agent", "baseline", "--config", "/dev/null", "--format", "json", "--content",
                     RELEASE / "share/picket-agent/baseline.bin", "--set", "collectors.baseline.level=2"], folder, out)
        out.seek(0)
        answer = json.load(out)
    if cost.exit_code not in (0, 1) or answer["BROKEN"] != 0:
        raise RuntimeError(f"picket-agent baseline ended with {cost.exit_code}, {answer['BROKEN']} broken rules")
    return cost, len(answer["results"])


def run_oscap(folder: str) -> tuple[Cost, dict[str, str]]:
    results = os.path.join(folder, "results.xml")
    with open(os.devnull, "w") as out:
        cost = Cost(scap.command(scap.content_without_platform(folder), results), folder, out)
    if cost.exit_code not in (0, 2):  # 2: some rule failed
        raise RuntimeError(f"oscap ended with {cost.exit_code}")
    return cost, scap.read_results(results)


def run() -> dict:
    scap.install("lynis", "time")
    with tempfile.TemporaryDirectory(prefix="picket-bench-posture-") as folder, open(os.devnull, "w") as nothing:
        ours = [run_agent(folder)]
        oscap, verdicts = run_oscap(folder)
        ours.append(run_agent(folder))
        lynis = Cost(["lynis", "audit", "system", "--quick", "--no-colors", "--logfile", os.path.join(folder, "lynis.log"),
                      "--report-file", os.path.join(folder, "lynis.dat")], folder, nothing, cwd=folder)
        ours.append(run_agent(folder))
        table, none, _ = compare.load_table()
        _, verdicts_of_ours = compare.both(RELEASE / "bin/picket-agent", table, folder, results=pathlib.Path(folder, "results.xml"))
    rows = compare.compare(verdicts_of_ours, {name: verdict for name, verdict in verdicts.items() if name not in none})
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
        "oscap_agreement_percent": (100 * sum(theirs == ours for _, theirs, ours, _ in rows) / len(rows), "%"),
        "oscap_cpu_s": (oscap.cpu_s, "s"),
        "oscap_rss_mib": (oscap.rss_mib, "MiB"),
        "cpu_ratio_lynis": (lynis.cpu_s / cpu_s, "x"),
        "lynis_cpu_s": (lynis.cpu_s, "s"),
        "lynis_rss_mib": (lynis.rss_mib, "MiB"),
    }
