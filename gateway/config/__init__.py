"""The configuration: reads the INI file, checks it, and makes the plans of its links."""
