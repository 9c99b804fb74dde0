"""With programs of others: each test needs a Debian package that scripts/setup_peers installs."""
