"""How fast the gateway is, beside its peers in the same run. ``python -m benchmarks`` is the short form, ``--full`` the long one."""
