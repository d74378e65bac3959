package server

import (
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// NoUI is what a binary without a web interface says in its place.
const NoUI = "This binary holds no web interface: make build makes one that does."

// ui serves the web interface; a path that is no file is a page of it. Files under
// assets have names that hold a hash: they never change, and one that is not there
// belongs to another build.
func (s *Server) ui(w http.ResponseWriter, r *http.Request) {
	if s.deps.UI == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Stalker is running. " + NoUI + "\nThe API is at /api/v1, metrics at /metrics.\n"))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	asset := strings.HasPrefix(name, "assets/")
	switch {
	case isFile(s.deps.UI, name):
	case asset:
		http.NotFound(w, r)
		return
	default:
		name = "index.html"
	}
	if asset {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	s.file(w, r, name)
}

// file serves a file, compressed when the build left it so and the client takes it.
func (s *Server) file(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && isFile(s.deps.UI, name+".gz") {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		name += ".gz"
	}
	http.ServeFileFS(w, r, s.deps.UI, name) //nolint:gosec // an fs.FS has no path outside itself
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && !info.IsDir()
}
