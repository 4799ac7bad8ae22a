"""The command line of the local AWS: python -m twin.aws --port PORT."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from twin.errors import TwinError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.aws", description="Serve a local AWS: moto, with the EKS API and true-to-life phases.")
    parser.add_argument("--port", type=int, required=True, help="port to listen on at 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--home", type=Path, help="directory of an account: EKS clusters are then twins; without it they are records only")
    parser.add_argument("--request-log", type=Path, help="file to which one line of JSON is added for each request")
    parser.add_argument("--account-region", default="eu-central-1", help="region that control paths mean when they name none (default: %(default)s)")
    parser.add_argument("--shield-subscribed", action="store_true", help="begin with a subscription to Shield Advanced, as a stand-in for one that costs")
    arguments = parser.parse_args()
    from twin.aws.server import provider_of, serve

    try:
        provider = provider_of(arguments.home)
        serve(
            arguments.port,
            provider,
            request_log=arguments.request_log,
            region=arguments.account_region,
            shield_subscribed=arguments.shield_subscribed,
        )
    except TwinError as error:
        print(f"twin.aws: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main())
