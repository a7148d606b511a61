"""A machine beside this one: attacks and daily work are executed for real in it, while the real agent watches.

Its file system is an overlay of this machine's whose changes are thrown away; mounts, network, processes and IPC are its own.
What would reach beyond that is taken away: the clock, restarts, kernel modules, /proc/sys, the magic system request key, and
the sockets and devices of this machine.
"""
import contextlib
import datetime
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGENT = ROOT / "build" / "release" / "bin" / "picket-agent"
SECRET = "A" * 43 + "="
# Two views of one overlay: the agent's sees all processes of this machine, the sandbox's only its own.
MOUNTS = r"""
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/up /mnt/work /mnt/all /mnt/agent
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work /mnt/all
for each in tmp run; do mount -t tmpfs tmpfs /mnt/all/$each; done
chmod 1777 /mnt/all/tmp
mount -t tmpfs tmpfs /mnt/all/dev
mkdir -p /mnt/all/dev/pts /mnt/all/dev/shm /mnt/all/run/lock /mnt/all/run/sshd
chmod 1777 /mnt/all/dev/shm
mknod -m 666 /mnt/all/dev/null c 1 3; mknod -m 666 /mnt/all/dev/zero c 1 5; mknod -m 666 /mnt/all/dev/full c 1 7
mknod -m 666 /mnt/all/dev/random c 1 8; mknod -m 666 /mnt/all/dev/urandom c 1 9; mknod -m 666 /mnt/all/dev/tty c 5 0
ln -s /proc/self/fd /mnt/all/dev/fd
mount -t devpts devpts -o newinstance,ptmxmode=0666 /mnt/all/dev/pts
ln -s pts/ptmx /mnt/all/dev/ptmx
mount --rbind /mnt/all /mnt/agent
mount --rbind /proc /mnt/agent/proc
mount --rbind /sys /mnt/agent/sys
mount -t sysfs -o ro sysfs /mnt/all/sys
ip link set lo up
"""
# What a command inside must not do to the machine that is beside.
FORBIDDEN = "-sys_time,-sys_boot,-sys_module,-sys_rawio,-syslog,-wake_alarm,-block_suspend"
ENTER = r"""
mount -t proc proc /mnt/all/proc
mount --bind /mnt/all/proc/sys /mnt/all/proc/sys
mount -o remount,bind,ro /mnt/all/proc/sys
[ ! -e /mnt/all/proc/sysrq-trigger ] || mount --bind /mnt/all/dev/null /mnt/all/proc/sysrq-trigger
for each in /mnt/all/sbin/swapon /mnt/all/sbin/swapoff; do [ ! -e $each ] || mount --bind /mnt/all/bin/true $each; done
cd /
exec chroot /mnt/all setpriv --bounding-set=%s --inh-caps=-all env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LANG=C.UTF-8 \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin """ % FORBIDDEN
WRAPPERS = {"unshare", "nsenter", "mount", "chroot", "setpriv", "env"}


