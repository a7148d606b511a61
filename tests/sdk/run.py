#!/usr/bin/env python3
"""Runs the SDK conformance groups, each with a server of its own; the last line is "sdk: N passed, N failed".

    tests/sdk/run.py [--jobs N] [--verbose] [GROUP...]      a GROUP is a language or a file: node, python/test_twin.py

Bin folder of the server: PICKET_TEST_BIN, else build/release/bin.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE / "harness"))
import reports  # noqa: E402

GROUP_SECONDS_MAX = 480 + 10 * int(os.environ.get("PICKET_SDK_KILLS", "0"))
JAVA = ROOT / ".deps/sdk-java"


@dataclasses.dataclass
class Group:
    language: str
    file: pathlib.Path

    @property
    def name(self) -> str:
        return f"{self.language}/{self.file.name}"

    def command(self, folder: pathlib.Path) -> list:
        if self.language == "node":
            return [ROOT / ".deps/sdk-node", "--test-timeout=200000", f"--test-reporter={HERE}/node/reporter.mjs", self.file]
        if self.language == "python":
            return [ROOT / ".deps/sdk-python/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    f"--rootdir={HERE}/python", self.file, f"--junitxml={folder}/report/pytest.xml"]
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", JAVA / "junit.jar", "execute",
                "--class-path", f"{JAVA}/classes:" + ":".join(map(str, sorted((JAVA / "lib").glob("*.jar")))),
                "--select-class", self.file.stem, f"--reports-dir={folder}/report", "--details=none",
                "--disable-banner"]

    def cases(self, folder: pathlib.Path) -> list[reports.Case]:
        if self.language == "node":
            return reports.from_json_lines(folder / "cases.jsonl")
        return reports.from_junit(folder / "report")


def all_groups() -> list[Group]:
    files = {"node": (HERE / "node").glob("*.test.mjs"), "python": (HERE / "python").glob("test_*.py"),
             "java": (HERE / "java").glob("*Test.java")}
    return [Group(language, file) for language, found in files.items() for file in sorted(found)]


def run_group(group: Group) -> tuple[Group, list[reports.Case], str, float]:
    """Its cases, and what it wrote when that may be of use."""
    begin = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="picket-sdk-"))
    (folder / "report").mkdir()
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--net", "--mount", "--kill-child", "--fork", *own_user, sys.executable,
               HERE / "harness/group.py", folder, group.language, *group.command(folder)]
    output = folder / "output"
    try:
        with open(output, "wb") as out:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True, cwd=HERE / group.language)
        try:
            code = process.wait(GROUP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        text = output.read_text(errors="replace")
        if (folder / "server.log").exists():
            text += "\n--- server ---\n" + "\n".join((folder / "server.log").read_text(errors="replace").splitlines()[-20:])
        cases = group.cases(folder)
        if not cases or (code != 0 and not any(case.failure for case in cases)):
            cases.append(reports.Case("the group comes to its end", f"exit {code} after {time.monotonic() - begin:.0f} s"))
        return group, cases, text, time.monotonic() - begin
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/sdk/run.py")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--lines", type=int, default=8, help="of each failure's text")
    parser.add_argument("--verbose", action="store_true", help="also what each group wrote")
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    arguments = parser.parse_args()
    subprocess.run([ROOT / "tools/deps/sdk.sh"], check=True)
    groups = [g for g in all_groups() if not arguments.groups
              or any(word == g.language or word == g.name or word == g.file.stem for word in arguments.groups)]
    languages = {g.language for g in groups}
    passed = bad = 0
    if not arguments.groups and languages != {"node", "python", "java"}:
        print("FAILED a language has no group")
        bad += 1
    again = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for group, cases, text, seconds in pool.map(run_group, groups):
            failures = [case for case in cases if case.failure is not None]
            print(f"{group.name}: {len(cases) - len(failures)} of {len(cases)} in {seconds:.0f} s", flush=True)
            for case in failures:
                word = "first try" if len(groups) > 1 else "FAILED"
                print(f"{word} {group.name}: {case.name}: " + "\n    ".join(case.failure.strip().splitlines()[:arguments.lines]))
            if failures and len(groups) > 1:
                again.append(group)  # SDKs have time limits of their own, which a busy machine breaks: once more, alone
                continue
            passed += len(cases) - len(failures)
            bad += len(failures)
            if arguments.verbose:
                print(text, flush=True)
            elif len(failures) == 1 and failures[0].name == "the group comes to its end":
                print("\n".join(text.splitlines()[-30:]), flush=True)
    for group in again:
        _, cases, text, seconds = run_group(group)
        failures = [case for case in cases if case.failure is not None]
        print(f"{group.name}, alone: {len(cases) - len(failures)} of {len(cases)} in {seconds:.0f} s", flush=True)
        for case in failures:
            print(f"FAILED {group.name}: {case.name}: " + "\n    ".join(case.failure.strip().splitlines()[:arguments.lines]))
        passed += len(cases) - len(failures)
        bad += len(failures)
    print(f"sdk: {passed} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
