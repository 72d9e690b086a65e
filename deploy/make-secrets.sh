#!/bin/sh
# Makes the deployment's secrets, each a file of its own; one that is there is left alone.
#
#   deploy/make-secrets.sh [directory]     default: deploy/secrets
#
# The directory is closed to others; the files in it are readable, because a container's own user has to read what is
# mounted from there. The deployment's secret is not to be lost: without it a copy of the store is worth nothing.
set -eu
dir=${1:-$(dirname "$0")/secrets}
mkdir -p "$dir"
chmod 700 "$dir"

for name in deployment_secret admin_token redis_vigie_password redis_replication_password \
  redis_sentinel_user_password redis_sentinel_password redis_operator_password grafana_admin_password; do
  [ -e "$dir/$name" ] && continue
  # 32 random bytes as 64 hexadecimal digits and a line's end, which is what the gateway's secret has to be.
  od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' > "$dir/$name.new"
  echo >> "$dir/$name.new"
  chmod 444 "$dir/$name.new"
  mv "$dir/$name.new" "$dir/$name"
done
