"""kill -9 of the hub, twenty times: twins, commands and sessions. The short form is part of ./test sdk."""

import os
import subprocess
import sys

import pytest
from picket_server import ROOT


@pytest.mark.slow
def test_twenty_kills_take_nothing_back():
    done = subprocess.run([sys.executable, ROOT / "tests/sdk/run.py", "python/test_kill.py"], text=True, capture_output=True,
                          env=dict(os.environ, PICKET_SDK_KILLS="20"), timeout=900)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
