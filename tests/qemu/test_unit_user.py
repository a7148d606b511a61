"""The tests of device code for other architectures, under qemu-user: 32 bits, other sizes and alignments. Static, against the code as
it ships. Tests that watch a kernel ("live") are left out: the emulator is none."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from device import BUILD_S_MAX
from kernels import ROOT, checked

EMULATORS = {"armhf": "qemu-arm-static", "arm64": "qemu-aarch64-static", "riscv64": "qemu-riscv64-static"}
PROGRAM_S_MAX = 900
PROGRAMS_MIN = 20
# What the emulator does not do as a kernel does; each with its reason.
NOT_UNDER_QEMU: dict[str, str] = {}


@pytest.fixture(scope="module", params=EMULATORS)
def built(request) -> tuple[str, pathlib.Path]:
    emulator = EMULATORS[request.param]
    assert shutil.which(emulator), f"{emulator} is missing; apt-get install qemu-user-static"
    return emulator, ROOT / checked([ROOT / "tools/build_agent.sh", "tests", request.param], BUILD_S_MAX).splitlines()[-1]


def run_all(commands: list[list]) -> list[str]:
    """What failed, with the end of its output."""
    def run(command: list) -> str | None:
        try:
            done = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PROGRAM_S_MAX,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return f"{command[1].name}: no end after {PROGRAM_S_MAX} s"
        return None if done.returncode == 0 else f"{command[1].name} ended with {done.returncode}:\n{done.stdout[-3000:]}"

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [text for text in pool.map(run, commands) if text]


def test_unit_tests_pass(built, tmp_path):
    emulator, folder = built
    programs = [p for p in sorted((folder / "tests").glob("*_test")) if "_live_" not in p.name]
    assert len(programs) >= PROGRAMS_MIN, programs
    without = "--gtest_filter=-" + ":".join(NOT_UNDER_QEMU)
    failures = run_all([[emulator, program, without, f"--gtest_output=json:{tmp_path}/{program.name}"] for program in programs])
    assert not failures, "\n\n".join(failures)
    assert sum(json.loads(report.read_text())["tests"] for report in tmp_path.iterdir()) >= 100


def test_corpora_of_fuzz_targets_pass(built):
    emulator, folder = built
    programs = sorted((folder / "fuzz").glob("*_fuzz"))
    assert len(programs) >= 10, programs
    failures = run_all([[emulator, program, (folder / "fuzz" / f"{program.name}.corpus").read_text().strip()] for program in programs])
    assert not failures, "\n\n".join(failures)
