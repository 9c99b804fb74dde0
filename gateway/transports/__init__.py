"""Transports: what a link runs on. One file per name; `registry.names("transport")` lists them.

Besides ``Options`` and ``make_link`` a module may say, in capitals, what the configuration has to know of it:

- ``IS_DEVICE``: whether it is an end that somebody must be permitted, by name, to write to (default: yes, which is the safe answer);
- ``TAKES_DATA``: whether anything can be written to it (default: yes; a capture takes nothing);
- ``DEFAULT_CODEC``: the codec of a link that names none (default: ``raw``);
- ``IMPLIED_BY``: the keys that mean it where a section has no ``transport``, as ``("device",)`` (default: none);
- ``ALSO_CALLED``: what users write in place of its name, as ``("uart", "tty")``; they are told the right one (default: none).
- ``PLACES``: the keys whose values no two links can have, or that lead to another link, each with ``"listens"``, ``"connects"`` or
  ``"opens"``, as ``{"listen": "listens"}``; ``"reads"`` for what many can have (default: none);
- ``SHARED_BY``: the key by which links that listen on one address are told apart, as ``"path"`` (default: they cannot share it).

These are literals at the top of the file, so that `registry.declared` reads them without importing it.

Three functions may say more of its options: ``warnings(options)``, what works and is probably not meant; ``absent(options)``, what they
name that is not there now, which only ``--check`` asks; and ``exposures(options)``, what they open to strangers. The first two give lists
of texts, the last a list of `config.exposures.Exposure`.
"""
