#!/bin/sh
# Bring a users.acl in use up to this version: the rights are those of the new file, the passwords stay.
#
#   sh deploy/redis/renew.sh [FILE]      /etc/redis/users.acl; the file as it was is FILE.before
#
# Users that the new file does not have stay as they are. The server is told by `acl load`.
set -eu
new=$(cd "$(dirname "$0")" && pwd)/users.acl
old=${1:-/etc/redis/users.acl}

umask 077
cp -p "$old" "$old.before"
awk '
    function password(word) { return word ~ /^[#>]/ || word == "nopass" }
    NR == FNR {
        if ($1 != "user") next
        line[$2] = $0
        for (i = 3; i <= NF; i++) if (password($i)) kept[$2] = kept[$2] " " $i
        next
    }
    $1 == "user" && $2 != "default" && kept[$2] != "" {
        said = "user " $2 " " $3 kept[$2]
        for (i = 4; i <= NF; i++) if (!password($i)) said = said " " $i
        $0 = said
    }
    { delete line[$2]; print }
    END { for (name in line) print line[name] }
' "$old.before" "$new" >"$old.next"
cat "$old.next" >"$old" # into the same file: its owner, its mode and what a container has mounted stay
rm "$old.next"
awk '/ #0000000000000000000000000000000000000000000000000000000000000000 / {
    print $2 " has no password of its own: nobody comes in as that user"
}' "$old" >&2
echo "renewed: $old, with the passwords of $old.before"
