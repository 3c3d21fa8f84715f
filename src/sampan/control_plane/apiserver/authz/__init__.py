"""May they: RBAC, the node authorizer, the privileged group, and the access reviews.

Here: `model` (Attributes, Decision, Authorizer), the rules compiled from roles and bindings, the bootstrap policy of
Kubernetes 1.37, escalation checks as a pure function, the bodies of the *AccessReview kinds.
Not here: who the user is, and no writing: what has to be created or changed is returned as objects.
Spec: kubernetes.io/docs/reference/access-authn-authz/{authorization,rbac,node}, v1.37.
"""
