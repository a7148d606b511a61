"""Single steps of attackers, as Atomic Red Team lists them: most raise an alert that names the right technique."""
import atomics
import pytest

# Of what is executed so much must be told; docs/detection.md has the table.
RIGHT_PERCENT_MIN = 80


@pytest.mark.slow
def test_four_of_five_steps_raise_an_alert_that_names_their_technique(tmp_path):
    steps = atomics.own_steps()
    assert len(steps) >= 150
    atomics.execute(steps, tmp_path)
    atomics.judge(steps, tmp_path)
    right = sum(bool(step.right) for step in steps)
    silent = [f"{step.technique} {step.command}" for step in steps if not step.right]
    assert right * 100 >= len(steps) * RIGHT_PERCENT_MIN, "\n".join(silent)
