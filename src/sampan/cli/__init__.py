"""The command `sampan`: one file per command group, each imported only when it is called.

`main` declares every command and finds the one that is meant; `show` holds output forms and colours. What may not be
here: work of its own; the rooms below do it.
"""
