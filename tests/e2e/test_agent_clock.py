"""A clock that jumps by a year while the agent runs. The dynamic program, since a library that is loaded before it sets its clock."""

import calendar
import os
import pathlib
import struct
import subprocess
import time

import pytest
from picket_agent import Agent
from picket_server import BIN, wait_for
from test_agent_bad_input import QUIET, marker, run_and_see, saw

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="collectors of tier 1 need root")

YEAR_S = 366 * 24 * 3600
SHIFTED_CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *shift_s;

__attribute__((constructor)) static void map_shift(void) {
  int file = open(getenv("SHIFT_FILE"), O_RDONLY);
  shift_s = mmap(0, sizeof *shift_s, PROT_READ, MAP_SHARED, file, 0);
  if (shift_s == MAP_FAILED) abort();
  close(file);
}
int clock_gettime(clockid_t id, struct timespec *out) {
  long done = syscall(SYS_clock_gettime, id, out);
  if (done == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) out->tv_sec += *shift_s;
  return (int)done;
}
time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


class Clock:
    def __init__(self, folder: pathlib.Path):
        source, library, self.file = folder / "clock.c", folder / "clock.so", folder / "shift"
        source.write_text(SHIFTED_CLOCK)
        subprocess.run(["clang-19", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.file.write_bytes(struct.pack("=q", 0))
        self.prefix = ["env", f"LD_PRELOAD={library}", f"SHIFT_FILE={self.file}"]

    def jump(self, seconds: int) -> None:
        """Against the true time, from now on."""
        with open(self.file, "r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def agent(server, tmp_path, clock):
    made = Agent(tmp_path / "agent", server, "time-traveller", QUIET, prefix=clock.prefix)
    made.program = BIN / "picket-agent-openssl"
    made.start().wait_connected()
    yield made
    made.stop()


def age_of(agent: Agent, word: str) -> tuple[float, float]:
    """Seconds between now and the time of an event: as the workspace has it, and as the device said."""
    row = agent.server.query(f'SecurityIoTRawEvent | where EventDetails has "{word}" | project TimeGenerated, TimeStamp, now = now()')[0]
    at = [calendar.timegm(time.strptime(row[name][:19], "%Y-%m-%dT%H:%M:%S")) for name in ("TimeGenerated", "TimeStamp", "now")]
    return at[2] - at[0], at[2] - at[1]


@pytest.mark.parametrize("shift", [YEAR_S, -YEAR_S], ids=["ahead", "back"])
def test_events_go_on_when_the_clock_jumps_and_stand_where_they_happened(agent, clock, shift):
    run_and_see(agent, marker())
    clock.jump(shift)
    word = marker()
    run_and_see(agent, word)
    corrected, said = age_of(agent, word)
    assert abs(corrected) < 600, "the hub's clock counts"
    assert abs(said + shift) < 600
    assert agent.status()["spool"]["dropped"]["total"] == 0
    clock.jump(0)
    word = marker()
    run_and_see(agent, word)
    assert abs(age_of(agent, word)[0]) < 600


def test_a_clock_a_year_back_is_named_and_what_waited_is_not_too_old_when_it_is_set(agent, clock):
    """As a board without a battery starts, or one that was switched off for a year."""
    clock.jump(-YEAR_S)
    agent.server.stop()
    word = marker()
    subprocess.run(["/bin/echo", word], stdout=subprocess.DEVNULL, check=True)
    agent.server.start()
    wait_for(lambda: "not valid yet; is this device's clock right?" in agent.status()["uplink"]["reason"], 120, "the reason")
    assert agent.status()["uplink"]["problem"] == "certificate"
    clock.jump(0)
    wait_for(lambda: saw(agent, word) == 1, 300, "what happened meanwhile")
    assert agent.status()["spool"]["dropped"]["total"] == 0


def test_a_clock_a_year_ahead_loses_nothing_that_waited(agent, clock):
    agent.server.stop()
    word = marker()
    subprocess.run(["/bin/echo", word], stdout=subprocess.DEVNULL, check=True)
    wait_for(lambda: agent.status()["spool"]["messages"] > 0, 60, "it waits")
    clock.jump(YEAR_S)
    agent.server.start()
    wait_for(lambda: saw(agent, word) == 1, 300, "what waited")
    assert agent.status()["spool"]["dropped"]["total"] == 0
