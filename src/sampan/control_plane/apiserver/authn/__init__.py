"""Who is asking: from a connection and its headers to a user.

Here: `model` (User, Peer), the ordered authenticators (listener identity, client certificate, service account token,
anonymous), impersonation, issuing of bound tokens, TokenReview and SelfSubjectReview, the issuer's public documents.
Not here: what the user may do, and no socket. Everything answers from memory, within the request.
Spec: kubernetes.io/docs/reference/access-authn-authz/authentication, v1.37.
"""
