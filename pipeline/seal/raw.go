package seal

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

// identity reads one key: as age writes it, or 32 random bytes in base64, which is
// what a chart can make without this program.
func identity(text string) (*age.X25519Identity, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return age.ParseX25519Identity(text)
	}
	return age.ParseX25519Identity(strings.ToUpper(bech32("age-secret-key-", raw)))
}

// bech32 writes bytes as BIP 173 says, the form of age's keys. Their library keeps
// its own to itself.
func bech32(prefix string, data []byte) string {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var values []byte // five bits each
	bits, n := 0, 0
	for _, b := range data {
		bits, n = bits<<8|int(b), n+8
		for ; n >= 5; n -= 5 {
			values = append(values, byte(bits>>(n-5)&31))
		}
	}
	if n > 0 {
		values = append(values, byte(bits<<(5-n)&31))
	}
	sum := checksum(prefix, values)
	for i := range 6 {
		values = append(values, byte(sum>>(5*(5-i))&31))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s1", prefix)
	for _, v := range values {
		b.WriteByte(alphabet[v])
	}
	return b.String()
}

// checksum is the one of bech32 over the prefix and values.
func checksum(prefix string, values []byte) uint32 {
	sum := uint32(1)
	add := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range []byte(prefix) {
		add(c >> 5)
	}
	add(0)
	for _, c := range []byte(prefix) {
		add(c & 31)
	}
	for _, v := range append(slices.Clip(values), 0, 0, 0, 0, 0, 0) {
		add(v)
	}
	return sum ^ 1
}
