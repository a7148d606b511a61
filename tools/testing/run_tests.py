#!/usr/bin/env python3
"""Runs the test suites and closes with one line "N passed, N failed". Called by ./test."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRANSLATION_UNIT_SECONDS_MAX = 20
BINARY_TIMEOUT_S = 1800
FUZZ_SECONDS_EACH = 60
RETRIED_TESTS_MAX = 3


@dataclasses.dataclass
class Outcome:
    """What a suite counted; `failures` are texts for people, one a failed test."""

    passed: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failures += other.failures


def failed(text: str) -> Outcome:
    return Outcome(0, [text])


def tail(text: str, lines: int = 40) -> str:
    return "\n".join(text.splitlines()[-lines:])


def run(command: list, timeout_s: int, **more) -> tuple[int, str]:
    """Exit code and output; 124 after the time-out, as timeout(1) says it."""
    try:
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout_s, cwd=more.pop("cwd", ROOT), stdin=subprocess.DEVNULL, **more)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as expired:
        return 124, (expired.stdout or b"").decode(errors="replace") + f"\nno end after {timeout_s} s"


def build(preset: str) -> Outcome | None:
    """None when everything was built."""
    code, output = run([ROOT / "tools/build.sh", preset], 3600)
    return None if code == 0 else failed(f"build of preset {preset}:\n{tail(output, 60)}")


def run_gtest(binary: pathlib.Path, environment: dict) -> Outcome:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        code, output = run([binary, f"--gtest_output=json:{report.name}"], BINARY_TIMEOUT_S, env=environment)
        try:
            results = json.load(open(report.name))
        except ValueError:
            return failed(f"{binary.name} ended with {code} before its report:\n{tail(output)}")
    out = Outcome()
    for suite in results["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{binary.name}: {suite['name']}.{test['name']}"
            if test.get("failures"):
                out.failures.append(name + "\n" + "\n".join(f["failure"] for f in test["failures"]))
            elif test.get("result") == "COMPLETED":
                out.passed += 1
            elif test.get("result") == "SKIPPED" and environment.get("PICKET_TEST_UNPRIVILEGED") != "1":
                out.failures.append(f"{name} was skipped; only PICKET_TEST_UNPRIVILEGED=1 allows that")
    if code != 0 and not out.failures:
        out.failures.append(f"{binary.name} ended with {code}:\n{tail(output)}")
    return out


def run_corpus(binary: pathlib.Path, environment: dict) -> Outcome:
    corpus = (binary.parent / f"{binary.name}.corpus").read_text().strip()
    code, output = run([binary, corpus], BINARY_TIMEOUT_S, env=environment)
    return Outcome(1) if code == 0 else failed(f"{binary.name} {corpus} ended with {code}:\n{tail(output)}")


def executables(folder: pathlib.Path, suffix: str) -> list[pathlib.Path]:
    return sorted(p for p in folder.glob("*" + suffix) if p.is_file() and os.access(p, os.X_OK))


def unit(preset: str = "release") -> Outcome:
    if broken := build(preset):
        return broken
    folder = ROOT / "build" / preset
    environment = dict(os.environ)
    suppressions = ROOT / "tools/testing"
    environment["ASAN_OPTIONS"] = "detect_stack_use_after_return=1:strict_string_checks=1"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    environment["TSAN_OPTIONS"] = f"suppressions={suppressions}/tsan.supp:second_deadlock_stack=1"
    environment["LSAN_OPTIONS"] = f"suppressions={suppressions}/lsan.supp"
    jobs = [(run_gtest, b) for b in executables(folder / "tests", "_test")]
    jobs += [(run_corpus, b) for b in executables(folder / "fuzz", "_fuzz")]
    out = Outcome()
    # Tests that watch the kernel see each other's load: they run alone, after the others.
    alone = [job for job in jobs if "_live_" in job[1].name]
    beside = [job for job in jobs if job not in alone]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for job, outcome in zip(beside, pool.map(lambda job: job[0](job[1], environment), beside)):
            if outcome.failures:
                # What fails beside others gets one more try alone; both are told, so that nothing is hidden.
                print(f"{job[1].name} failed beside other programs and runs again alone:\n{outcome.failures[0]}", flush=True)
                outcome = job[0](job[1], environment)
            out.add(outcome)
    for function, binary in alone:
        out.add(function(binary, environment))
    return out if jobs else failed(f"no test was built in {folder}")


def compile_times() -> Outcome:
    """No translation unit may take more than 20 CPU seconds at -O2. Reads what tools/testing/timed_compile.sh noted; what
    the compiler cache gave back was measured when it was compiled."""
    if broken := build("release"):
        return broken
    objects = sum(1 for line in (ROOT / "build/release/.ninja_log").read_text().splitlines()
                  if ".o\t" in line)
    log = ROOT / "build/release/compile_times.log"
    measured = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        user, system, output = line.split(" ", 2)
        measured[output] = float(user) + float(system)
    slow = [f"{output} took {seconds:.1f} s of CPU, more than {TRANSLATION_UNIT_SECONDS_MAX}"
            for output, seconds in measured.items() if seconds > TRANSLATION_UNIT_SECONDS_MAX]
    if objects == 0:
        return failed("ninja's log names no object file")
    slowest = max(measured.items(), key=lambda item: item[1], default=("none", 0.0))
    print(f"compile-times: {len(measured)} of {objects} objects measured, slowest {slowest[0]} with {slowest[1]:.1f} s of CPU")
    return Outcome(0 if slow else 1, slow)


def run_pytest(folder: str, marks: str, timeout_s: int) -> Outcome:
    if broken := build("release"):
        return broken
    out = pytest_once([folder], marks, timeout_s)
    again = [test for test in (node_id(text) for text in out.failures) if test]
    if not again or len(again) != len(out.failures) or len(again) > RETRIED_TESTS_MAX:
        return out
    # As with the unit tests: what failed gets one more try by itself, and both are told.
    print(f"{folder}: {len(again)} failed and run again by themselves:\n" + "\n\n".join(out.failures), flush=True)
    once_more = pytest_once(again, marks, timeout_s)
    return Outcome(out.passed + once_more.passed, once_more.failures)


def pytest_once(what: list[str], marks: str, timeout_s: int) -> Outcome:
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        code, output = run([sys.executable if has_pytest(sys.executable) else "/usr/bin/python3", "-m", "pytest", "-q",
                            "-p", "no:cacheprovider", *what, "-m", marks, f"--junitxml={report.name}"], timeout_s)
        print("".join(line + "\n" for line in output.splitlines() if line.startswith("figure: ")), end="", flush=True)
        return from_junit(report.name, what[0].split("::")[0], code, output)


def node_id(failure: str) -> str | None:
    """What pytest calls the test of a failure's text ("NAME: package.module.test\n..."); None for anything else."""
    found = re.match(r"[^\n]*?: ([\w.]+)\.(\w+(?:\[[^\n]*\])?)\n", failure)
    path = found and pathlib.Path(found[1].replace(".", "/") + ".py")
    return f"{path}::{found[2]}" if path and (ROOT / path).is_file() else None


