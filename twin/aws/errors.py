"""The errors of the EKS API; botocore finds code, status and further fields in its service model."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class EksError(ServiceException):
    """One error, with the names of what it concerns: clusterName, nodegroupName, addonName."""

    def __init__(self, message: str, **concerned: str) -> None:
        super().__init__(message)
        for field, value in concerned.items():
            setattr(self, field, value)


class NotFound(EksError):
    code = "ResourceNotFoundException"


class InUse(EksError):
    code = "ResourceInUseException"


class InvalidParameter(EksError):
    code = "InvalidParameterException"


class InvalidRequest(EksError):
    code = "InvalidRequestException"


class NotServed(EksError):
    """An operation that AWS has and the local AWS has not."""

    code = "UnknownOperationException"


class Unknown(LookupError):
    """A control path was asked for something that is not there."""
