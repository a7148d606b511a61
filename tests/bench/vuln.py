"""./bench vuln: what matching software with advisories costs."""

import pathlib
import re
import subprocess
import tempfile

import support

METHOD = """
vulnerability_bench, one thread, CPU time. A feed of 300,000 advisories in OSV's form (written by the program itself: 371 MB of lines, 4,000
packages of Debian 12 and others of PyPI and npm, one in forty with a fix that is newer than most devices): feed_load_s reads it and makes the
index, feed_mib is what that adds to the resident memory at its end, feed_index_mib the index alone. match_500_ms: 500 packages with some 60
advisories each against the index, median of eleven, nothing kept between. advisory_fleet_ms: a feed with a new advisory about two packages, one of
which every device has, is put in force over 100,000 devices of 500 packages each, and the set of affected devices is made; median of five.
fleet_findings_s: all vulnerabilities of that fleet with their devices, the first time. feed_change_s: the feed of 300,000 advisories is exchanged
for itself and a new one beside it speaks of a package of every device: until all rows of all 100,000 devices are known, remembered and in the log
(feed_look_s of it: to see what became other); the devices' own packages differ, so no two have the same list. feed_unchanged_s: the same, and nothing
became other. report_first_s: the first telling of all devices, 1,000 rows each.
"""


def run() -> dict:
    program = support.ROOT / "build/release/bench/vulnerability_bench"
    with tempfile.TemporaryDirectory() as folder:
        feed = pathlib.Path(folder) / "feed.jsonl"
        subprocess.run([program, "--write-feed", feed], check=True)
        done = subprocess.run([program, feed], stdout=subprocess.PIPE, check=True, text=True)
    return {found[1]: (float(found[2]), found[3])
            for line in done.stdout.splitlines() if (found := re.match(r"^(\S+) (\S+) (\S+)$", line))}
