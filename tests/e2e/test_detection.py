"""Rules and detectors from the kernel to the alert: published triggers executed for real, rules of an operator."""

import importlib.util
import os
import pathlib
import shlex
import subprocess

import pytest
from picket_agent import Agent
from picket_server import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the agent's best tiers and the sandbox need root")

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("record", ROOT / "tools" / "rules" / "record.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)

# The public trigger list of the original's alerts, each with the type it must raise.
TRIGGERS = {
    "useradd aaa -g 0": "IoT_SuspiciousUseradd",
    "docker run redis --privileged": "IoT_PrivilegedContainer",
    "service auditd stop": "IoT_DisableAuditdLogging",
    "nohup cat /tmp": "IoT_SuspiciousNohup",
    "rm /var/log/lastlog": "IoT_RemovelOfSystemLogs",
    "touch test.GNNCRY": "IoT_Ransomware",
    "cp /bin/netstat a": "IoT_OverrideLinuxFiles",
    "touch d-bus notifier": "IoT_LinuxBackdoor",
    "rm -rf /data/": "IoT_FairwareMalware",
    "bash /dev/tcp/": "IoT_EgressData",
    "touch f0VMRgIBAQ": "IoT_BinaryCommandLine",
    "touch RTEGFN01.dat": "IoT_CommonBots",
    "sh -c 'curl http://127.0.0.1:9/ | sh'": "IoT_DownloadFileThenRun",
    "git clone https://example.org/x/cpuminer": "IoT_CryptoMiner",
    "curl pastebin.com": "IoT_PossibleMalware",
    "uname -n -s -r -v": "IoT_LinuxReconnaissance",
    "bash -c 'history -c'": "IoT_ClearHistoryFile",
    "python3 -c 'import socket,os; s=socket.socket(); (os.dup2, \"/bin/sh\")'": "IoT_ReverseShell",
}


@pytest.fixture
def agent(server, tmp_path):
    made = Agent(tmp_path / "agent", server, "press-17").start().wait_connected()
    yield made
    made.stop()


def test_published_triggers_executed_for_real_raise_their_alerts(agent, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    record.stand_ins(programs)
    for command in TRIGGERS:
        record.run_in_sandbox(shlex.split(command), programs)
    for command, alert in TRIGGERS.items():
        found = wait_for(lambda alert=alert: agent.server.alerts(type=alert), 60, f"{alert} after {command}")
        one = agent.server.get(f"/alerts/{found[0]['id']}")
        assert one["remediationSteps"] and one["techniques"], alert


RULE = """title: Word of This Test
id: 7f0f5b52-6c1a-4a6e-8e55-5f0d6f3f0c77
author: Somebody Else
license: DRL-1.1
logsource: {category: process_creation, product: linux}
detection:
  selection: {CommandLine|endswith: operators-word}
  condition: selection
level: high
"""


def test_a_rule_of_an_operator_is_imported_explained_switched_and_taken_away(agent, tmp_path):
    server = agent.server
    alert = "Sigma_7f0f5b52-6c1a-4a6e-8e55-5f0d6f3f0c77"
    path = tmp_path / "mine.yml"
    path.write_text(RULE + "---\ntitle: Broken\nlogsource: {product: linux}\ndetection: {condition: nothing}\n")
    imported = server.cli("rule", "import", str(path))
    assert "1 rules of 1 files" in imported.stdout
    assert "mine.yml line" in imported.stderr, "what cannot be used is named with its place"
    assert "Word of This Test" in server.cli("rule", "list", "--added").stdout
    assert "Somebody Else" in server.cli("rule", "explain", alert.removeprefix("Sigma_")).stdout

    def provoke(number: int) -> None:
        subprocess.run(["/bin/echo", str(number), "operators-word"], stdout=subprocess.DEVNULL, check=True)

    # The pipeline is told by a record; the rule is in force when the record has its row.
    told = 'HubOperations | where Kind == "rule.set"'
    wait_for(lambda: server.scalar(f"{told} | count") > 0, 30, "the record of the import")
    provoke(1)
    found = wait_for(lambda: server.alerts(type=alert), 30, "the rule's alert")
    one = server.get(f"/alerts/{found[0]['id']}")
    assert one["severity"] == "High"
    assert one["extendedProperties"]["rule.author"] == "Somebody Else"

    server.cli("rule", "disable", alert.removeprefix("Sigma_"))
    wait_for(lambda: server.scalar(f'{told} and Details has "enabled" | count') > 0, 30, "the record of the switch")
    provoke(2)
    wait_for(lambda: agent.rows('| where EventDetails has "2 operators-word" | count') > 0, 30, "the second row")
    assert len(server.alerts(type=alert)) == 1
    server.cli("rule", "remove", "mine.yml")
    assert "No such rule" in server.cli("rule", "list", "--added").stdout


def test_nothing_can_be_used_of_a_broken_file(server, tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("title: only a title\n")
    refused = server.cli("rule", "import", str(path), check=False)
    assert refused.returncode == 1
    assert "broken.yml" in refused.stderr
