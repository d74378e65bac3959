package v1

import (
	"compress/gzip"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

var assetMedia = map[string]string{
	"swagger-ui.css":       "text/css; charset=utf-8",
	"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	"favicon-32x32.png":    "image/png",
}

// docsAsset serves a file of the documentation's viewer, which the module keeps
// compressed.
func docsAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	media := assetMedia[name]
	if media == "" || r.URL.Path != "/api/docs/"+name {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age=86400")
	if b, err := static.FS.ReadFile(name); err == nil {
		_, _ = w.Write(b) //nolint:gosec // our own file
		return
	}
	f, err := static.FS.Open(name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer func() { _ = f.Close() }()
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.Copy(w, f) // the client went away
		return
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, _ = io.Copy(w, z) //nolint:gosec // our own file
}
