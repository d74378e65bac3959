package rows

import (
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Marks in what Words writes. No text that is UTF-8 has such a byte.
const (
	WordsEnd = "\xff" // ends a text, and stands before the first
	wordsKey = "\xfe" // ends a key
	wordsOdd = "\xfd" // what follows is one byte of a key, in two letters
)

// Words writes what a finding says as one text that a search looks through without
// parsing: its name, and for each field the key and the text, each text in lower case
// and ended by WordsEnd. Keys are in capitals, and what of a key is no small letter is
// written as two of the capitals A to P. What is looked for is in lower case too, so
// it is never found in a key, and never across the end of a text.
//
// Images are not said: their data stands elsewhere.
func Words(name string, fields []pipeline.Field) string {
	var b strings.Builder
	b.WriteString(WordsEnd + strings.ToLower(name) + WordsEnd)
	for i := range fields {
		f := &fields[i]
		writeKey(&b, f.Key)
		if f.Type != pipeline.ImageField {
			b.WriteString(strings.ToLower(f.Text()))
		}
		b.WriteString(WordsEnd)
	}
	return b.String()
}

// WordsAs is how the text of a field with a key begins in what Words writes.
func WordsAs(key string) string {
	var b strings.Builder
	writeKey(&b, key)
	return b.String()
}

func writeKey(b *strings.Builder, key string) {
	for i := range len(key) {
		if c := key[i]; 'a' <= c && c <= 'z' {
			b.WriteByte(c - 'a' + 'A')
		} else {
			b.WriteString(wordsOdd)
			b.WriteByte('A' + c>>4)
			b.WriteByte('A' + c&15)
		}
	}
	b.WriteString(wordsKey)
}
