"""What public dashboards and alert rules for the blackbox exporter ask a Prometheus, with their variables filled in."""

# Dashboards 7587, 14928, 13659, 11175, 11529, 16124, 16292, 16293 and 10408 of the public library.
CHOOSERS = (
    "count by (instance) (probe_success{%s})",
    "count by (job) (probe_success{%s})",
    "count by (phase) (probe_http_duration_seconds{%s})",
    "count by (instance) (probe_http_status_code{%s})",
)
PANELS = (
    "probe_success{%s}",
    "(probe_ssl_earliest_cert_expiry{%s} - time()) / 3600 / 24",
    "probe_ssl_earliest_cert_expiry{%s} * 1000",
    "min(probe_ssl_earliest_cert_expiry{%s}) - time()",
    "probe_ssl_last_chain_expiry_timestamp_seconds{%s} - time()",
    "probe_http_status_code{%s} > 0",
    "avg_over_time(probe_duration_seconds{%s}[1m])",
    "sum(probe_http_duration_seconds{%s}) by (instance)",
    'probe_http_duration_seconds{%s, phase=~"resolve|connect|tls|processing|transfer"}',
    "avg(probe_http_duration_seconds{%s}) by (phase)",
    "max by (instance, version) (probe_tls_version_info{%s})",
    'probe_tls_version_info{%s, version=~".*.3"}',
    "avg_over_time(probe_success{%s}[30d])",
    "count(probe_http_ssl{%s} == 1) / count(probe_http_version{%s})",
    "probe_http_ssl{%s}",
    "probe_http_version{%s}",
    "probe_http_redirects{%s}",
    "avg(probe_dns_lookup_time_seconds{%s})",
    "probe_ip_protocol{%s}",
    "avg by (instance) (probe_duration_seconds{%s})",
    "max by (fingerprint_sha256, subject, issuer, subjectalternative) (probe_ssl_last_chain_info{%s})",
    "probe_dns_answer_rrs{%s}",
    "probe_dns_query_succeeded{%s}",
)
# The conditions of the usual alert rules, as what they compare: empty only where there is nothing to compare.
RULES = (
    "probe_success{%s} == bool 0",
    "(probe_http_status_code{%s} <= bool 199) + (probe_http_status_code{%s} >= bool 400)",
    "probe_duration_seconds{%s} > bool 1",
    "avg_over_time(probe_duration_seconds{%s}[1m]) > bool 1",
    "sum by (instance) (probe_http_duration_seconds{%s}) > bool 1",
    "round((last_over_time(probe_ssl_earliest_cert_expiry{%s}[10m]) - time()) / 86400, 0.1) < bool 20",
    "avg_over_time(probe_success{%s}[30d]) * 100 < bool 99.9",
)
EVERY = (*CHOOSERS, *PANELS, *RULES)
