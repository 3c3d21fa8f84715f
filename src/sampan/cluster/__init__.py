"""The composition root: the one room that knows every other.

settings: what a cluster is (name, folders, addresses, ranges), kept in its data folder.
ranges, reservations: free ranges and ports, held while a cluster runs, so that clusters live side by side.
components: every component in order, with the reason for its place.
host: one process of ours: runs its components, repairs them, reports their state.
supervisor: the parent process: sockets, forks, restarts, the control socket.
actions: up, down, delete, status, as the command and the tests call them.

What may not be here: behaviour of any component; text for the terminal.
"""
