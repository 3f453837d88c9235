#!/bin/sh
# Fetches the browser libraries that Muster carries with it, at these versions, and writes internal/web/assets/vendor anew:
# only who changes a version runs this (it needs npm); building and running Muster does not.
set -eu
cd "$(dirname "$0")/.."
tabler=1.6.1 icons=3.51.0 htmx=2.0.11 tabulator=6.5.3 axe=4.14.1
into=internal/web/assets/vendor
tests=internal/web/browsertest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --ignore-scripts \
	"@tabler/core@$tabler" "@tabler/icons@$icons" "htmx.org@$htmx" "tabulator-tables@$tabulator" "axe-core@$axe")
modules=$work/node_modules
rm -rf "$into"
mkdir -p "$into" "$tests"
# Source maps stay behind: their comment would make the browser ask for them.
take() { sed -e '/^\/[/*]# sourceMappingURL=/d' "$modules/$1" >"$2"; }
take @tabler/core/dist/css/tabler.min.css "$into/tabler.min.css"
take htmx.org/dist/htmx.min.js "$into/htmx.min.js"
take tabulator-tables/dist/js/tabulator.min.js "$into/tabulator.min.js"
take tabulator-tables/dist/css/tabulator_bootstrap5.min.css "$into/tabulator.min.css"
take axe-core/axe.min.js "$tests/axe.min.js"
cp "$modules/axe-core/LICENSE" "$tests/axe.LICENSE.txt"
cp "$modules/@tabler/core/LICENSE" "$into/tabler.LICENSE.txt" 2>/dev/null || cp "$modules/@tabler/icons/LICENSE" "$into/tabler.LICENSE.txt"
cp "$modules/htmx.org/LICENSE" "$into/htmx.LICENSE.txt"
cp "$modules/tabulator-tables/LICENSE" "$into/tabulator.LICENSE.txt"
# One file with the icons that are used; each line of icons.txt is a name, or our-name:icon.
{
	echo '<svg xmlns="http://www.w3.org/2000/svg">'
	while IFS=: read -r name icon; do
		echo "<symbol id=\"$name\" viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\">"
		sed -n 's/^ *\(<\(path\|circle\|rect\|line\|polyline\)[^>]*>\).*/\1/p' "$modules/@tabler/icons/icons/outline/${icon:-$name}.svg"
		echo '</symbol>'
	done <scripts/icons.txt
	echo '</svg>'
} >"$into/icons.svg"
(cd "$into" && { printf '@tabler/core %s\n@tabler/icons %s\nhtmx.org %s\ntabulator-tables %s\n' "$tabler" "$icons" "$htmx" "$tabulator"; sha256sum -- *.css *.js *.svg; } >VERSIONS)
