package v1

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// maxPictures is how many images one finding may be asked for.
const maxPictures = 1000

// picture answers with an image that a finding has, as a file of its own. It comes
// from a scanned host: it is checked once more, and no browser may take it for
// anything but a picture. A finding never changes, so it may be kept for long.
func (a *API) picture(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	finding := chi.URLParam(r, "findingId")
	if err == nil && !findingForm(finding) {
		err = pipeline.Errorf(pipeline.CodeInvalid, "%q is no id of a finding", finding)
	}
	n, bad := strconv.Atoi(chi.URLParam(r, "n"))
	if err == nil && (bad != nil || n < 0 || n >= maxPictures) {
		err = pipeline.Errorf(pipeline.CodeInvalid, "images are counted from 0, %q is no number of one", chi.URLParam(r, "n"))
	}
	var data string
	if err == nil {
		data, err = a.Store.Picture(r.Context(), p.ID, finding, n)
	}
	var kind string
	var body []byte
	if err == nil {
		kind, body, err = normal.Image(data)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	tag := `"` + finding + "-" + strconv.Itoa(n) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": finding + "-" + strconv.Itoa(n) + "." + strings.TrimPrefix(kind, "image/")}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_, _ = w.Write(body) //nolint:gosec // checked to be a picture, and sent as nothing else
}

// findingForm says whether s looks like the id of a finding.
func findingForm(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}
