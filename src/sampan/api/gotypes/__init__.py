"""How Kubernetes' Go types shape the objects that go through them.

A Go server decodes an object into structs and encodes it again: empty lists and maps vanish, struct fields appear as {},
quantities become canonical. Clients, and the tracking of field ownership, see that shape. Here: `shape` (brings an object
into it, tells the zero values of a type) and `table` (what the schemas do not tell). Not here: defaults with a meaning.
"""
