"""The bus: who hears what, what waits, and who asks for it. Pure."""
