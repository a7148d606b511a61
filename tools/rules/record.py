#!/usr/bin/env python3
"""Records the examples of rules from real executions.

    sudo tools/rules/record.py [RULE...] [--agent PROGRAM]

For each folder below content/rules with a commands.txt, every command is executed in the sandbox of sandbox.py while the
agent watches; what the agent would send of it becomes examples.jsonl. Programs that this machine lacks, or that must not do
their work, are stand-ins that end at once: the kernel sees the same exec.
"""
import argparse, json, pathlib, shlex, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "content" / "rules"
# Programs that are never really run here: they would do harm, wait, or are not there.
STAND_INS = """iptables ufw nft systemctl service chisel auditctl pkill ssh socat nc git docker podman dockerd useradd usermod
nmap hydra masscan john gcore gcc cc journalctl wget curl setsid nohup truncate openssl ping
reboot shutdown halt poweroff modprobe kubectl xclip xsel xset xdpyinfo timedatectl chsh ufw crontab visudo""".split()
PREPARE = r"""
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


def cleaned(item):
    """Without what is of the machine that recorded."""
    item = {key: value for key, value in item.items() if key not in ("GrandparentExecutable", "ParentCommandLine")}
    return json.loads(json.dumps(item).replace("/mnt/all", "").replace('""', '"/"'))


def commands_of(folder):
    for line in (folder / "commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line[0] == "+", shlex.split(line[2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*")
    parser.add_argument("--agent", default=str(sandbox.AGENT))
    arguments = parser.parse_args()
    folders = [RULES / name for name in arguments.rules] or sorted(path.parent for path in RULES.glob("*/commands.txt"))
    wanted = []
    # What was seen before is told again: each command counts.
    with sandbox.Sandbox(agent=True, program=arguments.agent, more_settings="[collectors.process]\ncache = 1\n") as machine:
        machine.prepare(PREPARE)
        for folder in folders:
            for expected, argv in commands_of(folder):
                wanted.append((folder, expected, argv, machine.run(argv, timeout_s=20, cwd="/").pid))
        machine.settle()
        events = machine.events()
    missing, out = 0, {}
    for folder, expected, argv, pid in wanted:
        line = " ".join(argv)
        item = next((item for _, name, item in sandbox.started_by(events, pid)
                     if name == "ProcessCreate" and item.get("CommandLine") == line), None)
        if item is None:
            missing += 1
            print(f"{folder.name}: the agent did not see: {line}", file=sys.stderr)
            continue
        out.setdefault(folder, []).append({"event": "ProcessCreate", "match": expected, "payload": cleaned(item)})
    for folder, examples in out.items():
        text = "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
        (folder / "examples.jsonl").write_text(text)
    print(f"{len(wanted) - missing} of {len(wanted)} commands recorded for {len(out)} rules")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
