#!/usr/bin/env python3
"""Failed logins and then a success against a loopback sshd: what raises both brute-force alerts.

ssh_attack.py PORT USER PASSWORD_FILE: a user of that sshd, its password in a file.
"""

import pathlib
import sys
import tempfile

from ssh_server import SshServer

FAILURES = 8


def main() -> int:
    port, user, password_file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        ssh = SshServer(pathlib.Path(folder))
        ssh.port, ssh.user, ssh.password = int(port), user, pathlib.Path(password_file).read_text()
        for _ in range(FAILURES):
            if ssh.login("not the password"):
                return 1
        return 0 if ssh.login() else 1


if __name__ == "__main__":
    sys.exit(main())
