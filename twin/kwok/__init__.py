"""One twin: its control plane, which kwokctl runs, and its life."""
