package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// authority issues the lab's certificates. Its own is nowhere trusted.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the lab's authority: %w", err)
	}
	a := &authority{key: key, now: time.Now().UTC().Truncate(time.Second)}
	a.cert = a.template(pkix.Name{CommonName: "Lab Root CA", Organization: []string{"Stalker Lab"}}, 10*365*24*time.Hour)
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	return a, nil
}

func (a *authority) template(subject pkix.Name, valid time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // rand.Reader never fails
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: a.now.Add(-24 * time.Hour), NotAfter: a.now.Add(valid)}
}

// issue makes a certificate for names, and what a scanner should say of it.
func (a *authority) issue(names []string, valid time.Duration) (tls.Certificate, *pipeline.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("making a certificate: %w", err)
	}
	t := a.template(pkix.Name{CommonName: names[0]}, valid)
	t.DNSNames, t.KeyUsage, t.ExtKeyUsage = names, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("making a certificate: %w", err)
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &pipeline.Certificate{
		Subject: "CN=" + names[0], Issuer: "CN=Lab Root CA, O=Stalker Lab", Names: slices.Sorted(slices.Values(names)),
		NotBefore: t.NotBefore, NotAfter: t.NotAfter, Fingerprint: hex.EncodeToString(sum[:]),
	}, nil
}
