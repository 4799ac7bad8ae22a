"""IAM's OpenID Connect providers: the audiences that moto cannot change once a provider is made."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.responses import IamResponse


def extend() -> None:
    """Serve AddClientIDToOpenIDConnectProvider and its opposite; a second call changes nothing.

    As in life, to add an audience that is there, or to remove one that is not, is no error.
    """

    def client_ids(self: IamResponse) -> list[str]:
        found: list[str] = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn")).client_id_list
        return found

    def add(self: IamResponse) -> ActionResult:
        known, added = client_ids(self), self._get_param("ClientID")
        if added not in known:
            known.append(added)
        return EmptyResult()

    def remove(self: IamResponse) -> ActionResult:
        known, removed = client_ids(self), self._get_param("ClientID")
        if removed in known:
            known.remove(removed)
        return EmptyResult()

    IamResponse.add_client_id_to_open_id_connect_provider = add
    IamResponse.remove_client_id_from_open_id_connect_provider = remove
