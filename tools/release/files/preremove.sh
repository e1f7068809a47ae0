#!/bin/sh
# Before the files go; on an upgrade the agent runs on until the new one is there.
set -e

case "$1" in
  remove | 0) ;;
  *) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl disable --now datakit.service || true
fi
