import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "rules"))
import sandbox as sandboxes  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes; runs with ./test --all")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="namespaces, and the agent's best tiers, need root"))


# Repeats are told within a minute, ports within seconds.
SETTINGS = '[intervals]\nhigh = "1m"\nmedium = "1m"\nlow = "1m"\n[collectors.listening_ports]\nevery = "5s"\n'


@pytest.fixture(scope="module")
def sandbox():
    with sandboxes.Sandbox(agent=True, more_settings=SETTINGS) as made:
        yield made


@pytest.fixture(scope="module")
def peer(sandbox):
    from peer import Peer
    made = Peer(sandbox)
    yield made
    made.stop()
