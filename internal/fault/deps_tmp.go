//go:build never
package fault
import (
 _ "github.com/alecthomas/kong"
 _ "github.com/google/go-cmp/cmp"
 _ "github.com/rogpeppe/go-internal/testscript"
 _ "github.com/schollz/progressbar/v3"
 _ "github.com/wlynxg/chardet"
 _ "github.com/xuri/excelize/v2"
 _ "go.yaml.in/yaml/v3"
 _ "golang.org/x/text/encoding/charmap"
 _ "golang.org/x/term"
 _ "pgregory.net/rapid"
)
