"""Pictures: publications in the making, for whoever tests what is published.

Each function gives a whole `Picture` of the same shop: 25 modules, 18 components, 90 days of history.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from monitor.core.agenda import Agenda, withdrawn
from monitor.core.availability import Availability
from monitor.core.board import Board, Condition, Vantage
from monitor.core.codes import Blame
from monitor.core.detector import Transition
from monitor.core.effect import Gap
from monitor.core.expectation import Outcome, Result
from monitor.core.history import History, Latency
from monitor.core.incident import Act, Candidate, Cause, Evidence, Incident, Member, Stage, Update, key_of
from monitor.core.maintenance import Maintenance, Window, announced, begun, ended
from monitor.core.module import Component, Dependency, Group, Module, Platform, Priority, Status
from monitor.core.period import all_of, before, so_far
from monitor.core.plan import ALWAYS, Feature, Opening, Plan, Price, Range
from monitor.core.probe import Probe
from monitor.core.report import Report, report
from monitor.core.site import Site
from monitor.core.track import Track
from monitor.pages.picture import Picture

NOW = datetime(2026, 11, 23, 15, 15, 20, tzinfo=UTC)
LOCATIONS = ("sao-paulo", "virginia", "frankfurt")
SECRET = "secret.internal.example"  # stands in everything that must never be published

# id: (names, what it depends on)
MODULES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "router": ({"en": "Router (Janus)", "pt-BR": "Roteador (Janus)", "es": "Enrutador (Janus)"}, ()),
    "cdn": ({"en": "CDN"}, ("router",)),
    "license-manager": ({"en": "License Manager"}, ("router",)),
    "vtex-id": ({"en": "VTEX ID"}, ("license-manager",)),
    "session": ({"en": "Session", "pt-BR": "Sessão", "es": "Sesión"}, ("vtex-id", "master-data")),
    "catalog": ({"en": "Catalog", "pt-BR": "Catálogo", "es": "Catálogo"}, ("router",)),
    "indexing": ({"en": "Indexing", "pt-BR": "Indexação", "es": "Indexación"}, ("catalog", "pricing", "logistics")),
    "search": ({"en": "Intelligent Search"}, ("catalog", "indexing")),
    "logistics": ({"en": "Logistics", "pt-BR": "Logística", "es": "Logística"}, ("router",)),
    "pricing": ({"en": "Pricing", "pt-BR": "Preços", "es": "Precios"}, ("router",)),
    "promotions": (
        {"en": "Promotions and taxes", "pt-BR": "Promoções e impostos", "es": "Promociones e impuestos"},
        ("session",),
    ),
    "payments": ({"en": "Payments gateway", "pt-BR": "Gateway de pagamentos", "es": "Pasarela de pagos"}, ("router",)),
    "gift-cards": ({"en": "Gift cards", "pt-BR": "Vale-presente", "es": "Tarjetas de regalo"}, ("payments",)),
    "checkout": (
        {"en": "Checkout"},
        ("catalog", "logistics", "pricing", "promotions", "payments", "session", "gift-cards"),
    ),
    "fulfillment": ({"en": "Fulfillment"}, ("logistics", "oms")),
    "oms": ({"en": "Orders (OMS)", "pt-BR": "Pedidos (OMS)", "es": "Pedidos (OMS)"}, ("license-manager",)),
    "workflow": ({"en": "Order workflow", "pt-BR": "Fluxo de pedidos", "es": "Flujo de pedidos"}, ("oms",)),
    "master-data": ({"en": "Master Data"}, ("router",)),
    "message-center": ({"en": "Message Center"}, ("oms",)),
    "io": ({"en": "VTEX IO"}, ("router",)),
    "store-framework": ({"en": "Store Framework"}, ("io", "search", "session")),
    "faststore": ({"en": "FastStore"}, ("search", "cdn")),
    "files": ({"en": "File Manager"}, ("cdn",)),
    "admin": ({"en": "Admin"}, ("vtex-id", "io")),
    "subscriptions": ({"en": "Subscriptions", "pt-BR": "Assinaturas", "es": "Suscripciones"}, ("checkout", "payments")),
}

# group: (names, {component: (names, modules)})
GROUPS: dict[str, tuple[dict[str, str], dict[str, tuple[dict[str, str], tuple[str, ...]]]]] = {
    "storefront": (
        {"en": "Storefront", "pt-BR": "Loja", "es": "Tienda"},
        {
            "navigation": (
                {"en": "Store navigation", "pt-BR": "Navegação na loja", "es": "Navegación en la tienda"},
                ("store-framework", "faststore", "cdn"),
            ),
            "search": ({"en": "Product search", "pt-BR": "Busca de produtos", "es": "Búsqueda"}, ("search",)),
            "images": ({"en": "Images and files", "pt-BR": "Imagens e arquivos", "es": "Imágenes"}, ("files",)),
            "login": ({"en": "Shopper login", "pt-BR": "Login do cliente", "es": "Acceso"}, ("vtex-id",)),
        },
    ),
    "buying": (
        {"en": "Buying", "pt-BR": "Compra", "es": "Compra"},
        {
            "cart": ({"en": "Cart", "pt-BR": "Carrinho", "es": "Carrito"}, ("checkout", "session")),
            "order-placement": (
                {"en": "Order placement", "pt-BR": "Fechamento do pedido", "es": "Cierre del pedido"},
                ("checkout", "fulfillment"),
            ),
            "shipping": ({"en": "Shipping options", "pt-BR": "Opções de entrega", "es": "Envíos"}, ("logistics",)),
            "price-calculation": (
                {"en": "Prices and promotions", "pt-BR": "Preços e promoções", "es": "Precios y promociones"},
                ("pricing", "promotions"),
            ),
            "payment": ({"en": "Payment", "pt-BR": "Pagamento", "es": "Pago"}, ("payments",)),
            "gift-cards": ({"en": "Gift cards", "pt-BR": "Vale-presente", "es": "Regalos"}, ("gift-cards",)),
            "subscriptions": ({"en": "Subscriptions", "pt-BR": "Assinaturas", "es": "Abonos"}, ("subscriptions",)),
        },
    ),
    "selling": (
        {"en": "Running the store", "pt-BR": "Gestão da loja", "es": "Gestión de la tienda"},
        {
            "admin": ({"en": "Admin panel", "pt-BR": "Painel administrativo", "es": "Panel"}, ("admin",)),
            "catalog": ({"en": "Catalog", "pt-BR": "Catálogo", "es": "Catálogo"}, ("catalog", "indexing")),
            "orders": ({"en": "Orders", "pt-BR": "Pedidos", "es": "Pedidos"}, ("oms", "workflow")),
            "customers": ({"en": "Customer data", "pt-BR": "Dados de clientes", "es": "Clientes"}, ("master-data",)),
            "mail": ({"en": "E-mail to shoppers", "pt-BR": "E-mails", "es": "Correos"}, ("message-center",)),
        },
    ),
    "building": (
        {"en": "Developing", "pt-BR": "Desenvolvimento", "es": "Desarrollo"},
        {
            "apis": ({"en": "Public APIs", "pt-BR": "APIs públicas", "es": "APIs"}, ("router", "license-manager")),
            "io": ({"en": "VTEX IO apps", "pt-BR": "Apps VTEX IO", "es": "Aplicaciones VTEX IO"}, ("io",)),
        },
    ),
}

SITE = Site(
    name="VTEX Status",
    url="https://status.example.com",
    links={"help_center": "https://help.example.com", "tickets": "https://tickets.example.com"},
    plans=(
        Plan(
            "community",
            {"en": "Community"},
            price=Price(0, "BRL", "month"),
            first_contact={"pt-BR": "Comunidade", "en": "Community", "es": "Comunidad"},
            ticket_users=0,
            key_account=False,
        ),
        Plan(
            "global",
            {"en": "Global"},
            {"en": "For operations in several countries."},
            price=Price(1200.5, "BRL", "quarter"),
            hours=ALWAYS,
            response={"urgent": timedelta(hours=1)},
            update={"urgent": timedelta(minutes=30)},
            phone=Opening((0, 1, 2, 3, 4), "09:00", "18:00", "America/Sao_Paulo"),
            phone_urgent_outside=True,
            is_unlimited=True,
            key_account=True,
            suggested_when={"orders_per_day": Range(at_least=500), "average_ticket": Range(more_than=200)},
            features=(Feature({"en": "REST API"}, True, None, "https://developers.example.com"),),
        ),
    ),
)


def platform() -> Platform:
    """The shop."""
    modules = {}
    for id, (name, needs) in MODULES.items():
        every = timedelta(seconds=30)
        probe = Probe(id, f"{id}-{SECRET}", "http", every, timedelta(seconds=10), LOCATIONS, instance=SECRET)
        edges = tuple(Dependency(one) for one in needs)
        modules[id] = Module(id, name, depends_on=edges, priority=Priority.HIGH, runbook=SECRET, probes=(probe,))
    groups = tuple(
        Group(id, name, tuple(Component(one, text, made) for one, (text, made) in components.items()))
        for id, (name, components) in GROUPS.items()
    )
    return Platform(modules, groups, {place: place for place in LOCATIONS})


def went(module: str, *changes: tuple[datetime, Status]) -> tuple[Transition, ...]:
    """Transitions of a module, from (since when, into what)."""
    before, found = Status.UNKNOWN, []
    for since, after in changes:
        found.append(Transition(module, before, after, since + timedelta(seconds=30), since))
        before = after
    return tuple(found)


def incident(
    root: str,
    since: datetime,
    code: str = "http.503",
    affected: Iterable[str] = (),
    *,
    status: Status = Status.DOWN,
    impact: str = "major",
    cls: str = "capacity_or_throttling",
    until: datetime | None = None,
    named: bool = True,
) -> Incident:
    """An incident with its timeline, as the monitor would write it."""
    affected, everything = tuple(affected), platform()
    members = [Member(root, "root", status, since, until)]
    members += [Member(one, "affected", Status.DOWN, since + timedelta(seconds=40), until) for one in affected]
    first = since + timedelta(seconds=70)
    updates = [Update(first, Stage.INVESTIGATING, "opened", {"module": root, "code": code, "status": status})]
    if affected:
        updates.append(Update(first + timedelta(minutes=2), Stage.IDENTIFIED, "member_added", {"module": affected[0]}))
    if until:
        updates.append(Update(until, Stage.RESOLVED, "resolved"))
    candidates = (Candidate(root, 0.93), *(Candidate(one, 0.2) for one in affected))
    return Incident(
        key=key_of(root, since),
        started_at=since,
        detected_at=first,
        published_at=first,
        stage=updates[-1].stage,
        impact=impact,
        priority=Priority.HIGH,
        cause=Cause(
            "module",
            root if named else None,
            candidates,
            code,
            cls,
            0.93,
            evidence=(Evidence(since, root, f"{root}-{SECRET}", LOCATIONS[0], code, SECRET),),
        ),
        members=tuple(members),
        components=everything.components_of([root, *affected]),
        updates=tuple(updates),
        resolved_at=until,
    )


def reported(one: Incident, headline: str | None, url: str | None = None) -> Incident:
    """The incident with what the platform's own page says of it; None: nothing."""
    told = {"found": headline is not None, "incident": headline, "url": url}
    return replace(one, cause=replace(one.cause, platform_reports=told))


