"""What makes a cluster of nodes: API server, controllers, scheduler. Each knows the others only by the API."""
