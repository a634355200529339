"""A run killed at random moments, inside a checkpoint write too, and resumed, equals one that was left alone."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "kill_resume.py"


def test_killed_and_resumed():
    run = subprocess.run([sys.executable, SCRIPT, "--kills", "3"], capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    torn = re.search(r"3 kills, (\d) inside a write", run.stdout)
    assert int(torn[1]) >= 1