def has_pytest(python: str) -> bool:
    return subprocess.run([python, "-c", "import pytest"], capture_output=True).returncode == 0


def from_junit(path: str, name: str, code: int, output: str) -> Outcome:
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except xml.etree.ElementTree.ParseError:
        return failed(f"{name} ended with {code} before its report:\n{tail(output)}")
    out = Outcome()
    for case in root.iter("testcase"):
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        title = f"{name}: {case.get('classname')}.{case.get('name')}"
        if bad:
            out.failures.append(f"{title}\n{tail((bad[0].get('message') or '') + chr(10) + (bad[0].text or ''))}")
        else:
            out.passed += 1
    if code != 0 and not out.failures:
        out.failures.append(f"{name} ended with {code}:\n{tail(output)}")
    if out.passed == 0 and not out.failures:
        out.failures.append(f"{name} ran no test")
    return out


def run_counting(command: list, name: str, timeout_s: int) -> Outcome:
    """A script that ends with "NAME: N passed, N failed[, N skipped]". A skipped test is a failed one. Before that line it may say
    "failed: NAME" or "skipped: NAME", and "flaky: NAME" of what passed only when it ran again, with indented lines of why."""
    code, output = run(command, timeout_s)
    for title, why in told(output, "flaky"):
        print(f"flaky: {title}\n{why}", flush=True)
    found = re.findall(r"^[\w-]+: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", output, re.MULTILINE)
    if not found:
        return failed(f"{name} ended with {code} and counted nothing:\n{tail(output)}")
    passed, bad, skipped = (int(number or 0) for number in found[-1])
    out = Outcome(passed)
    if bad or skipped or code != 0:
        out.failures = [f"{name}: {title} {word}\n{why}" for word in ("failed", "skipped") for title, why in told(output, word)]
        others = bad + skipped - len(out.failures)
        if others > 0 or not out.failures:
            out.failures.append(f"{name} ({bad} failed, {skipped} skipped, exit {code}):\n{tail(output, 80)}")
            out.failures += [f"{name}: one more"] * (others - 1)
    return out


