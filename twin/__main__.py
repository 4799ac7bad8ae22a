"""The command line of the twin: python -m twin up, down, status, env, demo, build, process."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from twin.errors import TwinError
from twin.paths import DEFAULT_NAME, TwinPaths


def main() -> int:
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments) or 0)
    except TwinError as error:
        print(f"twin: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m twin", description=__doc__)
    parser.add_argument("--name", default=os.environ.get("TWIN", DEFAULT_NAME), help="which twin; several run side by side (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="make a twin, mend it, or find that it is up")
    up.add_argument("--nodes", type=int, default=3, help="simulated nodes of a new twin (default: %(default)s)")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop a twin and remove every file of it").set_defaults(run=_down)
    commands.add_parser("status", help="say what runs and what has died; exit code 1 when something has").set_defaults(run=_status)
    commands.add_parser("env", help="print shell exports that point kubectl, helm, istioctl and Ansible at a twin").set_defaults(run=_env)
    commands.add_parser("demo", help="run the main job on the twin and sum up what came out").set_defaults(run=_demo)
    commands.add_parser("build", help="build the programs into the cache").set_defaults(run=_build)
    process = commands.add_parser("process", help="stop or start one process, such as istiod")
    process.add_argument("action", choices=("stop", "start"))
    process.add_argument("process", help="its name as status shows it, or the beginning of it")
    process.set_defaults(run=_process)
    return parser


def _up(arguments: argparse.Namespace) -> None:
    from twin.lifecycle import up

    up(arguments.name, arguments.nodes)


def _down(arguments: argparse.Namespace) -> None:
    from twin.lifecycle import down

    down(arguments.name)


def _status(arguments: argparse.Namespace) -> int:
    from twin.lifecycle import parts_of

    parts = parts_of(arguments.name)
    width = max(len(part.name) for part in parts)
    for part in parts:
        print(f"{part.state:<4}  {part.name:<{width}}  {part.said}")
    print(f"Logs: {TwinPaths(arguments.name).logs}")
    return 0 if all(part.running for part in parts) else 1


def _env(arguments: argparse.Namespace) -> None:
    from twin.environment import exports_of

    for variable, value in exports_of(arguments.name).items():
        print(f"export {variable}={shlex.quote(value)}")


def _demo(arguments: argparse.Namespace) -> int:
    from twin.demo import demo

    return demo(arguments.name)


def _build(_arguments: argparse.Namespace) -> None:
    from twin.tools.build import ensure_tools

    ensure_tools()


def _process(arguments: argparse.Namespace) -> None:
    from twin.supervisor import Supervisor

    supervisor = Supervisor(TwinPaths(arguments.name))
    known = [program.name for program in supervisor.programs()]
    chosen = [name for name in known if name.startswith(arguments.process)]
    if not chosen:
        raise TwinError(f"Twin {arguments.name} has no process {arguments.process}: it has {', '.join(known)}.")
    for name in chosen:
        supervisor.set_running(name, arguments.action == "start")


sys.exit(main())
