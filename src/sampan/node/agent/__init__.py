"""The node agent: makes the pods that are bound to this node run, over any container runtime that speaks CRI.

Pure: `plan` (what to do next for a pod), `status` (what to tell the API), `translate` (pod to CRI), `environment`,
`resources`, `node` (the Node object), `volumes.payload`. Effects, for one pod: `worker` (the loop), `observing`, `preparing`
(volumes, sandbox), `starting`, `ending`, `probes` and `watching`, `reporter`. For the node: `agent`, `registration`, `images`,
`references` (config maps and secrets that pods use), `tokens`, `logs`, `stats`, `server` and `streaming`, `run` (the component).

What may not be here: a container runtime, a network, rules for packets. Behaviour follows upstream's kubelet
(k8s.io/kubernetes pkg/kubelet, v1.37).
"""
