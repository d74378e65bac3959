package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS says how a connection to another system is encrypted.
type TLS struct {
	// Enabled turns encryption on.
	Enabled bool `yaml:"enabled"`
	// CAFile is a PEM file of authorities to trust instead of the system's.
	CAFile string `yaml:"caFile"`
	// CertFile is a PEM file with which to authenticate.
	CertFile string `yaml:"certFile"`
	// KeyFile is the key of CertFile.
	KeyFile string `yaml:"keyFile"`
	// ServerName is the name the server's certificate must have, when it is not
	// that of the address.
	ServerName string `yaml:"serverName"`
}

// Validate reports what does not go together. Files are read by Client.
func (t *TLS) Validate() error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return errors.New("certFile and keyFile go together")
	}
	return nil
}

// Client reads the files and returns what a client needs, nil when encryption is off.
func (t *TLS) Client() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // how clients are told not to encrypt
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.caFile: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.caFile: no certificate in %s", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.certFile: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
