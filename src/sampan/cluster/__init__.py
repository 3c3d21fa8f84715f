"""The composition root: the one room that knows every other. Components in order, with reasons.
"""
