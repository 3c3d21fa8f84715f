"""Our controllers and scheduler over real API servers: ours, and a real kube-apiserver where there is one."""
