# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""The exec credential plugin of EKS: a kubeconfig carries the text of PROGRAM, and every client runs it by `python -c`.

It does what `aws eks get-token` does (a presigned GetCallerIdentity of STS that lives 60 seconds, with the cluster's name in a signed header; the API server
takes it for 15 minutes), without the AWS CLI. Arguments: cluster, region, URL of STS, and a profile, which may be empty. The keys come from the environment,
the profile or the instance, as botocore finds them.

Every task and every Helm begins with it, so it loads no more than it needs. Keys of the environment are taken as botocore's EnvProvider does, which is asked
first; only other keys need botocore. The signature is AWS' Signature Version 4 for a query, which never changes; a test compares it with botocore's.
Source: botocore.auth.SigV4QueryAuth, and the IAM User Guide, "Create a signed AWS API request".
"""

from __future__ import annotations

# An error names what is missing, and quotes nothing that AWS or a credential process has said: that may carry what was signed.
# The current directory is no place to import from: `python -c` would look there first.
PROGRAM = r"""
import sys
sys.path[:] = [place for place in sys.path if place]
import gc
gc.disable()
import base64, hashlib, hmac, json, os, time
from urllib.parse import quote, urlsplit
cluster, region, endpoint, profile = sys.argv[1:5]

def keys():
    said = os.environ.get
    found = said("AWS_ACCESS_KEY_ID"), said("AWS_SECRET_ACCESS_KEY"), said("AWS_SECURITY_TOKEN") or said("AWS_SESSION_TOKEN")
    other = profile or said("AWS_PROFILE") or said("AWS_DEFAULT_PROFILE") or said("AWS_CREDENTIAL_EXPIRATION")
    return found if found[0] and found[1] and not other else keys_of_botocore()

def keys_of_botocore():
    try:
        from botocore.exceptions import NoCredentialsError, PartialCredentialsError, ProfileNotFound
        from botocore.session import Session
    except ImportError as error:
        sys.exit("No token for the EKS cluster %s: %s cannot import botocore; install boto3 for it." % (cluster, sys.executable))
    try:
        credentials = Session(profile=profile or None).get_credentials()
        if credentials is None:
            raise NoCredentialsError()
        return tuple(credentials.get_frozen_credentials())[:3]
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        sys.exit("No token for the EKS cluster %s: %s. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE for this task too." % (cluster, error))
    except Exception as error:
        code = (getattr(error, "response", None) or dict()).get("Error", dict()).get("Code") or type(error).__name__
        sys.exit("No token for the EKS cluster %s: AWS credentials could not be had (%s): renew them, or correct the profile." % (cluster, code))

def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)

def presigned(access_key, secret_key, session_token, moment):
    place = urlsplit(endpoint)
    host = "[%s]" % place.hostname if ":" in place.hostname else place.hostname
    if place.port and (place.scheme, place.port) not in (("http", 80), ("https", 443)):
        host += ":%d" % place.port
    path = place.path.rstrip("/") + "/"
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    scope = [now[:8], region, "sts", "aws4_request"]
    query = [
        ("Action", "GetCallerIdentity"),
        ("Version", "2011-06-15"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", "/".join([access_key] + scope)),
        ("X-Amz-Date", now),
        ("X-Amz-Expires", "60"),
        ("X-Amz-SignedHeaders", "host;x-k8s-aws-id"),
    ]
    if session_token:
        query.append(("X-Amz-Security-Token", session_token))
    query = ["%s=%s" % (name, quote(value, safe="-_.~")) for name, value in query]
    headers = ["host:" + host, "x-k8s-aws-id:" + " ".join(cluster.split()), ""]
    asked = ["GET", quote(path, safe="/~"), "&".join(sorted(query))] + headers + ["host;x-k8s-aws-id", hashlib.sha256().hexdigest()]
    text = ["AWS4-HMAC-SHA256", now, "/".join(scope), hashlib.sha256("\n".join(asked).encode()).hexdigest()]
    key = ("AWS4" + secret_key).encode()
    for part in scope:
        key = sign(key, part).digest()
    return "%s://%s%s?%s&X-Amz-Signature=%s" % (place.scheme, place.netloc, path, "&".join(query), sign(key, "\n".join(text)).hexdigest())

moment = time.time()
token = "k8s-aws-v1." + base64.urlsafe_b64encode(presigned(*keys(), moment).encode()).decode().rstrip("=")
status = dict(token=token, expirationTimestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment + 14 * 60)))
print(json.dumps(dict(apiVersion="client.authentication.k8s.io/v1", kind="ExecCredential", spec=dict(), status=status)))
""".lstrip()

__all__ = ("PROGRAM",)
