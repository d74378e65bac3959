package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id (RFC 9106 §4, second recommendation, with less memory
// and more passes so that a login costs a small server about 50 ms).
const (
	argonTime    = 3
	argonMemory  = 32 << 10 // KiB
	argonThreads = 2
	argonKey     = 32
)

// decoy is a hash nobody has the password of; unknown accounts are checked
// against it so that they take as long as known ones.
const decoy = "argon2id$3$32768$2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func hashPassword(p string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(p), salt, argonTime, argonMemory, argonThreads, argonKey)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("argon2id$%d$%d$%d$%s$%s", argonTime, argonMemory, argonThreads, enc.EncodeToString(salt), enc.EncodeToString(key))
}

// checkPassword uses the parameters in the hash, so that they can be raised later.
func checkPassword(hash, p string) bool {
	time, memory, threads, salt, key, err := parseHash(hash)
	if err != nil {
		return false
	}
	got := argon2.IDKey([]byte(p), salt, time, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1
}

func parseHash(hash string) (time, memory uint32, threads uint8, salt, key []byte, err error) {
	fields := strings.Split(hash, "$")
	if len(fields) != 6 || fields[0] != "argon2id" {
		return 0, 0, 0, nil, nil, errFormat
	}
	if _, err = fmt.Sscan(fields[1], &time); err == nil {
		if _, err = fmt.Sscan(fields[2], &memory); err == nil {
			_, err = fmt.Sscan(fields[3], &threads)
		}
	}
	if err != nil {
		return 0, 0, 0, nil, nil, errFormat
	}
	s, k := fields[4], fields[5]
	if salt, err = base64.RawStdEncoding.DecodeString(s); err != nil {
		return 0, 0, 0, nil, nil, errFormat
	}
	if key, err = base64.RawStdEncoding.DecodeString(k); err != nil || len(key) != argonKey {
		return 0, 0, 0, nil, nil, errFormat
	}
	return time, memory, threads, salt, key, nil
}