def told(output: str, word: str) -> list[tuple[str, str]]:
    """Title and indented lines of each line "WORD: TITLE"; "flaky: 0" is a count, always told."""
    return re.findall(rf"^{word}: (.*)\n((?:  .*\n)*)", output, re.MULTILINE)


def portal() -> Outcome:
    return run_counting([ROOT / "tools/portal/test.sh", "unit"], "portal", 1800)


def browser() -> Outcome:
    if broken := build("release"):
        return broken
    return run_counting([sys.executable, ROOT / "tests/browser/run.py"], "browser", 2400)


def sdk() -> Outcome:
    if broken := build("release"):
        return broken
    return run_counting([sys.executable, ROOT / "tests/sdk/run.py"], "sdk", 2400)


def software() -> Outcome:
    if broken := build("release"):
        return broken
    return run_counting([sys.executable, ROOT / "tests/software/run.py"], "software", 1800)


def fuzz() -> Outcome:
    if broken := build("fuzz"):
        return broken
    out = Outcome()
    for binary in executables(ROOT / "build/fuzz/fuzz", "_fuzz"):
        corpus = (binary.parent / f"{binary.name}.corpus").read_text().strip()
        with tempfile.TemporaryDirectory() as found:
            code, output = run([binary, f"-max_total_time={FUZZ_SECONDS_EACH}", "-timeout=10", "-rss_limit_mb=2048",
                                f"-artifact_prefix={found}/", found, corpus], FUZZ_SECONDS_EACH + 120)
            crashes = [p for p in pathlib.Path(found).iterdir() if p.name.startswith(("crash-", "timeout-", "oom-", "leak-"))]
            if code == 0 and not crashes:
                out.passed += 1
                continue
            kept = ROOT / "build/fuzz/found"
            kept.mkdir(exist_ok=True)
            for crash in crashes:
                crash.rename(kept / f"{binary.name}-{crash.name}")
            out.failures.append(f"{binary.name}: {len(crashes)} findings in {kept}\n{tail(output)}")
    return out if out.passed or out.failures else failed("no fuzz target was built")


def real() -> Outcome:
    """Tools of attackers, steps of Atomic Red Team and a working day, all executed for real."""
    code, output = run([ROOT / "tools/deps/debian.sh", "--real"], 1800)
    if code != 0:
        return failed(f"packages of the suite real:\n{tail(output)}")
    # pytest's own word for "whatever the mark": slow ones are what this suite is for.
    return run_pytest("tests/real", "slow or not slow", 5400)


SUITES = {
    "unit": unit,
    "compile-times": compile_times,
    "portal": portal,
    "e2e": lambda: run_pytest("tests/e2e", "not slow", 3600),
    "sdk": sdk,
    "software": software,
    "browser": browser,
    "asan": lambda: unit("asan"),
    "tsan": lambda: unit("tsan"),
    "fuzz": fuzz,
    "slow": lambda: run_pytest("tests/e2e", "slow", 3600),
    "real": real,
    "qemu": lambda: run_pytest("tests/qemu", "not slow", 14_400),
}
ONLY_WITH_ALL = {"asan", "tsan", "fuzz", "slow", "real", "qemu"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./test")
    parser.add_argument("--all", action="store_true", help="also asan, tsan, fuzz, slow, real and qemu")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    arguments = parser.parse_args()
    for name in arguments.suites:
        if name not in SUITES:
            parser.error(f"no suite {name}; there are {', '.join(SUITES)}")
    names = arguments.suites or [name for name in SUITES if arguments.all or name not in ONLY_WITH_ALL]

    total = Outcome()
    for name in names:
        begin = time.monotonic()
        try:
            outcome = SUITES[name]()
        except Exception as error:  # a broken suite is a failed test, not a lost summary
            outcome = failed(f"suite {name}: {type(error).__name__}: {error}")
        print(f"{name}: {outcome.passed} passed, {len(outcome.failures)} failed in {time.monotonic() - begin:.0f} s",
              flush=True)
        for text in outcome.failures:
            print("\nFAILED " + text + "\n", flush=True)
        total.add(outcome)
    print(f"{total.passed} passed, {len(total.failures)} failed")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
