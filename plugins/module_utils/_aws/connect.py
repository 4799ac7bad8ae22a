# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The one door to amazon.aws: its module with the options that name the account, its connections and its retries."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.botocore import boto3_inventory_conn, get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.common import set_collection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .._errors import MeshError
from .._text import message_line
from .errors import THROTTLED
from .session import AwsSession

try:
    from botocore.config import Config
except ImportError:
    # AnsibleAWSModule reports it.
    Config = None

Result = t.Dict[str, t.Any]

# botocore repeats a throttled request four times within seconds; this goes on for about a minute and a half, which outlasts a burst of a fleet.
_RETRY = {"retries": 10, "delay": 2, "backoff": 1.7, "max_delay": 20, "catch_extra_error_codes": list(THROTTLED)}
# A network without a way out never answers: its 60 seconds, five times, are too long to learn that.
_CONNECT_SECONDS = 10


class AwsModule(AnsibleAWSModule):
    """A module whose warnings are lines of messages, as its errors are."""

    def warn(self, warning: str, **options: t.Any) -> None:
        super().warn(message_line(warning), **options)


def aws_module(options: t.Mapping[str, t.Any], **rules: t.Any) -> AnsibleAWSModule:
    """A module with these options and amazon.aws' own (keys, profile, region, endpoint); rules are AnsibleModule's."""
    set_collection_info("meshwright.ambient", "0.1.0")
    return AwsModule(argument_spec=dict(options), supports_check_mode=True, **rules)


def run(module: AnsibleAWSModule, ensure: t.Callable[[AnsibleAWSModule, AwsSession], Result]) -> None:
    """Call ensure with a session, and end the module with its result, or with the error that it raised; both get the number of requests (api_calls).

    A result with a key C(failed) is a failure that carries data; all else that goes wrong is a MeshError.
    """
    session = connect(module)
    try:
        result = ensure(module, session)
    except MeshError as error:
        result = {"failed": True, "msg": error.message, **error.details}
    result.setdefault("api_calls", session.api_calls)
    # Outside of the except block, or Ansible would add a traceback to what is a plain sentence.
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def connect(module: AnsibleAWSModule) -> AwsSession:
    """The session that the module's options name; a client is made when a service is first called."""
    region, endpoint, options = get_aws_connection_info(module)

    def client(service: str) -> t.Any:
        # AnsibleAWSModule.client() would end the module with a traceback; this is the same connection, with exceptions.
        config = Config(connect_timeout=_CONNECT_SECONDS)
        return boto3_inventory_conn(conn_type="client", resource=service, region=region, endpoint=endpoint, config=config, **dict(options))

    return AwsSession(region or "", client, retry=AWSRetry.jittered_backoff(**_RETRY))


__all__ = ("AnsibleAWSModule", "Result", "aws_module", "connect", "run")
