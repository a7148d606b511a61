import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "e2e")]
from picket_server import Server  # noqa: E402

figures: list[str] = []


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def figure():
    """figure("qemu_arm64_pss_kib", 1234): told at the end."""
    return lambda key, value: figures.append(f"figure: {key} {value}")


def pytest_terminal_summary(terminalreporter):
    for line in figures:
        terminalreporter.write_line(line)
