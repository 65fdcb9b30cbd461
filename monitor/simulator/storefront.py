"""Storefront: the store's pages, the checkout page, the admin's login page and the files they are made of."""

from html import escape

from monitor.simulator.shop import BY_SLUG, PRODUCTS, money
from monitor.simulator.visit import FILE_LIFE, Answer, Endpoint, Visit, data, page

# The smallest picture there is: one transparent pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def _shell(visit: Visit, title: str, body: str) -> str:
    """A page as the app runtime renders it; the name of its state is what tells such a page from others."""
    return (
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head><body>"
        f'<script>__RUNTIME__ = {{"account":"{visit.account}","workspace":"master"}}</script>{body}</body></html>'
    )


async def home(visit: Visit) -> Answer:
    """The first page of the store."""
    links = "".join(f'<li><a href="/{one.slug}/p">{escape(one.name)}</a></li>' for one in PRODUCTS)
    return page(_shell(visit, "Loja de demonstração", f"<h1>Loja de demonstração</h1><ul>{links}</ul>"))


async def product_page(visit: Visit) -> Answer:
    """The page of one product."""
    product = BY_SLUG.get(visit.params["slug"])
    if product is None:
        return page(_shell(visit, "Não encontrado", "<h1>Página não encontrada</h1>"), 404)
    price = f"R$ {money(product.price):.2f}".replace(".", ",")
    return page(_shell(visit, product.name, f"<h1>{escape(product.name)}</h1><p>{price}</p>"))


async def live(visit: Visit) -> Answer:
    """Whether the FastStore process runs; says nothing about what is behind it."""
    return Answer(body=b"Ok", content_type="text/plain; charset=utf-8")


async def checkout_page(visit: Visit) -> Answer:
    """The page that the cart is shown on; it fetches the cart by itself."""
    return page(
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><title>Finalizar compra</title></head>'
        '<body class="body-cart"><div class="checkout-container"><h1>Meu carrinho</h1></div></body></html>',
        life=0,
    )


async def admin_login(visit: Visit) -> Answer:
    """Where an admin user is asked who they are."""
    return page(
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><title>Admin</title></head>'
        '<body><div id="vtexid-container" data-scope="admin"></div></body></html>',
        life=0,
    )


async def image(visit: Visit) -> Answer:
    """A product's picture."""
    answer = Answer(body=PIXEL, content_type="image/png", life=FILE_LIFE)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


async def asset(visit: Visit) -> Answer:
    """A script of the theme."""
    answer = Answer(body=b"/* theme */\n", content_type="application/javascript; charset=utf-8", life=FILE_LIFE)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


async def content(visit: Visit) -> Answer:
    """The kinds of content a headless project has."""
    return data({"id": visit.params["project"], "contentTypes": [{"id": "home", "name": "Home", "isSingleton": True}]})


_PAGES = ("store", "io")

ENDPOINTS = (
    Endpoint("GET", ("store",), "/", "store-framework", home, through=("vtex-io",)),
    Endpoint("GET", ("io",), "/", "vtex-io", home),  # the account's own address: the runtime, with no store before it
    Endpoint("GET", _PAGES, "/{slug}/p", "store-framework", product_page, through=("vtex-io",)),
    Endpoint("GET", ("store",), "/api/health/live", "faststore", live),
    Endpoint("GET", _PAGES, "/checkout", "checkout-ui", checkout_page),
    Endpoint("GET", ("io",), "/admin/login", "admin", admin_login, through=("vtex-io",)),
    Endpoint("GET", ("io",), "/_v/cms/api/{project}", "headless-cms", content, through=("vtex-io",)),
    Endpoint("GET", ("images",), "/arquivos/{file:path}", "file-system", image),
    Endpoint("GET", ("assets",), "/arquivos/{file:path}", "file-system", image),
    Endpoint("GET", ("assets",), "/_v/{file:path}", "file-system", asset),
)
