#!/bin/sh
# Starts coturn for the video streams of kiosks behind NAT. It passes them on to the app and to nobody else.
set -eu
if [ "$(printf %s "${ROLLCALL_TURN_SECRET:-}" | wc -c)" -lt 16 ]; then
    echo "ROLLCALL_TURN_SECRET in .env is missing or too short: make one with \`openssl rand -hex 24\`." >&2
    exit 1
fi

app_address() {
    getent hosts app | cut -d ' ' -f 1
}

until app=$(app_address) && [ -n "$app" ]; do
    echo "Waiting for the app"
    sleep 2
done
(
    umask 077
    cat >${TMPDIR:-/tmp}/turnserver.conf <<CONFIG
listening-port=3478
realm=rollcall
use-auth-secret
static-auth-secret=$ROLLCALL_TURN_SECRET
fingerprint
no-cli
no-tls
no-dtls
no-multicast-peers
user-quota=100
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
allowed-peer-ip=$app
log-file=stdout
pidfile=${TMPDIR:-/tmp}/turnserver.pid
CONFIG
)
# An app that was made anew may have another address: then coturn ends, and is started again with that.
(while sleep 30 && kill -0 $$ 2>/dev/null; do
    now=$(app_address) || continue
    [ -z "$now" ] || [ "$now" = "$app" ] || kill $$
done) &

exec turnserver -c ${TMPDIR:-/tmp}/turnserver.conf
