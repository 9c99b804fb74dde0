"""The INI file: read, checked, resolved, told about, and made into the plans of its links."""
