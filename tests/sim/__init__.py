"""The whole program in a simulated world, by seed: see docs/testing.md.

`world` has time, chance and the order of events; `reactor`, `sockets`, `ttys` and `names` are what the program has of the outside.
`gateway` starts the program there, with a file of `ini`. Beside it live `actors`, devices and clients, and a `far` end that is dialed:
they speak `forms` and check what they get against a `journal`. A `setting` says what is in a run, and `scene` makes it. It is judged by
`laws`, with `books` (counters against what was seen), `waits` (outboxes, memory, gates, pauses) and `liveness`. `play` plays a seed.
`planted` has faults that must be found.
"""
