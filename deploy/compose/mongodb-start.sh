#!/bin/bash
# Starts MongoDB with sign-in as a replica set of one. It makes the set itself, once the server answers.
set -eu

for name in MONGO_INITDB_ROOT_PASSWORD ROLLCALL_MONGODB_PASSWORD; do
    if [[ ! ${!name:-} =~ ^[A-Za-z0-9_-]{16,}$ ]]; then
        echo "$name has to be 16 or more letters and digits: make one with \`openssl rand -hex 24\`." >&2
        exit 1
    fi
done

# Members of a replica set know each other by this file, and a set wants it even when there is one member.
key=/data/configdb/replica-set-key
if [ ! -s "$key" ]; then
    (umask 077 && head -c 567 /dev/urandom | base64 -w 0 >"$key.new")
    mv "$key.new" "$key"
fi
chown mongodb:mongodb "$key"
chmod 400 "$key"

(until mongosh --quiet --file /rollcall/mongodb-replica-set.js >/dev/null 2>&1; do sleep 2; done) &

exec docker-entrypoint.sh mongod --bind_ip_all --replSet rs0 --keyFile "$key" "$@"
