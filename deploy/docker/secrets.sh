#!/bin/sh
# Make the secrets of one installation once: the token, and a password for each of Storywire's users of the server.
#
#   sudo sh deploy/docker/secrets.sh [FOLDER [HOST]]      deploy/docker/secrets, redis
#   sudo sh deploy/docker/secrets.sh --renew [FOLDER]     users.acl of this version, with the passwords that there are
#
# FOLDER/token         the editor's token: user and group 10001 may read it, which the containers run as
# FOLDER/ROLE.env      STORYWIRE_REDIS_URL with the password of poller, pages, worker, web, admin and operator (backups)
# FOLDER/users.acl     deploy/redis/users.acl with the passwords' SHA-256 in it, for the server
# FOLDER/grafana       the password of Grafana's admin
#
# What is there already stays as it is: passwords are changed by removing the folder, and starting all containers again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = --renew ]; then
    exec sh "$here/../redis/renew.sh" "${2:-$here/secrets}/users.acl"
fi
folder=${1:-$here/secrets}
host=${2:-redis}
acl=$here/../redis/users.acl

if [ -e "$folder/users.acl" ]; then
    echo "$folder has its secrets already: remove it to have others" >&2
    exit 1
fi
mkdir -p "$folder"
chmod 711 "$folder"
umask 077

printf %s "$(openssl rand -hex 24)" >"$folder/token" # without an end of line: it is sent as it stands
printf %s "$(openssl rand -hex 16)" >"$folder/grafana"
cp "$acl" "$folder/users.acl.new"
for role in poller pages worker web admin operator; do
    password=$(openssl rand -hex 24)
    hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
    printf 'STORYWIRE_REDIS_URL=redis://%s:%s@%s:6379/0\n' "$role" "$password" "$host" >"$folder/$role.env"
    # The passwords that the file came with are taken out, whatever they are, and this one is put in.
    awk -v role="$role" -v hash="$hash" '
        $1 == "user" && $2 == role {
            line = "user " role " on #" hash
            for (i = 3; i <= NF; i++)
                if ($i !~ /^([>#<!]|on$|off$|nopass$|resetpass$)/) line = line " " $i
            print line
            found = 1
            next
        }
        { print }
        END { exit !found }
    ' "$folder/users.acl.new" >"$folder/users.acl.next" || { echo "$acl has no user $role" >&2; exit 1; }
    mv "$folder/users.acl.next" "$folder/users.acl.new"
done

# The server runs as another user, and hashes of 192 random bits tell nobody anything.
chmod 644 "$folder/users.acl.new"
chmod 440 "$folder/token" "$folder/grafana"
if [ "$(id -u)" = 0 ]; then
    chown 10001:10001 "$folder/token" "$folder/grafana"
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$folder" "$folder"/*.env
else
    echo "not root: give token and grafana to the containers' user: chown 10001:10001 $folder/token $folder/grafana" >&2
fi
mv "$folder/users.acl.new" "$folder/users.acl"
echo "made: $folder/token, users.acl, grafana, and an .env for each role"
