"""The query server and the OSC port, announced to the network by zeroconf (mDNS, RFC 6762 and 6763)."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from perform.faults import reason

QUERY_SERVICE, OSC_SERVICE = "_oscjson._tcp.local.", "_osc._udp.local."


async def announce(host: str, port: int, osc_port: int, over: asyncio.Event) -> str:
    """Announce until it is `over`; the reason if it cannot be announced, else empty. A server that only this
    machine reaches is announced to this machine only."""
    from zeroconf import Error, IPVersion
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    everywhere = host in ("", "0.0.0.0")
    name = socket.gethostname().split(".")[0] or "here"
    try:
        found = _networks() if everywhere else [socket.gethostbyname(host)]
        zeroconf = AsyncZeroconf(interfaces=found, ip_version=IPVersion.V4Only)
    except (OSError, RuntimeError, ValueError) as error:
        return f"not announced: {error}"
    services = [
        AsyncServiceInfo(
            kind, f"perform ({name}).{kind}", at, parsed_addresses=found, server=f"perform-{name}.local."
        )
        for kind, at in ((QUERY_SERVICE, port), (OSC_SERVICE, osc_port))
    ]
    try:
        pending = [zeroconf.async_register_service(one, allow_name_change=True) for one in services]
        await asyncio.gather(*(await asyncio.gather(*pending)))
        await over.wait()
        await zeroconf.async_unregister_all_services()
    except (OSError, Error) as error:
        return f"not announced: {reason(error)}"
    finally:
        with contextlib.suppress(OSError, Error):
            await zeroconf.async_close()
    return ""


def _networks() -> list[str]:
    """This machine's addresses in its networks."""
    from ifaddr import get_adapters

    addresses = [str(ip.ip) for adapter in get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return [ip for ip in addresses if not ip.startswith("127.")]
