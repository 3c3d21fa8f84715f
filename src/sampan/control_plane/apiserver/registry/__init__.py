"""What is served and how an object changes: resources, and the rules of create, update and delete.

`resources` says which resources there are (built in and custom) and where they are stored, `conversion` how versions of
one kind become each other, `fields` which fields may be selected, `policies` in what kinds differ from the rule,
`metadata` what the server itself writes into an object, `store` the write path.
What may not be here: HTTP.
k8s.io/apiserver pkg/registry/generic/registry/store.go and pkg/registry/rest.
"""
