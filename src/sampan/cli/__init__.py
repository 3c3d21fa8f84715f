"""The command `sampan`: one file per command group, each imported only when called.
"""