def picture(
    incidents: Iterable[Incident] = (),
    *,
    now: datetime = NOW,
    site: Site = SITE,
    gaps: tuple[Gap, ...] = (),
    conditions: Mapping[str, Condition] | None = None,
) -> Picture:
    """The shop with these incidents, its conditions and its history in accord with them."""
    everything, random = platform(), Random(7)
    past = list(incidents)
    changes = {id: [(now - timedelta(days=200), Status.UP)] for id in everything.modules}
    for one in past:
        for member in one.members:
            changes[member.module].append((member.since, member.status))
            if member.until:
                changes[member.module].append((member.until, Status.UP))
    transitions = {id: went(id, *sorted(changed)) for id, changed in changes.items()}
    if conditions is None:
        conditions = {id: Condition(moves[-1].after, moves[-1].since) for id, moves in transitions.items()}
    tracks, latency = {}, {}
    for id, module in everything.modules.items():
        hours = [now.replace(minute=0, second=0) - timedelta(hours=back) for back in range(23, -1, -1)]
        level = random.uniform(30, 240)
        latency[id] = Latency(
            level, level * 2.6, level * 5, tuple((at, level * random.uniform(0.8, 1.3)) for at in hours)
        )
        for probe in module.probes:
            for place in probe.locations:
                status = conditions[id].status if id in conditions else Status.UNKNOWN
                tracks[(id, probe.id, place)] = Track(last=_last(status), last_at=now)
    current = {one.id: one for one in past if one.is_open}
    board = Board(everything, tracks=tracks, modules=conditions, incidents=current)
    newest = tuple(sorted(past, key=lambda one: one.started_at, reverse=True))
    return Picture(site, board, History(transitions, newest, latency, gaps), now, now - timedelta(seconds=8))


