"""Transports: what a link runs on. One file per name; `registry.names("transport")` lists them.

Besides ``Options`` and ``Link`` a module may say, in capitals, what the configuration has to know of it:

- ``IS_DEVICE``: whether it is an end that somebody must be permitted, by name, to write to (default: yes, which is the safe answer);
- ``TAKES_DATA``: whether anything can be written to it (default: yes; a capture takes nothing);
- ``DEFAULT_CODEC``: the codec of a link that names none (default: ``raw``);
- ``IMPLIED_BY``: for a transport of others, the keys that mean it where a section has no ``transport``, as ``("command",)``.

Two functions may say more of its options: ``warnings(options)``, what works and is probably not meant, and ``absent(options)``, what
they name that is not there now, which only ``--check`` asks. Each gives a list of texts.
"""
