"""The twin's agent: what nodes do in a real cluster and KWOK does not."""
