"""Helm's verbs as functions over a `Session` (client, storage, clock): install, upgrade, rollback, uninstall, test, and
what reads releases. Each takes an immutable value of options and returns the release's record.

What may not be here: flags and output; the command line has those.
"""
