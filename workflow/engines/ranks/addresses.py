"""Names, addresses and network interfaces of hosts."""

from __future__ import annotations

import fcntl
import socket
import struct

from workflow.errors import EnvironmentFault, UsageError

PORT = 29500
"""Where the first host listens, unless `--hosts` says `NAME:PORT`."""

_ADDRESS_OF = 0x8915  # SIOCGIFADDR of Linux, netdevice(7)


def place(host: str) -> tuple[str, int]:
    """The address and port that an entry of `--hosts` stands for.

    Raises:
        UsageError: T23, it has a port that is no number, or its name is not known.
    """
    name, _, port = host.partition(":")
    if port and not (port.isdigit() and 0 < int(port) < 2**16):
        raise UsageError(f"--hosts {host}: '{port}' is no port, expected 1 to 65535", fault="T23")
    try:
        return socket.gethostbyname(name), int(port or PORT)
    except OSError as error:
        raise UsageError(
            f"--hosts: the address of '{name}' is not known ({error.strerror or error})",
            hint="write its address, such as 10.0.0.1",
            fault="T23",
        ) from error


def loopback() -> str:
    """The interface through which processes of this machine reach each other."""
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))


def interface(address: str, asked: str | None) -> str:
    """The network interface that has an address of this machine.

    Args:
        address: such as 10.0.0.1.
        asked: its name where the settings give one.

    Raises:
        EnvironmentFault: T23, there is no such interface.
        UsageError: T23, none has that address.
    """
    known = {name: _address(name) for _, name in socket.if_nameindex()}
    if asked is not None:
        if asked not in known:
            raise EnvironmentFault(
                f"train.interface: this machine has no network interface '{asked}', it has {', '.join(known)}",
                fault="T23",
            )
        return asked
    for name, own in known.items():
        if own == address:
            return name
    raise UsageError(
        f"no network interface of this machine has the address {address}",
        hint="--rank is this machine's place in --hosts, from 0; train.interface names an interface",
        fault="T23",
    )


def _address(name: str) -> str | None:
    """The first IPv4 address of an interface, None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            answer = fcntl.ioctl(one.fileno(), _ADDRESS_OF, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])
