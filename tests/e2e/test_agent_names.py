"""The static binary finds its hub through resolv.conf and a name server: it has no name service of glibc's."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from picket_server import BIN

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs own namespaces")

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    path = tmp_path_factory.mktemp("authority") / "ca.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", os.devnull, "-out", path,
                    "-subj", "/CN=test", "-days", "3"], check=True, capture_output=True)
    return path


def selftest(folder: pathlib.Path, authority: pathlib.Path, host: str) -> dict:
    secret = folder / "connection"
    secret.touch(mode=0o600)
    secret.write_text(f"HostName={host};DeviceId=d;SharedAccessKey=a2V5\n")
    done = subprocess.run(["unshare", "-m", "-n", sys.executable, HERE / "names_in_namespace.py", folder / "resolv.conf",
                           BIN / "picket-agent", "selftest", "--config", os.devnull, "--timeout", "8s", "--data",
                           folder / "data", "--ca-file", authority, "--connection-string-file", secret],
                          text=True, capture_output=True, timeout=300, check=True)
    return json.loads(done.stdout)


def test_a_name_is_asked_for_where_resolv_conf_says(tmp_path, authority):
    result = selftest(tmp_path, authority, "hub.test")
    assert result["code"] == 3
    assert "cannot reach 127.0.0.9 port 8883" in result["error"]
    assert ["hub.test", 1] in result["asked"]


def test_a_name_that_is_not_there_is_called_so_after_the_search_list(tmp_path, authority):
    result = selftest(tmp_path, authority, "absent.test")
    assert result["code"] == 3
    assert "there is no host 'absent.test'" in result["error"]
    assert ["absent.test.corp.test", 1] in result["asked"]
