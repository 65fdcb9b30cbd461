"""Shop: the goods, places and ways to pay of an invented store, one truth that every module's answer is cut from."""

from dataclasses import dataclass
from typing import Any

CATEGORIES: dict[int, tuple[str, str]] = {1: ("Casa", "casa"), 2: ("Viagem", "viagem"), 3: ("Som", "som")}


@dataclass(frozen=True, slots=True)
class Product:
    """One product with one SKU. Money in cents."""

    id: int
    sku: int
    name: str
    slug: str
    category: int
    brand: str
    price: int
    list_price: int
    stock: int = 500


PRODUCTS = (
    Product(101, 1, "Caneca Aurora", "caneca-aurora", 1, "Vereda", 4990, 5990),
    Product(102, 2, "Luminária Ipê", "luminaria-ipe", 1, "Vereda", 18990, 18990),
    Product(103, 3, "Mochila Serra", "mochila-serra", 2, "Trilha", 32900, 38900),
    Product(104, 4, "Garrafa Orvalho", "garrafa-orvalho", 2, "Trilha", 7990, 7990),
    Product(105, 5, "Fone Brisa", "fone-brisa", 3, "Litoral", 24900, 29900),
    Product(106, 6, "Manta Neblina", "manta-neblina", 1, "Litoral", 15900, 15900),
    Product(107, 7, "Vitrola Domingo", "vitrola-domingo", 3, "Litoral", 89900, 89900, stock=0),  # always sold out
)

# The monitor's own product: the store's job writes the time into one of its specifications, and search must follow.
OWN_PRODUCT = "101"
SPECIFICATION = "Monitor"

# A permanent promotion on one SKU. Where it is missing from an answer, nobody was asked for promotions.
PROMOTED_SKU = "1"
PROMOTION = {"id": "promocao-permanente", "name": "Promoção permanente de teste", "featured": False}

BY_SKU = {str(product.sku): product for product in PRODUCTS}
BY_ID = {str(product.id): product for product in PRODUCTS}
BY_SLUG = {product.slug: product for product in PRODUCTS}

# The first two digits of a Brazilian postal code tell the state well enough for a shop that does not exist.
_STATES = (
    (19, "São Paulo", "SP"),
    (28, "Rio de Janeiro", "RJ"),
    (29, "Vitória", "ES"),
    (39, "Belo Horizonte", "MG"),
    (48, "Salvador", "BA"),
    (49, "Aracaju", "SE"),
    (56, "Recife", "PE"),
    (57, "Maceió", "AL"),
    (58, "João Pessoa", "PB"),
    (59, "Natal", "RN"),
    (63, "Fortaleza", "CE"),
    (64, "Teresina", "PI"),
    (65, "São Luís", "MA"),
    (68, "Belém", "PA"),
    (69, "Manaus", "AM"),
    (73, "Brasília", "DF"),
    (76, "Goiânia", "GO"),
    (77, "Palmas", "TO"),
    (78, "Cuiabá", "MT"),
    (79, "Campo Grande", "MS"),
    (87, "Curitiba", "PR"),
    (89, "Florianópolis", "SC"),
    (99, "Porto Alegre", "RS"),
)

PAYMENT_SYSTEMS: list[dict[str, Any]] = [
    {"id": 2, "name": "Visa", "groupName": "creditCardPaymentGroup"},
    {"id": 6, "name": "Boleto Bancário", "groupName": "bankInvoicePaymentGroup"},
    {"id": 125, "name": "Pix", "groupName": "instantPaymentPaymentGroup"},
    {"id": 17, "name": "Promissória", "groupName": "promissoryPaymentGroup"},  # nobody behind it: good for test orders
]


def place_of(postal_code: str) -> tuple[str, str] | None:
    """City and state of a postal code of eight digits, with or without its hyphen; None when it is none."""
    digits = postal_code.replace("-", "")
    if len(digits) != 8 or not digits.isdecimal():
        return None
    return next((city, state) for last, city, state in _STATES if int(digits[:2]) <= last)


def is_served(postal_code: str) -> bool:
    """Whether the shop delivers there: nowhere that begins with five zeros."""
    return not postal_code.replace("-", "").startswith("00000")


def found(query: str, category: str | None = None) -> list[Product]:
    """Products whose name or slug holds every word of the query, in one category or all."""
    words = query.lower().split()
    return [
        product
        for product in PRODUCTS
        if (category is None or CATEGORIES[product.category][1] == category)
        and all(word in f"{product.name.lower()} {product.slug}" for word in words)
    ]


def money(cents: int) -> float:
    """Cents as the decimals that search and catalog answers show."""
    return cents / 100


def shipping(selected: str | None = None) -> list[dict[str, Any]]:
    """The delivery options of one item, prices in cents."""
    return [
        {
            "id": name,
            "deliveryChannel": "delivery",
            "name": name,
            "deliveryIds": [{"courierId": courier, "warehouseId": "1_1", "dockId": "1", "quantity": 1}],
            "shippingEstimate": estimate,
            "price": price,
            "listPrice": price,
            "tax": 0,
            "availableDeliveryWindows": [],
            "pickupPointId": None,
        }
        for name, courier, estimate, price in (
            ("Normal", "transportadora-1", "5bd", 1290),
            ("Expressa", "transportadora-2", "1bd", 2990),
        )
        if selected in (None, name)
    ]


def installments(value: int) -> list[dict[str, Any]]:
    """The installments of each way to pay, in cents."""
    return [
        {
            "paymentSystem": str(system["id"]),
            "paymentName": system["name"],
            "paymentGroupName": system["groupName"],
            "value": value,
            "installments": [
                {"count": count, "hasInterestRate": False, "interestRate": 0, "value": value // count, "total": value}
                for count in ((1, 2, 3) if system["id"] == 2 else (1,))
            ],
        }
        for system in PAYMENT_SYSTEMS
    ]
