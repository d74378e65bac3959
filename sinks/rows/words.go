package rows

import (
	"strings"
	"unicode/utf8"

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
	size := len(name) + 2*len(WordsEnd)
	for i := range fields {
		size += len(fields[i].Key) + len(wordsKey) + len(WordsEnd)
		if text, ok := fields[i].Data.(string); ok && fields[i].Type != pipeline.ImageField {
			size += len(text)
		}
	}
	b := make([]byte, 0, size+roomForOdd)
	b = append(b, WordsEnd...)
	b = append(appendLower(b, name), WordsEnd...)
	for i := range fields {
		f := &fields[i]
		b = appendKey(b, f.Key)
		if f.Type != pipeline.ImageField {
			b = appendLower(b, f.Text())
		}
		b = append(b, WordsEnd...)
	}
	return string(b)
}

// roomForOdd is what keys with capitals take more than they have letters, most often.
const roomForOdd = 16

// appendLower appends strings.ToLower of a text.
func appendLower(b []byte, text string) []byte {
	start := len(b)
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			return append(b[:start], strings.ToLower(text)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// WordsAs is how the text of a field with a key begins in what Words writes.
func WordsAs(key string) string { return string(appendKey(nil, key)) }

func appendKey(b []byte, key string) []byte {
	for i := range len(key) {
		if c := key[i]; 'a' <= c && c <= 'z' {
			b = append(b, c-'a'+'A')
		} else {
			b = append(b, wordsOdd[0], 'A'+c>>4, 'A'+c&15)
		}
	}
	return append(b, wordsKey...)
}