def _last(status: Status) -> Result:
    match status:
        case Status.UP:
            return Result(Outcome.PASSED)
        case Status.DEGRADED:
            return Result(Outcome.SLOW, "http.slow_ttfb", Blame.TARGET, (SECRET,))
        case Status.DOWN:
            return Result(Outcome.FAILED, "http.503", Blame.TARGET, (SECRET,))
        case _:
            return Result(Outcome.UNKNOWN)


def resolved() -> list[Incident]:
    """What happened in the last weeks and is over."""

    def ago(days: int, minutes: int) -> tuple[datetime, datetime]:
        since = NOW - timedelta(days=days, minutes=13)
        return since, since + timedelta(minutes=minutes)

    (a, a_end), (b, b_end), (c, c_end), (d, d_end) = ago(4, 31), ago(9, 72), ago(40, 8), ago(66, 190)
    return [
        incident("search", a, "http.ttfb_timeout", cls="unknown", impact="minor", until=a_end),
        incident("payments", b, "http.502", ["checkout"], cls="dependency_failure", until=b_end),
        incident("admin", c, "tls.cert_expired", cls="certificate", until=c_end),
        incident("oms", d, "http.slow_ttfb", status=Status.DEGRADED, impact="minor", cls="unknown", until=d_end),
    ]


