"""The twin: a local control plane of real parts, on which an inventory is rehearsed before it touches a cluster."""
