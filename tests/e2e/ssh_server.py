"""A real sshd on the loopback with a user of its own; everything is removed again. Needs root."""

import contextlib
import os
import pathlib
import secrets
import subprocess

from picket_server import free_port, wait_for


class SshServer:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.port = folder, free_port()
        self.user = "picket" + secrets.token_hex(3)
        self.password = secrets.token_urlsafe(12)
        self.process = None

    def start(self) -> "SshServer":
        subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", self.user], check=True, capture_output=True)
        subprocess.run(["chpasswd"], input=f"{self.user}:{self.password}\n", text=True, check=True)
        for path in ("/var/log/btmp", "/var/log/wtmp"):
            pathlib.Path(path).touch(mode=0o660)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        key = self.folder / "host_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        config = self.folder / "sshd_config"
        config.write_text(f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {key}\nUsePAM yes\nPidFile none\n"
                          "PasswordAuthentication yes\nMaxStartups 100\nMaxAuthTries 6\nPrintMotd no\n")
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config, "-E", self.folder / "sshd.log"],
                                        stdin=subprocess.DEVNULL)
        wait_for(lambda: b"SSH-2.0" in self._banner(), 10, "sshd answers")
        return self

    def _banner(self) -> bytes:
        import socket
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as probe:
                return probe.recv(64)
        except OSError:
            return b""

    def login(self, password: str | None = None, user: str | None = None, command: str = "true") -> bool:
        """One login with one password attempt; True when it succeeded."""
        done = subprocess.run(
            ["sshpass", "-p", self.password if password is None else password, "ssh", "-p", str(self.port), "-F", "none",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password",
             f"{user or self.user}@127.0.0.1", command],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        return done.returncode == 0

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        subprocess.run(["userdel", "--remove", "--force", self.user], capture_output=True)


@contextlib.contextmanager
def ssh_server(folder: pathlib.Path):
    server = SshServer(folder)
    try:
        yield server.start()
    finally:
        server.stop()
