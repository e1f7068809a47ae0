#!/bin/sh
# Before the files are there: the account that some of them belong to.
set -e

getent group datakit >/dev/null || groupadd --system datakit
getent passwd datakit >/dev/null ||
  useradd --system --gid datakit --home-dir /usr/local/datakit --no-create-home \
    --shell /usr/sbin/nologin --comment 'DataKit agent' datakit
