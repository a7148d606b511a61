"""The server's Debian package in a fresh Debian; here since it takes minutes and Debian's archive."""

import os
import subprocess

import pytest
from picket_server import BIN, ROOT


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_server_package_installs_starts_upgrades_and_leaves_nothing():
    done = subprocess.run([ROOT / "packaging/deb/install_server_test.sh", BIN / "picket"], text=True, capture_output=True, timeout=3000)
    assert done.returncode == 0, done.stdout + done.stderr
