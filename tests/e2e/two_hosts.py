"""Two hosts on one wire: network namespaces of a test's own, so that what it does to a network reaches nobody else."""

import contextlib
import ctypes
import os
import subprocess
import sys

HUB, DEVICE = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*words: str, at: tuple | list = ()) -> None:
    subprocess.run([*at, "ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def hub_side():
    """This thread, and what it starts, is on a host of its own with the address HUB until the end."""
    outside = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _check(_libc.unshare(CLONE_NEWNET))
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
        _ip("address", "add", f"{HUB}/24", "dev", "wire0")
        _ip("link", "set", "wire0", "up")
        yield
    finally:
        _check(_libc.setns(outside, CLONE_NEWNET))
        os.close(outside)


class Device:
    """The other host, with the address DEVICE; made within hub_side(). `prefix` starts a program on it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 3600"], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        self.prefix = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        _ip("link", "set", "wire1", "netns", str(self.holder.pid))
        _ip("link", "set", "lo", "up", at=self.prefix)
        _ip("address", "add", f"{DEVICE}/24", "dev", "wire1", at=self.prefix)
        _ip("link", "set", "wire1", "up", at=self.prefix)

    def run(self, *words, timeout_s: float = 180) -> subprocess.CompletedProcess:
        return subprocess.run([*self.prefix, *words], text=True, capture_output=True, timeout=timeout_s)

    def reaches(self, address: str, port: int) -> bool:
        """Within five seconds: what is dropped is not answered at all."""
        code = f"import socket; socket.create_connection(({address!r}, {port}), 5).close()"
        return self.run(sys.executable, "-c", code).returncode == 0

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
