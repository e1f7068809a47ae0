#!/bin/sh
# After the files are gone. What the agent wrote goes only when the user asks for
# that: `apt-get purge`. The account stays, so that no other gets its number and
# with it what is left of its files.
set -e

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "$1" = purge ]; then
  for folder in cache data log pipeline_confd; do
    rm -rf "/usr/local/datakit/$folder"
  done
fi
