"""The agent's process: python -m twin.agent NAME. Supervisord keeps it alive; a restart takes up where it stopped."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import yaml

from twin.agent.addresses import follow_addresses
from twin.agent.capture import plan_marks
from twin.agent.egress import serve_egress
from twin.agent.grants import ROLE_BINDING, plan_grants
from twin.agent.pods import Host, RealPods
from twin.collection import CONFIG_MAP, NAMESPACE, POD, MeshError, Scope, Streams, Trouble
from twin.errors import TwinError
from twin.kwok.real_processes import load_real_processes
from twin.kwok.session import Known, open_session
from twin.kwok.settings import raise_flag, read_settings
from twin.paths import TwinPaths
from twin.supervisor import Supervisor

_log = logging.getLogger("agent")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stdout)
    paths = TwinPaths(sys.argv[1])
    settings = read_settings(paths)
    try:
        flag = raise_flag(settings)
    except TwinError as error:
        sys.exit(str(error))
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    egress = serve_egress(settings, paths.egress_socket)
    session = open_session(paths)
    server = yaml.safe_load(paths.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    real_pods = RealPods(Host(paths, settings, Supervisor(paths), session, server), load_real_processes())
    update_addresses = follow_addresses(settings.aws)
    known = Known()
    strangers_removed = False
    kinds = [POD, NAMESPACE, CONFIG_MAP, *([ROLE_BINDING] if settings.aws else [])]
    with Streams(session, [Scope(kind) for kind in kinds]) as streams:
        _log.info("watching %s", server)
        while not ending.is_set():
            if not egress.is_alive():
                sys.exit("the egress proxy has ended")
            events = streams.next_events(0.5)
            for event in events:
                if isinstance(event, Trouble):
                    _log.warning("%s", event.error)
                known.take(event)
            if not events or not known.listed(*kinds):
                continue
            if not strangers_removed:
                real_pods.remove_strangers(known.all(POD))
                strangers_removed = True
            real_pods.reconcile(known.all(POD))
            update_addresses(known.all(POD))
            for batch in filter(None, (*plan_marks(known), plan_grants(known))):
                try:
                    session.write_all(batch)
                except MeshError as error:
                    # A pod that went away meanwhile; the next event shows it.
                    _log.info("%s", error)
    flag.close()


main()
