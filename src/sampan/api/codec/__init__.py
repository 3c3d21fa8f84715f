"""Objects to bytes and back: JSON, YAML as Go reads and writes it, and Kubernetes' protobuf envelope.

`json` and `yaml` give plain dicts, lists and scalars; `protobuf` gives the same dicts as the JSON form has, by a table of
field numbers (`protobuf_table`). Every malformed input raises `DecodeError`. What may not be here: media type
negotiation, defaults, validation.
"""

from sampan.api.codec.errors import DecodeError, EncodeError

__all__ = ["DecodeError", "EncodeError"]
