package kube_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// kubelet serves the logs of pods to the API server, over TLS and to nobody else,
// as a node's kubelet does.
type kubelet struct {
	port int32

	mu    sync.Mutex
	logs  map[string]*podLog // by pod
	limit int                // bytes after which the next streams break, one each; 0 never
	cuts  int                // how many streams are to break
	calls int
	fails int // how many of the next streams are refused
	code  int // and how
}

// podLog is what one container has printed.
type podLog struct {
	mu     sync.Mutex
	text   []byte
	ended  bool
	change chan struct{} // closed and replaced at every change
}

func (l *podLog) print(text string) { l.alter(func() { l.text = append(l.text, text...) }) }
func (l *podLog) end()              { l.alter(func() { l.ended = true }) }

func (l *podLog) alter(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
	close(l.change)
	l.change = make(chan struct{})
}

func (l *podLog) from(at int) (text []byte, ended bool, change chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text[at:], l.ended, l.change
}

func (c *cluster) kubelet() *kubelet {
	c.t.Helper()
	pki := filepath.Join(c.dir, "pki")
	pair, err := tls.LoadX509KeyPair(filepath.Join(pki, "kubelet-serving.crt"), filepath.Join(pki, "kubelet-serving.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		c.t.Fatal(err)
	}
	callers := x509.NewCertPool()
	callers.AppendCertsFromPEM(ca)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	k := &kubelet{port: int32(l.Addr().(*net.TCPAddr).Port), logs: map[string]*podLog{}}
	srv := &http.Server{Handler: k, ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: callers, MinVersion: tls.VersionTLS12,
	}}
	go func() { _ = srv.ServeTLS(l, "", "") }()
	c.t.Cleanup(func() { _ = srv.Close() })
	return k
}

// log is that of one pod, empty at first.
func (k *kubelet) log(pod string) *podLog {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.logs[pod] == nil {
		k.logs[pod] = &podLog{change: make(chan struct{})}
	}
	return k.logs[pod]
}

// cut says whether this stream is to break, and after how many bytes.
func (k *kubelet) cut() (after int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.cuts == 0 {
		return 0, false
	}
	k.cuts--
	return k.limit * k.calls, true
}

func (k *kubelet) refuses() (code int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails == 0 {
		return 0, false
	}
	k.fails--
	return k.code, true
}

// refuse has the next streams refused.
func (k *kubelet) refuse(n, code int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails, k.code = n, code
}

func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // containerLogs/NAMESPACE/POD/CONTAINER
	if len(parts) != 4 || parts[0] != "containerLogs" || parts[3] != "job" {
		http.NotFound(w, r)
		return
	}
	if code, ok := k.refuses(); ok {
		http.Error(w, "not now", code)
		return
	}
	after, breaks := k.cut()
	k.serve(r.Context(), w, k.log(parts[2]), r.URL.Query().Get("follow") == "true", func(sent int) {
		if breaks && sent > after {
			panic(http.ErrAbortHandler)
		}
	})
}

func (k *kubelet) serve(ctx context.Context, w http.ResponseWriter, l *podLog, follow bool, sent func(int)) {
	for at := 0; ; {
		text, ended, change := l.from(at)
		n, err := w.Write(text)
		if err != nil {
			return
		}
		at += n
		_ = http.NewResponseController(w).Flush()
		sent(at)
		if ended && n == 0 || !follow {
			return
		}
		if n > 0 {
			continue
		}
		select {
		case <-change:
		case <-ctx.Done():
			return
		}
	}
}
