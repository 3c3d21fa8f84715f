"""What a permitted write may look like: the ordered chain between authorization and storage.

Here: `model` (Request, Plugin and its two phases), `chain` (order, phases, time-outs, reinvocation) and one module per
plug-in, named as upstream names the plug-in. Not here: defaults and validation of the kinds themselves.
Spec: kubernetes.io/docs/reference/access-authn-authz/admission-controllers, v1.37.
"""
