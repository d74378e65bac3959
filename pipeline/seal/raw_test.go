package seal

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"testing"
)

// TestRandomBytesAreAKey compares with the curve itself: what is sealed for a key
// made by a chart must open with the same key written as age writes it.
func TestRandomBytesAreAKey(t *testing.T) {
	for _, first := range []byte{0, 1, 0x7f, 0x80, 0xff} {
		raw := bytes.Repeat([]byte{first, 42, 7, 255}, 8)
		k, err := Parse("# made by helm\n" + base64.StdEncoding.EncodeToString(raw) + "\n")
		if err != nil {
			t.Fatal(err)
		}
		curve, err := ecdh.X25519().NewPrivateKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		if want := bech32("age", curve.PublicKey().Bytes()); k.Recipient() != want {
			t.Errorf("%x: recipient %s, want %s", raw, k.Recipient(), want)
		}
		if again, err := Parse(k.identities[0].String()); err != nil || again.Recipient() != k.Recipient() {
			t.Errorf("%x: not the same key in age's form: %v", raw, err)
		}
	}
	if _, err := Parse(base64.StdEncoding.EncodeToString(make([]byte, 31))); err == nil {
		t.Error("31 bytes are a key")
	}
}
