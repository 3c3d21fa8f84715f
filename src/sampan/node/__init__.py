"""What makes a machine a node: agent, runtime, network, proxy."""
