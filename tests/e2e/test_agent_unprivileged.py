"""The agent as an ordinary user: it starts, says what it cannot see and why, and reports the rest."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from picket_agent import Agent
from picket_server import BIN, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a program as somebody else")

USER = "nobody"


class UnprivilegedAgent(Agent):
    """All files belong to USER, in a folder that USER can reach; so does the process."""

    def __init__(self, folder: pathlib.Path, server, device_id: str):
        super().__init__(folder, server, device_id)
        authority = folder / "ca.crt"
        shutil.copy(server.ca_file, authority)
        program = folder / "picket-agent"  # the checkout may be closed to USER
        shutil.copy(BIN / "picket-agent", program)
        self.config.write_text(self.config.read_text().replace(str(server.ca_file), str(authority)))
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, USER, "nogroup")
        authority.chmod(0o444)
        self.program = program

    def start(self) -> "UnprivilegedAgent":
        with open(self.folder / "agent.log", "ab") as log:
            self.process = subprocess.Popen([self.program, "run", "--config", self.config], user=USER, group="nogroup",
                                            extra_groups=[], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        return self


@pytest.fixture
def agent(server):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="picket-unprivileged-"))
    made = UnprivilegedAgent(folder / "agent", server, "plain-user-3")
    folder.chmod(0o755)
    yield made.start()
    made.stop()
    print((folder / "agent/agent.log").read_text())  # pytest shows it when the test failed
    shutil.rmtree(folder)


def test_reports_what_it_can_and_says_what_it_cannot(agent):
    agent.wait_connected()
    # Lives longer than the poll, so that a reader of /proc sees it.
    sleeper = subprocess.Popen(["/bin/sleep", "61.25"])
    try:
        wait_for(lambda: agent.rows('| where RawEventName == "ProcessCreate" and EventDetails has "61.25" | count') > 0,
                 30, "the process")
    finally:
        sleeper.kill()
        sleeper.wait()
    for name in ("SystemInformation", "Heartbeat"):
        wait_for(lambda: agent.rows(f'| where RawEventName == "{name}" | count') > 0, 30, name)

    collectors = {each["name"]: each for each in agent.status()["collectors"]}
    for name in ("process", "network"):
        assert collectors[name]["tier"] not in ("", "ebpf"), collectors[name]
        assert "Operation not permitted" in collectors[name]["reason"], "a better tier is missing without a word"
    log = (agent.folder / "agent.log").read_text()
    assert "not root" in log
    assert f"collector process: {collectors['process']['tier']}" in log


def test_a_spool_of_somebody_else_is_named_and_memory_is_used(agent):
    agent.wait_connected()
    agent.stop()
    spool = agent.folder / "data/spool"
    shutil.chown(spool, "root", "root")
    spool.chmod(0o700)
    agent.start()
    wait_for(lambda: (agent.folder / "agent.log").read_text().count("connected to") >= 2, 30, "connected again")
    assert "in memory, since" in (agent.folder / "agent.log").read_text()
