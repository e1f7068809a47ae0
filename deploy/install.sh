#!/bin/sh
# Installs DataKit on Linux or macOS:
#
#   DK_CONFD_BACKEND="etcdv3" DK_CONFD_BACKEND_NODES="[127.0.0.1:2379]" \
#     DK_DATAWAY="https://openway.guance.com?token=<TOKEN>" \
#     sh -c "$(curl -fsSL https://static.guance.com/datakit/install.sh)"
#
# It fetches the archive for this machine, checks it, and runs `datakit install`
# from it, which reads the DK_ variables from the environment: no value is on a
# command line, where ps would show it. See docs/datakit-install.md.
set -eu
umask 077

base=${DK_INSTALLER_BASE_URL:-https://static.guance.com/datakit}
tmp=

say() { printf '%s\n' "$*"; }

die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

cleanup() { [ -z "$tmp" ] || rm -rf "$tmp"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

have() { command -v "$1" >/dev/null 2>&1; }

# platform prints which archive this machine needs: linux-amd64.
platform() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) die "there is no archive for $(uname -s): this script is for Linux and macOS" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) die "there is no archive for $(uname -m): only amd64 and arm64 machines are served" ;;
  esac
  # An Intel shell under Rosetta still runs on an ARM machine.
  if [ "$os" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then
    arch=arm64
  fi
  printf '%s-%s' "$os" "$arch"
}

# fetch NAME puts a file of the base URL into $tmp. The address goes in by
# standard input: it may hold a password.
fetch() {
  url=$base/$1
  if have curl; then
    printf 'url = "%s"\n' "$(printf '%s' "$url" | sed 's/[\\"]/\\&/g')" |
      curl -fsSL --retry 3 --connect-timeout 20 -K - -o "$tmp/$1"
  elif have wget; then
    printf '%s\n' "$url" | wget -q -O "$tmp/$1" -i -
  else
    die "neither curl nor wget is here: install one of them"
  fi || die "$1 could not be fetched: is DK_INSTALLER_BASE_URL right, and reachable from here?"
}

sha256() {
  if have sha256sum; then
    sha256sum "$1"
  elif have shasum; then
    shasum -a 256 "$1"
  elif have openssl; then
    openssl dgst -sha256 -r "$1"
  else
    die "the archive cannot be checked: install sha256sum, shasum or openssl"
  fi | cut -d ' ' -f 1
}

# verify checks the archive against SHA256SUMS, and that against the signature
# where DK_PUBLIC_KEY holds the key: a line such as "ssh-ed25519 AAAA…". ssh-keygen
# is what checks an Ed25519 signature on Linux, macOS and Windows alike.
verify() {
  fetch SHA256SUMS
  if [ -n "${DK_PUBLIC_KEY:-}" ]; then
    have ssh-keygen || die "DK_PUBLIC_KEY is set, and there is no ssh-keygen to check the signature with: install OpenSSH"
    fetch SHA256SUMS.sig
    printf 'datakit namespaces="datakit" %s\n' "$DK_PUBLIC_KEY" >"$tmp/signers"
    ssh-keygen -Y verify -f "$tmp/signers" -I datakit -n datakit -s "$tmp/SHA256SUMS.sig" <"$tmp/SHA256SUMS" >/dev/null 2>&1 ||
      die "SHA256SUMS is not signed with the key in DK_PUBLIC_KEY: nothing was installed"
  fi
  want=$(awk -v name="$1" '$2 == name || $2 == "*" name { print $1; exit }' "$tmp/SHA256SUMS")
  [ -n "$want" ] || die "SHA256SUMS does not name $1: nothing was installed"
  [ "$(sha256 "$tmp/$1")" = "$want" ] || die "$1 is not what SHA256SUMS says: nothing was installed"
}

# as_root runs a command with the rights that the service needs, and with the
# variables of this environment.
as_root() {
  if [ "$(id -u)" -eq 0 ] || switched_on "${DK_FILES_ONLY:-}"; then
    "$@"
  elif have sudo; then
    sudo -E "$@"
  else
    die "run this as root: the service has to be registered"
  fi
}

switched_on() {
  case $1 in
    '' | 0 | false | no | off) return 1 ;;
  esac
}

main() {
  archive=datakit-$(platform).tar.gz
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/datakit.XXXXXX") || die "no temporary folder could be made: set TMPDIR"
  say "fetch     $archive"
  fetch "$archive"
  verify "$archive"
  tar -xzf "$tmp/$archive" -C "$tmp" datakit || die "$archive holds no datakit: nothing was installed"
  chmod 755 "$tmp" "$tmp/datakit"
  "$tmp/datakit" version >/dev/null ||
    die "the program does not run on this machine; where $tmp is mounted noexec, set TMPDIR to another folder"
  if switched_on "${DK_UPGRADE:-}"; then
    as_root "$tmp/datakit" upgrade --program "$tmp/datakit"
  else
    as_root "$tmp/datakit" install --program "$tmp/datakit"
  fi
}

main "$@"
