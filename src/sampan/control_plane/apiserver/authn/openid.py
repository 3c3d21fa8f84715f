"""The issuer's public documents, so that others can verify our service account tokens (OpenID Connect Discovery).

kubernetes pkg/serviceaccount/openidmetadata.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import orjson

from sampan.base.pki import jwks

CONFIGURATION_PATH: Final = "/.well-known/openid-configuration"
JWKS_PATH: Final = "/openid/v1/jwks"
CONFIGURATION_TYPE: Final = "application/json"
JWKS_TYPE: Final = "application/jwk-set+json"
MAX_AGE: Final = 3600  # seconds; for Cache-Control: public, max-age=


class Documents(NamedTuple):
    """Bodies as they go out, made once."""

    configuration: bytes
    key_set: bytes


def documents(issuer: str, jwks_uri: str, public_pems: Iterable[bytes]) -> Documents:
    """issuer: the `iss` of our tokens; jwks_uri: an https URL where the key set can be had."""
    key_set = jwks.document(public_pems)
    configuration = {
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": jwks.algorithms(key_set),
    }
    return Documents(orjson.dumps(configuration), orjson.dumps(key_set))