def green() -> Picture:
    """Everything works; some trouble lies behind us."""
    return picture(resolved())


def flawless() -> Picture:
    """Everything works and always did."""
    return picture()


def troubled() -> Picture:
    """One incident: promotions fail and drag checkout along. With the reports of months and quarters."""
    return replace(_troubled())  # with cells of its own


@cache
def _troubled() -> Picture:
    open_one = incident(
        "promotions", NOW - timedelta(minutes=12, seconds=20), "http.503", ["checkout", "subscriptions"]
    )
    seen = picture([open_one, *resolved()])
    return replace(seen, reports=reports(seen.board.platform, seen.history, NOW))


def reports(platform: Platform, history: History, now: datetime) -> tuple[Report, ...]:
    """The public reports of a past."""
    zone = ZoneInfo("America/Sao_Paulo")
    began = min(moves[0].since for moves in history.transitions.values())
    past = Availability(platform, history, (), began - timedelta(days=100))
    return tuple(
        report(past, one, *so_far(one, before(one, zone), now), zone, public=True) for one in all_of(began, now, zone)
    )


def stormy() -> Picture:
    """Several incidents at once, one without a named root."""
    minutes = [timedelta(minutes=number) for number in (4, 12, 47, 130)]
    posted = "Elevated error rates while prices, promotions and taxes of carts are calculated in several regions"
    first = incident("promotions", NOW - minutes[1], "http.503", ["checkout", "subscriptions"], impact="critical")
    second = incident("admin", NOW - minutes[0], "tls.cert_expired", cls="certificate", impact="major")
    return picture(
        [
            reported(first, posted, "https://status.vtex.com/incidents/a9537b7c71c2"),
            reported(second, None),
            incident(
                "search", NOW - minutes[2], "http.slow_ttfb", status=Status.DEGRADED, impact="minor", cls="unknown"
            ),
            incident("oms", NOW - minutes[3], "http.502", ["workflow", "message-center"], cls="unknown", named=False),
            *resolved(),
        ]
    )


