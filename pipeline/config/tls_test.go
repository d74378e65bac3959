package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/config"
)

// pair writes a self-signed certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLSClient(t *testing.T) {
	cert, key := pair(t)
	if c, err := (&config.TLS{CAFile: "gone"}).Client(); c != nil || err != nil {
		t.Errorf("not enabled: %v, %v", c, err)
	}
	c, err := (&config.TLS{Enabled: true, CAFile: cert, CertFile: cert, KeyFile: key, ServerName: "kafka"}).Client()
	if err != nil || c.ServerName != "kafka" || len(c.Certificates) != 1 || c.RootCAs == nil {
		t.Errorf("enabled: %+v, %v", c, err)
	}
	for want, bad := range map[string]config.TLS{
		"caFile":               {CAFile: "gone.pem"},
		"no certificate":       {CAFile: key},
		"certFile":             {CertFile: cert, KeyFile: "gone.pem"},
		"certFile and keyFile": {KeyFile: key},
	} {
		bad.Enabled = true
		_, err := bad.Client()
		if err == nil {
			err = bad.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", bad, err, want)
		}
	}
}
