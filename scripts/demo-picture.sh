#!/bin/sh
# Draws what the demo prints as docs/demo.svg, for the README. Run it when the demo's words change.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/muster" ./cmd/muster
(cd "$dir" && ./muster demo 2>&1) | head -n "${1:-44}" | expand | awk '
function esc(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
{ line[NR] = $0 }
END {
	width = 1180; height = 60 + 19 * (NR + 1)
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"What muster demo prints\">\n", width, height, width, height
	print "<rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"#16181d\"/>"
	print "<circle cx=\"24\" cy=\"22\" r=\"6\" fill=\"#5b616e\"/><circle cx=\"44\" cy=\"22\" r=\"6\" fill=\"#5b616e\"/><circle cx=\"64\" cy=\"22\" r=\"6\" fill=\"#5b616e\"/>"
	print "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"13.5\" fill=\"#d7dae0\" xml:space=\"preserve\">"
	printf "<text x=\"24\" y=\"56\" fill=\"#8fbf7f\">$ go run ./cmd/muster demo</text>\n"
	for (i = 1; i <= NR; i++) {
		text = line[i]
		if (length(text) > 138) text = substr(text, 1, 137) "…"
		colour = text ~ /^Batch/ ? "#ffffff" : text ~ /^  [0-9]+ ×/ ? "#e6b566" : text ~ /^      / ? "#9aa3b2" : "#d7dae0"
		printf "<text x=\"24\" y=\"%d\" fill=\"%s\">%s</text>\n", 56 + 19 * i, colour, esc(text)
	}
	print "</g>\n</svg>"
}' > docs/demo.svg
