"""Guards over the whole tree: each is a pure function over sources, and each is shown to fail on a bad tree."""
