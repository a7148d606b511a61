#!/usr/bin/env python3
"""Records a working day of a healthy device: what must stay silent.

    sudo tools/rules/benign.py FOLDER [SCENE...] [--agent PROGRAM]

Each scene is executed for real in the sandbox of sandbox.py under the agent; FOLDER/SCENE.events is what the agent told of it.
bench/pipeline_replay shows what the pipeline makes of that, tests/real/test_benign.py counts it.
"""
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sandbox

ROOT = sandbox.ROOT
PACKAGES = "hello figlet sl logrotate cron ca-certificates sudo rsync passwd openssl".split()
SSHD = """useradd --create-home --shell /bin/bash clerk 2>/dev/null; echo 'clerk:correct horse' | chpasswd
mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f /tmp/host_key"""
DAEMON = "/usr/sbin/sshd -h /tmp/host_key -o ListenAddress=127.0.0.1:2023 -o UsePAM=no -o PidFile=none -f /dev/null; sleep 1\n"
SSH = "sshpass -p 'correct horse' ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p 2023 clerk@127.0.0.1"
# Name, what must be there before, what is judged, seconds.
SCENES = [
    ("packages", "mkdir -p /tmp/debs", "DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/debs/*.deb; "
     "apt-get purge -y sl; dpkg -l | tail -1; apt-get check; apt-cache policy hello; dpkg --verify hello; apt-get autoremove -y; apt-get clean", 300),
    ("build", "", "cmake -S {root} -B /tmp/build -G Ninja -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DPICKET_ONLY='base/core;mqtt' && "
     "timeout 240 ninja -C /tmp/build -j2 mqtt_test; ls -la /tmp/build; cd {root}; git status --short | head; git log --oneline | head -5; "
     "cp -r src/mqtt /tmp/mqtt; make --version; touch -r README.md /tmp/stamp; chmod +x run; find src -name '*.md' | wc -l", 400),
    ("cron", "mkdir -p /etc/cron.hourly; printf '#!/bin/sh\\nfind /tmp -name x -mtime +7 -delete\\ndf -h > /tmp/df\\n' > /etc/cron.hourly/tidy; chmod 755 /etc/cron.hourly/tidy; "
     "printf '* * * * * root /etc/cron.hourly/tidy && date >> /tmp/dates\\n' > /etc/cron.d/tidy", "timeout 75 cron -f; run-parts --report /etc/cron.hourly; run-parts --report /etc/cron.daily", 200),
    ("logrotate", "mkdir -p /var/log; for f in syslog auth.log messages dpkg.log; do seq 1000 > /var/log/$f; done", "logrotate -f /etc/logrotate.conf; logrotate -f /etc/logrotate.conf; "
     "rm -f /var/log/syslog.7.gz; journalctl --vacuum-time=30d; find /var/log -name '*.gz' -mtime +30 -delete", 60),
    ("administration", SSHD, DAEMON + "\n".join(f"{SSH} '{line}'" for line in (
        "uptime && df -h", "free -m", "systemctl status ssh", "tail -5 /var/log/dpkg.log", "ps aux | grep sshd", "ss -tln", "ip addr", "uname -a",
        "top -bn1 | head -5", "mkdir -p bin && cp /bin/true bin/check && chmod 755 bin/check && bin/check", "grep -r check bin",
        "tar czf backup.tgz bin && ls -la", "less /etc/hosts", "crontab -l", "who", "cat /etc/os-release", "journalctl -n 5", "vi --version | head -1")) +
     "\nsudo -l\nsudo systemctl restart ssh\nsudo cp /etc/motd /etc/motd.bak\nsudo tee /etc/motd < /etc/hostname\nusermod -aG dialout clerk\n"
     "passwd --status clerk\nlast -5\ndmesg | tail -3\nid clerk\nhostname", 120),
    ("backup", "", "mkdir -p /tmp/backup; rsync -a --delete /etc /tmp/backup/; rsync -a /etc /tmp/backup/; tar --warning=none -czf /tmp/backup/etc.tgz /etc; "
     "tar -tzf /tmp/backup/etc.tgz | wc -l; sha256sum /tmp/backup/etc.tgz; dpkg --get-selections > /tmp/backup/selections; "
     "find /tmp/backup -name '*.old' -mtime +14 -delete; cp -a /var/lib/dpkg /tmp/backup/; gzip -k /tmp/backup/selections; du -sh /tmp/backup", 120),
    ("daily", "", "cd /tmp; python3 -m venv v; v/bin/python -c 'import json,socket; print(json.dumps({{}}))'; v/bin/pip list; "
     "printf 'import subprocess\\nprint(subprocess.run([\"ls\",\"/\"],capture_output=True).returncode)\\n' > job.py; python3 job.py; "
     "mkdir p; cd p; printf '{{\"name\":\"p\",\"version\":\"1.0.0\",\"scripts\":{{\"test\":\"node -e 0\"}}}}' > package.json; npm --offline test; npm --offline pack; node -e 'console.log(1)'; "
     "git init -q g; cd g; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; git clone -q . ../h; perl -e 'print 1'; awk 'BEGIN{{print 1}}'; "
     "base64 /etc/hostname | base64 -d; curl -s -m 1 http://127.0.0.1:9/; wget -q -T 1 -t 1 http://127.0.0.1:9/x.tgz; sed -i s/a/b/ /tmp/job.py; nohup sleep 1", 200),
    ("update", "mkdir -p /opt/app", "printf 'new' > /opt/app/app.new; sha256sum /opt/app/app.new; chmod 755 /opt/app/app.new; mv /opt/app/app.new /opt/app/app; "
     "systemctl daemon-reload; systemctl restart app; ln -sfn /opt/app /opt/current; ldconfig; sync; rm -rf /opt/old; logger -t update done; date; hostname; touch /var/lib/app-updated", 60),
]


def record(folder: pathlib.Path, wanted: list[str], program: str) -> None:
    debs = folder / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    if not wanted or "packages" in wanted:
        subprocess.run(["apt-get", "download", *PACKAGES], cwd=debs, check=False, capture_output=True)
    with sandbox.Sandbox(agent=True, program=program) as machine:
        for name, before, script, timeout_s in SCENES:
            if wanted and name not in wanted:
                continue
            machine.prepare(before or "true")
            if name == "packages":
                archive = subprocess.run(["tar", "-cf", "-", "-C", str(debs), "."], check=True, capture_output=True).stdout
                subprocess.run([*machine.enter(), "tar", "-xf", "-", "-C", "/mnt/all/tmp/debs"], input=archive, check=True)
            machine.settle()
            begin = len(machine.events())
            machine.prepare(f"cat > /usr/local/sbin/{name}.sh <<'END'\ncd /root\n" + script.format(root=ROOT).replace("; ", "\n") + "\nEND\n")
            process = machine.run(["sh", f"/usr/local/sbin/{name}.sh"], timeout_s=timeout_s)
            machine.settle()
            told = machine.events()[begin:]
            own = sandbox.started_by(told, process.pid)
            files = [(when, what, sandbox.cleaned(item)) for when, what, item in told if what in ("FileSystem", "LocalUsers", "ListeningPorts")]
            lines = sorted({sandbox.line_of(event) for event in own + files})
            (folder / f"{name}.events").write_text("".join(line + "\n" for line in lines))
            print(f"{name}: {len(lines)} events", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--agent", default=str(sandbox.AGENT))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    record(arguments.folder.resolve(), arguments.scenes, arguments.agent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
