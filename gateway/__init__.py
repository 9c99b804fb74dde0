"""The gateway: packets from serial devices, whole, to any number of clients, and commands back."""

__version__ = "0.1.0"
