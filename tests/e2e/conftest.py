import resource

import pytest
from picket_server import Server


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes; runs with ./test --all")
    # Tests hold more connections than the 1,024 files that a shell may open.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("picket")).start()
    yield made
    made.stop()
