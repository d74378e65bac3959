package v1

import (
	"io"
	"net/http"
)

func (a *API) documentJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.doc.JSON()) // the client went away
}

func (a *API) documentYAML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(a.doc.YAML()) // the client went away
}

const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stalker API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`

const docsScript = `SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  withCredentials: true,
});
`

// docs serves the interactive page; what it loads comes from the binary.
func docs(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/docs":
		http.Redirect(w, r, "/api/docs/", http.StatusMovedPermanently)
	case "/api/docs/":
		send(w, "text/html; charset=utf-8", docsPage)
	case "/api/docs/start.js":
		send(w, "text/javascript; charset=utf-8", docsScript)
	default:
		docsAsset(w, r)
	}
}

func send(w http.ResponseWriter, media, text string) {
	w.Header().Set("Content-Type", media)
	_, _ = io.WriteString(w, text) // the client went away
}
