#!/bin/sh
# Fails where the Go code of a template is not what the template makes. The arguments are the command that makes it.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp internal/web/*.templ "$work/"
"$@" generate -path "$work" >/dev/null 2>&1
# The code names the file that it was made from, by its path at the time.
plain() { sed 's#FileName: `[^`]*`#FileName: ``#' "$1"; }
bad=0
for made in "$work"/*_templ.go; do
	have=internal/web/$(basename "$made")
	plain "$made" >"$work/want"
	plain "$have" 2>/dev/null | cmp -s - "$work/want" || { echo "$have is not what its template makes; run make generate" >&2; bad=1; }
done
exit $bad
