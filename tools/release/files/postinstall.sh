#!/bin/sh
# After the files are there. Debian says "configure" and the version that was
# there before; RPM says how many versions are there now.
set -e

case "$1:$2" in
  configure: | 1:*) first=yes ;;
  configure:* | [2-9]:*) first= ;;
  *) exit 0 ;; # a failed upgrade goes back
esac

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  [ -n "$first" ] || systemctl try-restart datakit.service || true
fi
if [ -n "$first" ]; then
  echo 'DataKit is installed. Name a data gateway and your config store in'
  echo '/usr/local/datakit/conf.d/datakit.conf, and start it:'
  echo '  systemctl enable --now datakit'
fi
