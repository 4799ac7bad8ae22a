"""Shield Advanced: whether an account has subscribed to it. In life that is a commitment for a year, so a rehearsal cannot make one."""

from __future__ import annotations

import json
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.shield.models import ShieldBackend, Subscription, shield_backends
from moto.shield.responses import ShieldResponse


def extend() -> None:
    """Serve GetSubscriptionState, which the load balancer controller asks before it protects anything; a second call changes nothing."""

    def get_subscription_state(self: ShieldResponse) -> str:
        return json.dumps({"SubscriptionState": "ACTIVE" if self.shield_backend.subscription else "INACTIVE"})

    ShieldResponse.get_subscription_state = get_subscription_state


def subscribe(subscribed: bool, account: str = DEFAULT_ACCOUNT_ID) -> dict[str, Any]:
    """Let an account have a subscription, or none, whatever it had; returns what it has now."""
    backend: ShieldBackend = shield_backends[account]["aws"]
    backend.subscription = (backend.subscription or Subscription(account_id=account)) if subscribed else None
    return {"subscribed": backend.subscription is not None}
