"""Tells systemd how the service is (sd_notify(3)): a datagram to the socket that it names."""

import logging
import os
import socket
import sys

_log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Say "READY=1", or what else the protocol has; nothing where systemd does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or sys.platform == "win32":
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect("\0" + address[1:] if address[0] == "@" else address)
            out.send(state.encode())
    except OSError as error:
        _log.warning("systemd could not be told (%s)", error.strerror or error)
