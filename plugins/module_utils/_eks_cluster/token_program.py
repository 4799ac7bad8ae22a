# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The exec credential plugin of EKS: a kubeconfig carries the text of PROGRAM, and every client runs it by `python -c`.

It does what `aws eks get-token` does (a presigned GetCallerIdentity of STS that lives 60 seconds, with the cluster's name in a signed header; the API server
takes it for 15 minutes), without the AWS CLI and in half of its time: it signs without loading AWS' service models. Arguments: cluster, region, URL of STS,
and a profile, which may be empty. The keys come from the environment, the profile or the instance, as botocore finds them.
"""

from __future__ import annotations

from .._k8s.redaction import PUBLIC_ARGUMENTS

# An error names what is missing, and quotes nothing that AWS or a credential process has said: that may carry what was signed.
# The current directory is no place to import from: `python -c` would look there first.
PROGRAM = (
    PUBLIC_ARGUMENTS
    + r"""
import sys
sys.path[:] = [place for place in sys.path if place]
import gc
gc.disable()
cluster, region, endpoint, profile = sys.argv[1:5]
try:
    import base64, datetime, json
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError, ProfileNotFound
    from botocore.session import Session
except ImportError as error:
    sys.exit("No token for the EKS cluster %s: %s cannot import botocore; install boto3 for it." % (cluster, sys.executable))
try:
    credentials = Session(profile=profile or None).get_credentials()
    if credentials is None:
        raise NoCredentialsError()
    url = endpoint.rstrip("/") + "/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": cluster})
    SigV4QueryAuth(credentials.get_frozen_credentials(), "sts", region, expires=60).add_auth(request)
    token = "k8s-aws-v1." + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=14)
    status = dict(token=token, expirationTimestamp=expires.strftime("%Y-%m-%dT%H:%M:%SZ"))
    print(json.dumps(dict(apiVersion="client.authentication.k8s.io/v1", kind="ExecCredential", spec=dict(), status=status)))
except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
    sys.exit("No token for the EKS cluster %s: %s. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE for this task too." % (cluster, error))
except Exception as error:
    code = (getattr(error, "response", None) or dict()).get("Error", dict()).get("Code") or type(error).__name__
    sys.exit("No token for the EKS cluster %s: AWS credentials could not be obtained (%s): renew them, or correct the profile." % (cluster, code))
""".lstrip()
)

__all__ = ("PROGRAM",)
