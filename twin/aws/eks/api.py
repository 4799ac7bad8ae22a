"""Every operation of the EKS API, by its name; and how moto's server comes to call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.eks import urls

from twin.aws.callers import identity_of
from twin.aws.eks import access, addons, clusters, insights, node_groups, pod_identity, tags, updates
from twin.aws.eks.call import Call
from twin.aws.eks.region import Regions
from twin.aws.errors import NotServed

OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {
    **access.OPERATIONS,
    **addons.OPERATIONS,
    **clusters.OPERATIONS,
    **insights.OPERATIONS,
    **node_groups.OPERATIONS,
    **pod_identity.OPERATIONS,
    **tags.OPERATIONS,
    **updates.OPERATIONS,
}


def serve_eks(regions: Regions) -> None:
    """Put this EKS in the place of moto's own, which knows clusters without phases and little besides."""

    class EksResponse(BaseResponse):
        def __init__(self) -> None:
            super().__init__(service_name="eks")
            self.automated_parameter_parsing = True

        def call_action(self) -> Any:
            operation = self._get_action()
            if operation is None:
                return 404, self.response_headers, ""
            region = regions.region(self.current_account, self.region)
            try:
                with region.lock:
                    region.transitions.settle()
                    caller = identity_of(self.access_key, self.region).principal
                    call = Call(regions, region, operation, dict(self.params), caller)
                    if operation not in OPERATIONS:
                        raise NotServed(f"The local AWS does not serve the EKS operation {operation}.")
                    # Serialized under the lock, as the answer may be a living record.
                    return self.serialized(ActionResult(OPERATIONS[operation](call)))
            except ServiceException as error:
                return self.serialized(ActionResult(error))

    urls.url_paths.clear()
    urls.url_paths["{0}/(?P<rest>.+)$"] = EksResponse.dispatch
