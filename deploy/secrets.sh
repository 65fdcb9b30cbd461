#!/bin/sh
# Makes the files that docker-compose.yml mounts as secrets, in deploy/secrets/. What is there already stays.
# Only you reach the folder; inside, the files are readable, because every container reads them as somebody else.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
umask 022

random() { od -An -N 24 -t x1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s' "$2" > "secrets/$1"; }

keep ops_token "$(random)"
keep database_password "$(random)"
keep database_url "postgresql://monitor:$(cat secrets/database_password)@postgres/monitor"
keep grafana_password "$(random)"
# An application key of your store, where you have one. Empty: the probes that need it are off.
keep vtex_app_key ""
keep vtex_app_token ""
