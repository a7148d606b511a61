#!/usr/bin/env python3
"""Executes the steps of atomics.tsv, each under the agent, and tells which raised an alert that names their technique.

    sudo tests/real/atomics.py [--originals FOLDER] [--keep FOLDER] [--table FILE] [WORD...]

--originals: a copy of Atomic Red Team; its own commands for the same ids are run. WORD: only techniques or ids that begin so.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "rules"))
import sandbox  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
REPLAY = pathlib.Path(os.environ.get("PICKET_REPLAY", sandbox.ROOT / "build/release/bench/pipeline_replay"))
# Each repeat of an event is one: what one step did must not make the next one silent.
SETTINGS = "[collectors.process]\ncache = 1\n[collectors.file_system]\ncache = 1\n"
NETWORK = "ip address add 192.168.1.1/32 dev lo; ip route add local 192.168.1.0/24 dev lo"
BEFORE = """
mkdir -p /root/.ssh /root/.aws /tmp/folder /var/spool/cron/crontabs /tmp/AtomicRedTeam/atomics/T1222.002
touch /tmp/thing /tmp/AtomicRedTeam/atomics/T1222.002/T1222.002.yaml /root/.bashrc /root/.profile
for f in /var/log/syslog /var/log/messages /var/log/secure /var/log/security /root/.bash_history /root/.history; do echo one > $f; done
for f in /etc/rsyslog.conf /etc/audit/auditd.conf /etc/systemd/journald.conf; do mkdir -p ${f%/*}; [ -e $f ] || echo '#Storage=auto' > $f; done
echo 'ssh-ed25519 AAAA owner' > /root/.ssh/authorized_keys
for name in art guest visitor returner; do userdel -rf $name 2>/dev/null; done; useradd guest; true
"""


@dataclasses.dataclass
class Step:
    technique: str
    guid: str
    shell: str
    command: str
    alerts: list = dataclasses.field(default_factory=list)

    @property
    def right(self) -> list:
        return [alert for alert in self.alerts if self.technique in alert["techniques"]]


def own_steps() -> list[Step]:
    lines = (HERE / "atomics.tsv").read_text().splitlines()
    return [Step(*line.split("\t", 3)) for line in lines if line and not line.startswith("#")]


def original_steps(folder: pathlib.Path) -> list[Step]:
    import yaml
    wanted = {step.guid for step in own_steps()}
    out = []
    for path in sorted(folder.rglob("T*.yaml")):
        document = yaml.safe_load(path.read_text())
        for test in document.get("atomic_tests", []) if isinstance(document, dict) else []:
            if test.get("auto_generated_guid") not in wanted:
                continue
            command = test["executor"]["command"].strip()
            for name, argument in (test.get("input_arguments") or {}).items():
                command = command.replace(f"#{{{name}}}", str(argument.get("default")))
            out.append(Step(document["attack_technique"], test["auto_generated_guid"], test["executor"]["name"], command))
    return out


def execute(steps: list[Step], keep: pathlib.Path, program: pathlib.Path = sandbox.AGENT) -> None:
    with sandbox.Sandbox(agent=True, program=program, more_settings=SETTINGS) as machine:
        machine.prepare(NETWORK)
        for step in steps:
            machine.prepare(BEFORE)
            machine.settle()
            begin = len(machine.events())
            process = machine.run([step.shell, "-c", step.command], timeout_s=15)
            machine.settle()
            told = machine.events()[begin:]
            own = sandbox.started_by(told, process.pid)
            files = [(when, what, sandbox.cleaned(item)) for when, what, item in told if what in ("FileSystem", "LocalUsers")]
            # Commands that run on and on tell the same again.
            lines = sorted({sandbox.line_of(event) for event in own + files})[:2000]
            (keep / f"{step.guid}.events").write_text("".join(line + "\n" for line in lines))


def judge(steps: list[Step], keep: pathlib.Path) -> None:
    by_guid = {step.guid: step for step in steps}
    done = subprocess.run([REPLAY, *(keep / f"{step.guid}.events" for step in steps)], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        alert = json.loads(line)
        by_guid[alert["file"]].alerts.append(alert)


def table(steps: list[Step]) -> str:
    out = ["| technique | raised | of | alerts |", "|---|---|---|---|"]
    for technique in sorted({step.technique for step in steps}):
        mine = [step for step in steps if step.technique == technique]
        alerts = sorted({alert["type"].removeprefix("IoT_") for step in mine for alert in step.right})
        out.append(f"| {technique} | {sum(bool(step.right) for step in mine)} | {len(mine)} | {', '.join(alerts)} |")
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--originals", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--agent", default=sandbox.AGENT)
    arguments = parser.parse_args()
    steps = original_steps(arguments.originals) if arguments.originals else own_steps()
    if arguments.words:
        steps = [step for step in steps if step.guid.startswith(tuple(arguments.words)) or step.technique.startswith(tuple(arguments.words))]
    with tempfile.TemporaryDirectory() as temporary:
        keep = arguments.keep or pathlib.Path(temporary)
        keep.mkdir(parents=True, exist_ok=True)
        execute(steps, keep, arguments.agent)
        judge(steps, keep)
    for step in steps:
        if not step.right:
            print(f"{step.technique} {step.guid}: {[alert['type'] for alert in step.alerts]} of {step.command.splitlines()[0]}")
    if arguments.table:
        arguments.table.write_text(table(steps))
    right = sum(bool(step.right) for step in steps)
    print(f"{right} of {len(steps)} steps raised an alert that names their technique")
    return 0 if right * 100 >= len(steps) * 80 else 1


if __name__ == "__main__":
    sys.exit(main())
