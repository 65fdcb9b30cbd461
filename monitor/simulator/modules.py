"""Modules: every part of the platform that can be struck, with the application name and version it answers under.

The ids are those of the shipped `probes.yaml`. A module without a route of its own can be struck all the same:
its fault shows in what depends on it.
"""

VERSIONS: dict[str, str] = {
    "janus": "janus-v3.40.1",
    "license-manager": "license-manager-v2.61.0",
    "vtex-id": "vtexid-v4.18.2",
    "vtex-io": "vtex-io-v2.152.0",
    "file-system": "file-system-v1.9.4",
    "store-framework": "render-server-v8.171.3",
    "faststore": "faststore-v3.52.0",
    "headless-cms": "headless-cms-v1.24.6",
    "checkout-ui": "portalv2-v2.88.1",
    "catalog": "catalog-v5.33.7",
    "search": "intelligent-search-v1.96.2",
    "legacy-search": "catalog-search-v3.14.0",
    "session": "session-manager-v2.27.5",
    "checkout": "checkout-v5.71.2",
    "postal-code": "postal-code-v1.12.3",
    "profile": "profile-system-v2.6.8",
    "logistics": "logistics-v4.45.0",
    "pricing": "pricing-v3.21.12",
    "rates-and-benefits": "rates-and-benefits-v2.90.4",
    "payment-options": "payment-options-v1.17.9",
    "payments": "payments-gateway-v6.8.3",
    "gift-card": "giftcard-hub-v1.30.0",
    "fulfillment": "fulfillment-v3.12.6",
    "oms": "oms-v4.102.1",
    "workflow": "workflow-v2.38.0",
    "master-data": "master-data-v2.44.5",
    "subscriptions": "subscriptions-v3.19.2",
    "marketplace": "seller-register-v1.55.0",
    "suggestions": "suggestions-v2.3.9",
    "admin": "admin-v4.67.3",
}

# No route of theirs: they show in what asks them, in time that passes, or in nothing that is seen from outside.
ASIDE: dict[str, str] = {
    "indexing": "catalog-indexer-v2.31.4",
    "tax-service": "tax-hub-v1.22.0",
    "payment-connectors": "payment-connectors-v3.9.1",
    "channels": "channels-v1.48.2",
    "audit": "audit-v2.7.5",
    "order-routing": "order-routing-v1.14.2",
    "order-authorization": "order-authorization-v1.33.0",
    "checkout-services": "configuration-v2.10.4",
    "recaptcha": "recaptcha-v1.0.0",
    "aws": "aws-v1.0.0",
    "portal": "portal-v3.108.0",
    "sales-app": "sales-app-v2.17.6",
    "third-party-apps": "apps-v1.0.0",
    "message-center": "message-center-v2.20.3",
}

STRUCK = {**VERSIONS, **ASIDE}  # everything that can be struck

GATEWAY = "janus"


def version_after(version: str, deploys: int) -> str:
    """The version that answers after that many deploys: each raises the middle number and starts the last one anew."""
    if not deploys:
        return version
    app, _, numbers = version.rpartition("-v")
    major, minor, _ = numbers.split(".")
    return f"{app}-v{major}.{int(minor) + deploys}.0"
