"""The command line of the twin: python -m twin up, down, status, env, demo, build, tool, process, account, rehearse, picture."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import TwinError
from twin.paths import DEFAULT_NAME, AccountPaths, TwinPaths

if TYPE_CHECKING:
    from twin.kwok.lifecycle import Part


def main() -> int:
    arguments = parser().parse_args()
    try:
        code = int(arguments.run(arguments) or 0)
        # What is still to be written fails here, and not when Python ends.
        sys.stdout.flush()
        return code
    except TwinError as error:
        print(f"twin: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has seen enough, as head does. Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def parser() -> argparse.ArgumentParser:
    """What reads the arguments of python -m twin."""
    root = argparse.ArgumentParser(prog="python -m twin", description=__doc__)
    root.add_argument(
        "--name", default=os.environ.get("TWIN", DEFAULT_NAME), help="which twin, or AWS account; several run side by side (default: %(default)s)"
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start a twin, repair it, or find that it is up")
    up.add_argument("--nodes", type=int, default=3, help="simulated nodes of a new twin (default: %(default)s)")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop a twin, or an account with its clusters, and remove every file of it").set_defaults(run=_down)
    commands.add_parser("status", help="say what runs and what has died; exit code 1 when something has").set_defaults(run=_status)
    commands.add_parser("env", help="print shell exports that point kubectl, helm, istioctl, AWS tools and Ansible at a twin, or an account").set_defaults(
        run=_env
    )
    commands.add_parser("demo", help="run the main job on the twin and sum up what came out").set_defaults(run=_demo)
    build = commands.add_parser("build", help="build programs into the cache: all of them, or those that are named")
    build.add_argument("programs", nargs="*", metavar="PROGRAM", help="their names in twin/tools/catalogue.py")
    build.set_defaults(run=_build)
    tool = commands.add_parser("tool", help="run a program of the cache, built first where it is missing")
    tool.add_argument("program", help="its name in twin/tools/catalogue.py")
    tool.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    tool.set_defaults(run=_tool)
    process = commands.add_parser("process", help="stop or start one process, such as istiod")
    process.add_argument("action", choices=("stop", "start"))
    process.add_argument("process", help="its name as status shows it, or the beginning of it")
    process.set_defaults(run=_process)
    account = commands.add_parser("account", help="make, remove or look at a local AWS account, in which each EKS cluster is a twin")
    account.add_argument("action", choices=("up", "down", "status"))
    account.set_defaults(run=_account)
    rehearse = commands.add_parser("rehearse", help="run site.yml and verify.yml with an inventory against a local AWS account, and show what was made")
    rehearse.add_argument("inventory", help="as for ansible-playbook")
    rehearse.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="behind --: further arguments of ansible-playbook, such as --check --diff")
    rehearse.set_defaults(run=_rehearse)
    picture = commands.add_parser("picture", help="draw what a rehearsed account has, as the README shows it")
    picture.add_argument("file", type=Path, help="the SVG file to write")
    picture.set_defaults(run=_picture)
    return root


def _up(arguments: argparse.Namespace) -> None:
    from twin.kwok.lifecycle import up

    up(arguments.name, arguments.nodes)


def _down(arguments: argparse.Namespace) -> None:
    from twin.aws import account
    from twin.kwok import lifecycle

    # A name may be a twin's, an account's, or both's.
    of_account = AccountPaths(arguments.name).home.exists()
    if of_account:
        account.down(arguments.name)
    if not of_account or TwinPaths(arguments.name).home.exists():
        lifecycle.down(arguments.name)


def _status(arguments: argparse.Namespace) -> int:
    from twin.aws import account
    from twin.kwok import lifecycle

    found = []
    if TwinPaths(arguments.name).settings.exists() or not account.exists(arguments.name):
        found.append((lifecycle.parts_of(arguments.name), TwinPaths(arguments.name).logs))
    if account.exists(arguments.name):
        found.append((account.parts_of(arguments.name), AccountPaths(arguments.name).logs))
    return max(_show(parts, logs) for parts, logs in found)


def _show(parts: list[Part], logs: Path) -> int:
    """Print one line for each part; 1 when one has died."""
    width = max(len(part.name) for part in parts)
    for part in parts:
        print(f"{part.state:<4}  {part.name:<{width}}  {part.detail}")
    print(f"Logs: {logs}")
    return 0 if all(part.running for part in parts) else 1


def _env(arguments: argparse.Namespace) -> None:
    from twin.commands.environment import exports_of

    for variable, value in exports_of(arguments.name).items():
        print(f"export {variable}={shlex.quote(value)}")


def _demo(arguments: argparse.Namespace) -> int:
    from twin.commands.demo import demo

    return demo(arguments.name)


def _build(arguments: argparse.Namespace) -> None:
    from twin.tools.build import ensure_tools
    from twin.tools.needs import EVERYTHING

    if unknown := set(arguments.programs) - set(EVERYTHING):
        raise TwinError(f"There is no program {', '.join(sorted(unknown))}: there are {', '.join(EVERYTHING)}.")
    ensure_tools(arguments.programs or EVERYTHING, "This command")


def _tool(arguments: argparse.Namespace) -> None:
    from twin.tools.build import ensure_tools

    known = ensure_tools([arguments.program], "This command").programs
    if arguments.program not in known:
        raise TwinError(f"There is no program {arguments.program}: there are {', '.join(known)}.")
    os.execv(known[arguments.program], [arguments.program, *arguments.arguments])


def _process(arguments: argparse.Namespace) -> None:
    from twin.supervisor import Supervisor

    supervisor = Supervisor(TwinPaths(arguments.name))
    known = [program.name for program in supervisor.programs()]
    chosen = [name for name in known if name.startswith(arguments.process)]
    if not chosen:
        raise TwinError(f"Twin {arguments.name} has no process {arguments.process}: it has {', '.join(known)}.")
    for name in chosen:
        supervisor.set_running(name, arguments.action == "start")


def _account(arguments: argparse.Namespace) -> int:
    from twin.aws import account

    if arguments.action == "status":
        return _show(account.parts_of(arguments.name), AccountPaths(arguments.name).logs)
    change = account.up if arguments.action == "up" else account.down
    change(arguments.name)
    return 0


def _rehearse(arguments: argparse.Namespace) -> int:
    from twin.commands.rehearsal import rehearse

    return rehearse(arguments.name, arguments.inventory, arguments.arguments)


def _picture(arguments: argparse.Namespace) -> None:
    from twin.commands.picture import draw

    draw(arguments.name, arguments.file)


if __name__ == "__main__":
    sys.exit(main())