def degraded() -> Picture:
    """One module answers slowly."""
    slow = incident("search", NOW - timedelta(minutes=47), "http.slow_ttfb", status=Status.DEGRADED, impact="minor")
    return picture([slow, *resolved()])


def blinded(minutes: int) -> Picture:
    """A monitor without sight for so long, whose modules have fallen to unknown meanwhile."""
    since = NOW - timedelta(minutes=minutes)
    seen = green()
    modules = {id: Condition(Status.UNKNOWN, since + timedelta(minutes=2)) for id in seen.board.modules}
    board = replace(seen.board, modules=modules, vantages={place: Vantage(dark_since=since) for place in LOCATIONS})
    return replace(seen, board=board)


def blind() -> Picture:
    """The monitor itself cannot see; the last conditions stand. It could not see for a while yesterday either."""
    since = NOW - timedelta(minutes=6)
    yesterday = NOW - timedelta(days=1)
    before = Gap("here", yesterday - timedelta(minutes=20), yesterday)
    seen = picture(resolved(), gaps=(before, Gap("here", since)))
    return replace(seen, board=replace(seen.board, vantages={place: Vantage(dark_since=since) for place in LOCATIONS}))


def young() -> Picture:
    """Three days old, and two modules have no result yet."""
    seen = green()
    start = NOW - timedelta(days=3)
    kept = {id: moves for id, moves in seen.history.transitions.items() if id not in ("io", "cdn")}
    conditions = {id: one for id, one in seen.board.modules.items() if id in kept}
    transitions = {id: went(id, (start, Status.UP)) for id in kept}
    history = replace(seen.history, transitions=transitions, incidents=())
    return replace(seen, board=replace(seen.board, modules=conditions), history=history)


def works() -> list[Maintenance]:
    """Planned work of every stage: on the payments until half past four, every Sunday, once, over, withdrawn."""
    provider = Window(
        "provider",
        {"en": "Certificate change at the provider", "pt-BR": "Troca do certificado no provedor"},
        NOW - timedelta(minutes=45),
        NOW + timedelta(minutes=75),
        message={"en": "Payments by card may fail for some minutes.", "pt-BR": "Cartões podem falhar por minutos."},
        modules=("payments",),
    )
    weekly = Window("weekly", {"en": "Weekly works", "pt-BR": "Manutenção semanal"}, NOW, NOW + timedelta(hours=2))
    once = replace(weekly, id="once", title={"en": "Move of the data centre"}, modules=("oms", "workflow"))
    before, ahead = NOW - timedelta(days=20), timedelta(days=7)
    begins = NOW + timedelta(days=3, hours=13)
    on = begun(announced(provider, provider.begins, before, "person"), provider.begins)
    over = announced(once, NOW - timedelta(days=9), before, "person")
    return [
        on,
        *(announced(weekly, begins + ahead * week, before) for week in range(12)),
        withdrawn(announced(once, NOW + timedelta(days=2), before, "person"), NOW - timedelta(days=1), "person"),
        ended(begun(over, over.planned_from), over.planned_until),
    ]


def working() -> Picture:
    """Planned work is under way on the payments, which fail; the search is slow for reasons of its own."""
    slow = incident("search", NOW - timedelta(minutes=47), "http.slow_ttfb", status=Status.DEGRADED, impact="minor")
    seen = picture([slow, *resolved()])
    down = Condition(Status.DOWN, NOW - timedelta(minutes=40))
    moved = (*seen.history.transitions["payments"], Transition("payments", Status.UP, Status.DOWN, NOW, down.since))
    board = replace(
        seen.board,
        modules={**seen.board.modules, "payments": down},
        agenda=Agenda({one.id: one for one in works()}),
        held={"payments": down.since},
    )
    history = replace(
        seen.history, transitions={**seen.history.transitions, "payments": moved}, maintenances=tuple(works())
    )
    return replace(seen, board=board, history=history)


