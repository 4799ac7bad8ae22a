"""A soak: random changes on a twin, waits of the module ready in the midst of them, and a judge of their verdicts that shares no code with it."""
