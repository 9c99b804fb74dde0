"""A section of the INI file, running: its sessions, what they say, and what they hear."""