def newborn() -> Picture:
    """Started this second: nothing is known."""
    return Picture(SITE, Board(platform()), History(), NOW)


def hostile(text: str) -> Picture:
    """A shop where everything that has a name is called `text`, in an incident of that title."""
    names = {"en": text, "pt-BR": text, "es": text}
    seen = troubled()
    everything = seen.board.platform
    modules = {id: replace(module, name=names, description=names) for id, module in everything.modules.items()}
    groups = tuple(
        replace(group, name=names, components=tuple(replace(one, name=names) for one in group.components))
        for group in everything.groups
    )
    first = seen.history.incidents[0]
    said = Update(NOW, Stage.IDENTIFIED, "said", author="person", body=names)
    posted = Update(NOW, Stage.IDENTIFIED, "reported", {"report": text})
    titled = replace(reported(first, text, f"https://status.vtex.com/{text}"), title=names)
    titled = replace(titled, updates=(*first.updates, posted, said))
    history = replace(seen.history, incidents=(titled, *seen.history.incidents[1:]))
    named = [replace(one, title=names, message=names) for one in works()]
    board = replace(
        seen.board,
        platform=replace(everything, modules=modules, groups=groups),
        incidents={titled.id: titled},
        agenda=Agenda({one.id: one for one in named}),
    )
    return replace(seen, site=replace(SITE, name=text), board=board, history=history)


LEARNED = "A disk was full.\nIt is not.\n\n" + "Long" * 60


def spoken() -> Picture:
    """People have written: an incident in their own words, one opened by hand, and one with its postmortem."""
    minute = timedelta(minutes=1)
    name = Act(NOW - 2 * minute, "updated", SECRET, SECRET, {"was": {"en": SECRET}})
    first, *others = troubled().history.incidents
    wrong = replace(
        first.updates[0], author="person", body={"en": "It is the promotions."}, updated_at=NOW - 3 * minute
    )
    text = {"en": "We look into it.\nSoon more.\n\n<b>Not bold</b>", "pt-BR": "Estamos olhando.\n\nLogo mais."}
    written = Update(NOW - 2 * minute, Stage.MONITORING, "said", author="person", body=text)
    ours = replace(
        first,
        title={"en": "Promotions do not apply", "pt-BR": "Promoções não se aplicam"},
        summary={"en": "A disk is full.", "pt-BR": "Um disco encheu."},
        updates=(wrong, *first.updates[1:], written),
        stage=Stage.MONITORING,
        acts=(name,),
    )
    learned = Update(NOW - minute, Stage.POSTMORTEM, "said", author="person", body={"en": LEARNED})
    over = replace(others[0], updates=(*others[0].updates, learned), stage=Stage.POSTMORTEM, acts=(name,))
    return picture([by_hand(), ours, over, *others[1:]])


def by_hand() -> Incident:
    """An incident that a person opened, about two components and a module that is well."""
    said = Update(NOW, Stage.INVESTIGATING, "said", author="person", body={"en": "Mails arrive late."})
    return Incident(
        key=f"{key_of('message-center', NOW)}:by-hand",
        started_at=NOW - timedelta(hours=1),
        detected_at=NOW,
        published_at=NOW,
        stage=Stage.INVESTIGATING,
        impact="minor",
        priority=Priority.NORMAL,
        cause=Cause("unknown", None, (), "", "unknown", 0.0),
        members=(Member("message-center", "affected", Status.UP, NOW - timedelta(hours=1)),),
        components=("customers", "mail"),
        updates=(said,),
        title={"en": "Mails are late"},
        impact_said=True,
        by_hand=True,
        acts=(Act(NOW, "opened", SECRET),),
    )


STATES = {
    "green": green,
    "flawless": flawless,
    "troubled": troubled,
    "stormy": stormy,
    "degraded": degraded,
    "blind": blind,
    "young": young,
    "working": working,
    "newborn": newborn,
    "spoken": spoken,
}