class Sandbox:
    """`with Sandbox() as sandbox: sandbox.run(["sh", "-c", "…"])`; with Sandbox(agent=True) the agent watches it."""

    def __init__(self, agent: bool = False, program: pathlib.Path = AGENT, more_settings: str = "", network: bool = True):
        """`network` False: this machine's own, the only one in which the kernel tells of logins."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="picket-sandbox-"))
        self.wanted, self.program, self.more, self.network = agent, program, more_settings, network
        self.processes: list[subprocess.Popen] = []
        self.holder = None

    def __enter__(self) -> "Sandbox":
        self.holder = subprocess.Popen(["unshare", "-m", *(["-n"] if self.network else []), "-i", "-u", "--propagation", "private", "sh", "-c",
                                        MOUNTS + "echo ready; exec sleep 86400"], stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise OSError("the sandbox could not be made; it needs root and overlayfs")
        if self.wanted:
            self._start_agent()
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def enter(self) -> list[str]:
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--net", "--ipc", "--uts"]

    def start(self, argv: list[str], **more) -> subprocess.Popen:
        """In process and mount namespaces of its own: what it leaves behind ends with it."""
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        inner = ENTER + " ".join(shlex.quote(word) for word in argv)
        return subprocess.Popen([*self.enter(), "unshare", "-p", "-f", "-m", "--propagation", "private", "--kill-child", "sh",
                                 "-c", inner], start_new_session=True, **more)

    def run(self, argv: list[str], timeout_s: float = 60, **more) -> subprocess.Popen:
        """Its `pid` is the ancestor of all that it started."""
        process = self.start(argv, **more)
        try:
            process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process

    def prepare(self, script: str) -> None:
        """What must be there before; nobody is to be judged by it."""
        self.run(["sh", "-c", script], stderr=sys.stderr)

    # The agent: inside the sandbox' mounts and network, outside its processes. Without a hub it keeps what it has to say.
    def _start_agent(self) -> None:
        inside = pathlib.Path("/mnt/agent/tmp/picket-agent")
        files = {
            "agent.toml": 'connection_string_file = "/tmp/picket-agent/cs"\nca_file = "/tmp/picket-agent/ca.crt"\n'
                          'data_dir = "/tmp/picket-agent/data"\nstatus_socket = "/tmp/picket-agent/run/agent.sock"\n' + self.more,
            "cs": f"HostName=localhost;DeviceId=recorder;ModuleId=DefenderIotMicroAgent;SharedAccessKey={SECRET}\n",
        }
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "1", "-subj", "/CN=recorder", "-keyout", "/dev/null", "-out", str(self.folder / "ca.crt")],
                       check=True, capture_output=True)
        for name, text in files.items():
            (self.folder / name).write_text(text)
        # The sandbox has a /tmp of its own: the files are handed in through standard input.
        script = f"mkdir -p {inside}/data {inside}/run; tar -xf - -C {inside}; chmod 600 {inside}/agent.toml {inside}/cs"
        archive = subprocess.run(["tar", "-cf", "-", "-C", str(self.folder), "agent.toml", "cs", "ca.crt"], check=True,
                                 capture_output=True).stdout
        subprocess.run([*self.enter(), "sh", "-c", script], input=archive, check=True)
        program = str(self.program)
        chroot = [*self.enter(), "chroot", "/mnt/agent", program]
        self.processes.append(subprocess.Popen([*chroot, "run", "--config", "/tmp/picket-agent/agent.toml"],
                                               stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb")))
        self._wait_for("collector file_system")
        self.processes.append(subprocess.Popen([*chroot, "events", "--follow", "--config", "/tmp/picket-agent/agent.toml"],
                                               stdout=(self.folder / "events").open("wb"), stderr=subprocess.DEVNULL))
        time.sleep(1)

    def _wait_for(self, text: str) -> None:
        for _ in range(600):
            if text in (self.folder / "log").read_text(errors="replace"):
                return
            time.sleep(0.1)
        raise OSError(f"the agent did not start: {(self.folder / 'log').read_text(errors='replace')}")

    def settle(self, timeout_s: float = 30) -> None:
        """Waits until the agent has told of something that happens now."""
        mark = f"settled-{time.monotonic_ns()}"
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.run(["echo", mark])
            for _ in range(20):
                if mark in (self.folder / "events").read_text(errors="replace"):
                    return
                time.sleep(0.1)
        raise OSError("the agent tells nothing")

    def events(self) -> list[tuple[str, str, dict]]:
        """Time, name and item of everything that the agent told, of the whole machine."""
        out = []
        for line in (self.folder / "events").read_text(errors="replace").splitlines():
            parts = line.split(" ", 3)
            if len(parts) < 4:
                continue
            try:
                items = json.loads(parts[3])
            except ValueError:
                continue  # cut at the end
            out += [(parts[0], parts[2], item) for item in items]
        return out


def started_by(events: list, ancestor: int) -> list:
    """Of the events those of processes below `ancestor`, from where its wrappers end."""
    family, out, wrapped = {ancestor}, [], True
    # Each processor tells for itself: order is by time.
    for time_text, name, item in sorted(events, key=lambda event: event[0]):
        pid, parent = item.get("ProcessId"), item.get("ParentProcessId")
        if name == "ProcessCreate":
            if parent not in family and pid not in family:
                continue
            family.add(pid)
            if wrapped or pid == ancestor:
                # The last wrapper becomes the command itself.
                wrapped = wrapped and not (pid != ancestor and item.get("Executable", "").endswith("/env"))
                continue
        elif pid not in family:
            continue
        out.append((time_text, name, cleaned(item)))
    return out


def cleaned(item: dict) -> dict:
    """Without what is of the machine that recorded."""
    text = json.dumps(item, ensure_ascii=False).replace("/mnt/all/", "/").replace("/mnt/agent/", "/").replace("/mnt/up/", "/")
    return json.loads(text.replace('"/mnt/all"', '"/"'))


def line_of(event: tuple[str, str, dict]) -> str:
    return f"{event[0]} {event[1]} {json.dumps(event[2], ensure_ascii=False, separators=(',', ':'))}"


def times_of(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


if os.geteuid() != 0 and __name__ == "__main__":
    sys.exit("sandbox.py: needs root")
