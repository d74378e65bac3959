package jobtoken

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// MaxSecrets is how many bytes of secrets a token carries: it travels in a header.
// Of what is longer the beginning is carried.
const MaxSecrets = 24 << 10

// hide encrypts a token's secrets, bound to its execution.
func hide(key []byte, c *Claims) ([]byte, error) {
	var list []string
	left := MaxSecrets
	for _, s := range c.Secrets {
		s = strings.ToValidUTF8(s[:min(len(s), left)], "")
		if left -= len(s); s != "" {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encoding secrets: %w", err)
	}
	aead, err := cipherOf(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, plain, []byte(c.ExecutionID)), nil
}

// reveal is the reverse, with whichever key it was.
func reveal(keys [][]byte, t *token) (list []string, err error) {
	if len(t.Veil) == 0 {
		return nil, nil
	}
	for _, key := range keys {
		aead, err := cipherOf(key)
		if err != nil || len(t.Veil) < aead.NonceSize() {
			continue
		}
		n := aead.NonceSize()
		plain, err := aead.Open(nil, t.Veil[:n], t.Veil[n:], []byte(t.ExecutionID))
		if err == nil {
			err = json.Unmarshal(plain, &list)
			return list, err
		}
	}
	return nil, errors.New("the secrets in the token do not open")
}

func cipherOf(key []byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("stalker: secrets in job tokens"))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("making cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
