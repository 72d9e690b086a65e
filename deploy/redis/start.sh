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

# Letters and digits alone: any other would mean something to sed below, or in Redis's files. No file, or an empty one,
# is refused too: the user would be there with a password that everybody knows.
secret() {
  value=$(cat "$secrets/$1") || exit 1
  case $value in
    '' | *[!0-9A-Za-z]*)
      echo "start.sh: $secrets/$1 has to be of letters and digits, and of nothing else" >&2
      exit 1
      ;;
  esac
  printf %s "$value"
}
digest() {
  password=$(secret "$1") || exit 1
  printf %s "$password" | sha256sum | cut -d ' ' -f 1
}

# renew FILE WORDS VALUE: the line of the file that begins with the words ends in the value.
renew() { sed -i "s/^$2 .*/$2 $3/" "$1"; }

node() {
  # Each in a line of its own: a failure inside the words of another command would be passed over.
  vigie=$(digest redis_vigie_password)
  replication=$(digest redis_replication_password)
  sentinel_user=$(digest redis_sentinel_user_password)
  operator=$(digest redis_operator_password)
  masterauth=$(secret redis_replication_password)
  sed -e "s/<vigie-password>/$vigie/" \
    -e "s/<replication-password>/$replication/" \
    -e "s/<sentinel-password>/$sentinel_user/" \
    -e "s/<operator-password>/$operator/" \
    "$conf/users.acl" > "$data/users.acl"
  if [ ! -f "$data/node.conf" ]; then
    cat "$conf/node.conf" - > "$data/node.conf.new" <<NODE
dir $data
aclfile $data/users.acl
bind $bind
port ${REDIS_PORT:-6379}
masteruser replication
masterauth $masterauth
NODE
    if [ -n "${REPLICA_OF:-}" ]; then echo "replicaof $REPLICA_OF" >> "$data/node.conf.new"; fi
    mv "$data/node.conf.new" "$data/node.conf"
  fi
  renew "$data/node.conf" masterauth "$masterauth"
  exec "${REDIS_SERVER:-redis-server}" "$data/node.conf"
}

sentinel() {
  own=$(secret redis_sentinel_password)
  sentinel_user=$(secret redis_sentinel_user_password)
  if [ ! -f "$data/sentinel.conf" ]; then
    {
      echo "dir $data"
      echo "bind $bind"
      echo "port ${REDIS_PORT:-26379}"
      echo "requirepass $own"
      echo "sentinel sentinel-pass $own"
      echo "sentinel monitor vigie $PRIMARY 2"
      echo "sentinel auth-user vigie sentinel"
      echo "sentinel auth-pass vigie $sentinel_user"
      cat "$conf/sentinel.conf"
    } > "$data/sentinel.conf.new"
    mv "$data/sentinel.conf.new" "$data/sentinel.conf"
  fi
  renew "$data/sentinel.conf" requirepass "$own"
  renew "$data/sentinel.conf" 'sentinel sentinel-pass' "$own"
  renew "$data/sentinel.conf" 'sentinel auth-pass vigie' "$sentinel_user"
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
