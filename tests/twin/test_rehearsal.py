"""An inventory for AWS is rehearsed as it is: from nothing to healthy targets, again, and in check mode."""

from __future__ import annotations

import re

from tests.twin.rehearsed import Rehearsed


def test_a_second_rehearsal_changes_nothing(prod: Rehearsed) -> None:
    done = prod.rehearse()
    assert done.returncode == 0, done.stdout[-4000:]
    assert set(re.findall(r"changed=(\d+)", done.stdout)) == {"0"}, [line for line in done.stdout.splitlines() if line.startswith("changed:")]
