package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file for browsers, at an address that names its content, so that it may be kept for ever.
type asset struct {
	content []byte
	packed  []byte // gzip
	kind    string
}

var assets = sync.OnceValue(func() (all struct {
	byAddress map[string]*asset
	address   map[string]string
}) {
	all.byAddress, all.address = map[string]*asset{}, map[string]string{}
	err := fs.WalkDir(assetFiles, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := assetFiles.ReadFile(name)
		if err != nil {
			return err
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(content); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		base := path.Base(name)
		address := fmt.Sprintf("/assets/%s.%s%s", strings.TrimSuffix(base, ext), hex.EncodeToString(sum[:6]), ext)
		all.byAddress[address] = &asset{content: content, packed: packed.Bytes(), kind: mime.TypeByExtension(ext)}
		all.address[base] = address
		return nil
	})
	if err != nil {
		panic("web: embedded files can be read: " + err.Error())
	}
	return all
})

// assetURL is the address of an embedded file, by its base name.
func assetURL(name string) string {
	address, ok := assets().address[name]
	if !ok {
		panic("web: there is no asset " + name)
	}
	return address
}

// safe is assetURL for a link of a template.
func assetLink(name string) templ.SafeURL { return templ.SafeURL(assetURL(name)) }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	a := assets().byAddress[r.URL.Path]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Add("Vary", "Accept-Encoding")
	content := a.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = a.packed
	}
	_, _ = w.Write(content)
}
