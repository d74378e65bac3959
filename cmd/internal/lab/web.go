package lab

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// site is what an HTTP service serves for a name.
type site struct {
	status  int // 200 when 0
	title   string
	headers map[string]string
	head    string // more markup of the page's head
	uses    []string
	cert    *certificate
}

// certificate says which certificate a site shows. Sites share one by sharing this.
type certificate struct {
	names []string
	valid time.Duration

	tls  tls.Certificate
	told *pipeline.Certificate
}

// nobody is the name of the site for names a service does not know, and for none.
const nobody = ""

// serves returns the site for a name.
func (s *service) serves(name string) *site {
	if w, ok := s.sites[name]; ok {
		return w
	}
	return s.sites[nobody]
}

// web is an HTTP service with virtual hosts, within TLS when its sites have certificates.
type web struct {
	srv *http.Server
	ln  net.Listener
}

func newWeb(ln net.Listener, s *service, certs *authority) (*web, error) {
	w := &web{ln: ln}
	w.srv = &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			name, _, err := net.SplitHostPort(r.Host)
			if err != nil {
				name = r.Host
			}
			s.serves(strings.ToLower(name)).ServeHTTP(rw, r)
		}),
		ReadTimeout: patience, WriteTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	if s.serves(nobody).cert == nil {
		return w, nil
	}
	for _, site := range s.sites {
		if err := site.cert.issue(certs); err != nil {
			return nil, err
		}
	}
	w.ln = tls.NewListener(ln, &tls.Config{
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.serves(strings.ToLower(hello.ServerName)).cert.tls, nil
		},
	})
	return w, nil
}

// issue makes the certificate unless another site has done so.
func (c *certificate) issue(certs *authority) error {
	if c.told != nil {
		return nil
	}
	var err error
	c.tls, c.told, err = certs.issue(c.names, c.valid)
	return err
}

func (w *web) serve() { _ = w.srv.Serve(w.ln) } // it ends when it is closed

func (w *web) Close() error {
	_ = w.srv.Close()
	return w.ln.Close() // the server knows it only once it serves
}

// ServeHTTP answers any request with the site's one page.
func (p *site) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for k, v := range p.headers {
		w.Header()[k] = []string{v}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.code())
	_, _ = io.WriteString(w, page(p.title, p.head))
}

func (p *site) code() int {
	if p.status == 0 {
		return http.StatusOK
	}
	return p.status
}

// page is a page in HTML; title and head are markup already.
func page(title, head string) string {
	return fmt.Sprintf("<!doctype html>\n<html><head><meta charset=utf-8><title>%s</title>%s</head>\n<body><h1>%s</h1></body></html>\n", title, head, title)
}
