#!/bin/sh
# Installs what the tests need beside Go, where it is missing: a PostgreSQL server (any version from 13 on), the
# sqlite3 shell, Chromium, and vipsthumbnail, which the benchmark of pictures runs beside Muster. On Debian and Ubuntu,
# as root or through sudo; elsewhere it says what to install.
set -eu
missing=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || [ -n "${MUSTER_TEST_POSTGRES:-}" ] || missing="$missing postgresql"
command -v sqlite3 >/dev/null 2>&1 || missing="$missing sqlite3"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
command -v vipsthumbnail >/dev/null 2>&1 || missing="$missing libvips-tools"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "Please install:$missing (the tests look for initdb in PATH, or for a server at MUSTER_TEST_POSTGRES)" >&2
	exit 1
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
$sudo apt-get install -y -qq --no-install-recommends $missing
