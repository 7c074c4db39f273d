"""The query server and the OSC port, announced to the network by zeroconf (mDNS, RFC 6762 and 6763)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

QUERY, UDP = "_oscjson._tcp.local.", "_osc._udp.local."


@contextlib.asynccontextmanager
async def announced(host: str, port: int, osc_port: int) -> AsyncIterator[str]:
    """Announce while it lasts; why it is not, empty when it is. Only this machine hears of what only it
    reaches."""
    from zeroconf import Error, IPVersion, ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    everywhere = host in ("", "0.0.0.0")
    name = socket.gethostname().split(".")[0] or "here"
    try:
        zeroconf = AsyncZeroconf(
            ip_version=IPVersion.V4Only, **({} if everywhere else {"interfaces": [host]})
        )
    except (OSError, RuntimeError, ValueError) as error:
        yield f"not announced: {error}"
        return
    found = _addresses() if everywhere else [socket.inet_aton(socket.gethostbyname(host))]
    services = [
        ServiceInfo(
            kind, f"perform ({name}).{kind}", port=at, addresses=found, server=f"perform-{name}.local."
        )
        for kind, at in ((QUERY, port), (UDP, osc_port))
    ]
    fault = ""
    try:
        for service in services:
            await (await zeroconf.async_register_service(service, allow_name_change=True))
    except (OSError, Error) as error:
        fault = f"not announced: {error or type(error).__name__}"
    try:
        yield fault
    finally:
        with contextlib.suppress(OSError, Error):
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()


def _addresses() -> list[bytes]:
    """This machine's addresses in its networks."""
    from zeroconf import get_all_addresses

    return [socket.inet_aton(one) for one in get_all_addresses() if not one.startswith("127.")]
