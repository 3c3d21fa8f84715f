"""DNS messages on the wire (RFC 1035, 2181, 2308, 2782, 6891). Pure.

`wire` parses and packs messages and names. A name is its uncompressed wire form (length-prefixed labels and a final
zero), because that is what can be compared, hashed and sent. What may not be here: sockets, zones, caching.
"""
