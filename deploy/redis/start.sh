#!/bin/sh
# Starts a node of the revocation log, or a sentinel, by the files beside this one:
#
#   start.sh node      REPLICA_OF="address port" makes it a replica at first
#   start.sh sentinel  PRIMARY="address port" is who leads at first
#
# At the first start a configuration is written into the data directory. From then on it is Redis's own: Sentinel
# rewrites it at each failover, so that a node that comes back knows whom it follows. Passwords are files, and those
# that stand there now are in force at each start.
set -eu
conf=$(cd "$(dirname "$0")" && pwd)
data=${REDIS_DATA:-/data}
secrets=${REDIS_SECRETS:-/run/secrets}
bind=${REDIS_BIND:-*}
umask 077

secret() { cat "$secrets/$1"; }
digest() { printf %s "$(secret "$1")" | sha256sum | cut -d ' ' -f 1; }

# renew FILE WORDS VALUE: the line of the file that begins with the words ends in the value.
renew() { sed -i "s/^$2 .*/$2 $3/" "$1"; }

node() {
  sed -e "s/<vigie-password>/$(digest redis_vigie_password)/" \
    -e "s/<replication-password>/$(digest redis_replication_password)/" \
    -e "s/<sentinel-password>/$(digest redis_sentinel_user_password)/" \
    "$conf/users.acl" > "$data/users.acl"
  if [ ! -f "$data/node.conf" ]; then
    cat "$conf/node.conf" - > "$data/node.conf.new" <<NODE
dir $data
aclfile $data/users.acl
bind $bind
port ${REDIS_PORT:-6379}
masteruser replication
masterauth $(secret redis_replication_password)
NODE
    if [ -n "${REPLICA_OF:-}" ]; then echo "replicaof $REPLICA_OF" >> "$data/node.conf.new"; fi
    mv "$data/node.conf.new" "$data/node.conf"
  fi
  renew "$data/node.conf" masterauth "$(secret redis_replication_password)"
  exec "${REDIS_SERVER:-redis-server}" "$data/node.conf"
}

sentinel() {
  if [ ! -f "$data/sentinel.conf" ]; then
    {
      echo "dir $data"
      echo "bind $bind"
      echo "port ${REDIS_PORT:-26379}"
      echo "requirepass $(secret redis_sentinel_password)"
      echo "sentinel sentinel-pass $(secret redis_sentinel_password)"
      echo "sentinel monitor vigie $PRIMARY 2"
      echo "sentinel auth-user vigie sentinel"
      echo "sentinel auth-pass vigie $(secret redis_sentinel_user_password)"
      cat "$conf/sentinel.conf"
    } > "$data/sentinel.conf.new"
    mv "$data/sentinel.conf.new" "$data/sentinel.conf"
  fi
  renew "$data/sentinel.conf" requirepass "$(secret redis_sentinel_password)"
  renew "$data/sentinel.conf" 'sentinel sentinel-pass' "$(secret redis_sentinel_password)"
  renew "$data/sentinel.conf" 'sentinel auth-pass vigie' "$(secret redis_sentinel_user_password)"
  # Redis writes the old password here too.
  sed -i '/^user default /d' "$data/sentinel.conf"
  exec "${REDIS_SERVER:-redis-server}" "$data/sentinel.conf" --sentinel
}

case "${1:-}" in
  node) node ;;
  sentinel) sentinel ;;
  *)
    echo "start.sh: node or sentinel?" >&2
    exit 2
    ;;
esac
