#!/bin/sh
# Names the source files that have grown long; each should still be one thing.
git ls-files '*.go' '*.sql' '*.templ' '*.js' '*.css' | grep -v -e '_templ\.go$' -e '/vendor/' -e '\.min\.' | xargs wc -l | awk '$2 != "total" && $1 > 500 { printf "long: %s (%d lines)\n", $2, $1 }'
