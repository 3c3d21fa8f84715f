"""Between HTTP and objects: what a client sends and how it wants to see what it gets.

`accept` reads the Accept header, `body` decodes what was sent, `options` the query parameters, `represent` makes the
forms of an object (as it is, of another version, Table, metadata only), `answer` makes responses.
What may not be here: reading and writing of the store.
"""
