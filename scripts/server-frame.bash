# What the installers in scripts/servers share. Each puts one program into
# $DATAKIT_SERVERS/NAME/bin/NAME, by default below the cache of the user, and is
# quick where that version of it is there already.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# begin NAME VERSION WHAT ends the script where NAME is there in VERSION. Else it
# says WHAT and makes $new, a folder to fill that goes away unless finish is called.
begin() {
  home=${DATAKIT_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/datakit-servers}/$1
  version=$2
  if [ -x "$home/bin/$1" ] && [ "$(cat "$home/version" 2>/dev/null)" = "$version" ]; then
    exit 0
  fi
  mkdir -p "$(dirname "$home")"
  new=$(mktemp -d "$home.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  mkdir "$new/bin"
  echo "$3 into $home"
}

# finish puts $new in the place of what was there.
finish() {
  echo "$version" > "$new/version"
  chmod 755 "$new"
  rm -rf "$home"
  mv "$new" "$home"
}

# require PROGRAM HOW ends the script where PROGRAM is missing, and says HOW to
# get it.
require() {
  command -v "$1" >/dev/null || { echo "${0##*/} needs $1: $2" >&2; exit 1; }
}

# pinned TOOL MODULE prints the version of MODULE in tools/TOOL/go.mod.
pinned() {
  awk -v m="$2" '$1 == m { print $2; exit }' "$here/tools/$1/go.mod"
}
