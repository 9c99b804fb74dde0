"""The tests of the gateway; ``tests/a/test_b.py`` tests ``gateway/a/b.py``."""

from hypothesis import HealthCheck, settings

# The same examples at each run, and no limit of time: how fast this machine is today decides nothing.
settings.register_profile("suite", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
