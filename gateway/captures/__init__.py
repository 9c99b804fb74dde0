"""Captures of devices, played."""
