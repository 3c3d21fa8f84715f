"""Keys, certificates and signed tokens, and the folder that holds a cluster's.

Here: `keys` (make, load), `certificates` (a CA and the leaves it signs), `requests` (PKCS #10), `jwt` (signed tokens,
verified tokens remembered), `jwks`, `files` (secrets reach the disk without ever being readable by others),
`contexts` (ssl contexts), `layout` (the folder and its file names, which are kubeadm's).
Not here: who may use which certificate, and no clock: `now` is always an argument, in seconds since the epoch.
`cryptography` costs 60 ms to import, so every module imports it where it is used; reading a complete, fresh folder
and making ssl contexts do without it.
Specs: RFC 5280 (X.509), RFC 2986 (PKCS #10), RFC 7515, 7517, 7519 (JWS, JWK, JWT).
"""
