"""The whole cluster under programs that nobody here wrote: the real kubectl and the real helm.

Here: what their users do, command by command, on real pods. Not here: the API server alone (conformance/kubectl).
"""
