#!/usr/bin/env python3
"""Records the examples of rules from real executions.

    sudo tools/rules/record.py [RULE...] [--agent PROGRAM]

For each folder below content/rules with a commands.txt, every command is executed in the sandbox of sandbox.py while the
agent watches; what the agent would send of it becomes examples.jsonl. Programs that this machine lacks, or that must not do
their work, are stand-ins that end at once: the kernel sees the same exec.
"""
import argparse, dataclasses, json, pathlib, re, shlex, shutil, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sandbox  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "content" / "rules"
# Programs that are never really run here: they would do harm, wait, or are not there.
STAND_INS = """iptables ufw nft systemctl service chisel auditctl pkill ssh socat nc git docker podman dockerd useradd usermod
nmap hydra masscan john gcore gcc cc journalctl wget curl setsid nohup truncate openssl ping
reboot shutdown halt poweroff modprobe kubectl xclip xsel xset xdpyinfo timedatectl chsh ufw crontab visudo""".split()
SETTINGS = """[collectors.process]
cache = 1
[collectors.file_system]
cache = 1
paths = ["/etc/cron.d", "/root", "/srv"]
[collectors.listening_ports]
every = "5s"
"""
PREPARE = r"""
mkdir -p /srv/data /run/sshd; touch /var/log/btmp /var/log/wtmp; chmod 660 /var/log/btmp /var/log/wtmp; touch /root/.bash_history /root/.ash_history /root/.zsh_history
for name in clerk cleric; do useradd --create-home $name; echo $name:right | chpasswd; done; ssh-keygen -q -t ed25519 -N '' -f /run/host_key
cp $(readlink -f /usr/bin/python3) /usr/sbin/nginx; cp /usr/sbin/nginx /usr/sbin/supervisor
mkdir -p /tmp/sandbox/.hidden /tmp/sandbox/root/bin /data /var/www /var/log /root/.config/chromium /root/.gnupg
for name in kworker payload.mips agent ls sshd ".hidden/agent" "ls " "sshd "; do cp /bin/true "/tmp/sandbox/$name"; done
for name in """ + " ".join(STAND_INS) + "; do cp /bin/true /usr/local/sbin/$name; done\n"
SCRIPT = r"""
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/up /mnt/work /mnt/all
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work /mnt/all
mount --rbind /dev /mnt/all/dev
mount -t proc proc /mnt/all/proc
mount -t tmpfs tmpfs /mnt/all/tmp
chroot /mnt/all /bin/sh -c '
mkdir -p /tmp/sandbox/.hidden /tmp/sandbox/root/bin /data /var/www /var/log
for name in kworker payload.mips agent ls sshd ".hidden/agent" "ls " "sshd "; do cp /bin/true "/tmp/sandbox/$name"; done
cd /tmp/sandbox'
"""


def stand_ins(folder):
    """Copies of `true` under the names of programs that must not run."""
    for name in STAND_INS:
        shutil.copy("/bin/true", folder / name)


def run_in_sandbox(argv, programs):
    """Executes one command; what it changes is gone afterwards."""
    inner = "mount --bind {p} /mnt/all/usr/local/sbin; cd /; exec chroot /mnt/all /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp {c}".format(
        p=shlex.quote(str(programs)), c=" ".join(shlex.quote(word) for word in argv))
    subprocess.run(["unshare", "-m", "-n", "-p", "-i", "-f", "--propagation", "private", "sh", "-c", SCRIPT + inner],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)


@dataclasses.dataclass
class Command:
    """A line of commands.txt: "+ ARGV", "- ARGV", "+ ARGV => CHILD" for a child's line, "+ [Event Key=Value] ARGV" for the event
    of another kind that ARGV causes."""

    folder: pathlib.Path
    match: bool
    argv: list[str]
    line: str
    event: str = "ProcessCreate"
    key: str = "CommandLine"
    pid: int = 0
    begin: int = 0
    source: str = ""

    def kept(self, item):
        """Without what is of the machine that recorded: the command was started by the recorder."""
        strange = () if " => " in self.source else ("GrandparentExecutable", "ParentCommandLine")
        return {key: value for key, value in item.items() if key not in strange}

    def of(self, events):
        """The item that is the example."""
        if self.event == "ProcessCreate":
            candidates = sandbox.started_by(events, self.pid)
        else:
            candidates = [(when, name, sandbox.cleaned(item)) for when, name, item in events[self.begin:]]
        return next((item for _, name, item in candidates if name == self.event and str(item.get(self.key)) == self.line), None)


def commands_of(folder):
    for line in (folder / "commands.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        text, _, child = line[2:].partition(" => ")
        event = re.match(r"\[(\w+) (\w+)=([^\]]*)\] ", text)
        argv = shlex.split(text[event.end():] if event else text)
        command = Command(folder, line[0] == "+", argv, child or " ".join(argv), source=line)
        if event:
            command.event, command.key, command.line = event[1], event[2], event[3]
        yield command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*")
    parser.add_argument("--logins", action="store_true", help="in this machine's own network, where the kernel tells of logins")
    parser.add_argument("--agent", default=str(sandbox.AGENT))
    arguments = parser.parse_args()
    folders = [RULES / name for name in arguments.rules] or sorted(path.parent for path in RULES.glob("*/commands.txt"))
    # What was seen before is told again: each command counts.
    with sandbox.Sandbox(agent=True, program=arguments.agent, more_settings=SETTINGS, network=not arguments.logins) as machine:
        machine.prepare(PREPARE)
        if machine.network:
            machine.prepare("ip link add wire1 type veth peer name wire2; ip link add wire3 type veth peer name wire4")
        wanted = [command for folder in folders for command in commands_of(folder)]
        for command in wanted:
            if command.event != "ProcessCreate":
                machine.settle()
            command.begin = len(machine.events())
            command.pid = machine.run(command.argv, timeout_s=40, cwd="/").pid
        machine.settle()
        time.sleep(2)  # files and ports are told a little later than processes
        events = machine.events()
    missing, out = 0, {}
    for command in wanted:
        item = command.of(events)
        if item is None:
            missing += 1
            print(f"{command.folder.name}: the agent did not see: {command.line}", file=sys.stderr)
            continue
        out.setdefault(command.folder, []).append({"event": command.event, "match": command.match, "payload": command.kept(item)})
    for folder, examples in out.items():
        text = "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
        (folder / "examples.jsonl").write_text(text)
    print(f"{len(wanted) - missing} of {len(wanted)} commands recorded for {len(out)} rules")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
