"""./bench detect: what the Sigma engine does on one core."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import support

METHOD = """
sigma_bench, one thread, CPU time (user and system), median of five runs; no decoding, no disk. sigma_events_per_core_s: 20,000
process events of a busy Linux device (24 templates with changing parts: shells, a build, package tools, cron, backup, services,
administration; 12 fields each) against all rules of the shared data (SigmaHQ: 248 for Linux, 153 for web, proxy and DNS logs) and
the own pack, log source process_creation on Linux; every event costs a full look-up. correlation_events_per_s and correlation_mib:
100,000 groups that each hold 31 matches, one fewer than the rule asks for, interleaved; memory as the engine counts it and
(correlation_resident_mib) as the kernel does. value_count_ratio: rate of a value_count over 10,000 different users in its window to
that of an event_count, both from an event's fields through the matcher; _matches_only without the matcher; _firing when the rule asks
for 32, so that it holds at nearly every event. ratio_rsigma, where PICKET_RSIGMA names a program that reads a folder of rules and a
file of JSON events and prints events per CPU-second: ours over its. ti_*: intelligence_bench, 10 million indicators (40 % addresses,
30 % names, 20 % SHA-256, 10 % URLs; threat and first hour stored with each). ti_lookups_per_s: best of five rounds, one thread, CPU
time, 4 million observables in random order of which 0.1 % are listed, each matched as an event's would be (a name of three labels is
looked up twice). ti_mib: the whole mapped file, texts included; ti_swap_pause_ms: opening another set, a first look-up and giving the
old one back, the worst of five.
"""


def run() -> dict:
    shared = pathlib.Path(os.environ.get("PICKET_SHARED_DATA", support.ROOT.parent / "shared/data"))
    program = support.ROOT / "build/release/bench/sigma_bench"
    with tempfile.TemporaryDirectory() as folder:
        events = pathlib.Path(folder) / "events.jsonl"
        done = subprocess.run([program, "--write-events", events, shared / "sigma", support.ROOT / "content/rules"],
                              stdout=subprocess.PIPE, check=True, text=True)
        metrics = {}
        for line in done.stdout.splitlines():
            if found := re.match(r"^(\S+) (\S+) (\S+)$", line):
                metrics[found[1]] = (float(found[2]), found[3])
        done = subprocess.run([support.ROOT / "build/release/bench/intelligence_bench"], stdout=subprocess.PIPE, check=True, text=True)
        for line in done.stdout.splitlines():
            if found := re.match(r"^(ti_\S+) (\S+) (\S+)$", line):
                metrics[found[1]] = (float(found[2]), found[3])
        other = os.environ.get("PICKET_RSIGMA")
        if other and shutil.which(other):
            answer = subprocess.run([other, shared / "sigma", events], stdout=subprocess.PIPE, check=True, text=True).stdout
            theirs = float(answer.split()[-1])
            metrics["rsigma_events_per_core_s"] = (theirs, "events/s")
            metrics["ratio_rsigma"] = (metrics["sigma_events_per_core_s_shared"][0] / theirs, "ratio")
    return metrics
