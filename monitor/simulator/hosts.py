"""Host kinds: the families of host names a VTEX store answers under, each with a listener and a certificate of its own.

One listener per kind is what makes a strike on a host real: it can stop listening or show an expired certificate
while the other hosts go on.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """One kind. `name` and `pattern` may hold `{account}`; `routed` says whether requests pass the gateway."""

    kind: str
    name: str
    pattern: str
    routed: bool = True

    def named(self, account: str) -> str:
        """The host name a client asks for."""
        return self.name.format(account=account)

    def matching(self, account: str) -> str:
        """The pattern of names, as `connect_to` and the certificate say it."""
        return self.pattern.format(account=account)


# The order is that of the ports: `--port` is the first one's, the others follow.
HOSTS = (
    Host("commerce", "{account}.vtexcommercestable.com.br", "*.vtexcommercestable.com.br"),
    Host("store", "www.{account}.example", "*.{account}.example"),
    Host("io", "{account}.myvtex.com", "*.myvtex.com"),
    Host("api", "api.vtex.com", "api.vtex.com"),
    Host("payments", "{account}.vtexpayments.com.br", "*.vtexpayments.com.br", routed=False),  # a network of its own
    Host("images", "{account}.vteximg.com.br", "*.vteximg.com.br", routed=False),  # edge storage, no router in between
    Host("assets", "{account}.vtexassets.com", "*.vtexassets.com", routed=False),
    Host("status", "status.vtex.com", "status.vtex.com", routed=False),  # somebody else's, so that it outlives the rest
)

KINDS = {host.kind: host for host in HOSTS}


def kind_of(name: str, account: str) -> str | None:
    """Which kind a host name belongs to, whatever the account in front of it; None for a stranger."""
    name = name.partition(":")[0].lower().rstrip(".")
    for host in HOSTS:
        pattern = host.matching(account)
        if name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return host.kind
    return None
