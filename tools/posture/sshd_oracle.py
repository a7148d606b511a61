#!/usr/bin/env python3
"""sshd_oracle.py --agent PROGRAM [--count N] [--seed N]: rules about sshd beside sshd itself.

Makes configurations as people write them (capitals, quotes, "=", comments, lines twice, files that are included), asks
"sshd -T" what they come to, and the agent for its verdicts: both must agree on every key. Exit code 77: no sshd here, or none that answers.
"""
import argparse
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/baseline"))
from compile import Compiler, load_rules  # noqa: E402

WEAK_MACS = {"hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96", "umac-64@openssh.com", "umac-128@openssh.com",
             "hmac-md5-etm@openssh.com", "hmac-sha1-etm@openssh.com", "umac-64-etm@openssh.com", "umac-128-etm@openssh.com"}
WEAK_KEX = {"diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1"}


def none_of(weak):
    return lambda value: not set(value.split(",")) & weak


# Key -> rule, values to try, whether what sshd comes to is what the rule wants.
KEYS = {
    "PermitRootLogin": ("PKT-SSH-010", ["yes", "no", "prohibit-password", "without-password", "forced-commands-only"], lambda v: v == "no"),
    "X11Forwarding": ("PKT-SSH-006", ["yes", "no"], lambda v: v == "no"),
    "IgnoreRhosts": ("PKT-SSH-008", ["yes", "no", "shosts-only"], lambda v: v == "yes"),
    "PermitEmptyPasswords": ("PKT-SSH-011", ["yes", "no"], lambda v: v == "no"),
    "MaxAuthTries": ("PKT-SSH-007", ["1", "4", "5", "10"], lambda v: int(v) <= 4),
    "LoginGraceTime": ("PKT-SSH-017", ["60", "1m", "2m", "0", "90"], lambda v: 1 <= int(v) <= 60),
    "ClientAliveInterval": ("PKT-SSH-016", ["0", "300", "5m", "1h", "900", "901"], lambda v: 1 <= int(v) <= 900),
    "MaxSessions": ("PKT-SSH-023", ["5", "10", "11"], lambda v: int(v) <= 10),
    "LogLevel": ("PKT-SSH-005", ["INFO", "QUIET", "verbose", "DEBUG3"], lambda v: v in ("INFO", "VERBOSE")),
    "HostbasedAuthentication": ("PKT-SSH-009", ["yes", "no"], lambda v: v == "no"),
    "AllowTcpForwarding": ("PKT-SSH-021", ["yes", "no", "local", "all"], lambda v: v == "no"),
    "PermitUserEnvironment": ("PKT-SSH-012", ["yes", "no", "LANG"], lambda v: v == "no"),
    "PasswordAuthentication": ("PKT-SSH-024", ["yes", "no"], lambda v: v == "no"),
    "Banner": ("PKT-SSH-019", ["none", "/etc/issue.net"], lambda v: v.startswith("/")),
    "MACs": ("PKT-SSH-014", ["hmac-sha2-512", "hmac-sha2-256,hmac-sha1", "-hmac-sha1", "-hmac-sha1*,umac-*", "-*sha1*,umac-64*,umac-128*",
                             "+hmac-md5", "^hmac-sha2-512"], none_of(WEAK_MACS)),
    "KexAlgorithms": ("PKT-SSH-015", ["curve25519-sha256", "curve25519-sha256,diffie-hellman-group14-sha1", "-diffie*",
                                      "+diffie-hellman-group14-sha1", "^diffie-hellman-group1-sha1"], none_of(WEAK_KEX)),
}


def some_line(dice):
    key = dice.choice(list(KEYS))
    value = dice.choice(KEYS[key][1])
    value = f'"{value}"' if dice.random() < 0.25 else value
    name = dice.choice([key, key, key.lower(), key.upper()])
    between = dice.choice([" ", " ", "\t", "  ", "=", " = ", " ="])
    return dice.choice(["", "", "", "  ", "\t", "#", "# "]) + name + between + value + dice.choice(["", "", "", " ", " # x", "\r"])


def configuration(dice):
    """Lines of sshd_config, and of a file in sshd_config.d that it may include."""
    main = [some_line(dice) for _ in range(dice.randrange(1, 16))]
    if dice.random() < 0.6:
        main.insert(dice.randrange(len(main) + 1), "Include " + dice.choice(["/etc/ssh/sshd_config.d/*.conf", "sshd_config.d/*.conf"]))
    return main, [some_line(dice) for _ in range(dice.randrange(0, 6))]


def what_sshd_says(sshd, root, main, key):
    """Key in small letters -> value; None: it takes no such configuration."""
    place = f"Include {root}/etc/ssh/sshd_config.d/*.conf"
    path = Path(root, "for-sshd")
    path.write_text("\n".join(place if line.startswith("Include") else line for line in main) + "\n")
    done = subprocess.run([sshd, "-T", "-f", path, "-h", key], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return None
    out = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(" ")
        out.setdefault(name, value)
    return out


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--agent", required=True)
    arguments.add_argument("--count", type=int, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if sshd is None or os.getuid() != 0:
        print("no sshd here, or not root")
        sys.exit(77)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # it wants its folder, also only to say what it would do
    dice, checked, refused, wrong = random.Random(options.seed), 0, 0, []
    with tempfile.TemporaryDirectory(prefix="picket-sshd-") as folder:
        key, content = f"{folder}/key", f"{folder}/rules.bin"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        wanted, compiler = {rule for rule, _, _ in KEYS.values()}, Compiler()
        compiler.add([each for path in glob.glob(str(ROOT / "content/baseline/*.yaml")) for each in load_rules(path) if each["id"] in wanted])
        Path(content).write_bytes(compiler.file("sshd"))
        for number in range(options.count):
            root = f"{folder}/{number}"
            os.makedirs(f"{root}/etc/ssh/sshd_config.d")
            main_lines, included = configuration(dice)
            Path(root, "etc/ssh/sshd_config").write_text("\n".join(main_lines) + "\n")
            Path(root, "etc/ssh/sshd_config.d/a.conf").write_text("\n".join(included) + "\n")
            said = what_sshd_says(sshd, root, main_lines, key)
            if said is None:
                refused += 1
                continue
            done = subprocess.run([options.agent, "baseline", "--root", root, "--content", content, "--config", "/dev/null", "--format",
                                   "json", "--set", "collectors.baseline.level=2"], capture_output=True, text=True, timeout=60)
            ours = {each["id"]: each for each in json.loads(done.stdout)["results"]}
            for name, (rule, _, is_right) in KEYS.items():
                value = said.get(name.lower())
                if value is None:  # a version that no longer knows it
                    continue
                checked += 1
                if (ours[rule]["result"] == "PASS") != is_right(value):
                    wrong.append(f"{rule}: sshd comes to {name} {value}, the agent to {ours[rule]['result']} ({ours[rule]['observed']}) of:\n  "
                                 + "\n  ".join([*main_lines, "-- included:", *included]))
    print("\n".join(wrong[:5]))
    print(f"{options.count} configurations, {refused} of which sshd takes none, {checked} verdicts, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0 if checked else 77)


if __name__ == "__main__":
    main()
