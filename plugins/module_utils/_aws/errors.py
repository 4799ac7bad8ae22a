# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The errors of AWS: what botocore raises, in one sentence that names the operation, the region and what to do."""

from __future__ import annotations

import typing as t

from .._errors import MeshError
from .._text import quoted

try:
    from botocore import exceptions as botocore_errors

    _NO_CREDENTIALS: t.Tuple[t.Type[Exception], ...] = (
        botocore_errors.NoCredentialsError,
        botocore_errors.PartialCredentialsError,
        botocore_errors.CredentialRetrievalError,
        botocore_errors.NoAuthTokenError,
        botocore_errors.TokenRetrievalError,
        botocore_errors.SSOError,
    )
    _UNREACHABLE: t.Tuple[t.Type[Exception], ...] = (botocore_errors.HTTPClientError, botocore_errors.ConnectionError)
except ImportError:
    # AnsibleAWSModule reports that botocore is missing, before any request.
    _NO_CREDENTIALS = _UNREACHABLE = ()

# The error codes of AWS' services, by what they mean. botocore retries the first group by itself (data/_retry.json), AWSRetry after it.
THROTTLED = (
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
UNKNOWN_CREDENTIALS = (
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess")
UNAVAILABLE = ("InternalError", "InternalFailure", "InternalServerError", "ServerException", "ServiceUnavailable", "ServiceUnavailableException", "Unavailable")
_ABSENT = ("NoSuchEntity", "NoSuchHostedZone", "NotFoundException", "ResourceNotFoundException", "WAFNonexistentItemException")

# What EC2 adds to a denial: hundreds of characters that only `aws sts decode-authorization-message` can read.
_ENCODED = "Encoded authorization failure message"


class AwsError(MeshError):
    """AWS refused a call, or could not be reached.

    Attributes:
        code: AWS' error code, such as C(ResourceInUseException); for what botocore itself raises, the name of its exception.
        operation: the call as IAM names it, such as C(eks:CreateCluster).
        server_message: AWS' own message.
        status: the HTTP status, or 0 when no answer came.
    """

    def __init__(self, message: str, *, code: str, operation: str, server_message: str = "", status: int = 0, **details: t.Any) -> None:
        super().__init__(message, **details)
        self.code = code
        self.operation = operation
        self.server_message = server_message or message
        self.status = status

    @property
    def absent(self) -> bool:
        """Whether what was asked for does not exist: AWS' services have no common code for it, but a common ending."""
        return self.code in _ABSENT or self.code.endswith((".NotFound", "NotFound"))

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed a little later: no answer, the service is unavailable, or it throttles."""
        return self.code in THROTTLED or self.code in UNAVAILABLE or self.code == "Unreachable"


def explain(error: Exception, operation: str, region: str) -> AwsError:
    """The error to raise for one of botocore's; operation as IAM names it, such as C(eks:CreateCluster)."""
    where = f"{operation} in {region}" if region else operation
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        code = str(response["Error"].get("Code") or "Unknown")
        text = quoted(response["Error"].get("Message") or code).split(_ENCODED, maxsplit=1)[0].strip()
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
        return AwsError(_answered(code, text, where), code=code, operation=operation, server_message=text, status=status)
    text = quoted(error)
    code = type(error).__name__
    if isinstance(error, _NO_CREDENTIALS):
        message = (
            f"No AWS credentials could be used for {where} ({text}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE in the environment "
            "of the job, give the option profile, or run where an instance or a pod has a role."
        )
    elif isinstance(error, _UNREACHABLE):
        code = "Unreachable"
        message = f"AWS could not be reached for {where} ({text}): check the name of the region, the network and the proxy."
    elif code == "NoRegionError":
        message = f"{operation} needs a region and none is given: set the option region, or AWS_REGION in the environment of the job."
    elif code == "ProfileNotFound":
        message = f"{text}: correct the option profile or AWS_PROFILE, or add the profile to ~/.aws/config of the host that runs this task."
    elif code == "ParamValidationError":
        message = f"{where} cannot be called with these values: {text}"
    else:
        message = f"{where} failed before AWS answered ({code}: {text}): check the AWS configuration of the host that runs this task."
    return AwsError(message, code=code, operation=operation, server_message=text)


def _answered(code: str, text: str, where: str) -> str:
    if code in THROTTLED:
        return (
            f"AWS kept throttling {where} ({code}: {text}): run fewer hosts at once (forks, serial), or ask AWS for a higher quota, and run again; "
            "completed changes are kept."
        )
    if code in EXPIRED:
        return f"The AWS credentials have expired ({code} at {where}): renew them and run again; completed changes are kept."
    if code in UNKNOWN_CREDENTIALS:
        # AWS' own message would quote the signed request, with the session token in it.
        return f"AWS does not accept these credentials ({code} at {where}): check the access key, its secret, the session token and the host's clock."
    if code in DENIED:
        return f"AWS denies {where} ({code}: {text}): allow this action to the identity that runs the job."
    if code in UNAVAILABLE:
        return f"AWS could not serve {where} ({code}: {text}): run again later; completed changes are kept."
    return f"AWS refused {where} ({code}): {text}"


__all__ = ("THROTTLED", "AwsError", "explain")
