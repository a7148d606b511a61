"""A file system in a mount namespace of a test's own: it can be full or read-only, and nobody else sees it."""

import pathlib
import subprocess


class PrivateDisk:
    """At `folder`, for what is started with `prefix`."""

    def __init__(self, folder: pathlib.Path, mount: str = "-t tmpfs -o size=64m tmpfs"):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        script = f"mount {mount} {folder} && echo ready && exec sleep 3600"
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        self.prefix = ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", f"--wdns={folder}"]

    def run(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run([*self.prefix, *words], text=True, capture_output=True, timeout=180)

    def fill(self) -> None:
        """To the last byte, and so that no file can be made either."""
        assert self.run("sh", "-c", f"cat /dev/zero > {self.folder}/ballast").returncode != 0

    def empty(self) -> None:
        assert self.run("rm", f"{self.folder}/ballast").returncode == 0

    def read_only(self) -> None:
        done = self.run("mount", "-o", "remount,ro", self.folder)
        assert done.returncode == 0, done.stderr

    def break_down(self) -> None:
        """As after an error of the medium: nothing can be written any more, open files included. For ext4."""
        done = self.run("mount", "-o", "remount,abort", self.folder)
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
