"""SQLite as a durable file: opening with the right settings, refusing what is not ours, group commit.

`file` opens and checks, `writer` is the one thread that writes. What may not be here: schemas of others.
"""
