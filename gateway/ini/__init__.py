"""The INI file: read, checked, resolved, and told about."""
