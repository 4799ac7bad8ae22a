"""An object of a kind that the collection does not know."""

from __future__ import annotations

from tests.unit.objects import Object

OBJECT: Object = {
    "metadata": {"name": "it", "generation": 2, "labels": {"istio.io/rev": "1-31"}},
    "spec": {"paused": False},
    "status": {
        "phase": "Bound",
        "replicas": 3,
        "empty": [],
        "loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]},
        "conditions": [
            {
                "type": "Synced",
                "status": "True",
                "reason": "Done",
                "message": "all is well.",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-11-21T08:00:00Z",
            },
            {"type": "Degraded", "status": "False", "reason": "Fine"},
        ],
    },
}
