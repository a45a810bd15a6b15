"""What a script beside this file prints as JSON, from a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def told_by(script, *given):
    """Run a script of this folder, and return what it says."""
    done = subprocess.run(
        [sys.executable, HERE / script, *given],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
