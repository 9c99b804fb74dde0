"""The speed of the gateway and of its peers, measured in the same run. ``python -m benchmarks`` runs one round, ``--full`` five."""
