#!/usr/bin/env python3
"""Records the examples of rules from real executions.

    sudo tools/rules/record.py [RULE...] [--agent PROGRAM]

For each folder below content/rules with a commands.txt, every command is executed in a sandbox of its own (mount, network,
pid and IPC namespaces; the file system is an overlay whose changes are thrown away) while the agent watches; what the
agent would send of it becomes examples.jsonl. Programs that this machine lacks, or that must not do their work, are
stand-ins that end at once: the kernel sees the same exec.
"""
import argparse, json, os, pathlib, shlex, shutil, signal, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "content" / "rules"
# Programs that are never really run here: they would do harm, wait, or are not there.
STAND_INS = """iptables ufw nft systemctl service chisel auditctl pkill ssh socat nc git docker podman dockerd useradd usermod
nmap hydra masscan john gcore gcc cc journalctl wget curl setsid nohup truncate openssl ping""".split()
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


class Agent:
    """The real agent without a hub; what it would send is read from its control socket."""

    def __init__(self, program, folder):
        self.folder = folder
        config = folder / "agent.toml"
        # No hub listens there: certificates are asked for, and any will do.
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                        "-subj", "/CN=recorder", "-keyout", "/dev/null", "-out", str(folder / "ca.crt")], check=True, capture_output=True)
        config.write_text(f'''connection_string_file = "{folder}/cs"
ca_file = "{folder}/ca.crt"
data_dir = "{folder}/data"
status_socket = "{folder}/run/agent.sock"
''')
        key = "A" * 43 + "="
        (folder / "cs").write_text(f"HostName=localhost;DeviceId=recorder;ModuleId=DefenderIotMicroAgent;SharedAccessKey={key}\n")
        for path in (config, folder / "cs"):
            path.chmod(0o600)
        (folder / "data").mkdir()
        (folder / "run").mkdir()
        self.process = subprocess.Popen([program, "run", "--config", str(config)], stdout=subprocess.DEVNULL,
                                        stderr=(folder / "log").open("wb"))
        self.events = subprocess.Popen([program, "events", "--follow", "--config", str(config)],
                                       stdout=(folder / "events").open("wb"), stderr=subprocess.DEVNULL) if self.wait() else None

    def wait(self):
        for _ in range(200):
            if (self.folder / "run" / "agent.sock").exists():
                return True
            time.sleep(0.1)
        sys.exit(f"record.py: the agent did not start: {(self.folder / 'log').read_text()}")

    def stop(self):
        for process in (self.events, self.process):
            process.send_signal(signal.SIGTERM)
            process.wait()


def commands_of(folder):
    for line in (folder / "commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line[0] == "+", shlex.split(line[2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*")
    parser.add_argument("--agent", default=str(ROOT / "build" / "release" / "bin" / "picket-agent"))
    arguments = parser.parse_args()
    folders = [RULES / name for name in arguments.rules] or sorted(path.parent for path in RULES.glob("*/commands.txt"))
    with tempfile.TemporaryDirectory() as name:
        temporary = pathlib.Path(name)
        programs = temporary / "bin"
        programs.mkdir()
        stand_ins(programs)
        agent = Agent(arguments.agent, temporary)
        wanted = []
        try:
            time.sleep(2)
            for folder in folders:
                for expected, argv in commands_of(folder):
                    run_in_sandbox(argv, programs)
                    wanted.append((folder, expected, " ".join(argv)))
            time.sleep(5)
        finally:
            agent.stop()
        seen = {}
        for line in (temporary / "events").read_text(errors="replace").splitlines():
            parts = line.split(" ", 3)  # time, priority, name, payload
            if len(parts) < 4 or parts[2] != "ProcessCreate":
                continue
            try:
                items = json.loads(parts[3])
            except ValueError:
                continue  # cut at the end
            for item in items:
                seen.setdefault(item.get("CommandLine"), cleaned(item))
        missing = 0
        out = {}
        for folder, expected, line in wanted:
            item = seen.get(line)
            if item is None:
                missing += 1
                print(f"{folder.name}: the agent did not see: {line}", file=sys.stderr)
                continue
            out.setdefault(folder, []).append({"event": "ProcessCreate", "match": expected, "payload": item})
        for folder, examples in out.items():
            text = "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
            (folder / "examples.jsonl").write_text(text)
        print(f"{len(wanted) - missing} of {len(wanted)} commands recorded for {len(out)} rules")
        return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
